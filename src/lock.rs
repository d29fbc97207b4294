//! A distributed lock, written once, for every world.
//!
//! [`Lock`] is what a client does with it, [`Algorithm`] what the test-bed must know about it: its
//! name, its promises, how to make a client. A lock sees an [`Env`], its parameters and nothing
//! else: no true time, no recorder, no fault.

use std::rc::Rc;
use std::time::Duration;

use picklock_models::time::SteadyTime;
use picklock_sim::env::Env;
use picklock_sim::signal::Signal;
use serde::{Deserialize, Serialize};

use crate::group::Group;
use crate::store::StoreKind;
use crate::terms::Claim;

/// One client's handle to one lock.
pub trait Lock {
    /// Asks for the lock until it has it.
    ///
    /// # Errors
    /// The attempt was given up; see [`LockError`] for whether the server may have granted it.
    fn acquire(&mut self) -> impl Future<Output = Result<Grant, LockError>>;

    /// Asks whether the lock is still held, as a careful client does just before a write.
    ///
    /// # Errors
    /// Nobody could say.
    fn check(&mut self, grant: &Grant) -> impl Future<Output = Result<bool, LockError>>;

    /// Asks for the lock in its shared mode, in which several hold it and nobody holds it alone, until it has
    /// it. A lock without one ([`Algorithm::SHARED`]) grants it alone.
    ///
    /// # Errors
    /// As [`Lock::acquire`].
    fn acquire_shared(&mut self) -> impl Future<Output = Result<Grant, LockError>> {
        self.acquire()
    }

    /// Gives the lock back, in whichever mode it was granted last. `false`: it was not this client's any more.
    ///
    /// # Errors
    /// Whether it was given back is unknown, or it certainly was not.
    fn release(&mut self, grant: Grant) -> impl Future<Output = Result<bool, LockError>>;
}

/// A lock algorithm: how to make a client, and what the test-bed must know about it.
pub trait Algorithm: 'static {
    /// Its name in scenario files.
    const NAME: &'static str;
    /// One line for lists.
    const ABOUT: &'static str;
    /// What it promises by itself, without a guarded resource.
    const CLAIMS: &'static [Claim];
    /// Where it is kept.
    const STORE: StoreKind = StoreKind::Redis;
    /// Below the lock's key, where the records are that make a holder; empty: the key itself, and all that is
    /// below it.
    const HOLDERS: &'static str = "";
    /// Whether its grants carry fencing tokens.
    const FENCED: bool = false;
    /// Whether its grants name the record that makes their client the holder ([`Grant::record`]).
    const SHOWS_RECORD: bool = false;
    /// With which others reports show it.
    const GROUP: Group = Group::of(Self::STORE, Self::SERVERS);
    /// On how many servers it is kept.
    const SERVERS: Servers = Servers::One;
    /// Whether its holder may acquire it again, at once, and then has to release it as often.
    const REENTRANT: bool = false;
    /// Whether it has a shared mode ([`Lock::acquire_shared`]).
    const SHARED: bool = false;
    /// The same lock with fencing tokens, where there is one: what would it have changed?
    const FENCED_TWIN: Option<&'static str> = None;

    /// How long after a heal somebody must have the lock at the latest; `None`: never promised.
    /// Without the time that a holder keeps it on purpose and without network time.
    fn recovery_bound(params: &LockParams) -> Option<Duration>;

    /// A client of the lock.
    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static;
}

/// On how many servers of its store a lock is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Servers {
    /// On one.
    One,
    /// On several that know nothing of each other, as Redlock; a plan says how many.
    Independent,
}

/// Everything a lock client is made from.
#[derive(Clone)]
pub struct LockContext<E> {
    /// Its world.
    pub env: E,
    /// Where the lock servers are, as `host:port`; one, or all of [`Servers::Independent`].
    pub servers: Rc<[String]>,
    /// The record that is the lock.
    pub key: Rc<str>,
    /// The record that fencing tokens are counted in.
    pub fence_key: Rc<str>,
    /// Times.
    pub params: LockParams,
    /// Is told of every renewal, so that histories show them.
    pub on_renewal: Rc<dyn Fn(Renewal)>,
}

