//! Z3l before Curator 4.2: its protected create adopts a node that will end with an older session
//! (CURATOR-498).
//!
//! The answer to the create is lost, and so is the session; the next session finds the node by its id before
//! the server has ended the old one, and the client believes that it holds the lock. Then the old session
//! ends, and its node with it.

use std::time::Duration;

use picklock_sim::env::Env;

use super::curator::{CLAIMS, LossAt, Mutex, curator_bound};
use crate::client::curator::Protection;
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z3 before 4.2.
pub struct ZkCurator498;

impl Algorithm for ZkCurator498 {
    const NAME: &'static str = "zk-curator-498";
    const ABOUT: &'static str = "Z3l before Curator 4.2: it adopts a node that ends with an older session";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const REENTRANT: bool = true;
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SHOWS_RECORD: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(curator_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::with(&context, LossAt::Lost, Protection::AnySession)
    }
}
