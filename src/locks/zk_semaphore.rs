//! Z5: Curator's semaphore (`InterProcessSemaphoreV2.java`) with one permit.
//!
//! A mutex inside decides whose turn it is to come in. Its holder creates a node among the leases and waits,
//! with the mutex still in hands, until there are no more leases than permits; then it lets go of the
//! mutex. How many permits there are, the clients have to agree on by themselves. Its holder stops at
//! SUSPENDED, as that of `zk-curator-suspended`.

use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::Env;
use picklock_sim::signal::Bell;

use super::curator::{Application, LOCK_NAME, LossAt, Queue, curator_bound, undecided};
use crate::client::curator::Protection;
use crate::client::zookeeper::{Created, ZkError};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z5, with one permit.
pub struct ZkSemaphore;

impl Algorithm for ZkSemaphore {
    const NAME: &'static str = "zk-semaphore";
    const ABOUT: &'static str = "Z5: Curator's semaphore with one permit; stops at SUSPENDED";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers, Claim::NoStarvation];
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const HOLDERS: &'static str = "/leases";
    const SHOWS_RECORD: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(curator_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let mutex = Rc::from(format!("{}/locks", context.key));
        Client {
            application: Application::new(&context, LossAt::Suspended),
            mutex: Queue::new(mutex, LOCK_NAME, Protection::OwnSession),
            leases: format!("{}/leases", context.key),
        }
    }
}

/// What the names of leases end with, before the number.
const LEASE_NAME: &str = "lease-";
/// How many may have one.
const PERMITS: usize = 1;

struct Client<E: Env> {
    application: Application<E>,
    mutex: Queue,
    /// The path below which the leases are.
    leases: String,
}

impl<E: Env> Client<E> {
    /// `internalAcquire1Lease`. The mutex is given back whatever comes of it; if that fails, the library
    /// forgets the lease that it may have taken, which then stays until the session ends.
    async fn come_in(&self) -> Result<Created, ZkError> {
        let curator = &self.application.curator;
        let turn = self.mutex.stand(curator).await?;
        let lease = self.take_lease().await;
        match curator.delete_guaranteed(&turn.path).await {
            Ok(()) | Err(ZkError::NO_NODE) => lease,
            Err(error) => Err(error),
        }
    }

    async fn take_lease(&self) -> Result<Created, ZkError> {
        let curator = &self.application.curator;
        let lease =
            curator.create_protected(&self.leases, LEASE_NAME, Protection::OwnSession).await?;
        let waited = self.wait_for_permit(&lease.path).await;
        if waited.is_err() {
            // A lease that is not used must not take a permit (`returnLease`).
            let _ = curator.delete_guaranteed(&lease.path).await;
        }
        waited.map(|()| lease)
    }

    async fn wait_for_permit(&self, own: &str) -> Result<(), ZkError> {
        let own = own.rsplit('/').next().unwrap_or_default();
        loop {
            let watch = Bell::default();
            let list = self.application.curator.retrying(async |zk| {
                zk.children(&self.leases, Some(&watch)).await
            });
            let names = list.await?;
            if !names.iter().any(|name| name == own) {
                return Err(ZkError::NO_NODE);
            }
            if names.len() <= PERMITS {
                return Ok(());
            }
            watch.rung().await;
        }
    }
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let mut retries = 0;
        loop {
            match self.come_in().await {
                Ok(lease) => return Ok(self.application.begin(&lease)),
                // The own node has vanished, as it does with its session.
                Err(ZkError::NO_NODE) if self.application.curator.allow_retry(retries).await => {
                    retries += 1;
                }
                Err(error) => return Err(undecided(error)),
            }
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.application.holds(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.application.release(grant).await
    }
}
