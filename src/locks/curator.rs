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
    /// What the names of the nodes end with, before the number.
    name: &'static str,
    protection: Protection,
}

impl Queue {
    pub(super) fn new(base: Rc<str>, name: &'static str, protection: Protection) -> Self {
        Self { base, name, protection }
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
        let Self { base, name, protection } = self;
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
            let Some(before) = predecessor(&names, own, self.name)? else { return Ok(()) };
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

/// The node just before one's own; `None` if that is the first. They are in the order of what follows the
/// lock's name in theirs.
///
/// # Errors
/// One's own is not there.
fn predecessor<'a>(names: &'a [String], own: &str, name: &str) -> Result<Option<&'a str>, ZkError> {
    if !names.iter().any(|other| other == own) {
        return Err(ZkError::NO_NODE);
    }
    let place = |node: &'a str| sort_key(node, name);
    let before = names.iter().map(|node| &**node).filter(|node| place(node) < sort_key(own, name));
    Ok(before.max_by_key(|node| place(node)))
}

/// `LockInternalsSorter.fixForSorting`.
fn sort_key<'a>(node: &'a str, name: &str) -> &'a str {
    node.rfind(name).map_or(node, |at| &node[at + name.len()..])
}

/// A lock that is one such queue: Curator's `InterProcessMutex`.
pub(super) struct Mutex<E: Env> {
    application: Application<E>,
    queue: Queue,
}

impl<E: Env> Mutex<E> {
    /// The mutex with the names that Curator gives its nodes, and the present kind of protection.
    pub(super) fn new(context: &LockContext<E>, loss_at: LossAt) -> Self {
        Self::named(context, loss_at, LOCK_NAME, Protection::OwnSession)
    }

    pub(super) fn named(
        context: &LockContext<E>,
        loss_at: LossAt,
        name: &'static str,
        protection: Protection,
    ) -> Self {
        let application = Application::new(context, loss_at);
        Self { application, queue: Queue::new(Rc::clone(&context.key), name, protection) }
    }
}

/// Why a lock was not granted. Whoever was in the queue may still be there, until the background has
/// deleted its node.
pub(super) fn undecided(error: ZkError) -> LockError {
    error.sent_before().into()
}

/// What the names of an `InterProcessMutex`'s nodes end with, before the number.
pub(super) const LOCK_NAME: &str = "lock-";

impl<E: Env> Lock for Mutex<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let own = self.queue.stand(&self.application.curator).await.map_err(undecided)?;
        Ok(self.application.begin(&own))
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.application.holds(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
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
        let before = |own| predecessor(&all, own, LOCK_NAME);
        assert_eq!(before("_c_9-lock-0000000002"), Ok(None));
        assert_eq!(before("_c_5-lock-0000000009"), Ok(Some("_c_9-lock-0000000002")));
        assert_eq!(before("_c_1-lock-0000000010"), Ok(Some("_c_5-lock-0000000009")));
    }

    #[test]
    fn who_is_not_in_the_queue_is_told_so() {
        let all = names(&["_c_9-lock-0000000002"]);
        assert_eq!(predecessor(&all, "_c_1-lock-0000000001", LOCK_NAME), Err(ZkError::NO_NODE));
    }

    #[test]
    fn a_node_of_another_kind_is_sorted_by_its_whole_name() {
        let all = names(&["zzz", "_c_1-lock-0000000001", "0"]);
        assert_eq!(predecessor(&all, "_c_1-lock-0000000001", LOCK_NAME), Ok(Some("0")));
    }
}
