//! `bit`: operations on 32 bits, as signed numbers (LuaBitOp 1.0.2, `deps/lua/src/lua_bit.c`).

use mlua::{Lua, Table};

use super::{Answer, Arguments, add};

pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    unary(lua, &table, "tobit", |bits| bits)?;
    unary(lua, &table, "bnot", |bits| !bits)?;
    unary(lua, &table, "bswap", u32::swap_bytes)?;
    folded(lua, &table, "band", |one, other| one & other)?;
    folded(lua, &table, "bor", |one, other| one | other)?;
    folded(lua, &table, "bxor", |one, other| one ^ other)?;
    shift(lua, &table, "lshift", |bits, by| bits << by)?;
    shift(lua, &table, "rshift", |bits, by| bits >> by)?;
    shift(lua, &table, "arshift", |bits, by| ((bits as i32) >> by) as u32)?;
    shift(lua, &table, "rol", u32::rotate_left)?;
    shift(lua, &table, "ror", u32::rotate_right)?;
    add(lua, &table, "tohex", tohex)?;
    Ok(table)
}

/// The low 32 bits of the nearest whole number; of two equally near, the even one (`barg`).
fn bits(lua: &Lua, args: &Arguments<'_>, index: usize) -> mlua::Result<Answer<u32>> {
    let number = args.number(lua, index)?;
    Ok(number.map(|number| number.round_ties_even().rem_euclid(4_294_967_296.0) as u32))
}

fn signed(bits: u32) -> f64 {
    f64::from(bits as i32)
}

fn unary(
    lua: &Lua,
    table: &Table,
    name: &'static str,
    of: impl Fn(u32) -> u32 + 'static,
) -> mlua::Result<()> {
    add(lua, table, name, move |lua, args| Ok(bits(lua, args, 0)?.map(|bits| signed(of(bits)))))
}

fn folded(
    lua: &Lua,
    table: &Table,
    name: &'static str,
    of: impl Fn(u32, u32) -> u32 + 'static,
) -> mlua::Result<()> {
    add(lua, table, name, move |lua, args| {
        let mut result = match bits(lua, args, 0)? {
            Ok(bits) => bits,
            Err(text) => return Ok(Err(text)),
        };
        for index in 1..args.len() {
            match bits(lua, args, index)? {
                Ok(bits) => result = of(result, bits),
                Err(text) => return Ok(Err(text)),
            }
        }
        Ok(Ok(signed(result)))
    })
}

/// Only the low five bits of the distance count.
fn shift(
    lua: &Lua,
    table: &Table,
    name: &'static str,
    of: impl Fn(u32, u32) -> u32 + 'static,
) -> mlua::Result<()> {
    add(lua, table, name, move |lua, args| {
        let (shifted, by) = (bits(lua, args, 0)?, bits(lua, args, 1)?);
        Ok(shifted.and_then(|bits| Ok(signed(of(bits, by? & 31)))))
    })
}

/// `tohex(number [, digits])`: in capitals when the digits are negative.
fn tohex(lua: &Lua, args: &Arguments<'_>) -> mlua::Result<Answer<String>> {
    let digits = if args.len() > 1 { bits(lua, args, 1)?.map(|it| it as i32) } else { Ok(8) };
    Ok(bits(lua, args, 0)?.and_then(|bits| {
        let digits = digits?;
        let text = if digits < 0 { format!("{bits:08X}") } else { format!("{bits:08x}") };
        Ok(text[8 - digits.unsigned_abs().min(8) as usize..].to_owned())
    }))
}
