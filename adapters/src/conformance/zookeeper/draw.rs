//! Sequences for ZooKeeper, weighted to what locks use: sequence nodes, ephemeral nodes of several
//! sessions, watches, sessions that are taken over or end.

use picklock_models::transcript::notation::Noted;
use proptest::prelude::*;

use super::ROOT;

/// What a client may do; `script` makes lines of it.
#[derive(Clone, Debug)]
enum Act {
    /// On the connection that the client has.
    Ask(String),
    /// Over a connection of its own, which ends with it.
    Word(&'static str),
    /// A new session.
    Begin(i32),
    /// A connection for the session that it had last.
    Resume {
        password: bool,
        timeout_ms: i32,
        seen: i64,
    },
    /// Goes away without a word.
    Leave,
    Wait(u64),
}

const CLIENTS: usize = 3;

/// Beginnings of sessions, then twenty or so things that are done.
pub(super) fn sequences() -> BoxedStrategy<Vec<String>> {
    let acts = prop::collection::vec((0..CLIENTS, act()), 8..28);
    (timeout(), acts)
        .prop_map(|(timeout_ms, acts)| {
            let root = format!("Create{{path=\"{ROOT}\" data=\"\" acl=[\"31 world:anyone\"]}}");
            let begin = [(0, Act::Begin(timeout_ms)), (0, Act::Ask(root))];
            script(begin.into_iter().chain(acts))
        })
        .boxed()
}

/// Lines for what the clients do. Numbers of connections and names of sessions count up.
fn script(acts: impl Iterator<Item = (usize, Act)>) -> Vec<String> {
    let (mut lines, mut connections, mut sessions) = (Vec::new(), 0, 0);
    let mut clients: [(Option<u64>, Option<u64>); CLIENTS] = [(None, None); CLIENTS];
    for (client, act) in acts {
        let (connection, session) = &mut clients[client];
        let mut open = || {
            connections += 1;
            connections
        };
        // Nobody does anything without a session.
        if connection.is_none() && matches!(act, Act::Ask(_) | Act::Leave) {
            let number = open();
            sessions += 1;
            (*connection, *session) = (Some(number), Some(sessions));
            lines.push(format!("{number}> Connect{{timeout_ms=4000}}"));
        }
        match act {
            Act::Ask(text) => lines.push(format!("{}> {text}", connection.unwrap_or(1))),
            Act::Word(word) => lines.push(format!("{}> {word:?}", open())),
            Act::Begin(timeout_ms) => {
                let number = open();
                sessions += 1;
                (*connection, *session) = (Some(number), Some(sessions));
                lines.push(format!("{number}> Connect{{timeout_ms={timeout_ms}}}"));
            }
            Act::Resume { password, timeout_ms, seen } => {
                let Some(name) = *session else { continue };
                let number = open();
                *connection = Some(number);
                let password = if password { format!("p{name}") } else { "\"wrong\"".to_owned() };
                lines.push(format!(
                    "{number}> Connect{{last_zxid_seen={seen} timeout_ms={timeout_ms} session=s{name} password={password}}}"
                ));
            }
            Act::Leave => lines.extend(connection.take().map(|number| format!("{number}-"))),
            Act::Wait(ms) => lines.push(format!("@ {ms}")),
        }
    }
    lines
        .into_iter()
        .map(|line| line.strip_prefix("1>").map_or(line.clone(), |rest| format!(">{rest}")))
        .collect()
}

fn timeout() -> impl Strategy<Value = i32> {
    prop_oneof![6 => Just(4000), 2 => Just(400), 1 => Just(700), 1 => Just(0), 1 => Just(i32::MAX)]
}

fn act() -> impl Strategy<Value = Act> {
    let word = prop::sample::select(vec!["ruok", "isro", "nope"]);
    let resume = (
        prop::bool::weighted(0.85),
        timeout(),
        prop_oneof![9 => Just(0), 1 => Just(3), 1 => Just(1_000_000)],
    )
        .prop_map(|(password, timeout_ms, seen)| Act::Resume { password, timeout_ms, seen });
    prop_oneof![
        60 => write().prop_map(Act::Ask),
        40 => read().prop_map(Act::Ask),
        22 => watch().prop_map(Act::Ask),
        14 => other().prop_map(Act::Ask),
        1 => word.prop_map(Act::Word),
        5 => timeout().prop_map(Act::Begin),
        6 => resume,
        3 => Just(Act::Leave),
        2 => prop::sample::select(vec![60, 450, 800]).prop_map(Act::Wait),
    ]
}

/// Paths that may well have a node.
fn path() -> impl Strategy<Value = String> {
    let names = [
        "",
        "/a",
        "/a",
        "/b",
        "/a/c",
        "/n0000000000",
        "/n0000000001",
        "/n0000000002",
        "/a/0000000000",
    ];
    let good = prop::sample::select(names.to_vec()).prop_map(|name| format!("{ROOT}{name}"));
    let bad = [
        "r",
        "/r/",
        "/r//a",
        "/r/./a",
        "/r/..",
        "/r/a\u{1}",
        "/r/\u{e000}",
        "/nosuch/a",
        "/r/a\u{0}b",
    ];
    prop_oneof![20 => good, 1 => prop::sample::select(bad.to_vec()).prop_map(str::to_owned)]
        .prop_map(|path| path.note().to_string())
}

/// Paths for new nodes, with the flags of what they will be: never a node outside the root.
fn new_path() -> impl Strategy<Value = (String, i32)> {
    let sequence = (
        prop::sample::select(vec!["/n", "/n", "/a/", "/b/l-", "/n0000000000/"]),
        prop::sample::select(vec![2, 3, 3]),
    )
        .prop_map(|(name, flags)| (format!("{ROOT}{name}").note().to_string(), flags));
    let plain = (
        path(),
        prop_oneof![4 => Just(0), 4 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(4), 1 => Just(7), 1 => Just(-1)],
    );
    let outside =
        prop::sample::select(vec!["\"\"", "\"/\"", "\"/zookeeper\"", "\"/zookeeper/quota\""]);
    prop_oneof![
        6 => sequence,
        10 => plain.prop_map(|(path, flags)| match path.as_str() {
            // Its parent is not made anew.
            "\"/r\"" if matches!(flags, 2 | 3) => ("\"/r/\"".to_owned(), flags),
            _ => (path, flags),
        }),
        1 => outside.prop_map(|path| (path.to_owned(), 0)),
    ]
}

fn data() -> impl Strategy<Value = String> {
    let some = ["", " data=\"\"", " data=\"x\"", " data=\"owner 1\"", " data=\"\\xff\\x00\""];
    prop::sample::select(some.to_vec()).prop_map(str::to_owned)
}

fn version() -> impl Strategy<Value = i32> {
    prop_oneof![6 => Just(-1), 3 => Just(0), 2 => Just(1), 1 => Just(2), 1 => Just(-2)]
}

/// Whatever the list allows to others, whoever cleans up may do everything.
fn acl() -> impl Strategy<Value = String> {
    let keeper = "\"31 digest:keeper:fVdK2HwI35pFaNBBBjXpQ3fU3iQ=\"";
    let others = [
        "\"1 world:anyone\"",
        "\"2 world:anyone\"",
        "\"4 world:anyone\"",
        "\"9 world:anyone\"",
        "\"6 ip:127.0.0.1\"",
        "\"31 ip:127.0.0.0/8\"",
        "\"31 ip:10.0.0.1\"",
        "\"15 world:anyone\" \"15 world:anyone\"",
        "\"1 auth:\"",
    ];
    let closed =
        prop::sample::select(others.to_vec()).prop_map(move |other| format!("[{other} {keeper}]"));
    let wrong = [
        "[]",
        "[\"31 world:somebody\"]",
        "[\"31 digest:x\"]",
        "[\"31 nosuch:x\"]",
        "[\"31 ip:1.2.3\"]",
        "[\"31 ip:1.2.3.4/33\"]",
    ];
    prop_oneof![
        30 => Just("[\"31 world:anyone\"]".to_owned()),
        4 => closed,
        1 => prop::sample::select(wrong.to_vec()).prop_map(str::to_owned),
    ]
}

/// What a transaction can be made of.
fn change() -> impl Strategy<Value = String> {
    let create =
        (prop::sample::select(vec!["Create", "Create", "Create2"]), new_path(), data(), acl())
            .prop_map(|(name, (path, flags), data, acl)| {
                format!("{name}{{path={path}{data} acl={acl} flags={flags}}}")
            });
    // A node with a time to live, but neither kind of it nor time, brings the real server down.
    let ttl = [(5, 600_000), (6, 600_000), (5, 0), (6, -1), (5, i64::MAX), (0, 600_000)];
    let with_ttl = (path(), acl(), prop::sample::select(ttl.to_vec())).prop_map(
        |(path, acl, (flags, ttl_ms))| {
            // Its parent is not made anew.
            let path = if path == "\"/r\"" { "\"/r/a\"" } else { &path };
            format!("CreateTtl{{path={path} data=\"\" acl={acl} flags={flags} ttl_ms={ttl_ms}}}")
        },
    );
    let container =
        (path(), acl(), prop::sample::select(vec![0, 4, 4])).prop_map(|(path, acl, flags)| {
            format!("CreateContainer{{path={path} data=\"\" acl={acl} flags={flags}}}")
        });
    let rare = prop_oneof![with_ttl, container];
    let delete = (path(), version())
        .prop_map(|(path, version)| format!("Delete{{path={path} version={version}}}"));
    let special = prop::sample::select(vec![
        "Delete{path=\"/\" version=-1}",
        "Delete{path=\"\" version=-1}",
        "Delete{path=\"/zookeeper\" version=-1}",
        "Delete{path=\"/zookeeper/config\" version=-1}",
    ]);
    let set = (path(), data(), version()).prop_map(|(path, data, version)| {
        format!("SetData{{path={path}{data} version={version}}}")
    });
    prop_oneof![10 => create, 2 => rare, 5 => delete, 4 => set, 1 => special.prop_map(str::to_owned)]
}

fn write() -> impl Strategy<Value = String> {
    let check = (path(), version())
        .prop_map(|(path, version)| format!("Check{{path={path} version={version}}}"));
    let part = prop_oneof![8 => change(), 3 => check, 1 => path().prop_map(|path| format!("Exists{{path={path}}}"))];
    let multi = prop::collection::vec(part, 0..4)
        .prop_map(|parts| format!("Multi{{value=[{}]}}", parts.join(" ")));
    let set_acl = (path(), acl(), version()).prop_map(|(path, acl, version)| {
        format!("SetAcl{{path={path} acl={acl} version={version}}}")
    });
    prop_oneof![20 => change(), 4 => multi, 2 => set_acl]
}

fn read() -> impl Strategy<Value = String> {
    let names = vec!["Exists", "Exists", "GetData", "GetData", "GetChildren", "GetChildren2"];
    let watched = (prop::sample::select(names), path(), prop::bool::weighted(0.6))
        .prop_map(|(name, path, watch)| format!("{name}{{path={path} watch={watch}}}"));
    let unwatched = (prop::sample::select(vec!["GetAcl", "Sync", "GetAllChildrenNumber"]), path())
        .prop_map(|(name, path)| format!("{name}{{path={path}}}"));
    let part = (
        prop::sample::select(vec!["GetData", "GetChildren", "GetData", "GetChildren", "Exists"]),
        path(),
    )
        .prop_map(|(name, path)| format!("{name}{{path={path}}}"));
    let several = prop::collection::vec(part, 0..4)
        .prop_map(|parts| format!("MultiRead{{value=[{}]}}", parts.join(" ")));
    let ephemerals = prop::sample::select(vec![
        "GetEphemerals{}",
        "GetEphemerals{value=\"/r/a\"}",
        "GetEphemerals{value=\"/\"}",
    ]);
    prop_oneof![20 => watched, 4 => unwatched, 2 => several, 1 => ephemerals.prop_map(str::to_owned)]
}

fn watch() -> impl Strategy<Value = String> {
    let add =
        (path(), 0..3).prop_map(|(path, kind)| format!("AddWatch{{path={path} kind={kind}}}"));
    let named = (
        prop::sample::select(vec!["RemoveWatches", "RemoveWatches", "CheckWatches"]),
        path(),
        1..5,
    )
        .prop_map(|(name, path, kind)| format!("{name}{{path={path} kind={kind}}}"));
    let list =
        || prop::collection::vec(path(), 0..3).prop_map(|paths| format!("[{}]", paths.join(" ")));
    let lists = || {
        (0..30, list(), list(), list()).prop_map(|(seen, data, exist, child)| {
            format!("relative_zxid={seen} data={data} exist={exist} child={child}")
        })
    };
    let set = lists().prop_map(|lists| format!("SetWatches{{{lists}}}"));
    let set2 = (lists(), list(), list()).prop_map(|(lists, persistent, recursive)| {
        format!("SetWatches2{{once={{{lists}}} persistent={persistent} recursive={recursive}}}")
    });
    prop_oneof![4 => add, 4 => named, 2 => set, 2 => set2]
}

fn other() -> impl Strategy<Value = String> {
    let auth = [
        "Auth{scheme=\"digest\" auth=\"keeper:secret\"}",
        "Auth{scheme=\"ip\"}",
        "Auth{scheme=\"digest\" auth=\"other:x\"}",
    ];
    let wrong = [
        "Auth{scheme=\"nosuch\" auth=\"x\"}",
        "Unreadable{opcode=1}",
        "Unreadable{opcode=3}",
        "Unreadable{opcode=14}",
        "Unreadable{opcode=999}",
        "Reconfig{}",
    ];
    prop_oneof![
        4 => Just("Ping{}".to_owned()),
        3 => Just("CloseSession{}".to_owned()),
        4 => prop::sample::select(auth.to_vec()).prop_map(str::to_owned),
        1 => Just("WhoAmI{}".to_owned()),
        1 => prop::sample::select(wrong.to_vec()).prop_map(str::to_owned),
    ]
}

#[cfg(test)]
mod tests {
    use picklock_models::transcript::Faithful;
    use picklock_models::transcript::zookeeper::replay;

    use super::*;

    proptest! {
        /// Whatever is drawn can be played, at least until a session has another name than was foreseen.
        #[test]
        fn what_is_drawn_is_a_transcript(lines in sequences()) {
            if let Err(error) = replay(&lines.join("\n"), &mut Faithful) {
                prop_assert!(error.reason.contains("so far"), "{error}");
            }
        }
    }
}
