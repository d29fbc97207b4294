//! Z4: the write lock of Curator's read-write lock (`InterProcessReadWriteLock.java`).
//!
//! Readers and writers stand in one queue, with names that tell them apart. A writer waits for whoever is
//! just before it, so among writers it is the mutex under another name; no client of a run takes it for
//! reading. Its holder stops at SUSPENDED, as that of `zk-curator-suspended`.

use std::time::Duration;

use picklock_sim::env::Env;

use super::curator::{LossAt, Mutex, curator_bound};
use crate::client::curator::Protection;
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// What the names of writers' nodes end with, before the number.
const WRITE_LOCK_NAME: &str = "__WRIT__";

/// Z4, for writing.
pub struct ZkRwlock;

impl Algorithm for ZkRwlock {
    const NAME: &'static str = "zk-rwlock";
    const ABOUT: &'static str = "Z4: Curator's read-write lock, taken for writing; stops at SUSPENDED";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers, Claim::NoStarvation];
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SHOWS_RECORD: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(curator_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::named(&context, LossAt::Suspended, WRITE_LOCK_NAME, Protection::OwnSession)
    }
}
