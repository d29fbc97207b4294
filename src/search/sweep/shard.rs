//! A share of the seeds of a sweep, for one machine of several.
//!
//! Shares are blocks, not every n-th seed: the account of a block is the account of a shorter sweep,
//! `--resume` goes on at its next seed, and blocks in their order are the whole. Plans are drawn
//! from their seeds independently, so that no block is harder than another.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Block `number` of `of`, written `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Which, from 1.
    number: u32,
    /// Of how many.
    of: u32,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// All that together are the whole.
    pub fn all(self) -> impl Iterator<Item = Shard> {
        (1..=self.of).map(move |number| Self { number, ..self })
    }

    /// Of how many it is one.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The seeds that fall to it.
    pub fn share(self, seeds: &Range<u64>) -> Range<u64> {
        let Range { start, end } = *seeds;
        let begin = |number: u32| {
            let before = u128::from(end - start) * u128::from(number) / u128::from(self.of);
            start + before as u64
        };
        begin(self.number - 1)..begin(self.number)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no shard; write `2/4` for the second of four");
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let (one, of) = text.split_once('/').ok_or_else(wrong)?;
        let (one, of) = (number(one)?, number(of)?);
        match (1..=of).contains(&one) {
            true => Ok(Self { number: one, of }),
            false => Err(format!("`{text}` is no shard: there are only 1/{of} to {of}/{of}")),
        }
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shards_are_the_whole_and_equally_large(
            (start, length, of) in (0..u64::MAX / 2, 0..u64::MAX / 2, 1..40_u32),
        ) {
            let seeds = start..start + length;
            let mut next = start;
            for shard in (Shard { number: 1, of }).all() {
                let share = shard.share(&seeds);
                prop_assert_eq!(share.start, next);
                prop_assert!((share.end - share.start).abs_diff(length / u64::from(of)) <= 1);
                next = share.end;
                prop_assert_eq!(shard.to_string().parse(), Ok(shard));
            }
            prop_assert_eq!(next, seeds.end);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for nonsense in ["", "2", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/2/3"] {
            assert!(nonsense.parse::<Shard>().is_err(), "{nonsense}");
        }
    }
}
