//! Sequences for etcd, weighted to what locks use: transactions, leases that end, watches, the server's own
//! locks and elections.

use proptest::prelude::*;
use proptest::sample::select;

/// What a client may do; `script` makes lines of it.
#[derive(Clone, Debug)]
enum Act {
    /// A call with one message.
    Ask(String),
    /// A message on one of the streams of a connection; the first one opens it.
    Watch(usize, String),
    KeepAlive(String),
    /// The client will say no more on its last stream, or gives it up.
    EndStream(bool),
    /// Gives up the last call with one message, which may be waiting.
    GiveUp,
    Leave,
    Wait(u64),
}

/// Connections, and how many watch streams each has.
const CONNECTIONS: usize = 2;
const WATCH_STREAMS: usize = 2;

/// Most do not wait; a lease takes seconds to end.
pub(super) fn sequences() -> BoxedStrategy<Vec<String>> {
    let quick = prop::collection::vec((0..CONNECTIONS, act()), 6..24);
    let wait = select(vec![500, 1500, 2600, 2600]).prop_map(|ms| (0, Act::Wait(ms)));
    let grant = grant(Just(2)).prop_map(|text| (0, Act::Ask(text)));
    let held = put().prop_map(|text| (0, Act::Ask(text)));
    let few = || prop::collection::vec((0..CONNECTIONS, act()), 1..8);
    let slow = (grant, held, few(), wait, few()).prop_map(|(grant, held, before, wait, after)| {
        [vec![grant, held], before, vec![wait], after].concat()
    });
    prop_oneof![14 => quick, 1 => slow].prop_map(|acts| script(&acts)).boxed()
}

/// The calls of a connection that lines of a script speak of.
#[derive(Default)]
struct Calls {
    last: u32,
    watches: [Option<u32>; WATCH_STREAMS],
    keep_alive: Option<u32>,
    single: Option<u32>,
    number: u64,
}

impl Calls {
    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }
}

/// Lines for what the clients do. The first call of the first connection is taken.
fn script(acts: &[(usize, Act)]) -> Vec<String> {
    let mut connections: Vec<Calls> = Vec::new();
    for number in 0..CONNECTIONS {
        connections.push(Calls { last: 1, number: number as u64 + 1, ..Calls::default() });
    }
    let mut newest = CONNECTIONS as u64;
    let mut lines = Vec::new();
    for (connection, act) in acts {
        let calls = &mut connections[*connection];
        let (call, said) = match act {
            Act::Ask(text) => {
                let call = calls.next();
                calls.single = Some(call);
                (call, text.clone())
            }
            Act::Watch(stream, text) => {
                let call = calls.watches[*stream].unwrap_or_else(|| calls.next());
                calls.watches[*stream] = Some(call);
                (call, format!("Watch{{{text}}}"))
            }
            Act::KeepAlive(lease) => {
                let call = calls.keep_alive.unwrap_or_else(|| calls.next());
                calls.keep_alive = Some(call);
                (call, format!("LeaseKeepAlive{{id={lease}}}"))
            }
            Act::EndStream(gone) => {
                let [first, second] = &mut calls.watches;
                let stream =
                    calls.keep_alive.take().or_else(|| first.take()).or_else(|| second.take());
                let Some(call) = stream else { continue };
                (call, if *gone { "gone" } else { "end" }.to_owned())
            }
            Act::GiveUp => match calls.single.take() {
                Some(call) => (call, "gone".to_owned()),
                None => continue,
            },
            Act::Leave => {
                newest += 1;
                lines.push(format!("{}-", calls.number));
                *calls = Calls { number: newest, ..Calls::default() };
                continue;
            }
            Act::Wait(ms) => {
                lines.push(format!("@ {ms}"));
                continue;
            }
        };
        lines.push(match calls.number {
            1 => format!("> {call} {said}"),
            number => format!("{number}> {call} {said}"),
        });
    }
    lines
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        50 => change().prop_map(Act::Ask),
        18 => range().prop_map(Act::Ask),
        10 => txn(2).prop_map(|txn| Act::Ask(format!("Txn{{{txn}}}"))),
        22 => lease().prop_map(Act::Ask),
        14 => queue().prop_map(Act::Ask),
        20 => (0..WATCH_STREAMS, watch()).prop_map(|(stream, text)| Act::Watch(stream, text)),
        6 => lease_id().prop_map(Act::KeepAlive),
        2 => any::<bool>().prop_map(Act::EndStream),
        2 => Just(Act::GiveUp),
        1 => Just(Act::Leave),
    ]
}

fn key() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "a", "b", "c", "lock/7", "lock/8", "auto/{L1}", "el/7", "\\xff"])
}

