//! E3: E2's queue, used as an election: campaign, lead, resign.
//!
//! Source: etcd `client/v3/concurrency/election.go`. Unlike the mutex it never looks whether the own key is
//! still there after waiting, up to now (etcd#19597, S14): a candidate whose session died meanwhile comes back
//! as a leader. A campaign that fails leaves its key in the queue (etcd#21128); the next one of the same
//! session finds it there.

use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::request_op::Request;
use picklock_sim::env::Env;

use super::etcd_hold::{Own, Program, key_of, prefix_of, session_bound};
use super::etcd_mutex::CLAIMS;
use crate::client::etcd::{CallError, request, revision};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E3.
pub struct EtcdElection;

impl Algorithm for EtcdElection {
    const NAME: &'static str = "etcd-election";
    const ABOUT: &'static str = "E3: concurrency.Election; a leader whose session is lost is told";
    /// "Only one can be the leader at a time", says the documentation of `Campaign`.
    const CLAIMS: &'static [Claim] = CLAIMS;
    const FENCED_TWIN: Option<&'static str> = Some("etcd-mutex-fenced");
    const STORE: StoreKind = StoreKind::Etcd;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let prefix = prefix_of(&context.key);
        // Every campaign of a client has the same value, so there is never another one to proclaim.
        let value = format!("{:016x}", context.env.random());
        let own = Own { key: prefix.clone(), revision: 0 };
        Election { program: Program::new(context), prefix, value: value.into(), own }
    }
}

struct Election<E: Env> {
    program: Program<E>,
    prefix: Bytes,
    value: Bytes,
    /// The key of the present candidacy.
    own: Own,
}

impl<E: Env> Election<E> {
    async fn campaign(&mut self, lease: i64) -> Result<(), CallError> {
        let key = key_of(&self.prefix, lease);
        let txn = request::txn(
            request::created_at(&key, 0),
            [Request::RequestPut(request::put(&key, self.value.clone(), lease))],
            [Request::RequestRange(request::get(&key))],
        );
        let response = self.program.client.txn(&txn).await?;
        let found = request::read_at(&response, 0).and_then(|read| read.kvs.first());
        let revision = found.map_or_else(|| revision(response.header), |kv| kv.create_revision);
        self.own = Own { key, revision };
        self.program.wait_deletes(&self.prefix, revision - 1).await
    }
}

impl<E: Env> Lock for Election<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let (lease, done) = self.program.session().await?;
        match self.campaign(lease).await {
            Ok(()) => {
                self.program.begin();
                Ok(self.own.grant(done))
            }
            Err(error) => Err(self.program.heed(error)),
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(!grant.lost.is_set() && self.program.is_there(&self.own).await?)
    }

    /// Resigns.
    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.program.end();
        let Own { key, revision } = &self.own;
        let condition = request::created_at(key, *revision);
        let delete = Request::RequestDeleteRange(request::delete(key));
        let txn = request::txn(condition, [delete], []);
        Ok(self.program.client.txn(&txn).await?.succeeded)
    }
}
