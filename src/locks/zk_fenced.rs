//! Z6a: Curator's mutex whose grants carry a fencing token: the number of the transaction that created the
//! holder's node (`Stat.czxid`).
//!
//! Transactions are numbered in one order, also over a change of leader, and the queue is in the order of
//! its nodes' creation: so tokens grow from grant to grant. The holder stops at LOST, the latest of all:
//! fencing has to bear with it.

use std::time::Duration;

use picklock_sim::env::Env;

use super::curator::{LossAt, Mutex, curator_bound};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z6a.
pub struct ZkFenced;

impl Algorithm for ZkFenced {
    const NAME: &'static str = "zk-fenced";
    const ABOUT: &'static str = "Z6a: zk-curator-lost, fenced by its node's creating transaction";
    /// Not exclusion: a fenced lock promises that the resource survives an overlap.
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
        Fenced { mutex: Mutex::new(&context, LossAt::Lost), token_of: creating_transaction }
    }
}

fn creating_transaction(grant: &Grant) -> Option<u64> {
    u64::try_from(grant.record.as_ref()?.created).ok()
}

/// A mutex with a way to make a token of a grant.
pub(super) struct Fenced<E: Env> {
    pub(super) mutex: Mutex<E>,
    pub(super) token_of: fn(&Grant) -> Option<u64>,
}

impl<E: Env> Lock for Fenced<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let grant = self.mutex.acquire().await?;
        Ok(Grant { token: (self.token_of)(&grant), ..grant })
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.mutex.check(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.mutex.release(grant).await
    }
}
