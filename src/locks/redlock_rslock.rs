//! R15: Rust's `rslock`.
//!
//! As the specification, with these differences. Each request opens a connection of its own. There is no time limit
//! for a server but the connection's. An attempt that took longer than the lease ends with `TtlExceeded` before
//! what it got is given back: the records are stranded for a lease. `lock()` makes three attempts with one value,
//! so that a late release of one can take what another got (`scenarios/negative/redlock-late-release-rslock.toml`);
//! `acquire()`, which is this, calls it for ever, at once, with another value each time. The lock tells its user
//! how much of the lease was left when it was granted.
//!
//! It measures with `std::time::Instant`, which is the steady clock of a host. (On a test runtime with a clock of
//! its own that `Instant` would stand still, and the check against the lease could never fail; that would say nothing
//! about the library.)
//!
//! Source: hexcowboy/rslock `src/lock.rs` (`exec_or_retry`, `lock_instance`, `unlock`, `acquire_no_guard`).

use std::time::Duration;

use picklock_sim::env::Env;

use super::redlock::{EXPIRY_PRECISION, Node, Nodes, drift, split_bound, sure_lease, until};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Servers};
use crate::terms::Claim;

/// How often one `lock()` repeats its attempt: three in all ([`LockParams::retries`] says otherwise).
const DEFAULT_RETRIES: u32 = 2;

/// R15.
pub struct RedlockRslock;

impl Algorithm for RedlockRslock {
    const NAME: &'static str = "redlock-rslock";
    const ABOUT: &'static str = "R15: Rust's rslock: Redlock that leaves its records when it was too slow";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(split_bound(params, params.request_timeout()))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let lease = sure_lease(&context.params, drift(&context.params) + EXPIRY_PRECISION);
        Client { nodes: Nodes::new(context), lease }
    }
}

struct Client<E: Env> {
    nodes: Nodes<E>,
    /// So long after it was asked for it is surely held.
    lease: Duration,
}

impl<E: Env> Client<E> {
    /// `lock()`; `None` if it failed, for whatever reason.
    async fn lock(&mut self) -> Option<Grant> {
        let env = self.nodes.context.env.clone();
        let params = self.nodes.context.params;
        self.nodes.draw_token();
        for _ in 0..=params.retries.unwrap_or(DEFAULT_RETRIES) {
            let deadline = env.steady() + self.lease;
            let limit = params.request_timeout();
            self.nodes.reconnect();
            let votes = self.nodes.ask_all(limit, Node::take).await;
            if env.steady() >= deadline {
                // `TtlExceeded`: nothing is given back.
                return None;
            }
            if votes.is_for() {
                return Some(until(deadline));
            }
            let _ = self.release(Grant::default()).await;
            params.pause_before_retry(&env).await;
        }
        None
    }
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        loop {
            if let Some(grant) = self.lock().await {
                return Ok(grant);
            }
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(grant.is_believed(&self.nodes.context.env))
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        let limit = self.nodes.context.params.request_timeout();
        self.nodes.reconnect();
        self.nodes.release(limit).await
    }
}
