//! The reference world: the same programs over turmoil's hosts and TCP, on tokio's own runtime.
//!
//! An independent second opinion. Network, timers and task queues are turmoil's and tokio's; only
//! what they lack is added here, the same way for every plan: a process pause (a gate around every
//! poll and before every step), host clocks, and the nemesis. Time moves in ticks of 1 ms, and
//! everything a host does within a tick happens at the tick's beginning, so that the history's
//! order, not its times, says what came before what. Slow: every tick costs every host a microsecond.
//!
//! Where this world differs from the event engine:
//! - Latencies are whole milliseconds, at least one, and not uniform: turmoil draws them from an
//!   exponential distribution cut off at the maximum, all from one generator. The mean is that of the
//!   uniform one less half a millisecond.
//! - Ready tasks of a host run first in, first out: only the order of the hosts is drawn.
//! - After a stall, held bytes arrive at once, without the latency of a retransmission.
//! - The answer to a SYN takes no time and no partition stops it.
//! - A connect to a killed process is refused only when the process boots again, because nothing is
//!   delivered to a host that does not run. Streams it had open end at once.
//! - A power loss takes the host's packets in flight with it; what was sent to it meanwhile is
//!   answered with resets after the boot, as in the event engine.
//! - The digest is of the events only: turmoil's packets cannot be watched.
//!
//! `world` owns the state and pulls the levers, `env` is the hosts' view of it, `gate`
//! what stops a paused program, `kernel` what no pause stops.
#![expect(unexpected_cfgs, reason = "cargo does not know tokio's own `tokio_unstable`")]

mod env;
mod gate;
mod kernel;
mod world;

use std::cell::RefCell;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use ::turmoil::{Builder, Sim};
use picklock_models::model::Crash;

pub use self::env::{TurmoilEnv, TurmoilStream};
use self::gate::Gated;
pub use self::kernel::TurmoilListener;
use self::world::{Order, World};
use crate::cast::Cast;
use crate::conditions::HostId;
use crate::fault::{Cut, Fault};
use crate::host::HostName;
use crate::panic::panic_text;
use crate::plan::WorldPlan;
use crate::recorder::Recorder;
use crate::run::{Run, WorldError};
use crate::trail::Trail;

#[cfg(not(tokio_unstable))]
compile_error!(
    "the `turmoil` feature needs `--cfg tokio_unstable`, without which tokio's own random choices \
     are not seeded and no run repeats. This repository's .cargo/config.toml sets it, but a \
     RUSTFLAGS variable replaces what stands there: unset it, or add `--cfg tokio_unstable` to it"
);

/// turmoil's tick. Fractions of a millisecond would make the hosts' tokio clocks run at another
/// rate than turmoil's: tokio's timers round up to whole milliseconds.
const TICK: Duration = Duration::from_millis(1);

/// Segments a connection, and connections a listener, can hold. turmoil panics when a listener is
/// full, so it is far beyond what any program here sends before it waits for an answer.
const CAPACITY: usize = 1 << 16;

/// Rate of the exponential distribution which, cut off at 1, has the mean of the uniform one:
/// (1 - exp(-x)) / x = 1/2. turmoil then rounds each latency down to whole milliseconds, half a
/// millisecond on average: from 1 to 10 ms the mean is 5.06 ms instead of 5.5. (1.388 would make up for
/// that; but every recorded seed of this engine would mean another run.)
const LATENCY_CURVE: f64 = 1.5936;

/// Runs a world to its end.
///
/// # Errors
/// A plan that makes no sense, or that names a fault which turmoil cannot express; a program that
/// panics or never yields; a panic of turmoil itself.
pub fn run<C: Cast + 'static>(plan: &WorldPlan, cast: C) -> Result<Run, WorldError> {
    play(plan, cast, None)
}

/// As [`run`], and leaves the trail of it (of its events: turmoil's packets cannot be watched).
///
/// # Errors
/// As [`run`].
pub fn run_with_trail<C: Cast + 'static>(plan: &WorldPlan, cast: C) -> Result<Run, WorldError> {
    play(plan, cast, Some(Box::default()))
}

fn play<C: Cast + 'static>(
    plan: &WorldPlan,
    cast: C,
    trail: Option<Box<Trail>>,
) -> Result<Run, WorldError> {
    plan.check()?;
    refuse_inexpressible(plan)?;
    let cast = Rc::new(cast);
    let mut sim = build(plan);
    let addresses: Vec<IpAddr> =
        plan.hosts.iter().map(|host| sim.lookup(address_name(host.name))).collect();
    let mut world = World::new(plan, addresses.clone());
    world.body.log.trail = trail;
    let world = Rc::new(RefCell::new(world));
    let recorder = Recorder::new(world.clone());
    for (index, host) in plan.hosts.iter().enumerate() {
        let (cast, recorder, name) = (Rc::clone(&cast), recorder.clone(), host.name);
        let env = TurmoilEnv::new(&world, HostId(index as u16));
        sim.host(addresses[index], move || {
            let (cast, env, recorder) = (Rc::clone(&cast), env.clone(), recorder.clone());
            let program = {
                let env = env.clone();
                async move { cast.boot(name, env, recorder).await }
            };
            let gated = Gated::new(&env, Box::pin(program));
            async move {
                gated.await;
                // turmoil ticks a host's tasks, and delivers its bytes, only while this runs.
                std::future::pending().await
            }
        });
    }
    let mut stage = Stage { sim, world, cast, addresses };
    let result = stage.play(plan);
    // Programs that are dropped now have nothing to tell any more.
    stage.world.borrow_mut().close();
    drop(stage.sim);
    result.map(|()| stage.world.borrow_mut().finish())
}

