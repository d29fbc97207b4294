//! E2n: E2 in a program that never looks at `Session.Done`, as Jepsen's test of 3.4.3 is one (S12): a worker
//! whose session died works on for as long as it likes.

use std::time::Duration;

use picklock_sim::env::Env;

use super::etcd_hold::session_bound;
use super::etcd_mutex::{CLAIMS, Form, Mutex};
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E2n, E2 telling nobody of a lost session.
pub struct EtcdMutexSilent;

impl Algorithm for EtcdMutexSilent {
    const NAME: &'static str = "etcd-mutex-silent";
    const ABOUT: &'static str = "E2n: etcd-mutex, but nobody looks at Session.Done";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const FENCED_TWIN: Option<&'static str> = Some("etcd-mutex-fenced");
    const STORE: StoreKind = StoreKind::Etcd;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::new(context, Form { telling: false, ..Form::NOW })
    }
}
