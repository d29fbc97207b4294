//! Does the counterexample happen in reality? A plan found in simulation, on real processes.
//!
//! Each host becomes a process: the store a real server, the clients and the shop this program playing the
//! same parts as in a simulation. The history is judged by the same checkers. Real time is only as exact as
//! the machine, so one run proves what it shows and nothing about the next: a plan is tried several times.
//!
//! `express` says what cannot be done; `run` puts everything in place, `stage` is the main loop, `actors` are the processes, `control` what
//! they say to the stage, `proxy` and `links` the network, `witness` the servers' word; `child` and `env` are
//! the other end, inside a host's process. `table` is the report.

mod actors;
mod child;
mod clock;
mod control;
mod env;
mod express;
mod links;
mod proxy;
mod run;
mod stage;
mod table;
mod witness;

use std::collections::BTreeSet;
use std::path::Path;

use picklock::engine::Engine;
use picklock::outcome::Outcome;
use picklock::pipeline;
use picklock::plan::Plan;
use picklock::verdict::Judgement;
use picklock_sim::run::WorldError;

pub use self::child::{Part, play};
pub use self::express::obstacles;
pub use self::run::{Try, run};
pub use self::stage::StageError;
pub use self::table::{answer, found, markdown, tries};

/// Whether reality agrees with the simulation of a plan.
#[derive(Debug)]
pub enum Answer {
    /// It does: the same checkers fail, and where no promise was broken in simulation, none was in any try.
    Confirmed {
        /// The try that shows it.
        shown: Box<Try>,
    },
    /// The same did not happen in any of the tries.
    NotConfirmed {
        /// The last try.
        last: Box<Try>,
    },
    /// Reality is worse: a promise was broken that was kept in simulation.
    Contradicted {
        /// The try that shows it.
        shown: Box<Try>,
    },
    /// It cannot be done to real processes: why not.
    Inexpressible(Vec<String>),
}

/// A plan in both worlds.
#[derive(Debug)]
pub struct Confirmation {
    /// What was carried out.
    pub plan: Plan,
    /// What the simulation found.
    pub simulated: Found,
    /// How often it was tried, as far as the plan's faults struck.
    pub tries: u32,
    /// How often they did not strike: what they waited for never came. Such a run says nothing.
    pub idle: u32,
    /// What came of it.
    pub answer: Answer,
}

/// What the checkers found in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Checkers that failed.
    pub failed: BTreeSet<String>,
    /// Those of them whose claim the contender makes.
    pub broken: BTreeSet<String>,
}

impl Found {
    /// What these judgements found.
    pub fn of(judgements: &[Judgement]) -> Self {
        let failing =
            || judgements.iter().filter(|judgement| judgement.verdict.violation().is_some());
        let names = |judgement: &Judgement| judgement.checker.clone();
        let broken = failing().filter(|judgement| judgement.claimed);
        Self { failed: failing().map(names).collect(), broken: broken.map(names).collect() }
    }
}

/// So many runs in which no fault strikes are made for each that counts.
const MOST_IDLE: u32 = 2;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// The plan cannot be simulated.
    #[error(transparent)]
    World(#[from] WorldError),
    /// It cannot be carried out.
    #[error(transparent)]
    Stage(#[from] StageError),
}

/// Simulates a plan, then carries it out on real processes until reality has agreed, at most so many times, but
/// once at least. A plan that breaks no promise is tried every time. `program` is this suite's, which plays the
/// hosts.
///
/// # Errors
/// See [`ConfirmError`].
pub fn confirm(plan: &Plan, program: &Path, most_tries: u32) -> Result<Confirmation, ConfirmError> {
    let simulated = pipeline::run(plan, Engine::Event)?;
    let obstacles = obstacles(plan);
    let (answer, tries, idle) = match obstacles.is_empty() {
        true => try_out(plan, program, &simulated, most_tries)?,
        false => (Answer::Inexpressible(obstacles), 0, 0),
    };
    let simulated = Found::of(&simulated.judgements);
    Ok(Confirmation { plan: plan.clone(), simulated, tries, idle, answer })
}

/// The answer, after how many tries, and how many runs in which no fault struck.
fn try_out(
    plan: &Plan,
    program: &Path,
    simulated: &Outcome,
    most_tries: u32,
) -> Result<(Answer, u32, u32), StageError> {
    let found = Found::of(&simulated.judgements);
    let (mut tries, mut idle) = (0, 0);
    let mut confirmed = None;
    loop {
        let tried = Box::new(run(plan, program, 1 + tries + idle)?);
        let answer = if tried.faults_struck() < simulated.faults_struck() {
            idle += 1;
            Answer::NotConfirmed { last: tried }
        } else {
            tries += 1;
            let (settled, answer) = compared(&found, tried);
            if settled {
                return Ok((answer, tries, idle));
            }
            answer
        };
        let last = tries >= most_tries || idle >= MOST_IDLE * most_tries;
        // What was confirmed once stays so.
        match answer {
            Answer::Confirmed { .. } if !last => confirmed = Some(answer),
            answer if last => return Ok((confirmed.unwrap_or(answer), tries, idle)),
            _ => {}
        }
    }
}

/// What a run says of the simulation, and whether that settles it.
fn compared(simulated: &Found, tried: Box<Try>) -> (bool, Answer) {
    let found = Found::of(&tried.judgements);
    if simulated.broken.is_empty() && !found.broken.is_empty() {
        return (true, Answer::Contradicted { shown: tried });
    }
    match simulated.failed.is_subset(&found.failed) {
        true => (!simulated.broken.is_empty(), Answer::Confirmed { shown: tried }),
        false => (false, Answer::NotConfirmed { last: tried }),
    }
}
