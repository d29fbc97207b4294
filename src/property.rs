//! Property tests of anybody's own lock, in ten lines of `#[test]`.
//!
//! ```
//! use picklock::locks::RedisTokenCad as MyLock;
//!
//! let property = picklock::property::<MyLock>()
//!     .families(["process-pause", "crash"])
//!     .plans(200)
//!     .without_regressions();
//! let failure = property.run().unwrap_err().claim().unwrap();
//! // The shrunk plan of the case everyone knows: one pause, two clients.
//! assert_eq!(failure.cause.to_string(), "process pause of a client");
//! assert_eq!(failure.example.plan.world.faults.len(), 1);
//! assert_eq!(failure.example.plan.clients().count(), 2);
//! ```
//!
//! In a test one calls [`Property::check`], which panics with the story, the shrunk plan and the
//! command that repeats it, and saves the plan; saved plans are run first the next time.

mod regressions;
mod trying;
mod words;

use std::marker::PhantomData;
use std::ops::Range;
use std::path::PathBuf;

use picklock_sim::run::WorldError;
use picklock_sim::seed::Seed;

use crate::engine::Engine;
use crate::families::{FAMILIES, Family};
use crate::lock::{Algorithm, LockParams};
use crate::outcome::Outcome;
use crate::resource::ResourceKind;
use crate::scenario::{SweepSpec, WorkloadSpec};
use crate::search::cause::Cause;
use crate::search::sweep::{Sweep, SweepError};
use crate::terms::Claim;

/// Plans that are tried if nobody says how many: some seconds of a debug build.
const PLANS: u64 = 250;

/// A property test of the lock `A` with all its own claims; see the [module](self).
pub fn property<A: Algorithm>() -> Property<A> {
    let params = LockParams::default();
    Property {
        claims: A::CLAIMS,
        resource: if A::FENCED { ResourceKind::ShopFenced } else { ResourceKind::Shop },
        families: None,
        seeds: 0..PLANS,
        params,
        // A stock that is sold out now and then, so that a unit sold twice becomes an oversold shop.
        workload: WorkloadSpec { clients: 3, initial: 60, ..WorkloadSpec::default() },
        sweep: SweepSpec::default(),
        engine: Engine::Event,
        regressions: Some(regressions::folder()),
        lock: PhantomData,
    }
}

/// What is to be tried, and what must hold.
#[must_use = "nothing is tried before `check` or `run`"]
pub struct Property<A> {
    claims: &'static [Claim],
    resource: ResourceKind,
    families: Option<Vec<&'static Family>>,
    seeds: Range<u64>,
    params: LockParams,
    workload: WorkloadSpec,
    sweep: SweepSpec,
    engine: Engine,
    regressions: Option<PathBuf>,
    lock: PhantomData<A>,
}

impl<A: Algorithm> Property<A> {
    /// Holds the lock to these claims instead of [`Algorithm::CLAIMS`].
    pub fn claims(self, claims: &'static [Claim]) -> Self {
        Self { claims, ..self }
    }

