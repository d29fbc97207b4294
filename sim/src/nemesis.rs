//! The injector of faults: it watches time, steps and events, and pulls an engine's levers.
//!
//! One for all engines: what differs between worlds is only how a condition takes effect
//! ([`Levers`]), never when a fault strikes, whom it hits or what ends it.

use std::time::Duration;

use picklock_models::model::Crash;

use crate::conditions::{Conditions, HostId};
use crate::fault::{Cut, Fault, StepKind, Target, TimedFault, When};
use crate::history::{Event, Kind, Op, OpName};
use crate::host::HostName;
use crate::time::SimTime;

/// What an engine lets the nemesis do. The nemesis has already changed the [`Conditions`] when it
/// reports a change; the engine makes it felt.
pub trait Levers {
    /// True time.
    fn now(&self) -> SimTime;
    /// The state of the world.
    fn conditions(&mut self) -> &mut Conditions;
    /// Records a fact.
    fn note(&mut self, process: HostName, op: Op);
    /// Calls [`Nemesis::end`] for this fault at that time.
    fn end_later(&mut self, fault: usize, at: SimTime);
    /// A host's condition has changed.
    fn host_changed(&mut self, host: HostId, change: HostChange);
    /// A link's condition has changed.
    fn link_changed(&mut self, from: HostId, to: HostId, change: LinkChange);
}

/// What has changed for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostChange {
    /// Its process may not take a step any more.
    Paused,
    /// It may go on.
    Resumed,
    /// It is dead.
    Crashed(Crash),
    /// It starts again.
    Booted,
    /// Its steady clock runs differently from now on.
    Clock,
}

/// What has changed for one direction of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// Bytes are held back.
    Stalled,
    /// Bytes flow again.
    Flows,
    /// Connections are reset and refused.
    Refusing,
    /// Latency, loss or a reset to come: felt by the next bytes.
    Other,
}

/// The injector of a plan's faults.
#[derive(Debug)]
pub struct Nemesis {
    faults: Vec<Slot>,
    holder: Option<HostName>,
    /// Who stored the lock record last.
    owner: Option<HostName>,
    /// Whether any fault waits for a step or an event: asked on the hot path.
    waits_for_steps: bool,
    waits_for_events: bool,
}

#[derive(Debug)]
struct Slot {
    timed: TimedFault,
    state: State,
    /// How many steps or events have fitted its trigger.
    seen: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Waits for its trigger.
    Armed,
    /// Its time has come, but nobody it aims at is there yet.
    Due,
    /// Active, on these.
    Active(Vec<Hit>),
    /// Done with.
    Over,
}

/// One host, or one direction of a link, that a fault has hit; it ends exactly what it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hit {
    Host(HostId),
    Link(HostId, HostId),
}

impl Nemesis {
    /// A nemesis for these faults.
    pub fn new(faults: &[TimedFault]) -> Self {
        let slot = |timed: &TimedFault| Slot { timed: *timed, state: State::Armed, seen: 0 };
        Self {
            faults: faults.iter().map(slot).collect(),
            holder: None,
            owner: None,
            waits_for_steps: faults.iter().any(|f| matches!(f.when, When::Step(_))),
            waits_for_events: faults.iter().any(|f| matches!(f.when, When::Event(_))),
        }
    }

