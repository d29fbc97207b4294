//! Sessions: how long they live without a word, and who may go on with one.
//!
//! A session ends with the tick in which its time is up, not at the very instant: what is silent for a
//! timeout is gone up to one tick later, never earlier. All by the steady clock, so that a step of the
//! calendar clock ends nothing (`server/ExpiryQueue.java`, `server/SessionTrackerImpl.java`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::records::ZkSessionId;
use crate::time::SteadyTime;

/// A multiple of the tick, in milliseconds of the steady clock.
type DueMs = u64;

/// The sessions that this server looks after.
#[derive(Debug)]
pub(super) struct Sessions {
    tick_ms: u32,
    next: i64,
    due: BTreeMap<ZkSessionId, DueMs>,
    by_due: BTreeSet<(DueMs, ZkSessionId)>,
}

impl Sessions {
    /// None yet. The first one's number is made of the server's own and of the steady clock's
    /// milliseconds, the following ones count up (`initializeNextSessionId`).
    pub(super) fn new(server_id: u8, tick_ms: u32, now: SteadyTime) -> Self {
        let time_bits = (ms(now) << 24) >> 8;
        let next = ((u64::from(server_id) << 56) | time_bits) as i64;
        // A container's mark is no session.
        let next = if next == i64::MIN { next + 1 } else { next };
        Self { tick_ms: tick_ms.max(1), next, due: BTreeMap::new(), by_due: BTreeSet::new() }
    }

    /// A new session's number.
    pub(super) fn next_id(&mut self) -> ZkSessionId {
        let id = ZkSessionId(self.next);
        self.next += 1;
        id
    }

    /// The timeout that holds for a client that would like `wish_ms`: 2 to 20 ticks.
    pub(super) fn negotiate(&self, wish_ms: i32) -> i32 {
        let ticks =
            |count: u32| i32::try_from(self.tick_ms.saturating_mul(count)).unwrap_or(i32::MAX);
        wish_ms.clamp(ticks(2), ticks(20))
    }

    /// From now on this session is looked after.
    pub(super) fn track(&mut self, session: ZkSessionId, timeout_ms: i32, now: SteadyTime) {
        let tick_ms = u64::from(self.tick_ms);
        let silent_ms = ms(now).saturating_add(timeout_ms.max(0) as u64);
        let due = (silent_ms / tick_ms + 1) * tick_ms;
        self.remove(session);
        self.due.insert(session, due);
        self.by_due.insert((due, session));
    }

    /// The client said something; whether its session is alive.
    pub(super) fn touch(&mut self, session: ZkSessionId, timeout_ms: i32, now: SteadyTime) -> bool {
        let alive = self.due.contains_key(&session);
        if alive {
            self.track(session, timeout_ms, now);
        }
        alive
    }

    /// The session is over.
    pub(super) fn remove(&mut self, session: ZkSessionId) {
        if let Some(due) = self.due.remove(&session) {
            self.by_due.remove(&(due, session));
        }
    }

    /// A session whose time is up.
    pub(super) fn overdue(&self, now: SteadyTime) -> Option<ZkSessionId> {
        let (due, session) = self.by_due.first()?;
        (*due <= ms(now)).then_some(*session)
    }

    /// When the next session ends, if nobody says anything.
    pub(super) fn next_due(&self) -> Option<SteadyTime> {
        let (due, _) = self.by_due.first()?;
        Some(SteadyTime::default() + Duration::from_millis(*due))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.due.len()
    }
}

/// Whole milliseconds of a steady clock (`common/Time.java` `currentElapsedTime`).
fn ms(now: SteadyTime) -> u64 {
    now.as_nanos() / 1_000_000
}

/// The password of a session: 16 bytes of Java's `Random`, whose seed is the session's number and a
/// constant that everybody knows (`ZooKeeperServer.generatePasswd`).
pub(super) fn password(session: ZkSessionId) -> Bytes {
    const SUPER_SECRET: i64 = 0xB341_5C00;
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut seed = ((session.0 ^ SUPER_SECRET) as u64 ^ MULTIPLIER) & MASK;
    let mut password = BytesMut::with_capacity(16);
    for _ in 0..4 {
        seed = seed.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        password.put_u32_le((seed >> 16) as u32);
    }
    password.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SteadyTime {
        SteadyTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_silent_session_ends_with_the_tick_after_its_timeout() {
        let mut sessions = Sessions::new(1, 2000, at(0));
        let session = sessions.next_id();
        // 500 + 4000 is in the tick that ends at 6000.
        sessions.track(session, 4000, at(500));
        assert_eq!(sessions.next_due(), Some(at(6000)));
        assert_eq!(sessions.overdue(at(5999)), None);
        assert_eq!(sessions.overdue(at(6000)), Some(session));
        // At the very beginning of a tick it is one tick more.
        assert!(sessions.touch(session, 4000, at(2000)));
        assert_eq!(sessions.next_due(), Some(at(8000)));
        sessions.remove(session);
        assert!(!sessions.touch(session, 4000, at(2000)));
        assert_eq!((sessions.next_due(), sessions.len()), (None, 0));
    }

    #[test]
    fn timeouts_are_two_to_twenty_ticks() {
        let sessions = Sessions::new(1, 2000, at(0));
        let negotiated = [i32::MIN, 0, 3999, 4001, 40_000, 40_001].map(|ms| sessions.negotiate(ms));
        assert_eq!(negotiated, [4000, 4000, 4000, 4001, 40_000, 40_000]);
    }

    #[test]
    fn numbers_count_up_from_the_server_and_the_clock() {
        let mut sessions = Sessions::new(1, 2000, at(0x12_3456));
        assert_eq!(sessions.next_id().0, 0x0100_0012_3456_0000);
        assert_eq!(sessions.next_id().0, 0x0100_0012_3456_0001);
    }

    /// Java: `new Random(0).nextBytes(..)` begins with 60 b4 20 bb 38 51 d9 d4.
    #[test]
    fn passwords_are_javas_random_bytes() {
        let bytes = password(ZkSessionId(0xB341_5C00));
        assert_eq!(bytes[..8], [0x60, 0xb4, 0x20, 0xbb, 0x38, 0x51, 0xd9, 0xd4]);
        assert_eq!(bytes.len(), 16);
    }
}
