//! E1: one key that is created if it is not there, with a lease of this attempt; whoever finds it waits for
//! its deletion and tries again.
//!
//! The form that clients without a recipe have (npm's etcd3, python-etcd3 and many a blog). All waiters wake
//! at once. The release revokes the lease, which takes the key with it and nothing else.

use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::Code;
use picklock_models::etcd::pb::etcdserverpb::request_op::Request;
use picklock_sim::env::Env;

use super::etcd_hold::{Own, Program, session_bound};
use crate::client::etcd::{CallError, Session, request, revision};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E1.
pub struct EtcdTxnLease;

impl Algorithm for EtcdTxnLease {
    const NAME: &'static str = "etcd-txn-lease";
    const ABOUT: &'static str = "E1: create one key with a lease, else watch it; revoke the lease";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const STORE: StoreKind = StoreKind::Etcd;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let key = Bytes::copy_from_slice(context.key.as_bytes());
        let own = Own { key, revision: 0 };
        TxnLease { program: Program::new(context), lease: None, own }
    }
}

struct TxnLease<E: Env> {
    program: Program<E>,
    /// The lease of the present grant.
    lease: Option<Session<E>>,
    own: Own,
}

impl<E: Env> TxnLease<E> {
    /// Creates the key, as often as it goes, until it is this client's.
    async fn create(&mut self, lease: i64) -> Result<(), CallError> {
        let key = self.own.key.clone();
        let txn = request::txn(
            request::created_at(&key, 0),
            [Request::RequestPut(request::put(&key, format!("{lease:x}"), lease))],
            [Request::RequestRange(request::get(&key))],
        );
        loop {
            let response = self.program.client.txn(&txn).await?;
            let now = revision(response.header);
            if response.succeeded {
                self.own.revision = now;
                return Ok(());
            }
            self.program.client.wait_delete(&key, now + 1).await?;
        }
    }
}

impl<E: Env> Lock for TxnLease<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let session = self.program.new_session().await?;
        if let Err(error) = self.create(session.lease()).await {
            // Without its lease the key cannot be there, whatever became of the request.
            let ended = match session.close().await {
                Ok(()) => true,
                Err(error) => error.is(Code::NotFound),
            };
            return Err(match ended {
                true => LockError::Definite(error.to_string()),
                false => error.into(),
            });
        }
        self.program.begin();
        let grant = self.own.grant(session.done().clone());
        self.lease = Some(session);
        Ok(grant)
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(!grant.lost.is_set() && self.program.is_there(&self.own).await?)
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.program.end();
        let Some(session) = self.lease.take() else { return Ok(false) };
        match session.close().await {
            Ok(()) => Ok(true),
            Err(error) if error.is(Code::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