    /// Whether there is any fault at all; else nobody asks who holds the lock.
    #[inline]
    pub fn is_waiting(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Whether any fault waits for a step.
    #[inline]
    pub fn waits_for_steps(&self) -> bool {
        self.waits_for_steps
    }

    /// The faults that strike at a time, for the engine's agenda.
    pub fn agenda(&self) -> Vec<(SimTime, usize)> {
        let timed = self.faults.iter().enumerate();
        timed
            .filter_map(|(index, slot)| match slot.timed.when {
                When::AtMs(ms) => Some((SimTime::from_millis(ms), index)),
                _ => None,
            })
            .collect()
    }

    /// The time of a timed fault has come.
    pub fn strike(&mut self, fault: usize, world: &mut impl Levers) {
        if self.faults[fault].state != State::Armed {
            return;
        }
        let hits = self.hits(&self.faults[fault].timed.fault, world.conditions());
        if hits.is_empty() {
            self.faults[fault].state = State::Due;
            return;
        }
        self.begin(fault, hits, world);
    }

    /// A process is about to take a step.
    #[inline]
    pub fn on_step(&mut self, host: HostName, kind: StepKind, world: &mut impl Levers) {
        if self.waits_for_steps {
            self.strike_matching(world, |when| match when {
                When::Step(step) if step.host == host && step.kind == kind => Some(step.nth),
                _ => None,
            });
        }
    }

    /// An event was recorded.
    #[inline]
    pub fn on_event(&mut self, event: &Event, world: &mut impl Levers) {
        if let Op::Record { by, .. } = event.op
            && OpName::Granted.fits(&event.op)
        {
            self.owner = by;
        }
        self.follow_holder(event, world);
        if self.waits_for_events {
            self.strike_matching(world, |when| match when {
                When::Event(trigger)
                    if trigger.op.fits(&event.op)
                        && trigger.kind == event.kind
                        && trigger.process.is_none_or(|process| process == event.process)
                        && event.at >= SimTime::from_millis(trigger.after_ms) =>
                {
                    Some(trigger.nth)
                }
                _ => None,
            });
        }
    }

    /// Ends a fault, if it is active.
    pub fn end(&mut self, fault: usize, world: &mut impl Levers) {
        let State::Active(hits) = std::mem::replace(&mut self.faults[fault].state, State::Over)
        else {
            return;
        };
        let timed = self.faults[fault].timed;
        for hit in hits.into_iter().rev() {
            undo(&timed.fault, hit, world);
        }
        world.note(HostName::NEMESIS, Op::FaultEnds { fault: fault as u16 });
    }

    /// Ends everything that can end, and lets nothing strike any more. What stays: the dead that
    /// were never to come back, and stepped wall clocks.
    pub fn heal(&mut self, world: &mut impl Levers) {
        for index in 0..self.faults.len() {
            let stays = self.faults[index].timed.lasting_ms.is_none()
                && matches!(
                    self.faults[index].timed.fault,
                    Fault::Crash { .. } | Fault::WallStep { .. }
                );
            match self.faults[index].state {
                State::Active(_) if !stays => self.end(index, world),
                State::Armed | State::Due => self.faults[index].state = State::Over,
                _ => {}
            }
        }
        self.waits_for_steps = false;
        self.waits_for_events = false;
        world.note(HostName::NEMESIS, Op::Healed);
    }

    fn follow_holder(&mut self, event: &Event, world: &mut impl Levers) {
        match (event.op.name(), event.kind) {
            (OpName::Acquire, Kind::Ok) => {
                self.holder = Some(event.process);
                let due = |slot: &Slot| slot.state == State::Due;
                while let Some(fault) = self.faults.iter().position(due) {
                    let hits = self.hits(&self.faults[fault].timed.fault, world.conditions());
                    // It aims at somebody who can never be there (a role without hosts).
                    if hits.is_empty() {
                        self.faults[fault].state = State::Over;
                    } else {
                        self.begin(fault, hits, world);
                    }
                }
            }
            (OpName::Release, Kind::Invoke) | (OpName::Lost, _)
                if self.holder == Some(event.process) =>
            {
                self.holder = None;
            }
            _ => {}
        }
    }

    fn strike_matching(
        &mut self,
        world: &mut impl Levers,
        nth_if_fits: impl Fn(&When) -> Option<u32>,
    ) {
        for index in 0..self.faults.len() {
            let slot = &mut self.faults[index];
            if slot.state != State::Armed {
                continue;
            }
            let Some(nth) = nth_if_fits(&slot.timed.when) else { continue };
            slot.seen += 1;
            if slot.seen == nth {
                self.strike(index, world);
            }
        }
    }

    fn begin(&mut self, fault: usize, hits: Vec<Hit>, world: &mut impl Levers) {
        let timed = self.faults[fault].timed;
        for hit in &hits {
            let (Hit::Host(id) | Hit::Link(id, _)) = *hit;
            let host = world.conditions().name(id);
            world.note(HostName::NEMESIS, Op::FaultBegins { fault: fault as u16, host });
            apply(&timed.fault, *hit, world);
        }
        self.faults[fault].state = State::Active(hits);
        if let Some(lasting_ms) = timed.lasting_ms {
            let at = world.now() + Duration::from_millis(lasting_ms);
            world.end_later(fault, at);
        }
    }

    /// Whom a fault hits now.
    fn hits(&self, fault: &Fault, conditions: &Conditions) -> Vec<Hit> {
        let resolve = |target| self.resolve(target, conditions);
        match *fault {
            Fault::Pause { host }
            | Fault::Suspend { host }
            | Fault::Crash { host, .. }
            | Fault::Slow { host, .. }
            | Fault::WallStep { host, .. }
            | Fault::Drift { host, .. } => resolve(host).into_iter().map(Hit::Host).collect(),
            Fault::Partition { from, to, one_way, .. } => {
                let mut hits = directions(&resolve(from), &resolve(to));
                if !one_way {
                    hits.extend(directions(&resolve(to), &resolve(from)));
                }
                hits
            }
            Fault::Delay { from, to, .. }
            | Fault::Loss { from, to, .. }
            | Fault::Reset { from, to } => directions(&resolve(from), &resolve(to)),
        }
    }

    fn resolve(&self, target: Target, conditions: &Conditions) -> Vec<HostId> {
        let all_that = |fits: &dyn Fn(HostName) -> bool| {
            conditions.ids().filter(|id| fits(conditions.name(*id))).collect()
        };
        match target {
            Target::Host(name) => conditions.id(name).into_iter().collect(),
            Target::Holder => {
                self.holder.and_then(|name| conditions.id(name)).into_iter().collect()
            }
            Target::Owner => self.owner.and_then(|name| conditions.id(name)).into_iter().collect(),
            Target::Clients => all_that(&HostName::is_client),
            Target::Waiters => all_that(&|name| name.is_client() && Some(name) != self.holder),
            Target::Servers => all_that(&HostName::is_store),
            Target::Everyone => all_that(&|_| true),
        }
    }
}

fn directions(from: &[HostId], to: &[HostId]) -> Vec<Hit> {
    let pairs = from.iter().flat_map(|a| to.iter().map(move |b| (*a, *b)));
    pairs.filter(|(a, b)| a != b).map(|(a, b)| Hit::Link(a, b)).collect()
}

fn apply(fault: &Fault, hit: Hit, world: &mut impl Levers) {
    match (hit, *fault) {
        (Hit::Host(host), Fault::Pause { .. }) => pause(host, world),
        (Hit::Host(host), Fault::Suspend { .. }) => {
            let now = world.now();
            let condition = world.conditions().host_mut(host);
            condition.suspended += 1;
            if condition.suspended == 1 {
                condition.clock.suspend(now);
                world.host_changed(host, HostChange::Clock);
            }
            pause(host, world);
            each_link_of(host, world, stall);
        }
        (Hit::Host(host), Fault::Crash { how, .. }) => {
            let condition = world.conditions().host_mut(host);
            condition.down += 1;
            if condition.down == 1 {
                condition.crash = Some(how);
                let name = world.conditions().name(host);
                world.note(name, Op::Crashed);
                world.host_changed(host, HostChange::Crashed(how));
            }
        }
        (Hit::Host(host), Fault::Slow { step_ms, .. }) => {
            world.conditions().host_mut(host).slow_ms += step_ms;
        }
        (Hit::Host(host), Fault::WallStep { by_ms, .. }) => step_wall(host, by_ms, world),
        (Hit::Host(host), Fault::Drift { ppm, .. }) => drift(host, ppm, world),
        (Hit::Link(from, to), Fault::Partition { cut: Cut::Stall, .. }) => stall(from, to, world),
        (Hit::Link(from, to), Fault::Partition { cut: Cut::Reset, .. }) => {
            world.conditions().link_mut(from, to).refusing += 1;
            world.link_changed(from, to, LinkChange::Refusing);
        }
        (Hit::Link(from, to), Fault::Delay { by_ms, .. }) => {
            world.conditions().link_mut(from, to).delay_ms += by_ms;
            world.link_changed(from, to, LinkChange::Other);
        }
        (Hit::Link(from, to), Fault::Loss { percent, .. }) => {
            world.conditions().link_mut(from, to).loss_percent += u16::from(percent);
            world.link_changed(from, to, LinkChange::Other);
        }
        (Hit::Link(from, to), Fault::Reset { .. }) => {
            world.conditions().link_mut(from, to).reset_next = true;
            world.link_changed(from, to, LinkChange::Other);
        }
        (hit, fault) => unreachable!("{fault} never hits {hit:?}"),
    }
}

/// The exact opposite of [`apply`].
fn undo(fault: &Fault, hit: Hit, world: &mut impl Levers) {
    match (hit, *fault) {
        (Hit::Host(host), Fault::Pause { .. }) => unpause(host, world),
        (Hit::Host(host), Fault::Suspend { .. }) => {
            let now = world.now();
            let condition = world.conditions().host_mut(host);
            condition.suspended -= 1;
            if condition.suspended == 0 {
                condition.clock.resume(now);
                world.host_changed(host, HostChange::Clock);
            }
            each_link_of(host, world, unstall);
            unpause(host, world);
        }
        (Hit::Host(host), Fault::Crash { .. }) => {
            let condition = world.conditions().host_mut(host);
            condition.down -= 1;
            if condition.down == 0 {
                let name = world.conditions().name(host);
                world.note(name, Op::Booted);
                world.host_changed(host, HostChange::Booted);
            }
        }
        (Hit::Host(host), Fault::Slow { step_ms, .. }) => {
            world.conditions().host_mut(host).slow_ms -= step_ms;
        }
        (Hit::Host(host), Fault::WallStep { by_ms, .. }) => step_wall(host, -by_ms, world),
        (Hit::Host(host), Fault::Drift { ppm, .. }) => drift(host, -ppm, world),
        (Hit::Link(from, to), Fault::Partition { cut: Cut::Stall, .. }) => unstall(from, to, world),
        (Hit::Link(from, to), Fault::Partition { cut: Cut::Reset, .. }) => {
            world.conditions().link_mut(from, to).refusing -= 1;
            world.link_changed(from, to, LinkChange::Other);
        }
        (Hit::Link(from, to), Fault::Delay { by_ms, .. }) => {
            world.conditions().link_mut(from, to).delay_ms -= by_ms;
            world.link_changed(from, to, LinkChange::Other);
        }
        (Hit::Link(from, to), Fault::Loss { percent, .. }) => {
            world.conditions().link_mut(from, to).loss_percent -= u16::from(percent);
            world.link_changed(from, to, LinkChange::Other);
        }
        (Hit::Link(from, to), Fault::Reset { .. }) => {
            world.conditions().link_mut(from, to).reset_next = false;
            world.link_changed(from, to, LinkChange::Other);
        }
        (hit, fault) => unreachable!("{fault} never hits {hit:?}"),
    }
}

fn pause(host: HostId, world: &mut impl Levers) {
    let condition = world.conditions().host_mut(host);
    condition.paused += 1;
    if condition.paused == 1 {
        let name = world.conditions().name(host);
        world.note(name, Op::Paused);
        world.host_changed(host, HostChange::Paused);
    }
}

fn unpause(host: HostId, world: &mut impl Levers) {
    let condition = world.conditions().host_mut(host);
    condition.paused -= 1;
    if condition.paused == 0 {
        let name = world.conditions().name(host);
        world.note(name, Op::Resumed);
        world.host_changed(host, HostChange::Resumed);
    }
}

fn stall<L: Levers>(from: HostId, to: HostId, world: &mut L) {
    let link = world.conditions().link_mut(from, to);
    link.stalled += 1;
    if link.stalled == 1 {
        world.link_changed(from, to, LinkChange::Stalled);
    }
}

fn unstall<L: Levers>(from: HostId, to: HostId, world: &mut L) {
    let link = world.conditions().link_mut(from, to);
    link.stalled -= 1;
    if link.stalled == 0 {
        world.link_changed(from, to, LinkChange::Flows);
    }
}

fn each_link_of<L: Levers>(host: HostId, world: &mut L, act: fn(HostId, HostId, &mut L)) {
    for other in world.conditions().ids().filter(|other| *other != host) {
        act(host, other, world);
        act(other, host, world);
    }
}

fn step_wall(host: HostId, by_ms: i64, world: &mut impl Levers) {
    let now = world.now();
    world.conditions().host_mut(host).clock.step_wall(now, by_ms);
}

fn drift(host: HostId, by_ppm: i32, world: &mut impl Levers) {
    let now = world.now();
    let condition = world.conditions().host_mut(host);
    condition.rate_ppm += by_ppm;
    // Overlapping drifts add up; the clock itself must never stand still or run back.
    condition.clock.set_rate(now, condition.rate_ppm.max(-900_000));
    world.host_changed(host, HostChange::Clock);
}

#[cfg(test)]
mod tests;
