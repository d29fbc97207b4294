//! All chance of a run: one seed, split into named streams.
//!
//! Each consumer (a link, a host, the scheduler) draws from a stream of its own, derived from the
//! seed and its name. So a draw added in one place, or a fault taken out of a plan, shifts nothing
//! elsewhere; that is what makes plans shrinkable and comparisons paired. The generator is our own
//! and frozen, because a seed in somebody's bug report must mean the same run next year, which no
//! `rand` release promises.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

/// The number from which everything that is drawn during a run follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of that name (often `format_args!`: a run names many). The same seed and name give
    /// the same stream on every machine.
    pub fn stream(self, name: impl fmt::Display) -> Stream {
        // FNV-1a over the name, then splitmix64 to fill the state: both fixed by their definition.
        let mut name_hash = Fnv(0xcbf2_9ce4_8422_2325_u64 ^ self.0);
        write!(name_hash, "{name}").expect("a hash takes any text");
        let Fnv(mut hash) = name_hash;
        let mut state = [0; 4];
        for word in &mut state {
            hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
            *word = splitmix64(hash ^ self.0.rotate_left(32));
        }
        Stream { state }
    }

    /// A seed for a part of the work, as independent of this one as a stream is.
    pub fn derive(self, name: impl fmt::Display) -> Seed {
        Seed(self.stream(name).next_u64())
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A 64-bit FNV-1a hash of what is written into it.
struct Fnv(u64);

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}

fn splitmix64(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of random numbers: xoshiro256** (Blackman and Vigna, 2018).
#[derive(Clone, Debug)]
pub struct Stream {
    state: [u64; 4],
}

impl Stream {
    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= t;
        *s3 = s3.rotate_left(45);
        result
    }

    /// A number below `bound`, which must not be zero. The bias of the multiplication is below
    /// `bound` / 2^64: nothing that a simulation could see, and it always takes one draw.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a number below zero cannot be drawn");
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "an empty range cannot be drawn from");
        match (high - low).checked_add(1) {
            Some(width) => low + self.below(width),
            None => self.next_u64(),
        }
    }

    /// True in `percent` of 100 draws.
    pub fn percent(&mut self, percent: u8) -> bool {
        self.below(100) < u64::from(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: if these numbers change, every seed anybody wrote down has lost its meaning.
    #[test]
    fn the_generator_never_changes() {
        let mut stream = Seed(7).stream("link client 1 > redis");
        let drawn: Vec<u64> = (0..3).map(|_| stream.next_u64()).collect();
        assert_eq!(drawn, FROZEN);
    }

    const FROZEN: [u64; 3] = [4060696849953541502, 2070439161376970369, 14724727471774944923];

    #[test]
    fn streams_of_other_names_and_seeds_differ() {
        let draw = |seed: u64, name: &str| Seed(seed).stream(name).next_u64();
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_eq!(draw(1, "a"), draw(1, "a"));
    }

    #[test]
    fn ranges_are_inclusive_and_reached() {
        let mut stream = Seed(1).stream("range");
        let drawn: std::collections::BTreeSet<u64> =
            (0..200).map(|_| stream.between(3, 6)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
    }
}
