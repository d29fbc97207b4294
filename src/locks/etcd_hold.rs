//! What the etcd locks have in common: a client with its session, a queue of keys, and the bound.
//!
//! A session lives as long as the program, as applications use it: it is made when it is first needed, and
//! anew when it is over. Its lease is kept alive by the client ([`crate::client::etcd`]).

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::{Code, ELECTION_TIMEOUT, EXPIRY_LOOP};
use picklock_sim::env::Env;
use picklock_sim::signal::Signal;

use super::renewal::Renewals;
use crate::client::etcd::{CallError, Client, Session, request, revision};
use crate::lock::{Grant, LockContext, LockError, LockParams, OwnRecord};
use crate::store::StoreKind;

/// What an application has besides the lock itself.
pub(super) struct Program<E: Env> {
    pub(super) context: LockContext<E>,
    pub(super) client: Client<E>,
    session: Option<Session<E>>,
    renewals: Rc<Renewals>,
}

/// A key that its lease makes its client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) key: Bytes,
    /// Its create revision: no other key ever has it.
    pub(super) revision: i64,
}

impl Own {
    /// A grant that this key stands for.
    pub(super) fn grant(&self, lost: Signal) -> Grant {
        let key = Rc::from(String::from_utf8_lossy(&self.key));
        Grant { lost, record: Some(OwnRecord { key, created: self.revision }), ..Grant::default() }
    }
}

impl<E: Env> Program<E> {
    pub(super) fn new(context: LockContext<E>) -> Self {
        let time_limit = context.params.request_timeout();
        let client = Client::new(context.env.clone(), &context.servers[0], time_limit);
        let renewals = Renewals::new(Rc::clone(&context.on_renewal));
        Self { context, client, session: None, renewals }
    }

    /// The lease of the program's session, and the signal that it is over.
    pub(super) async fn session(&mut self) -> Result<(i64, Signal), CallError> {
        let session = match self.session.take().filter(|session| !session.done().is_set()) {
            Some(session) => session,
            None => self.new_session().await?,
        };
        let session = self.session.insert(session);
        Ok((session.lease(), session.done().clone()))
    }

    /// A session of its own for one purpose.
    pub(super) async fn new_session(&self) -> Result<Session<E>, CallError> {
        let renewals = Rc::clone(&self.renewals);
        let on_renewal = Rc::new(move |renewal| renewals.happened(renewal));
        // Whole seconds, and never less than was asked for; the server has a least time of its own.
        let ttl_s = self.context.params.ttl_ms.div_ceil(1000);
        self.client.session(i64::try_from(ttl_s).unwrap_or(i64::MAX), on_renewal).await
    }

    /// The server says that the session's lease has ended, before the client noticed: the next
    /// [`Program::session`] is another.
    pub(super) fn session_has_expired(&mut self) {
        if let Some(session) = self.session.take() {
            session.orphan();
        }
    }

    /// What a refusal for want of the lease means for the session.
    pub(super) fn heed(&mut self, error: CallError) -> LockError {
        if error.is(Code::NotFound) {
            self.session_has_expired();
        }
        error.into()
    }

    /// A grant begins: renewals are told from now on.
    pub(super) fn begin(&self) {
        self.renewals.begin();
    }

    /// A grant ends.
    pub(super) fn end(&self) {
        self.renewals.end();
    }

    /// Whether the key is there, and still the same; a linearizable read.
    pub(super) async fn is_there(&self, own: &Own) -> Result<bool, CallError> {
        let found = self.client.range(&request::get(&own.key)).await?;
        Ok(found.kvs.first().is_some_and(|kv| kv.create_revision == own.revision))
    }

    /// Deletes a key, whoever's it is; whether it was there.
    pub(super) async fn delete(&self, key: &Bytes) -> Result<bool, CallError> {
        Ok(self.client.delete_range(&request::delete(key)).await?.deleted > 0)
    }

    /// Waits until nothing is left below `prefix` that was created at this revision or before: on the last
    /// such key, again and again, so that each key's end wakes one client (`concurrency/key.go`
    /// `waitDeletes`).
    pub(super) async fn wait_deletes(&self, prefix: &Bytes, at_most: i64) -> Result<(), CallError> {
        loop {
            let found = self.client.range(&request::last_created(prefix, at_most)).await?;
            let Some(last) = found.kvs.first() else { return Ok(()) };
            self.client.wait_delete(&last.key, revision(found.header)).await?;
        }
    }
}

/// `prefix/lease`, the lease in hexadecimal, as `concurrency.NewMutex` and `NewElection` name keys.
pub(super) fn key_of(prefix: &Bytes, lease: i64) -> Bytes {
    let mut key = prefix.to_vec();
    key.extend_from_slice(format!("{lease:x}").as_bytes());
    key.into()
}

/// The prefix of a lock's keys.
pub(super) fn prefix_of(lock: &str) -> Bytes {
    Bytes::from(format!("{lock}/"))
}

/// The bound of a lock whose keys go with their leases and whose waiters watch. A server that comes back
/// with the heal gives every lease all its time and an election timeout more, and finds out that one is
/// over in its next loop. Then the waiter that is next may have to open its watch and its connection again,
/// or learns that its own session died, pauses, makes another and queues anew: a request that nobody
/// answered before the heal, an attempt to connect, and the pauses of both.
pub(super) fn leased_bound(lease: Duration, params: &LockParams) -> Duration {
    let watch_pause = Duration::from_millis(100);
    lease
        + ELECTION_TIMEOUT
        + EXPIRY_LOOP
        + watch_pause
        + 2 * params.request_timeout()
        + params.longest_retry()
}

/// [`leased_bound`] of a session that this client asks for.
pub(super) fn session_bound(params: &LockParams) -> Duration {
    leased_bound(StoreKind::Etcd.lease(params), params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_as_the_recipes_name_them() {
        let key = key_of(&prefix_of("lock"), 0x694d_8e5f_0000_0001);
        assert_eq!(key, "lock/694d8e5f00000001");
    }
}
