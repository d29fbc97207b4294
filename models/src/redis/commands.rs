//! The table of commands: name, arity, what it may do, and who does it. One line each.
//!
//! Arity counts the name, and a negative one is a minimum (`src/commands.c`). What is not in the
//! table is unknown, also when the real server knows it: a guess would be worse than an error.

use std::borrow::Cow;

use tracing::trace;

use super::keyspace::Author;
use super::reply::Reply;
use super::request::Request;
use super::{Core, Redis};
use crate::time::HostTime;

mod args;
mod blocking;
mod client;
mod config;
mod connection;
mod databases;
mod debug;
mod handshake;
mod hashes;
mod help;
mod info;
mod introspection;
mod keys;
mod lists;
mod objects;
mod pubsub;
mod row;
mod scan;
mod scripting;
mod server;
mod sets;
mod sorted_sets;
mod strings;
mod transactions;

pub(super) use blocking::Attempt;
pub(super) use row::Command;
use row::*;
pub(super) use transactions::resume;

/// One command as its handler sees it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) args: &'a Request,
    pub(super) now: HostTime,
    pub(super) author: Author,
    /// Whether the command may wait: not in a transaction and not in a script.
    pub(super) may_block: bool,
}

/// A reply, or the error reply that ends a command early.
pub(super) type Outcome = Result<Reply, Reply>;

