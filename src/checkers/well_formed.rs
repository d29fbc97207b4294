//! `well-formed`: the history is one that a run can have.
//!
//! This judges the test-bed, not the lock. All other checkers build on what is checked here, so a
//! history with any flaw is judged by nobody: a verdict drawn from garbage would be worse than none.
//! It never says fail, because a broken witness proves nothing about the accused.

use picklock_sim::history::{Event, Kind, Op};
use picklock_sim::host::{HostName, Role};
use picklock_sim::time::SimTime;

use super::per_host::PerHost;
use super::{Case, Checker};
use crate::terms::{Claim, History, Terms, WorkloadKind};
use crate::verdict::Verdict;

/// What is wrong. Two words small: it is handed up for every event, and nearly always absent.
type Flaw = Box<str>;

/// See the module.
pub(super) struct WellFormed;

impl Checker for WellFormed {
    fn name(&self) -> &'static str {
        "well-formed"
    }

    fn claim(&self) -> Claim {
        Claim::WellFormed
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        match examine(history) {
            Ok(()) => Verdict::Pass,
            Err(flaw) => Verdict::Unknown { reason: format!("the history is malformed: {flaw}") },
        }
    }
}

fn examine(history: &History) -> Result<(), Flaw> {
    examine_terms(&history.header)?;
    let mut run = Run {
        terms: &history.header,
        now: SimTime::ZERO,
        healed: false,
        begun: Vec::new(),
        processes: PerHost::new(),
    };
    for (place, event) in history.events.iter().enumerate() {
        if event.index as usize != place {
            return flaw(format!("the event at place {place} has index {}", event.index));
        }
        run.take(event).map_err(|flaw| format!("event {place} ({event}): {flaw}"))?;
    }
    if !run.healed && run.terms.heal_at < run.terms.end_at {
        return flaw(format!(
            "it ends after {} events without the heal at {}, so its end is missing",
            history.events.len(),
            run.terms.heal_at
        ));
    }
    Ok(())
}

fn examine_terms(terms: &Terms) -> Result<(), Flaw> {
    if terms.clients == 0 {
        return flaw("its terms know no client");
    }
    if terms.end_at == SimTime::ZERO || terms.heal_at > terms.end_at {
        return flaw(format!(
            "its terms let it heal at {} and end at {}",
            terms.heal_at, terms.end_at
        ));
    }
    if terms.workload == WorkloadKind::Sale && terms.initial < 0 {
        return flaw(format!("its terms put {} units up for sale", terms.initial));
    }
    Ok(())
}

/// What is known of one process at one moment.
#[derive(Default)]
struct Process {
    /// It has done something.
    seen: bool,
    down: bool,
    /// Since when it stands still.
    paused: Option<SimTime>,
    /// It was granted the lock since it booted.
    granted: bool,
    /// Its open operations, one bit for each kind.
    open: u16,
    /// What its open write writes.
    writing: Option<(i64, Option<u64>)>,
}

struct Run<'a> {
    terms: &'a Terms,
    now: SimTime,
    healed: bool,
    /// Which faults have begun, by index.
    begun: Vec<bool>,
    processes: PerHost<Process>,
}

