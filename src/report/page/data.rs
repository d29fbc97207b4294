//! What the page's script draws from: runs as packed JSON, in columns, because columns pack well.
//!
//! Packed (deflate, base64), because a page of many runs is to stay small enough to be mailed, and
//! unpacked by the browser itself. Times are whole microseconds since the beginning of the bounds.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use picklock_models::time::HostTime;
use picklock_sim::history::Event;
use picklock_sim::host::HostName;
use picklock_sim::plan::EPOCH_NS;
use picklock_sim::tap::Tap;
use picklock_sim::time::SimTime;
use serde::Serialize;

use super::wire;
use crate::exhibit::Shown;
use crate::report::findings;
use crate::report::scene::{Panel, Place, Scene};
use crate::report::timeline::Window;

/// One run.
#[derive(Serialize)]
pub(super) struct Run {
    /// What is different in it; the fact has no such thing.
    pub(super) what: String,
    /// How bad it is, as the style sheet calls it.
    pub(super) severity: &'static str,
    /// What was found, in a few words.
    pub(super) verdict: String,
    /// How it came to that.
    pub(super) story: Vec<String>,
    /// The lock and its resource.
    pub(super) contender: String,
    zero: u64,
    span: u64,
    view: [u64; 2],
    height: u32,
    lanes: Vec<(String, u32, u32, u32)>,
    tags: Vec<(&'static str, u32, String)>,
    bars: Vec<(&'static str, u64, u64, u32, u32, String)>,
    marks: Vec<(usize, u64, u32, u32, u8)>,
    labels: Vec<(&'static str, u64, u64, u32, u8, String)>,
    instants: Vec<(&'static str, u64)>,
    panels: Vec<Curve>,
    hosts: Vec<String>,
    events: Events,
    messages: Option<Messages>,
    proofs: Vec<Proof>,
}

#[derive(Serialize)]
struct Curve {
    name: &'static str,
    top: u32,
    height: u32,
    before: i64,
    at: Vec<u64>,
    to: Vec<i64>,
    limit: Option<i64>,
    odd: Vec<(u64, i64, String)>,
}

/// Each column but `op` holds the difference to the row before.
#[derive(Default, Serialize)]
struct Events {
    index: Vec<i64>,
    at: Vec<i64>,
    who: Vec<usize>,
    kind: Vec<u8>,
    op: Vec<usize>,
    ops: Vec<String>,
    /// How far the clocks of the host were off, in microseconds; empty if nobody looked.
    steady: Vec<Option<i64>>,
    wall: Vec<Option<i64>>,
}

#[derive(Default, Serialize)]
struct Messages {
    sent: Vec<i64>,
    /// How long it took; -1: it never arrived.
    took: Vec<i64>,
    from: Vec<usize>,
    to: Vec<usize>,
    text: Vec<usize>,
    texts: Vec<String>,
}

/// A violation and the events that prove it.
#[derive(Serialize)]
struct Proof {
    word: &'static str,
    claimed: bool,
    at: String,
    events: Vec<u32>,
}

/// A run with its picture; `messages`: with them too, where they are known.
pub(super) fn run(shown: &Shown, scene: &Scene, messages: bool) -> Run {
    let bounds = scene.bounds.expect("every scene that is laid out has bounds");
    let window = scene.window.unwrap_or(bounds);
    let clock = Clock(bounds);
    let mut hosts = Table::default();
    let events = events(shown, clock, &mut hosts);
    let tap = shown.tap.as_ref().filter(|_| messages);
    let messages = tap.map(|tap| messages_of(tap, clock, &mut hosts));
    let length = |from: SimTime, until: SimTime| clock.us(until) - clock.us(from);
    let texts = |panel: &Panel| Curve {
        name: panel.name,
        top: panel.top,
        height: panel.height,
        before: panel.before,
        at: panel.steps.iter().map(|(at, _)| clock.us(*at)).collect(),
        to: panel.steps.iter().map(|(_, value)| *value).collect(),
        limit: panel.limit,
        odd: panel.odd.iter().map(|(at, to, note)| (clock.us(*at), *to, note.clone())).collect(),
    };
    Run {
        what: String::new(),
        severity: super::words::class(shown.severity()),
        verdict: super::words::verdict(shown),
        story: Vec::new(),
        contender: shown.history.header.contender.clone(),
        zero: bounds.from.as_nanos() / 1000,
        span: clock.us(bounds.until),
        view: [clock.us(window.from), clock.us(window.until)],
        height: scene.height,
        lanes: scene.lanes.iter().map(|l| (l.host.to_string(), l.top, l.bottom, l.wire)).collect(),
        tags: scene.tags.iter().map(|t| (t.style.class(), t.y, t.text.clone())).collect(),
        bars: scene
            .bars
            .iter()
            .map(|b| {
                let (from, length) = (clock.us(b.from), length(b.from, b.until));
                (b.style.class(), from, length, b.y, b.height, b.note.clone())
            })
            .collect(),
        marks: scene
            .marks
            .iter()
            .map(|m| (super::place_of(m.kind), clock.us(m.at), m.y, m.event, m.witness.into()))
            .collect(),
        labels: scene
            .labels
            .iter()
            .map(|l| {
                let (from, length) = (clock.us(l.from), length(l.from, l.until));
                (l.style.class(), from, length, l.y, place(l.place), l.text.clone())
            })
            .collect(),
        instants: scene.instants.iter().map(|(s, at)| (s.class(), clock.us(*at))).collect(),
        panels: scene.panels.iter().map(texts).collect(),
        hosts: hosts.rows,
        events,
        messages,
        proofs: proofs(shown),
    }
}

/// The runs of some sheets as text that is safe anywhere in HTML.
pub(super) fn pack(sheets: &[Vec<Run>]) -> String {
    let json = serde_json::to_vec(sheets).expect("columns of numbers and texts become JSON");
    STANDARD_NO_PAD.encode(miniz_oxide::deflate::compress_to_vec(&json, 9))
}

fn place(place: Place) -> u8 {
    match place {
        Place::Beginning => 0,
        Place::Middle => 1,
        Place::Inside => 2,
    }
}

fn proofs(shown: &Shown) -> Vec<Proof> {
    let violations = shown.violations();
    let proof = violations.map(|(judgement, violation)| Proof {
        word: findings::of(&judgement.checker).word,
        claimed: judgement.claimed,
        at: violation.at.to_string(),
        events: violation.witnesses.clone(),
    });
    proof.collect()
}

/// Time as the script knows it.
#[derive(Clone, Copy)]
struct Clock(Window);

impl Clock {
    fn us(self, at: SimTime) -> u64 {
        at.since(self.0.from).as_micros() as u64
    }
}

/// Texts by number.
#[derive(Default)]
struct Table {
    rows: Vec<String>,
    known: BTreeMap<String, usize>,
}

impl Table {
    fn number(&mut self, text: String) -> usize {
        let next = self.rows.len();
        *self.known.entry(text).or_insert_with_key(|text| {
            self.rows.push(text.clone());
            next
        })
    }
}

/// A column of differences.
#[derive(Default)]
struct Differences(i64);

impl Differences {
    fn step(&mut self, value: i64) -> i64 {
        value - std::mem::replace(&mut self.0, value)
    }
}

/// The events of the bounds, and whatever proves something, wherever it stands.
fn events(shown: &Shown, clock: Clock, hosts: &mut Table) -> Events {
    let bounds = clock.0;
    let witnesses: Vec<u32> = shown.violations().flat_map(|(_, v)| v.witnesses.clone()).collect();
    let wanted = |event: &&Event| bounds.contains(event.at) || witnesses.contains(&event.index);
    let mut ops = Table::default();
    let mut found = Events::default();
    let (mut index, mut at) = (Differences::default(), Differences::default());
    for event in shown.history.events.iter().filter(wanted) {
        found.index.push(index.step(i64::from(event.index)));
        let us = (event.at.as_nanos() / 1000) as i64 - (bounds.from.as_nanos() / 1000) as i64;
        found.at.push(at.step(us));
        found.who.push(hosts.number(event.process.to_string()));
        found.kind.push(event.kind as u8);
        found.op.push(ops.number(event.op.to_string()));
        if let Some(tap) = &shown.tap {
            let shows = tap.clocks.get(event.index as usize).copied().flatten();
            let off = shows.and_then(|shows| off(shown, event, shows));
            found.steady.push(off.map(|(steady, _)| steady));
            found.wall.push(off.map(|(_, wall)| wall));
        }
    }
    found.ops = ops.rows;
    found
}

/// How far a host's clocks have moved away from true time since the run began, in microseconds.
fn off(shown: &Shown, event: &Event, shows: HostTime) -> Option<(i64, i64)> {
    let world = &shown.plan.as_ref()?.world;
    let host = world.hosts.iter().find(|host| host.name == event.process)?;
    let begin = world.clocks_at_start(host).steady.as_nanos();
    let us = |shown: u64, begin: u64| {
        (i128::from(shown) - i128::from(begin) - i128::from(event.at.as_nanos())) / 1000
    };
    let steady = us(shows.steady.as_nanos(), begin);
    let wall = us(shows.wall.as_unix_nanos(), EPOCH_NS);
    Some((i64::try_from(steady).ok()?, i64::try_from(wall).ok()?))
}

/// The messages that were under way in the bounds.
fn messages_of(tap: &Tap, clock: Clock, hosts: &mut Table) -> Messages {
    let bounds = clock.0;
    let mut texts = Table::default();
    let mut found = Messages::default();
    let mut sent = Differences::default();
    let name = |hosts: &mut Table, host: HostName| hosts.number(host.to_string());
    for message in &tap.messages {
        let end = message.arrived.unwrap_or(message.sent);
        if end < bounds.from || message.sent > bounds.until {
            continue;
        }
        let us = |at: SimTime| (at.as_nanos() / 1000) as i64;
        found.sent.push(sent.step(us(message.sent) - us(bounds.from)));
        found.took.push(message.arrived.map_or(-1, |at| us(at) - us(message.sent)));
        found.from.push(name(hosts, message.from));
        found.to.push(name(hosts, message.to));
        found.text.push(texts.number(wire::told(&message.bytes)));
    }
    found.texts = texts.rows;
    found
}
