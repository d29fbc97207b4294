//! The algorithm of Curator's locks: a queue of nodes below one path, the oldest of which holds
//! (`recipes/locks/LockInternals.java`, `StandardLockInternalsDriver.java`).
//!
//! 1. Create one's own node, with a random id in its name and a sequence number at its end.
//! 2. List all nodes. Nobody before one's own: the lock is held. One's own is missing: begin anew.
//! 3. Else watch the one just before it, by reading its data, so that a node that is gone leaves no watch.
//!    Wait for the watch to go off, and list again.
//! 4. Give back by deleting the node; if that fails, it is deleted in the background.
//!
//! What a loss of the connection means for the holder Curator leaves to the application: [`LossAt`].

use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::Env;
use picklock_sim::signal::Bell;

use super::zk_hold::{Holding, is_own, plain_bound, timeout_ms};
use crate::client::curator::{ConnectionState, Curator, CuratorSetup, LONGEST_SLEEP, Protection};
use crate::client::zookeeper::{Created, ZkError};
use crate::lock::{Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// When an application gives its lock up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LossAt {
    /// Never: it does not listen.
    Never,
    /// As soon as the connection is lost, as Curator's documentation advises.
    Suspended,
    /// Only when the session is over, as far as the client can know.
    Lost,
}

impl LossAt {
    fn is_reached_in(self, state: ConnectionState) -> bool {
        match self {
            LossAt::Never => false,
            LossAt::Suspended => {
                matches!(state, ConnectionState::Suspended | ConnectionState::Lost)
            }
            LossAt::Lost => state == ConnectionState::Lost,
        }
    }
}

/// A client of Curator's with what its locks share.
pub(super) struct Application<E: Env> {
    pub(super) curator: Curator<E>,
    pub(super) holding: Rc<Holding>,
    loss_at: LossAt,
}

impl<E: Env> Application<E> {
    pub(super) fn new(context: &LockContext<E>, loss_at: LossAt) -> Self {
        let holding = Holding::new(Rc::clone(&context.on_renewal));
        let (holder, pinging) = (Rc::clone(&holding), Rc::clone(&holding));
        let setup = CuratorSetup {
            address: Rc::from(&*context.servers[0]),
            timeout_ms: timeout_ms(&context.params),
            on_state: Box::new(move |state| {
                if loss_at.is_reached_in(state) {
                    holder.lose();
                }
            }),
            on_ping: Rc::new(move |renewal| pinging.ping(renewal)),
        };
        Self { curator: Curator::start(&context.env, setup), holding, loss_at }
    }

    /// The node makes this client the holder. If the connection was lost while the last answer was on its
    /// way, the listener has been told before there was anything to lose.
    pub(super) fn begin(&self, node: &Created) -> Grant {
        let grant = self.holding.begin(&node.path, &node.stat);
        if self.curator.state().is_some_and(|state| self.loss_at.is_reached_in(state)) {
            self.holding.lose();
        }
        grant
    }

    /// Whether the node that made this client the holder is there, and still its own.
    pub(super) async fn holds(&self, grant: &Grant) -> Result<bool, LockError> {
        let Some(record) = grant.record.as_ref().filter(|_| !grant.lost.is_set()) else {
            return Ok(false);
        };
        Ok(self.curator.retrying(async |zk| is_own(zk, &record.key).await).await?)
    }

