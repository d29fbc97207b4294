//! The owner of everything: agenda, hosts, network, timers, log.
//!
//! Split in two, so that the nemesis can pull the levers of the body it belongs to.

use std::collections::VecDeque;
use std::task::{Poll, Waker};
use std::time::Duration;

use picklock_models::model::Crash;
use picklock_models::time::SteadyTime;
use slab::Slab;

use super::agenda::{Agenda, Due};
use super::net::{Net, PipeId};
use super::tasks::{Interest, TaskId, Tasks};
use crate::conditions::{Conditions, HostId};
use crate::fault::StepKind;
use crate::history::{Event, Kind, Op};
use crate::host::HostName;
use crate::log::Log;
use crate::nemesis::{HostChange, Levers, LinkChange, Nemesis};
use crate::plan::WorldPlan;
use crate::recorder::Witness;
use crate::run::Run;
use crate::seed::Stream;
use crate::tap::{Tap, Tapping};
use crate::time::SimTime;

pub(super) struct World {
    pub(super) nemesis: Nemesis,
    pub(super) body: Body,
}

pub(super) struct Body {
    pub(super) agenda: Agenda,
    pub(super) tasks: Tasks,
    pub(super) conditions: Conditions,
    pub(super) net: Net,
    pub(super) orders: VecDeque<HostOrder>,
    /// The task that is being polled.
    pub(super) current: Option<TaskId>,
    /// The run is over; programs that are dropped now do nothing any more.
    pub(super) closing: bool,
    pub(super) log: Log,
    /// On every wire, for the few runs that somebody looks at closely.
    pub(super) tap: Option<Box<Tapping<PipeId>>>,
    timers: Slab<Timer>,
    timer_count: u32,
    /// A spare timer of each host, by its slot.
    spare_timers: Vec<Option<u32>>,
    randomness: Vec<Stream>,
    /// Tasks that wanted to go on while their host was frozen.
    frozen: Vec<Vec<TaskId>>,
}

/// Something the engine must do to a host when nobody has the world in hands.
#[derive(Clone, Copy, Debug)]
pub(super) enum HostOrder {
    Crash(HostId, Crash),
    Boot(HostId),
}

/// The time of a timer that has no entry on the agenda.
const NEVER: SimTime = SimTime::from_nanos(u64::MAX);

/// A timer's slot and the number that tells it from earlier users of the slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimerId {
    slot: u32,
    number: u32,
}

struct Timer {
    number: u32,
    host: HostId,
    target: SteadyTime,
    /// When its entry of the agenda comes; other entries of it are out of date.
    at: SimTime,
    state: TimerState,
    interest: Option<Interest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimerState {
    Awaited,
    Fired,
    /// Nobody waits for it any more, but its entry is still on the agenda. Nearly every request leaves
    /// such a timer behind (its time limit), and the next one takes it over: an entry that comes too
    /// early is put off.
    Spare,
}

/// Whether the step that a task is about to take was counted already, and from when it may happen:
/// a task that had to wait asks again, and must not be counted twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gate {
    counted: Option<SimTime>,
}

impl World {
    pub(super) fn new(plan: &WorldPlan) -> Self {
        let nemesis = Nemesis::new(&plan.faults);
        let mut agenda = Agenda::default();
        for (at, fault) in nemesis.agenda() {
            agenda.put(at, Due::FaultBegins(fault as u16));
        }
        agenda.put(plan.heal_at(), Due::Heal);
        let conditions = Conditions::new(plan);
        let stream = |host: &HostName| plan.seed.stream(format_args!("host {host}"));
        let body = Body {
            agenda,
            tasks: Tasks::new(plan.seed.stream("scheduler")),
            net: Net::new(plan),
            orders: VecDeque::new(),
            current: None,
            closing: false,
            log: Log::default(),
            tap: None,
            timers: Slab::new(),
            timer_count: 0,
            spare_timers: vec![None; plan.hosts.len()],
            randomness: plan.hosts.iter().map(|host| stream(&host.name)).collect(),
            frozen: vec![Vec::new(); plan.hosts.len()],
            conditions,
        };
        Self { nemesis, body }
    }

    /// The next task to be run, with time and host; those of frozen hosts are put aside.
    pub(super) fn next_turn(&mut self) -> Option<(TaskId, SimTime, HostName)> {
        let body = &mut self.body;
        while let Some((task, host)) = body.tasks.take_ready() {
            if body.conditions.runs(host) {
                body.current = Some(task);
                return Some((task, body.now(), body.conditions.name(host)));
            }
            body.frozen[usize::from(host.0)].push(task);
        }
        body.current = None;
        None
    }

