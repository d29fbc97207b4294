//! Planted: an unbiased `select!` of two things that are both ready decides whether a client asks
//! first. tokio draws from a generator of the thread, which the operating system has seeded.

use std::future::ready;
use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::Tokened;
use super::planted::{Chore, Planted};
use crate::lock::{Algorithm, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// Asks the server first if an unbiased select says so.
pub struct PlantedSelect;

impl Algorithm for PlantedSelect {
    const NAME: &'static str = "planted-select";
    const ABOUT: &'static str = "planted, does not repeat: asks the server first if an unbiased select says so";
    const CLAIMS: &'static [Claim] = &[Claim::ReleaseSafe, Claim::Recovers];

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Planted::new(context, PlantedSelect)
    }
}

impl Chore for PlantedSelect {
    async fn run<E: Env>(lock: &mut Tokened<E>) -> Result<(), LockError> {
        let asks_first = tokio::select! {
            () = ready(()) => true,
            () = ready(()) => false,
        };
        if asks_first {
            lock.server.client.call(&[b"PING"]).await?;
        }
        Ok(())
    }
}
