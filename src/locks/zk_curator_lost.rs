//! Z3l: Curator's mutex in a program that works on until the session is lost.
//!
//! Without a connection Curator counts the session's timeout from the moment at which the connection was
//! lost, and the server from the last word that it heard: two thirds earlier. Meanwhile somebody else may
//! have been granted the lock (CURATOR-460; Curator's own Tech Note 14).

use std::time::Duration;

use picklock_sim::env::Env;

use super::curator::{CLAIMS, LossAt, Mutex, curator_bound};
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z3, stopping when the session is lost.
pub struct ZkCuratorLost;

impl Algorithm for ZkCuratorLost {
    const NAME: &'static str = "zk-curator-lost";
    const ABOUT: &'static str = "Z3l: Curator's mutex; its holder stops at LOST";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const REENTRANT: bool = true;
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SHOWS_RECORD: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(curator_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::new(&context, LossAt::Lost)
    }
}
