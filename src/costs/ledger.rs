//! Adds up what runs cost, event by event.

use std::collections::BTreeSet;

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
            hand_over_ms: self.hand_overs.get(),
            woken: self.woken.get(),
            free_after_crash_ms: self.crashes.get(),
        }
    }

    /// Adds a run of a lock that is kept at `server`.
    pub fn add(&mut self, history: &History, tap: &Tap, server: HostName) {
        let of_the_lock = |message: &&Message| message.from == server || message.to == server;
        self.messages += tap.messages.iter().filter(of_the_lock).count() as u32;
        let mut asking: BTreeSet<HostName> = BTreeSet::new();
        let mut holder = None;
        let (mut released, mut crashed): (Option<SimTime>, Option<SimTime>) = (None, None);
        for event in &history.events {
            match (event.op, event.kind) {
                (Op::Acquire { .. }, Kind::Invoke) => drop(asking.insert(event.process)),
                (Op::Acquire { .. }, kind) => {
                    asking.remove(&event.process);
                    if kind == Kind::Ok {
                        self.grants += 1;
                        holder = Some(event.process);
                        let since = |from: SimTime| event.at.since(from).as_secs_f64() * 1000.0;
                        self.hand_overs.extend(released.take().map(since));
                        self.crashes.extend(crashed.take().map(since));
                    }
                }
                (Op::Crashed, _) => {
                    asking.remove(&event.process);
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

/// To how many clients the server sent something at the instant of a release, besides the one who gave the
/// lock back. A server of a simulated world takes no time, so what it says at once it says because of that.
fn woken(tap: &Tap, release: &Event, by: HostName) -> u32 {
    let first = tap.messages.partition_point(|message| message.sent < release.at);
    let at_once = tap.messages[first..].iter().take_while(|message| message.sent == release.at);
    let woken = at_once.filter(|message| message.from == release.process && message.to != by);
    woken.map(|message| message.to).collect::<BTreeSet<_>>().len() as u32
}