/// Fields of one key or of several.
fn span() -> impl Strategy<Value = String> {
    let one = key().prop_map(|key| format!("key=\"{key}\""));
    let end = select(vec!["b", "z", "\\x00", "a", "A", "lock0"]);
    let several = (key(), end).prop_map(|(key, end)| format!("key=\"{key}\" range_end=\"{end}\""));
    let below =
        select(vec!["key=\"lock/\" range_end=\"lock0\"", "key=\"\\x00\" range_end=\"\\x00\"", ""]);
    prop_oneof![8 => one, 3 => several, 2 => below.prop_map(str::to_owned)]
}

/// Revisions count from 1, at the beginning.
fn revision() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 1..6_i64, 3 => 6..14_i64, 1 => Just(0), 1 => Just(100), 1 => Just(-1)]
}

fn lease_id() -> impl Strategy<Value = String> {
    select(vec!["7", "7", "7", "8", "8", "9", "L1", "L2", "-3", "0"]).prop_map(str::to_owned)
}

/// Mostly none; mostly one that may well be there.
fn of_lease() -> impl Strategy<Value = String> {
    let lease = lease_id().prop_map(|lease| format!(" lease={lease}"));
    prop_oneof![3 => Just(String::new()), 2 => lease]
}

/// A flag, now and then.
fn flag(name: &'static str, percent: u32) -> impl Strategy<Value = String> {
    prop::bool::weighted(f64::from(percent) / 100.0)
        .prop_map(move |on| if on { format!(" {name}=true") } else { String::new() })
}

fn value() -> impl Strategy<Value = &'static str> {
    select(vec!["", " value=\"x\"", " value=\"y\"", " value=\"12\"", " value=\"\\x00\\xff\""])
}

fn put() -> impl Strategy<Value = String> {
    let flags = (flag("prev_kv", 20), flag("ignore_value", 4), flag("ignore_lease", 4));
    (prop_oneof![20 => key(), 1 => Just("")], value(), of_lease(), flags).prop_map(
        |(key, value, lease, (prev, ignore_value, ignore_lease))| {
            format!("Put{{key=\"{key}\"{value}{lease}{prev}{ignore_value}{ignore_lease}}}")
        },
    )
}

fn delete() -> impl Strategy<Value = String> {
    (span(), flag("prev_kv", 30)).prop_map(|(span, prev)| format!("DeleteRange{{{span}{prev}}}"))
}

fn change() -> impl Strategy<Value = String> {
    let compact =
        revision().prop_map(|revision| format!("Compact{{revision={revision} physical=true}}"));
    let alarm = Just("Alarm{}".to_owned());
    let authenticate = Just("Authenticate{name=\"me\" password=\"x\"}".to_owned());
    prop_oneof![30 => put(), 10 => delete(), 2 => compact, 1 => alarm, 1 => authenticate]
}

fn range() -> impl Strategy<Value = String> {
    let bound = (
        select(vec![
            "min_mod_revision",
            "max_mod_revision",
            "min_create_revision",
            "max_create_revision",
        ]),
        revision(),
    );
    let fields = prop_oneof![
        4 => Just(String::new()),
        2 => revision().prop_map(|revision| format!(" revision={revision}")),
        2 => (0..4_i64).prop_map(|limit| format!(" limit={limit}")),
        2 => select(vec![" count_only=true", " keys_only=true", " serializable=true"]).prop_map(str::to_owned),
        2 => bound.prop_map(|(name, revision)| format!(" {name}={revision}")),
    ];
    let order = (
        select(vec!["", " sort_order=ascend", " sort_order=descend", " sort_order=7"]),
        select(vec![
            "",
            " sort_target=create",
            " sort_target=mod",
            " sort_target=version",
            " sort_target=value",
            " sort_target=key",
        ]),
    );
    let order = prop_oneof![2 => Just(("", "")), 1 => order];
    (span(), fields, order).prop_map(|(span, fields, (order, target))| {
        format!("Range{{{span}{fields}{order}{target}}}")
    })
}

fn compare() -> impl Strategy<Value = String> {
    let of = prop_oneof![
        3 => revision().prop_map(|revision| format!(" target=create create_revision={revision}")),
        4 => Just(" target=create create_revision=0".to_owned()),
        2 => revision().prop_map(|revision| format!(" target=mod mod_revision={revision}")),
        2 => (0..3_i64).prop_map(|version| format!(" version={version}")),
        2 => value().prop_map(|value| format!(" target=value{value}")),
        1 => lease_id().prop_map(|lease| format!(" target=lease lease={lease}")),
        1 => Just(" target=mod".to_owned()),
        1 => Just(" target=9".to_owned()),
    ];
    let result =
        select(vec!["", "", " result=greater", " result=less", " result=not_equal", " result=9"]);
    (span(), of, result).prop_map(|(span, of, result)| format!("{{{span}{result}{of}}}"))
}

