//! A lock that looks before it puts, in two requests: what people write who do not know `Txn`.
//!
//! Between the look and the put there is a way through the network, and a second client comes through it.
//! Here as the control of those that compare and put at once. The release deletes the key, whoever has put
//! it last.

use std::time::Duration;

use bytes::Bytes;
use picklock_sim::env::Env;

use super::etcd_hold::{Program, session_bound};
use crate::client::etcd::{request, revision};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Get, then put.
pub struct EtcdGetThenPut;

impl Algorithm for EtcdGetThenPut {
    const NAME: &'static str = "etcd-get-then-put";
    const ABOUT: &'static str = "wrong: get the key, put it if it is not there, delete it";
    /// What who writes it believes.
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const STORE: StoreKind = StoreKind::Etcd;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let key = Bytes::copy_from_slice(context.key.as_bytes());
        GetThenPut { program: Program::new(context), key }
    }
}

struct GetThenPut<E: Env> {
    program: Program<E>,
    key: Bytes,
}

impl<E: Env> Lock for GetThenPut<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let (lease, done) = self.program.session().await?;
        let key = self.key.clone();
        loop {
            let found = self.program.client.range(&request::get(&key)).await?;
            if found.kvs.is_empty() {
                break;
            }
            self.program.client.wait_delete(&key, revision(found.header) + 1).await?;
        }
        let put = request::put(&key, format!("{lease:x}"), lease);
        if let Err(error) = self.program.client.put(&put).await {
            return Err(self.program.heed(error));
        }
        self.program.begin();
        Ok(Grant { lost: done, ..Grant::default() })
    }

    /// Whether the key is there; whose it is, nobody looks.
    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        let found = self.program.client.range(&request::get(&self.key)).await?;
        Ok(!grant.lost.is_set() && !found.kvs.is_empty())
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.program.end();
        Ok(self.program.delete(&self.key).await?)
    }
}
