//! When faults strike, whom, and what ends them: on a world that only writes down what it is told.

use super::*;
use crate::fault::{EventTrigger, StepTrigger};
use crate::plan::{HostPlan, Latency, WorldPlan};
use crate::seed::Seed;

struct Paper {
    now: SimTime,
    conditions: Conditions,
    notes: Vec<(HostName, Op)>,
    ends: Vec<(usize, SimTime)>,
    changes: Vec<(HostName, HostChange)>,
}

impl Levers for Paper {
    fn now(&self) -> SimTime {
        self.now
    }

    fn conditions(&mut self) -> &mut Conditions {
        &mut self.conditions
    }

    fn note(&mut self, process: HostName, op: Op) {
        self.notes.push((process, op));
    }

    fn end_later(&mut self, fault: usize, at: SimTime) {
        self.ends.push((fault, at));
    }

    fn host_changed(&mut self, host: HostId, change: HostChange) {
        self.changes.push((self.conditions.name(host), change));
    }

    fn link_changed(&mut self, _: HostId, _: HostId, _: LinkChange) {}
}

fn paper() -> Paper {
    let names = [HostName::REDIS, HostName::client(1), HostName::client(2)];
    let plan = WorldPlan {
        seed: Seed(1),
        hosts: names
            .into_iter()
            .map(|name| HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 })
            .collect(),
        latency: Latency { min_us: 1, max_us: 1 },
        faults: Vec::new(),
        heal_at_ms: 100,
        end_at_ms: 200,
    };
    Paper {
        now: SimTime::ZERO,
        conditions: Conditions::new(&plan),
        notes: Vec::new(),
        ends: Vec::new(),
        changes: Vec::new(),
    }
}

fn pause(host: Target) -> TimedFault {
    TimedFault { when: When::AtMs(0), lasting_ms: Some(10), fault: Fault::Pause { host } }
}

fn cut(lasting_ms: u64) -> TimedFault {
    let (from, to) = (Target::Host(HostName::client(1)), Target::Host(HostName::REDIS));
    let fault = Fault::Partition { from, to, one_way: false, cut: Cut::Stall };
    TimedFault { when: When::AtMs(0), lasting_ms: Some(lasting_ms), fault }
}

fn event(process: HostName, kind: Kind, op: Op) -> Event {
    Event { index: 0, at: SimTime::from_millis(1), process, kind, op }
}

/// How many active faults hold back bytes from client 1 to Redis, and from Redis to client 1.
fn stalled(paper: &Paper) -> (u16, u16) {
    let id = |name| paper.conditions.id(name).unwrap();
    let (client, redis) = (id(HostName::client(1)), id(HostName::REDIS));
    let stalled = |from, to| paper.conditions.link(from, to).stalled;
    (stalled(client, redis), stalled(redis, client))
}

#[test]
fn overlapping_cuts_are_counted() {
    let mut paper = paper();
    let mut nemesis = Nemesis::new(&[cut(10), cut(20)]);
    nemesis.strike(0, &mut paper);
    nemesis.strike(1, &mut paper);
    assert_eq!(stalled(&paper), (2, 2));
    nemesis.end(0, &mut paper);
    assert_eq!(stalled(&paper), (1, 1), "still cut by the other");
    nemesis.end(0, &mut paper);
    assert_eq!(stalled(&paper), (1, 1), "a fault ends once");
    nemesis.end(1, &mut paper);
    assert_eq!(stalled(&paper), (0, 0));
    let ends: Vec<_> = [10, 20].map(SimTime::from_millis).into_iter().enumerate().collect();
    assert_eq!(paper.ends, ends);
}

#[test]
fn overlapping_pauses_are_one_pause() {
    let mut paper = paper();
    let client = Target::Host(HostName::client(1));
    let mut nemesis = Nemesis::new(&[pause(client), pause(client)]);
    for fault in [0, 1] {
        nemesis.strike(fault, &mut paper);
    }
    for fault in [0, 1] {
        nemesis.end(fault, &mut paper);
    }
    let changes = [HostChange::Paused, HostChange::Resumed];
    assert_eq!(paper.changes, changes.map(|change| (HostName::client(1), change)));
}

