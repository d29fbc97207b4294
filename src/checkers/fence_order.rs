//! `fence-order`: fencing tokens grow in the order of grants, and no stale one is accepted.
//!
//! Both halves of Kleppmann's remedy (2016): the lock service must hand out strictly growing numbers,
//! across failovers and restarts too, and the resource must refuse a number lower than the highest
//! it has accepted. The order of grants is that of the stored lock records where servers reported
//! them, since a reply may overtake another; else that of the clients' `ok`s. Only a re-entry, by a
//! client that has not given its lock back, may show the same token again.

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::host::HostName;

use super::evidence::{in_order, sentence};
use super::per_host::PerHost;
use super::{Case, Checker};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct FenceOrder;

impl Checker for FenceOrder {
    fn name(&self) -> &'static str {
        "fence-order"
    }

    fn claim(&self) -> Claim {
        Claim::FenceMonotonic
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let grants = Grants::of(history);
        let claims = history.header.claims.contains(&Claim::FenceMonotonic);
        if claims && grants.fenced.is_empty() && grants.any {
            let reason = "the lock claims fencing tokens, but no grant showed one";
            return Verdict::Unknown { reason: reason.to_owned() };
        }
        let mut breaches = Vec::new();
        out_of_order(history, &grants.fenced, &mut breaches);
        stale_writes(history, &mut breaches);
        let times = u32::try_from(breaches.len()).unwrap_or(u32::MAX);
        match breaches.into_iter().min_by_key(|breach| breach.event) {
            None => Verdict::Pass,
            Some(first) => Verdict::Fail(Violation {
                at: history.events[first.event as usize].at,
                times,
                lasted_ms: None,
                witnesses: in_order(history, first.witnesses),
                story: first.story,
            }),
        }
    }
}

/// One breach of either half.
struct Breach {
    event: u32,
    witnesses: Vec<u32>,
    story: [String; 3],
}

/// A grant that carried a token.
#[derive(Clone, Copy)]
struct Grant {
    client: HostName,
    token: u64,
    /// Index of the event that puts it in the order of grants.
    place: u32,
    ok_event: u32,
    /// Its client had not given the lock back since its grant before.
    re_entry: bool,
}

struct Grants {
    /// Those with tokens, in the order of grants.
    fenced: Vec<Grant>,
    /// Whether there were any grants at all.
    any: bool,
}

/// What is remembered of one client.
#[derive(Clone, Copy, Default)]
struct Asker {
    asked: u32,
    stored: Option<u32>,
    holds: bool,
}

impl Grants {
    fn of(history: &History) -> Self {
        let mut askers: PerHost<Asker> = PerHost::new();
        let mut grants = Grants { fenced: Vec::new(), any: false };
        for event in &history.events {
            match (event.op, event.kind) {
                (Op::Acquire { .. }, Kind::Invoke) => askers.of(event.process).asked = event.index,
                (Op::Acquire { token, .. }, Kind::Ok) => {
                    let asker = askers.of(event.process);
                    let stored = asker.stored.filter(|stored| *stored > asker.asked);
                    grants.any = true;
                    grants.fenced.extend(token.map(|token| Grant {
                        client: event.process,
                        token,
                        place: stored.unwrap_or(event.index),
                        ok_event: event.index,
                        re_entry: asker.holds,
                    }));
                    asker.holds = true;
                }
                (Op::Release, Kind::Invoke) | (Op::Lost | Op::Crashed, _) => {
                    askers.of(event.process).holds = false;
                }
                (
                    Op::Record {
                        record: RecordName::Lock,
                        change: ChangeKind::Set { .. },
                        by: Some(by),
                        ..
                    },
                    _,
                ) => askers.of(by).stored = Some(event.index),
                _ => {}
            }
        }
        grants.fenced.sort_by_key(|grant| grant.place);
        grants
    }
}

fn out_of_order(history: &History, grants: &[Grant], breaches: &mut Vec<Breach>) {
    let mut highest: Option<Grant> = None;
    for &grant in grants {
        let Some(top) = highest.filter(|top| top.token >= grant.token) else {
            highest = Some(grant);
            continue;
        };
        let same = grant.token == top.token;
        if same && grant.client == top.client && grant.re_entry {
            continue;
        }
        breaches.push(order_breach(history, &top, &grant));
    }
}

fn order_breach(history: &History, top: &Grant, grant: &Grant) -> Breach {
    let at = |index: u32| history.events[index as usize].at;
    let meaning = if grant.token != top.token {
        "a resource would refuse the new holder, not the stale one"
    } else if grant.client == top.client {
        "a write that is late from the time before would be accepted"
    } else {
        "a resource cannot tell the two holders apart"
    };
    Breach {
        event: grant.ok_event.max(top.ok_event),
        witnesses: vec![top.place, top.ok_event, grant.place, grant.ok_event],
        story: [
            format!(
                "{} was granted the lock with token {} (it knew at {}).",
                top.client,
                top.token,
                at(top.ok_event)
            ),
            format!(
                "After it {} was granted the lock with token {} (it knew at {}).",
                grant.client,
                grant.token,
                at(grant.ok_event)
            ),
            format!("Tokens must grow with every grant: {meaning}."),
        ],
    }
}

fn stale_writes(history: &History, breaches: &mut Vec<Breach>) {
    let mut highest: Option<(u64, HostName, &Event)> = None;
    for event in &history.events {
        let Op::Applied { by, before, after, token: Some(token), accepted: true } = event.op else {
            continue;
        };
        let stale = |(top, holder, _): &(u64, HostName, &Event)| {
            token < *top || (token == *top && by != *holder)
        };
        let Some((top, holder, accepted)) = highest.filter(stale) else {
            if highest.is_none_or(|(top, ..)| token > top) {
                highest = Some((token, by, event));
            }
            continue;
        };
        let kind = if token == top { "the same" } else { "an older" };
        breaches.push(Breach {
            event: event.index,
            witnesses: vec![accepted.index, event.index],
            story: [
                format!("At {} the resource accepted {holder}'s write with token {top}.", accepted.at),
                format!(
                    "At {} it accepted {by}'s write with {kind} token, {token} ({before} -> {after}).",
                    event.at
                ),
                format!(
                    "{} was no longer the holder, and its write should have been refused.",
                    sentence(by)
                ),
            ],
        });
    }
}

#[cfg(test)]
mod tests;
