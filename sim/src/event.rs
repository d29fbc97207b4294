//! The default world: our own discrete-event engine and executor.
//!
//! The whole of it is the loop in [`run`]: let every ready task run, then jump to the next thing on
//! the agenda. Idle time costs nothing. Which of several ready tasks runs next is drawn from a
//! seeded stream, because a first-in first-out queue hides interleavings from every seed.
//!
//! `agenda` is what will happen, `tasks` and `programs` the executor, `net` the byte streams, `world`
//! their owner, `env` the hosts' view of it.

mod agenda;
mod env;
mod net;
mod programs;
mod tasks;
mod world;

use std::cell::RefCell;
use std::rc::Rc;

use self::agenda::Due;
pub use self::env::{EventEnv, EventStream};
use self::programs::Programs;
use self::tasks::TaskId;
use self::world::{HostOrder, World};
use crate::cast::Cast;
use crate::conditions::HostId;
use crate::host::HostName;
use crate::plan::WorldPlan;
use crate::recorder::Recorder;
use crate::run::{Run, WorldError};
use crate::tap::{Tap, Tapping};
use crate::time::SimTime;
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
    let mut stage = Stage {
        world: Rc::clone(&world),
        programs: Programs::default(),
        cast,
        recorder: Recorder::new(world.clone()),
    };
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
    programs: Programs,
    cast: &'a C,
    recorder: Recorder,
}

impl<C: Cast> Stage<'_, C> {
    fn run_ready_tasks(&mut self) -> Result<(), WorldError> {
        let mut polls = 0;
        while let Some((task, now, name)) = self.next_turn() {
            trace::enter(now, name);
            let polled = self.programs.poll(task);
            trace::leave();
            match polled {
                Ok(there_was_one) => polls += u32::from(there_was_one),
                Err(message) => {
                    return Err(WorldError::Panicked { host: name, at: now, message });
                }
            }
            if polls > LIVELOCK_POLLS {
                return Err(WorldError::Livelock { host: name, at: now });
            }
        }
        Ok(())
    }

    fn next_turn(&mut self) -> Option<(TaskId, SimTime, HostName)> {
        let mut world = self.world.borrow_mut();
        if !world.body.orders.is_empty() {
            world.body.current = None;
            drop(world);
            self.obey_orders();
            world = self.world.borrow_mut();
        }
        self.programs.take_over(&mut world.body.tasks.newborn);
        world.next_turn()
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
    fn obey_orders(&mut self) {
        loop {
            let order = self.world.borrow_mut().body.orders.pop_front();
            match order {
                Some(HostOrder::Crash(host, how)) => {
                    let name = self.world.borrow().body.conditions.name(host);
                    self.cast.crashed(name, how);
                    self.end_programs(host);
                }
                Some(HostOrder::Boot(host)) => self.boot(host),
                None => return,
            }
        }
    }

    fn boot(&self, host: HostId) {
        let name = self.world.borrow().body.conditions.name(host);
        let env = EventEnv::new(&self.world, host);
        let now = self.world.borrow().body.now();
        trace::enter(now, name);
        let program = self.cast.boot(name, env, self.recorder.clone());
        trace::leave();
        self.world.borrow_mut().body.tasks.spawn(host, program);
    }

    fn end_programs(&mut self, host: HostId) {
        let tasks: Vec<TaskId> = {
            let body = &mut self.world.borrow_mut().body;
            self.programs.take_over(&mut body.tasks.newborn);
            body.tasks.of(host).collect()
        };
        self.programs.end(tasks);
    }

    /// Programs hold the world and the world holds their tasks: dropping them by hand ends the cycle.
    fn tear_down(&mut self) {
        let hosts: Vec<_> = self.world.borrow().body.conditions.ids().collect();
        self.world.borrow_mut().body.closing = true;
        for host in hosts {
            self.end_programs(host);
        }
    }
}
