//! RESP2 and RESP3, both directions side by side, so that they cannot drift apart.
//!
//! Values are written and read by the `redis-protocol` crate. Three things stand here:
//! the server's reader of requests, because what Redis accepts there is not RESP but its own subset
//! of it with inline commands, its own limits and its own error texts (`src/networking.c`
//! `processMultibulkBuffer`, `processInlineBuffer`); a look ahead of the crate's reader, which
//! by itself descends as deep as the input says and believes what follows a byte string; and
//! `short.rs`, the few shapes that nearly every message of a lock is made of, because the crate takes
//! some 500 instructions for each word of a request and a simulation does little else. Tests hold both
//! ways to the same bytes.
//!
//! No state is kept between calls: an unfinished message is looked at again when more has come.
//! Nothing is allocated before a message is whole, so memory is bounded by what was received.

use std::borrow::Cow;

use bytes::{Buf, BytesMut};
use redis_protocol::resp2::encode::extend_encode_borrowed;
use redis_protocol::resp2::types::BorrowedFrame;
use redis_protocol::resp3::encode::complete::extend_encode_borrowed as extend_encode_resp3;
use redis_protocol::resp3::types::{BorrowedFrame as Resp3Frame, VerbatimStringFormat};

use super::number;
use super::reply::{Format, Reply};
use super::request::Request;

mod inline;
mod read;
mod scan;
mod short;

/// Longest byte string, in bytes (`proto-max-bulk-len`, `src/config.c`).
pub const MAX_BULK: usize = 512 * 1024 * 1024;
/// Longest line: an inline command or the number that announces an array or a byte string
/// (`src/server.h` `PROTO_INLINE_MAX_SIZE`).
pub const MAX_LINE: usize = 64 * 1024;
/// Longest request (`client-query-buffer-limit`, `src/config.c`).
pub const MAX_REQUEST: usize = 1024 * 1024 * 1024;
/// Deepest nesting of a reply that a client here reads. Scripts can return nested tables; nothing
/// that a lock sends comes near this.
pub const MAX_DEPTH: usize = 128;

/// The peer broke the protocol; the connection cannot be used any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Protocol error: {0}")]
pub struct ProtocolError(Cow<'static, str>);

impl ProtocolError {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    /// What Redis answers before it closes the connection (`setProtocolError`).
    pub fn reply(&self) -> Reply {
        Reply::Error(Cow::Owned(format!("ERR {self}")))
    }
}

/// How much of a client's claims is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest byte string (`proto-max-bulk-len`).
    pub bulk: u64,
    /// Longest request (`client-query-buffer-limit`).
    pub request: u64,
    /// Whether the client has yet to give a password: then a request has at most 10 words of at most
    /// 16 KiB (`src/networking.c` `processMultibulkBuffer`).
    pub stranger: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bulk: MAX_BULK as u64, request: MAX_REQUEST as u64, stranger: false }
    }
}

/// Server side: takes one request off `input` under the usual limits; `None` if it is not whole yet.
///
/// # Errors
/// With Redis' own text. A request that reaches [`MAX_REQUEST`] unfinished is an error too; the real
/// server closes such a connection without a word (`src/networking.c` `readQueryFromClient`).
pub fn decode_request(input: &mut BytesMut) -> Result<Option<Request>, ProtocolError> {
    decode_request_within(input, Limits::default())
}

/// As [`decode_request`], under other limits.
///
/// # Errors
/// As [`decode_request`].
pub fn decode_request_within(
    input: &mut BytesMut,
    limits: Limits,
) -> Result<Option<Request>, ProtocolError> {
    let decoded = match input.first() {
        None => Ok(None),
        Some(b'*') => scan::request(input, limits),
        Some(_) => inline::request(input),
    };
    if let Ok(None) = decoded
        && input.len() as u64 > limits.request
    {
        return Err(ProtocolError::new("too big request"));
    }
    decoded
}

/// Where `wanted` is, the way C's `strchr` looks for it: not beyond the first zero byte.
fn find(input: &[u8], wanted: u8) -> Option<usize> {
    let found = input.iter().position(|byte| *byte == wanted || *byte == 0)?;
    (input[found] == wanted).then_some(found)
}

