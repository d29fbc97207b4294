//! R6: R5 plus a task that prolongs the lease every third of it, and tells the worker when it
//! cannot.
//!
//! Source: redis-doc `distributed-locks.md` (extending the lock's lifetime); the third is
//! Redisson's. A pause of the whole process stops the task too; a stuck worker with a live watchdog
//! holds for ever.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::Env;
use picklock_sim::signal::Signal;

use super::hold::{COMPARE_AND_PEXPIRE, Tokened, connect, yes_or_no};
use super::renewal::{self, Renewing};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Renewal};
use crate::terms::Claim;

/// R6, telling the worker of a lost renewal.
pub struct RedisWatchdog;

impl Algorithm for RedisWatchdog {
    const NAME: &'static str = "redis-watchdog";
    const ABOUT: &'static str = "R6: redis-token-cad, renewed every TTL/3; a lost lease is told";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const FENCED_TWIN: Option<&'static str> = Some("redis-watchdog-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Watched::new(context, true)
    }
}

/// A tokened lock with a watchdog, in both forms of R6.
pub(super) struct Watched<E: Env> {
    lock: Tokened<E>,
    /// Stops the watchdog of the present grant.
    stop: Signal,
    /// Whether the worker is told of a lost lease.
    telling: bool,
}

impl<E: Env> Watched<E> {
    pub(super) fn new(context: LockContext<E>, telling: bool) -> Self {
        Self { lock: Tokened::new(context), stop: Signal::default(), telling }
    }
}

impl<E: Env> Lock for Watched<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let grant = self.lock.acquire().await?;
        let lost = if self.telling { grant.lost.clone() } else { Signal::default() };
        self.stop = set_watchdog(&self.lock, lost);
        Ok(grant)
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.lock.check(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.stop.set();
        self.lock.release(grant).await
    }
}

/// Starts a task that renews the lease every third of it until the returned signal is set, or until the lock
/// turns out to be another's, and then sets `lost`.
pub(super) fn set_watchdog<E: Env>(lock: &Tokened<E>, lost: Signal) -> Signal {
    let context = lock.server.context.clone();
    let lease = context.params.ttl();
    let until = Rc::new(Cell::new(lock.asked_at + lease));
    let rules = Renewing { every: lease / 3, lease, at_most: None, until };
    let mut connection = connect(&context);
    let (key, token) = (Rc::clone(&context.key), lock.token.clone());
    let ttl_ms = lock.server.ttl_ms.clone();
    let renew = async move || {
        let args = [token.as_bytes(), ttl_ms.as_bytes()];
        let reply = connection.eval(&COMPARE_AND_PEXPIRE, &[&key], &args).await;
        match reply.and_then(yes_or_no) {
            Ok(true) => Renewal::Done,
            Ok(false) => Renewal::Refused,
            Err(_) => Renewal::Unknown,
        }
    };
    renewal::keep(&context, rules, lost, renew)
}
