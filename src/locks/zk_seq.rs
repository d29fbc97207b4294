//! Z2: Apache ZooKeeper's own recipe code, `WriteLock` (`zookeeper-recipes-lock`), with its two defects.
//!
//! Sequential nodes whose names begin with `x-<session>-`; the oldest holds, everybody watches the node just
//! before the own one. But:
//! - The list and the watch are two requests. If the node before the own one goes in between, the attempt ends
//!   with "not the owner", and nobody is left to wake it but the next change of the connection.
//! - After a lost connection it finds its own node by the session in its name, and then keeps the *name*
//!   where it needs a path. In the order of nodes that own name comes behind the own path: it waits for
//!   itself, for as long as the session lives.
//!
//! A program that uses it waits to be called back; here that is the wait for the watch.

use std::time::Duration;

use picklock_sim::env::Env;
use picklock_sim::signal::Bell;

use super::zk_hold::{Sessions, plain_bound};
use crate::client::zookeeper::{Created, Mode, ZkError, ZkHandle};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z2.
pub struct ZkSeq;

impl Algorithm for ZkSeq {
    const NAME: &'static str = "zk-seq";
    const ABOUT: &'static str = "Z2: ZooKeeper's own WriteLock recipe, which can miss its wake-up";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SHOWS_RECORD: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(plain_bound(params) + LONGEST_RETRY_DELAY)
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client { sessions: Sessions::new(context), own: None }
    }
}

/// How often an attempt is made while connections are lost (`ProtocolSupport.RETRY_COUNT`), and the pause
/// before attempt number n+1: n times this (`retryDelay`).
const ATTEMPTS: u32 = 10;
const RETRY_DELAY: Duration = Duration::from_millis(500);
const LONGEST_RETRY_DELAY: Duration = Duration::from_millis(500 * (ATTEMPTS as u64 - 1));

struct Client<E: Env> {
    sessions: Sessions<E>,
    own: Option<Own>,
}

/// The own node, as far as the recipe knows it (`WriteLock.id`).
enum Own {
    /// It was created just now.
    Node(Created),
    /// It was found again: this is its name, and not its path.
    Name(String),
}

impl Own {
    fn id(&self) -> &str {
        match self {
            Own::Node(node) => &node.path,
            Own::Name(name) => name,
        }
    }
}

/// What an attempt came to.
enum Attempt {
    /// The own node is the first.
    Owner(Created),
    /// Another one is before it; this is rung when it goes, or is not.
    NotOwner(Bell),
}

impl<E: Env> Client<E> {
    /// `retryOperation`.
    async fn lock(&mut self) -> Result<Attempt, ZkError> {
        if self.sessions.last().is_over() {
            self.own = None;
        }
        let zk = self.sessions.present();
        let mut failed = 0;
        loop {
            match self.attempt(&zk).await {
                Err(ZkError::ConnectionLoss { .. }) if failed + 1 < ATTEMPTS => {
                    self.sessions.context.env.sleep(RETRY_DELAY * failed).await;
                    failed += 1;
                }
                result => return result,
            }
        }
    }

    /// `ensurePathExists`, and then `LockZooKeeperOperation.execute`.
    async fn attempt(&mut self, zk: &ZkHandle) -> Result<Attempt, ZkError> {
        let dir = self.sessions.context.key.to_string();
        if zk.exists(&dir, None).await?.is_none() {
            // Whether somebody else was faster shows when the own node is created.
            match zk.create(dir.clone(), Mode::Persistent).await {
                Ok(_) | Err(ZkError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let own = match &mut self.own {
            Some(own) => own,
            none => none.insert(find_or_create(zk, &dir).await?),
        };
        let names = zk.children(&dir, None).await?;
        let mut paths: Vec<String> = names.iter().map(|name| format!("{dir}/{name}")).collect();
        paths.sort_by(|a, b| Place::of(a).cmp(&Place::of(b)));
        let before = paths.iter().rev().find(|path| Place::of(path) < Place::of(own.id()));
        let Some(before) = before else {
            return Ok(match own {
                Own::Node(node) if paths.first() == Some(&node.path) => {
                    Attempt::Owner(node.clone())
                }
                _ => Attempt::NotOwner(Bell::default()),
            });
        };
        let watch = Bell::default();
        zk.exists(before, Some(&watch)).await?;
        // If it is not there any more, nothing is done about it.
        Ok(Attempt::NotOwner(watch))
    }
}

/// `findPrefixInChildren`.
async fn find_or_create(zk: &ZkHandle, dir: &str) -> Result<Own, ZkError> {
    let prefix = format!("x-{}-", zk.session().0);
    let names = zk.children(dir, None).await?;
    if let Some(name) = names.into_iter().find(|name| name.starts_with(&prefix)) {
        return Ok(Own::Name(name));
    }
    let created = zk.create(format!("{dir}/{prefix}"), Mode::EphemeralSequential).await?;
    Ok(Own::Node(created))
}

/// The order of nodes: by their numbers, then by what comes before them (`ZNodeName.compareTo`).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    /// Beyond all numbers for a node without one.
    number: i64,
    prefix: &'a str,
}

impl<'a> Place<'a> {
    /// Where a node with this name, or path, stands.
    fn of(name: &'a str) -> Self {
        let (prefix, number) = name.rsplit_once('-').unwrap_or((name, ""));
        Self { number: number.parse::<i32>().map_or(i64::MAX, i64::from), prefix }
    }
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        loop {
            // Its node may be there, and stay.
            match self.lock().await.map_err(ZkError::sent_before)? {
                Attempt::Owner(node) => return Ok(self.sessions.holding.begin(&node.path, &node.stat)),
                Attempt::NotOwner(watch) => watch.rung().await,
            }
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.sessions.holds(grant).await
    }

    /// `unlock`: one delete, and the node is forgotten whatever comes of it.
    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.sessions.holding.end();
        let Some(own) = self.own.take() else { return Ok(false) };
        match self.sessions.last().delete(own.id()).await {
            Ok(()) => Ok(true),
            Err(ZkError::NO_NODE) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_first() {
        assert!(Place::of("/lock/x-9-0000000002") < Place::of("/lock/x-1-0000000010"));
        assert!(Place::of("/lock/x-1-0000000002") < Place::of("/lock/x-9-0000000002"));
    }

    #[test]
    fn a_bare_name_stands_behind_its_own_path() {
        assert!(Place::of("/lock/x-9-0000000002") < Place::of("x-9-0000000002"));
    }
}
