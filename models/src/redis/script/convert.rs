//! Replies as Lua values and Lua values as replies (`src/script_lua.c` `redisProtocolToLuaType`,
//! `luaReplyToRedisReply`).

use bytes::Bytes;
use mlua::{Lua, Table, Value};

use super::failure;
use crate::redis::number;
use crate::redis::reply::{Format, Protocol, Reply};
use crate::redis::request::Request;
use crate::redis::resp::MAX_DEPTH;

/// What a script sees of a reply: an integer is a number (and so loses precision above 2^53), null
/// is `false`, a status and an error are tables. After `redis.setresp(3)` null is nil, and what
/// RESP2 does not know is a table with one field that says what it is.
pub(super) fn to_lua(lua: &Lua, reply: &Reply) -> mlua::Result<Value> {
    Ok(match reply {
        Reply::Integer(number) => Value::Number(*number as f64),
        Reply::Bulk(bytes) => Value::String(lua.create_string(bytes)?),
        // No command that a script may call answers with a header alone.
        Reply::Null | Reply::NullArray | Reply::Header(_) => Value::Boolean(false),
        Reply::Simple(text) => Value::Table(single(lua, "ok", text)?),
        Reply::Error(text) => Value::Table(single(lua, "err", text)?),
        Reply::Array(elements) | Reply::Push(elements) => {
            let list = lua.create_table_with_capacity(elements.len(), 0)?;
            for element in elements {
                list.raw_push(to_lua(lua, element)?)?;
            }
            Value::Table(list)
        }
        Reply::Nothing => Value::Nil,
        Reply::Boolean(flag) => Value::Boolean(*flag),
        Reply::Double(number) => wrapped(lua, "double", Value::Number(*number))?,
        Reply::BigNumber(digits) => {
            wrapped(lua, "big_number", Value::String(lua.create_string(digits)?))?
        }
        Reply::Verbatim(format, text) => verbatim(lua, *format, text)?,
        Reply::Map(pairs) | Reply::Pairs(pairs) => {
            let map = lua.create_table()?;
            for (key, value) in pairs {
                map.raw_set(to_lua(lua, key)?, to_lua(lua, value)?)?;
            }
            wrapped(lua, "map", Value::Table(map))?
        }
        Reply::Set(elements) => {
            let set = lua.create_table()?;
            for element in elements {
                set.raw_set(to_lua(lua, element)?, true)?;
            }
            wrapped(lua, "set", Value::Table(set))?
        }
    })
}

fn wrapped(lua: &Lua, field: &str, value: Value) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(field, value)?;
    Ok(Value::Table(table))
}

fn verbatim(lua: &Lua, format: Format, text: &[u8]) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("string", lua.create_string(text)?)?;
    let format = match format {
        Format::Text => "txt",
        Format::Markdown => "mkd",
    };
    table.raw_set("format", format)?;
    wrapped(lua, "verbatim_string", Value::Table(table))
}

fn single(lua: &Lua, field: &str, text: &str) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(field, text)?;
    Ok(table)
}

/// What a client gets of a script's result: a number is cut to an integer towards zero, `false` and
/// nil are null, a list ends at its first nil. After `redis.setresp(3)` a boolean stays one.
pub(super) fn to_reply(value: Value, protocol: Protocol, depth: usize) -> mlua::Result<Reply> {
    Ok(match value {
        Value::String(text) => Reply::copied(&text.as_bytes()),
        Value::Integer(number) => Reply::Integer(number),
        Value::Number(number) => Reply::Integer(cut(number)),
        Value::Boolean(flag) if protocol == Protocol::Resp3 => Reply::Boolean(flag),
        Value::Boolean(true) => Reply::Integer(1),
        // The real server stops where its Lua stack does, some thousand levels deep.
        Value::Table(_) if depth == MAX_DEPTH => Reply::error("ERR reached lua stack limit"),
        Value::Table(table) => table_to_reply(&table, protocol, depth)?,
        _ => Reply::Null,
    })
}

