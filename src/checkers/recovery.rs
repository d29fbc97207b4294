//! `recovery`: once everything is healed, somebody gets the lock (deadlock freedom with a bound).
//!
//! Judged is the first wait after the heal, from when the lock should be there to the first grant to
//! anybody. The clock starts at the heal; if somebody holds the lock then, it starts when he stops
//! believing (gives it back, is told of the loss, passes his deadline): waiting for one who works is
//! no deadlock, so his release is progress, but only if another is served after it. One who holds on
//! all through the bound while others ask is no progress. The clock runs only while somebody asks,
//! and when it shows more than the algorithm's own bound, that is a violation.
//!
//! A lock that came back and is dead later is no better: the same clock runs from the last grant, or from when the last
//! holder stopped believing, to the end of the run.
//!
//! A lock that promises no bound is judged against the end of the run: it is a deadlock if somebody
//! still asked then, nobody was granted the lock since the heal, and the asking took at least half of
//! that time. Less is too short to tell, and so is a run that ends within the bound.

use std::collections::BTreeMap;
use std::time::Duration;

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::beliefs::{Belief, EndedBy, beliefs};
use super::evidence::{in_order, length, millis, sentence};
use super::per_host::PerHost;
use super::{Case, Checker};
use crate::terms::{Claim, History, Terms};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct Recovery;

impl Checker for Recovery {
    fn name(&self) -> &'static str {
        "recovery"
    }

    fn claim(&self) -> Claim {
        Claim::Recovers
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let Terms { heal_at, end_at, recovery_bound_ms, .. } = history.header;
        let bound = recovery_bound_ms.map(Duration::from_millis);
        // Rare from the second look on: the common run has been answered by then.
        let came_back =
            granted_between(history, heal_at, bound.map_or(end_at, |bound| heal_at + bound));
        if !came_back && let Some(wait) = first_wait(history, free_from(history, bound), bound) {
            return judge(history, &wait, bound);
        }
        let dead = bound.and_then(|bound| dead_in_the_end(history, bound));
        dead.map_or(Verdict::Pass, Verdict::Fail)
    }
}

/// The first wait after the heal: whether it was too long.
fn judge(history: &History, wait: &Wait, bound: Option<Duration>) -> Verdict {
    let Terms { heal_at, end_at, .. } = history.header;
    let overdue = match bound {
        Some(_) => wait.overdue_at,
        // Without a bound only a wait to the end says anything, and only a long one.
        None => (wait.open_at_end && wait.total * 2 >= end_at.since(heal_at)).then_some(end_at),
    };
    match overdue {
        Some(overdue_at) => Verdict::Fail(violation(history, wait, overdue_at, bound)),
        None => Verdict::Unknown {
            reason: format!(
                "from {} on {} asked for the lock and nobody was granted it, but only for {} \
                 in all: too short to tell",
                wait.from,
                wait.client,
                length(wait.total)
            ),
        },
    }
}

/// A wait to the end of the run for a lock that nobody holds any more, if it is longer than the bound.
fn dead_in_the_end(history: &History, bound: Duration) -> Option<Violation> {
    let Terms { heal_at, end_at, .. } = history.header;
    let last_grant = history.events.iter().rev().find(|event| is_grant(event));
    let last_served = last_grant.map_or(heal_at, |event| event.at.max(heal_at));
    if last_served + bound >= end_at {
        return None;
    }
    let beliefs = beliefs(history);
    if beliefs.iter().any(|belief| belief.ended_by == EndedBy::EndOfRun) {
        return None;
    }
    let free_from = beliefs.iter().map(|belief| belief.until).fold(last_served, SimTime::max);
    let wait = first_wait(history, free_from, Some(bound))?;
    let overdue_at = wait.overdue_at.filter(|_| wait.open_at_end)?;
    Some(violation(history, &wait, overdue_at, Some(bound)))
}

/// Whether anybody was granted the lock from `from` to `until`, both included.
fn granted_between(history: &History, from: SimTime, until: SimTime) -> bool {
    let first = history.events.partition_point(|event| event.at < from);
    let inside = history.events[first..].iter().take_while(|event| event.at <= until);
    inside.into_iter().any(is_grant)
}

fn is_grant(event: &Event) -> bool {
    event.kind == Kind::Ok && matches!(event.op, Op::Acquire { .. })
}

/// From when on the lock should be there for others: the heal, or the end of the last belief that
/// was going on then and ended within the bound.
fn free_from(history: &History, bound: Option<Duration>) -> SimTime {
    let Terms { heal_at, end_at, .. } = history.header;
    let limit = bound.map_or(end_at, |bound| heal_at + bound);
    let holds_at_heal = |belief: &&Belief| belief.from < heal_at && belief.until >= heal_at;
    let ended = |belief: &&Belief| belief.ended_by != EndedBy::EndOfRun && belief.until <= limit;
    let beliefs = beliefs(history);
    let ends = beliefs.iter().filter(holds_at_heal).filter(ended).map(|belief| belief.until);
    ends.fold(heal_at, SimTime::max)
}

/// The first wait in which the lock should have been there.
struct Wait {
    /// Who had been asking for the longest time when the clock started.
    client: HostName,
    /// Index of the event with which it asked.
    asked: u32,
    /// When the clock started.
    from: SimTime,
    /// For how long somebody or other was asking, until somebody was granted the lock.
    total: Duration,
    /// When that became longer than the bound.
    overdue_at: Option<SimTime>,
    /// Somebody still asked when the run ended.
    open_at_end: bool,
}