    /// The process of `host` is about to take a step; `Pending` if it must wait. This is where a
    /// pause falls between a check and the write after it.
    #[inline]
    pub(super) fn step(&mut self, host: HostId, kind: StepKind, gate: &mut Gate) -> Poll<()> {
        let body = &self.body;
        let unhindered = gate.counted.is_none() && !self.nemesis.waits_for_steps();
        if unhindered && body.current.is_some() && body.conditions.host(host).is_unhindered() {
            return Poll::Ready(());
        }
        self.hindered_step(host, kind, gate)
    }

    #[cold]
    fn hindered_step(&mut self, host: HostId, kind: StepKind, gate: &mut Gate) -> Poll<()> {
        let body = &mut self.body;
        // Its host has just died, in the middle of this poll: the dead take no steps.
        if body.is_down(host) {
            return Poll::Pending;
        }
        if gate.counted.is_none() {
            let name = body.conditions.name(host);
            self.nemesis.on_step(name, kind, body);
            let slow = Duration::from_millis(body.conditions.host(host).slow_ms);
            gate.counted = Some(body.now() + slow);
        }
        let Some(task) = body.current else { return Poll::Pending };
        if !body.conditions.runs(host) {
            body.frozen[usize::from(host.0)].push(task);
            return Poll::Pending;
        }
        match gate.counted {
            Some(from) if from > body.now() => {
                body.agenda.put(from, Due::Wake(task));
                Poll::Pending
            }
            _ => {
                gate.counted = None;
                Poll::Ready(())
            }
        }
    }

    pub(super) fn finish(&mut self) -> (Run, Option<Tap>) {
        (self.body.log.finish(), self.body.tap.take().map(|tap| tap.into_seen()))
    }
}

impl Witness for World {
    fn record(&mut self, process: HostName, kind: Kind, op: Op) {
        let body = &mut self.body;
        let down = body.conditions.id(process).is_some_and(|id| body.conditions.host(id).down > 0);
        if down || body.closing {
            return;
        }
        let event = body.push(process, kind, op);
        if self.nemesis.is_waiting() {
            let event = *event;
            self.nemesis.on_event(&event, body);
        }
    }

    fn now(&self) -> SimTime {
        self.body.now()
    }

    fn conditions(&self) -> &Conditions {
        &self.body.conditions
    }
}

impl Body {
    pub(super) fn now(&self) -> SimTime {
        self.agenda.now()
    }

    /// A program whose host has just died may still be in the middle of a poll; its sockets are
    /// gone already.
    pub(super) fn is_down(&self, host: HostId) -> bool {
        self.conditions.host(host).down > 0
    }

    fn push(&mut self, process: HostName, kind: Kind, op: Op) -> &Event {
        let now = self.now();
        if let Some(tap) = &mut self.tap {
            let host = self.conditions.id(process);
            tap.clocks(host.map(|host| self.conditions.host(host).clock.read(now)));
        }
        self.log.push(now, process, kind, op)
    }

    pub(super) fn random(&mut self, host: HostId) -> u64 {
        self.randomness[usize::from(host.0)].next_u64()
    }

    /// Mixes a network or timer event into the digest.
    pub(super) fn witness(&mut self, what: u64) {
        let now = self.now();
        self.log.digest.pair(now.as_nanos(), what);
    }

    pub(super) fn set_timer(&mut self, host: HostId, target: SteadyTime) -> TimerId {
        let at = self.expected(host, target);
        let spare = &mut self.spare_timers[usize::from(host.0)];
        if let Some(slot) = *spare
            && self.timers[slot as usize].at <= at
        {
            *spare = None;
            let timer = &mut self.timers[slot as usize];
            (timer.target, timer.state) = (target, TimerState::Awaited);
            return TimerId { slot, number: timer.number };
        }
        // Far more than can be alive at once, so that a number that comes again says nothing false.
        self.timer_count = self.timer_count.wrapping_add(1);
        let (number, state) = (self.timer_count, TimerState::Awaited);
        let timer = Timer { number, host, target, at, state, interest: None };
        let timer = TimerId { slot: self.timers.insert(timer) as u32, number };
        self.schedule(timer, at);
        timer
    }

