//! Z4: Curator's read-write lock (`InterProcessReadWriteLock.java`).
//!
//! Readers and writers stand in one queue, with names that tell them apart. A writer waits for whoever is just
//! before it, a reader for the first writer that is before it: so readers that come together share the lock, and
//! none passes a writer that came earlier. Its holder stops at SUSPENDED, as that of `zk-curator-suspended`. Re-entry,
//! which only clients count, is left out here.

use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::Env;

use super::curator::{
    Application, LossAt, Queue, before, curator_bound, predecessor, sort_key, undecided,
};
use crate::client::curator::Protection;
use crate::client::zookeeper::ZkError;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// What the names of readers' nodes end with, before the number.
const READ_LOCK_NAME: &str = "__READ__";
/// What those of writers' nodes do.
const WRITE_LOCK_NAME: &str = "__WRIT__";
const NAMES: &[&str] = &[READ_LOCK_NAME, WRITE_LOCK_NAME];

/// Z4. Who acquires it writes; who shares it reads.
pub struct ZkRwlock;

impl Algorithm for ZkRwlock {
    const NAME: &'static str = "zk-rwlock";
    const ABOUT: &'static str = "Z4: Curator's lock for readers or one writer; stops at SUSPENDED";
    /// The documentation of the class calls it fair, and so are mutexes of Curator's.
    const CLAIMS: &'static [Claim] = &[
        Claim::ExclusiveBelief,
        Claim::ReadersWriter,
        Claim::ReleaseSafe,
        Claim::Recovers,
        Claim::NoStarvation,
        Claim::FairQueue,
    ];
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SHOWS_RECORD: bool = true;
    const SHARED: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(curator_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let queue = |name| Queue::new(Rc::clone(&context.key), name, Protection::OwnSession);
        RwLock {
            application: Application::new(&context, LossAt::Suspended),
            writers: queue(WRITE_LOCK_NAME).with(before_writer),
            readers: queue(READ_LOCK_NAME).with(before_reader),
        }
    }
}

struct RwLock<E: Env> {
    application: Application<E>,
    writers: Queue,
    readers: Queue,
}

/// `WriteLock`.
fn before_writer<'a>(names: &'a [String], own: &str) -> Result<Option<&'a str>, ZkError> {
    predecessor(names, own, NAMES)
}

/// `ReadLock.getsTheLock`.
fn before_reader<'a>(names: &'a [String], own: &str) -> Result<Option<&'a str>, ZkError> {
    let writers = before(names, own, NAMES)?.filter(|node| node.contains(WRITE_LOCK_NAME));
    Ok(writers.min_by_key(|node| sort_key(node, NAMES)))
}

impl<E: Env> RwLock<E> {
    async fn stand(&self, queue: &Queue) -> Result<Grant, LockError> {
        let own = queue.stand(&self.application.curator).await.map_err(undecided)?;
        Ok(self.application.begin(&own))
    }
}

impl<E: Env> Lock for RwLock<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        self.stand(&self.writers).await
    }

    async fn acquire_shared(&mut self) -> Result<Grant, LockError> {
        self.stand(&self.readers).await
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.application.holds(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.application.release(grant).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_waits_for_anybody_and_a_reader_for_the_first_writer() {
        let all = [
            "_c_9-__READ__0000000001",
            "_c_1-__WRIT__0000000002",
            "_c_5-__WRIT__0000000003",
            "_c_2-__READ__0000000004",
            "_c_7-__READ__0000000005",
            "_c_3-__WRIT__0000000006",
        ];
        let names = all.map(str::to_owned);
        let waits = |place: usize| {
            let own = all[place];
            let driver = if own.contains("READ") { before_reader } else { before_writer };
            driver(&names, own).map(|before| before.and_then(|node| all.iter().position(|n| *n == node)))
        };
        assert_eq!(waits(0), Ok(None));
        assert_eq!(waits(1), Ok(Some(0)));
        assert_eq!(waits(2), Ok(Some(1)));
        assert_eq!(waits(3), Ok(Some(1)));
        assert_eq!(waits(4), Ok(Some(1)));
        assert_eq!(waits(5), Ok(Some(4)));
        let stranger = before_reader(&names, "_c_4-__READ__0000000007");
        assert_eq!(stranger, Err(ZkError::NO_NODE));
    }
}
