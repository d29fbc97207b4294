//! MessagePack as Lua values (`mp_decode_to_lua_type`).

use mlua::{Lua, Value};

const BAD: &str = "Bad data format in input.";
const MISSING: &str = "Missing bytes in input.";
/// Deepest nesting that is read; the real one goes as far as its Lua stack.
const MAX_DEPTH: usize = 128;

/// Where the reading is.
pub(super) struct Reader<'a> {
    pub(super) lua: &'a Lua,
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

type Found<T> = Result<T, &'static str>;

impl Reader<'_> {
    pub(super) fn value(&mut self) -> mlua::Result<Found<Value>> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> mlua::Result<Found<Value>> {
        let Some(mark) = self.text.get(self.at).copied() else { return Ok(Err(MISSING)) };
        if depth > MAX_DEPTH {
            return Ok(Err(BAD));
        }
        self.at += 1;
        let number = |number: Found<f64>| Ok(number.map(Value::Number));
        match mark {
            0x00..=0x7F => number(Ok(f64::from(mark))),
            0xE0..=0xFF => number(Ok(f64::from(mark as i8))),
            0xC0 => Ok(Ok(Value::Nil)),
            0xC2 | 0xC3 => Ok(Ok(Value::Boolean(mark == 0xC3))),
            0xCC..=0xCF => number(self.unsigned(1 << (mark - 0xCC)).map(|number| number as f64)),
            0xD0..=0xD3 => number(self.signed(1 << (mark - 0xD0))),
            0xCA => number(self.unsigned(4).map(|bits| f64::from(f32::from_bits(bits as u32)))),
            0xCB => number(self.unsigned(8).map(f64::from_bits)),
            0xA0..=0xBF => self.string(Ok(u64::from(mark & 31))),
            0xD9..=0xDB => {
                let length = self.unsigned(1 << (mark - 0xD9));
                self.string(length)
            }
            0xC4..=0xC6 => {
                let length = self.unsigned(1 << (mark - 0xC4));
                self.string(length)
            }
            0x90..=0x9F => self.list(Ok(u64::from(mark & 15)), depth),
            0xDC | 0xDD => {
                let length = self.unsigned(2 << (mark - 0xDC));
                self.list(length, depth)
            }
            0x80..=0x8F => self.map(Ok(u64::from(mark & 15)), depth),
            0xDE | 0xDF => {
                let length = self.unsigned(2 << (mark - 0xDE));
                self.map(length, depth)
            }
            _ => Ok(Err(BAD)),
        }
    }

    fn bytes(&mut self, count: u64) -> Found<&[u8]> {
        let end = usize::try_from(count).ok().and_then(|count| self.at.checked_add(count));
        let found = end.and_then(|end| self.text.get(self.at..end)).ok_or(MISSING)?;
        self.at += found.len();
        Ok(found)
    }

    fn unsigned(&mut self, count: u64) -> Found<u64> {
        let bytes = self.bytes(count)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, count: u64) -> Found<f64> {
        let unused = 64 - 8 * count;
        // Shifted up and down again, the sign fills the bytes that were not there.
        self.unsigned(count).map(|number| (((number << unused) as i64) >> unused) as f64)
    }

    fn string(&mut self, length: Found<u64>) -> mlua::Result<Found<Value>> {
        let lua = self.lua;
        match length.and_then(|length| self.bytes(length)) {
            Ok(bytes) => Ok(Ok(Value::String(lua.create_string(bytes)?))),
            Err(problem) => Ok(Err(problem)),
        }
    }

    fn list(&mut self, length: Found<u64>, depth: usize) -> mlua::Result<Found<Value>> {
        let table = self.lua.create_table()?;
        let length = match length {
            Ok(length) => length,
            Err(problem) => return Ok(Err(problem)),
        };
        for index in 1..=length {
            match self.nested(depth + 1)? {
                Ok(element) => table.raw_set(index, element)?,
                Err(problem) => return Ok(Err(problem)),
            }
        }
        Ok(Ok(Value::Table(table)))
    }

    fn map(&mut self, length: Found<u64>, depth: usize) -> mlua::Result<Found<Value>> {
        let table = self.lua.create_table()?;
        let length = match length {
            Ok(length) => length,
            Err(problem) => return Ok(Err(problem)),
        };
        for _ in 0..length {
            let (key, element) = match (self.nested(depth + 1)?, self.nested(depth + 1)?) {
                (Ok(key), Ok(element)) => (key, element),
                (Err(problem), _) | (_, Err(problem)) => return Ok(Err(problem)),
            };
            table.raw_set(key, element)?;
        }
        Ok(Ok(Value::Table(table)))
    }
}