type Handler = fn(&mut Core, &Call<'_>) -> Outcome;

/// Sorted by name, for whoever reads it.
static COMMANDS: &[Command] = &[
    writes("append", 3, strings::append),
    session("auth", -2, handshake::auth).that(WITHOUT_PASSWORD | WHILE_BUSY),
    session("bgrewriteaof", 1, server::bgrewriteaof),
    session("bgsave", -1, server::bgsave),
    reads("bitcount", -2, strings::bitcount),
    waits("blmove", 6, blocking::blmove),
    writes("blmpop", -5, blocking::blmpop),
    waits("blpop", -3, blocking::blpop),
    waits("brpop", -3, blocking::brpop),
    waits("brpoplpush", 4, blocking::brpoplpush),
    writes("bzmpop", -5, blocking::bzmpop),
    waits("bzpopmax", -3, blocking::bzpopmax),
    waits("bzpopmin", -3, blocking::bzpopmin),
    container("client", client::CLIENT),
    introspection::COMMAND,
    container("config", config::CONFIG),
    writes("copy", -3, databases::copy),
    reads("dbsize", 1, server::dbsize),
    session("debug", -2, debug::debug).that(GUARDED),
    writes("decr", 2, strings::decr),
    writes("decrby", 3, strings::decrby),
    writes("del", -2, keys::del),
    session("discard", 1, transactions::discard).that(WHILE_BUSY | NEVER_QUEUED),
    reads("echo", 2, connection::echo),
    whole("eval", -3, scripting::eval).that(MAY_REPLICATE),
    whole("eval_ro", -3, scripting::eval_ro),
    whole("evalsha", -3, scripting::evalsha).that(MAY_REPLICATE),
    whole("evalsha_ro", -3, scripting::evalsha_ro),
    whole("exec", 1, transactions::exec).that(NEVER_QUEUED),
    reads("exists", -2, keys::exists),
    writes("expire", -3, keys::expire),
    writes("expireat", -3, keys::expireat),
    reads("expiretime", 2, keys::expiretime),
    writes("flushall", -1, server::flushall),
    writes("flushdb", -1, server::flushdb),
    reads("get", 2, strings::get),
    reads("getbit", 3, strings::getbit),
    writes("getdel", 2, strings::getdel),
    writes("getex", -2, strings::getex),
    reads("getrange", 4, strings::getrange),
    writes("getset", 3, strings::getset),
    writes("hdel", -3, hashes::hdel),
    session("hello", -1, handshake::hello).that(WITHOUT_PASSWORD | WHILE_BUSY),
    reads("hexists", 3, hashes::hexists),
    reads("hget", 3, hashes::hget),
    reads("hgetall", 2, hashes::hgetall),
    writes("hincrby", 4, hashes::hincrby),
    writes("hincrbyfloat", 4, hashes::hincrbyfloat),
    reads("hkeys", 2, hashes::hkeys),
    reads("hlen", 2, hashes::hlen),
    reads("hmget", -3, hashes::hmget),
    writes("hmset", -4, hashes::hmset),
    reads("hrandfield", -2, hashes::hrandfield),
    reads("hscan", -3, hashes::hscan),
    writes("hset", -4, hashes::hset),
    writes("hsetnx", 4, hashes::hsetnx),
    reads("hstrlen", 3, hashes::hstrlen),
    reads("hvals", 2, hashes::hvals),
    writes("incr", 2, strings::incr),
    writes("incrby", 3, strings::incrby),
    writes("incrbyfloat", 3, strings::incrbyfloat),
    reads("info", -1, info::info),
    reads("keys", 2, databases::keys),
    reads("lastsave", 1, server::lastsave),
    reads("lindex", 3, lists::lindex),
    writes("linsert", 5, lists::linsert),
    reads("llen", 2, lists::llen),
    writes("lmove", 5, lists::lmove),
    writes("lmpop", -4, lists::lmpop),
    reads("lolwut", -1, server::lolwut),
    writes("lpop", -2, lists::lpop),
    reads("lpos", -3, lists::lpos),
    writes("lpush", -3, lists::lpush),
    writes("lpushx", -3, lists::lpushx),
    reads("lrange", 4, lists::lrange),
    writes("lrem", 4, lists::lrem),
    writes("lset", 4, lists::lset),
    writes("ltrim", 4, lists::ltrim),
    reads("mget", -2, strings::mget),
    writes("move", 3, databases::move_key),
    writes("mset", -3, strings::mset),
    writes("msetnx", -3, strings::msetnx),
    session("multi", 1, transactions::multi).that(WHILE_BUSY | NEVER_QUEUED),
    container("object", objects::OBJECT),
    writes("persist", 2, keys::persist),
    writes("pexpire", -3, keys::pexpire),
    writes("pexpireat", -3, keys::pexpireat),
    reads("pexpiretime", 2, keys::pexpiretime),
    reads("ping", -1, connection::ping).that(WHILE_SUBSCRIBED),
    writes("psetex", 4, strings::psetex),
    session("psubscribe", -2, pubsub::psubscribe).that(WHILE_SUBSCRIBED),
    reads("pttl", 2, keys::pttl),
    reads("publish", 3, pubsub::publish).that(MAY_REPLICATE),
    container("pubsub", pubsub::PUBSUB),
    session("punsubscribe", -1, pubsub::punsubscribe).that(WHILE_SUBSCRIBED),
    session("quit", -1, connection::quit).that(ALWAYS | NEVER_QUEUED),
    reads("randomkey", 1, databases::randomkey),
    writes("rename", 3, databases::rename),
    writes("renamenx", 3, databases::renamenx),
    session("replicaof", 3, server::replicaof),
    session("reset", 1, handshake::reset).that(ALWAYS | NEVER_QUEUED),
    session("role", 1, server::role),
    writes("rpop", -2, lists::rpop),
    writes("rpoplpush", 3, lists::rpoplpush),
    writes("rpush", -3, lists::rpush),
    writes("rpushx", -3, lists::rpushx),
    writes("sadd", -3, sets::sadd),
    session("save", 1, server::save).that(NEVER_IN_TRANSACTION),
    reads("scan", -2, databases::scan),
    reads("scard", 2, sets::scard),
    container("script", scripting::SCRIPT),
    reads("sdiff", -2, sets::sdiff),
    writes("sdiffstore", -3, sets::sdiffstore),
    reads("select", 2, connection::select),
    writes("set", -3, strings::set),
    writes("setbit", 4, strings::setbit),
    writes("setex", 4, strings::setex),
    writes("setnx", 3, strings::setnx),
    writes("setrange", 4, strings::setrange),
    reads("sinter", -2, sets::sinter),
    reads("sintercard", -3, sets::sintercard),
    writes("sinterstore", -3, sets::sinterstore),
    reads("sismember", 3, sets::sismember),
    session("slaveof", 3, server::replicaof),
    reads("smembers", 2, sets::smembers),
    reads("smismember", -3, sets::smismember),
    writes("smove", 4, sets::smove),
    writes("spop", -2, sets::spop),
    reads("spublish", 3, pubsub::spublish).that(MAY_REPLICATE),
    reads("srandmember", -2, sets::srandmember),
    writes("srem", -3, sets::srem),
    reads("sscan", -3, sets::sscan),
    session("ssubscribe", -2, pubsub::ssubscribe).that(WHILE_SUBSCRIBED),
    reads("strlen", 2, strings::strlen),
    session("subscribe", -2, pubsub::subscribe).that(WHILE_SUBSCRIBED),
    reads("substr", 4, strings::getrange),
    reads("sunion", -2, sets::sunion),
    writes("sunionstore", -3, sets::sunionstore),
    session("sunsubscribe", -1, pubsub::sunsubscribe).that(WHILE_SUBSCRIBED),
    writes("swapdb", 3, databases::swapdb),
    reads("time", 1, server::time),
    reads("touch", -2, databases::touch),
    reads("ttl", 2, keys::ttl),
    reads("type", 2, keys::type_of),
    writes("unlink", -2, keys::del),
    session("unsubscribe", -1, pubsub::unsubscribe).that(WHILE_SUBSCRIBED),
    session("unwatch", 1, transactions::unwatch).that(WHILE_BUSY),
    session("wait", 3, server::wait),
    session("watch", -2, transactions::watch).that(WHILE_BUSY | NEVER_QUEUED),
    writes("zadd", -4, sorted_sets::zadd),
    reads("zcard", 2, sorted_sets::zcard),
    reads("zcount", 4, sorted_sets::zcount),
    reads("zdiff", -3, sorted_sets::zdiff),
    writes("zdiffstore", -4, sorted_sets::zdiffstore),
    writes("zincrby", 4, sorted_sets::zincrby),
    reads("zinter", -3, sorted_sets::zinter),
    reads("zintercard", -3, sorted_sets::zintercard),
    writes("zinterstore", -4, sorted_sets::zinterstore),
    reads("zlexcount", 4, sorted_sets::zlexcount),
    writes("zmpop", -4, sorted_sets::zmpop),
    reads("zmscore", -3, sorted_sets::zmscore),
    writes("zpopmax", -2, sorted_sets::zpopmax),
    writes("zpopmin", -2, sorted_sets::zpopmin),
    reads("zrandmember", -2, sorted_sets::zrandmember),
    reads("zrange", -4, sorted_sets::zrange),
    reads("zrangebylex", -4, sorted_sets::zrangebylex),
    reads("zrangebyscore", -4, sorted_sets::zrangebyscore),
    writes("zrangestore", -5, sorted_sets::zrangestore),
    reads("zrank", 3, sorted_sets::zrank),
    writes("zrem", -3, sorted_sets::zrem),
    writes("zremrangebylex", 4, sorted_sets::zremrangebylex),
    writes("zremrangebyrank", 4, sorted_sets::zremrangebyrank),
    writes("zremrangebyscore", 4, sorted_sets::zremrangebyscore),
    reads("zrevrange", -4, sorted_sets::zrevrange),
    reads("zrevrangebylex", -4, sorted_sets::zrevrangebylex),
    reads("zrevrangebyscore", -4, sorted_sets::zrevrangebyscore),
    reads("zrevrank", 3, sorted_sets::zrevrank),
    reads("zscan", -3, sorted_sets::zscan),
    reads("zscore", 3, sorted_sets::zscore),
    reads("zunion", -3, sorted_sets::zunion),
    writes("zunionstore", -4, sorted_sets::zunionstore),
];

/// The names of all commands, sorted; those with subcommands as `client|id`.
pub(super) fn names() -> Vec<&'static str> {
    let own = |command: &'static Command| match command.run {
        Run::Container(None, _) => None,
        _ => Some(command.name),
    };
    let members = |command: &'static Command| match command.run {
        Run::Container(_, members) => members,
        _ => &[],
    };
    let rows = COMMANDS.iter().flat_map(|command| {
        own(command).into_iter().chain(members(command).iter().map(|member| member.name))
    });
    rows.collect()
}

