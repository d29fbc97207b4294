//! Z1: one ephemeral node is the lock, and everybody waits for that node.
//!
//! The first of all ZooKeeper locks in tutorials. When the node goes, all waiters wake and all but one are
//! too late: the herd effect that the official recipes warn of (`developer/recipes.mdx`). It sends again
//! what it has no answer to. A create whose answer was lost is then refused, because the node is there: the
//! client waits for itself, for as long as its session lives (it could compare the node's owner with its
//! session, and does not). A delete that is sent again may hit the node that somebody else has created
//! meanwhile.

use std::time::Duration;

use picklock_models::zookeeper::Code;
use picklock_sim::env::Env;
use picklock_sim::signal::Bell;

use super::zk_hold::{Sessions, plain_bound};
use crate::client::zookeeper::{Mode, ZkError};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Z1.
pub struct ZkNaiveEphemeral;

impl Algorithm for ZkNaiveEphemeral {
    const NAME: &'static str = "zk-naive-ephemeral";
    const ABOUT: &'static str = "Z1: one ephemeral node; all wait for it to go";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SHOWS_RECORD: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("zk-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(plain_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client(Sessions::new(context))
    }
}

struct Client<E: Env>(Sessions<E>);

impl<E: Env> Client<E> {
    async fn pause(&self) {
        self.0.context.params.pause_before_retry(&self.0.context.env).await;
    }
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let path = self.0.context.key.to_string();
        loop {
            let zk = self.0.present();
            match zk.create(path.clone(), Mode::Ephemeral).await {
                Ok(node) => return Ok(self.0.holding.begin(&node.path, &node.stat)),
                Err(ZkError::Refused(Code::NodeExists)) => {}
                Err(error) if error.is_retryable() => {
                    self.pause().await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let watch = Bell::default();
            match zk.exists(&path, Some(&watch)).await {
                Ok(Some(_)) => watch.rung().await,
                Ok(None) => {}
                Err(error) if error.is_retryable() => self.pause().await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.0.holds(grant).await
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.0.holding.end();
        loop {
            match self.0.last().delete(&self.0.context.key).await {
                Ok(()) => return Ok(true),
                // With the session its node has gone.
                Err(ZkError::NO_NODE | ZkError::SessionExpired { .. }) => return Ok(false),
                Err(error) if error.is_retryable() => self.pause().await,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
