//! What Redis answers, not yet encoded.

use std::borrow::Cow;

use bytes::Bytes;

use super::number;

/// A RESP2 reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `+OK`: a status line.
    Simple(Cow<'static, str>),
    /// `-ERR ...`: the text with its code, without the dash. Bytes that are not UTF-8 (they can only
    /// come from a client's own argument quoted back to it) are replaced.
    Error(Cow<'static, str>),
    /// `:1`.
    Integer(i64),
    /// `$3`: a byte string.
    Bulk(Bytes),
    /// `$-1`: no value. A client reads `*-1` as this too.
    Null,
    /// `*-1`: no list, as the commands that pop with a count answer. Never read, only written.
    NullArray,
    /// `*2`: a list.
    Array(Vec<Reply>),
}

impl Reply {
    /// `+OK`.
    pub const OK: Reply = Reply::Simple(Cow::Borrowed("OK"));

    /// An error with a fixed text.
    pub(crate) const fn error(text: &'static str) -> Reply {
        Reply::Error(Cow::Borrowed(text))
    }

    /// `:1` or `:0`.
    pub(crate) const fn flag(yes: bool) -> Reply {
        Reply::Integer(yes as i64)
    }

    /// A byte string that is known at compile time.
    pub(crate) const fn text(text: &'static str) -> Reply {
        Reply::Bulk(Bytes::from_static(text.as_bytes()))
    }

    /// A list of byte strings.
    pub(crate) fn bulks(elements: impl IntoIterator<Item = Bytes>) -> Reply {
        Reply::Array(elements.into_iter().map(Reply::Bulk).collect())
    }

    /// Keys with their values, which RESP2 shows in turn and RESP3 as a map.
    pub(crate) fn map(entries: Vec<(Reply, Reply)>) -> Reply {
        Reply::Array(entries.into_iter().flat_map(|(key, value)| [key, value]).collect())
    }

    /// A list of pairs, which RESP2 shows in turn and RESP3 as a list of lists of two.
    pub(crate) fn pairs(entries: Vec<(Reply, Reply)>) -> Reply {
        Reply::map(entries)
    }

    /// A list without order, which RESP3 shows as a set.
    pub(crate) fn set(members: impl IntoIterator<Item = Bytes>) -> Reply {
        Reply::bulks(members)
    }

    /// A number with a fraction, which RESP2 shows as text (`src/networking.c` `addReplyDouble`).
    pub(crate) fn double(number: f64) -> Reply {
        Reply::Bulk(number::print(number).into())
    }
}