/// The times a lock is used with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LockParams {
    /// How long the server keeps the record without renewal, in milliseconds.
    pub ttl_ms: u64,
    /// Pause between two attempts, in milliseconds.
    pub retry_ms: u64,
    /// Added to the pause: uniform between 0 and this, in milliseconds.
    pub retry_jitter_ms: u64,
    /// How long a client waits for one reply, in milliseconds.
    pub request_timeout_ms: u64,
    /// What a local deadline stays below the TTL, in milliseconds.
    pub margin_ms: u64,
    /// How often an attempt of a library that gives up by itself is repeated. This and what follows libraries
    /// leave to their users: left out, it is the library's own default, which stands in its lock's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// How long a client waits for one server of several, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_timeout_ms: Option<u64>,
    /// What is taken off a lease for clocks that run at another rate, in parts per million of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_ppm: Option<u32>,
    /// Between two renewals, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_every_ms: Option<u64>,
    /// How long before a lease ends it is renewed, in milliseconds, by a library that counts from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_before_ms: Option<u64>,
    /// The most renewals of one grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions: Option<u32>,
    /// The longest pause before a client sends a command again that nobody answered, in milliseconds; it is drawn
    /// between half of that and that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resend_pause_ms: Option<u64>,
    /// How long a waiter that is not heard of keeps its place in a queue, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place_ms: Option<u64>,
}

impl Default for LockParams {
    fn default() -> Self {
        Self::OF_RECORD
    }
}

impl LockParams {
    /// The workload of record (DESIGN section 10). The margin is Redlock's 1 % + 2 ms of it.
    pub const OF_RECORD: Self = Self {
        ttl_ms: 1000,
        retry_ms: 50,
        retry_jitter_ms: 0,
        request_timeout_ms: 500,
        margin_ms: 12,
        retries: None,
        node_timeout_ms: None,
        drift_ppm: None,
        renew_every_ms: None,
        renew_before_ms: None,
        extensions: None,
        resend_pause_ms: None,
        place_ms: None,
    };

    /// [`LockParams::ttl_ms`] as a duration.
    pub fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms)
    }

    /// The longest pause between two attempts.
    pub fn longest_retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms + self.retry_jitter_ms)
    }

    /// [`LockParams::request_timeout_ms`] as a duration.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// The bound of a lock whose record dies with its TTL and whose waiters poll: the remaining
    /// TTL, the millisecond of Redis' strict comparison, one poll (locks.md, recovery bounds), and
    /// the time of one request that nobody answered before the heal.
    pub fn polled_ttl_bound(&self) -> Duration {
        self.ttl() + Duration::from_millis(1) + self.longest_retry() + self.request_timeout()
    }

    /// The pause before the next attempt.
    pub async fn pause_before_retry<E: Env>(&self, env: &E) {
        let jitter = match self.retry_jitter_ms {
            0 => 0,
            jitter => env.random() % (jitter + 1),
        };
        env.sleep(Duration::from_millis(self.retry_ms + jitter)).await;
    }
}

/// The lock was granted.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// The fencing token, if the algorithm hands one out.
    pub token: Option<u64>,
    /// When this client stops believing by its own clock, if it keeps a deadline.
    pub deadline: Option<SteadyTime>,
    /// Set when the lock is known to be lost; the worker looks at it.
    pub lost: Signal,
    /// The record that makes its client the holder, if the algorithm shows it.
    pub record: Option<OwnRecord>,
}

/// A record of a store that only the holder of a lock has. A resource in the same store compares it in the
/// transaction of each write, so that who has lost it writes nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRecord {
    /// Its key, or its path.
    pub key: Rc<str>,
    /// Which of all the records that ever had this name: the revision (etcd) or the transaction (ZooKeeper)
    /// that created it.
    pub created: i64,
}

impl Grant {
    /// Whether the holder still has reason to believe.
    pub fn is_believed<E: Env>(&self, env: &E) -> bool {
        !self.lost.is_set() && self.deadline.is_none_or(|deadline| env.steady() < deadline)
    }
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It is being sent.
    Sent,
    /// The lease was prolonged.
    Done,
    /// The server says that the lock is not this client's any more.
    Refused,
    /// No answer; it may have been prolonged.
    Unknown,
}

/// An operation that did not succeed, and the one question a caller must branch on: can it have
/// happened?
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It certainly did not happen.
    #[error("certainly did not happen: {0}")]
    Definite(String),
    /// It may have happened.
    #[error("may have happened: {0}")]
    Indefinite(String),
}
