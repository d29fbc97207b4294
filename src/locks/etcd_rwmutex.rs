//! E6: a lock for many readers or one writer.
//!
//! Source: etcd `client/v3/experimental/recipes/rwmutex.go`, `key.go`, `watch.go`. A key's name is the wall
//! clock's time, its order the revision of its last change. A writer waits for the newest key of either kind
//! that is older than its own, again and again, a reader for the newest of a writer; neither ever looks whether
//! its own is still there (etcd#16221, S17). An unlock that breaks off with its connection may leave a key that no later attempt finds again, as each
//! has a name of its own: it stays as long as the session, and nobody gets the lock meanwhile.

use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::request_op::Request;
use picklock_sim::env::Env;

use super::etcd_hold::{Own, Program, prefix_of, session_bound};
use crate::client::etcd::{CallError, request, revision};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E6. Who acquires it writes; who shares it reads.
pub struct EtcdRwMutex;

impl Algorithm for EtcdRwMutex {
    const NAME: &'static str = "etcd-rwmutex";
    const ABOUT: &'static str = "E6: recipe.RWMutex, readers or one writer; a lost session is told";
    /// The recipe says nothing about the order of waiters.
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReadersWriter, Claim::ReleaseSafe, Claim::Recovers];
    const SHARED: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("etcd-mutex-fenced");
    const STORE: StoreKind = StoreKind::Etcd;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let prefix = prefix_of(&context.key);
        let own = Own { key: prefix.clone(), revision: 0 };
        let mut program = Program::new(context);
        // The recipe leaves its caller no way to set a limit.
        program.client = program.client.without_limit();
        RwMutex { program, prefix, own }
    }
}

struct RwMutex<E: Env> {
    program: Program<E>,
    prefix: Bytes,
    /// The key of the present grant.
    own: Own,
}

impl<E: Env> RwMutex<E> {
    /// `RLock`, `Lock`: the own key is one of `kind`, and whoever has an older one of `others` goes first.
    async fn lock(&mut self, kind: &str, others: &str) -> Result<Grant, LockError> {
        let (lease, done) = self.program.session().await?;
        if let Err(error) = self.create(lease, kind).await {
            return Err(self.program.heed(error));
        }
        // The key stays in the queue if this fails: the recipe does not take it out.
        let waited = self.wait(&self.below(others)).await;
        waited.map_err(|error| LockError::Indefinite(error.to_string()))?;
        self.program.begin();
        Ok(self.own.grant(done))
    }

    fn below(&self, name: &str) -> Bytes {
        Bytes::from([&self.prefix, name.as_bytes()].concat())
    }

    /// A key that nobody else has: if somebody was quicker, the next nanosecond (`newUniqueEphemeralKV`).
    async fn create(&mut self, lease: i64, kind: &str) -> Result<(), CallError> {
        loop {
            let now_ns = self.program.context.env.wall().as_unix_nanos();
            let key = self.below(&format!("{kind}/{now_ns}"));
            let put = Request::RequestPut(request::put(&key, "", lease));
            let txn = request::txn(request::version_is(&key, 0), [put], []);
            let response = self.program.client.txn(&txn).await?;
            if response.succeeded {
                self.own = Own { key, revision: revision(response.header) };
                return Ok(());
            }
        }
    }

    /// Waits until no older key is left whose name begins like this (`waitOnLastRev`).
    async fn wait(&self, names: &Bytes) -> Result<(), CallError> {
        let Own { revision, .. } = self.own;
        loop {
            let request = request::last_modified(names, revision - 1);
            let found = self.program.client.range(&request).await?;
            let Some(last) = found.kvs.first() else { return Ok(()) };
            self.program.client.wait_delete(&last.key, revision).await?;
        }
    }
}

impl<E: Env> Lock for RwMutex<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        self.lock("write", "").await
    }

    async fn acquire_shared(&mut self) -> Result<Grant, LockError> {
        self.lock("read", "write").await
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(!grant.lost.is_set() && self.program.is_there(&self.own).await?)
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.program.end();
        Ok(self.program.delete(&self.own.key).await?)
    }
}
