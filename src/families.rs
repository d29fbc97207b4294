//! Fault families: whole classes of trouble, from which plans are drawn.
//!
//! Each family is a proptest strategy for a list of faults. One mechanism draws plans for every
//! command and for `cargo test`, and can shrink them. The families are the canonical injections of
//! the catalogue (P, PS, C, N, ..): a new one is a function here or in a new file, and one line in
//! the list.

mod clocks;
mod crashes;
mod messages;
mod pauses;
mod several;

use picklock_models::redis::Persistence;
use picklock_sim::fault::TimedFault;
use picklock_sim::host::HostName;
use picklock_sim::seed::{Seed, Stream};
use proptest::strategy::{BoxedStrategy, Just, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::engine::Engine;
use crate::lock::Servers;
use crate::plan::Plan;

/// A class of trouble.
#[derive(Clone, Copy)]
pub struct Family {
    /// Its short code in tables.
    pub code: &'static str,
    /// Its name in scenario files.
    pub name: &'static str,
    /// What happens, in one line.
    pub about: &'static str,
    /// Its faults, for a world like this.
    strategy: fn(&Setting) -> BoxedStrategy<Vec<TimedFault>>,
    /// What it needs of the rest of the plan, the same for all contenders.
    prepare: fn(&mut Plan),
    /// Whether a comparison has a column for it by default. What is left out is another shade of a
    /// column that is there; sweeps and property tests draw from all.
    pub compared: bool,
}

/// What a strategy must know of the world it strikes.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The lock's server; of several, whichever one (`several.rs` then says which).
    pub server: HostName,
    /// The lease, in milliseconds.
    pub ttl_ms: u64,
    /// Faults begin before this, in milliseconds.
    pub heal_at_ms: u64,
    /// How many clients there are.
    pub clients: u16,
}

/// All families, in the order in which reports show them.
pub const FAMILIES: &[Family] = &[
    family("-", "none", "nothing goes wrong", |_| Just(Vec::new()).boxed(), |_| {}),
    family(
        "P",
        "process-pause",
        "a client's process stands still for longer than the lease, just before its guarded write",
        pauses::of_a_client,
        |_| {},
    ),
    family(
        "V",
        "vm-suspend",
        "a client's virtual machine stands still, its steady clock with it, just before its write",
        pauses::of_a_machine,
        |_| {},
    ),
    further(
        "SH",
        "slow-process",
        "every step of a client's process takes longer for a while",
        pauses::slow_client,
        |_| {},
    ),
    family(
        "PS",
        "server-pause",
        "the lock's server stands still for longer than the lease",
        pauses::of_the_server,
        |_| {},
    ),
    family("C", "crash", "a client dies and never comes back", crashes::of_a_client, |_| {}),
    family(
        "N",
        "partition",
        "a client is cut off from the lock's server for longer than the lease, not from the resource",
        messages::partition,
        |_| {},
    ),
    further(
        "N1",
        "one-way-partition",
        "what the lock's server sends does not reach a client, for longer than the lease",
        messages::one_way,
        |_| {},
    ),
    further(
        "NR",
        "rejecting-firewall",
        "a client's connections to the lock's server are reset and refused for longer than the lease",
        messages::rejected,
        |_| {},
    ),
    further(
        "NS",
        "resource-partition",
        "a client is cut off from the resource, not from the lock's server, just before its write",
        messages::resource_partition,
        |_| {},
    ),
    further(
        "L",
        "packet-loss",
        "packets between clients and the lock's server are lost and sent again",
        messages::loss,
        |_| {},
    ),
    family(
        "S0",
        "restart-empty",
        "the lock's server is killed and comes back; Redis keeps nothing on disk",
        crashes::server_killed,
        |plan| restart_with(plan, Persistence::None),
    ),
    family(
        "S1k",
        "restart-kill",
        "the lock's server is killed and comes back with its disk; Redis appends to a file (everysec)",
        crashes::server_killed,
        |plan| restart_with(plan, Persistence::AofEverysec),
    ),
    family(
        "S1p",
        "restart-power-loss",
        "the lock's server loses power and comes back with what was fsynced; Redis everysec",
        crashes::server_without_power,
        |plan| restart_with(plan, Persistence::AofEverysec),
    ),
    family(
        "JF",
        "clock-forward",
        "the lock server's wall clock jumps ahead by more than the lease",
        clocks::forward,
        |_| {},
    ),
    family(
        "JB",
        "clock-back",
        "the lock server's wall clock jumps back by more than the lease",
        clocks::back,
        |_| {},
    ),
    family(
        "D",
        "drift",
        "a client's clocks run at about half speed while its work takes most of the lease",
        clocks::slow_client,
        |plan| plan.workload.hold_ms = plan.lease_ms() * 8 / 10,
    ),
    family(
        "M1",
        "late-grant",
        "the reply to an acquire arrives after the lease is over",
        messages::late_grant,
        // A client that gave up waiting would never see the late reply.
        |plan| plan.lock.request_timeout_ms = plan.lease_ms() * 4,
    ),
    family(
        "M2",
        "late-write",
        "a guarded write sent in time arrives after the lease is over",
        messages::late_write,
        |_| {},
    ),
    family(
        "LA",
        "lost-grant",
        "an acquire is executed, its reply is lost in a connection reset",
        messages::lost_grant,
        |_| {},
    ),
    family(
        "LR",
        "lost-release",
        "a release is executed, its reply is lost in a connection reset",
        messages::lost_release,
        |_| {},
    ),
];

