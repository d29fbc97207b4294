//! `struct`: values as the bytes of a C structure and back (struct 0.2,
//! `deps/lua/src/lua_struct.c`). Named after what it describes, because `struct` is a word of Rust.

use mlua::{Lua, Table, Value, Variadic};

use super::{Answer, Arguments, add};

mod format;

use format::{Field, Format, Kind};

pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    add(lua, &table, "pack", pack)?;
    add(lua, &table, "unpack", unpack)?;
    add(lua, &table, "size", size)?;
    Ok(table)
}

/// Hands an answer's error on as this function's own.
macro_rules! known {
    ($answer:expr) => {
        match $answer {
            Ok(value) => value,
            Err(problem) => return Ok(Err(problem)),
        }
    };
}

/// Behind the last argument the real one has put a nil.
fn marked<T>(answer: Answer<T>) -> Answer<T> {
    answer.map_err(|text| text.replace("got no value", "got nil"))
}

/// `pack(format, value...)`.
fn pack(lua: &Lua, args: &Arguments<'_>) -> mlua::Result<Answer<mlua::LuaString>> {
    let text = known!(args.text(lua, 0)?);
    let mut format = Format::new(&text);
    let (mut bytes, mut index) = (Vec::new(), 1);
    while let Some(field) = known!(format.next(args)) {
        bytes.resize(bytes.len() + format.gap(bytes.len(), &field), 0);
        if field.kind == Kind::Padding {
            bytes.push(0);
            continue;
        }
        if let Kind::Characters | Kind::Terminated = field.kind {
            let part = known!(marked(args.text(lua, index)?));
            let length = if field.size == 0 { part.len() } else { field.size };
            if part.len() < length {
                // The real one has already turned to the next argument.
                return Ok(Err(args.wrong(index + 1, "string too short")));
            }
            bytes.extend_from_slice(&part[..length]);
            bytes.extend(std::iter::repeat_n(0, usize::from(field.kind == Kind::Terminated)));
        } else {
            field.write(known!(marked(args.number(lua, index)?)), format.big_endian, &mut bytes);
        }
        index += 1;
    }
    Ok(Ok(lua.create_string(&bytes)?))
}

/// `unpack(format, bytes [, position])`: the values, and where the rest begins.
fn unpack(lua: &Lua, args: &Arguments<'_>) -> mlua::Result<Answer<Variadic<Value>>> {
    let text = known!(args.text(lua, 0)?);
    let data = known!(args.text(lua, 1)?);
    let mut at = 0;
    if args.get(2).is_some() {
        let position = known!(args.number(lua, 2)?) as i64;
        if position < 1 {
            return Ok(Err(args.wrong(2, "offset must be 1 or greater")));
        }
        at = position as usize - 1;
    }
    let mut format = Format::new(&text);
    let mut values: Vec<Value> = Vec::new();
    while let Some(field) = known!(format.next(args)) {
        at += format.gap(at, &field);
        let mut size = field.size;
        if field.kind == Kind::Characters && size == 0 {
            // Its length is the number before it.
            let Some(length) = values.pop().as_ref().and_then(super::as_number) else {
                return Ok(Err("format 'c0' needs a previous size".to_owned()));
            };
            size = length as usize;
        }
        let Some(part) = at.checked_add(size).and_then(|end| data.get(at..end)) else {
            return Ok(Err(args.wrong(1, "data string too short")));
        };
        match field.kind {
            Kind::Padding => {}
            Kind::Characters => values.push(Value::String(lua.create_string(part)?)),
            Kind::Terminated => {
                let Some(length) = data[at..].iter().position(|byte| *byte == 0) else {
                    return Ok(Err("unfinished string in data".to_owned()));
                };
                values.push(Value::String(lua.create_string(&data[at..at + length])?));
                size = length + 1;
            }
            _ => values.push(Value::Number(field.read(part, format.big_endian))),
        }
        at += size;
    }
    values.push(Value::Number((at + 1) as f64));
    Ok(Ok(values.into()))
}

/// `size(format)`.
fn size(lua: &Lua, args: &Arguments<'_>) -> mlua::Result<Answer<f64>> {
    let text = known!(args.text(lua, 0)?);
    let mut format = Format::new(&text);
    let mut total = 0;
    while let Some(field) = known!(format.next(args)) {
        total += format.gap(total, &field);
        if field.kind == Kind::Terminated {
            return Ok(Err(args.wrong(0, "option 's' has no fixed size")));
        }
        if field.kind == Kind::Characters && field.size == 0 {
            return Ok(Err(args.wrong(0, "option 'c0' has no fixed size")));
        }
        total += field.size;
    }
    Ok(Ok(total as f64))
}

impl Field {
    /// Appends a number.
    fn write(&self, number: f64, big_endian: bool, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        match self.kind {
            Kind::Float => bytes.extend((number as f32).to_le_bytes()),
            Kind::Double => bytes.extend(number.to_le_bytes()),
            _ => {
                let whole = if number < 0.0 { number as i64 as u64 } else { number as u64 };
                let wide = u128::from(whole).to_le_bytes().into_iter().chain([0; 16]);
                bytes.extend(wide.take(self.size));
            }
        }
        if big_endian {
            bytes[start..].reverse();
        }
    }

    /// The number that `part` holds.
    fn read(&self, part: &[u8], big_endian: bool) -> f64 {
        let mut part = part.to_vec();
        if !big_endian {
            part.reverse();
        }
        let bits = part.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        match self.kind {
            Kind::Float => f64::from(f32::from_bits(bits as u32)),
            Kind::Double => f64::from_bits(bits),
            Kind::Signed => {
                let unused = 64_usize.saturating_sub(8 * self.size);
                (((bits << unused) as i64) >> unused) as f64
            }
            _ => bits as f64,
        }
    }
}