/// The row for `name`, in whatever case it is written.
fn find(name: &[u8]) -> Option<&'static Command> {
    let packed = pack(name)?;
    let mut slot = slot_of(packed);
    while let Some(command) = COMMANDS.get(usize::from(SLOTS[slot])) {
        if command.packed == packed {
            // A name that ends in zero bytes packs like the one without them.
            return Some(command).filter(|command| command.name.len() == name.len());
        }
        slot = (slot + 1) % SLOTS.len();
    }
    None
}

/// Where each row is found: its place in the table, at the slot that its name hashes to or the next
/// free one. To search the table by halves costs more than most commands, because no branch of it
/// can be foreseen.
static SLOTS: [u16; 1024] = {
    let mut slots = [FREE; 1024];
    let mut place = 0;
    while place < COMMANDS.len() {
        let mut slot = slot_of(COMMANDS[place].packed);
        while slots[slot] != FREE {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = place as u16;
        place += 1;
    }
    slots
};

const FREE: u16 = u16::MAX;

/// The upper bits of a product depend on all bits of the name.
const fn slot_of(packed: u128) -> usize {
    let folded = (packed >> 64) as u64 ^ (packed as u64).rotate_left(32);
    (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize
}

/// The command that `args` name, subcommand included, if they are as many as it takes.
///
/// An unknown one is reported before a wrong number of arguments (`src/server.c`
/// `commandCheckExistence`, `commandCheckArity`).
pub(super) fn look_up(args: &Request) -> Result<&'static Command, Reply> {
    let command = named(args)?;
    if !arity_fits(command.arity, args.len()) {
        return Err(wrong_arity(command.name));
    }
    Ok(command)
}

/// The command that `args` name, however many they are.
pub(super) fn named(args: &Request) -> Result<&'static Command, Reply> {
    let Some(mut command) = find(&args[0]) else { return Err(unknown(args)) };
    if let (Run::Container(_, members), Some(name)) = (&command.run, args.get(1)) {
        let member = members.iter().find(|row| row.own_name().eq_ignore_ascii_case(name));
        command = member.ok_or_else(|| {
            let (name, parent) = (quotable(name, 128), command.name.to_ascii_uppercase());
            error(format!("ERR unknown subcommand '{name}'. Try {parent} HELP."))
        })?;
    }
    Ok(command)
}