/// Whether turmoil has the means for a fault; if not, what it lacks.
///
/// # Errors
/// What turmoil lacks.
pub fn expressible(fault: &Fault) -> Result<(), &'static str> {
    match fault {
        Fault::Partition { one_way: true, .. } => {
            Err("turmoil can hold a link back only in both directions")
        }
        Fault::Partition { cut: Cut::Reset, .. } | Fault::Reset { .. } => {
            Err("turmoil cannot reset an open connection from outside")
        }
        Fault::Delay { .. } => Err("turmoil's latencies are the same in both directions"),
        Fault::Loss { .. } => Err("turmoil's TCP never sends again what was lost"),
        Fault::Partition { .. }
        | Fault::Pause { .. }
        | Fault::Suspend { .. }
        | Fault::Crash { .. }
        | Fault::Slow { .. }
        | Fault::WallStep { .. }
        | Fault::Drift { .. } => Ok(()),
    }
}

fn refuse_inexpressible(plan: &WorldPlan) -> Result<(), WorldError> {
    for (index, timed) in plan.faults.iter().enumerate() {
        expressible(&timed.fault).map_err(|why| WorldError::CannotExpress {
            engine: "turmoil",
            index: index + 1,
            fault: timed.fault.to_string(),
            why,
        })?;
    }
    Ok(())
}

fn build(plan: &WorldPlan) -> Sim<'static> {
    let whole_ms = |us: u64| us.saturating_add(500) / 1000;
    // Bytes that took less than a tick could arrive before they were sent.
    let min_ms = whole_ms(plan.latency.min_us).max(1);
    let max_ms = whole_ms(plan.latency.max_us).max(min_ms);
    let sim = Builder::new()
        .tick_duration(TICK)
        .rng_seed(plan.seed.derive("turmoil").0)
        .epoch(SystemTime::UNIX_EPOCH)
        .enable_random_order()
        .tcp_capacity(CAPACITY)
        .min_message_latency(Duration::from_millis(min_ms))
        .max_message_latency(Duration::from_millis(max_ms))
        .simulation_duration(Duration::from_millis(plan.end_at_ms) + Duration::from_secs(1))
        .build();
    sim.set_message_latency_curve(LATENCY_CURVE);
    sim
}

/// `client 1` is no name a resolver would take.
fn address_name(host: HostName) -> String {
    host.to_string().replace(' ', "-")
}

/// turmoil's simulation with our world and its cast.
struct Stage<C> {
    sim: Sim<'static>,
    world: Rc<RefCell<World>>,
    cast: Rc<C>,
    addresses: Vec<IpAddr>,
}

impl<C: Cast> Stage<C> {
    fn play(&mut self, plan: &WorldPlan) -> Result<(), WorldError> {
        for tick in 0..=plan.end_at_ms {
            self.world.borrow_mut().begin_tick(crate::time::SimTime::from_millis(tick));
            self.obey_orders();
            let stepped = catch_unwind(AssertUnwindSafe(|| self.sim.step()));
            if let Some(error) = self.world.borrow_mut().take_failure() {
                return Err(error);
            }
            let failed = |message| WorldError::Engine { engine: "turmoil", message };
            match stepped {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(failed(error.to_string())),
                Err(panic) => return Err(failed(panic_text(panic.as_ref()))),
            }
            self.obey_orders();
        }
        Ok(())
    }

    /// What only the owner of the simulation can do, once nobody is inside it.
    fn obey_orders(&mut self) {
        loop {
            let order = self.world.borrow_mut().take_order();
            match order {
                Some(Order::Hold(a, b)) => self.sim.hold(a, b),
                Some(Order::Release(a, b)) => self.sim.release(a, b),
                Some(Order::Crash(host, how)) => self.crash(host, how),
                Some(Order::Boot(host)) => self.boot(host),
                None => return,
            }
        }
    }

    /// A killed process leaves a kernel that closes its connections. A machine without power says
    /// nothing: its goodbyes are dropped, and what is sent to it is held until it boots.
    fn crash(&mut self, host: HostId, how: Crash) {
        let name = self.world.borrow().name(host);
        self.cast.crashed(name, how);
        let own = self.addresses[usize::from(host.0)];
        let dark = how == Crash::PowerLoss;
        if dark {
            for other in self.others(own) {
                self.sim.partition_oneway(own, other);
            }
        }
        self.sim.crash(own);
        if dark {
            self.world.borrow_mut().set_dark(host, true);
            for other in self.others(own) {
                self.sim.hold(own, other);
            }
        }
    }

    fn boot(&mut self, host: HostId) {
        let own = self.addresses[usize::from(host.0)];
        self.sim.bounce(own);
        // Held bytes are let go by the orders that this leaves.
        self.world.borrow_mut().set_dark(host, false);
    }

    fn others(&self, own: IpAddr) -> Vec<IpAddr> {
        self.addresses.iter().copied().filter(|address| *address != own).collect()
    }
}
