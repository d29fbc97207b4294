//! The state that turmoil does not keep: nemesis, conditions, log, agenda, and who must be woken.
//!
//! Split in two as in the event engine, so that the nemesis can pull the levers of the body it
//! belongs to. What only the owner of the simulation may do waits as an [`Order`].

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::task::Waker;
use std::time::Duration;

use picklock_models::model::Crash;
use slab::Slab;

use crate::conditions::{Conditions, HostId};
use crate::fault::StepKind;
use crate::history::{Kind, Op};
use crate::host::HostName;
use crate::log::Log;
use crate::nemesis::{HostChange, Levers, LinkChange, Nemesis};
use crate::plan::WorldPlan;
use crate::recorder::Witness;
use crate::run::{Run, WorldError};
use crate::seed::Stream;
use crate::time::SimTime;

/// Polls in one tick after which a run is given up: tasks wake each other for ever.
const LIVELOCK_POLLS: u32 = 1_000_000;

pub(super) struct World {
    nemesis: Nemesis,
    pub(super) body: Body,
}

pub(super) struct Body {
    pub(super) conditions: Conditions,
    now: SimTime,
    agenda: BTreeMap<(SimTime, u64), Due>,
    agenda_count: u64,
    orders: VecDeque<Order>,
    pub(super) log: Log,
    addresses: Vec<IpAddr>,
    randomness: Vec<Stream>,
    /// Who wanted to go on while its host was frozen.
    frozen: Vec<Vec<Waker>>,
    /// Sleeps, which a change of their host's clock wakes to reckon anew.
    sleeps: Slab<(HostId, Waker)>,
    /// Machines without power.
    dark: Vec<bool>,
    /// Row-major, the lower host first: links that turmoil holds.
    held: Vec<bool>,
    polls: u32,
    failure: Option<WorldError>,
    closing: bool,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    FaultBegins(usize),
    FaultEnds(usize),
    Heal,
}

/// Something that must be done to the simulation when nobody is inside it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Hold(IpAddr, IpAddr),
    Release(IpAddr, IpAddr),
    Crash(HostId, Crash),
    Boot(HostId),
}

impl World {
    pub(super) fn new(plan: &WorldPlan, addresses: Vec<IpAddr>) -> Self {
        let nemesis = Nemesis::new(&plan.faults);
        let hosts = plan.hosts.len();
        let stream = |host: HostName| plan.seed.stream(format_args!("host {host}"));
        let mut body = Body {
            conditions: Conditions::new(plan),
            now: SimTime::ZERO,
            agenda: BTreeMap::new(),
            agenda_count: 0,
            orders: VecDeque::new(),
            log: Log::default(),
            addresses,
            randomness: plan.hosts.iter().map(|host| stream(host.name)).collect(),
            frozen: vec![Vec::new(); hosts],
            sleeps: Slab::new(),
            dark: vec![false; hosts],
            held: vec![false; hosts * hosts],
            polls: 0,
            failure: None,
            closing: false,
        };
        for (at, fault) in nemesis.agenda() {
            body.put(at, Due::FaultBegins(fault));
        }
        body.put(plan.heal_at(), Due::Heal);
        Self { nemesis, body }
    }

    /// Moves the present and lets everything happen whose time has come.
    pub(super) fn begin_tick(&mut self, now: SimTime) {
        let Self { nemesis, body } = self;
        body.now = now;
        body.polls = 0;
        while let Some(entry) = body.agenda.first_entry() {
            if entry.key().0 > now {
                return;
            }
            match entry.remove() {
                Due::FaultBegins(fault) => nemesis.strike(fault, body),
                Due::FaultEnds(fault) => nemesis.end(fault, body),
                Due::Heal => nemesis.heal(body),
            }
        }
    }

    /// The process of `host` is about to take a step; from when on it may take effect.
    pub(super) fn count_step(&mut self, host: HostId, kind: StepKind) -> SimTime {
        let body = &mut self.body;
        let name = body.conditions.name(host);
        self.nemesis.on_step(name, kind, body);
        body.now + Duration::from_millis(body.conditions.host(host).slow_ms)
    }

    pub(super) fn name(&self, host: HostId) -> HostName {
        self.body.conditions.name(host)
    }

    pub(super) fn take_order(&mut self) -> Option<Order> {
        self.body.orders.pop_front()
    }

    pub(super) fn take_failure(&mut self) -> Option<WorldError> {
        self.body.failure.take()
    }

    /// A machine has lost its power, or has it again.
    pub(super) fn set_dark(&mut self, host: HostId, dark: bool) {
        let body = &mut self.body;
        body.dark[usize::from(host.0)] = dark;
        for other in body.conditions.ids().filter(|other| *other != host) {
            body.settle(host, other);
        }
    }

    pub(super) fn close(&mut self) {
        self.body.closing = true;
    }

    pub(super) fn finish(&mut self) -> Run {
        self.body.log.finish()
    }
}

