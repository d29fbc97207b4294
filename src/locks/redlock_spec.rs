//! R12: Redlock as the Redis documentation describes it.
//!
//! 1. Read the clock.
//! 2. `SET NX PX` one token on all servers at once, with a time limit for each that is small against the lease.
//! 3. Read the clock again: held if more than half said yes and the lease is not over.
//! 4. What is left of the lease, less the drift of clocks, is how long it may be used: [`Grant::deadline`].
//! 5. Otherwise delete the token on all servers, also on those that did not answer; pause, and begin anew with
//!    another token, so that a deletion that comes late finds nothing of the next attempt's.
//!
//! The documentation reads "the current time"; both its critic and its author want a steady clock for that
//! (Kleppmann 2016; antirez, "Is Redlock safe?"), so it is the steady one here.
//!
//! Source: redis-doc `docs/manual/patterns/distributed-locks.md`, the Redlock algorithm.

use std::time::Duration;

use picklock_sim::env::Env;

use super::redlock::{EXPIRY_PRECISION, Node, Nodes, drift, split_bound, sure_lease, until};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Servers};
use crate::terms::Claim;

/// The largest of the documentation's example: 5 to 50 ms for a lease of 10 s, independent of the lease here
/// because it is the network's ([`LockParams::node_timeout_ms`] says otherwise).
const DEFAULT_NODE_TIMEOUT_MS: u64 = 50;

/// R12.
pub struct RedlockSpec;

impl Algorithm for RedlockSpec {
    const NAME: &'static str = "redlock-spec";
    const ABOUT: &'static str = "R12: Redlock on several Redis servers, as documented";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Spec::new(context)
    }
}

/// Of both forms of R12: an attempt and the release that follows it end with the time limit of a server.
pub(super) fn recovery_bound(params: &LockParams) -> Duration {
    split_bound(params, node_timeout(params))
}

fn node_timeout(params: &LockParams) -> Duration {
    Duration::from_millis(params.node_timeout_ms.unwrap_or(DEFAULT_NODE_TIMEOUT_MS))
}

/// By itself a complete lock.
pub(super) struct Spec<E: Env> {
    pub(super) nodes: Nodes<E>,
    /// So long after it was asked for it is surely held.
    pub(super) lease: Duration,
    node_timeout: Duration,
}

impl<E: Env> Spec<E> {
    pub(super) fn new(context: LockContext<E>) -> Self {
        let lease = sure_lease(&context.params, drift(&context.params) + EXPIRY_PRECISION);
        let node_timeout = node_timeout(&context.params);
        Self { nodes: Nodes::new(context), lease, node_timeout }
    }
}

impl<E: Env> Lock for Spec<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let env = self.nodes.context.env.clone();
        let params = self.nodes.context.params;
        let mut retries_left = params.retries;
        loop {
            self.nodes.draw_token();
            let deadline = env.steady() + self.lease;
            let votes = self.nodes.ask_all(self.node_timeout, Node::take).await;
            if votes.is_for() && env.steady() < deadline {
                return Ok(until(deadline));
            }
            // Whether it could be deleted changes nothing: it is over with its lease at the latest.
            let _ = self.nodes.release(self.node_timeout).await;
            match &mut retries_left {
                Some(0) => return Err(votes.not_granted()),
                Some(retries) => *retries -= 1,
                // The documentation sets no limit.
                None => {}
            }
            params.pause_before_retry(&env).await;
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(grant.is_believed(&self.nodes.context.env))
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.nodes.release(self.node_timeout).await
    }
}
