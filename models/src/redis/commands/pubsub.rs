//! Publish and subscribe (`src/pubsub.c`).

use bytes::Bytes;

use super::super::channels::{Kind, Subscribers};
use super::super::{Core, Reply, glob};
use super::{Call, Command, Outcome, help, reads};

/// `SUBSCRIBE channel...`.
pub(super) fn subscribe(core: &mut Core, call: &Call<'_>) -> Outcome {
    enter(core, call, Kind::Channel)
}

/// `PSUBSCRIBE pattern...`.
pub(super) fn psubscribe(core: &mut Core, call: &Call<'_>) -> Outcome {
    enter(core, call, Kind::Pattern)
}

/// `SSUBSCRIBE shardchannel...`.
pub(super) fn ssubscribe(core: &mut Core, call: &Call<'_>) -> Outcome {
    // Unlike the other two, not even in a transaction (`ssubscribeCommand`).
    if !call.may_block {
        let text = "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client";
        return Err(Reply::error(text));
    }
    enter(core, call, Kind::Shard)
}

/// One confirmation for each name, and no answer besides.
fn enter(core: &mut Core, call: &Call<'_>, kind: Kind) -> Outcome {
    for name in call.args.iter().skip(1) {
        core.subscribe(call.author.session, kind, name);
    }
    core.silent = true;
    Ok(Reply::Null)
}

/// `UNSUBSCRIBE [channel...]`: without a name all of them.
pub(super) fn unsubscribe(core: &mut Core, call: &Call<'_>) -> Outcome {
    leave(core, call, Kind::Channel)
}

/// `PUNSUBSCRIBE [pattern...]`.
pub(super) fn punsubscribe(core: &mut Core, call: &Call<'_>) -> Outcome {
    leave(core, call, Kind::Pattern)
}

/// `SUNSUBSCRIBE [shardchannel...]`.
pub(super) fn sunsubscribe(core: &mut Core, call: &Call<'_>) -> Outcome {
    leave(core, call, Kind::Shard)
}

fn leave(core: &mut Core, call: &Call<'_>, kind: Kind) -> Outcome {
    let session = call.author.session;
    let names: Vec<Bytes> = match call.args.len() {
        1 => core.subscriptions(session, kind).iter().cloned().collect(),
        _ => call.args.iter().skip(1).map(Bytes::copy_from_slice).collect(),
    };
    if names.is_empty() {
        core.unsubscribe(session, kind, None);
    }
    for name in names {
        core.unsubscribe(session, kind, Some(&name));
    }
    core.silent = true;
    Ok(Reply::Null)
}

/// `PUBLISH channel message`: how many got it.
pub(super) fn publish(core: &mut Core, call: &Call<'_>) -> Outcome {
    let [channel, message] = [1, 2].map(|index| Bytes::copy_from_slice(&call.args[index]));
    Ok(Reply::Integer(core.publish(&channel, &message) as i64))
}

/// `SPUBLISH shardchannel message`.
pub(super) fn spublish(core: &mut Core, call: &Call<'_>) -> Outcome {
    let [channel, message] = [1, 2].map(|index| Bytes::copy_from_slice(&call.args[index]));
    Ok(Reply::Integer(core.publish_to_shard(&channel, &message) as i64))
}

/// `PUBSUB ...`.
pub(super) const PUBSUB: &[Command] = &[
    reads("pubsub|channels", -2, channels),
    reads("pubsub|help", 2, |_, _| Ok(help::text("pubsub"))),
    reads("pubsub|numpat", 2, numpat),
    reads("pubsub|numsub", -2, |core, call| Ok(numbers(&core.channels.exact, call))),
    reads("pubsub|shardchannels", -2, shardchannels),
    reads("pubsub|shardnumsub", -2, |core, call| Ok(numbers(&core.channels.shard, call))),
];

fn channels(core: &mut Core, call: &Call<'_>) -> Outcome {
    listing(&core.channels.exact, call)
}

fn shardchannels(core: &mut Core, call: &Call<'_>) -> Outcome {
    listing(&core.channels.shard, call)
}

fn listing(subscribers: &Subscribers, call: &Call<'_>) -> Outcome {
    if call.args.len() > 3 {
        return Err(help::subcommand_error("PUBSUB", &call.args[1]));
    }
    let pattern = call.args.get(2).unwrap_or(b"*");
    let names = subscribers.keys().filter(|name| glob::matches(pattern, name));
    Ok(Reply::bulks(names.cloned()))
}

fn numpat(core: &mut Core, _: &Call<'_>) -> Outcome {
    Ok(Reply::Integer(core.channels.patterns.len() as i64))
}

fn numbers(subscribers: &Subscribers, call: &Call<'_>) -> Reply {
    let named = call.args.iter().skip(2).flat_map(|name| {
        let count = subscribers.get(name).map_or(0, Vec::len);
        [Reply::copied(name), Reply::Integer(count as i64)]
    });
    Reply::Array(named.collect())
}