/// Runs a client's command.
pub(super) fn execute(redis: &mut Redis, command: &Command, call: &Call<'_>) -> Reply {
    trace!(session = call.author.session.0, request = ?call.args, "applied");
    let outcome = match command.run {
        Run::Plain(handler) | Run::Container(Some(handler), _) => {
            let core = &mut *redis.core.borrow_mut();
            let outcome = handler(core, call);
            core.settle();
            outcome
        }
        Run::Whole(handler) => handler(redis, call),
        Run::Container(None, _) => Err(wrong_arity(command.name)),
    };
    outcome.unwrap_or_else(|error| error)
}

/// Runs a command that a script calls, with the texts that `src/script.c` `scriptCall` has for what
/// a script may not do.
pub(super) fn run_in_script(core: &mut Core, call: &Call<'_>, read_only: bool) -> Reply {
    let command = match find_for_script(call.args) {
        Ok(command) => command,
        Err(error) => return error,
    };
    let (Run::Plain(handler) | Run::Container(Some(handler), _), true) =
        (&command.run, command.in_scripts)
    else {
        return Reply::error("ERR This Redis command is not allowed from script");
    };
    if read_only && command.writes {
        return Reply::error("ERR Write commands are not allowed from read-only scripts.");
    }
    core.script_wrote |= command.writes;
    trace!(session = call.author.session.0, request = ?call.args, "applied by a script");
    let outcome = handler(core, call);
    core.settle();
    outcome.unwrap_or_else(|error| error)
}

fn find_for_script(args: &Request) -> Result<&'static Command, Reply> {
    let command = match (find(&args[0]), args.get(1)) {
        (Some(Command { run: Run::Container(_, members), .. }), Some(name)) => {
            members.iter().find(|row| row.own_name().eq_ignore_ascii_case(name))
        }
        (found, _) => found,
    };
    let unknown = Reply::error("ERR Unknown Redis command called from script");
    let command = command.ok_or(unknown)?;
    if !arity_fits(command.arity, args.len()) {
        return Err(Reply::error("ERR Wrong number of args calling Redis command from script"));
    }
    Ok(command)
}

fn arity_fits(arity: i32, count: usize) -> bool {
    let wanted = arity.unsigned_abs() as usize;
    if arity < 0 { count >= wanted } else { count == wanted }
}

fn wrong_arity(name: &str) -> Reply {
    error(format!("ERR wrong number of arguments for '{name}' command"))
}

/// `src/server.c` `commandCheckExistence`: at most 128 bytes of the arguments are quoted back.
fn unknown(args: &Request) -> Reply {
    let name = quotable(&args[0], 128);
    let mut quoted = String::new();
    for arg in args.iter().skip(1) {
        if quoted.len() >= 128 {
            break;
        }
        let arg = quotable(arg, 128 - quoted.len());
        quoted.push_str(&format!("'{arg}' "));
    }
    error(format!("ERR unknown command '{name}', with args beginning with: {quoted}"))
}

/// An argument as C's `%.*s` prints it into an error: up to the first zero byte, with the line ends
/// that would break the reply replaced by spaces.
fn quotable(arg: &[u8], limit: usize) -> String {
    let end = arg.iter().take(limit).position(|byte| *byte == 0);
    let text = &arg[..end.unwrap_or(limit.min(arg.len()))];
    String::from_utf8_lossy(text).replace(['\r', '\n'], " ")
}

pub(super) fn error(text: String) -> Reply {
    Reply::Error(Cow::Owned(text))
}

const NOT_AN_INTEGER: Reply = Reply::error("ERR value is not an integer or out of range");
const SYNTAX_ERROR: Reply = Reply::error("ERR syntax error");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_row_is_found() {
        assert!(COMMANDS.is_sorted_by(|one, other| one.name < other.name));
        assert!(COMMANDS.iter().all(|command| find(command.name.as_bytes()).is_some()));
        assert!(find(b"GeT").is_some());
        assert!(find(b"nosuchcommandanywhere").is_none());
        assert!(find(b"get\0").is_none());
    }
}
