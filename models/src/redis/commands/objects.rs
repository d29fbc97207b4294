//! OBJECT (`src/object.c` `objectCommand`): how a value is kept. To look is no access.

use super::super::keyspace::Record;
use super::super::value::Value;
use super::super::{Core, Reply};
use super::{Call, Command, Outcome, reads};

/// The subcommands.
pub(super) const OBJECT: &[Command] = &[
    reads("object|encoding", 3, encoding),
    reads("object|freq", 3, freq),
    reads("object|help", 2, help),
    reads("object|idletime", 3, idletime),
    reads("object|refcount", 3, refcount),
];

fn looked_at(core: &mut Core, call: &Call<'_>, show: impl FnOnce(&Record) -> Outcome) -> Outcome {
    core.keyspace.peek(&call.args[2], call.author.now_ms).map_or(Ok(Reply::Null), show)
}

/// `OBJECT ENCODING key`.
fn encoding(core: &mut Core, call: &Call<'_>) -> Outcome {
    looked_at(core, call, |record| Ok(Reply::text(record.value.encoding())))
}

/// `OBJECT FREQ key`: never counted, because no memory limit asks for it.
fn freq(core: &mut Core, call: &Call<'_>) -> Outcome {
    looked_at(core, call, |_| {
        let text = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. \
                    Please note that when switching between policies at runtime LRU and LFU data \
                    will take some time to adjust.";
        Err(Reply::error(text))
    })
}

/// `OBJECT IDLETIME key`, in seconds of a clock that shows whole ones (`src/evict.c`
/// `estimateObjectIdleTime`).
fn idletime(core: &mut Core, call: &Call<'_>) -> Outcome {
    looked_at(core, call, |record| {
        let seconds = |ms: i64| ms.div_euclid(1000);
        let idle = seconds(call.author.now_ms) - seconds(record.accessed_ms);
        Ok(Reply::Integer(idle.max(0)))
    })
}

/// `OBJECT REFCOUNT key`: the numbers below 10 000 are shared (`src/server.h`
/// `OBJ_SHARED_INTEGERS`).
fn refcount(core: &mut Core, call: &Call<'_>) -> Outcome {
    looked_at(core, call, |record| {
        let shared = match &record.value {
            Value::Raw(_) | Value::Fraction(_) => false,
            value => value.to_integer().is_some_and(|number| (0..10_000).contains(&number)),
        };
        Ok(Reply::Integer(if shared { i64::from(i32::MAX) } else { 1 }))
    })
}

/// `OBJECT HELP`.
fn help(_: &mut Core, _: &Call<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    Return the kind of internal representation used in order to store the value",
        "    associated with a <key>.",
        "FREQ <key>",
        "    Return the access frequency index of the <key>. The returned integer is",
        "    proportional to the logarithm of the recent access frequency of the key.",
        "IDLETIME <key>",
        "    Return the idle time of the <key>, that is the approximated number of",
        "    seconds elapsed since the last access to the key.",
        "REFCOUNT <key>",
        "    Return the number of references of the value associated with the specified",
        "    <key>.",
        "HELP",
        "    Prints this help.",
    ];
    Ok(Reply::Array(LINES.iter().map(|line| Reply::Simple((*line).into())).collect()))
}
