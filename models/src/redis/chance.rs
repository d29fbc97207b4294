//! Where Redis draws at random (RANDOMKEY, SPOP, SRANDMEMBER, HRANDFIELD, ZRANDMEMBER), the model
//! draws from here: SplitMix64 from a fixed start, so that a run repeats. The real server's choices
//! differ from run to run, so no client can depend on them.

/// A sequence of numbers that looks random and is always the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Chance(u64);

impl Chance {
    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * limit as u128) >> 64) as usize
    }

    /// `wanted` different places of `total`, in order; all of them if there are no more.
    pub(super) fn places(&mut self, wanted: usize, total: usize) -> Vec<usize> {
        let mut left = wanted.min(total);
        let mut places = Vec::with_capacity(left);
        for place in 0..total {
            if left > 0 && self.below(total - place) < left {
                places.push(place);
                left -= 1;
            }
        }
        places
    }

    /// What a count asks for (`src/t_set.c` `srandmemberWithCountCommand`): that many different
    /// places, or, when it is negative, places that may repeat.
    pub(super) fn sample(&mut self, count: i64, total: usize) -> Vec<usize> {
        match usize::try_from(count) {
            Ok(wanted) => self.places(wanted, total),
            Err(_) => (0..count.unsigned_abs()).map(|_| self.below(total)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_different_and_as_many_as_wanted() {
        let mut chance = Chance::default();
        for wanted in 0..12 {
            let places = chance.places(wanted, 9);
            assert_eq!(places.len(), wanted.min(9));
            assert!(places.is_sorted_by(|one, other| one < other));
        }
        assert!((0..1000).all(|_| chance.below(3) < 3));
        assert_eq!(chance.sample(-20, 3).len(), 20);
    }
}
