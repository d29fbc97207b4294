//! E4: E2 whose grants carry the create revision of their key as a fencing token: it only grows, and waiters
//! are served in its order (etcd `contrib/lock`; `learning/why.md` asks users to compare revisions).

use std::time::Duration;

use picklock_sim::env::Env;

use super::etcd_hold::session_bound;
use super::etcd_mutex::{Form, Mutex};
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E4, E2 with fencing tokens.
pub struct EtcdMutexFenced;

impl Algorithm for EtcdMutexFenced {
    const NAME: &'static str = "etcd-mutex-fenced";
    const ABOUT: &'static str = "E4: etcd-mutex, its key's create revision is the fencing token";
    const CLAIMS: &'static [Claim] = &[
        Claim::FenceMonotonic,
        Claim::ReleaseSafe,
        Claim::Recovers,
        Claim::NoStarvation,
        Claim::FairQueue,
    ];
    const FENCED: bool = true;
    const STORE: StoreKind = StoreKind::Etcd;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::new(context, Form { fenced: true, ..Form::NOW })
    }
}
