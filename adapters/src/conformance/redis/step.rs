//! What a conversation with Redis is made of.
//!
//! Times keep their distance from each other, so that neither a busy machine nor the unknown phase of the
//! server's 100 ms timer decides what is seen. A wait takes 300 ms. A short time (100 ms) is over, and the timer has
//! come by, 100 ms before its end; a medium one (450 ms) is over in the middle of the second wait, 150 ms from either end;
//! one of a second 100 ms after the third and 200 ms before the end of the fourth; a long one (10 s) never.

use bytes::BytesMut;
use picklock_models::redis::resp::{decode_request, encode_request};
use picklock_models::transcript::{Line, unescape};

/// How long a wait is, in milliseconds.
pub(super) const WAIT_MS: u64 = 300;

/// One thing that a client does, or a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A command.
    Send {
        /// The connection, 1 to 4.
        connection: u64,
        /// Its words.
        words: Vec<Word>,
    },
    /// Bytes as they are, which need not be a request.
    Raw {
        /// The connection, 1 to 4.
        connection: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The client ends its connection.
    HangUp {
        /// The connection, 1 to 4.
        connection: u64,
    },
    /// 300 milliseconds go by.
    Wait,
}

impl Step {
    /// Whose step it is.
    pub(super) fn connection(&self) -> Option<u64> {
        match self {
            Step::Send { connection, .. }
            | Step::Raw { connection, .. }
            | Step::HangUp { connection } => Some(*connection),
            Step::Wait => None,
        }
    }
}

/// A word of a command, as far as it can be known beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The word itself.
    Text(Vec<u8>),
    /// What CLIENT ID says on a connection.
    ClientOf(u64),
    /// A Unix time of the server's clock, in milliseconds from now.
    UnixMs(i64),
    /// A Unix time of the server's clock, in seconds from now.
    UnixSeconds(i64),
}

/// A command in the quoting of an inline one: the way it stands in a transcript.
pub(super) fn quote(words: &[Vec<u8>]) -> String {
    let words: Vec<String> = words.iter().map(|word| quote_word(word)).collect();
    words.join(" ")
}

fn quote_word(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(plain) {
        return String::from_utf8_lossy(word).into_owned();
    }
    let mut text = String::from("\"");
    for byte in word {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => text += &format!("\\x{other:02x}"),
        }
    }
    text + "\""
}

/// The words of a command in such quoting; none if it is not well-formed.
pub(super) fn unquote(text: &str) -> Vec<Vec<u8>> {
    // A word in front, because a line that begins with an asterisk is no inline command.
    let mut bytes = BytesMut::from(format!("words {text}\r\n").as_bytes());
    let request = decode_request(&mut bytes).ok().flatten().unwrap_or_default();
    request.iter().skip(1).map(<[u8]>::to_vec).collect()
}

/// The words as a RESP request.
pub(super) fn encode(words: &[Vec<u8>]) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let mut bytes = BytesMut::new();
    encode_request(&words, &mut bytes);
    bytes.to_vec()
}

/// The commands that a line of a transcript sends: several, if raw bytes are that.
pub(super) fn commands(line: &Line<'_>) -> Vec<Vec<Vec<u8>>> {
    match line.sign {
        ">" => vec![unquote(line.text)],
        ">>" => {
            let mut bytes = BytesMut::from(unescape(line.text).unwrap_or_default().as_slice());
            let mut commands = Vec::new();
            while let Ok(Some(request)) = decode_request(&mut bytes) {
                if !request.is_empty() {
                    commands.push(request.iter().map(<[u8]>::to_vec).collect());
                }
            }
            commands
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{quote, unquote};

    #[test]
    fn quoted_words_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        let words = vec![b"SET".to_vec(), b"a \"b'\\".to_vec(), Vec::new(), all];
        assert_eq!(unquote(&quote(&words)), words);
        assert!(!quote(&words).contains('\n'));
    }
}
