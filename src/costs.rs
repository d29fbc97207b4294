//! What a lock costs while it does what it should: messages, and time in which nobody has it.
//!
//! Safety is judged by plans with faults; what a user pays every day is seen best where nothing goes wrong,
//! and once where a holder dies. Three small plans for each lock, the same for all: one client alone, many at
//! once, and a holder that crashes. Everything is taken from the history and from a tap on the wires, so the
//! event engine only.

mod bounds;
mod ledger;

use picklock_models::model::Crash;
use picklock_sim::fault::{EventTrigger, Fault, Target, TimedFault, When};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::run::WorldError;
use picklock_sim::seed::Seed;
use serde::Serialize;

use crate::contender::Contender;
use crate::engine::Engine;
use crate::pipeline;
use crate::plan::Plan;
use crate::scenario::{Scenario, WorkloadSpec};

pub use bounds::CostBounds;
pub use ledger::Ledger;

/// What was measured in some runs: averages over all their grants, releases and crashes, where nothing else is
/// said. `None`: there was nothing of the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// Messages between clients and the lock's servers for each grant.
    pub messages: Option<f64>,
    /// From when a client asks to when it is granted the lock, in milliseconds: half of all acquires take no
    /// longer. (Percentiles, not averages.)
    pub acquire_p50_ms: Option<f64>,
    /// The same for 99 of 100.
    pub acquire_p99_ms: Option<f64>,
    /// Grants in each second of a run.
    pub grants_per_s: Option<f64>,
    /// From when a holder gives the lock back to the next grant, while somebody waits, in milliseconds.
    pub hand_over_ms: Option<f64>,
    /// How many waiting clients the server woke with a message at the release.
    pub woken: Option<f64>,
    /// From a holder's crash to the next grant, in milliseconds.
    pub free_after_crash_ms: Option<f64>,
}

/// What a lock costs, from [`RUNS`] runs of each plan; see [`Measured`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Costs {
    /// With one client.
    pub alone: Measured,
    /// With [`CROWD`] clients.
    pub crowded: Measured,
    /// With [`CROWD`] clients of which a holder dies, in milliseconds; `None`: nobody ever got it again.
    pub free_after_crash_ms: Option<f64>,
}

/// Enough waiters to tell one that is woken from all that are.
pub const CROWD: u16 = 8;
/// Runs for each of the three plans.
pub const RUNS: u64 = 5;

/// Measures a contender; `None`: it has no lock, or the engine has no taps.
///
/// # Errors
/// A run that could not be carried out.
pub fn measure(
    scenario: &Scenario,
    contender: Contender,
    engine: Engine,
) -> Result<Option<Costs>, WorldError> {
    if !contender.locks() || engine != Engine::Event {
        return Ok(None);
    }
    let total = |make: fn(&Scenario, Contender, Seed) -> Plan| {
        let mut total = Ledger::default();
        for number in 0..RUNS {
            let seed = Seed(scenario.run.seed).derive(format_args!("costs {number}"));
            let plan = make(scenario, contender, seed);
            let (outcome, tap) = pipeline::run_tapped(&plan, engine)?;
            let tap = tap.expect("the event engine has taps");
            total.add(&outcome.history, &tap, &plan.lock_servers());
        }
        Ok::<_, WorldError>(total.measured())
    };
    let (alone, crowded, crashed) = (total(alone)?, total(crowded)?, total(crash)?);
    Ok(Some(Costs { alone, crowded, free_after_crash_ms: crashed.free_after_crash_ms }))
}

/// The scenario's locks and network with this many clients; nothing goes wrong.
fn quiet(scenario: &Scenario, contender: Contender, seed: Seed, clients: u16) -> Plan {
    let workload = WorkloadSpec { clients, initial: 1_000_000, ..scenario.workload };
    let quiet = Scenario { fault: Vec::new(), family: None, workload, ..scenario.clone() };
    quiet.plan(contender, seed)
}

fn alone(scenario: &Scenario, contender: Contender, seed: Seed) -> Plan {
    quiet(scenario, contender, seed, 1)
}

fn crowded(scenario: &Scenario, contender: Contender, seed: Seed) -> Plan {
    quiet(scenario, contender, seed, CROWD)
}

/// The one that is granted the lock as the fifth dies at once; by then everybody who lost the first race
/// waits.
fn crash(scenario: &Scenario, contender: Contender, seed: Seed) -> Plan {
    let mut plan = crowded(scenario, contender, seed);
    let (op, kind) = (OpName::Acquire, Kind::Ok);
    let when = When::Event(EventTrigger { op, kind, process: None, nth: 5, after_ms: 0 });
    let fault = Fault::Crash { host: Target::Holder, how: Crash::ProcessKill };
    plan.world.faults = vec![TimedFault { when, lasting_ms: None, fault }];
    plan
}
