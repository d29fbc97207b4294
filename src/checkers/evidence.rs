//! What a history shows around a violation: the words and witnesses of which stories are made.
//!
//! Looked for only once something was found, so it may search freely. It says what *was*, never what
//! must have been: a history does not say which kind of fault it was that struck, only where, when,
//! and what the processes and the lock record then did.

use std::ops::Range;
use std::time::Duration;

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Op, RecordName};
use picklock_sim::host::HostName;

use super::beliefs::{Belief, EndedBy};
use crate::terms::History;

/// A clause of a story and the events that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) text: String,
    pub(super) witnesses: Vec<u32>,
}

/// What was wrong in a stretch of the history, as far as it shows; `client` is looked at first. In
/// this order: it stood still, a server stood still or died, any fault was active.
pub(super) fn trouble(history: &History, client: HostName, window: Range<u32>) -> Evidence {
    let is_server = |host: HostName| !host.is_client();
    longest_pause(history, &window, |host| host == client)
        .or_else(|| longest_pause(history, &window, is_server))
        .or_else(|| crash(history, &window, is_server))
        .or_else(|| any_fault(history, &window))
        .unwrap_or_else(|| Evidence {
            text: "nothing was broken then".to_owned(),
            witnesses: Vec::new(),
        })
}

fn longest_pause(
    history: &History,
    window: &Range<u32>,
    who: impl Fn(HostName) -> bool,
) -> Option<Evidence> {
    let events = &history.events;
    let begins = events.iter().take(window.end as usize);
    let begins = begins.filter(|event| event.op == Op::Paused && who(event.process));
    let pauses = begins.filter_map(|begin| {
        let ends = |event: &&Event| {
            event.process == begin.process && matches!(event.op, Op::Resumed | Op::Crashed)
        };
        let end = events[begin.index as usize..].iter().find(ends);
        let until = end.map_or(history.header.end_at, |end| end.at);
        let touches = end.is_none_or(|end| end.index > window.start);
        touches.then_some((until.since(begin.at), begin, end))
    });
    let (_, begin, end) = pauses.max_by_key(|(length, ..)| *length)?;
    let whose = if begin.process.is_client() {
        "its process was".to_owned()
    } else {
        format!("{} was", begin.process)
    };
    let text = match end {
        Some(end) => format!("{whose} paused from {} to {}", begin.at, end.at),
        None => format!("{whose} paused at {} and never went on", begin.at),
    };
    Some(Evidence { text, witnesses: [begin].into_iter().chain(end).map(|e| e.index).collect() })
}

fn crash(
    history: &History,
    window: &Range<u32>,
    who: impl Fn(HostName) -> bool,
) -> Option<Evidence> {
    let inside = &history.events[window.start as usize..window.end as usize];
    let crash = inside.iter().find(|event| event.op == Op::Crashed && who(event.process))?;
    let text = format!("{} crashed at {}", crash.process, crash.at);
    Some(Evidence { text, witnesses: vec![crash.index] })
}

/// The last fault that struck before the window's end and had not ended before it began.
fn any_fault(history: &History, window: &Range<u32>) -> Option<Evidence> {
    let before_end = history.events.iter().take(window.end as usize).rev();
    let mut begins = before_end.filter_map(|event| match event.op {
        Op::FaultBegins { fault, host } => Some((event, fault, host)),
        _ => None,
    });
    let end_of = |begin: &Event, fault: u16| {
        let later = history.events[begin.index as usize..].iter();
        let ends = |op: &Op| *op == Op::FaultEnds { fault } || *op == Op::Healed;
        later.clone().find(|event| ends(&event.op))
    };
    let (begin, fault, host) = begins.find(|&(begin, fault, _)| {
        end_of(begin, fault).is_none_or(|end| end.index >= window.start)
    })?;
    let until = match end_of(begin, fault) {
        Some(end) => format!("lasted until {}", end.at),
        None => "never ended".to_owned(),
    };
    Some(Evidence {
        text: format!("fault {fault} struck {host} at {} and {until}", begin.at),
        witnesses: vec![begin.index],
    })
}

