//! R13: JavaScript's `redlock`, version 5 (node-redlock), as its plain `acquire()` is used.
//!
//! It differs from the specification where that matters:
//! - A vote is over as soon as more than half are for or against; the other requests go on, and whatever they
//!   bring about stays. Requests to one server share a connection and keep their order.
//! - When more than half said yes the lock is granted, however long that took: the clock is read once, before the
//!   first attempt, for `expiration`. So a lock may be over when it is granted.
//! - What an attempt got in vain is given back after the last attempt only, and until then the script takes the
//!   caller's own records for another's.
//! - A release is repeated like an attempt, also when there is nothing left to release.
//! - All times are `Date.now()`: the wall clock.
//!
//! `acquire()` gives its user a `Lock` with a public `expiration`. The library's examples do not look at it, so
//! a plain user has no deadline here; who checks before a write (`shop-checked`) compares it with the clock.
//!
//! Source: mike-marcacci/node-redlock `src/index.ts` (`acquire`, `release`, `_execute`, `_attemptOperation`);
//! pull request 369 (its F1 and F2). A server that never answers would never vote; here a client's requests have the
//! time limit that all contenders have.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::COMPARE_AND_DELETE;
use super::redlock::{EXPIRY_PRECISION, Nodes, Votes, drift, sure_lease};
use crate::client::Script;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Servers};
use crate::terms::Claim;

/// How often an attempt is repeated ([`LockParams::retries`] says otherwise).
const DEFAULT_RETRIES: u32 = 10;

/// Stores the record if there is none.
static STORE: Script = Script::new(
    "if redis.call('exists',KEYS[1])==1 then return 0 end \
     redis.call('set',KEYS[1],ARGV[1],'PX',ARGV[2]) return 1",
);

/// Stores the record anew if it is the caller's.
static STORE_AGAIN: Script = Script::new(
    "if redis.call('get',KEYS[1])~=ARGV[1] then return 0 end \
     redis.call('set',KEYS[1],ARGV[1],'PX',ARGV[2]) return 1",
);

/// R13.
pub struct RedlockNode5;

impl Algorithm for RedlockNode5 {
    const NAME: &'static str = "redlock-node5";
    const ABOUT: &'static str = "R13: node-redlock 5: Redlock without a second look at the clock";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Node5::new(context)
    }
}

/// How often in a row contenders may split the votes among them; more often than four contenders were seen to.
const SPLIT_ROUNDS: u32 = 4;

/// Of both forms of R13. After the heal: what was stranded lives for a lease, and a millisecond more by Redis'
/// comparison; who was asking then waits for one answer at most. If contenders split the votes, each keeps
/// what it has: until it is out of attempts, and at most for a lease, with the longest pause after it.
pub(super) fn recovery_bound(params: &LockParams) -> Duration {
    let split = params.ttl() + params.longest_retry();
    params.ttl() + Duration::from_millis(1) + params.request_timeout() + split * SPLIT_ROUNDS
}

/// By itself a complete lock; clones are the same client.
#[derive(Clone)]
pub(super) struct Node5<E: Env> {
    pub(super) nodes: Nodes<E>,
    /// When the present grant ends, in milliseconds of this host's wall clock; 0: there is none.
    expiration_ms: Rc<Cell<i64>>,
}

impl<E: Env> Node5<E> {
    pub(super) fn new(context: LockContext<E>) -> Self {
        Self { nodes: Nodes::new(context), expiration_ms: Rc::default() }
    }

    /// `Date.now()`.
    fn now_ms(&self) -> i64 {
        self.nodes.context.env.wall().unix_ms()
    }

    /// How long it is until the lock expires.
    pub(super) fn left(&self) -> Duration {
        let left_ms = self.expiration_ms.get().saturating_sub(self.now_ms());
        Duration::from_millis(u64::try_from(left_ms).unwrap_or(0))
    }

    /// What was asked for at `start_ms` was granted.
    fn granted(&self, start_ms: i64) {
        let params = &self.nodes.context.params;
        let lease = sure_lease(params, drift(params) + EXPIRY_PRECISION);
        self.expiration_ms.set(start_ms.saturating_add(lease.as_millis() as i64));
    }

    /// `_execute`: until more than half did it, or out of attempts.
    async fn execute(&self, script: &'static Script, retries: u32) -> Result<(), Votes> {
        let context = &self.nodes.context;
        let limit = context.params.request_timeout();
        let decided = |votes: &Votes| votes.is_for() || votes.is_against();
        let mut retry = 0;
        loop {
            let (votes, mut others) =
                self.nodes.ask(limit, move |node| node.run(script), decided).await;
            context.env.spawn(async move { while others.next().await.is_some() {} });
            if votes.is_for() {
                return Ok(());
            }
            if retry == retries {
                return Err(votes);
            }
            retry += 1;
            context.params.pause_before_retry(&context.env).await;
        }
    }

    fn retries(&self) -> u32 {
        self.nodes.context.params.retries.unwrap_or(DEFAULT_RETRIES)
    }

    /// Prolongs the lock by a lease from now on.
    pub(super) async fn extend(&self) -> Result<(), LockError> {
        let start_ms = self.now_ms();
        if self.expiration_ms.get() < start_ms {
            return Err(LockError::Definite("cannot extend an already-expired lock".to_owned()));
        }
        match self.execute(&STORE_AGAIN, self.retries()).await {
            Ok(()) => {
                self.granted(start_ms);
                Ok(())
            }
            Err(votes) => Err(votes.not_granted()),
        }
    }
}

impl<E: Env> Lock for Node5<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let start_ms = self.now_ms();
        self.nodes.draw_token();
        match self.execute(&STORE, self.retries()).await {
            Ok(()) => {
                self.granted(start_ms);
                Ok(Grant::default())
            }
            Err(votes) => {
                // Once, and whatever comes of it.
                let _ = self.execute(&COMPARE_AND_DELETE, 0).await;
                Err(votes.not_granted())
            }
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(!grant.lost.is_set() && self.now_ms() < self.expiration_ms.get())
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.expiration_ms.set(0);
        match self.execute(&COMPARE_AND_DELETE, self.retries()).await {
            Ok(()) => Ok(true),
            Err(votes) => votes.carried(),
        }
    }
}