/// Server side: appends `reply` to `output`.
pub fn encode_reply(reply: &Reply, output: &mut BytesMut) {
    match reply {
        Reply::Simple(text) => short::write_status(text, output),
        Reply::Error(text) => write(&BorrowedFrame::Error(text), output),
        Reply::Integer(number) => short::write_number(b':', *number, output),
        Reply::Bulk(bytes) => short::write_bulk(bytes, output),
        Reply::Null => output.extend_from_slice(b"$-1\r\n"),
        Reply::Array(elements) => write_all(b'*', elements, output),
        Reply::Header(count) => write_header(b'*', *count, output),
        Reply::NullArray => output.extend_from_slice(b"*-1\r\n"),
        Reply::Set(elements) => write_all(b'~', elements, output),
        Reply::Push(elements) => write_all(b'>', elements, output),
        Reply::Map(pairs) => {
            write_header(b'%', pairs.len(), output);
            for (key, value) in pairs {
                encode_reply(key, output);
                encode_reply(value, output);
            }
        }
        Reply::Pairs(pairs) => {
            write_header(b'*', pairs.len(), output);
            for (key, value) in pairs {
                write_header(b'*', 2, output);
                encode_reply(key, output);
                encode_reply(value, output);
            }
        }
        Reply::Double(number) => {
            // As `addReplyDouble` prints it, which is not the crate's way.
            output.extend_from_slice(format!(",{}\r\n", number::print(*number)).as_bytes());
        }
        Reply::Nothing => write_resp3(&Resp3Frame::Null, output),
        Reply::Boolean(data) => {
            write_resp3(&Resp3Frame::Boolean { data: *data, attributes: None }, output);
        }
        Reply::BigNumber(data) => {
            write_resp3(&Resp3Frame::BigNumber { data, attributes: None }, output);
        }
        Reply::Verbatim(format, data) => {
            let format = match format {
                Format::Text => VerbatimStringFormat::Text,
                Format::Markdown => VerbatimStringFormat::Markdown,
            };
            let frame = Resp3Frame::VerbatimString { data, format, attributes: None };
            write_resp3(&frame, output);
        }
    }
}

fn write_all(kind: u8, elements: &[Reply], output: &mut BytesMut) {
    write_header(kind, elements.len(), output);
    for element in elements {
        encode_reply(element, output);
    }
}

/// Client side: appends the command made of `args` to `output`.
pub fn encode_request(args: &[&[u8]], output: &mut BytesMut) {
    short::write_bulks(args, output);
}

/// Client side: takes one reply off `input`; `None` if it is not whole yet.
///
/// # Errors
/// When the bytes are not RESP, or beyond [`MAX_BULK`] or [`MAX_DEPTH`].
pub fn decode_reply(input: &mut BytesMut) -> Result<Option<Reply>, ProtocolError> {
    if input.is_empty() {
        return Ok(None);
    }
    if let Some((reply, length)) = short::reply(input) {
        input.advance(length);
        return Ok(Some(reply));
    }
    decode_any_reply(input)
}

/// Kept apart, so that a short reply does not pay for the room that this takes on the stack.
#[inline(never)]
fn decode_any_reply(input: &mut BytesMut) -> Result<Option<Reply>, ProtocolError> {
    let Some(length) = scan::reply_length(input)? else { return Ok(None) };
    let reply = read::Reader::new(&input[..length]).reply()?;
    input.advance(length);
    Ok(Some(reply))
}

fn write(frame: &BorrowedFrame<'_>, output: &mut BytesMut) {
    extend_encode_borrowed(output, frame, false).expect("the crate makes the room it needs");
}

fn write_resp3(frame: &Resp3Frame<'_>, output: &mut BytesMut) {
    extend_encode_resp3(output, frame, false).expect("the crate makes the room it needs");
}

/// The crate can only write an array whose elements already are its own frames; this spares that
/// copy, and keeps the order of maps and sets.
fn write_header(kind: u8, count: usize, output: &mut BytesMut) {
    short::write_number(kind, i64::try_from(count).unwrap_or(i64::MAX), output);
}

#[cfg(test)]
mod tests;
