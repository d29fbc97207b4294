//! Adds up what runs cost, event by event.

use std::collections::{BTreeMap, BTreeSet};

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::tap::{Message, Tap};
use picklock_sim::time::SimTime;

use super::Measured;
use crate::terms::History;

/// Sums over runs.
#[derive(Debug, Default)]
pub struct Ledger {
    grants: u32,
    messages: u32,
    /// How long each acquire took, in milliseconds.
    acquires: Vec<f64>,
    /// How long the runs were.
    seconds: f64,
    /// Milliseconds from the beginning of each release to the next grant.
    hand_overs: Mean,
    woken: Mean,
    /// Milliseconds from each crash of a holder to the next grant.
    crashes: Mean,
}

#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        for value in values {
            self.sum += value;
            self.count += 1;
        }
    }

    fn get(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

impl Ledger {
    /// What it comes to.
    pub fn measured(&self) -> Measured {
        let messages = f64::from(self.messages) / f64::from(self.grants);
        Measured {
            messages: (self.grants > 0).then_some(messages),
            acquire_p50_ms: percentile(&self.acquires, 50),
            acquire_p99_ms: percentile(&self.acquires, 99),
            grants_per_s: (self.seconds > 0.0).then(|| f64::from(self.grants) / self.seconds),
            hand_over_ms: self.hand_overs.get(),
            woken: self.woken.get(),
            free_after_crash_ms: self.crashes.get(),
        }
    }

    /// Adds a run of a lock that is kept at `servers`.
    pub fn add(&mut self, history: &History, tap: &Tap, servers: &[HostName]) {
        let of_the_lock =
            |message: &&Message| servers.contains(&message.from) || servers.contains(&message.to);
        self.messages += tap.messages.iter().filter(of_the_lock).count() as u32;
        self.seconds += history.header.end_at.since(SimTime::ZERO).as_secs_f64();
        let mut asking: BTreeSet<HostName> = BTreeSet::new();
        // Who is refused and asks again is still not served.
        let mut asked_first: BTreeMap<HostName, SimTime> = BTreeMap::new();
        let mut holder = None;
        let (mut released, mut crashed): (Option<SimTime>, Option<SimTime>) = (None, None);
        for event in &history.events {
            match (event.op, event.kind) {
                (Op::Acquire { .. }, Kind::Invoke) => {
                    asking.insert(event.process);
                    asked_first.entry(event.process).or_insert(event.at);
                }
                (Op::Acquire { .. }, kind) => {
                    asking.remove(&event.process);
                    if kind == Kind::Ok {
                        let asked = asked_first.remove(&event.process);
                        self.grants += 1;
                        holder = Some(event.process);
                        let since = |from: SimTime| event.at.since(from).as_secs_f64() * 1000.0;
                        self.acquires.extend(asked.map(since));
                        self.hand_overs.extend(released.take().map(since));
                        self.crashes.extend(crashed.take().map(since));
                    }
                }
                (Op::Crashed, _) => {
                    asking.remove(&event.process);
                    asked_first.remove(&event.process);
                    if holder == Some(event.process) {
                        (crashed, released) = (Some(event.at), None);
                    }
                }
                (Op::Release, Kind::Invoke) if !asking.is_empty() => released = Some(event.at),
                (Op::Record { record, change: ChangeKind::Deleted, by: Some(by), .. }, _)
                    if record == RecordName::Lock && holder == Some(by) && !asking.is_empty() =>
                {
                    self.woken.extend([f64::from(woken(tap, event, by))]);
                }
                _ => {}
            }
        }
    }
}

/// The least value that so many of 100 do not exceed (nearest rank).
fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// To how many clients the server sent something at the instant of a release, besides the one who gave the
/// lock back. A server of a simulated world takes no time, so what it says at once it says because of that.
fn woken(tap: &Tap, release: &Event, by: HostName) -> u32 {
    let first = tap.messages.partition_point(|message| message.sent < release.at);
    let at_once = tap.messages[first..].iter().take_while(|message| message.sent == release.at);
    let woken = at_once.filter(|message| message.from == release.process && message.to != by);
    woken.map(|message| message.to).collect::<BTreeSet<_>>().len() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::fixture::Script;

    fn message(from: HostName, to: HostName, at_ms: u64) -> Message {
        let sent = SimTime::from_millis(at_ms);
        Message { from, to, sent, arrived: None, bytes: Vec::new() }
    }

    fn ledger(script: Script, messages: Vec<Message>) -> Measured {
        let mut ledger = Ledger::default();
        let tap = Tap { messages, clocks: Vec::new() };
        ledger.add(&script.done(), &tap, &[HostName::REDIS]);
        ledger.measured()
    }

    /// Client 1 holds, the others wait; at 20 ms it gives the lock back, at 30 ms the server has it.
    fn handed_over() -> Script {
        let held = Script::sale(9).at(10).asks(1).locked(1).granted(1).asks(2).asks(3);
        let given_back = held.at(20).invoke(1, Op::Release).at(30).unlocked(1, 1);
        given_back.locked(2).at(35).ok(1, Op::Release).at(45).granted(2)
    }

    #[test]
    fn a_hand_over_is_from_the_holder_s_call_to_the_next_grant() {
        let measured = ledger(handed_over(), Vec::new());
        assert_eq!(measured.hand_over_ms, Some(25.0));
        assert_eq!((measured.woken, measured.free_after_crash_ms), (Some(0.0), None));
    }

    #[test]
    fn an_acquire_is_from_the_first_question_to_the_grant() {
        let measured = ledger(handed_over(), Vec::new());
        // Client 1 waits for nothing, client 2 from 10 to 45 ms; client 3 is not granted it.
        assert_eq!((measured.acquire_p50_ms, measured.acquire_p99_ms), (Some(0.0), Some(35.0)));
        let refused = Script::sale(9).at(10).asks(1).at(20).fail(1, Op::ACQUIRE);
        let refused = refused.at(70).asks(1).locked(1).at(90).granted(1);
        assert_eq!(ledger(refused, Vec::new()).acquire_p50_ms, Some(80.0));
        let seconds = handed_over().done().header.end_at.since(SimTime::ZERO).as_secs_f64();
        assert_eq!(measured.grants_per_s, Some(2.0 / seconds));
    }

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(
            [50, 99, 100].map(|percent| percentile(&values, percent)),
            [100.0, 198.0, 200.0].map(Some)
        );
        assert_eq!(percentile(&values[..1], 1), Some(200.0));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn woken_are_those_the_server_writes_to_at_once_but_for_the_one_who_gave_it_back() {
        let (redis, client) = (HostName::REDIS, HostName::client);
        let messages = vec![
            message(client(1), redis, 25),
            message(redis, client(1), 30),
            message(redis, client(2), 30),
            message(redis, client(2), 30),
            message(redis, client(3), 31),
            message(client(2), HostName::SHOP, 46),
        ];
        let measured = ledger(handed_over(), messages);
        assert_eq!(measured.woken, Some(1.0));
        assert_eq!(measured.messages, Some(2.5), "5 with the lock's server, 2 grants");
    }

    #[test]
    fn nobody_waits_for_a_lock_that_nobody_asks_for() {
        let alone = Script::sale(9).at(10).asks(1).locked(1).granted(1);
        let alone = alone.at(20).invoke(1, Op::Release).unlocked(1, 1).ok(1, Op::Release);
        let measured = ledger(alone.at(90).asks(2).locked(2).granted(2), Vec::new());
        assert_eq!((measured.hand_over_ms, measured.woken), (None, None));
    }

    #[test]
    fn after_a_crash_the_lock_is_nobody_s_until_the_next_grant() {
        let held = Script::sale(9).at(10).asks(1).locked(1).granted(1).asks(2);
        let died = held.at(20).crashed(HostName::client(1)).at(1000).expired(1).locked(2);
        let measured = ledger(died.at(1020).granted(2), Vec::new());
        assert_eq!((measured.free_after_crash_ms, measured.hand_over_ms), (Some(1000.0), None));
        let nothing = ledger(Script::sale(9), Vec::new());
        assert_eq!(nothing, Measured { grants_per_s: Some(0.0), ..Measured::default() });
    }
}
