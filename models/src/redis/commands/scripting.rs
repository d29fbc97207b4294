//! EVAL and what belongs to it (`src/eval.c`).

use super::super::script::{self, Script, Sha};
use super::super::{Redis, Reply};
use super::args::integer;
use super::{Call, Command, Outcome, WHILE_BUSY, help, whole};
use crate::redis::stall::Stall;

const NO_SCRIPT: Reply = Reply::error("NOSCRIPT No matching script. Please use EVAL.");

/// `EVAL script numkeys key... arg...`.
pub(super) fn eval(redis: &mut Redis, call: &Call<'_>) -> Outcome {
    eval_text(redis, call, false)
}

/// `EVAL_RO`: as EVAL, but the script may not write.
pub(super) fn eval_ro(redis: &mut Redis, call: &Call<'_>) -> Outcome {
    eval_text(redis, call, true)
}

/// `EVALSHA sha1 numkeys key... arg...`.
pub(super) fn evalsha(redis: &mut Redis, call: &Call<'_>) -> Outcome {
    eval_sha(redis, call, false)
}

/// `EVALSHA_RO`.
pub(super) fn evalsha_ro(redis: &mut Redis, call: &Call<'_>) -> Outcome {
    eval_sha(redis, call, true)
}

fn eval_text(redis: &mut Redis, call: &Call<'_>, read_only: bool) -> Outcome {
    let keys = number_of_keys(call)?;
    let text = &call.args[1];
    let sha = script::sha1(text);
    let script = match redis.find_script(&sha) {
        Some(script) => script,
        None => redis.load_script(sha, text)?,
    };
    run(redis, call, &script, keys, read_only)
}

fn eval_sha(redis: &mut Redis, call: &Call<'_>, read_only: bool) -> Outcome {
    // A hash of the wrong length is unknown before its keys are counted (`evalShaCommand`).
    let Some(sha) = script::parse_sha(&call.args[1]) else { return Err(NO_SCRIPT) };
    let keys = number_of_keys(call)?;
    let Some(script) = redis.find_script(&sha) else { return Err(NO_SCRIPT) };
    run(redis, call, &script, keys, read_only)
}

fn run(
    redis: &mut Redis,
    call: &Call<'_>,
    script: &Script,
    keys: usize,
    read_only: bool,
) -> Outcome {
    let (keys, args) = (3..3 + keys, 3 + keys..call.args.len());
    let selected = redis.core.borrow().keyspace.selected();
    redis.core.borrow_mut().script_wrote = false;
    let run = redis.engine().run(script, call, keys, args, read_only);
    let core = &mut *redis.core.borrow_mut();
    core.keyspace.select(selected);
    if run.endless {
        let (busy_at, wrote) = (call.now.steady + core.busy_after(), core.script_wrote);
        core.stall(Stall::script(call.author.session, busy_at, wrote, run.reply));
        return Ok(Reply::Null);
    }
    Ok(run.reply)
}

fn number_of_keys(call: &Call<'_>) -> Result<usize, Reply> {
    let count = integer(&call.args[2])?;
    if count > call.args.len() as i64 - 3 {
        return Err(Reply::error("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| Reply::error("ERR Number of keys can't be negative"))
}

/// `SCRIPT ...`.
pub(super) const SCRIPT: &[Command] = &[
    whole("script|exists", -3, exists),
    whole("script|flush", -2, flush),
    whole("script|help", 2, |_, _| Ok(help::text("script"))),
    whole("script|kill", 2, |redis, call| redis.kill_script(call.now)).that(WHILE_BUSY),
    whole("script|load", 3, load),
];

fn load(redis: &mut Redis, call: &Call<'_>) -> Outcome {
    let text = &call.args[2];
    let sha: Sha = script::sha1(text);
    if redis.find_script(&sha).is_none() {
        redis.load_script(sha, text)?;
    }
    Ok(Reply::Bulk(bytes::Bytes::copy_from_slice(&sha)))
}

fn exists(redis: &mut Redis, call: &Call<'_>) -> Outcome {
    let hashes = call.args.iter().skip(2);
    let known = hashes.map(|hash| {
        let found = script::parse_sha(hash).and_then(|sha| redis.find_script(&sha));
        Reply::flag(found.is_some())
    });
    Ok(Reply::Array(known.collect()))
}

fn flush(redis: &mut Redis, call: &Call<'_>) -> Outcome {
    let is = |name: &str| call.args[2].eq_ignore_ascii_case(name.as_bytes());
    if call.args.len() > 3 || (call.args.len() == 3 && !is("ASYNC") && !is("SYNC")) {
        return Err(Reply::error("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    redis.forget_scripts();
    Ok(Reply::OK)
}