    /// Gives the lock back by deleting the node that made this client the holder.
    pub(super) async fn release(&self, grant: Grant) -> Result<bool, LockError> {
        self.holding.end();
        let Some(record) = grant.record else { return Ok(false) };
        match self.curator.delete_guaranteed(&record.key).await {
            Ok(()) => Ok(true),
            Err(ZkError::NO_NODE) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// A queue of nodes below one path.
#[derive(Clone)]
pub(super) struct Queue {
    /// The path.
    base: Rc<str>,
    /// What the names of one's own nodes end with, before the number.
    name: &'static str,
    protection: Protection,
    driver: Driver,
}

/// Which of all nodes one's own waits for; `None` if it holds the lock (`LockInternalsDriver.getsTheLock`).
/// Fails if one's own is not among them.
pub(super) type Driver = for<'a> fn(&'a [String], own: &str) -> Result<Option<&'a str>, ZkError>;

impl Queue {
    /// A queue in which one waits for whoever is just before (`StandardLockInternalsDriver`).
    pub(super) fn new(base: Rc<str>, name: &'static str, protection: Protection) -> Self {
        Self { base, name, protection, driver: before_own }
    }

    /// The same with another rule.
    pub(super) fn with(self, driver: Driver) -> Self {
        Self { driver, ..self }
    }

    /// Stands in the queue until one's own node is the first (`attemptLock`).
    ///
    /// # Errors
    /// It was given up: the connection stayed away, or one's own node vanished again and again.
    pub(super) async fn stand<E: Env>(&self, curator: &Curator<E>) -> Result<Created, ZkError> {
        let mut retries = 0;
        loop {
            match self.attempt(curator).await {
                Err(ZkError::NO_NODE) if curator.allow_retry(retries).await => retries += 1,
                result => return result,
            }
        }
    }

    async fn attempt<E: Env>(&self, curator: &Curator<E>) -> Result<Created, ZkError> {
        let Self { base, name, protection, .. } = self;
        let own = curator.create_protected(base, name, *protection).await?;
        match self.wait_until_first(curator, &own.path).await {
            Ok(()) => Ok(own),
            Err(error) => {
                // Nobody waits behind a node that its client has forgotten (`deleteOurPathQuietly`).
                let _ = curator.delete_guaranteed(&own.path).await;
                Err(error)
            }
        }
    }

    /// `internalLockLoop`.
    async fn wait_until_first<E: Env>(
        &self,
        curator: &Curator<E>,
        own: &str,
    ) -> Result<(), ZkError> {
        let own = own.rsplit('/').next().unwrap_or_default();
        loop {
            let names = curator.retrying(async |zk| zk.children(&self.base, None).await).await?;
            let Some(before) = (self.driver)(&names, own)? else { return Ok(()) };
            let path = format!("{}/{before}", self.base);
            let watch = Bell::default();
            match curator.retrying(async |zk| zk.data(&path, Some(&watch)).await).await {
                Ok(_) => watch.rung().await,
                Err(ZkError::NO_NODE) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// `StandardLockInternalsDriver.getsTheLock`, with one that may hold.
fn before_own<'a>(names: &'a [String], own: &str) -> Result<Option<&'a str>, ZkError> {
    predecessor(names, own, &[LOCK_NAME])
}

/// The node just before one's own; `None` if that is the first.
///
/// # Errors
/// One's own is not there.
pub(super) fn predecessor<'a>(
    names: &'a [String],
    own: &str,
    locks: &[&str],
) -> Result<Option<&'a str>, ZkError> {
    Ok(before(names, own, locks)?.max_by_key(|node| sort_key(node, locks)))
}

/// The nodes before one's own. They are in the order of what follows the lock's name in theirs, whichever of
/// `locks` it is.
///
/// # Errors
/// One's own is not there.
pub(super) fn before<'a>(
    names: &'a [String],
    own: &str,
    locks: &[&str],
) -> Result<impl Iterator<Item = &'a str>, ZkError> {
    if !names.iter().any(|other| other == own) {
        return Err(ZkError::NO_NODE);
    }
    Ok(names.iter().map(|node| &**node).filter(|node| sort_key(node, locks) < sort_key(own, locks)))
}

/// `LockInternalsDriver.fixForSorting`.
pub(super) fn sort_key<'a>(node: &'a str, locks: &[&str]) -> &'a str {
    let after = |lock: &&str| node.rfind(*lock).map(|at| &node[at + lock.len()..]);
    locks.iter().find_map(after).unwrap_or(node)
}

