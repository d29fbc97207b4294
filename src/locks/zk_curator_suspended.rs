//! Z3s: Curator's mutex in a program that stops work when the connection is lost.
//!
//! The connection counts as lost two thirds of a session's timeout after the last word from the server, which
//! keeps the session for a whole one: in between nobody else can have been granted the lock, as long as
//! the process is awake to hear of it and its clock is not slower than the server's by a third.

use std::time::Duration;

use picklock_sim::env::Env;

use super::curator::{CLAIMS, LossAt, Mutex, curator_bound};
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z3, stopping when the connection is lost.
pub struct ZkCuratorSuspended;

impl Algorithm for ZkCuratorSuspended {
    const NAME: &'static str = "zk-curator-suspended";
    const ABOUT: &'static str = "Z3s: Curator's mutex; its holder stops at SUSPENDED";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const REENTRANT: bool = true;
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SHOWS_RECORD: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(curator_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::new(&context, LossAt::Suspended)
    }
}
