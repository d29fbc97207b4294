//! Errors of scripts, in Redis' words (`src/script_lua.c` `luaCallFunction`,
//! `luaExtractErrorInformation`, and the handler `__redis__err__handler`).
//!
//! An error that a command raises inside a script is, in Redis, a Lua table with the field `err`.
//! Rust can only raise its own kind of value, so here it travels as that, and becomes the table or
//! the text where a script or the caller gets to see it.

use mlua::{Lua, Table, Value};

use super::Host;
use super::libraries::Raised;
use crate::redis::reply::Reply;

/// A script that does not compile.
pub(super) fn compile_error(error: &mlua::Error) -> Reply {
    let text = match error {
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    };
    reply(&format!("ERR Error compiling script (new function): {text}"))
}

/// A failure of the interpreter outside of the script, such as no memory for its arguments.
pub(super) fn engine_error(error: &mlua::Error) -> Reply {
    reply(&format!("ERR {}", raised(error)))
}

/// What [`handle`] made of an error; or, without it, what Lua says when the handler itself failed.
pub(super) fn script_error(error: &Value) -> Reply {
    match error {
        Value::String(text) => reply(&text.to_string_lossy()),
        _ => reply("ERR error in error handling"),
    }
}

/// The text that Rust raised, without what was wrapped around it on its way through Lua.
pub(super) fn raised(error: &mlua::Error) -> String {
    match error {
        mlua::Error::CallbackError { cause, .. } => raised(cause),
        mlua::Error::RuntimeError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The message handler of a script: the error's text, and where in the script it happened.
pub(super) fn handle(lua: &Lua, host: &Host, error: &Value) -> String {
    let text = match error {
        Value::Error(error) if error.downcast_ref::<Raised>().is_some() => {
            format!("ERR {}", raised(error))
        }
        Value::Error(error) => raised(error),
        Value::Table(table) => field_err(table),
        Value::String(text) => format!("ERR {}", text.to_string_lossy()),
        Value::Integer(number) => format!("ERR {number}"),
        Value::Number(number) => format!("ERR {number}"),
        Value::Boolean(flag) => format!("ERR {flag}"),
        Value::Nil => "ERR nil".to_owned(),
        other => format!("ERR {}", other.type_name()),
    };
    match (position(lua), host.frame.get()) {
        (Some((source, line)), Some(frame)) => {
            let sha = frame.sha.map(char::from);
            let sha: String = sha.iter().collect();
            format!("{text} script: {sha}, on {source}:{line}.")
        }
        _ => text,
    }
}

/// The text of an error table. The real 7.0.15 dies of a table without `err`.
fn field_err(table: &Table) -> String {
    match table.raw_get("err") {
        Ok(Value::String(text)) => text.to_string_lossy(),
        _ => "ERR unknown error".to_owned(),
    }
}

/// The innermost place that is not C, Rust or the sandbox's own Lua.
fn position(lua: &Lua) -> Option<(String, i64)> {
    for level in 1.. {
        let place = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let ours = source.source.as_deref() == Some(super::sandbox::SOURCE);
            let name = source.source.as_deref().unwrap_or("?");
            let line = debug.current_line().map_or(-1, |line| line as i64);
            (source.what != "C" && !ours).then(|| (name.to_owned(), line))
        })?;
        if let Some((source, line)) = place {
            return Some((source, line));
        }
    }
    None
}

/// An error reply, with the line ends that would break it replaced by spaces
/// (`src/networking.c` `afterErrorReply`).
pub(super) fn reply(text: &str) -> Reply {
    Reply::Error(text.trim_end_matches(['\r', '\n']).replace(['\r', '\n'], " ").into())
}
