//! A world with one server and one client that follows a script, and what the client saw.

use std::cell::RefCell;
use std::rc::Rc;

use picklock_models::model::Crash;
use picklock_sim::cast::{Cast, Program};
use picklock_sim::env::Env;
use picklock_sim::event;
use picklock_sim::fault::{Cut, Fault, Target, TimedFault, When};
use picklock_sim::host::HostName;
use picklock_sim::plan::{HostPlan, Latency, WorldPlan};
use picklock_sim::recorder::Recorder;
use picklock_sim::seed::Seed;
use picklock_sim::serve::{Server, Store};

pub(crate) const CLIENT: Target = Target::Host(HostName::client(1));

/// What the client does, told in a few words of what it saw.
pub(crate) trait Play: Copy + 'static {
    async fn play<E: Env>(self, env: E) -> Vec<String>;
}

struct Stage<S: Store, P> {
    server: Rc<Server<S>>,
    port: u16,
    script: P,
    seen: Rc<RefCell<Vec<String>>>,
}

impl<S: Store, P: Play> Cast for Stage<S, P> {
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program {
        let (server, port) = (Rc::clone(&self.server), self.port);
        let (script, seen) = (self.script, Rc::clone(&self.seen));
        Box::pin(async move {
            if host.is_client() {
                *seen.borrow_mut() = script.play(env).await;
            } else {
                server.serve(env, recorder, port).await.expect("the port is free");
            }
        })
    }

    fn crashed(&self, _: HostName, how: Crash) {
        self.server.crashed(how);
    }
}

/// What the client saw of a server of this configuration, in half a minute with a fault from then on for so long,
/// both in milliseconds; the run is made twice and must be the same.
pub(crate) fn play<S: Store>(
    (host, port): (HostName, u16),
    config: &S::Config,
    script: impl Play,
    fault: Option<(u64, u64, Fault)>,
) -> Vec<String> {
    let once = || {
        let name = |name| HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 };
        let timed = |(at_ms, lasting_ms, fault)| TimedFault {
            when: When::AtMs(at_ms),
            lasting_ms: Some(lasting_ms),
            fault,
        };
        let plan = WorldPlan {
            seed: Seed(7),
            hosts: vec![name(host), name(HostName::client(1))],
            latency: Latency { min_us: 1000, max_us: 5000 },
            faults: fault.map(timed).into_iter().collect(),
            heal_at_ms: 30_000,
            end_at_ms: 30_000,
        };
        let seen = Rc::default();
        let server = Rc::new(Server::<S>::new(host, config.clone(), Vec::new()));
        let stage = Stage { server, port, script, seen: Rc::clone(&seen) };
        let run = event::run(&plan, &stage).expect("a world that runs");
        (seen.take(), run.digest)
    };
    let first = once();
    assert_eq!(once(), first);
    first.0
}

/// No bytes pass from one to the other, or between them.
pub(crate) const fn cut(one_way: bool, from: Target, to: Target) -> Fault {
    Fault::Partition { from, to, one_way, cut: Cut::Stall }
}
