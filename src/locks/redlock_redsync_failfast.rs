//! R14 with the option `WithFailFast`: an attempt ends as soon as more than half have said yes or have refused.
//!
//! The requests that are then still under way are given up with the context of the attempt, so the record may
//! come to a server that is slow after a release has been there, and is stranded for a lease. Servers that fail
//! to answer do not count against it: with more than half of them out of reach an attempt takes its time limit.
//!
//! Source: go-redsync/redsync `mutex.go` (`actOnPoolsAsync`), `redsync.go` (`WithFailFast`).

use std::time::Duration;

use picklock_sim::env::Env;

use super::redlock_redsync::{Redsync, recovery_bound};
use crate::lock::{Algorithm, Lock, LockContext, LockParams, Servers};
use crate::terms::Claim;

/// R14, fail-fast.
pub struct RedlockRedsyncFailfast;

impl Algorithm for RedlockRedsyncFailfast {
    const NAME: &'static str = "redlock-redsync-failfast";
    const ABOUT: &'static str = "R14: redlock-redsync that stops asking when more than half agree";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Redsync::new(context, Redsync::<E>::FAIL_FAST)
    }
}
