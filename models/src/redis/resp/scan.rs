//! Finds out how long a message is, before anything is allocated for it.

use bytes::{Buf, BytesMut};

use super::{Limits, MAX_BULK, MAX_DEPTH, MAX_LINE, ProtocolError, number, short};
use crate::redis::request::Request;

/// Most words in a request before AUTH, and the longest (`src/networking.c`).
const STRANGERS_WORDS: usize = 10;
const STRANGERS_BULK: i64 = 16 * 1024;

/// Takes a request in RESP form off `input` (`src/networking.c` `processMultibulkBuffer`).
/// Like Redis, this does not look at the two bytes after a byte string.
pub(super) fn request(
    input: &mut BytesMut,
    limits: Limits,
) -> Result<Option<Request>, ProtocolError> {
    let Some((count, start)) = array_header(input)? else { return Ok(None) };
    if limits.stranger && count > STRANGERS_WORDS {
        return Err(ProtocolError::new("unauthenticated multibulk length"));
    }
    // First the places alone: so an unfinished request costs no memory for its words, and a whole one a
    // single allocation of the right size.
    let mut request = Request::default();
    let mut position = start;
    for _ in 0..count {
        let Some((length, after)) = bulk_header(input, position, limits)? else { return Ok(None) };
        position = after + length + 2;
        if position > input.len() {
            return Ok(None);
        }
        request.mark(after, length);
    }
    request.fill(&input[..position]);
    input.advance(position);
    Ok(Some(request))
}

/// How many byte strings follow, and where. Zero or less means none.
fn array_header(input: &[u8]) -> Result<Option<(usize, usize)>, ProtocolError> {
    if let Some(header) = short::length(input) {
        return Ok(Some(header));
    }
    let Some((line, after)) = line(input, 0, "too big mbulk count string")? else {
        return Ok(None);
    };
    match number::parse(&line[1..]) {
        Some(count) if count <= i64::from(i32::MAX) => Ok(Some((count.max(0) as usize, after))),
        _ => Err(ProtocolError::new("invalid multibulk length")),
    }
}

/// How long the byte string announced at `position` is, and where it starts.
#[inline]
fn bulk_header(
    input: &[u8],
    position: usize,
    limits: Limits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let rest = &input[position..];
    if let [b'$', ..] = rest
        && let Some((length, size)) = short::length(rest)
        && length as u64 <= limits.bulk
    {
        return Ok(Some((length, position + size)));
    }
    long_header(input, position, limits)
}

#[cold]
fn long_header(
    input: &[u8],
    position: usize,
    limits: Limits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let Some((line, after)) = line(input, position, "too big bulk count string")? else {
        return Ok(None);
    };
    match line {
        [b'$', digits @ ..] => match number::parse(digits) {
            Some(length) if u64::try_from(length).is_ok_and(|length| length <= limits.bulk) => {
                if limits.stranger && length > STRANGERS_BULK {
                    return Err(ProtocolError::new("unauthenticated bulk length"));
                }
                Ok(Some((length as usize, after)))
            }
            _ => Err(ProtocolError::new("invalid bulk length")),
        },
        other => {
            // The end of a line would break the reply; Redis puts a space for it.
            let got = char::from(other.first().copied().unwrap_or(b' '));
            let got = if matches!(got, '\r' | '\n') { ' ' } else { got };
            Err(ProtocolError::new(format!("expected '$', got '{got}'")))
        }
    }
}

/// The line at `position` without its end, and where the next one starts. Redis looks for the `\r`
/// only and takes one more byte for granted.
fn line<'a>(
    input: &'a [u8],
    position: usize,
    too_big: &'static str,
) -> Result<Option<(&'a [u8], usize)>, ProtocolError> {
    let rest = &input[position..];
    match super::find(&rest[..rest.len().min(MAX_LINE + 1)], b'\r') {
        Some(end) if end + 2 <= rest.len() => Ok(Some((&rest[..end], position + end + 2))),
        None if rest.len() > MAX_LINE => Err(ProtocolError::new(too_big)),
        _ => Ok(None),
    }
}

/// The length in bytes of the reply at the start of `input`; `None` if it is not whole.
pub(super) fn reply_length(input: &[u8]) -> Result<Option<usize>, ProtocolError> {
    let mut position = 0;
    // How many elements are still to come at each level of nesting, the innermost last.
    let mut open: Vec<usize> = Vec::new();
    loop {
        let Some(&kind) = input.get(position) else { return Ok(None) };
        let Some((text, after)) = reply_line(input, position, kind)? else { return Ok(None) };
        position = after;
        match kind {
            b'$' | b'=' => {
                if let Some(length) = announced(text, MAX_BULK)? {
                    if kind == b'=' && length < 4 {
                        return Err(ProtocolError::new("a verbatim string without its format"));
                    }
                    let end = position + length;
                    match input.get(end..end + 2) {
                        None => return Ok(None),
                        Some(b"\r\n") => position = end + 2,
                        Some(_) => return Err(ProtocolError::new("a byte string without its end")),
                    }
                }
            }
            b'*' | b'~' | b'>' | b'%' => {
                let count = announced(text, i32::MAX as usize)?.unwrap_or(0);
                let count = if kind == b'%' { 2 * count } else { count };
                if count > 0 {
                    if open.len() == MAX_DEPTH {
                        return Err(ProtocolError::new("a reply nested too deeply"));
                    }
                    open.push(count);
                    continue;
                }
            }
            _ => {}
        }
        if close_levels(&mut open) {
            return Ok(Some(position));
        }
    }
}

/// One element of a reply is whole: is the reply? Ends the arrays that it was the last element of.
fn close_levels(open: &mut Vec<usize>) -> bool {
    while let Some(left) = open.last_mut() {
        *left -= 1;
        if *left > 0 {
            return false;
        }
        open.pop();
    }
    true
}

/// The first line of a reply element without its kind and its end, and where the next one starts.
fn reply_line(
    input: &[u8],
    position: usize,
    kind: u8,
) -> Result<Option<(&[u8], usize)>, ProtocolError> {
    let limit = match kind {
        b'+' | b'-' => MAX_BULK,
        b':' | b'$' | b'*' | b'~' | b'>' | b'%' | b'=' | b'_' | b',' | b'#' | b'(' => MAX_LINE,
        _ => return Err(ProtocolError::new("a reply of unknown kind")),
    };
    let rest = &input[position + 1..];
    let end = rest.windows(2).take(limit).position(|end| end == b"\r\n");
    match end {
        Some(end) => {
            let text = &rest[..end];
            if kind == b':' && number::parse(text).is_none() {
                return Err(ProtocolError::new("an integer reply that is none"));
            }
            Ok(Some((text, position + 1 + end + 2)))
        }
        None if rest.len() > limit => Err(ProtocolError::new("a reply line without end")),
        None => Ok(None),
    }
}

/// The length announced by `text`; `None` for the -1 that means null in RESP2.
fn announced(text: &[u8], limit: usize) -> Result<Option<usize>, ProtocolError> {
    match number::parse(text) {
        Some(-1) => Ok(None),
        Some(length) if (0..=limit as i64).contains(&length) => Ok(Some(length as usize)),
        _ => Err(ProtocolError::new("an invalid length in a reply")),
    }
}
