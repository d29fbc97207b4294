//! JSON as Lua values (`json_process_value`), with the errors of the real parser: what was expected,
//! what was found, and where.

use mlua::{Lua, Table, Value};

use super::super::Answer;
use super::MAX_DEPTH;
use crate::redis::number;

/// What the text consists of, by the names that errors use.
#[derive(Debug)]
enum Token {
    Mark(&'static str),
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    End,
    Problem(&'static str),
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Token::Mark(name) | Token::Problem(name) => name,
            Token::Text(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::End => "T_END",
        }
    }
}

const OBJECT_BEGIN: &str = "T_OBJ_BEGIN";
const OBJECT_END: &str = "T_OBJ_END";
const LIST_BEGIN: &str = "T_ARR_BEGIN";
const LIST_END: &str = "T_ARR_END";
const COLON: &str = "T_COLON";
const COMMA: &str = "T_COMMA";

/// The value that all of `text` is.
pub(super) fn document(lua: &Lua, text: &[u8]) -> mlua::Result<Answer<Value>> {
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Ok(Err("JSON parser does not support UTF-16 or UTF-32".to_owned()));
    }
    let mut parser = Parser { lua, text, at: 0, token_at: 0, depth: 0 };
    Ok(parser.document().map_err(|problem| match problem {
        Problem::Text(text) => text,
        Problem::Lua(error) => error.to_string(),
    }))
}

enum Problem {
    Text(String),
    Lua(mlua::Error),
}

impl From<mlua::Error> for Problem {
    fn from(error: mlua::Error) -> Self {
        Problem::Lua(error)
    }
}

struct Parser<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
    /// Where the last token began, or where it was found to be wrong.
    token_at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Value, Problem> {
        let first = self.next();
        let value = self.value(first)?;
        match self.next() {
            Token::End => Ok(value),
            other => Err(self.expected("the end", &other)),
        }
    }

    fn value(&mut self, token: Token) -> Result<Value, Problem> {
        Ok(match token {
            Token::Text(text) => Value::String(self.lua.create_string(&text)?),
            Token::Number(number) => Value::Number(number),
            Token::Boolean(flag) => Value::Boolean(flag),
            Token::Null => Value::NULL,
            Token::Mark(OBJECT_BEGIN) => Value::Table(self.nested(Self::object)?),
            Token::Mark(LIST_BEGIN) => Value::Table(self.nested(Self::list)?),
            other => return Err(self.expected("value", &other)),
        })
    }

    fn nested(
        &mut self,
        parse: fn(&mut Self, &Table) -> Result<(), Problem>,
    ) -> Result<Table, Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let (depth, at) = (self.depth, self.at);
            return Err(Problem::Text(format!(
                "Found too many nested data structures ({depth}) at character {at}"
            )));
        }
        let table = self.lua.create_table()?;
        parse(self, &table)?;
        self.depth -= 1;
        Ok(table)
    }

    fn object(&mut self, table: &Table) -> Result<(), Problem> {
        let mut token = self.next();
        if let Token::Mark(OBJECT_END) = token {
            return Ok(());
        }
        loop {
            let Token::Text(key) = token else {
                return Err(self.expected("object key string", &token));
            };
            match self.next() {
                Token::Mark(COLON) => {}
                other => return Err(self.expected("colon", &other)),
            }
            let value = self.next();
            let value = self.value(value)?;
            table.raw_set(self.lua.create_string(&key)?, value)?;
            match self.next() {
                Token::Mark(OBJECT_END) => return Ok(()),
                Token::Mark(COMMA) => token = self.next(),
                other => return Err(self.expected("comma or object end", &other)),
            }
        }
    }

    fn list(&mut self, table: &Table) -> Result<(), Problem> {
        let mut token = self.next();
        if let Token::Mark(LIST_END) = token {
            return Ok(());
        }
        loop {
            let value = self.value(token)?;
            table.raw_push(value)?;
            match self.next() {
                Token::Mark(LIST_END) => return Ok(()),
                Token::Mark(COMMA) => token = self.next(),
                other => return Err(self.expected("comma or array end", &other)),
            }
        }
    }

    fn expected(&self, wanted: &str, found: &Token) -> Problem {
        let (found, place) = (found.name(), self.token_at + 1);
        Problem::Text(format!("Expected {wanted} but found {found} at character {place}"))
    }

    /// A byte of the text; 0 behind its end.
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn next(&mut self) -> Token {
        while matches!(self.byte(self.at), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.token_at = self.at;
        let mark = match self.byte(self.at) {
            b'{' => OBJECT_BEGIN,
            b'}' => OBJECT_END,
            b'[' => LIST_BEGIN,
            b']' => LIST_END,
            b':' => COLON,
            b',' => COMMA,
            0 => return Token::End,
            b'"' => return self.string(),
            _ => return self.word(),
        };
        self.at += 1;
        Token::Mark(mark)
    }

    fn word(&mut self) -> Token {
        let rest = &self.text[self.at..];
        let words = [
            (&b"true"[..], Token::Boolean(true)),
            (b"false", Token::Boolean(false)),
            (b"null", Token::Null),
        ];
        for (word, token) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        let first = rest[0].to_ascii_lowercase();
        if !matches!(first, b'-' | b'+' | b'0'..=b'9' | b'i' | b'n') {
            return Token::Problem("invalid token");
        }
        match number::double_prefix(rest) {
            Some((number, length)) => {
                self.at += length;
                Token::Number(number)
            }
            None if matches!(first, b'-' | b'+') => Token::Problem("invalid number"),
            None => Token::Problem("invalid token"),
        }
    }

    fn string(&mut self) -> Token {
        let mut text = Vec::new();
        let mut at = self.at + 1;
        loop {
            let (byte, escape) = (self.byte(at), self.byte(at + 1));
            self.token_at = at;
            let plain = match (byte, escape) {
                (b'"', _) => break,
                (0, _) => return Token::Problem("unexpected end of string"),
                (b'\\', b'u') => match self.unicode(at) {
                    Some((found, length)) => {
                        let mut buffer = [0; 4];
                        text.extend_from_slice(found.encode_utf8(&mut buffer).as_bytes());
                        at += length;
                        continue;
                    }
                    None => return Token::Problem("invalid unicode escape code"),
                },
                (b'\\', b'"' | b'\\' | b'/') => escape,
                (b'\\', b'b') => 8,
                (b'\\', b't') => b'\t',
                (b'\\', b'n') => b'\n',
                (b'\\', b'f') => 12,
                (b'\\', b'r') => b'\r',
                (b'\\', _) => return Token::Problem("invalid escape code"),
                _ => byte,
            };
            text.push(plain);
            at += if byte == b'\\' { 2 } else { 1 };
        }
        self.token_at = self.at;
        self.at = at + 1;
        Token::Text(text)
    }

    /// The character that `\u` with four digits at `at` means, or two of them as a surrogate pair,
    /// and how many bytes they take.
    fn unicode(&self, at: usize) -> Option<(char, usize)> {
        let unit = |at: usize| {
            let digits = self.text.get(at..at + 4)?;
            digits
                .iter()
                .try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
        };
        let first = unit(at + 2)?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).map(|found| (found, 6));
        }
        let paired = self.text.get(at + 6..at + 8)? == b"\\u";
        let second = unit(at + 8).filter(|_| paired && first < 0xDC00)?;
        let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + low).map(|found| (found, 12))
    }
}
