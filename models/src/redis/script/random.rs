//! Redis' own random numbers for scripts (`src/rand.c`): drand48 with fixed constants, so that a
//! script draws the same numbers on every machine.
//!
//! The sequence starts with the server and is not started afresh for each script: 7.0 dropped that
//! together with the replication of whole scripts.

/// The generator's state, 48 bits.
pub(in crate::redis) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self(0x1234_ABCD_330E)
    }
}

impl Random {
    /// `redisSrand48`.
    pub(in crate::redis) fn seed(&mut self, seed: i32) {
        self.0 = (u64::from(seed as u32) << 16) | 0x330E;
    }

    /// The next number in 0..1, as `redis_math_random` makes it from `redisLrand48`.
    pub(in crate::redis) fn draw(&mut self) -> f64 {
        self.0 = (self.0.wrapping_mul(0x5_DEEC_E66D) + 0xB) & 0xFFFF_FFFF_FFFF;
        let top = i64::try_from(self.0 >> 17).expect("31 bits");
        let most = i64::from(i32::MAX);
        (top % most) as f64 / most as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed by `math.random()` on a real 7.0.15 after `math.randomseed(42)`.
    #[test]
    fn seeded_numbers_are_those_of_the_real_server() {
        let mut random = Random::default();
        random.seed(42);
        let drawn = [random.draw(), random.draw()].map(|number| format!("{number:.14}"));
        assert_eq!(drawn, ["0.74452500033403", "0.34270147855519"]);
    }
}
