//! Inline commands: a line of words, for a person with a terminal.
//!
//! The words are split as `src/sds.c` `sdssplitargs` does: double quotes understand escapes, single
//! quotes only `\'`, and a closing quote must be followed by space or the end.

use bytes::{Buf, BytesMut};

use super::{MAX_LINE, ProtocolError};
use crate::redis::request::Request;

/// Takes an inline command off `input`; `None` if its line has no end yet
/// (`src/networking.c` `processInlineBuffer`).
pub(super) fn request(input: &mut BytesMut) -> Result<Option<Request>, ProtocolError> {
    let Some(end) = super::find(input, b'\n') else {
        return match input.len() > MAX_LINE {
            true => Err(ProtocolError::new("too big inline request")),
            false => Ok(None),
        };
    };
    let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
    let request = words(line).ok_or(ProtocolError::new("unbalanced quotes in request"))?;
    input.advance(end + 1);
    Ok(Some(request))
}

fn words(mut line: &[u8]) -> Option<Request> {
    let mut request = Request::default();
    let mut word = Vec::new();
    loop {
        line = line.trim_ascii_start();
        if line.is_empty() {
            return Some(request);
        }
        word.clear();
        line = take_word(line, &mut word)?;
        request.push(&word);
    }
}

/// Puts the first word of `line` into `word` and returns the rest; `None` if quotes do not balance.
fn take_word<'a>(mut line: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match line {
            [] | [b' ' | b'\n' | b'\r' | b'\t', ..] => return Some(line),
            [b'"', rest @ ..] => return after_quote(take_double_quoted(rest, word)?),
            [b'\'', rest @ ..] => return after_quote(take_single_quoted(rest, word)?),
            [byte, rest @ ..] => {
                word.push(*byte);
                line = rest;
            }
        }
    }
}

fn after_quote(rest: &[u8]) -> Option<&[u8]> {
    match rest.first() {
        None => Some(rest),
        Some(byte) if is_space(*byte) => Some(rest),
        Some(_) => None,
    }
}

/// C's `isspace`, which, unlike Rust's ASCII rule, counts the vertical tab.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn take_double_quoted<'a>(mut line: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match line {
            [] => return None,
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'x', high, low, rest @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex(*high) * 16 + hex(*low));
                line = rest;
            }
            [b'\\', escaped, rest @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                line = rest;
            }
            [byte, rest @ ..] => {
                word.push(*byte);
                line = rest;
            }
        }
    }
}

fn take_single_quoted<'a>(mut line: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match line {
            [] => return None,
            [b'\\', b'\'', rest @ ..] => {
                word.push(b'\'');
                line = rest;
            }
            [b'\'', rest @ ..] => return Some(rest),
            [byte, rest @ ..] => {
                word.push(*byte);
                line = rest;
            }
        }
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
