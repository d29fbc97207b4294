//! The default world: our own discrete-event engine and executor.
//!
//! The whole of it is the loop in [`run`]: let every ready task run, then jump to the next thing on
//! the agenda. Idle time costs nothing. Which of several ready tasks runs next is drawn from a
//! seeded stream, because a first-in first-out queue hides interleavings from every seed.
//!
//! `agenda` is what will happen, `tasks` the executor, `net` the byte streams, `world` their owner,
//! `env` the hosts' view of it.

mod agenda;
mod env;
mod net;
mod tasks;
mod world;

use std::cell::RefCell;
use std::rc::Rc;

use self::agenda::Due;
pub use self::env::{EventEnv, EventStream};
use self::world::{HostOrder, World};
use crate::cast::Cast;
use crate::plan::WorldPlan;
use crate::recorder::Recorder;
use crate::run::{Run, WorldError};
use crate::tap::{Tap, Tapping};
use crate::trace;

/// Polls without any progress of time after which a run is given up. A program needs a few per
/// event; a million means that tasks wake each other for ever.
const LIVELOCK_POLLS: u32 = 1_000_000;

/// Runs a world to its end.
///
/// # Errors
/// A plan that makes no sense; a program that panics or never yields.
pub fn run<C: Cast>(plan: &WorldPlan, cast: &C) -> Result<Run, WorldError> {
    plan.check()?;
    Ok(play(World::new(plan), plan, cast)?.0)
}

/// As [`run`], with a tap on every wire: the same run, and what else was to be seen of it.
///
/// # Errors
/// As [`run`].
pub fn run_tapped<C: Cast>(plan: &WorldPlan, cast: &C) -> Result<(Run, Tap), WorldError> {
    plan.check()?;
    let mut world = World::new(plan);
    world.body.tap = Some(Box::new(Tapping::new()));
    let (run, tap) = play(world, plan, cast)?;
    Ok((run, tap.unwrap_or_default()))
}

/// As [`run`], and leaves the trail of it: the same run.
///
/// # Errors
/// As [`run`].
pub fn run_with_trail<C: Cast>(plan: &WorldPlan, cast: &C) -> Result<Run, WorldError> {
    plan.check()?;
    let mut world = World::new(plan);
    world.body.log.trail = Some(Box::default());
    Ok(play(world, plan, cast)?.0)
}

fn play<C: Cast>(
    world: World,
    plan: &WorldPlan,
    cast: &C,
) -> Result<(Run, Option<Tap>), WorldError> {
    let world = Rc::new(RefCell::new(world));
    let stage = Stage { world: Rc::clone(&world), cast, recorder: Recorder::new(world.clone()) };
    let hosts: Vec<_> = world.borrow().body.conditions.ids().collect();
    for host in hosts {
        stage.boot(host);
    }
    let end = plan.end_at();
    let result = loop {
        if let Err(error) = stage.run_ready_tasks() {
            break Err(error);
        }
        let next = world.borrow_mut().body.agenda.next(end);
        match next {
            Some(due) => stage.happen(due),
            None => break Ok(()),
        }
    };
    stage.tear_down();
    result.map(|()| world.borrow_mut().finish())
}

/// A world with its cast.
struct Stage<'a, C> {
    world: Rc<RefCell<World>>,
    cast: &'a C,
    recorder: Recorder,
}

impl<C: Cast> Stage<'_, C> {
    fn run_ready_tasks(&self) -> Result<(), WorldError> {
        let mut polls = 0;
        loop {
            if self.world.borrow().is_quiet() {
                return Ok(());
            }
            self.obey_orders();
            let Some((turn, now, name)) = self.world.borrow_mut().next_turn() else {
                return Ok(());
            };
            trace::enter(now, name);
            let polled = tasks::poll(&self.world, turn);
            trace::leave();
            if let Err(message) = polled {
                return Err(WorldError::Panicked { host: name, at: now, message });
            }
            polls += 1;
            if polls > LIVELOCK_POLLS {
                return Err(WorldError::Livelock { host: name, at: now });
            }
        }
    }

    fn happen(&self, due: Due) {
        let mut world = self.world.borrow_mut();
        let World { nemesis, body } = &mut *world;
        match due {
            Due::Arrival(pipe) => body.arrive(pipe),
            Due::Timer(timer) => body.fire(timer),
            Due::Wake(task) => body.tasks.wake(task),
            Due::FaultBegins(fault) => nemesis.strike(usize::from(fault), body),
            Due::FaultEnds(fault) => nemesis.end(usize::from(fault), body),
            Due::Heal => nemesis.heal(body),
        }
    }

    /// Crashes and boots that the nemesis has decided on: they drop and create programs, which may
    /// call back into the world, so they wait until nobody has it in hands.
    fn obey_orders(&self) {
        loop {
            let order = self.world.borrow_mut().body.orders.pop_front();
            match order {
                Some(HostOrder::Crash(host, how)) => {
                    let name = self.world.borrow().body.conditions.name(host);
                    self.cast.crashed(name, how);
                    let dead = self.world.borrow_mut().body.tasks.remove_all_of(host);
                    drop(dead);
                }
                Some(HostOrder::Boot(host)) => self.boot(host),
                None => return,
            }
        }
    }

    fn boot(&self, host: crate::conditions::HostId) {
        let name = self.world.borrow().body.conditions.name(host);
        let env = EventEnv::new(&self.world, host);
        let now = self.world.borrow().body.now();
        trace::enter(now, name);
        let program = self.cast.boot(name, env, self.recorder.clone());
        trace::leave();
        self.world.borrow_mut().body.tasks.spawn(host, program);
    }

    /// Programs hold the world and the world holds programs: dropping them by hand ends the cycle.
    fn tear_down(&self) {
        let hosts: Vec<_> = self.world.borrow().body.conditions.ids().collect();
        self.world.borrow_mut().body.closing = true;
        for host in hosts {
            let programs = self.world.borrow_mut().body.tasks.remove_all_of(host);
            drop(programs);
        }
    }
}
