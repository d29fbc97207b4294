//! A rolling digest of everything that happens in a run: equal digests, equal runs.
//!
//! A count of random draws would miss a divergence that draws the same number; a digest over every
//! event (time, host, kind, payload) misses nothing and costs a multiplication per word.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The digest of a run so far. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Digest(0x70_69_63_6b_6c_6f_63_6b)
    }
}

impl Digest {
    /// Mixes one number in.
    #[inline]
    pub fn number(&mut self, number: u64) {
        self.pair(0, number);
    }

    /// Mixes two numbers in: a folded 128-bit multiplication, as wyhash uses.
    #[inline]
    pub fn pair(&mut self, high: u64, low: u64) {
        let product = u128::from(self.0 ^ high ^ 0xa076_1d64_78bd_642f)
            * u128::from(low ^ 0xe703_7ed1_a0b4_28db);
        // The rotation of the old state keeps it alive where a factor happens to be zero.
        self.0 = (product as u64) ^ ((product >> 64) as u64) ^ self.0.rotate_left(23);
    }

    /// Mixes bytes in, with their length.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            self.word(u128::from_le_bytes(*pair));
        }
        if rest.is_empty() {
            return;
        }
        // The last sixteen, some of them for the second time: their number tells them apart.
        if let Some(last) = bytes.last_chunk() {
            return self.word(u128::from_le_bytes(*last));
        }
        self.word(rest.iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte)));
    }

    #[inline]
    fn word(&mut self, word: u128) {
        self.pair((word >> 64) as u64, word as u64);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let valid = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u64::from_str_radix(&text, 16) {
            Ok(value) if valid => Ok(Digest(value)),
            _ => Err(de::Error::custom(format!("`{text}` is not a digest of 16 hex digits"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(parts: &[&[u8]]) -> Digest {
        let mut digest = Digest::default();
        for part in parts {
            digest.bytes(part);
        }
        digest
    }

    #[test]
    fn a_pair_is_neither_its_reverse_nor_its_sum() {
        let digest = |high, low| {
            let mut digest = Digest::default();
            digest.pair(high, low);
            digest
        };
        assert_ne!(digest(1, 2), digest(2, 1));
        assert_ne!(digest(1, 2), digest(0, 3));
        assert_ne!(digest(0, 0), Digest::default());
    }

    #[test]
    fn order_boundaries_and_content_matter() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"b", b"a"]));
        assert_ne!(digest(&[b""]), digest(&[]));
        assert_ne!(digest(&[b"\0"]), digest(&[b"\0\0"]));
        assert_eq!(digest(&[b"same"]), digest(&[b"same"]));
    }
}
