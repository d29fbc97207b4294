//! `starvation`: nobody who keeps trying is passed over without end.
//!
//! Counted in grants to others, not in time (bounded bypass, as the literature on mutual exclusion
//! since Dijkstra and Lamport has it), and from the heal on, because before it anybody may be cut
//! off. A client that gives up and asks again goes on waiting; one that crashes does not. Where no
//! bypass reaches the bound, the absence of starvation is shown only if everybody who asked was
//! served after the heal; else the run was too short to tell.

use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::evidence::{in_order, millis, sentence};
use super::per_host::PerHost;
use super::{Case, Checker};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct Starvation;

impl Checker for Starvation {
    fn name(&self) -> &'static str {
        "starvation"
    }

    fn claim(&self) -> Claim {
        Claim::NoStarvation
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let mut pass = Pass {
            history,
            healed: 0,
            waiters: PerHost::new(),
            highest: 0,
            grants: Vec::new(),
            starved: None,
            times: 0,
        };
        pass.healed = history.events.partition_point(|e| e.at < history.header.heal_at) as u32;
        pass.run();
        match pass.starved.take() {
            Some(starved) => Verdict::Fail(pass.violation(&starved)),
            None => pass.unless_somebody_waits(),
        }
    }
}

/// What is remembered of one client.
#[derive(Clone, Copy, Default)]
struct Waiter {
    /// It asked first at this event, and was not served since.
    since: Option<u32>,
    /// Its acquire is open; others had been granted so often when it was opened.
    open: Option<usize>,
    /// Grants to others while its earlier acquires of this wait were open.
    passed: usize,
    /// It was granted the lock at least once since the heal.
    served: bool,
}

/// A wait in which others were served too often.
#[derive(Clone, Copy)]
struct Starved {
    client: HostName,
    since: u32,
    /// Index of the grant that was one too many.
    grant: u32,
    passed: usize,
    until: SimTime,
}

struct Pass<'a> {
    history: &'a History,
    /// Index of the first event after the heal.
    healed: u32,
    waiters: PerHost<Waiter>,
    highest: u16,
    /// Grants since the heal, by index. A waiting client is never among those it waits for.
    grants: Vec<u32>,
    starved: Option<Starved>,
    times: u32,
}

impl Pass<'_> {
    fn run(&mut self) {
        for event in &self.history.events {
            let client = event.process;
            match (event.op, event.kind) {
                (Op::Acquire { .. }, Kind::Invoke) => {
                    self.highest = self.highest.max(client.number);
                    let granted = self.grants.len();
                    let waiter = self.waiters.of(client);
                    waiter.since.get_or_insert(event.index);
                    waiter.open = Some(granted);
                }
                (Op::Acquire { .. }, kind) => {
                    self.end_wait(client, event.at);
                    let is_healed = event.index >= self.healed;
                    let waiter = self.waiters.of(client);
                    if kind == Kind::Ok {
                        *waiter =
                            Waiter { served: waiter.served || is_healed, ..Waiter::default() };
                        if is_healed {
                            self.grants.push(event.index);
                        }
                    }
                }
                (Op::Crashed, _) if client.is_client() => {
                    self.end_wait(client, event.at);
                    let waiter = self.waiters.of(client);
                    *waiter = Waiter { served: waiter.served, ..Waiter::default() };
                }
                _ => {}
            }
        }
        for number in 1..=self.highest {
            let client = HostName::client(number);
            self.leave_open(client);
        }
    }

    /// A client's acquire was answered, or died with it.
    fn end_wait(&mut self, client: HostName, now: SimTime) {
        let granted = self.grants.len();
        let bound = self.history.header.starvation_bound as usize;
        let waiter = self.waiters.of(client);
        let (Some(open), Some(since)) = (waiter.open.take(), waiter.since) else { return };
        let before = waiter.passed;
        waiter.passed += granted - open;
        let passed = waiter.passed;
        if before <= bound && passed > bound {
            self.times += 1;
            let grant = self.grants[open + bound - before];
            let found = Starved { client, since, grant, passed, until: now };
            if self.starved.is_none_or(|first| grant < first.grant) {
                self.starved = Some(found);
            }
        }
    }

    /// An acquire that is still open at the end.
    fn leave_open(&mut self, client: HostName) {
        let open = self.waiters.of(client).open;
        self.end_wait(client, self.history.header.end_at);
        self.waiters.of(client).open = open;
    }

    /// Whoever still waits at the end and was never served since the heal leaves the question open.
    fn unless_somebody_waits(&mut self) -> Verdict {
        for number in 1..=self.highest {
            let client = HostName::client(number);
            let waiter = *self.waiters.of(client);
            if let (Some(_), false) = (waiter.open, waiter.served) {
                return Verdict::Unknown {
                    reason: format!(
                        "{client} still waited at the end and was not served since the heal, but \
                         others were granted the lock only {} times meanwhile; more than {} would \
                         be starvation",
                        waiter.passed, self.history.header.starvation_bound
                    ),
                };
            }
        }
        Verdict::Pass
    }

    fn violation(&self, starved: &Starved) -> Violation {
        let Starved { client, since, grant, passed, until } = *starved;
        let at = |index: u32| self.history.events[index as usize].at;
        let heal_at = self.history.header.heal_at;
        let counted_from = at(since).max(heal_at);
        let waited = until.since(at(since));
        Violation {
            at: at(grant),
            times: self.times,
            lasted_ms: Some(millis(waited)),
            witnesses: in_order(self.history, vec![since, grant]),
            story: [
                format!("{client} asked for the lock at {} and kept asking.", at(since)),
                format!(
                    "From {counted_from}, with everything healed, others were granted it {passed} \
                     times until {until}."
                ),
                format!(
                    "{} was passed over more than {} times, the first time too many at {}.",
                    sentence(client),
                    self.history.header.starvation_bound,
                    at(grant)
                ),
            ],
        }
    }
}

#[cfg(test)]
mod tests;
