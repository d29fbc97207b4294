//! Work on many seeds at once, taken in one by one in their order.
//!
//! There is no batch and so no barrier at which threads wait for the slowest seed: every thread takes
//! the next seed that nobody has begun, and whoever ends the one that is due takes in all that follow
//! it and are done. What is done early waits; how far a thread may run ahead is bounded, and with it
//! the memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How many seeds there can be between the one that is due and the last that was begun: enough that
/// one seed that takes a hundred times as long as others stops nobody.
pub(super) const AHEAD: u64 = 256;

/// Does `work` for each seed on all threads of the pool, and hands what came of it to `take` in the
/// order of the seeds, until `take` returns false. What was begun beyond that seed is thrown away, so
/// that the end does not depend on the threads.
pub(super) fn in_order<T: Send>(
    seeds: Range<u64>,
    work: impl Fn(u64) -> T + Sync,
    take: impl FnMut(T) -> bool + Send,
) {
    let Range { start, end } = seeds;
    let line = Line { due: start, next: start, end, early: BTreeMap::new(), take };
    let shared = Shared { line: Mutex::new(line), moved: Condvar::new() };
    rayon::broadcast(|_| {
        let _leaves = Leaves(&shared);
        while let Some(seed) = shared.begin() {
            let done = work(seed);
            shared.lock().done(seed, done);
            shared.moved.notify_all();
        }
    });
}

/// The seeds between the one that is due and the last that was begun.
struct Line<T, F> {
    /// The next to be taken in.
    due: u64,
    /// The next that nobody has begun.
    next: u64,
    end: u64,
    /// Done, but not due.
    early: BTreeMap<u64, T>,
    take: F,
}

struct Shared<T, F> {
    line: Mutex<Line<T, F>>,
    moved: Condvar,
}

impl<T, F: FnMut(T) -> bool> Line<T, F> {
    fn done(&mut self, seed: u64, done: T) {
        self.early.insert(seed, done);
        while let Some(done) = self.early.remove(&self.due) {
            self.due += 1;
            if self.due <= self.end && !(self.take)(done) {
                self.stop();
            }
        }
    }
}

impl<T, F> Line<T, F> {
    /// Nothing more is begun or taken in.
    fn stop(&mut self) {
        self.end = 0;
    }
}

impl<T, F> Shared<T, F> {
    /// The next seed, as soon as it may be begun.
    fn begin(&self) -> Option<u64> {
        let too_early =
            |line: &mut Line<T, F>| line.next < line.end && line.next - line.due >= AHEAD;
        let waited = self.moved.wait_while(self.lock(), too_early);
        let mut line = waited.unwrap_or_else(PoisonError::into_inner);
        let seed = line.next;
        (seed < line.end).then(|| {
            line.next += 1;
            seed
        })
    }

    fn lock(&self) -> MutexGuard<'_, Line<T, F>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that panics ends the work of the others too: its seed will never be done, and they would
/// wait for it for ever.
struct Leaves<'a, T, F>(&'a Shared<T, F>);

impl<T, F> Drop for Leaves<'_, T, F> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().stop();
            self.0.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic;
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_seed_is_taken_once_and_in_order(
            (start, count, last, threads) in (0..1000_u64, 0..600_u64, 0..700_u64, 1..9_usize),
        ) {
            let mut taken = Vec::new();
            // Some seeds take a thousand times as long as others.
            let work = |seed| (0..seed % 97 * seed % 89).fold(seed, |sum, more| sum ^ more ^ more);
            let take = |seed| {
                taken.push(seed);
                (taken.len() as u64) < last
            };
            on_threads(threads, || in_order(start..start + count, work, take));
            let all: Vec<u64> = (start..start + count).take((last as usize).max(1)).collect();
            prop_assert_eq!(taken, all);
        }
    }

    #[test]
    fn nobody_runs_ahead_without_bound() {
        let due = AtomicU64::new(0);
        let work = |seed| {
            assert!(seed - due.load(Ordering::SeqCst) <= AHEAD);
            if seed == 0 {
                // The others have all the time in the world.
                (0..100_000).for_each(|_| thread::yield_now());
            }
        };
        let take = |()| {
            due.fetch_add(1, Ordering::SeqCst);
            true
        };
        on_threads(4, || in_order(0..10 * AHEAD, work, take));
        assert_eq!(due.into_inner(), 10 * AHEAD);
    }

    #[test]
    fn a_panic_ends_it_and_comes_out() {
        for bad in [0, 5, 2 * AHEAD] {
            let all = || in_order(0..u64::MAX, |seed| assert_ne!(seed, bad), |()| true);
            assert!(panic::catch_unwind(|| on_threads(4, all)).is_err());
            let all = || in_order(0..u64::MAX, |seed| seed, |seed| panic!("at {seed}"));
            assert!(panic::catch_unwind(|| on_threads(4, all)).is_err());
        }
    }
}
