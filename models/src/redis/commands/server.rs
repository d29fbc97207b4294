//! The server as a whole: time, sizes, flushing, snapshots, replication (`src/server.c`, `src/rdb.c`,
//! `src/replication.c`).

use super::super::keyspace::DATABASES;
use super::super::{Core, Reply, number};
use super::args::{integer, is, within};
use super::{Call, Outcome, SYNTAX_ERROR, blocking};
use crate::redis::reply::Format;

/// `TIME`: the server's wall clock in seconds and microseconds.
pub(super) fn time(_: &mut Core, call: &Call<'_>) -> Outcome {
    let micros = call.now.wall.as_unix_nanos() / 1000;
    let text = |number: u64| Reply::Bulk(number::format(number as i64));
    Ok(Reply::Array(vec![text(micros / 1_000_000), text(micros % 1_000_000)]))
}

/// `DBSIZE`: expired keys that nobody has touched yet are counted.
pub(super) fn dbsize(core: &mut Core, _: &Call<'_>) -> Outcome {
    Ok(Reply::Integer(core.keyspace.records().len() as i64))
}

/// `FLUSHALL [ASYNC|SYNC]`.
pub(super) fn flushall(core: &mut Core, call: &Call<'_>) -> Outcome {
    let selected = core.keyspace.selected();
    for database in 0..DATABASES {
        core.keyspace.select(database);
        let flushed = flushdb(core, call);
        core.keyspace.select(selected);
        flushed?;
    }
    Ok(Reply::OK)
}

/// `FLUSHDB [ASYNC|SYNC]`.
pub(super) fn flushdb(core: &mut Core, call: &Call<'_>) -> Outcome {
    let is = |name: &str| call.args[1].eq_ignore_ascii_case(name.as_bytes());
    if call.args.len() > 2 || (call.args.len() == 2 && !is("ASYNC") && !is("SYNC")) {
        return Err(SYNTAX_ERROR);
    }
    core.keyspace.remove_all(call.author);
    Ok(Reply::OK)
}

/// `ROLE`: a master without replicas.
pub(super) fn role(_: &mut Core, _: &Call<'_>) -> Outcome {
    Ok(Reply::Array(vec![Reply::text("master"), Reply::Integer(0), Reply::Array(Vec::new())]))
}

/// `WAIT numreplicas timeout`: there are no replicas, so any positive number is waited for in vain
/// (`src/replication.c` `waitCommand`).
pub(super) fn wait(core: &mut Core, call: &Call<'_>) -> Outcome {
    let wanted = integer(&call.args[1])?;
    let wrong = || Reply::error("ERR timeout is not an integer or out of range");
    let until = blocking::until(call, integer(&call.args[2]).map_err(|_| wrong())?)?;
    // C compares with a long once, and after that with what is left of it in an int.
    if wanted > 0 && wanted as i32 > 0 && call.may_block {
        core.block_for_replicas(call.author.session, until);
    }
    Ok(Reply::Integer(0))
}

/// `REPLICAOF NO ONE`: what it is already; to become a replica is not modelled.
pub(super) fn replicaof(_: &mut Core, call: &Call<'_>) -> Outcome {
    if is(call.args, 1, "no") && is(call.args, 2, "one") {
        return Ok(Reply::OK);
    }
    within(&call.args[2], 0, 65_535, Reply::error("ERR Invalid master port"))?;
    Err(Reply::error("ERR replication is not modelled"))
}

/// `SAVE`: answered as if a snapshot had been written; none is ever loaded.
pub(super) fn save(core: &mut Core, call: &Call<'_>) -> Outcome {
    core.saved_at = call.now.wall;
    Ok(Reply::OK)
}

/// `BGSAVE [SCHEDULE]`: as SAVE.
pub(super) fn bgsave(core: &mut Core, call: &Call<'_>) -> Outcome {
    if call.args.len() > 2 || (call.args.len() == 2 && !is(call.args, 1, "schedule")) {
        return Err(SYNTAX_ERROR);
    }
    core.saved_at = call.now.wall;
    Ok(Reply::Simple("Background saving started".into()))
}

/// `BGREWRITEAOF`: nothing needs to be rewritten here.
pub(super) fn bgrewriteaof(_: &mut Core, _: &Call<'_>) -> Outcome {
    Ok(Reply::Simple("Background append only file rewriting started".into()))
}

/// `LASTSAVE`: the last snapshot, or the start.
pub(super) fn lastsave(core: &mut Core, _: &Call<'_>) -> Outcome {
    Ok(Reply::Integer(core.saved_at.unix_ms() / 1000))
}

/// `LOLWUT`, without the art.
pub(super) fn lolwut(_: &mut Core, _: &Call<'_>) -> Outcome {
    Ok(Reply::Verbatim(Format::Text, "Redis ver. 7.0.15\n".into()))
}
