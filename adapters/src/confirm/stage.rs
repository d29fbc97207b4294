//! A plan on real processes: this engine's main loop.
//!
//! One thread decides everything, in the order in which it hears of it: what processes say (and they wait
//! for the answer), what servers do, what the plan's times ask for. When a fault strikes and what ends it is
//! the same nemesis's business as in every engine; the levers here are signals, the proxies and `faketime`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use picklock_sim::conditions::{Conditions, HostId};
use picklock_sim::digest::Digest;
use picklock_sim::history::{Event, Kind, Op};
use picklock_sim::host::{HostName, Role};
use picklock_sim::nemesis::{HostChange, Levers, LinkChange, Nemesis};
use picklock_sim::plan::WorldPlan;
use picklock_sim::time::SimTime;

use super::actors::Actor;
use super::clock::RunClock;
use super::control::Message;
use super::links::{Links, Target};
use crate::servers::ServerError;

/// Long enough for a process to begin on a busy machine; alone it takes 20 ms.
const PATIENCE: Duration = Duration::from_secs(20);

/// A drifting wall clock is set this often: finer than any lease, coarser than a busy machine's hiccups.
const CLOCK_STEP: Duration = Duration::from_millis(10);

/// What the stage hears of.
#[derive(Debug)]
pub(super) enum Happening {
    /// A host's process has begun, and can be answered here.
    Called(HostName, UnixStream),
    /// A host's process says something and waits.
    Said(HostName, Message),
    /// A host's process has ended.
    Gone(HostName),
    /// A server did this, says its witness.
    Fact(HostName, Op),
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A server or this machine.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A process ended that nobody had killed, or never began.
    #[error("the process of {host} is not there at {at}; the end of its log:\n{log}")]
    Ended {
        /// Whose.
        host: HostName,
        /// When.
        at: SimTime,
        /// Its last words.
        log: String,
    },
}

/// A run in progress.
pub(super) struct Stage {
    nemesis: Nemesis,
    body: Body,
}

/// Everything but the nemesis, which pulls its levers.
struct Body {
    plan: WorldPlan,
    clock: RunClock,
    now: SimTime,
    conditions: Conditions,
    /// How far each server's wall clock was last set beside the true one; not there: not at all.
    wall_offsets_ms: BTreeMap<HostName, i64>,
    actors: BTreeMap<HostName, Actor>,
    links: Arc<Links>,
    agenda: BTreeMap<(SimTime, u64), Due>,
    agenda_count: u64,
    /// What a paused process had said before it was stopped: it is as if it had not come to that yet.
    unheard: VecDeque<(HostName, Message)>,
    events: Vec<Event>,
    digest: Digest,
    error: Option<StageError>,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    FaultBegins(usize),
    FaultEnds(usize),
    Heal,
    End,
}

impl Stage {
    /// A stage for a plan, with its actors.
    pub(super) fn new(
        plan: &WorldPlan,
        actors: BTreeMap<HostName, Actor>,
        links: Arc<Links>,
    ) -> Self {
        let nemesis = Nemesis::new(&plan.faults);
        let mut body = Body {
            plan: plan.clone(),
            clock: RunClock::start(),
            now: SimTime::ZERO,
            conditions: Conditions::new(plan),
            wall_offsets_ms: BTreeMap::new(),
            actors,
            links,
            agenda: BTreeMap::new(),
            agenda_count: 0,
            unheard: VecDeque::new(),
            events: Vec::new(),
            digest: Digest::default(),
            error: None,
        };
        for (at, fault) in nemesis.agenda() {
            body.put(at, Due::FaultBegins(fault));
        }
        body.put(plan.heal_at(), Due::Heal);
        body.put(plan.end_at(), Due::End);
        Self { nemesis, body }
    }

    /// Plays until the plan's end: what happened, in the order in which it was heard.
    pub(super) fn play(
        mut self,
        heard: &Receiver<Happening>,
    ) -> Result<(Vec<Event>, Digest), StageError> {
        self.raise_the_curtain(heard)?;
        loop {
            let next = self.body.agenda.first_key_value().map(|(key, due)| (*key, *due));
            let Some((key, due)) = next else { break };
            let wait = self.body.clock.until(key.0).min(CLOCK_STEP);
            match heard.recv_timeout(wait) {
                Ok(happening) => {
                    self.body.now = self.body.clock.now();
                    self.hear(happening);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    self.body.now = self.body.clock.now();
                }
            }
            self.body.set_wall_clocks();
            if self.body.now >= key.0 {
                self.body.agenda.remove(&key);
                match due {
                    Due::FaultBegins(fault) => self.nemesis.strike(fault, &mut self.body),
                    Due::FaultEnds(fault) => self.nemesis.end(fault, &mut self.body),
                    Due::Heal => self.nemesis.heal(&mut self.body),
                    Due::End => break,
                }
                self.hear_what_was_unheard();
            }
            if let Some(error) = self.body.error.take() {
                return Err(error);
            }
        }
        Ok((self.body.events, self.body.digest))
    }

