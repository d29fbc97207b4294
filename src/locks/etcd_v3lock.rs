//! E5: E2's queue inside the server: one call takes the lock, another gives it back.
//!
//! Source: etcd `server/etcdserver/api/v3lock/lock.go`, called with lease 0 as its documentation shows it. The
//! server then makes a lease of 60 s and keeps it alive for nobody: work that takes longer loses the lock
//! without any fault (S33), and an answer that is lost leaves a key at the head of the queue for a minute. The
//! client has no session, so there is nothing that could tell its worker.

use std::time::Duration;

use bytes::Bytes;
use picklock_sim::env::Env;

use super::etcd_hold::leased_bound;
use super::etcd_mutex::CLAIMS;
use crate::client::etcd::{Client, request};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// The lease of a call that brings none (`concurrency/session.go` `defaultSessionTTL`).
const LEASE: Duration = Duration::from_secs(60);

/// E5.
pub struct EtcdV3Lock;

impl Algorithm for EtcdV3Lock {
    const NAME: &'static str = "etcd-v3lock";
    const ABOUT: &'static str = "E5: the server's Lock call without a lease of one's own: 60 s";
    /// "Lock acquires a distributed shared lock on a given named lock", says `v3lock.proto`, and that the key
    /// exists for as long as the caller owns it; its queue is E2's.
    const CLAIMS: &'static [Claim] = CLAIMS;
    const STORE: StoreKind = StoreKind::Etcd;

    /// The lease is always the server's own, whatever lease the plan is about.
    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(leased_bound(LEASE, params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let time_limit = context.params.request_timeout();
        let client = Client::new(context.env.clone(), &context.servers[0], time_limit);
        let name = Bytes::copy_from_slice(context.key.as_bytes());
        V3Lock { client, name, key: Bytes::new() }
    }
}

struct V3Lock<E: Env> {
    client: Client<E>,
    name: Bytes,
    /// The key of the present grant, as the server has named it.
    key: Bytes,
}

impl<E: Env> Lock for V3Lock<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        self.key = self.client.lock(&self.name, 0).await?.key;
        Ok(Grant::default())
    }

    /// Whether the key is there: its name holds a lease that no other call ever had.
    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        Ok(!self.client.range(&request::get(&self.key)).await?.kvs.is_empty())
    }

    /// The server does not say whether there was something to give up.
    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.client.unlock(&self.key).await?;
        Ok(true)
    }
}
