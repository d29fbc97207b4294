//! E2b: E2 as it was in etcd 3.4.3 and in all of 3.4. A waiter whose session died while it waited is let in all the same
//! (etcd#11456, S13). It is told of the dead session at once, so a worker that looks at `Session.Done` stops
//! before it writes; [`super::etcd_mutex_343_silent`] does not look.

use std::time::Duration;

use picklock_sim::env::Env;

use super::etcd_hold::session_bound;
use super::etcd_mutex::{CLAIMS, Form, Mutex};
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E2b, E2 without the look at its own key.
pub struct EtcdMutex343;

impl Algorithm for EtcdMutex343 {
    const NAME: &'static str = "etcd-mutex-343";
    const ABOUT: &'static str = "E2b: etcd-mutex of 3.4.3, which never looks at its own key again";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const FENCED_TWIN: Option<&'static str> = Some("etcd-mutex-fenced");
    const STORE: StoreKind = StoreKind::Etcd;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::new(context, Form { looks_again: false, ..Form::NOW })
    }
}