/// A lock that is one such queue: Curator's `InterProcessMutex`. Its holder may acquire it again, which only
/// its client counts (`InterProcessMutex.internalLock`): the server is not asked, not even whether the lock is
/// still there.
pub(super) struct Mutex<E: Env> {
    application: Application<E>,
    queue: Queue,
    /// What is held, and how often it was acquired.
    held: Option<(Grant, u32)>,
}

impl<E: Env> Mutex<E> {
    /// The mutex with the present kind of protection.
    pub(super) fn new(context: &LockContext<E>, loss_at: LossAt) -> Self {
        Self::with(context, loss_at, Protection::OwnSession)
    }

    pub(super) fn with(context: &LockContext<E>, loss_at: LossAt, protection: Protection) -> Self {
        let application = Application::new(context, loss_at);
        let queue = Queue::new(Rc::clone(&context.key), LOCK_NAME, protection);
        Self { application, queue, held: None }
    }
}

/// Why a lock was not granted. Whoever was in the queue may still be there, until the background has
/// deleted its node.
pub(super) fn undecided(error: ZkError) -> LockError {
    error.sent_before().into()
}

/// What the names of an `InterProcessMutex`'s nodes end with, before the number.
pub(super) const LOCK_NAME: &str = "lock-";

/// What the documentation of `InterProcessMutex` promises: a mutex, re-entrant and "fair", which is that each
/// gets it "in the order requested (from ZK's point of view)".
pub(super) const CLAIMS: &[Claim] = &[
    Claim::ExclusiveBelief,
    Claim::ReleaseSafe,
    Claim::Recovers,
    Claim::NoStarvation,
    Claim::Reentrant,
    Claim::FairQueue,
];

impl<E: Env> Lock for Mutex<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        if let Some((grant, times)) = &mut self.held {
            *times += 1;
            return Ok(grant.clone());
        }
        let own = self.queue.stand(&self.application.curator).await.map_err(undecided)?;
        let grant = self.application.begin(&own);
        self.held = Some((grant.clone(), 1));
        Ok(grant)
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.application.holds(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        if let Some((_, times @ 2..)) = &mut self.held {
            *times -= 1;
            return Ok(true);
        }
        // Forgotten whatever comes of it (`InterProcessMutex.release`, CURATOR-678).
        self.held = None;
        self.application.release(grant).await
    }
}

/// The bound of a lock of Curator's: that of the plain library, and the longest that the retry policy may
/// sleep just then.
pub(super) fn curator_bound(params: &LockParams) -> Duration {
    plain_bound(params) + LONGEST_SLEEP
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_numbers_decide_and_not_the_ids() {
        let all = names(&["_c_9-lock-0000000002", "_c_1-lock-0000000010", "_c_5-lock-0000000009"]);
        let before = |own| predecessor(&all, own, &[LOCK_NAME]);
        assert_eq!(before("_c_9-lock-0000000002"), Ok(None));
        assert_eq!(before("_c_5-lock-0000000009"), Ok(Some("_c_9-lock-0000000002")));
        assert_eq!(before("_c_1-lock-0000000010"), Ok(Some("_c_5-lock-0000000009")));
    }

    #[test]
    fn who_is_not_in_the_queue_is_told_so() {
        let all = names(&["_c_9-lock-0000000002"]);
        assert_eq!(predecessor(&all, "_c_1-lock-0000000001", &[LOCK_NAME]), Err(ZkError::NO_NODE));
    }

    #[test]
    fn a_node_of_another_kind_is_sorted_by_its_whole_name() {
        let all = names(&["zzz", "_c_1-lock-0000000001", "0"]);
        assert_eq!(predecessor(&all, "_c_1-lock-0000000001", &[LOCK_NAME]), Ok(Some("0")));
    }
}
