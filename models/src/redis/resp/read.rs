//! Client side: one whole reply, RESP2 or RESP3.
//!
//! Values are read by the `redis-protocol` crate. What holds other values is walked through here,
//! because the crate keeps maps and sets in hash order and the order on the wire would be lost.

use std::borrow::Cow;

use bytes::Bytes;
use redis_protocol::resp2::decode::decode_range as decode_resp2;
use redis_protocol::resp2::types::RangeFrame as Resp2Frame;
use redis_protocol::resp3::decode::complete::decode_range as decode_resp3;
use redis_protocol::resp3::types::{RangeFrame as Resp3Frame, VerbatimStringFormat};

use super::{ProtocolError, number};
use crate::redis::reply::{Format, Reply};

/// Reads replies off bytes that [`scan`](super::scan) has found whole and not too deep.
pub(super) struct Reader<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0 }
    }

    pub(super) fn reply(&mut self) -> Result<Reply, ProtocolError> {
        let rest = &self.input[self.position..];
        Ok(match rest.first() {
            Some(b'*') => match self.count() {
                Some(count) => Reply::Array(self.replies(count)?),
                None => Reply::NullArray,
            },
            Some(b'~') => {
                let count = self.count().unwrap_or(0);
                Reply::Set(self.replies(count)?)
            }
            Some(b'>') => {
                let count = self.count().unwrap_or(0);
                Reply::Push(self.replies(count)?)
            }
            Some(b'%') => {
                let count = self.count().unwrap_or(0);
                let pairs = (0..count).map(|_| Ok((self.reply()?, self.reply()?)));
                Reply::Map(pairs.collect::<Result<_, ProtocolError>>()?)
            }
            Some(b'+' | b'-' | b':' | b'$') => self.resp2_value()?,
            _ => self.resp3_value()?,
        })
    }

    fn replies(&mut self, count: usize) -> Result<Vec<Reply>, ProtocolError> {
        (0..count).map(|_| self.reply()).collect()
    }

    /// The number in a header line; `None` for -1.
    fn count(&mut self) -> Option<usize> {
        let rest = &self.input[self.position + 1..];
        let end = rest.iter().position(|byte| *byte == b'\r')?;
        self.position += 1 + end + 2;
        usize::try_from(number::parse(&rest[..end])?).ok()
    }

    fn resp2_value(&mut self) -> Result<Reply, ProtocolError> {
        let rest = &self.input[self.position..];
        let frame = decode_resp2(rest).map_err(|error| refused(error.details()))?;
        let (frame, length) = frame.ok_or_else(unreadable)?;
        self.position += length;
        Ok(match frame {
            Resp2Frame::SimpleString((start, end)) => match &rest[start..end] {
                b"OK" => Reply::OK,
                text => Reply::Simple(text_of(text)),
            },
            Resp2Frame::Error((start, end)) => Reply::Error(text_of(&rest[start..end])),
            Resp2Frame::Integer(number) => Reply::Integer(number),
            Resp2Frame::BulkString((start, end)) => Reply::copied(&rest[start..end]),
            Resp2Frame::Null => Reply::Null,
            Resp2Frame::Array(_) => return Err(unreadable()),
        })
    }

    fn resp3_value(&mut self) -> Result<Reply, ProtocolError> {
        let rest = &self.input[self.position..];
        let frame = decode_resp3(rest).map_err(|error| refused(error.details()))?;
        let (frame, length) = frame.ok_or_else(unreadable)?;
        self.position += length;
        Ok(match frame {
            Resp3Frame::Null => Reply::Nothing,
            Resp3Frame::Boolean { data, .. } => Reply::Boolean(data),
            Resp3Frame::Double { data, .. } => Reply::Double(data),
            Resp3Frame::BigNumber { data: (start, end), .. } => {
                Reply::BigNumber(Bytes::copy_from_slice(&rest[start..end]))
            }
            Resp3Frame::VerbatimString { data: (start, end), format, .. } => {
                let format = match format {
                    VerbatimStringFormat::Text => Format::Text,
                    VerbatimStringFormat::Markdown => Format::Markdown,
                };
                Reply::Verbatim(format, Bytes::copy_from_slice(&rest[start..end]))
            }
            _ => return Err(unreadable()),
        })
    }
}

fn text_of(bytes: &[u8]) -> Cow<'static, str> {
    Cow::Owned(String::from_utf8_lossy(bytes).into_owned())
}

fn refused(details: &str) -> ProtocolError {
    ProtocolError::new(details.to_owned())
}

fn unreadable() -> ProtocolError {
    ProtocolError::new("a whole reply that cannot be read")
}
