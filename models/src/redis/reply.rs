//! What Redis answers, not yet encoded.
//!
//! Commands answer in the richest shape that the real server knows for them (a map, a double, a
//! verbatim string). Before a reply leaves, the model lowers it to the session's protocol
//! (`Reply::lower`), so the codec needs no state and a front end knows nothing of protocols: what
//! lies in an [`Outbox`](crate::model::Outbox) is what goes over the wire.

use std::borrow::Cow;

use bytes::Bytes;

mod lower;

pub(crate) use lower::Protocol;

/// A reply in RESP2 or RESP3.
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
    /// `$-1`: no value. RESP3 has one null for everything: [`Reply::Nothing`].
    Null,
    /// `*2`: a list.
    Array(Vec<Reply>),
    /// `*5` alone: a list whose elements come as replies of their own, as far as they come at all. The
    /// answer of an EXEC that did not answer all of its commands (`CLIENT REPLY OFF`).
    Header(usize),
    /// `*-1`: no list.
    NullArray,
    /// `_`: RESP3's null.
    Nothing,
    /// `%2`: pairs, in the order in which they are written. RESP2: a list of keys and values.
    Map(Vec<(Reply, Reply)>),
    /// Pairs in a list: RESP3 has a list of two for each, RESP2 one list of all keys and values. Not a
    /// shape of its own, so it is always lowered to one of them.
    Pairs(Vec<(Reply, Reply)>),
    /// `~2`: a list without order. RESP2: a list.
    Set(Vec<Reply>),
    /// `,3.5`: RESP2: a byte string.
    Double(f64),
    /// `#t`: RESP2: the integer 1 or 0.
    Boolean(bool),
    /// `(123`: an integer of any size, in digits. RESP2: a byte string.
    BigNumber(Bytes),
    /// `=7 txt:...`: a text for people, here always `txt` or `mkd`. RESP2: a byte string.
    Verbatim(Format, Bytes),
    /// `>3`: not the answer to a request. RESP2: a list.
    Push(Vec<Reply>),
}

/// What a [`Reply::Verbatim`] is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `txt`.
    Text,
    /// `mkd`.
    Markdown,
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

    /// A byte string that is copied.
    pub(crate) fn copied(bytes: &[u8]) -> Reply {
        Reply::Bulk(Bytes::copy_from_slice(bytes))
    }

    /// A list of byte strings.
    pub(crate) fn bulks(elements: impl IntoIterator<Item = Bytes>) -> Reply {
        Reply::Array(elements.into_iter().map(Reply::Bulk).collect())
    }

    /// Keys with their values, which RESP2 shows in turn and RESP3 as a map.
    pub(crate) fn map(entries: Vec<(Reply, Reply)>) -> Reply {
        Reply::Map(entries)
    }

    /// A list of pairs, which RESP2 shows in turn and RESP3 as a list of lists of two.
    pub(crate) fn pairs(entries: Vec<(Reply, Reply)>) -> Reply {
        Reply::Pairs(entries)
    }

    /// A list without order, which RESP3 shows as a set.
    pub(crate) fn set(members: impl IntoIterator<Item = Bytes>) -> Reply {
        Reply::Set(members.into_iter().map(Reply::Bulk).collect())
    }

    /// A number with a fraction, which RESP2 shows as text (`src/networking.c` `addReplyDouble`).
    pub(crate) fn double(number: f64) -> Reply {
        Reply::Double(number)
    }
}
