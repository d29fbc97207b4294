//! R14: Go's `redsync`, version 4.
//!
//! As the specification, with two differences. The time limit is the attempt's, a twentieth of the lease, and what
//! an attempt got in vain is given back within as little: a `SET` that was given up and comes late may
//! then outlive its release, and the record is stranded for a lease. One value is used for all attempts of a
//! `Lock()`: the release of one that failed, come late, takes the record of the one that was granted
//! (`scenarios/negative/redlock-late-release.toml`). Time is Go's monotonic clock. `Until()` tells the user when
//! the lease ends; `Valid()` asks the servers.
//!
//! Source: go-redsync/redsync `mutex.go` (`lockContext`, `actOnPoolsAsync`, `UnlockContext`, `ValidContext`),
//! `redsync.go` (`NewMutex`: 32 tries, drift 0.01, timeout 0.05).

use std::time::Duration;

use picklock_sim::env::Env;

use super::redlock::{Node, Nodes, Votes, drift, split_bound, sure_lease, until};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Servers};
use crate::terms::Claim;

/// How often an attempt is repeated: 32 tries in all ([`LockParams::retries`] says otherwise).
const DEFAULT_RETRIES: u32 = 31;

/// The part of the lease that all servers together have to answer
/// ([`LockParams::node_timeout_ms`] says otherwise).
const TIMEOUT_PART: u32 = 20;

/// R14.
pub struct RedlockRedsync;

impl Algorithm for RedlockRedsync {
    const NAME: &'static str = "redlock-redsync";
    const ABOUT: &'static str = "R14: Go's redsync: Redlock with a look at the clock";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Redsync::new(context, Redsync::<E>::WHEN_ALL_HAVE_ANSWERED)
    }
}

/// Of all forms of R14. Whoever is out of tries, or was refused a release, asks again as any retry.
pub(super) fn recovery_bound(params: &LockParams) -> Duration {
    split_bound(params, attempt_timeout(params))
}

fn attempt_timeout(params: &LockParams) -> Duration {
    params.node_timeout_ms.map_or(params.ttl() / TIMEOUT_PART, Duration::from_millis)
}

/// By itself a complete lock.
pub(super) struct Redsync<E: Env> {
    pub(super) nodes: Nodes<E>,
    /// So long after it was asked for it is surely held. There is nothing on top of the drift.
    pub(super) lease: Duration,
    attempt_timeout: Duration,
    enough: fn(&Votes) -> bool,
}

impl<E: Env> Redsync<E> {
    /// As it is by default.
    pub(super) const WHEN_ALL_HAVE_ANSWERED: fn(&Votes) -> bool = |_| false;
    /// With the option `WithFailFast`. Errors do not count as refusals.
    pub(super) const FAIL_FAST: fn(&Votes) -> bool = |votes| votes.is_for() || votes.is_refused();

    pub(super) fn new(context: LockContext<E>, enough: fn(&Votes) -> bool) -> Self {
        let lease = sure_lease(&context.params, drift(&context.params));
        let attempt_timeout = attempt_timeout(&context.params);
        Self { nodes: Nodes::new(context), lease, attempt_timeout, enough }
    }
}

impl<E: Env> Lock for Redsync<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let env = self.nodes.context.env.clone();
        let params = self.nodes.context.params;
        self.nodes.draw_token();
        let mut retries_left = params.retries.unwrap_or(DEFAULT_RETRIES);
        loop {
            let deadline = env.steady() + self.lease;
            let (votes, _) = self.nodes.ask(self.attempt_timeout, Node::take, self.enough).await;
            if votes.is_for() && env.steady() < deadline {
                return Ok(until(deadline));
            }
            // Its answer is thrown away by the library, too.
            let _ = self.nodes.ask(self.attempt_timeout, Node::release, self.enough).await;
            if retries_left == 0 {
                return Err(votes.not_granted());
            }
            retries_left -= 1;
            params.pause_before_retry(&env).await;
        }
    }

    /// `Valid()`: more than half of the servers have this client's value.
    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        let limit = self.nodes.context.params.request_timeout();
        let (votes, _) = self.nodes.ask(limit, Node::has, self.enough).await;
        Ok(!grant.lost.is_set() && votes.carried()?)
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        let limit = self.nodes.context.params.request_timeout();
        self.nodes.ask(limit, Node::release, self.enough).await.0.carried()
    }
}
