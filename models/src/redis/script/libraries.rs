//! The libraries that Redis links into its Lua: `cjson`, `cmsgpack`, `struct` and `bit`
//! (`deps/lua/src/lua_cjson.c`, `lua_cmsgpack.c`, `lua_struct.c`, `lua_bit.c`).
//!
//! A library is made when a script first names it, because most scripts never do.

use std::fmt;

use mlua::{IntoLuaMulti, Lua, MultiValue, Table, Value};

mod bit;
mod cjson;
mod cmsgpack;
mod layout;

/// What a library function has to say: a value, or the text of an error.
type Answer<T> = Result<T, String>;

/// The library of that name, if there is one.
pub(super) fn library(lua: &Lua, name: &str) -> mlua::Result<Option<Table>> {
    Ok(Some(match name {
        "bit" => bit::library(lua)?,
        "cjson" => cjson::library(lua)?,
        "cmsgpack" => cmsgpack::library(lua)?,
        "struct" => layout::library(lua)?,
        _ => return Ok(None),
    }))
}

/// An error that a library raised, told apart from those of commands, which have a code.
#[derive(Debug)]
pub(super) struct Raised(String);

impl fmt::Display for Raised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

/// `luaL_error`: the text with the place of whoever called, if that is no C function.
fn raise(lua: &Lua, text: &str) -> mlua::Error {
    let place = lua.inspect_stack(1, |caller| {
        let (source, line) = (caller.source().short_src?.into_owned(), caller.current_line()?);
        Some(format!("{source}:{line}: "))
    });
    let place = place.flatten().unwrap_or_default();
    mlua::Error::external(Raised(format!("{place}{text}")))
}

/// Puts `function` into `table`.
fn add<R: IntoLuaMulti>(
    lua: &Lua,
    table: &Table,
    name: &'static str,
    function: impl Fn(&Lua, &Arguments<'_>) -> mlua::Result<Answer<R>> + 'static,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, values: MultiValue| {
        let answer = function(lua, &Arguments { name, values: &values })?;
        answer.map_err(|text| raise(lua, &text))
    })?;
    table.raw_set(name, function)
}

/// What a function was called with, and the errors that Lua has for wrong ones
/// (`deps/lua/src/lauxlib.c`).
struct Arguments<'a> {
    name: &'static str,
    values: &'a MultiValue,
}

impl Arguments<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn get(&self, index: usize) -> Option<&Value> {
        self.values.get(index)
    }

    /// `luaL_argerror`; arguments are counted from 1 there.
    fn wrong(&self, index: usize, reason: &str) -> String {
        format!("bad argument #{} to '{}' ({reason})", index + 1, self.name)
    }

    fn type_error(&self, index: usize, expected: &str) -> String {
        let got = self.get(index).map_or("no value", type_name);
        self.wrong(index, &format!("{expected} expected, got {got}"))
    }

    /// `luaL_checknumber`: text that is a number counts as one.
    fn number(&self, lua: &Lua, index: usize) -> mlua::Result<Answer<f64>> {
        let value = self.get(index).cloned().unwrap_or(Value::Nil);
        let number = lua.coerce_number(value)?;
        Ok(number.ok_or_else(|| self.type_error(index, "number")))
    }

    /// `luaL_checklstring`: numbers count as text.
    fn text(&self, lua: &Lua, index: usize) -> mlua::Result<Answer<Vec<u8>>> {
        let value = self.get(index).cloned().unwrap_or(Value::Nil);
        if matches!(value, Value::Nil) {
            return Ok(Err(self.type_error(index, "string")));
        }
        let text = lua.coerce_string(value)?;
        Ok(text
            .map(|text| text.as_bytes().to_vec())
            .ok_or_else(|| self.type_error(index, "string")))
    }
}

/// `lua_typename`.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Table(_) => "table",
        Value::Function(_) => "function",
        Value::Thread(_) => "thread",
        _ => "userdata",
    }
}

/// A number, whichever way it is kept.
fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}
