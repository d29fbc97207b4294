//! What scripts find in the table `redis`, as far as it needs Rust; the rest is in `sandbox.lua`.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value};
use tracing::debug;

use super::{Host, MEMORY_LIMIT, NO_LIMIT, convert, failure, libraries, sha1};
use crate::redis::commands::{self, Call};
use crate::redis::reply::{Protocol, Reply};

/// The functions that `sandbox.lua` is given.
pub(super) fn functions(lua: &Lua, host: &Rc<Host>) -> mlua::Result<Table> {
    let api = lua.create_table()?;
    let shared = Rc::clone(host);
    api.raw_set("call", lua.create_function(move |lua, args| call(lua, &shared, &args))?)?;
    let shared = Rc::clone(host);
    api.raw_set("pcall", lua.create_function(move |lua, args| pcall(lua, &shared, &args))?)?;
    api.raw_set("sha1hex", lua.create_function(|lua, args| sha1hex(lua, &args))?)?;
    api.raw_set("log", lua.create_function(|_, args| log(&args))?)?;
    api.raw_set("describe", lua.create_function(|_, error| Ok(describe(&error)))?)?;
    let library = |lua: &Lua, name: Value| match name.as_string() {
        Some(name) => libraries::library(lua, &name.to_string_lossy()),
        None => Ok(None),
    };
    api.raw_set("library", lua.create_function(library)?)?;
    let shared = Rc::clone(host);
    api.raw_set("setresp", lua.create_function(move |_, args| setresp(&shared, &args))?)?;
    let shared = Rc::clone(host);
    let draw = move |_: &Lua, ()| Ok(shared.with_core(|core| core.random.draw()));
    api.raw_set("draw", lua.create_function(draw)?)?;
    let shared = Rc::clone(host);
    let seed = move |_: &Lua, seed: f64| {
        // As C casts: whole, and only the low 32 bits of it.
        shared.with_core(|core| core.random.seed(seed as i64 as i32));
        Ok(())
    };
    api.raw_set("seed", lua.create_function(seed)?)?;
    Ok(api)
}

/// `redis.call`: an error reply is raised.
fn call(lua: &Lua, host: &Host, args: &MultiValue) -> mlua::Result<Value> {
    match command(host, args) {
        Reply::Error(text) => Err(mlua::Error::RuntimeError(text.into_owned())),
        reply => made(lua, &reply),
    }
}

/// `redis.pcall`: an error reply is returned as a table.
fn pcall(lua: &Lua, host: &Host, args: &MultiValue) -> mlua::Result<Value> {
    made(lua, &command(host, args))
}

/// A reply as Lua sees it, made without the limit on memory. An integer takes none.
fn made(lua: &Lua, reply: &Reply) -> mlua::Result<Value> {
    if let Reply::Integer(_) = reply {
        return convert::to_lua(lua, reply);
    }
    lua.set_memory_limit(NO_LIMIT)?;
    let value = convert::to_lua(lua, reply);
    lua.set_memory_limit(MEMORY_LIMIT)?;
    value
}

fn command(host: &Host, args: &MultiValue) -> Reply {
    let Some(frame) = host.frame.get() else {
        return Reply::error("ERR redis.call/pcall can only be called inside a script invocation");
    };
    let mut request = host.request.borrow_mut();
    request.clear();
    if !args.iter().all(|arg| convert::push_argument(&mut request, arg)) {
        let text = "ERR Lua redis lib command arguments must be strings or integers";
        return Reply::error(text);
    }
    if request.is_empty() {
        return Reply::error("ERR Please specify at least one argument for this redis lib call");
    }
    let call = Call { args: &request, now: frame.now, author: frame.author, may_block: false };
    let mut reply = host.with_core(|core| commands::run_in_script(core, &call, frame.read_only));
    reply.lower(host.protocol.get());
    reply
}

/// `redis.setresp(version)`: what the replies of this script's further calls look like.
fn setresp(host: &Host, args: &MultiValue) -> mlua::Result<()> {
    if args.len() != 1 {
        return Err(raise("ERR redis.setresp() requires one argument."));
    }
    let version = match args.front() {
        Some(Value::Integer(version)) => *version as f64,
        Some(Value::Number(version)) => *version,
        Some(Value::String(text)) => text.to_string_lossy().parse().unwrap_or(0.0),
        _ => 0.0,
    };
    host.protocol.set(match version as i64 {
        2 => Protocol::Resp2,
        3 => Protocol::Resp3,
        _ => return Err(raise("ERR RESP version must be 2 or 3.")),
    });
    Ok(())
}

/// `redis.sha1hex(text)`.
fn sha1hex(lua: &Lua, args: &MultiValue) -> mlua::Result<Value> {
    let [value] = args.iter().collect::<Vec<_>>()[..] else {
        return Err(raise("ERR wrong number of arguments"));
    };
    let text = lua.coerce_string(value.clone())?;
    let hash = match text {
        Some(text) => sha1(&text.as_bytes()),
        None => sha1(b""),
    };
    Ok(Value::String(lua.create_string(hash)?))
}

/// `redis.log(level, text...)`: checked, and said at debug level.
fn log(args: &MultiValue) -> mlua::Result<()> {
    if args.len() < 2 {
        return Err(raise("ERR redis.log() requires two arguments or more."));
    }
    let level = match args.front() {
        Some(Value::Integer(level)) => *level as f64,
        Some(Value::Number(level)) => *level,
        _ => return Err(raise("ERR First argument must be a number (log level).")),
    };
    if !(0.0..4.0).contains(&level) {
        return Err(raise("ERR Invalid debug level."));
    }
    let words: Vec<String> =
        args.iter().skip(1).filter_map(|word| Some(word.as_string()?.to_string_lossy())).collect();
    debug!(level, "script: {}", words.join(" "));
    Ok(())
}

/// The text of an error that Rust raised; nil for any other value.
fn describe(error: &Value) -> Option<String> {
    match error {
        Value::Error(error) => Some(failure::raised(error)),
        _ => None,
    }
}

fn raise(text: &str) -> mlua::Error {
    mlua::Error::RuntimeError(text.to_owned())
}
