//! `cjson`: JSON (lua-cjson 2.1.0, `deps/lua/src/lua_cjson.c`), with its default settings. The
//! functions that change these are not here.

use mlua::{Lua, Table, Value};

use super::{Answer, Arguments, add};

mod decode;
mod encode;

/// `DEFAULT_ENCODE_MAX_DEPTH`, `DEFAULT_DECODE_MAX_DEPTH`.
const MAX_DEPTH: usize = 1000;

pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    add(lua, &table, "encode", encode)?;
    add(lua, &table, "decode", decode)?;
    table.raw_set("null", Value::NULL)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    Ok(table)
}

fn encode(lua: &Lua, args: &Arguments<'_>) -> mlua::Result<Answer<mlua::LuaString>> {
    let ([Some(value), None], 1) = ([args.get(0), args.get(1)], args.len()) else {
        return Ok(Err(args.wrong(0, "expected 1 argument")));
    };
    let mut text = Vec::new();
    let written = encode::value(value, 0, &mut text)?;
    Ok(match written {
        Ok(()) => Ok(lua.create_string(&text)?),
        Err(problem) => Err(problem),
    })
}

fn decode(lua: &Lua, args: &Arguments<'_>) -> mlua::Result<Answer<Value>> {
    if args.len() != 1 {
        return Ok(Err(args.wrong(0, "expected 1 argument")));
    }
    match args.text(lua, 0)? {
        Ok(text) => decode::document(lua, &text),
        Err(problem) => Ok(Err(problem)),
    }
}
