//! R14 with the option `WithSetNXOnExtend`, and an application that extends every third of the lease.
//!
//! An extension also stores the record where it is missing: a holder tops up the servers that were away when it got
//! the lock, and survives that one of those that it has forgets it (redsync#186). But a holder that has lost the
//! lock everywhere, while another had it and gave it back, gets it again and is told nothing.
//!
//! The library extends when it is told to; that it is told every third of the lease, that the worker hears of a
//! refusal, and that a release does not wait for an extension that is under way, is the application's.
//!
//! Source: go-redsync/redsync `mutex.go` (`ExtendContext`, `touchWithSetNXScript`), issue 186.

use std::time::Duration;

use picklock_sim::env::Env;

use super::redlock::Extending;
use super::redlock_redsync::{Redsync, recovery_bound};
use crate::client::Script;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Servers};
use crate::terms::Claim;

/// Prolongs the record if it is the caller's, and stores it if there is none.
static PROLONG_OR_STORE: Script = Script::new(
    "if redis.call('get',KEYS[1])==ARGV[1] then \
     return redis.call('pexpire',KEYS[1],ARGV[2]) end \
     if redis.call('set',KEYS[1],ARGV[1],'NX','PX',ARGV[2]) then return 1 end return 0",
);

/// R14 with `WithSetNXOnExtend`.
pub struct RedlockRedsyncSetnx;

impl Algorithm for RedlockRedsyncSetnx {
    const NAME: &'static str = "redlock-redsync-setnx";
    const ABOUT: &'static str = "R14: redlock-redsync, extended every TTL/3, stored again where missing";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let redsync = Redsync::new(context, Redsync::<E>::WHEN_ALL_HAVE_ANSWERED);
        Client { redsync, extending: None }
    }
}

struct Client<E: Env> {
    redsync: Redsync<E>,
    /// The present grant's.
    extending: Option<Extending>,
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let granted = self.redsync.acquire().await?;
        let Redsync { nodes, lease, .. } = &self.redsync;
        let at_most = nodes.context.params.extensions;
        let (grant, extending) = nodes.keep_extending(granted, &PROLONG_OR_STORE, *lease, at_most);
        self.extending = Some(extending);
        Ok(grant)
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.redsync.check(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        if let Some(extending) = self.extending.take() {
            extending.stop.set();
        }
        self.redsync.release(grant).await
    }
}
