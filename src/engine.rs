//! Which world a plan is run in.

use std::fmt;

use picklock_sim::cast::Cast;
use picklock_sim::fault::Fault;
use picklock_sim::plan::WorldPlan;
use picklock_sim::run::{Run, WorldError};
use picklock_sim::tap::Tap;
use serde::{Deserialize, Serialize};

/// A simulated world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Our own discrete-event engine.
    #[default]
    Event,
    /// turmoil's hosts and TCP: an independent second opinion.
    Turmoil,
}

impl Engine {
    /// Its name in files and options.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Event => "event",
            Engine::Turmoil => "turmoil",
        }
    }

    /// Whether this build has it.
    ///
    /// # Errors
    /// What to do to have it.
    pub fn available(self) -> Result<(), WorldError> {
        match self {
            Engine::Event => Ok(()),
            #[cfg(feature = "turmoil")]
            Engine::Turmoil => Ok(()),
            #[cfg(not(feature = "turmoil"))]
            Engine::Turmoil => Err(missing()),
        }
    }

    /// Whether it has the means for a fault.
    ///
    /// # Errors
    /// What it lacks.
    #[cfg_attr(not(feature = "turmoil"), expect(unused_variables, reason = "ours can do all"))]
    pub fn expressible(self, fault: &Fault) -> Result<(), &'static str> {
        match self {
            #[cfg(feature = "turmoil")]
            Engine::Turmoil => picklock_sim::turmoil::expressible(fault),
            _ => Ok(()),
        }
    }

    /// Runs a world to its end.
    ///
    /// # Errors
    /// A plan that makes no sense or that this engine cannot express; a program that panics; an
    /// engine that this build does not have.
    pub fn run<C: Cast + 'static>(self, plan: &WorldPlan, cast: C) -> Result<Run, WorldError> {
        match self {
            Engine::Event => picklock_sim::event::run(plan, &cast),
            #[cfg(feature = "turmoil")]
            Engine::Turmoil => picklock_sim::turmoil::run(plan, cast),
            #[cfg(not(feature = "turmoil"))]
            Engine::Turmoil => Err(missing()),
        }
    }

    /// As [`Engine::run`], and the run leaves its trail.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn run_with_trail<C: Cast + 'static>(
        self,
        plan: &WorldPlan,
        cast: C,
    ) -> Result<Run, WorldError> {
        match self {
            Engine::Event => picklock_sim::event::run_with_trail(plan, &cast),
            #[cfg(feature = "turmoil")]
            Engine::Turmoil => picklock_sim::turmoil::run_with_trail(plan, cast),
            #[cfg(not(feature = "turmoil"))]
            Engine::Turmoil => self.run(plan, cast),
        }
    }

    /// As [`Engine::run`], with a tap on every wire; `None` from an engine that has none.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn run_tapped<C: Cast + 'static>(
        self,
        plan: &WorldPlan,
        cast: C,
    ) -> Result<(Run, Option<Tap>), WorldError> {
        match self {
            Engine::Event => {
                let (run, tap) = picklock_sim::event::run_tapped(plan, &cast)?;
                Ok((run, Some(tap)))
            }
            Engine::Turmoil => Ok((self.run(plan, cast)?, None)),
        }
    }
}

#[cfg(not(feature = "turmoil"))]
fn missing() -> WorldError {
    WorldError::Engine {
        engine: "turmoil",
        message: "this build does not have it. Build with `--features turmoil`; in a crate that depends on \
                  picklock, give that dependency `features = [\"turmoil\"]`"
            .to_owned(),
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
