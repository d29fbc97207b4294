//! A question to the test-bed, as a TOML file: which contenders, which workload, which faults, and
//! what is expected of each.
//!
//! Strictly parsed: an unknown key is an error that shows its line and the right keys. A scenario's
//! name is its file's name.

mod file;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use picklock_models::redis::Persistence;
use picklock_sim::fault::TimedFault;
use picklock_sim::host::HostName;
use picklock_sim::plan::{HostPlan, Latency, WorldPlan};
use picklock_sim::seed::Seed;
use serde::{Deserialize, Serialize, Serializer};

pub use file::{InputError, load, load_history, load_plan, load_plan_of};

use crate::checkers;
use crate::contender::Contender;
use crate::costs::{CostBounds, Measured};
use crate::families::Family;
use crate::lock::LockParams;
use crate::outcome::Outcome;
use crate::plan::{PLAN_VERSION, Plan, WorkloadPlan};
use crate::terms::WorkloadKind;

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its file's name without the ending.
    #[serde(skip)]
    pub name: String,
    /// The file, as it was named on the command line.
    #[serde(skip)]
    pub file: PathBuf,
    /// What it shows, for a person.
    pub about: String,
    /// Where it was published.
    #[serde(default)]
    pub source: Option<String>,
    /// Seeds and times.
    pub run: RunSpec,
    /// What the clients do.
    #[serde(default)]
    pub workload: WorkloadSpec,
    /// Times of the lock.
    #[serde(default)]
    pub lock: LockParams,
    /// The Redis servers.
    #[serde(default)]
    pub redis: RedisSpec,
    /// The links.
    #[serde(default)]
    pub network: NetworkSpec,
    /// Hosts whose clocks are not true.
    #[serde(default)]
    pub clock: Vec<HostPlan>,
    /// Faults that strike in every run.
    #[serde(default)]
    pub fault: Vec<TimedFault>,
    /// A fault family to draw from instead.
    #[serde(default)]
    pub family: Option<String>,
    /// What a sweep varies.
    #[serde(default)]
    pub sweep: SweepSpec,
    /// Who is judged.
    pub contender: Vec<ContenderSpec>,
}

/// What a sweep varies, each from its smallest to its largest value; where nothing is said, the
/// bounds follow from the scenario (see [`crate::search::space`]).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepSpec {
    /// Names of the fault families to draw from; all if left out.
    pub families: Option<Vec<String>>,
    /// How many clients.
    pub clients: Option<(u16, u16)>,
    /// Stock or counter at the beginning.
    pub initial: Option<(u64, u64)>,
    /// Between guarded read and guarded write, in milliseconds.
    pub hold_ms: Option<(u64, u64)>,
    /// Between two critical sections, in milliseconds.
    pub think_ms: Option<(u64, u64)>,
    /// Between the starts of two clients, in milliseconds.
    pub stagger_ms: Option<(u64, u64)>,
    /// Longest one-way latency, in milliseconds.
    pub latency_ms: Option<(u64, u64)>,
    /// How long faults of families last that would last longer, in milliseconds. (Most families draw more than a
    /// lease: what a shorter fault breaks is another question.)
    pub lasting_ms: Option<(u64, u64)>,
}

/// Seeds and times of the runs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// First seed.
    #[serde(default = "one")]
    pub seed: u64,
    /// How many runs per contender, with consecutive seeds.
    #[serde(default = "one")]
    pub runs: u64,
    /// From here on nothing is broken, in milliseconds.
    pub heal_at_ms: u64,
    /// The end of a run, in milliseconds.
    pub end_at_ms: u64,
}

fn one() -> u64 {
    1
}

/// What the clients do; the workload of record (DESIGN section 10) where nothing is said.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkloadSpec {
    /// Sale or counter.
    pub kind: WorkloadKind,
    /// How many clients.
    pub clients: u16,
    /// Stock or counter at the beginning.
    pub initial: i64,
    /// Between guarded read and guarded write, in milliseconds.
    pub hold_ms: u64,
    /// Between two critical sections, in milliseconds.
    pub think_ms: u64,
    /// Between the starts of two clients, in milliseconds.
    pub stagger_ms: u64,
    /// How often a holder acquires the lock again, and gives it back again, in each critical section.
    pub reentries: u16,
    /// Every so many-th critical section of a client shares the lock and only reads; 0 is none.
    pub shared_every: u16,
}

impl Default for WorkloadSpec {
    fn default() -> Self {
        Self {
            kind: WorkloadKind::Sale,
            clients: 4,
            // More than can be sold in a run of half a minute.
            initial: 1_000_000,
            hold_ms: 20,
            think_ms: 30,
            stagger_ms: 0,
            reentries: 0,
            shared_every: 0,
        }
    }
}

impl WorkloadSpec {
    /// What each client of a plan does.
    fn plan(&self) -> WorkloadPlan {
        let Self { kind, initial, hold_ms, think_ms, stagger_ms, reentries, shared_every, .. } =
            *self;
        WorkloadPlan { kind, initial, hold_ms, think_ms, stagger_ms, reentries, shared_every }
    }
}

/// The Redis servers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisSpec {
    /// What each keeps on disk.
    pub persistence: Persistence,
    /// How many there are for a lock that wants several.
    pub servers: u16,
    /// How long one that comes back listens to nobody, see [`Plan::rejoin_after_ms`].
    pub rejoin_after_ms: Option<u64>,
}

impl Default for RedisSpec {
    /// Five, as in the example of Redlock's documentation.
    fn default() -> Self {
        Self { persistence: Persistence::None, servers: 5, rejoin_after_ms: None }
    }
}

