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
mod connection;
mod databases;
mod hashes;
mod keys;
mod lists;
mod objects;
mod scan;
mod scripting;
mod server;
mod sets;
mod sorted_sets;
mod strings;

/// One command as its handler sees it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) args: &'a Request,
    pub(super) now: HostTime,
    pub(super) author: Author,
}

/// A reply, or the error reply that ends a command early.
pub(super) type Outcome = Result<Reply, Reply>;

type Handler = fn(&mut Core, &Call<'_>) -> Outcome;

enum Run {
    /// Needs the data alone; may be called from a script.
    Plain(Handler),
    /// Needs the Lua interpreter, which itself calls back into the data; never from a script.
    Script(fn(&mut Redis, &Call<'_>) -> Outcome),
}

/// One row of the table.
pub(super) struct Command {
    name: &'static str,
    packed: u128,
    arity: i32,
    run: Run,
    writes: bool,
    /// Whether scripts may call it (`CMD_NOSCRIPT`).
    in_scripts: bool,
}

const fn row(name: &'static str, arity: i32, run: Run) -> Command {
    let packed = pack(name.as_bytes()).expect("a name of at most 16 characters");
    Command { name, packed, arity, run, writes: false, in_scripts: true }
}

/// A row for a command that only reads.
const fn reads(name: &'static str, arity: i32, handler: Handler) -> Command {
    row(name, arity, Run::Plain(handler))
}

/// A row for a command that changes keys, so that a read-only script may not call it.
const fn writes(name: &'static str, arity: i32, handler: Handler) -> Command {
    Command { writes: true, ..reads(name, arity, handler) }
}

/// A row for a command about the connection, which has no meaning in a script.
const fn session(name: &'static str, arity: i32, handler: Handler) -> Command {
    Command { in_scripts: false, ..reads(name, arity, handler) }
}

/// A row for a command about scripts.
const fn script(
    name: &'static str,
    arity: i32,
    handler: fn(&mut Redis, &Call<'_>) -> Outcome,
) -> Command {
    Command { in_scripts: false, ..row(name, arity, Run::Script(handler)) }
}

/// Sorted by name, because it is searched by halves.
static COMMANDS: &[Command] = &[
    writes("append", 3, strings::append),
    reads("bitcount", -2, strings::bitcount),
    session("client", -2, connection::client),
    reads("command", -1, server::command),
    session("config", -2, server::config),
    writes("copy", -3, databases::copy),
    reads("dbsize", 1, server::dbsize),
    writes("decr", 2, strings::decr),
    writes("decrby", 3, strings::decrby),
    writes("del", -2, keys::del),
    reads("echo", 2, connection::echo),
    script("eval", -3, scripting::eval),
    script("eval_ro", -3, scripting::eval_ro),
    script("evalsha", -3, scripting::evalsha),
    script("evalsha_ro", -3, scripting::evalsha_ro),
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
    reads("info", -1, server::info),
    reads("keys", 2, databases::keys),
    reads("lindex", 3, lists::lindex),
    writes("linsert", 5, lists::linsert),
    reads("llen", 2, lists::llen),
    writes("lmove", 5, lists::lmove),
    writes("lmpop", -4, lists::lmpop),
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
    reads("object", -2, objects::object),
    writes("persist", 2, keys::persist),
    writes("pexpire", -3, keys::pexpire),
    writes("pexpireat", -3, keys::pexpireat),
    reads("pexpiretime", 2, keys::pexpiretime),
    reads("ping", -1, connection::ping),
    writes("psetex", 4, strings::psetex),
    reads("pttl", 2, keys::pttl),
    session("quit", -1, connection::quit),
    reads("randomkey", 1, databases::randomkey),
    writes("rename", 3, databases::rename),
    writes("renamenx", 3, databases::renamenx),
    writes("rpop", -2, lists::rpop),
    writes("rpoplpush", 3, lists::rpoplpush),
    writes("rpush", -3, lists::rpush),
    writes("rpushx", -3, lists::rpushx),
    writes("sadd", -3, sets::sadd),
    reads("scan", -2, databases::scan),
    reads("scard", 2, sets::scard),
    script("script", -2, scripting::script),
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
    reads("smembers", 2, sets::smembers),
    reads("smismember", -3, sets::smismember),
    writes("smove", 4, sets::smove),
    writes("spop", -2, sets::spop),
    reads("srandmember", -2, sets::srandmember),
    writes("srem", -3, sets::srem),
    reads("sscan", -3, sets::sscan),
    reads("strlen", 2, strings::strlen),
    reads("substr", 4, strings::getrange),
    reads("sunion", -2, sets::sunion),
    writes("sunionstore", -3, sets::sunionstore),
    writes("swapdb", 3, databases::swapdb),
    reads("time", 1, server::time),
    reads("touch", -2, databases::touch),
    reads("ttl", 2, keys::ttl),
    reads("type", 2, keys::type_of),
    writes("unlink", -2, keys::del),
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

/// The row for `name`, in whatever case it is written.
fn find(name: &[u8]) -> Option<&'static Command> {
    let packed = pack(name)?;
    let found = COMMANDS.binary_search_by_key(&packed, |command| command.packed).ok()?;
    // A name that ends in zero bytes packs like the one without them.
    Some(&COMMANDS[found]).filter(|command| command.name.len() == name.len())
}

/// A name of at most 16 characters as one number that sorts as the name does: the table is searched
/// for every command, and numbers compare much faster than texts.
const fn pack(name: &[u8]) -> Option<u128> {
    if name.len() > 16 {
        return None;
    }
    let mut bytes = [0; 16];
    let mut index = 0;
    while index < name.len() {
        bytes[index] = name[index].to_ascii_lowercase();
        index += 1;
    }
    Some(u128::from_be_bytes(bytes))
}

/// Runs a client's command.
pub(super) fn run(redis: &mut Redis, call: &Call<'_>) -> Reply {
    let Some(command) = find(&call.args[0]) else { return unknown(call.args) };
    if !arity_fits(command.arity, call.args.len()) {
        return wrong_arity(command.name);
    }
    trace!(session = call.author.session.0, request = ?call.args, "applied");
    let outcome = match command.run {
        Run::Plain(handler) => handler(&mut redis.core.borrow_mut(), call),
        Run::Script(handler) => handler(redis, call),
    };
    outcome.unwrap_or_else(|error| error)
}

/// Runs a command that a script calls, with the texts that `src/script.c` `scriptCall` has for what
/// a script may not do.
pub(super) fn run_in_script(core: &mut Core, call: &Call<'_>, read_only: bool) -> Reply {
    let Some(command) = find(&call.args[0]) else {
        return Reply::error("ERR Unknown Redis command called from script");
    };
    if !arity_fits(command.arity, call.args.len()) {
        return Reply::error("ERR Wrong number of args calling Redis command from script");
    }
    let (Run::Plain(handler), true) = (&command.run, command.in_scripts) else {
        return Reply::error("ERR This Redis command is not allowed from script");
    };
    if read_only && command.writes {
        return Reply::error("ERR Write commands are not allowed from read-only scripts.");
    }
    trace!(session = call.author.session.0, request = ?call.args, "applied by a script");
    handler(core, call).unwrap_or_else(|error| error)
}

/// One subcommand of a container command such as CLIENT.
struct Subcommand<Target> {
    name: &'static str,
    arity: i32,
    handler: fn(&mut Target, &Call<'_>) -> Outcome,
}

/// Runs the subcommand that the second argument names. An unknown one is reported before a wrong
/// number of arguments (`src/server.c` `commandCheckExistence`, `commandCheckArity`).
fn run_subcommand<Target>(
    target: &mut Target,
    call: &Call<'_>,
    parent: &str,
    table: &[Subcommand<Target>],
) -> Outcome {
    let name = &call.args[1];
    let found = table.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name));
    let Some(row) = found else {
        let name = quotable(name, 128);
        let parent = parent.to_ascii_uppercase();
        return Err(error(format!("ERR unknown subcommand '{name}'. Try {parent} HELP.")));
    };
    if !arity_fits(row.arity, call.args.len()) {
        return Err(wrong_arity(&format!("{parent}|{}", row.name)));
    }
    (row.handler)(target, call)
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

fn error(text: String) -> Reply {
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
