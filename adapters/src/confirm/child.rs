//! A host of a real run as a process of its own: the same program as in a simulation.
//!
//! It reads its plan, calls the stage, hears when the run began, and plays its part until it is killed.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use picklock::cast::PlanCast;
use picklock::lock::Algorithm;
use picklock::locks::{self, Visitor};
use picklock::plan::Plan;
use picklock::scenario;
use picklock_sim::cast::{Cast, Program};
use picklock_sim::fault::When;
use picklock_sim::host::HostName;
use picklock_sim::real;
use picklock_sim::recorder::Recorder;
use picklock_sim::seed::Seed;

use super::control::Line;
use super::env::StageEnv;

/// Who a process is and how it finds the others.
#[derive(Clone, Debug, clap::Args)]
pub struct Part {
    /// Its plan.
    #[arg(long)]
    pub plan: PathBuf,
    /// Its name.
    #[arg(long)]
    pub host: HostName,
    /// The stage's socket.
    #[arg(long)]
    pub stage: PathBuf,
    /// Of its random numbers.
    #[arg(long)]
    pub seed: u64,
    /// A way to another host: `redis=40001`.
    #[arg(long = "reach", value_parser = way)]
    pub reach: Vec<(HostName, u16)>,
}

fn way(text: &str) -> Result<(HostName, u16), String> {
    let (host, port) = text.split_once('=').ok_or("a host, `=` and a port")?;
    let port = port.parse().map_err(|_| "a port".to_owned())?;
    Ok((host.parse().map_err(|error| format!("{error}"))?, port))
}

/// Plays the part until the process is ended.
///
/// # Errors
/// If the plan cannot be read or nobody answers at the socket.
pub fn play(part: Part) -> miette::Result<()> {
    use miette::{IntoDiagnostic, WrapErr};
    let plan = scenario::load_plan(&part.plan)?;
    let (line, clock) = Line::open(&part.stage, part.host)
        .into_diagnostic()
        .wrap_err_with(|| format!("calling the stage at {}", part.stage.display()))?;
    let tells_steps = plan.world.faults.iter().any(|timed| match timed.when {
        When::Step(step) => step.host == part.host,
        _ => false,
    });
    let reach: BTreeMap<HostName, u16> = part.reach.iter().copied().collect();
    let line = Rc::new(line);
    let recorder = Recorder::new(line.clone());
    let program = || {
        let env = StageEnv::new(Seed(part.seed), clock, reach, line, tells_steps);
        boot(&plan, part.host, env, recorder)
    };
    // Made inside, because its tasks belong to the runtime.
    let ended = real::block_on(async { program().await });
    ended.map_err(|error: io::Error| miette::miette!("{}: {error}", part.host))?;
    Ok(())
}

fn boot(plan: &Plan, host: HostName, env: StageEnv, recorder: Recorder) -> Program {
    struct Boot<'a>(&'a Plan, HostName, StageEnv, Recorder);
    impl Visitor for Boot<'_> {
        type Output = Program;
        fn visit<A: Algorithm>(self) -> Program {
            let Boot(plan, host, env, recorder) = self;
            PlanCast::<A>::new(plan).boot(host, env, recorder)
        }
    }
    locks::visit(plan.contender.lock, Boot(plan, host, env, recorder))
        .expect("a contender's lock is in the list")
}
