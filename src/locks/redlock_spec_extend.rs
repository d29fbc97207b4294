//! R12 with extension: as long as the work goes on, the lease is prolonged on more than half of the servers.
//!
//! A holder may extend if it still has what is left of its lease, only as often as a limit allows, because a
//! holder that hangs would keep the lock for ever; the documentation names no number. What an extension
//! finds is told to the worker ([`Grant::lost`]); the deadline moves, so the worker is not given one.
//!
//! Source: redis-doc `docs/manual/patterns/distributed-locks.md`, "Making the algorithm more reliable:
//! extending the lock".

use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::COMPARE_AND_PEXPIRE;
use super::redlock::Extending;
use super::redlock_spec::{Spec, recovery_bound};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Servers};
use crate::terms::Claim;

/// The most extensions of one grant ([`LockParams::extensions`] says otherwise): by a third of the lease each, some
/// four leases of work in all.
const DEFAULT_EXTENSIONS: u32 = 10;

/// R12 with extension.
pub struct RedlockSpecExtend;

impl Algorithm for RedlockSpecExtend {
    const NAME: &'static str = "redlock-spec-extend";
    const ABOUT: &'static str = "R12: redlock-spec, extended every TTL/3 for a while; a loss is told";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client { spec: Spec::new(context), extending: None }
    }
}

struct Client<E: Env> {
    spec: Spec<E>,
    /// The present grant's.
    extending: Option<Extending>,
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let granted = self.spec.acquire().await?;
        let Spec { nodes, lease, .. } = &self.spec;
        let at_most = Some(nodes.context.params.extensions.unwrap_or(DEFAULT_EXTENSIONS));
        let (grant, extending) =
            nodes.keep_extending(granted, &COMPARE_AND_PEXPIRE, *lease, at_most);
        self.extending = Some(extending);
        Ok(grant)
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        let now = self.spec.nodes.context.env.steady();
        let held = self.extending.as_ref().is_some_and(|extending| now < extending.until.get());
        Ok(held && !grant.lost.is_set())
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        if let Some(extending) = self.extending.take() {
            extending.stop.set();
        }
        self.spec.release(grant).await
    }
}
