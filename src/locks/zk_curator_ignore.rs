//! Z3i: Curator's mutex in a program that does not listen to the state of the connection.
//!
//! The holder goes on for as long as it works, whatever became of its session: the mutex by itself never
//! takes back what it has granted (`InterProcessMutex.isAcquiredInThisProcess` keeps saying yes).

use std::time::Duration;

use picklock_sim::env::Env;

use super::curator::{CLAIMS, LossAt, Mutex, curator_bound};
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z3, deaf to the connection.
pub struct ZkCuratorIgnore;

impl Algorithm for ZkCuratorIgnore {
    const NAME: &'static str = "zk-curator-ignore";
    const ABOUT: &'static str = "Z3i: Curator's mutex; nobody listens to the connection";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const REENTRANT: bool = true;
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SHOWS_RECORD: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(curator_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::new(&context, LossAt::Never)
    }
}