    /// Who asks for a timer that is not yet due will be told, and gets `false`.
    pub(super) fn timer_fired(&mut self, timer: TimerId, waker: &Waker) -> bool {
        let timer = &mut self.timers[timer.slot as usize];
        if timer.state == TimerState::Fired {
            return true;
        }
        timer.interest = Some(self.tasks.interest(self.current, waker));
        false
    }

    pub(super) fn drop_timer(&mut self, id: TimerId) {
        let timer = &mut self.timers[id.slot as usize];
        let spare = &mut self.spare_timers[usize::from(timer.host.0)];
        if timer.state == TimerState::Fired || timer.at == NEVER || spare.is_some() {
            self.timers.remove(id.slot as usize);
            return;
        }
        *spare = Some(id.slot);
        (timer.state, timer.interest) = (TimerState::Spare, None);
    }

    /// The time at which a timer was expected: its host's clock, or what it waits for, may have changed
    /// since.
    pub(super) fn fire(&mut self, id: TimerId) {
        let now = self.now();
        let Some(timer) = self.timers.get_mut(id.slot as usize) else { return };
        if timer.number != id.number || timer.at != now || timer.state == TimerState::Fired {
            return;
        }
        let (host, target) = (timer.host, timer.target);
        if timer.state == TimerState::Spare {
            self.spare_timers[usize::from(host.0)] = None;
            self.timers.remove(id.slot as usize);
            return;
        }
        if self.conditions.host(host).clock.read(now).steady < target {
            return self.reschedule(id, host, target);
        }
        timer.state = TimerState::Fired;
        if let Some(interest) = timer.interest.take() {
            self.tasks.tell(interest);
        }
        self.witness(u64::from(host.0) << 8 | 1);
        self.log.leave_trail(now, || format!("timer of {}", self.conditions.name(host)));
    }

    /// When a host's clock will show `target`, if it runs on as it does now.
    fn expected(&self, host: HostId, target: SteadyTime) -> SimTime {
        // A suspended clock never gets there; its timers are scheduled anew when it goes on.
        self.conditions.host(host).clock.when_steady(target, self.now()).unwrap_or(NEVER)
    }

    fn schedule(&mut self, timer: TimerId, at: SimTime) {
        if at != NEVER {
            self.agenda.put(at, Due::Timer(timer));
        }
    }

    fn reschedule(&mut self, id: TimerId, host: HostId, target: SteadyTime) {
        let at = self.expected(host, target);
        self.timers[id.slot as usize].at = at;
        self.schedule(id, at);
    }

    fn reschedule_timers(&mut self, host: HostId) {
        let of_host = |(slot, timer): (usize, &Timer)| {
            let id = TimerId { slot: slot as u32, number: timer.number };
            let awaited = timer.host == host && timer.state == TimerState::Awaited;
            awaited.then_some((id, timer.target))
        };
        let timers: Vec<_> = self.timers.iter().filter_map(of_host).collect();
        for (timer, target) in timers {
            self.reschedule(timer, host, target);
        }
    }

    fn thaw(&mut self, host: HostId) {
        for task in std::mem::take(&mut self.frozen[usize::from(host.0)]) {
            self.tasks.wake(task);
        }
    }
}

impl Levers for Body {
    fn now(&self) -> SimTime {
        self.agenda.now()
    }

    fn conditions(&mut self) -> &mut Conditions {
        &mut self.conditions
    }

    fn note(&mut self, process: HostName, op: Op) {
        self.push(process, Kind::Info, op);
    }

    fn end_later(&mut self, fault: usize, at: SimTime) {
        self.agenda.put(at, Due::FaultEnds(fault as u16));
    }

    fn host_changed(&mut self, host: HostId, change: HostChange) {
        match change {
            HostChange::Paused => {}
            HostChange::Resumed => self.thaw(host),
            HostChange::Crashed(how) => {
                self.host_down(host, how);
                self.frozen[usize::from(host.0)].clear();
                self.orders.push_back(HostOrder::Crash(host, how));
            }
            HostChange::Booted => {
                self.host_up(host);
                self.orders.push_back(HostOrder::Boot(host));
            }
            HostChange::Clock => self.reschedule_timers(host),
        }
    }

    fn link_changed(&mut self, from: HostId, to: HostId, change: LinkChange) {
        match change {
            LinkChange::Stalled | LinkChange::Other => {}
            LinkChange::Flows => self.release_held(from, to),
            LinkChange::Refusing => self.reset_link(from, to),
        }
    }
}