impl Run<'_> {
    fn take(&mut self, event: &Event) -> Result<(), Flaw> {
        if event.at < self.now {
            return flaw(format!("time goes back, from {}", self.now));
        }
        if event.at > self.terms.end_at {
            return flaw(format!("it lies beyond the end of the run at {}", self.terms.end_at));
        }
        self.now = event.at;
        self.exists(event.process)?;
        match client_operation(&event.op) {
            Some(bit) => self.operation(event, bit),
            None => self.fact(event),
        }
    }

    fn exists(&self, host: HostName) -> Result<(), Flaw> {
        if host.is_client() && !(1..=self.terms.clients).contains(&host.number) {
            return flaw(format!("there is no {host}; there are {} clients", self.terms.clients));
        }
        Ok(())
    }

    /// A client operation: an invoke that opens it, or a result that closes it.
    fn operation(&mut self, event: &Event, bit: u16) -> Result<(), Flaw> {
        only_by(event.process.is_client(), "a client")?;
        let process = self.processes.of(event.process);
        process.acts(event.at)?;
        let is_open = process.open & bit != 0;
        let writing = match event.op {
            Op::Write { value, token } => Some((value, token)),
            _ => None,
        };
        if event.kind == Kind::Invoke {
            if is_open {
                return flaw("it is already open");
            }
            let of_a_holder = matches!(event.op, Op::Release | Op::Reenter | Op::Leave);
            if of_a_holder && !process.granted {
                return flaw("it was never granted the lock");
            }
            process.open |= bit;
            process.writing = writing.or(process.writing);
            return Ok(());
        }
        if !is_open {
            return flaw("it answers no open invoke");
        }
        if writing.is_some() && writing != process.writing {
            return flaw("its invoke wrote something else");
        }
        process.open &= !bit;
        process.granted |= event.kind == Kind::Ok && matches!(event.op, Op::Acquire { .. });
        Ok(())
    }

    /// A fact that is no operation.
    fn fact(&mut self, event: &Event) -> Result<(), Flaw> {
        if event.kind != Kind::Info {
            return flaw(format!("it is a fact, so it is `info`, not `{}`", event.kind));
        }
        let role = event.process.role;
        match event.op {
            Op::FaultBegins { .. } | Op::FaultEnds { .. } | Op::Healed => {
                only_by(role == Role::Nemesis, "the nemesis")?;
                self.nemesis(event)
            }
            Op::Lost => {
                only_by(role == Role::Client, "a client")?;
                self.processes.of(event.process).acts(event.at)
            }
            Op::Applied { by, before, after, accepted, .. } => {
                only_by(!matches!(role, Role::Client | Role::Nemesis), "a server")?;
                self.exists(by)?;
                if !accepted && before != after {
                    return flaw("it was refused, but changed the value");
                }
                self.processes.of(event.process).acts(event.at)
            }
            Op::Record { by, owner, .. } => {
                only_by(!matches!(role, Role::Client | Role::Nemesis), "a server")?;
                by.into_iter().chain(owner).try_for_each(|host| self.exists(host))?;
                self.processes.of(event.process).acts(event.at)
            }
            Op::Paused | Op::Resumed | Op::Crashed | Op::Booted => {
                only_by(role != Role::Nemesis, "a host")?;
                self.processes.of(event.process).life(&event.op, event.at)
            }
            _ => flaw("it is of no known kind"),
        }
    }

    fn nemesis(&mut self, event: &Event) -> Result<(), Flaw> {
        match event.op {
            Op::FaultBegins { .. } if self.healed => flaw("everything was healed before"),
            Op::FaultBegins { fault, host } => {
                let fault = usize::from(fault);
                if self.begun.len() <= fault {
                    self.begun.resize(fault + 1, false);
                }
                self.begun[fault] = true;
                self.exists(host)
            }
            Op::FaultEnds { fault } => match self.begun.get(usize::from(fault)) {
                Some(true) => Ok(()),
                _ => flaw("it never began"),
            },
            _ if self.healed => flaw("it was healed before"),
            _ if event.at < self.terms.heal_at => {
                flaw(format!("its terms let it heal at {}", self.terms.heal_at))
            }
            _ => {
                self.healed = true;
                Ok(())
            }
        }
    }
}

impl Process {
    /// It does something: only who is up and running can. A pause may strike in the middle of a
    /// step, and what the process still does in this step happens at the same instant.
    fn acts(&mut self, now: SimTime) -> Result<(), Flaw> {
        self.seen = true;
        match self.paused {
            _ if self.down => flaw("the process is down"),
            Some(since) if since < now => flaw(format!("the process is paused since {since}")),
            _ => Ok(()),
        }
    }

    /// It stops, goes on, dies or starts. Who is frozen can die, and a host can be frozen or thawed
    /// while its process is dead.
    fn life(&mut self, op: &Op, now: SimTime) -> Result<(), Flaw> {
        match op {
            Op::Booted if self.seen && !self.down => return flaw("it is up already"),
            Op::Crashed if self.down => return flaw("it is down already"),
            Op::Booted | Op::Crashed => {
                let down = *op == Op::Crashed;
                *self = Process { down, paused: self.paused, ..Process::default() };
            }
            Op::Paused => self.paused = self.paused.or(Some(now)),
            _ => self.paused = None,
        }
        self.seen = true;
        Ok(())
    }
}

/// Out of the way of the events that are in order.
#[cold]
fn flaw(text: impl Into<Flaw>) -> Result<(), Flaw> {
    Err(text.into())
}

fn only_by(right: bool, whose: &str) -> Result<(), Flaw> {
    if right { Ok(()) } else { flaw(format!("only {whose} reports that")) }
}

/// The bit that stands for an operation that clients invoke; none for facts.
fn client_operation(op: &Op) -> Option<u16> {
    Some(match op {
        Op::Acquire { .. } => 1,
        Op::Renew { .. } => 1 << 1,
        Op::Release => 1 << 2,
        Op::Check => 1 << 3,
        Op::Read { .. } => 1 << 4,
        Op::Write { .. } => 1 << 5,
        Op::Sell { .. } => 1 << 6,
        Op::Reenter => 1 << 7,
        Op::Leave => 1 << 8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
