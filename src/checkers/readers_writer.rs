//! `readers-writer`: while one holds the lock alone nobody shares it (levels L0 and L2).
//!
//! The readers-writer problem of Courtois, Heymans and Parnas (1971): any number may share, or one may have
//! it alone. Judged is what the shared mode adds. First belief: nobody believes that it shares the lock while
//! another believes that it has it alone (two who have it alone are `belief-overlap`'s business). Then the
//! resource: whoever shares the lock reads twice in one section, and must read the same.

use picklock_sim::history::{Event, Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::beliefs::Belief;
use super::evidence::{in_order, sentence};
use super::intervals::clash;
use super::per_host::PerHost;
use super::updates::updates;
use super::{Case, Checker, belief_overlap};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct ReadersWriter;

impl Checker for ReadersWriter {
    fn name(&self) -> &'static str {
        "readers-writer"
    }

    fn claim(&self) -> Claim {
        Claim::ReadersWriter
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let beliefs = history.beliefs();
        if !beliefs.iter().any(|belief| belief.shared) {
            return Verdict::Pass;
        }
        if let Some(clash) = clash(beliefs, in_two_modes) {
            let pair = (&beliefs[clash.earlier], &beliefs[clash.later]);
            return Verdict::Fail(belief_overlap::violation(history, pair.0, pair.1, clash.times));
        }
        let torn = torn_reads(history);
        match torn.first() {
            None => Verdict::Pass,
            Some(first) => Verdict::Fail(violation(history, first, torn.len())),
        }
    }
}

fn in_two_modes(first: &Belief, second: &Belief) -> bool {
    first.shared != second.shared
}

/// What a client read in the section that it is in.
#[derive(Clone, Copy, Debug)]
struct Read {
    value: i64,
    event: u32,
    at: SimTime,
}

/// Two reads of one shared section that differ.
struct Torn {
    client: HostName,
    first: Read,
    second: Read,
}

/// A client's section.
#[derive(Clone, Copy, Default)]
struct Section {
    shared: bool,
    read: Option<Read>,
}

fn torn_reads(history: &History) -> Vec<Torn> {
    let mut sections: PerHost<Section> = PerHost::new();
    let mut torn = Vec::new();
    for event in &history.events {
        let Event { index, at, process: client, kind, op } = *event;
        match (op, kind) {
            (Op::Acquire { shared, .. }, Kind::Ok) => {
                *sections.of(client) = Section { shared, read: None };
            }
            (Op::Release, Kind::Invoke) | (Op::Lost | Op::Crashed, _) if client.is_client() => {
                *sections.of(client) = Section::default();
            }
            (Op::Read { value: Some(value) }, Kind::Ok) if sections.of(client).shared => {
                let second = Read { value, event: index, at };
                let first = *sections.of(client).read.get_or_insert(second);
                if first.value != value {
                    torn.push(Torn { client, first, second });
                    sections.of(client).read = Some(second);
                }
            }
            _ => {}
        }
    }
    torn
}

fn violation(history: &History, torn: &Torn, times: usize) -> Violation {
    let Torn { client, first, second } = torn;
    let between = first.event..second.event;
    let update = updates(history).into_iter().find(|update| between.contains(&update.event));
    let changed = match &update {
        Some(update) => {
            let by = sentence(update.by);
            format!(
                "{by} changed it to {} at {}, while {client} shared the lock.",
                update.after, update.at
            )
        }
        None => "Nobody recorded who changed it in between.".to_owned(),
    };
    let mut witnesses = vec![first.event, second.event];
    witnesses.extend(update.map(|update| update.event));
    Violation {
        at: second.at,
        times: u32::try_from(times).unwrap_or(u32::MAX),
        lasted_ms: None,
        witnesses: in_order(history, witnesses),
        story: [
            format!("{client} shared the lock and read {} at {}.", first.value, first.at),
            changed,
            format!("In the same section {client} read {} at {}.", second.value, second.at),
        ],
    }
}

#[cfg(test)]
mod tests;
