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
mod debug;
mod handshake;
mod help;
mod info;
mod introspection;
mod keys;
mod lists;
mod pubsub;
mod scripting;
mod server;
mod strings;
mod transactions;

pub(super) use blocking::Attempt;
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

enum Run {
    /// Needs the data alone; may be called from a script.
    Plain(Handler),
    /// Needs the whole server: the Lua interpreter, which itself calls back into the data, or other
    /// commands. Never from a script.
    Whole(fn(&mut Redis, &Call<'_>) -> Outcome),
    /// A name that stands for its subcommands, and what it does alone.
    Container(Option<Handler>, &'static [Command]),
}

/// One row of the table.
pub(super) struct Command {
    /// With its container's name: `client|id`.
    pub(super) name: &'static str,
    packed: u128,
    arity: i32,
    run: Run,
    pub(super) writes: bool,
    /// Whether scripts may call it (`CMD_NOSCRIPT`).
    in_scripts: bool,
    traits: u8,
}

/// Allowed before AUTH (`CMD_NO_AUTH`).
const WITHOUT_PASSWORD: u8 = 1;
/// Allowed while a script runs for too long (`CMD_ALLOW_BUSY`).
const WHILE_BUSY: u8 = 1 << 1;
/// Allowed to a RESP2 client that is subscribed.
const WHILE_SUBSCRIBED: u8 = 1 << 2;
/// Runs at once between MULTI and EXEC.
const NEVER_QUEUED: u8 = 1 << 3;
/// Not allowed between MULTI and EXEC (`CMD_NO_MULTI`).
const NEVER_IN_TRANSACTION: u8 = 1 << 4;
/// Whatever the state of the connection and the server.
const ALWAYS: u8 = WITHOUT_PASSWORD | WHILE_BUSY | WHILE_SUBSCRIBED;
/// Counts as writing for CLIENT PAUSE (`CMD_MAY_REPLICATE`).
const MAY_REPLICATE: u8 = 1 << 5;
/// Refused unless the configuration allows it (`CMD_PROTECTED`).
const GUARDED: u8 = 1 << 6;

impl Command {
    const fn that(self, traits: u8) -> Self {
        Self { traits: self.traits | traits, ..self }
    }

    /// The name without its container's.
    fn own_name(&self) -> &'static [u8] {
        match self.name.split_once('|') {
            Some((_, name)) => name.as_bytes(),
            None => self.name.as_bytes(),
        }
    }

    pub(super) fn without_password(&self) -> bool {
        self.traits & WITHOUT_PASSWORD != 0
    }

    pub(super) fn while_busy(&self) -> bool {
        self.traits & WHILE_BUSY != 0
    }

    pub(super) fn while_subscribed(&self) -> bool {
        self.traits & WHILE_SUBSCRIBED != 0
    }

    pub(super) fn is_queued(&self) -> bool {
        self.traits & NEVER_QUEUED == 0
    }

    pub(super) fn never_in_transaction(&self) -> bool {
        self.traits & NEVER_IN_TRANSACTION != 0
    }

    pub(super) fn may_replicate(&self) -> bool {
        self.traits & MAY_REPLICATE != 0
    }

    pub(super) fn is_guarded(&self) -> bool {
        self.traits & GUARDED != 0
    }
}

const fn row(name: &'static str, arity: i32, run: Run) -> Command {
    let packed = match pack(name.as_bytes()) {
        Some(packed) => packed,
        // Subcommands are not searched for by that number.
        None => u128::MAX,
    };
    Command { name, packed, arity, run, writes: false, in_scripts: true, traits: 0 }
}

/// A row for a name that stands for its subcommands.
const fn container(name: &'static str, members: &'static [Command]) -> Command {
    row(name, -2, Run::Container(None, members))
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

/// A row for a command about scripts or transactions.
const fn whole(
    name: &'static str,
    arity: i32,
    handler: fn(&mut Redis, &Call<'_>) -> Outcome,
) -> Command {
    Command { in_scripts: false, ..row(name, arity, Run::Whole(handler)) }
}

/// A row for a command that changes keys and may wait, so that a script may not call it.
const fn waits(name: &'static str, arity: i32, handler: Handler) -> Command {
    Command { in_scripts: false, ..writes(name, arity, handler) }
}

/// Sorted by name, because it is searched by halves.
static COMMANDS: &[Command] = &[
    writes("append", 3, strings::append),
    session("auth", -2, handshake::auth).that(WITHOUT_PASSWORD | WHILE_BUSY),
    session("bgrewriteaof", 1, server::bgrewriteaof),
    session("bgsave", -1, server::bgsave),
    waits("blmove", 6, blocking::blmove),
    writes("blmpop", -5, blocking::blmpop),
    waits("blpop", -3, blocking::blpop),
    waits("brpop", -3, blocking::brpop),
    waits("brpoplpush", 4, blocking::brpoplpush),
    container("client", client::CLIENT),
    introspection::COMMAND,
    container("config", config::CONFIG),
    reads("dbsize", 1, server::dbsize),
    session("debug", -2, debug::debug).that(GUARDED),
    writes("decr", 2, strings::decr),
    writes("decrby", 3, strings::decrby),
    writes("del", -2, keys::del),
    session("discard", 1, transactions::discard).that(WHILE_BUSY | NEVER_QUEUED),
    reads("echo", 2, connection::echo),
    whole("eval", -3, scripting::eval).that(MAY_REPLICATE),
    whole("eval_ro", -3, scripting::eval_ro).that(MAY_REPLICATE),
    whole("evalsha", -3, scripting::evalsha).that(MAY_REPLICATE),
    whole("evalsha_ro", -3, scripting::evalsha_ro).that(MAY_REPLICATE),
    whole("exec", 1, transactions::exec).that(NEVER_QUEUED),
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
    session("hello", -1, handshake::hello).that(WITHOUT_PASSWORD | WHILE_BUSY),
    writes("incr", 2, strings::incr),
    writes("incrby", 3, strings::incrby),
    reads("info", -1, info::info),
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
    writes("mset", -3, strings::mset),
    writes("msetnx", -3, strings::msetnx),
    session("multi", 1, transactions::multi).that(WHILE_BUSY | NEVER_QUEUED),
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
    session("replicaof", 3, server::replicaof),
    session("reset", 1, handshake::reset).that(ALWAYS | NEVER_QUEUED),
    session("role", 1, server::role),
    writes("rpop", -2, lists::rpop),
    writes("rpoplpush", 3, lists::rpoplpush),
    writes("rpush", -3, lists::rpush),
    writes("rpushx", -3, lists::rpushx),
    session("save", 1, server::save).that(NEVER_IN_TRANSACTION),
    container("script", scripting::SCRIPT),
    reads("select", 2, connection::select),
    writes("set", -3, strings::set),
    writes("setex", 4, strings::setex),
    writes("setnx", 3, strings::setnx),
    session("slaveof", 3, server::replicaof),
    reads("spublish", 3, pubsub::spublish).that(MAY_REPLICATE),
    session("ssubscribe", -2, pubsub::ssubscribe).that(WHILE_SUBSCRIBED),
    reads("strlen", 2, strings::strlen),
    session("subscribe", -2, pubsub::subscribe).that(WHILE_SUBSCRIBED),
    session("sunsubscribe", -1, pubsub::sunsubscribe).that(WHILE_SUBSCRIBED),
    reads("time", 1, server::time),
    reads("ttl", 2, keys::ttl),
    reads("type", 2, keys::type_of),
    writes("unlink", -2, keys::del),
    session("unsubscribe", -1, pubsub::unsubscribe).that(WHILE_SUBSCRIBED),
    session("unwatch", 1, transactions::unwatch).that(WHILE_BUSY),
    session("wait", 3, server::wait),
    session("watch", -2, transactions::watch).that(WHILE_BUSY | NEVER_QUEUED),
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

/// The command that `args` name, subcommand included, if they are as many as it takes.
///
/// An unknown one is reported before a wrong number of arguments (`src/server.c`
/// `commandCheckExistence`, `commandCheckArity`).
pub(super) fn look_up(args: &Request) -> Result<&'static Command, Reply> {
    let Some(mut command) = find(&args[0]) else { return Err(unknown(args)) };
    if let (Run::Container(_, members), Some(name)) = (&command.run, args.get(1)) {
        let member = members.iter().find(|row| row.own_name().eq_ignore_ascii_case(name));
        command = member.ok_or_else(|| {
            let (name, parent) = (quotable(name, 128), command.name.to_ascii_uppercase());
            error(format!("ERR unknown subcommand '{name}'. Try {parent} HELP."))
        })?;
    }
    if !arity_fits(command.arity, args.len()) {
        return Err(wrong_arity(command.name));
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