/// The wait from `free_from` to the first grant after it; none if nobody had to wait, or if somebody
/// was granted the lock within the bound. Stretches in which nobody asks do not count, and who dies
/// asks no more.
fn first_wait(history: &History, free_from: SimTime, bound: Option<Duration>) -> Option<Wait> {
    let bound = bound.unwrap_or(Duration::MAX);
    let mut asking: PerHost<Option<u32>> = PerHost::new();
    let mut open: BTreeMap<u32, HostName> = BTreeMap::new();
    let mut wait: Option<Wait> = None;
    let mut now = free_from;
    for (at, event) in history
        .events
        .iter()
        .map(|event| (event.at, Some(event)))
        .chain([(history.header.end_at, None)])
    {
        if let (Some((&asked, &client)), true) = (open.first_key_value(), at > now) {
            let wait = wait.get_or_insert(Wait {
                client,
                asked,
                from: now,
                total: Duration::ZERO,
                overdue_at: None,
                open_at_end: false,
            });
            wait.total += at.since(now);
            if wait.total > bound && wait.overdue_at.is_none() {
                wait.overdue_at = Some(at - (wait.total - bound));
            }
        }
        now = now.max(at);
        let Some(event) = event else { break };
        let is_overdue = wait.as_ref().is_some_and(|wait| wait.overdue_at.is_some());
        if is_grant(event) && at >= free_from {
            return wait.filter(|_| is_overdue);
        }
        let asked = asking.of(event.process);
        match (event.op, event.kind) {
            (Op::Acquire { .. }, Kind::Invoke) => {
                *asked = Some(event.index);
                open.insert(event.index, event.process);
            }
            (Op::Acquire { .. } | Op::Crashed, _) => {
                asked.take().map(|asked| open.remove(&asked));
            }
            _ => {}
        }
    }
    wait.map(|wait| Wait { open_at_end: !open.is_empty(), ..wait })
}

fn violation(
    history: &History,
    wait: &Wait,
    overdue_at: SimTime,
    bound: Option<Duration>,
) -> Violation {
    let (blocker, mut witnesses) = blocker(history, overdue_at);
    witnesses.push(wait.asked);
    let next = history.events.iter().find(|event| event.at > overdue_at && is_grant(event));
    witnesses.extend(next.map(|event| event.index));
    let within = match bound {
        None => "before the run ended".to_owned(),
        Some(bound) => format!("within the promised {}", length(bound)),
    };
    let after = length(wait.total);
    let end = match next {
        None => format!("the wait took {after}"),
        Some(next) => format!("{} was at {}, after {after}", next.process, next.at),
    };
    let asked_at = history.events[wait.asked as usize].at;
    Violation {
        at: overdue_at,
        times: 1,
        lasted_ms: Some(millis(wait.total)),
        witnesses: in_order(history, witnesses),
        story: [
            format!(
                "Everything was healed at {}; {} asked for the lock at {asked_at} and waited.",
                history.header.heal_at, wait.client
            ),
            blocker,
            format!("Nobody was granted it {within}; {end}."),
        ],
    }
}

/// What stands in the way at a time: a holder, or the lock record and what became of its owner.
fn blocker(history: &History, at: SimTime) -> (String, Vec<u32>) {
    let beliefs = beliefs(history);
    let end = history.events.partition_point(|event| event.at <= at);
    let past = &history.events[..end];
    let holder = beliefs.iter().find(|belief| belief.from <= at && belief.until >= at);
    if let Some(Belief { client, from, grant_event, .. }) = holder {
        let text =
            format!("{} has held it since {from} and did not give it back.", sentence(client));
        return (text, vec![*grant_event]);
    }
    let Some((set, owner)) = standing_record(past) else {
        return (
            "No lock record stood in the way, as far as the history shows.".to_owned(),
            vec![],
        );
    };
    let whose = match owner {
        None => "nobody known".to_owned(),
        Some(owner) => {
            let died = past.iter().rev().find(|event| {
                event.process == owner && event.op == Op::Crashed && event.index > set.index
            });
            match died {
                Some(died) => format!("{owner}, which crashed at {}", died.at),
                None => format!("{owner}, which does not believe that it holds it"),
            }
        }
    };
    let text =
        format!("The lock record stored at {} was still there; its owner is {whose}.", set.at);
    (text, vec![set.index])
}

/// The last lock record that was stored and, as far as is known, is still there.
fn standing_record(past: &[Event]) -> Option<(&Event, Option<HostName>)> {
    let mut standing: Option<(&Event, Option<HostName>)> = None;
    for event in past {
        match event.op {
            Op::Record { record: RecordName::Lock, change, by, owner } => match change {
                ChangeKind::Set { .. } => standing = Some((event, by)),
                ChangeKind::Loaded { .. } => standing = Some((event, owner)),
                ChangeKind::Edited { .. } | ChangeKind::Retimed { .. } => {}
                ChangeKind::Deleted | ChangeKind::Expired => {
                    // Of several servers each reports its own record.
                    standing = standing.filter(|(set, _)| set.process != event.process);
                }
            },
            Op::Crashed => standing = standing.filter(|(set, _)| set.process != event.process),
            _ => {}
        }
    }
    standing
}

#[cfg(test)]
mod tests;