/// Work that outlasts the restart, which takes up to 300 ms; or nobody would still hold the lock
/// when the next one can ask for it.
fn restart_with(plan: &mut Plan, persistence: Persistence) {
    plan.persistence = persistence;
    plan.workload.hold_ms = plan.lease_ms() * 3 / 10;
}

const fn family(
    code: &'static str,
    name: &'static str,
    about: &'static str,
    strategy: fn(&Setting) -> BoxedStrategy<Vec<TimedFault>>,
    prepare: fn(&mut Plan),
) -> Family {
    Family { code, name, about, strategy, prepare, compared: true }
}

/// A family that comparisons leave out unless it is asked for.
const fn further(
    code: &'static str,
    name: &'static str,
    about: &'static str,
    strategy: fn(&Setting) -> BoxedStrategy<Vec<TimedFault>>,
    prepare: fn(&mut Plan),
) -> Family {
    Family { compared: false, ..family(code, name, about, strategy, prepare) }
}

impl std::fmt::Debug for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Family {
    /// The family of that name.
    pub fn find(name: &str) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    /// Its faults as a strategy.
    pub fn strategy(&self, setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
        (self.strategy)(setting)
    }

    /// Fits a plan to this family and gives it the faults that this seed draws. The same seed gives
    /// the same faults for every contender: comparisons are paired.
    pub fn strike(&self, plan: &mut Plan, seed: Seed) {
        self.prepare(plan);
        plan.world.faults = self.draw(plan, seed.stream("faults"));
    }

    /// Whether an engine has the means for this family's faults. (They differ in when and whom, not in kind:
    /// one draw tells.)
    ///
    /// # Errors
    /// What it lacks.
    pub fn expressible(&self, plan: &Plan, engine: Engine) -> Result<(), &'static str> {
        let faults = self.draw(plan, Seed(0).stream("expressible"));
        faults.iter().try_for_each(|timed| engine.expressible(&timed.fault))
    }

    /// Changes the rest of a plan so that these faults can matter.
    pub(crate) fn prepare(&self, plan: &mut Plan) {
        (self.prepare)(plan);
    }

    /// Draws faults for a plan.
    pub(crate) fn draw(&self, plan: &Plan, mut stream: Stream) -> Vec<TimedFault> {
        let setting = Setting {
            server: plan.contender.store.host(),
            ttl_ms: plan.lease_ms(),
            heal_at_ms: plan.world.heal_at_ms,
            clients: plan.clients().count() as u16,
        };
        let faults = sample(&self.strategy(&setting), &mut stream);
        match plan.contender.servers {
            Servers::One => faults,
            Servers::Independent => several::aimed(faults, plan, &mut stream),
        }
    }
}

/// One value of a strategy, drawn by a stream of ours: proptest's own seeds would change with its
/// versions' defaults.
///
/// # Panics
/// If the strategy filters; none that is used here does.
pub(crate) fn sample<S: Strategy>(strategy: &S, stream: &mut Stream) -> S::Value {
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        chunk.copy_from_slice(&stream.next_u64().to_le_bytes());
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    strategy.new_tree(&mut runner).expect("no strategy here filters").current()
}
