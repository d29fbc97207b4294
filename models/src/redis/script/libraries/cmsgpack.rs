//! `cmsgpack`: MessagePack (lua-cmsgpack 0.4.0, `deps/lua/src/lua_cmsgpack.c`).

use mlua::{Lua, Table, Value, Variadic};

use super::{Answer, Arguments, add};

mod pack;
mod unpack;

use unpack::Reader;

pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    add(lua, &table, "pack", |lua, args| {
        if args.len() == 0 {
            // The real one counts from 1 and means the whole call.
            return Ok(Err("bad argument #0 to 'pack' (MessagePack pack needs input.)".to_owned()));
        }
        let mut bytes = Vec::new();
        for value in args.values.iter() {
            pack::value(value, 0, &mut bytes)?;
        }
        Ok(Ok(lua.create_string(&bytes)?))
    })?;
    add(lua, &table, "unpack", |lua, args| unpack(lua, args, None, None))?;
    add(lua, &table, "unpack_one", |lua, args| unpack(lua, args, Some(1), Some(1)))?;
    add(lua, &table, "unpack_limit", |lua, args| {
        let limit = match args.number(lua, 1)? {
            Ok(limit) => limit as i64,
            Err(problem) => return Ok(Err(problem)),
        };
        unpack(lua, args, Some(limit), Some(2))
    })?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    Ok(table)
}

/// `mp_unpack_full`: all values, or at most `limit` of them after where to go on, starting at what
/// the argument at `offset` says.
fn unpack(
    lua: &Lua,
    args: &Arguments<'_>,
    limit: Option<i64>,
    offset: Option<usize>,
) -> mlua::Result<Answer<Variadic<Value>>> {
    let text = match args.text(lua, 0)? {
        Ok(text) => text,
        Err(problem) => return Ok(Err(problem)),
    };
    let mut start = 0;
    if let Some(index) = offset.filter(|index| args.get(*index).is_some()) {
        start = match args.number(lua, index)? {
            Ok(start) => start as i64,
            Err(problem) => return Ok(Err(problem)),
        };
    }
    let length = text.len();
    if start < 0 || limit.is_some_and(|limit| limit < 0) {
        let text =
            format!("Invalid request to unpack with offset of {start} and limit of {length}.");
        return Ok(Err(text));
    }
    if start as usize > length {
        return Ok(Err(format!("Start offset {start} greater than input length {length}.")));
    }
    let mut reader = Reader { lua, text: &text, at: start as usize };
    // 0 is no limit.
    let most = limit.filter(|limit| *limit > 0).map_or(usize::MAX, |limit| limit as usize);
    let mut values = Vec::new();
    while reader.at < length && values.len() < most {
        match reader.value()? {
            Ok(value) => values.push(value),
            Err(problem) => return Ok(Err(problem.to_owned())),
        }
    }
    if most < usize::MAX {
        let next = if reader.at < length { reader.at as f64 } else { -1.0 };
        values.insert(0, Value::Number(next));
    }
    Ok(Ok(values.into()))
}