fn table_to_reply(table: &Table, protocol: Protocol, depth: usize) -> mlua::Result<Reply> {
    if let Value::String(text) = table.raw_get("err")? {
        return Ok(failure::reply(&text.to_string_lossy()));
    }
    if let Value::String(text) = table.raw_get("ok")? {
        return Ok(Reply::Simple(one_line(&text).into()));
    }
    if let Some(reply) = typed_to_reply(table, protocol, depth)? {
        return Ok(reply);
    }
    let mut elements = Vec::new();
    for index in 1.. {
        match table.raw_get(index)? {
            Value::Nil => break,
            element => elements.push(to_reply(element, protocol, depth + 1)?),
        }
    }
    Ok(Reply::Array(elements))
}

/// Tables that stand for RESP3 types; a client that speaks RESP2 gets what RESP2 has for them.
fn typed_to_reply(table: &Table, protocol: Protocol, depth: usize) -> mlua::Result<Option<Reply>> {
    match table.raw_get("double")? {
        Value::Number(number) => return Ok(Some(Reply::Double(number))),
        Value::Integer(number) => return Ok(Some(Reply::Double(number as f64))),
        _ => {}
    }
    if let Value::Table(map) = table.raw_get("map")? {
        let mut pairs = Vec::new();
        for entry in map.pairs::<Value, Value>() {
            let (key, value) = entry?;
            let key = to_reply(key, protocol, depth + 1)?;
            pairs.push((key, to_reply(value, protocol, depth + 1)?));
        }
        return Ok(Some(Reply::Map(pairs)));
    }
    if let Value::Table(set) = table.raw_get("set")? {
        let mut elements = Vec::new();
        for entry in set.pairs::<Value, Value>() {
            elements.push(to_reply(entry?.0, protocol, depth + 1)?);
        }
        return Ok(Some(Reply::Set(elements)));
    }
    if let Value::String(digits) = table.raw_get("big_number")? {
        return Ok(Some(Reply::BigNumber(one_line(&digits).into())));
    }
    if let Value::Table(verbatim) = table.raw_get("verbatim_string")? {
        return verbatim_to_reply(&verbatim);
    }
    Ok(None)
}

fn verbatim_to_reply(verbatim: &Table) -> mlua::Result<Option<Reply>> {
    let (Value::String(format), Value::String(text)) =
        (verbatim.raw_get("format")?, verbatim.raw_get("string")?)
    else {
        return Ok(None);
    };
    let format = match &*format.as_bytes() {
        b"mkd" => Format::Markdown,
        _ => Format::Text,
    };
    Ok(Some(Reply::Verbatim(format, Bytes::copy_from_slice(&text.as_bytes()))))
}

/// A status or a number goes out on one line.
fn one_line(text: &mlua::LuaString) -> String {
    text.to_string_lossy().replace(['\r', '\n'], " ")
}

/// C's conversion of a double to `long long` on x86-64: what does not fit becomes the least number.
fn cut(number: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// Adds an argument of `redis.call` to `request`; false if it is neither a string nor a number.
pub(super) fn push_argument(request: &mut Request, value: &Value) -> bool {
    match value {
        Value::String(text) => request.push(&text.as_bytes()),
        // From 10^17 on, 17 digits do not show every place any more.
        Value::Integer(whole) if whole.unsigned_abs() < 100_000_000_000_000_000 => {
            let mut digits = [0; 20];
            let length = number::write(*whole, &mut digits);
            request.push(&digits[20 - length..]);
        }
        Value::Integer(whole) => request.push(number::print(*whole as f64).as_bytes()),
        Value::Number(fraction) => request.push(number::print(*fraction).as_bytes()),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_towards_zero() {
        assert_eq!([3.99, -3.99, 0.0].map(cut), [3, -3, 0]);
        assert_eq!([1e300, -1e300, f64::NAN].map(cut), [i64::MIN; 3]);
    }
}
