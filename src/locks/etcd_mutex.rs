//! E2: a queue of keys, each with its client's lease; whose key was created first holds the lock.
//!
//! Source: etcd `client/v3/concurrency/mutex.go`, `key.go`, as in 3.5 and later. Each waiter watches the
//! key before its own, so a release wakes one client, in the order in which they came. After waiting it reads
//! its own key again, because its session may have died meanwhile (etcd#11456, S13); 3.4 never did
//! ([`super::etcd_mutex_343`]).
//!
//! A worker is told when `Session.Done` fires. That is late: up to a second and the way of an answer after
//! the server has ended the lease (S32). And a session that comes back to a key of its own has the lock at once, on
//! whatever is left of its lease (`scenarios/negative/etcd-last-moment.toml`).

use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::request_op::Request;
use picklock_sim::env::Env;
use picklock_sim::signal::Signal;

use super::etcd_hold::{Own, Program, key_of, prefix_of, session_bound};
use crate::client::etcd::{CallError, request, revision};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E2.
pub struct EtcdMutex;

impl Algorithm for EtcdMutex {
    const NAME: &'static str = "etcd-mutex";
    const ABOUT: &'static str = "E2: concurrency.Mutex, a queue of leased keys; a lost session is told";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const FENCED_TWIN: Option<&'static str> = Some("etcd-mutex-fenced");
    const STORE: StoreKind = StoreKind::Etcd;
    const SHOWS_RECORD: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(session_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Mutex::new(context, Form::NOW)
    }
}

/// What the documentation of `concurrency.Mutex` says of all its forms: a mutual exclusion lock, whose waiters
/// are served in the order of their keys.
pub(super) const CLAIMS: &[Claim] = &[
    Claim::ExclusiveBelief,
    Claim::ReleaseSafe,
    Claim::Recovers,
    Claim::NoStarvation,
    Claim::FairQueue,
];

/// In which ways a mutex may differ from E2.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Reads its own key again after waiting.
    pub(super) looks_again: bool,
    /// Whether the worker is told of a lost session.
    pub(super) telling: bool,
    /// Whether its grants carry the key's create revision as a fencing token.
    pub(super) fenced: bool,
}

impl Form {
    /// E2 itself.
    pub(super) const NOW: Form = Form { looks_again: true, telling: true, fenced: false };
}

/// E2 in all its forms.
pub(super) struct Mutex<E: Env> {
    program: Program<E>,
    prefix: Bytes,
    form: Form,
    /// The key of the present grant.
    own: Own,
}

impl<E: Env> Mutex<E> {
    pub(super) fn new(context: LockContext<E>, form: Form) -> Self {
        let prefix = prefix_of(&context.key);
        let own = Own { key: prefix.clone(), revision: 0 };
        Self { program: Program::new(context), prefix, form, own }
    }

    /// Puts the session's key into the queue, or finds it there: it may be left over from an attempt whose
    /// answer was lost. Whether it is the first (`tryAcquire`).
    async fn enqueue(&mut self, lease: i64) -> Result<bool, CallError> {
        let key = key_of(&self.prefix, lease);
        let get_owner = Request::RequestRange(request::first_created(&self.prefix));
        let txn = request::txn(
            request::created_at(&key, 0),
            [Request::RequestPut(request::put(&key, "", lease)), get_owner.clone()],
            [Request::RequestRange(request::get(&key)), get_owner],
        );
        let response = self.program.client.txn(&txn).await?;
        let first_read = |place| request::read_at(&response, place)?.kvs.first();
        let revision = match first_read(0) {
            Some(found) => found.create_revision,
            None => revision(response.header),
        };
        self.own = Own { key, revision };
        Ok(first_read(1).is_none_or(|owner| owner.create_revision == revision))
    }

    /// Waits until the own key is the first; whether it still is there then, as far as this form looks.
    async fn wait(&self) -> Result<bool, CallError> {
        self.program.wait_deletes(&self.prefix, self.own.revision - 1).await?;
        if self.form.looks_again { self.program.is_there(&self.own).await } else { Ok(true) }
    }

    /// Takes the own key out of the queue after waiting has failed.
    async fn give_up(&self, error: CallError) -> LockError {
        match self.program.delete(&self.own.key).await {
            Ok(_) => LockError::Definite(error.to_string()),
            Err(_) => LockError::Indefinite(error.to_string()),
        }
    }

    fn grant(&self, done: Signal) -> Grant {
        self.program.begin();
        let lost = if self.form.telling { done } else { Signal::default() };
        let token = if self.form.fenced { u64::try_from(self.own.revision).ok() } else { None };
        Grant { token, ..self.own.grant(lost) }
    }
}

impl<E: Env> Lock for Mutex<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let (lease, done) = self.program.session().await?;
        let is_first = match self.enqueue(lease).await {
            Ok(is_first) => is_first,
            Err(error) => return Err(self.program.heed(error)),
        };
        if is_first {
            return Ok(self.grant(done));
        }
        match self.wait().await {
            Ok(true) => Ok(self.grant(done)),
            Ok(false) => {
                self.program.session_has_expired();
                Err(LockError::Definite("mutex: session is expired".to_owned()))
            }
            Err(error) => Err(self.give_up(error).await),
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(!grant.lost.is_set() && self.program.is_there(&self.own).await?)
    }

    /// Deletes the key without a condition: its name holds the lease, so it is nobody else's.
    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.program.end();
        Ok(self.program.delete(&self.own.key).await?)
    }
}
