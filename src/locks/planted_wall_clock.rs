//! Planted: the clock of the machine that runs the simulation decides how long a client waits.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use picklock_sim::env::Env;

use super::hold::Tokened;
use super::planted::{Chore, Planted};
use crate::lock::{Algorithm, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// Waits for as long as the real machine's clock says.
pub struct PlantedWallClock;

impl Algorithm for PlantedWallClock {
    const NAME: &'static str = "planted-wall-clock";
    const ABOUT: &'static str = "planted, does not repeat: waits for as long as the real machine's clock says";
    const CLAIMS: &'static [Claim] = &[Claim::ReleaseSafe, Claim::Recovers];

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Planted::new(context, PlantedWallClock)
    }
}

impl Chore for PlantedWallClock {
    #[expect(clippy::disallowed_methods, reason = "the very mistake that must be noticed")]
    async fn run<E: Env>(lock: &mut Tokened<E>) -> Result<(), LockError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanos = now.subsec_millis() % 4;
        lock.server.context.env.sleep(Duration::from_nanos(u64::from(nanos))).await;
        Ok(())
    }
}
