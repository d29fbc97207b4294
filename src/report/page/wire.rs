//! What a message says, short enough to stand at an arrow.

use bytes::BytesMut;
use picklock_models::redis::{Reply, resp};

/// Longer words are cut: tokens and digests of scripts.
const WORD: usize = 14;
/// Longer messages are cut.
const LONGEST: usize = 60;

/// A request or some replies in RESP; of anything else, how long it is.
pub(super) fn told(bytes: &[u8]) -> String {
    let mut input = BytesMut::from(bytes);
    let mut parts = Vec::new();
    while let Ok(Some(reply)) = resp::decode_reply(&mut input) {
        parts.push(part(&reply));
        if input.is_empty() {
            break;
        }
    }
    if parts.is_empty() {
        return format!("{} bytes", bytes.len());
    }
    cut(&parts.join(", "), LONGEST)
}

fn part(reply: &Reply) -> String {
    match reply {
        Reply::Simple(text) => text.to_string(),
        Reply::Error(text) => format!("error: {text}"),
        Reply::Integer(number) => number.to_string(),
        Reply::Bulk(bytes) => word(bytes),
        Reply::Null | Reply::NullArray | Reply::Nothing => "nil".to_owned(),
        // A request is an array of its words.
        Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => listed(items.iter()),
        Reply::Map(pairs) | Reply::Pairs(pairs) => {
            listed(pairs.iter().flat_map(|(key, value)| [key, value]))
        }
        Reply::Header(count) => format!("{count} replies"),
        Reply::Double(number) => number.to_string(),
        Reply::Boolean(yes) => yes.to_string(),
        Reply::BigNumber(bytes) | Reply::Verbatim(_, bytes) => word(bytes),
    }
}

fn listed<'a>(items: impl Iterator<Item = &'a Reply>) -> String {
    items.map(part).collect::<Vec<_>>().join(" ")
}

fn word(bytes: &[u8]) -> String {
    cut(&String::from_utf8_lossy(bytes).replace(char::is_control, "·"), WORD)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_replies_are_told_in_short() {
        let mut set = BytesMut::new();
        let token = b"0123456789abcdef0123456789abcdef";
        resp::encode_request(&[b"SET", b"lock", token, b"NX", b"PX", b"1000"], &mut set);
        assert_eq!(told(&set), "SET lock 0123456789abc… NX PX 1000");
        assert_eq!(told(b"+OK\r\n"), "OK");
        assert_eq!(told(b"$-1\r\n"), "nil");
        assert_eq!(told(b":1\r\n:2\r\n"), "1, 2");
        assert_eq!(told(b"-NOSCRIPT no such\r\n"), "error: NOSCRIPT no such");
    }

    #[test]
    fn whatever_else_is_told_by_its_length() {
        assert_eq!(told(b"\x00\x01"), "2 bytes");
        assert_eq!(told(b""), "0 bytes");
        assert_eq!(told(b"*2\r\n$3\r\nSE"), "10 bytes");
    }
}
