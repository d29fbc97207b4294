//! One run, written down completely.
//!
//! A plan is a JSON file that a person can read, edit and replay. It needs no scenario and no
//! generator: with it anybody gets the same history, byte for byte.

use picklock_models::redis::Persistence;
use picklock_sim::digest::Digest;
use picklock_sim::host::HostName;
use picklock_sim::plan::{PlanError, WorldPlan, check_ms};
use serde::{Deserialize, Serialize};

use crate::contender::Contender;
use crate::engine::Engine;
use crate::lock::{LockParams, Servers};
use crate::locks::AlgorithmInfo;
use crate::terms::{Terms, WorkloadKind};

/// The version this build writes and reads. Raised when an old plan would mean another run.
pub const PLAN_VERSION: u32 = 1;

/// The largest stock or counter to begin with: far beyond what a run can sell, far below where Lua's
/// numbers (2^53) lose a unit.
pub(crate) const LARGEST_INITIAL: u64 = 1_000_000_000_000_000;

/// One run, written down completely. A plan of a lock that this crate does not know is read with its
/// contender's name first (`C` is a string), see [`Plan::with_contender`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan<C = Contender> {
    /// [`PLAN_VERSION`].
    pub picklock_plan: u32,
    /// The scenario it was made from, for the reader.
    pub scenario: String,
    /// The lock and what it guards.
    pub contender: C,
    /// Times of the lock.
    pub lock: LockParams,
    /// What the clients do.
    pub workload: WorkloadPlan,
    /// What the Redis server keeps on disk.
    #[serde(default)]
    pub persistence: Persistence,
    /// A Redis server that comes back listens to nobody for so long by its own wall clock, in milliseconds: what
    /// Redlock asks of servers that may have forgotten a lock (redis-doc `distributed-locks.md`, delayed restarts).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejoin_after_ms: Option<u64>,
    /// Hosts, links, faults, end, seed.
    pub world: WorldPlan,
    /// What came out when it was run, so that a replay can be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
}

/// What the clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadPlan {
    /// Sale or counter.
    pub kind: WorkloadKind,
    /// What the stock or counter shows at the beginning.
    pub initial: i64,
    /// Thinking time between the guarded read and the guarded write, in milliseconds.
    pub hold_ms: u64,
    /// Pause between two critical sections of a client, in milliseconds.
    pub think_ms: u64,
    /// Client n starts (n - 1) times this after the beginning, in milliseconds.
    pub stagger_ms: u64,
    /// So often a holder acquires the lock again in each critical section, and gives it back again, before it
    /// works; only for a lock that its holder may acquire again.
    #[serde(default, skip_serializing_if = "is_none")]
    pub reentries: u16,
    /// Every so many-th critical section of a client shares the lock: it reads, thinks and reads again; 0 is
    /// none. Only for a lock with a shared mode.
    #[serde(default, skip_serializing_if = "is_none")]
    pub shared_every: u16,
}

/// What is left out of a plan that makes no use of it.
fn is_none(number: &u16) -> bool {
    *number == 0
}

/// What came out of a plan when it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// On which engine.
    pub engine: Engine,
    /// The digest of the run.
    pub digest: Digest,
    /// The checkers that found a violation.
    pub violations: Vec<String>,
}

impl<C> Plan<C> {
    /// The same plan for another contender.
    pub fn with_contender<D>(self, contender: D) -> Plan<D> {
        Plan {
            contender,
            picklock_plan: self.picklock_plan,
            scenario: self.scenario,
            lock: self.lock,
            workload: self.workload,
            persistence: self.persistence,
            rejoin_after_ms: self.rejoin_after_ms,
            world: self.world,
            recorded: self.recorded,
        }
    }
}

impl Plan {
    /// The clients, in order.
    pub fn clients(&self) -> impl Iterator<Item = HostName> {
        self.world.hosts.iter().map(|host| host.name).filter(|name| name.is_client())
    }

    /// The servers that the lock is kept on, in order.
    pub fn lock_servers(&self) -> Vec<HostName> {
        let store = self.contender.store;
        match self.contender.servers {
            Servers::One => vec![store.host()],
            Servers::Independent => {
                let hosts = self.world.hosts.iter().map(|host| host.name);
                hosts.filter(|host| host.role == store.host().role && host.number > 0).collect()
            }
        }
    }

    /// The lease that the lock's store really gives, in milliseconds.
    pub fn lease_ms(&self) -> u64 {
        self.contender.store.lease(&self.lock).as_millis() as u64
    }

    /// How long a run must go on after the heal so that every judge can tell, in milliseconds: twice what
    /// a polled lock with a lease needs, because the bound of a lock is its own affair.
    pub fn to_recover_ms(&self) -> u64 {
        let lock = &self.lock;
        let polled =
            self.lease_ms() + lock.retry_ms + lock.retry_jitter_ms + lock.request_timeout_ms;
        2 * (polled + self.working_ms())
    }

