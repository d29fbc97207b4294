//! Planted: the order of a hash map with random keys decides which of two records is looked at first.

#[expect(clippy::disallowed_types, reason = "the very mistake that must be noticed")]
use std::collections::HashMap;
use std::time::Duration;

use picklock_sim::env::Env;

use super::hold::Tokened;
use super::planted::{Chore, Planted};
use crate::lock::{Algorithm, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// Looks at two records in the order of a hash map.
pub struct PlantedHashOrder;

impl Algorithm for PlantedHashOrder {
    const NAME: &'static str = "planted-hash-order";
    const ABOUT: &'static str = "planted, does not repeat: looks at two records in the order of a hash map";
    const CLAIMS: &'static [Claim] = &[Claim::ReleaseSafe, Claim::Recovers];

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Planted::new(context, PlantedHashOrder)
    }
}

impl Chore for PlantedHashOrder {
    #[expect(clippy::disallowed_types, reason = "the very mistake that must be noticed")]
    async fn run<E: Env>(lock: &mut Tokened<E>) -> Result<(), LockError> {
        let context = &lock.server.context;
        let records = [(context.key.clone(), "lock"), (context.fence_key.clone(), "fence")];
        let records: HashMap<_, _> = records.into_iter().collect();
        for record in records.keys() {
            lock.server.client.call(&[b"GET", record.as_bytes()]).await?;
        }
        Ok(())
    }
}