    /// Waits until all processes are there, then lets the run begin for all of them at once: for the shop
    /// first, so that clients find it open.
    fn raise_the_curtain(&mut self, heard: &Receiver<Happening>) -> Result<(), StageError> {
        let hosts = || self.body.actors.iter().filter(|(_, actor)| actor.calls());
        let mut awaited: BTreeSet<HostName> = hosts().map(|(host, _)| *host).collect();
        let (mut calls, mut early) = (Vec::new(), Vec::new());
        while let Some(missing) = awaited.first().copied() {
            match heard.recv_timeout(PATIENCE) {
                Ok(Happening::Called(host, stream)) => {
                    awaited.remove(&host);
                    calls.push((host, stream));
                }
                Ok(Happening::Fact(host, op)) => early.push((host, op)),
                Ok(Happening::Gone(host)) => return Err(self.body.ended(host)),
                Ok(Happening::Said(..)) => {}
                Err(_) => return Err(self.body.ended(missing)),
            }
        }
        self.body.clock = RunClock::start();
        for (host, op) in early {
            self.record(host, Kind::Info, op);
        }
        calls.sort_by_key(|(host, _)| host.role != Role::Shop);
        for (host, stream) in calls {
            self.hear(Happening::Called(host, stream));
            while host.role == Role::Shop && self.body.links.target(host).is_none() {
                let happening = heard.recv_timeout(PATIENCE).map_err(|_| self.body.ended(host))?;
                self.hear(happening);
            }
        }
        Ok(())
    }

    fn hear(&mut self, happening: Happening) {
        match happening {
            Happening::Called(host, stream) => {
                let clock = self.body.clock;
                if let Some(actor) = self.body.actors.get_mut(&host) {
                    actor.called(stream, clock);
                }
            }
            Happening::Said(host, message) => self.hear_message(host, message),
            Happening::Gone(host) => self.body.gone(host),
            Happening::Fact(host, op) => self.record(host, Kind::Info, op),
        }
    }

    /// Whatever a fault does because of it is done before the process hears the answer.
    fn hear_message(&mut self, host: HostName, message: Message) {
        let Some(id) = self.body.conditions.id(host) else { return };
        let condition = self.body.conditions.host(id);
        if condition.down > 0 {
            return;
        }
        if condition.paused > 0 {
            self.body.unheard.push_back((host, message));
            return;
        }
        match message {
            Message::Listens { port } => {
                self.body.links.lead_to(host, Target { port, introduced: true });
            }
            Message::Step(kind) => self.nemesis.on_step(host, kind, &mut self.body),
            Message::Event { kind, op } => self.record(host, kind, op),
        }
        self.body.set_wall_clocks();
        if let Some(actor) = self.body.actors.get_mut(&host) {
            actor.answer();
        }
    }

    fn hear_what_was_unheard(&mut self) {
        for (host, message) in std::mem::take(&mut self.body.unheard) {
            self.hear_message(host, message);
        }
    }

    fn record(&mut self, host: HostName, kind: Kind, op: Op) {
        let event = self.body.push(host, kind, op);
        self.nemesis.on_event(&event, &mut self.body);
    }
}

impl Body {
    fn put(&mut self, at: SimTime, due: Due) {
        self.agenda_count += 1;
        self.agenda.insert((at, self.agenda_count), due);
    }

    fn push(&mut self, process: HostName, kind: Kind, op: Op) -> Event {
        let index = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        let event = Event { index, at: self.now, process, kind, op };
        event.digest(&mut self.digest);
        self.events.push(event);
        event
    }

    fn gone(&mut self, host: HostName) {
        let down = self.conditions.id(host).is_some_and(|id| self.conditions.host(id).down > 0);
        if !down {
            let error = self.ended(host);
            self.error.get_or_insert(error);
        }
    }

    fn ended(&self, host: HostName) -> StageError {
        let log = self.actors.get(&host).map(Actor::log).unwrap_or_default();
        StageError::Ended { host, at: self.now, log }
    }

    /// Keeps the wall clocks of servers where the plan wants them: after a jump, and all along a drift.
    fn set_wall_clocks(&mut self) {
        for index in 0..self.plan.hosts.len() {
            let plan = self.plan.hosts[index];
            let Some(id) = self.conditions.id(plan.name).filter(|_| plan.name.is_store()) else {
                continue;
            };
            let start = self.plan.clocks_at_start(&plan).wall.as_unix_nanos();
            let shown = self.conditions.host(id).clock.read(self.now).wall.as_unix_nanos();
            let gained = i128::from(shown) - i128::from(start) - i128::from(self.now.as_nanos());
            let gained_ms = i64::try_from(gained / 1_000_000).unwrap_or(i64::MAX);
            let offset_ms = plan.wall_offset_ms.saturating_add(gained_ms);
            if self.wall_offsets_ms.insert(plan.name, offset_ms).unwrap_or(0) != offset_ms {
                let set = self.actors.get(&plan.name).map(|actor| actor.set_wall_clock(offset_ms));
                self.did(set.unwrap_or(Ok(())));
            }
        }
    }

    fn did(&mut self, result: Result<(), ServerError>) {
        if let Err(error) = result {
            self.error.get_or_insert(error.into());
        }
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
        self.push(process, Kind::Info, op);
    }

    fn end_later(&mut self, fault: usize, at: SimTime) {
        self.put(at, Due::FaultEnds(fault));
    }

    fn host_changed(&mut self, host: HostId, change: HostChange) {
        let name = self.conditions.name(host);
        let condition = self.conditions.host(host);
        let (down, paused) = (condition.down > 0, condition.paused > 0);
        let Some(actor) = self.actors.get_mut(&name) else { return };
        let done = match change {
            HostChange::Paused if !down => actor.pause(),
            HostChange::Resumed if !down => actor.resume(),
            HostChange::Crashed(_) => actor.kill(),
            HostChange::Booted => actor.boot().and_then(|()| match paused {
                true => actor.pause(),
                false => Ok(()),
            }),
            HostChange::Paused | HostChange::Resumed | HostChange::Clock => Ok(()),
        };
        self.did(done);
    }

    fn link_changed(&mut self, from: HostId, to: HostId, _: LinkChange) {
        let (from_name, to_name) = (self.conditions.name(from), self.conditions.name(to));
        self.links.set(from_name, to_name, *self.conditions.link(from, to));
    }
}