    /// The header of the run's history.
    pub fn terms(&self, engine: Engine, recovery_bound_ms: Option<u64>) -> Terms {
        let clients = self.clients().count() as u16;
        Terms {
            scenario: self.scenario.clone(),
            contender: self.contender.to_string(),
            engine: engine.name().to_owned(),
            workload: self.workload.kind,
            initial: self.workload.initial,
            clients,
            heal_at: self.world.heal_at(),
            end_at: self.world.end_at(),
            recovery_bound_ms,
            // Polling is a lottery among equals: a client that loses ten times as often in a row as
            // there are clients (chance below 1 in 20000) is not just unlucky.
            starvation_bound: 10 * u32::from(clients),
            claims: self.contender.claims(self.workload.kind),
        }
    }

    /// How long a holder keeps the lock on purpose and the network may take, in milliseconds: what a
    /// lock's own recovery bound leaves out. One critical section has at most six requests and two for each
    /// re-entry, and a waiter needs two more.
    pub fn working_ms(&self) -> u64 {
        let requests = 8 + 2 * u64::from(self.workload.reentries);
        self.workload.hold_ms
            + self.workload.think_ms
            + 2 * requests * self.world.latency.max_us.div_ceil(1000)
    }

    /// Checks everything that a parser cannot.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), PlanError> {
        let nonsense = |text: String| Err(PlanError::Nonsense(text));
        if self.picklock_plan != PLAN_VERSION {
            return nonsense(format!(
                "this is a plan of version {}; this build reads version {PLAN_VERSION}",
                self.picklock_plan
            ));
        }
        if self.clients().next().is_none() {
            return nonsense("a run needs at least one client".to_owned());
        }
        // A lock on several servers can do with one, but their numbers leave none out.
        let independent = self.lock_servers().len().max(1) as u16;
        let stores = self.contender.stores(independent).into_iter().map(|(_, host)| host);
        for needed in stores.chain([HostName::SHOP]) {
            if !self.world.hosts.iter().any(|host| host.name == needed) {
                return nonsense(format!("a run needs the host `{needed}`"));
            }
        }
        if self.workload.kind == WorkloadKind::Counter && self.contender.resource.only_sells() {
            return nonsense(format!(
                "the counter workload counts up; `{}` only sells",
                self.contender.resource.name()
            ));
        }
        self.check_modes()?;
        if self.lock.ttl_ms == 0 {
            return nonsense("ttl_ms must be above 0: Redis refuses a lease of no time".to_owned());
        }
        if self.workload.initial.unsigned_abs() > LARGEST_INITIAL {
            let initial = self.workload.initial;
            return nonsense(format!(
                "`initial` is {initial}; at most +-{LARGEST_INITIAL} will do"
            ));
        }
        if self.workload.kind == WorkloadKind::Sale && self.workload.initial < 0 {
            return nonsense("`initial`: a stock cannot begin below 0".to_owned());
        }
        for (key, value_ms) in [
            ("ttl_ms", self.lock.ttl_ms),
            ("retry_ms", self.lock.retry_ms),
            ("retry_jitter_ms", self.lock.retry_jitter_ms),
            ("request_timeout_ms", self.lock.request_timeout_ms),
            ("margin_ms", self.lock.margin_ms),
            ("hold_ms", self.workload.hold_ms),
            ("think_ms", self.workload.think_ms),
            ("stagger_ms", self.workload.stagger_ms),
            ("rejoin_after_ms", self.rejoin_after_ms.unwrap_or(0)),
            ("node_timeout_ms", self.lock.node_timeout_ms.unwrap_or(0)),
            ("renew_every_ms", self.lock.renew_every_ms.unwrap_or(0)),
            ("renew_before_ms", self.lock.renew_before_ms.unwrap_or(0)),
            ("resend_pause_ms", self.lock.resend_pause_ms.unwrap_or(0)),
            ("place_ms", self.lock.place_ms.unwrap_or(0)),
        ] {
            check_ms(key, value_ms)?;
        }
        self.world.check()
    }

    /// Whether the contender can do what the workload asks of it.
    fn check_modes(&self) -> Result<(), PlanError> {
        let Contender { lock, reentrant, shared, resource, .. } = self.contender;
        let nonsense = |text: String| Err(PlanError::Nonsense(text));
        if self.workload.reentries > 0 && !reentrant {
            let others = AlgorithmInfo::those(|info| info.reentrant);
            return nonsense(format!(
                "`reentries`: the holder of `{lock}` may not acquire it again; there are {others}"
            ));
        }
        if self.workload.shared_every > 0 && !shared {
            let others = AlgorithmInfo::those(|info| info.shared);
            return nonsense(format!(
                "`shared_every`: `{lock}` has no shared mode; there are {others}"
            ));
        }
        if self.workload.shared_every > 0 && resource.only_sells() {
            let resource = resource.name();
            return nonsense(format!(
                "`shared_every`: whoever shares the lock only reads; `{resource}` only sells"
            ));
        }
        Ok(())
    }
}
