//! Z6b: Curator's mutex whose grants carry the sequence number of the holder's node as a fencing token.
//!
//! The number is at hand, it is in the name. But the server counts it in the parent, which Curator makes a
//! *container*: when it has been empty for a while the server deletes it, and the next number is 0
//! again (`ContainerManager.java`; the comment at `LockInternals.clean` knows).

use std::time::Duration;

use picklock_sim::env::Env;

use super::curator::{LossAt, Mutex, curator_bound};
use super::zk_fenced::Fenced;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z6b.
pub struct ZkFencedSequence;

impl Algorithm for ZkFencedSequence {
    const NAME: &'static str = "zk-fenced-sequence";
    const ABOUT: &'static str = "Z6b: zk-curator-lost, fenced by its node's sequence number";
    /// What whoever builds it believes; see `zk-fenced` for one that keeps it.
    const CLAIMS: &'static [Claim] = &[
        Claim::FenceMonotonic,
        Claim::ReleaseSafe,
        Claim::Recovers,
        Claim::NoStarvation,
        Claim::Reentrant,
        Claim::FairQueue,
    ];
    const REENTRANT: bool = true;
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const FENCED: bool = true;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(curator_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Fenced { mutex: Mutex::new(&context, LossAt::Lost), token_of: sequence_number }
    }
}

fn sequence_number(grant: &Grant) -> Option<u64> {
    grant.record.as_ref()?.key.rsplit('-').next()?.parse().ok()
}