/// The fields of a transaction, with others inside it up to this depth.
fn txn(depth: u32) -> BoxedStrategy<String> {
    let op = prop_oneof![4 => put(), 2 => delete(), 3 => range()];
    let op = match depth {
        0 => op.boxed(),
        _ => prop_oneof![9 => op, 1 => txn(depth - 1).prop_map(|txn| format!("Txn{{{txn}}}"))]
            .boxed(),
    };
    let ops = || prop::collection::vec(op.clone(), 0..3).prop_map(|ops| ops.join(" "));
    (prop::collection::vec(compare(), 0..3), ops(), ops())
        .prop_map(|(compare, success, failure)| {
            format!("compare=[{}] success=[{success}] failure=[{failure}]", compare.join(" "))
        })
        .boxed()
}

fn grant(ttl_s: impl Strategy<Value = i64>) -> impl Strategy<Value = String> {
    (ttl_s, select(vec![0, 7, 7, 8, 9, -3]))
        .prop_map(|(ttl_s, lease)| format!("LeaseGrant{{ttl={ttl_s} id={lease}}}"))
}

fn lease() -> impl Strategy<Value = String> {
    let ttl_s = select(vec![60, 60, 5, 2, 1, 0, -1, 9_000_000_000, 9_000_000_001]);
    let revoke = lease_id().prop_map(|lease| format!("LeaseRevoke{{id={lease}}}"));
    let left = (lease_id(), flag("keys", 60))
        .prop_map(|(lease, keys)| format!("LeaseTimeToLive{{id={lease}{keys}}}"));
    prop_oneof![8 => grant(ttl_s), 3 => revoke, 4 => left, 1 => Just("LeaseLeases{}".to_owned())]
}

/// The server's own locks and elections.
fn queue() -> impl Strategy<Value = String> {
    let name = || select(vec!["lock", "el", "auto", ""]);
    // Keys of leases that the server names are under a name of their own: where they stand among others
    // depends on the run.
    let client = (select(vec!["lock", "lock", "el", ""]), select(vec!["7", "7", "8", "9", "-3"]));
    let server = (Just("auto"), select(vec!["0", "0", "L1", "L2"]));
    let place = || {
        prop_oneof![2 => client.clone(), 1 => server.clone()]
            .prop_map(|(name, lease)| format!("name=\"{name}\" lease={lease}"))
    };
    let key = select(vec!["lock/7", "lock/8", "auto/{L1}", "el/7", ""]);
    let leader = || {
        (select(vec!["7", "8"]), revision(), select(vec!["el", "lock"])).prop_map(
            |(lease, rev, name)| {
                format!("leader={{name=\"{name}\" key=\"{name}/{lease}\" rev={rev} lease={lease}}}")
            },
        )
    };
    let leader = || prop_oneof![6 => leader(), 1 => Just(String::new())];
    prop_oneof![
        6 => place().prop_map(|place| format!("Lock{{{place}}}")),
        4 => key.prop_map(|key| format!("Unlock{{key=\"{key}\"}}")),
        5 => (place(), value()).prop_map(|(place, value)| format!("Campaign{{{place}{value}}}")),
        3 => (leader(), value()).prop_map(|(leader, value)| format!("Proclaim{{{leader}{value}}}")),
        2 => name().prop_map(|name| format!("Leader{{name=\"{name}\"}}")),
        2 => name().prop_map(|name| format!("Observe{{name=\"{name}\"}}")),
        2 => leader().prop_map(|leader| format!("Resign{{{leader}}}")),
    ]
}

fn watch() -> impl Strategy<Value = String> {
    let from = prop_oneof![5 => Just(String::new()), 2 => revision().prop_map(|from| format!(" start_revision={from}"))];
    let flags = (flag("prev_kv", 40), flag("progress_notify", 10), flag("fragment", 10));
    let filters = select(vec![
        "",
        "",
        "",
        " filters=[noput]",
        " filters=[nodelete]",
        " filters=[noput nodelete]",
        " filters=[9]",
    ]);
    let id = select(vec!["", "", "", "", " watch_id=3", " watch_id=1"]);
    let create = (span(), from, flags, filters, id).prop_map(
        |(span, from, (prev, progress, fragment), filters, id)| {
            format!("create={{{span}{from}{prev}{progress}{fragment}{filters}{id}}}")
        },
    );
    let cancel = (0..4_i64).prop_map(|id| format!("cancel={{watch_id={id}}}"));
    prop_oneof![6 => create, 2 => cancel, 1 => Just("progress={}".to_owned()), 1 => Just(String::new())]
}

#[cfg(test)]
mod tests {
    use picklock_models::transcript::Faithful;
    use picklock_models::transcript::etcd::replay;

    use super::*;

    proptest! {
        /// Whatever is drawn can be played, but for leases that nobody was granted.
        #[test]
        fn what_is_drawn_is_a_transcript(lines in sequences()) {
            if let Err(error) = replay(&lines.join("\n"), &mut Faithful) {
                prop_assert!(error.reason.contains("so far"), "{error}");
            }
        }
    }
}