/// The links.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSpec {
    /// Shortest and longest one-way latency, in milliseconds.
    pub latency_ms: (u64, u64),
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self { latency_ms: (1, 10) }
    }
}

/// Who is judged, and what must come out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContenderSpec {
    /// Lock and resource.
    pub name: Contender,
    /// Checkers that must find a violation in every run.
    #[serde(default)]
    pub always: BTreeSet<String>,
    /// Checkers that must find a violation in at least one run.
    #[serde(default)]
    pub sometimes: BTreeSet<String>,
    /// Checkers that may find one. All others must not, in any run.
    #[serde(default)]
    pub may: BTreeSet<String>,
    /// What it must cost, on an engine that can tell.
    #[serde(default)]
    pub costs: CostBounds,
    /// Why that is expected, and where it is published.
    #[serde(default)]
    pub why: Option<String>,
    /// The line of its `[[contender]]` in the scenario's file, from 1.
    #[serde(skip)]
    pub line: usize,
}

/// Something that did not come out as expected; shown as its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surprise {
    /// Which checker surprised.
    pub checker: &'static str,
    /// Whether nothing was found out: the checker could not judge.
    pub unjudged: bool,
    /// What is surprising, in one line.
    pub text: String,
}

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Surprise {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Scenario {
    /// The seeds of its runs.
    pub fn seeds(&self) -> impl Iterator<Item = Seed> + use<> {
        (self.run.seed..self.run.seed.saturating_add(self.run.runs)).map(Seed)
    }

    /// One run, written down completely. The same seed gives every contender the same world.
    pub fn plan(&self, contender: Contender, seed: Seed) -> Plan {
        let family = self.family.as_deref().and_then(Family::find);
        self.plan_with(contender, seed, family)
    }

    /// As [`Scenario::plan`], with faults of this family.
    pub fn plan_with(&self, contender: Contender, seed: Seed, family: Option<&Family>) -> Plan {
        let clients = self.workload.clients;
        let stores = contender.stores(self.redis.servers);
        let mut hosts: Vec<HostName> = stores.into_iter().map(|(_, host)| host).collect();
        hosts.push(HostName::SHOP);
        hosts.extend((1..=clients).map(HostName::client));
        let (min_ms, max_ms) = self.network.latency_ms;
        let mut plan = Plan {
            picklock_plan: PLAN_VERSION,
            scenario: self.name.clone(),
            contender,
            lock: self.lock,
            workload: self.workload.plan(),
            persistence: self.redis.persistence,
            rejoin_after_ms: self.redis.rejoin_after_ms,
            world: WorldPlan {
                seed,
                hosts: hosts.into_iter().map(|name| self.host(name)).collect(),
                latency: Latency {
                    min_us: min_ms.saturating_mul(1000),
                    max_us: max_ms.saturating_mul(1000),
                },
                faults: self.fault.clone(),
                heal_at_ms: self.run.heal_at_ms,
                end_at_ms: self.run.end_at_ms,
            },
            recorded: None,
        };
        if let Some(family) = family {
            family.strike(&mut plan, seed);
        }
        plan
    }

    fn host(&self, name: HostName) -> HostPlan {
        let special = self.clock.iter().find(|host| host.name == name).copied();
        special.unwrap_or(HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 })
    }
}

impl ContenderSpec {
    /// Whether this checker may find something.
    pub fn foresees(&self, checker: &str) -> bool {
        [&self.always, &self.sometimes, &self.may].iter().any(|set| set.contains(checker))
    }

    /// What it costs, where that is not as expected.
    pub fn dear(&self, measured: &Measured) -> impl Iterator<Item = Surprise> {
        let surprise = |text| Surprise { checker: "costs", unjudged: false, text };
        self.costs.surprises(measured).into_iter().map(surprise)
    }

    /// What did not come out as expected, over all runs; empty if everything did.
    pub fn surprises(&self, outcomes: &[Outcome]) -> Vec<Surprise> {
        let runs = outcomes.len();
        let mut surprises = Vec::new();
        for checker in checkers::names() {
            let mut surprise =
                |unjudged, text| surprises.push(Surprise { checker, unjudged, text });
            let judged = |word: &str| -> Vec<Seed> {
                let said = |outcome: &&Outcome| {
                    let mut judgements = outcome.judgements.iter();
                    judgements.any(|j| {
                        j.checker == checker
                            && j.verdict.word() == word
                            && (j.claimed || word == "fail")
                    })
                };
                outcomes.iter().filter(said).map(|outcome| outcome.plan.world.seed).collect()
            };
            let (found, unknown) = (judged("fail"), judged("unknown"));
            let named = |set: &BTreeSet<String>| set.contains(checker);
            if named(&self.always) && found.len() < runs {
                let found = found.len();
                surprise(false, format!("`{checker}` in only {found} of {runs} runs, not in all"));
            } else if named(&self.sometimes) && found.is_empty() {
                surprise(false, format!("`{checker}` in none of {runs} runs"));
            }
            if let (Some(seed), false) = (found.first(), self.foresees(checker)) {
                let found = found.len();
                let text = format!("`{checker}` in {found} of {runs} runs, first with seed {seed}");
                surprise(false, text);
            }
            if let Some(seed) = unknown.first() {
                let unknown = unknown.len();
                let text = format!(
                    "`{checker}` could not judge {unknown} of {runs} runs, first with seed {seed}"
                );
                surprise(true, text);
            }
        }
        surprises
    }
}
