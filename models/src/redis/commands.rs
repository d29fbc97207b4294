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
mod keys;
mod lists;
mod scripting;
mod server;
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
    session("client", -2, connection::client),
    reads("command", -1, server::command),
    session("config", -2, server::config),
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
    writes("getdel", 2, strings::getdel),
    writes("getex", -2, strings::getex),
    writes("getset", 3, strings::getset),
    writes("incr", 2, strings::incr),
    writes("incrby", 3, strings::incrby),
    reads("info", -1, server::info),
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
    writes("mset", -3, strings::mset),
    writes("msetnx", -3, strings::msetnx),
    writes("persist", 2, keys::persist),
    writes("pexpire", -3, keys::pexpire),
    writes("pexpireat", -3, keys::pexpireat),
    reads("pexpiretime", 2, keys::pexpiretime),
    reads("ping", -1, connection::ping),
    writes("psetex", 4, strings::psetex),
    reads("pttl", 2, keys::pttl),
    session("quit", -1, connection::quit),
    writes("rpop", -2, lists::rpop),
    writes("rpoplpush", 3, lists::rpoplpush),
    writes("rpush", -3, lists::rpush),
    writes("rpushx", -3, lists::rpushx),
    script("script", -2, scripting::script),
    reads("select", 2, connection::select),
    writes("set", -3, strings::set),
    writes("setex", 4, strings::setex),
    writes("setnx", 3, strings::setnx),
    reads("strlen", 2, strings::strlen),
    reads("time", 1, server::time),
    reads("ttl", 2, keys::ttl),
    reads("type", 2, keys::type_of),
    writes("unlink", -2, keys::del),
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