impl Witness for World {
    fn record(&mut self, process: HostName, kind: Kind, op: Op) {
        let body = &mut self.body;
        let down = body.conditions.id(process).is_some_and(|id| body.is_down(id));
        if down || body.closing {
            return;
        }
        let event = *body.log.push(body.now, process, kind, op);
        self.nemesis.on_event(&event, body);
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
        self.now
    }

    pub(super) fn is_down(&self, host: HostId) -> bool {
        self.conditions.host(host).down > 0
    }

    pub(super) fn random(&mut self, host: HostId) -> u64 {
        self.randomness[usize::from(host.0)].next_u64()
    }

    pub(super) fn address(&self, host: HostId) -> IpAddr {
        self.addresses[usize::from(host.0)]
    }

    pub(super) fn host_at(&self, address: IpAddr) -> Option<HostName> {
        let index = self.addresses.iter().position(|known| *known == address)?;
        Some(self.conditions.name(HostId(index as u16)))
    }

    /// Wakes it when the host goes on.
    pub(super) fn freeze(&mut self, host: HostId, waker: &Waker) {
        let frozen = &mut self.frozen[usize::from(host.0)];
        if !frozen.iter().any(|known| known.will_wake(waker)) {
            frozen.push(waker.clone());
        }
    }

    /// Wakes a sleep when its host's clock changes.
    pub(super) fn watch_clock(&mut self, slot: &mut Option<usize>, host: HostId, waker: &Waker) {
        match slot {
            Some(slot) => self.sleeps[*slot].1.clone_from(waker),
            None => *slot = Some(self.sleeps.insert((host, waker.clone()))),
        }
    }

    pub(super) fn forget_sleep(&mut self, slot: usize) {
        self.sleeps.remove(slot);
    }

    /// Counts a poll of one of the host's tasks; `false` if nothing may run any more.
    pub(super) fn count_poll(&mut self, host: HostId) -> bool {
        self.polls += 1;
        if self.polls > LIVELOCK_POLLS {
            let host = self.conditions.name(host);
            self.fail(WorldError::Livelock { host, at: self.now });
        }
        self.failure.is_none()
    }

    pub(super) fn panicked(&mut self, host: HostId, message: String) {
        let host = self.conditions.name(host);
        self.fail(WorldError::Panicked { host, at: self.now, message });
    }

    fn fail(&mut self, error: WorldError) {
        self.failure.get_or_insert(error);
    }

    fn put(&mut self, at: SimTime, due: Due) {
        self.agenda_count += 1;
        self.agenda.insert((at, self.agenda_count), due);
    }

    /// Holds or releases a link if that is not what turmoil does already. Inside the simulation at
    /// once, because the next send may come within this very tick.
    fn settle(&mut self, a: HostId, b: HostId) {
        let stalled = |from, to| self.conditions.link(from, to).stalled > 0;
        let dark = self.dark[usize::from(a.0)] || self.dark[usize::from(b.0)];
        let hold = dark || (stalled(a, b) && stalled(b, a));
        let open = !dark && !stalled(a, b) && !stalled(b, a);
        let (low, high) = (a.min(b), a.max(b));
        let held = &mut self.held[usize::from(low.0) * self.dark.len() + usize::from(high.0)];
        let (a, b) = (self.addresses[usize::from(a.0)], self.addresses[usize::from(b.0)]);
        let inside = ::turmoil::in_simulation();
        match *held {
            false if hold && inside => ::turmoil::hold(a, b),
            false if hold => self.orders.push_back(Order::Hold(a, b)),
            true if open && inside => ::turmoil::release(a, b),
            true if open => self.orders.push_back(Order::Release(a, b)),
            _ => return,
        }
        *held = hold;
    }
}

impl Levers for Body {
    fn now(&self) -> SimTime {
        self.now
    }

    fn conditions(&mut self) -> &mut Conditions {
        &mut self.conditions
    }

    fn note(&mut self, process: HostName, op: Op) {
        self.log.push(self.now, process, Kind::Info, op);
    }

    fn end_later(&mut self, fault: usize, at: SimTime) {
        self.put(at, Due::FaultEnds(fault));
    }

    fn host_changed(&mut self, host: HostId, change: HostChange) {
        match change {
            HostChange::Paused => {}
            HostChange::Resumed => {
                for waker in std::mem::take(&mut self.frozen[usize::from(host.0)]) {
                    waker.wake();
                }
            }
            HostChange::Crashed(how) => {
                self.frozen[usize::from(host.0)].clear();
                self.orders.push_back(Order::Crash(host, how));
            }
            HostChange::Booted => self.orders.push_back(Order::Boot(host)),
            HostChange::Clock => {
                let of_host = self.sleeps.iter().filter(|(_, (sleeper, _))| *sleeper == host);
                of_host.for_each(|(_, (_, waker))| waker.wake_by_ref());
            }
        }
    }

    fn link_changed(&mut self, from: HostId, to: HostId, change: LinkChange) {
        match change {
            LinkChange::Stalled | LinkChange::Flows => self.settle(from, to),
            // Faults that need these are refused before the run.
            LinkChange::Refusing | LinkChange::Other => {}
        }
    }
}
