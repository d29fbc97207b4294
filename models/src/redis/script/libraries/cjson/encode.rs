//! Lua values as JSON (`json_append_data`).

use mlua::{Table, Value};

use super::super::{Answer, as_number, type_name};
use super::MAX_DEPTH;
use crate::redis::number;

/// `DEFAULT_SPARSE_RATIO` and `DEFAULT_SPARSE_SAFE`: a list may have holes, but not mostly holes.
const SPARSE_RATIO: usize = 2;
const SPARSE_SAFE: usize = 10;
/// `DEFAULT_ENCODE_NUMBER_PRECISION`.
const PRECISION: i32 = 14;

pub(super) fn value(value: &Value, depth: usize, text: &mut Vec<u8>) -> mlua::Result<Answer<()>> {
    match value {
        Value::String(string) => quote(&string.as_bytes(), text),
        Value::Boolean(flag) => text.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Nil => text.extend_from_slice(b"null"),
        Value::LightUserData(pointer) if pointer.0.is_null() => text.extend_from_slice(b"null"),
        Value::Integer(_) | Value::Number(_) => {
            let number = as_number(value).unwrap_or_default();
            if !number.is_finite() {
                return Ok(Err(refused(value, "must not be NaN or Inf")));
            }
            text.extend_from_slice(number::print_digits(number, PRECISION).as_bytes());
        }
        Value::Table(inner) => return table(inner, depth + 1, text),
        other => return Ok(Err(refused(other, "type not supported"))),
    }
    Ok(Ok(()))
}

fn refused(value: &Value, reason: &str) -> String {
    format!("Cannot serialise {}: {reason}", type_name(value))
}

fn table(table: &Table, depth: usize, text: &mut Vec<u8>) -> mlua::Result<Answer<()>> {
    if depth > MAX_DEPTH {
        return Ok(Err(format!("Cannot serialise, excessive nesting ({depth})")));
    }
    match length(table)? {
        Err(reason) => Ok(Err(refused(&Value::Table(table.clone()), reason))),
        Ok(Some(length)) if length > 0 => list(table, length, depth, text),
        Ok(_) => object(table, depth, text),
    }
}

/// The greatest key, if all keys are whole numbers from 1 on (`lua_array_length`).
fn length(table: &Table) -> mlua::Result<Result<Option<usize>, &'static str>> {
    let (mut greatest, mut count) = (0, 0);
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair?;
        match as_number(&key) {
            Some(key) if key >= 1.0 && key.fract() == 0.0 => {
                greatest = greatest.max(key as usize);
                count += 1;
            }
            _ => return Ok(Ok(None)),
        }
    }
    if greatest > count * SPARSE_RATIO && greatest > SPARSE_SAFE {
        return Ok(Err("excessively sparse array"));
    }
    Ok(Ok(Some(greatest)))
}

fn list(
    table: &Table,
    length: usize,
    depth: usize,
    text: &mut Vec<u8>,
) -> mlua::Result<Answer<()>> {
    text.push(b'[');
    for index in 1..=length {
        if index > 1 {
            text.push(b',');
        }
        if let Err(problem) = value(&table.raw_get(index)?, depth, text)? {
            return Ok(Err(problem));
        }
    }
    text.push(b']');
    Ok(Ok(()))
}

/// In the order in which Lua walks a table, as the real one does.
fn object(table: &Table, depth: usize, text: &mut Vec<u8>) -> mlua::Result<Answer<()>> {
    text.push(b'{');
    let start = text.len();
    for pair in table.pairs::<Value, Value>() {
        let (key, element) = pair?;
        if text.len() > start {
            text.push(b',');
        }
        match (&key, as_number(&key)) {
            (Value::String(key), _) => quote(&key.as_bytes(), text),
            (_, Some(number)) => {
                let digits = number::print_digits(number, PRECISION);
                text.extend_from_slice(format!("\"{digits}\"").as_bytes());
            }
            _ => return Ok(Err(refused(&key, "table key must be a number or string"))),
        }
        text.push(b':');
        if let Err(problem) = value(&element, depth, text)? {
            return Ok(Err(problem));
        }
    }
    text.push(b'}');
    Ok(Ok(()))
}

/// `char2escape`: bytes above 127 stay as they are.
fn quote(string: &[u8], text: &mut Vec<u8>) {
    text.push(b'"');
    for byte in string {
        match byte {
            b'"' => text.extend_from_slice(b"\\\""),
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'/' => text.extend_from_slice(b"\\/"),
            8 => text.extend_from_slice(b"\\b"),
            b'\t' => text.extend_from_slice(b"\\t"),
            b'\n' => text.extend_from_slice(b"\\n"),
            12 => text.extend_from_slice(b"\\f"),
            b'\r' => text.extend_from_slice(b"\\r"),
            0..32 | 127 => text.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => text.push(*byte),
        }
    }
    text.push(b'"');
}
