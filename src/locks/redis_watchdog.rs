//! R6: R5 plus a task that prolongs the lease every third of it, and tells the worker when it
//! cannot.
//!
//! Source: redis-doc `distributed-locks.md` (extending the lock's lifetime); the third is
//! Redisson's. A pause of the whole process stops the task too; a stuck worker with a live watchdog
//! holds for ever.

use std::cell::Cell;
use std::time::Duration;

use picklock_models::time::SteadyTime;
use picklock_sim::env::{Either, Env, race};
use picklock_sim::signal::Signal;

use super::hold::{Tokened, connect, yes_or_no};
use crate::client::{Client as Connection, Script};
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

/// Prolongs the record if it is still the caller's.
static COMPARE_AND_PEXPIRE: Script = Script::new(
    "if redis.call('get',KEYS[1])==ARGV[1] then \
     return redis.call('pexpire',KEYS[1],ARGV[2]) else return 0 end",
);

/// Starts a task that renews the lease until the returned signal is set, or until the lock turns
/// out to be another's, and then sets `lost`.
pub(super) fn set_watchdog<E: Env>(lock: &Tokened<E>, lost: Signal) -> Signal {
    let stop = Signal::default();
    let context = lock.server.context.clone();
    let lease = Lease { token: lock.token.clone(), until: lock.asked_at + context.params.ttl() };
    lock.server.context.env.spawn(watch(context, lease, lost, stop.clone()));
    stop
}

/// What a watchdog keeps alive, and until when it surely is without it.
struct Lease {
    token: String,
    until: SteadyTime,
}

async fn watch<E: Env>(context: LockContext<E>, lease: Lease, lost: Signal, stop: Signal) {
    let in_flight = Cell::new(false);
    // A release that comes meanwhile must not be followed by a late complaint.
    match race(stop.wait(), keep_renewing(&context, lease, &in_flight)).await {
        Either::Left(()) if in_flight.get() => (context.on_renewal)(Renewal::Unknown),
        Either::Left(()) => {}
        Either::Right(()) => lost.set(),
    }
}

/// Renews until the lock turns out to be another's, or until a whole lease has passed by this
/// host's clock without a renewal.
async fn keep_renewing<E: Env>(
    context: &LockContext<E>,
    mut lease: Lease,
    in_flight: &Cell<bool>,
) {
    let env = &context.env;
    let mut connection = connect(context);
    let ttl = context.params.ttl();
    let ttl_ms = context.params.ttl_ms.to_string();
    let token = lease.token.as_bytes();
    loop {
        env.sleep((ttl / 3).min(lease.until.since(env.steady()))).await;
        let sent_at = env.steady();
        let left = lease.until.since(sent_at);
        (context.on_renewal)(Renewal::Sent);
        in_flight.set(true);
        let args = [token, ttl_ms.as_bytes()];
        let renewal = renew(&mut connection, &COMPARE_AND_PEXPIRE, &context.key, &args);
        let renewal = env.timeout(left, renewal).await.unwrap_or(Renewal::Unknown);
        in_flight.set(false);
        (context.on_renewal)(renewal);
        match renewal {
            Renewal::Done => lease.until = sent_at + ttl,
            Renewal::Refused => return,
            _ if env.steady() >= lease.until => return,
            // Tried again at the next third.
            _ => {}
        }
    }
}

async fn renew<E: Env>(
    connection: &mut Connection<E>,
    script: &Script,
    key: &str,
    args: &[&[u8]],
) -> Renewal {
    match connection.eval(script, &[key], args).await.and_then(yes_or_no) {
        Ok(true) => Renewal::Done,
        Ok(false) => Renewal::Refused,
        Err(_) => Renewal::Unknown,
    }
}