#[test]
fn a_fault_on_the_holder_waits_until_somebody_holds() {
    let mut paper = paper();
    let mut nemesis = Nemesis::new(&[pause(Target::Holder)]);
    nemesis.strike(0, &mut paper);
    assert!(paper.changes.is_empty(), "nobody holds yet");
    let granted = event(HostName::client(2), Kind::Ok, Op::ACQUIRE);
    nemesis.on_event(&granted, &mut paper);
    assert_eq!(paper.changes, [(HostName::client(2), HostChange::Paused)]);
}

#[test]
fn who_released_is_no_holder() {
    let mut paper = paper();
    let mut nemesis = Nemesis::new(&[pause(Target::Holder)]);
    nemesis.on_event(&event(HostName::client(2), Kind::Ok, Op::ACQUIRE), &mut paper);
    nemesis.on_event(&event(HostName::client(2), Kind::Invoke, Op::Release), &mut paper);
    nemesis.strike(0, &mut paper);
    assert!(paper.changes.is_empty());
}

#[test]
fn the_nth_step_of_the_right_host_and_kind_is_struck() {
    let mut paper = paper();
    let step = StepTrigger { host: HostName::client(1), kind: StepKind::Send, nth: 2 };
    let fault = TimedFault { when: When::Step(step), ..pause(Target::Host(HostName::client(1))) };
    let mut nemesis = Nemesis::new(&[fault]);
    for (host, kind) in [
        (HostName::client(1), StepKind::Send),
        (HostName::client(2), StepKind::Send),
        (HostName::client(1), StepKind::Receive),
    ] {
        nemesis.on_step(host, kind, &mut paper);
    }
    assert!(paper.changes.is_empty());
    nemesis.on_step(HostName::client(1), StepKind::Send, &mut paper);
    assert_eq!(paper.changes.len(), 1);
    nemesis.on_step(HostName::client(1), StepKind::Send, &mut paper);
    assert_eq!(paper.changes.len(), 1, "it strikes once");
}

#[test]
fn an_event_trigger_fits_its_words_only() {
    let mut paper = paper();
    let trigger = EventTrigger {
        op: OpName::Write,
        kind: Kind::Invoke,
        process: Some(HostName::client(1)),
        nth: 1,
        after_ms: 1,
    };
    let when = When::Event(trigger);
    let fault = TimedFault { when, ..pause(Target::Host(HostName::REDIS)) };
    let mut nemesis = Nemesis::new(&[fault]);
    let write = Op::Write { value: 1, token: None };
    let early = Event { at: SimTime::ZERO, ..event(HostName::client(1), Kind::Invoke, write) };
    for other in [
        early,
        event(HostName::client(2), Kind::Invoke, write),
        event(HostName::client(1), Kind::Ok, write),
        event(HostName::client(1), Kind::Invoke, Op::READ),
    ] {
        nemesis.on_event(&other, &mut paper);
    }
    assert!(paper.changes.is_empty());
    // A sale at the store is the guarded write of that resource.
    nemesis.on_event(&event(HostName::client(1), Kind::Invoke, Op::SELL), &mut paper);
    assert_eq!(paper.changes, [(HostName::REDIS, HostChange::Paused)]);
}

#[test]
fn a_heal_ends_all_but_deaths_and_steps_and_lets_nothing_strike_after() {
    let mut paper = paper();
    let how = Crash::ProcessKill;
    let client = |number| Target::Host(HostName::client(number));
    let forever = |fault| TimedFault { when: When::AtMs(0), lasting_ms: None, fault };
    let mut nemesis = Nemesis::new(&[
        forever(Fault::Crash { host: client(1), how }),
        forever(Fault::Pause { host: client(2) }),
        TimedFault {
            lasting_ms: Some(1000),
            ..forever(Fault::Crash { host: Target::Host(HostName::REDIS), how })
        },
        pause(client(2)),
    ]);
    for fault in [0, 1, 2] {
        nemesis.strike(fault, &mut paper);
    }
    nemesis.heal(&mut paper);
    nemesis.strike(3, &mut paper);
    let down = |name| {
        let condition = paper.conditions.host(paper.conditions.id(name).unwrap());
        (condition.down, condition.paused)
    };
    assert_eq!(down(HostName::client(1)), (1, 0), "dead for ever");
    assert_eq!(down(HostName::client(2)), (0, 0), "healed, and not struck again");
    assert_eq!(down(HostName::REDIS), (0, 0), "booted at the heal");
    assert_eq!(paper.notes.last(), Some(&(HostName::NEMESIS, Op::Healed)));
}