/// How the lock record that `owner` had stored went away in a stretch of the history; the last time
/// if there were several.
pub(super) fn end_of_record(
    history: &History,
    owner: HostName,
    window: Range<u32>,
) -> Option<Evidence> {
    let inside = &history.events[window.start as usize..window.end as usize];
    let mut stored_on = Vec::new();
    let mut found = None;
    for event in inside {
        let text = match event.op {
            Op::Record { record: RecordName::Lock, change, by, owner: was } => {
                match change {
                    ChangeKind::Set { .. } if by == Some(owner) => stored_on.push(event.process),
                    ChangeKind::Loaded { .. } => found = None,
                    _ => {}
                }
                end_of_one(event, change, by, was.is_none_or(|was| was == owner), owner)
            }
            Op::Crashed if stored_on.contains(&event.process) => Some(format!(
                "The lock record was lost when {} crashed at {}",
                event.process, event.at
            )),
            _ => None,
        };
        found = text.map(|text| Evidence { text, witnesses: vec![event.index] }).or(found);
    }
    found
}

fn end_of_one(
    event: &Event,
    change: ChangeKind,
    by: Option<HostName>,
    was_own: bool,
    owner: HostName,
) -> Option<String> {
    let at = event.at;
    // Of several servers it was only this one.
    let here = match event.process.number {
        0 => String::new(),
        _ => format!(" at {}", event.process),
    };
    match (change, by) {
        _ if !was_own => None,
        (ChangeKind::Expired, _) => Some(format!("The lease{here} expired at {at}")),
        (ChangeKind::Deleted, Some(by)) if by == owner => {
            Some(format!("{} removed its lock record{here} itself at {at}", sentence(by)))
        }
        (ChangeKind::Deleted, Some(by)) => {
            Some(format!("{} removed {owner}'s lock record{here} at {at}", sentence(by)))
        }
        (ChangeKind::Deleted, None) => Some(format!("The lock record{here} was removed at {at}")),
        _ => None,
    }
}

/// The belief that was going on at an event, if it was.
pub(super) fn belief_at(beliefs: &[Belief], client: HostName, index: u32) -> Option<&Belief> {
    beliefs.iter().find(|belief| belief.client == client && belief.span.contains(index))
}

/// How a belief ended, as a clause: `client 1 began to release it at 1.200 s`.
pub(super) fn end_of_belief(belief: &Belief) -> String {
    let Belief { client, until, .. } = belief;
    match belief.ended_by {
        EndedBy::Release => format!("{client} began to release it at {until}"),
        EndedBy::Lost => format!("{client} was told at {until} that it was lost"),
        EndedBy::Deadline => format!("{client}'s own deadline passed at {until}"),
        EndedBy::Crash => format!("{client} crashed at {until}"),
        EndedBy::Regrant => format!("{client} was granted it again at {until}"),
        EndedBy::EndOfRun => format!("the run ended at {until}"),
    }
}

/// Whole milliseconds.
pub(super) fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// `12 ms`, as stories say how long something took.
pub(super) fn length(length: Duration) -> String {
    match millis(length) {
        0 => "less than 1 ms".to_owned(),
        ms => format!("{ms} ms"),
    }
}

/// A name at the beginning of a sentence: `Client 1`.
pub(super) fn sentence(name: impl ToString) -> String {
    let mut text = name.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// `1 sale`, `2 sales`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Witnesses in the order of the history, each once, without those that lie beyond its end.
pub(super) fn in_order(history: &History, mut witnesses: Vec<u32>) -> Vec<u32> {
    witnesses.retain(|index| (*index as usize) < history.events.len());
    witnesses.sort_unstable();
    witnesses.dedup();
    witnesses
}
