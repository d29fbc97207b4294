//! Replies as Lua values and Lua values as replies (`src/script_lua.c` `redisProtocolToLuaType`,
//! `luaReplyToRedisReply`), with RESP2's rules.

use bytes::Bytes;
use mlua::{Lua, Table, Value};

use super::failure;
use crate::redis::number::{self, print};
use crate::redis::reply::Reply;
use crate::redis::request::Request;
use crate::redis::resp::MAX_DEPTH;

/// What a script sees of a reply: an integer is a number (and so loses precision above 2^53), null
/// is `false`, a status and an error are tables.
pub(super) fn to_lua(lua: &Lua, reply: &Reply) -> mlua::Result<Value> {
    Ok(match reply {
        Reply::Integer(number) => Value::Number(*number as f64),
        Reply::Bulk(bytes) => Value::String(lua.create_string(bytes)?),
        Reply::Null | Reply::NullArray => Value::Boolean(false),
        Reply::Simple(text) => Value::Table(single(lua, "ok", text)?),
        Reply::Error(text) => Value::Table(single(lua, "err", text)?),
        Reply::Array(elements) => {
            let list = lua.create_table_with_capacity(elements.len(), 0)?;
            for element in elements {
                list.raw_push(to_lua(lua, element)?)?;
            }
            Value::Table(list)
        }
    })
}

fn single(lua: &Lua, field: &str, text: &str) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(field, text)?;
    Ok(table)
}

/// What a client gets of a script's result: a number is cut to an integer towards zero, `false` and
/// nil are null, a list ends at its first nil.
pub(super) fn to_reply(value: Value, depth: usize) -> mlua::Result<Reply> {
    Ok(match value {
        Value::String(text) => Reply::Bulk(Bytes::copy_from_slice(&text.as_bytes())),
        Value::Integer(number) => Reply::Integer(number),
        Value::Number(number) => Reply::Integer(cut(number)),
        Value::Boolean(true) => Reply::Integer(1),
        // The real server stops where its Lua stack does, some thousand levels deep.
        Value::Table(_) if depth == MAX_DEPTH => Reply::error("ERR reached lua stack limit"),
        Value::Table(table) => table_to_reply(&table, depth)?,
        _ => Reply::Null,
    })
}

fn table_to_reply(table: &Table, depth: usize) -> mlua::Result<Reply> {
    if let Value::String(text) = table.raw_get("err")? {
        return Ok(failure::reply(&text.to_string_lossy()));
    }
    if let Value::String(text) = table.raw_get("ok")? {
        return Ok(Reply::Simple(text.to_string_lossy().replace(['\r', '\n'], " ").into()));
    }
    if let Some(reply) = typed_to_reply(table, depth)? {
        return Ok(reply);
    }
    let mut elements = Vec::new();
    for index in 1.. {
        match table.raw_get(index)? {
            Value::Nil => break,
            element => elements.push(to_reply(element, depth + 1)?),
        }
    }
    Ok(Reply::Array(elements))
}

/// Tables that stand for RESP3 types, as RESP2 shows them.
fn typed_to_reply(table: &Table, depth: usize) -> mlua::Result<Option<Reply>> {
    match table.raw_get("double")? {
        Value::Number(number) => return Ok(Some(Reply::Bulk(print(number).into()))),
        Value::Integer(number) => return Ok(Some(Reply::Bulk(print(number as f64).into()))),
        _ => {}
    }
    if let Value::String(text) = table.raw_get("big_number")? {
        return Ok(Some(Reply::Bulk(Bytes::copy_from_slice(&text.as_bytes()))));
    }
    if let Value::Table(verbatim) = table.raw_get("verbatim_string")? {
        return Ok(Some(to_reply(verbatim.raw_get("string")?, depth + 1)?));
    }
    for (field, with_values) in [("map", true), ("set", false)] {
        if let Value::Table(entries) = table.raw_get(field)? {
            let mut elements = Vec::new();
            for entry in entries.pairs::<Value, Value>() {
                let (key, value) = entry?;
                elements.push(to_reply(key, depth + 1)?);
                if with_values {
                    elements.push(to_reply(value, depth + 1)?);
                }
            }
            return Ok(Some(Reply::Array(elements)));
        }
    }
    Ok(None)
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
        Value::Integer(whole) => request.push(print(*whole as f64).as_bytes()),
        Value::Number(fraction) => request.push(print(*fraction).as_bytes()),
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