    /// Draws faults of these families only; `picklock list` shows all.
    ///
    /// # Panics
    /// If there is no such family.
    pub fn families<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let find = |name: &'a str| {
            Family::find(name).unwrap_or_else(|| {
                let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
                panic!("there is no fault family `{name}`; there are {}", names.join(", "))
            })
        };
        Self { families: Some(names.into_iter().map(find).collect()), ..self }
    }

    /// Tries so many plans (default 250). The environment variable `PICKLOCK_PLANS` overrides it, so
    /// that a nightly job can try more without another test.
    pub fn plans(self, plans: u64) -> Self {
        let end = self.seeds.start.saturating_add(plans);
        Self { seeds: self.seeds.start..end, ..self }
    }

    /// Begins with this seed (default 0); each plan has a seed of its own, counted up. Overridden by
    /// `PICKLOCK_SEED`.
    pub fn first_seed(self, seed: u64) -> Self {
        let plans = self.seeds.end - self.seeds.start;
        Self { seeds: seed..seed.saturating_add(plans), ..self }
    }

    /// The times the lock is used with.
    pub fn params(self, params: LockParams) -> Self {
        Self { params, ..self }
    }

    /// What the lock guards (default: the shop; for a fenced lock the shop that compares tokens).
    pub fn guarding(self, resource: ResourceKind) -> Self {
        Self { resource, ..self }
    }

    /// What the clients do.
    pub fn workload(self, workload: WorkloadSpec) -> Self {
        Self { workload, ..self }
    }

    /// What is varied besides the faults, and between which bounds.
    pub fn sweep(mut self, bounds: impl FnOnce(&mut SweepSpec)) -> Self {
        bounds(&mut self.sweep);
        self
    }

    /// The world to run in (default: the event engine). A lock on a client crate of somebody else's needs
    /// [`Engine::Turmoil`], which must be asked for as a feature of picklock too. Without [`families`]
    /// faults are drawn of all families that the engine can express.
    ///
    /// [`families`]: Property::families
    pub fn engine(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    /// Saves failing plans here, and runs what lies here first (default: `picklock-regressions`
    /// beside the crate's `Cargo.toml`).
    pub fn regressions(self, folder: impl Into<PathBuf>) -> Self {
        Self { regressions: Some(folder.into()), ..self }
    }

    /// Neither saves failing plans nor runs saved ones.
    pub fn without_regressions(self) -> Self {
        Self { regressions: None, ..self }
    }

    /// Tries all plans and stops at the first that breaks a claim.
    ///
    /// # Panics
    /// If a claim is broken or could not be judged, with everything that one needs to understand and
    /// to repeat it; also if no fault has struck at all.
    #[track_caller]
    pub fn check(self) {
        match self.run() {
            Ok(account) => words::passed(&account),
            Err(broken) => panic!("{broken}"),
        }
    }

    /// As [`Property::check`], but returns what was found.
    ///
    /// # Errors
    /// See [`Broken`].
    pub fn run(self) -> Result<Sweep, Broken> {
        trying::run(self)
    }
}

/// A lock that did not keep what it claims.
#[derive(Debug)]
pub struct Failure {
    /// The checker that found the worst of it.
    pub checker: String,
    /// What it takes.
    pub cause: Cause,
    /// How it was found.
    pub found: Found,
    /// The smallest run that shows it.
    pub example: Box<Outcome>,
    /// Where its plan was saved, if it was.
    pub saved: Option<PathBuf>,
    /// The page that shows it, if one was written.
    pub page: Option<PathBuf>,
}

/// How a failure was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// By a plan that was drawn from this seed.
    Drawn(Seed),
    /// By a plan that was saved when it failed before.
    Saved(PathBuf),
}

/// Why a property did not hold. Its debug form is its message too: that is what `unwrap` shows.
#[derive(thiserror::Error)]
pub enum Broken {
    /// A claim was broken.
    #[error("{}", words::failure(.0))]
    Claim(Box<Failure>),
    /// A claim could not be judged in the run of this seed.
    #[error("{}", words::unknown(.0, .1))]
    Unknown(Seed, Box<Outcome>),
    /// No fault of any plan has struck: the test has shown nothing.
    #[error("no fault has struck in {0} plans: the test has shown nothing about faults")]
    Vacuous(u64),
    /// A run could not be carried out, for example because the lock's code panicked.
    #[error("{error}\n{}", words::saved(.saved.as_ref()))]
    Run {
        /// What happened, with the seed.
        error: Box<SweepError>,
        /// Where the plan was saved, if it was.
        saved: Option<PathBuf>,
    },
    /// This build does not have the engine.
    #[error("{0}")]
    Engine(WorldError),
    /// The engine cannot express the faults of a family that the test names.
    #[error(
        "the {engine} engine cannot express the family `{family}`: {why}; leave it out, or test it on the \
         event engine"
    )]
    CannotExpress {
        /// The engine.
        engine: Engine,
        /// The family.
        family: &'static str,
        /// What the engine lacks.
        why: &'static str,
    },
    /// A saved plan cannot be used.
    #[error("{0:?}")]
    Input(miette::Report),
}

impl Broken {
    /// The claim that was broken, if that is why.
    pub fn claim(self) -> Option<Box<Failure>> {
        match self {
            Broken::Claim(failure) => Some(failure),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
