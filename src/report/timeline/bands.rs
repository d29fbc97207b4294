//! What was broken, where and how long.

use std::collections::BTreeMap;

use picklock_sim::fault::{Fault, TimedFault};
use picklock_sim::history::{Event, Op};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::{Band, Window};
use crate::exhibit::Shown;

/// The faults over the lanes they hit. What stood still or was dead without a fault of the plan
/// (there should be none) shows as such.
pub(super) fn of(shown: &Shown, window: Window) -> BTreeMap<HostName, Vec<Band>> {
    let faults = shown.plan.as_ref().map_or(&[][..], |plan| &plan.world.faults);
    let events = &shown.history.events;
    let mut found: BTreeMap<HostName, Vec<Band>> = BTreeMap::new();
    let mut add = |host: HostName, from: SimTime, until: SimTime, label: String| {
        let Some((from, until)) = window.clip(from, until) else { return };
        let bands = found.entry(host).or_default();
        // Both directions of a link, or many links of one host, are one fault at that host.
        let same = |band: &&mut Band| band.label == label && band.from == from;
        match bands.iter_mut().find(same) {
            Some(band) => band.until = band.until.max(until),
            None => bands.push(Band { from, until, label }),
        }
    };
    for event in events {
        let ends = |is_end: &dyn Fn(&Op, HostName) -> bool| {
            let mut later = events.iter().skip(event.index as usize + 1);
            let end = later.find(|later| is_end(&later.op, later.process));
            end.map_or(shown.history.header.end_at, |end| end.at)
        };
        match event.op {
            // A history that has lost its plan says better what the fault did than which it was.
            Op::FaultBegins { host, .. }
                if shown.plan.is_none() && stops(shown, host, event.at) => {}
            Op::FaultBegins { fault, host } => {
                let timed = faults.get(usize::from(fault));
                let until = match timed {
                    Some(timed) if is_instant(timed) => event.at,
                    _ => ends(&|op, _| *op == Op::FaultEnds { fault }),
                };
                let label =
                    timed.map_or_else(|| format!("fault {fault}"), |timed| short(&timed.fault));
                add(host, event.at, until, label);
            }
            Op::Paused | Op::Crashed if !explained(shown, event.process, event.at) => {
                let host = event.process;
                let until = ends(&|op, process| {
                    process == host && matches!(op, Op::Resumed | Op::Booted | Op::Crashed)
                });
                let label = if event.op == Op::Paused { "paused" } else { "crashed" };
                add(host, event.at, until, label.to_owned());
            }
            _ => {}
        }
    }
    found
}

/// Whether a fault of the plan struck this host just then.
fn explained(shown: &Shown, host: HostName, at: SimTime) -> bool {
    let strikes =
        |event: &Event| matches!(event.op, Op::FaultBegins { host: hit, .. } if hit == host);
    shown.plan.is_some() && events_at(shown, at).any(strikes)
}

/// Whether this host stopped just then.
fn stops(shown: &Shown, host: HostName, at: SimTime) -> bool {
    events_at(shown, at)
        .any(|event| event.process == host && matches!(event.op, Op::Paused | Op::Crashed))
}

fn events_at(shown: &Shown, at: SimTime) -> impl Iterator<Item = &Event> {
    let events = &shown.history.events;
    let first = events.partition_point(|event| event.at < at);
    events[first..].iter().take_while(move |event| event.at == at)
}

/// Faults that strike and are over: what follows from them is seen elsewhere.
fn is_instant(timed: &TimedFault) -> bool {
    match timed.fault {
        Fault::Reset { .. } => true,
        Fault::WallStep { .. } => timed.lasting_ms.is_none(),
        _ => false,
    }
}

/// A fault in as few words as fit onto its band; the lane tells whom it hit.
fn short(fault: &Fault) -> String {
    match *fault {
        Fault::Pause { .. } => "process paused".to_owned(),
        Fault::Suspend { .. } => "VM suspended".to_owned(),
        Fault::Crash { .. } => "down".to_owned(),
        Fault::Partition { from, to, one_way: true, .. } => format!("no bytes {from} → {to}"),
        Fault::Partition { from, to, .. } => format!("cut off: {from} | {to}"),
        Fault::Delay { to, by_ms, .. } => format!("to {to}: {by_ms} ms late"),
        Fault::Loss { to, percent, .. } => format!("to {to}: {percent} % lost"),
        Fault::Reset { to, .. } => format!("reset: reply to {to} lost"),
        Fault::Slow { step_ms, .. } => format!("slow: {step_ms} ms per step"),
        Fault::WallStep { by_ms, .. } => format!("wall clock {by_ms:+} ms"),
        Fault::Drift { ppm, .. } => format!("clocks {:+.1} %", f64::from(ppm) / 10_000.0),
    }
}
