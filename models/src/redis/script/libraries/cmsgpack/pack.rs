//! Lua values as MessagePack (`mp_encode_lua_type`), each in its shortest form.

use mlua::{Table, Value};

use super::super::as_number;

/// `LUACMSGPACK_MAX_NESTING`: a table that lies deeper becomes nil.
const MAX_NESTING: usize = 16;

pub(super) fn value(value: &Value, depth: usize, bytes: &mut Vec<u8>) -> mlua::Result<()> {
    match value {
        Value::String(text) => string(&text.as_bytes(), bytes),
        Value::Boolean(flag) => bytes.push(if *flag { 0xC3 } else { 0xC2 }),
        Value::Integer(_) | Value::Number(_) => number(as_number(value).unwrap_or(0.0), bytes),
        Value::Table(inner) if depth < MAX_NESTING => table(inner, depth, bytes)?,
        _ => bytes.push(0xC0),
    }
    Ok(())
}

fn string(text: &[u8], bytes: &mut Vec<u8>) {
    match text.len() {
        length @ 0..32 => bytes.push(0xA0 | length as u8),
        length @ 0..0x100 => bytes.extend([0xD9, length as u8]),
        length => sized(length, [0xDA, 0xDB], bytes),
    }
    bytes.extend_from_slice(text);
}

/// A length in two bytes, or in four where two are not enough.
fn sized(length: usize, marks: [u8; 2], bytes: &mut Vec<u8>) {
    match u16::try_from(length) {
        Ok(short) => {
            bytes.push(marks[0]);
            bytes.extend(short.to_be_bytes());
        }
        Err(_) => {
            bytes.push(marks[1]);
            bytes.extend((length as u32).to_be_bytes());
        }
    }
}

fn number(number: f64, bytes: &mut Vec<u8>) {
    let whole = number as i64;
    if number.is_finite() && number == whole as f64 {
        return integer(whole, bytes);
    }
    let single = number as f32;
    if f64::from(single) == number {
        bytes.push(0xCA);
        bytes.extend(single.to_be_bytes());
    } else {
        bytes.push(0xCB);
        bytes.extend(number.to_be_bytes());
    }
}

fn integer(number: i64, bytes: &mut Vec<u8>) {
    let wide = number.to_be_bytes();
    if (-32..=127).contains(&number) {
        return bytes.push(number as u8);
    }
    let fits = |bits: u32| (-(1 << (bits - 1))..1 << bits).contains(&number);
    let (size, kept) = match () {
        () if fits(8) => (0, 1),
        () if fits(16) => (1, 2),
        () if fits(32) => (2, 4),
        () => (3, 8),
    };
    let mark = if number < 0 { 0xD0 } else { 0xCC } + size;
    bytes.push(mark);
    bytes.extend_from_slice(&wide[8 - kept..]);
}

fn table(table: &Table, depth: usize, bytes: &mut Vec<u8>) -> mlua::Result<()> {
    let pairs: Vec<(Value, Value)> = table.pairs().collect::<mlua::Result<_>>()?;
    if is_list(&pairs) {
        match pairs.len() {
            length @ 0..16 => bytes.push(0x90 | length as u8),
            length => sized(length, [0xDC, 0xDD], bytes),
        }
        for index in 1..=pairs.len() {
            value(&table.raw_get(index)?, depth + 1, bytes)?;
        }
        return Ok(());
    }
    match pairs.len() {
        length @ 0..16 => bytes.push(0x80 | length as u8),
        length => sized(length, [0xDE, 0xDF], bytes),
    }
    for (key, element) in &pairs {
        value(key, depth + 1, bytes)?;
        value(element, depth + 1, bytes)?;
    }
    Ok(())
}

/// Whether the keys are 1 to their number (`table_is_an_array`).
fn is_list(pairs: &[(Value, Value)]) -> bool {
    let place = |key: &Value| as_number(key).filter(|key| *key >= 1.0 && key.fract() == 0.0);
    let places: Option<Vec<f64>> = pairs.iter().map(|(key, _)| place(key)).collect();
    places.is_some_and(|places| places.iter().all(|place| *place <= pairs.len() as f64))
}
