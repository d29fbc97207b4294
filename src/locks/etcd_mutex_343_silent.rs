//! E2b in a program that never looks at `Session.Done`: what Jepsen tested in 2020 (S12). Beside E2n it shows
//! what the missing look at the own key alone does to the guarded data.

use std::time::Duration;

use picklock_sim::env::Env;

use super::etcd_hold::session_bound;
use super::etcd_mutex::{CLAIMS, Form, Mutex};
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E2b, telling nobody of a lost session.
pub struct EtcdMutex343Silent;

impl Algorithm for EtcdMutex343Silent {
    const NAME: &'static str = "etcd-mutex-343-silent";
    const ABOUT: &'static str = "E2b+n: etcd-mutex-343, and nobody looks at Session.Done";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const FENCED_TWIN: Option<&'static str> = Some("etcd-mutex-fenced");
    const STORE: StoreKind = StoreKind::Etcd;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::new(context, Form { looks_again: false, telling: false, ..Form::NOW })
    }
}
