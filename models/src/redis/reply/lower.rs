//! From the shape a command answers in to the shape that a protocol has (`src/networking.c`
//! `addReplyMapLen`, `addReplyDouble`, `addReplyNull` and their neighbours).

use bytes::Bytes;

use super::Reply;
use crate::redis::number;

/// What a session speaks (`HELLO 2`, `HELLO 3`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

impl Reply {
    /// Rewrites what `protocol` has no shape for. Strings, numbers and errors, which are nearly all
    /// replies, are the same in both and left alone, and so is the null that NX is refused with.
    pub(crate) fn lower(&mut self, protocol: Protocol) {
        match (&mut *self, protocol) {
            (Reply::Simple(_) | Reply::Error(_) | Reply::Integer(_) | Reply::Bulk(_), _) => {}
            (Reply::Null, Protocol::Resp2) => {}
            (Reply::Array(elements), _) => {
                elements.iter_mut().for_each(|element| element.lower(protocol));
            }
            (_, Protocol::Resp2) => self.lower_to_resp2(),
            (_, Protocol::Resp3) => self.lower_to_resp3(),
        }
    }

    fn lower_to_resp2(&mut self) {
        let mut lowered = match std::mem::replace(self, Reply::Null) {
            Reply::Nothing => Reply::Null,
            Reply::Map(pairs) | Reply::Pairs(pairs) => {
                Reply::Array(pairs.into_iter().flat_map(|(key, value)| [key, value]).collect())
            }
            Reply::Set(elements) | Reply::Push(elements) => Reply::Array(elements),
            Reply::Double(number) => Reply::Bulk(Bytes::from(number::print(number))),
            Reply::Boolean(flag) => Reply::flag(flag),
            Reply::BigNumber(text) | Reply::Verbatim(_, text) => Reply::Bulk(text),
            other => other,
        };
        if let Reply::Array(elements) = &mut lowered {
            elements.iter_mut().for_each(|element| element.lower(Protocol::Resp2));
        }
        *self = lowered;
    }

    fn lower_to_resp3(&mut self) {
        match self {
            Reply::Null | Reply::NullArray => *self = Reply::Nothing,
            Reply::Set(elements) | Reply::Push(elements) => {
                elements.iter_mut().for_each(|element| element.lower(Protocol::Resp3));
            }
            Reply::Pairs(pairs) => {
                let pairs = std::mem::take(pairs).into_iter();
                let lists = pairs.map(|(key, value)| Reply::Array(vec![key, value]));
                *self = Reply::Array(lists.collect());
                self.lower(Protocol::Resp3);
            }
            Reply::Map(pairs) => pairs.iter_mut().for_each(|(key, value)| {
                key.lower(Protocol::Resp3);
                value.lower(Protocol::Resp3);
            }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered(mut reply: Reply, protocol: Protocol) -> Reply {
        reply.lower(protocol);
        reply
    }

    #[test]
    fn resp2_has_lists_and_strings_only() {
        let rich = Reply::Map(vec![
            (Reply::text("set"), Reply::Set(vec![Reply::Boolean(true), Reply::Nothing])),
            (Reply::text("pi"), Reply::Push(vec![Reply::Double(3.1), Reply::NullArray])),
        ]);
        let plain = Reply::Array(vec![
            Reply::text("set"),
            Reply::Array(vec![Reply::Integer(1), Reply::Null]),
            Reply::text("pi"),
            Reply::Array(vec![Reply::text("3.1000000000000001"), Reply::NullArray]),
        ]);
        assert_eq!(lowered(rich, Protocol::Resp2), plain);
    }

    #[test]
    fn resp3_has_one_null() {
        let nulls = Reply::Array(vec![Reply::Null, Reply::Set(vec![Reply::NullArray])]);
        let nothing = Reply::Array(vec![Reply::Nothing, Reply::Set(vec![Reply::Nothing])]);
        assert_eq!(lowered(nulls, Protocol::Resp3), nothing);
    }
}
