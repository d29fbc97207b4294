//! A client of etcd's v3 API: gRPC over HTTP/2, for any [`Env`].
//!
//! It behaves as the Go client does (`client/v3` of etcd's source; files are named where a rule is
//! theirs): all calls share one connection, a call that takes too long is given up alone, and a call that
//! may change something is never sent twice by itself. What it is told to do is a message of etcd's own;
//! `request` makes the usual ones.
//!
//! - `channel`: the connection; `call`: one call on it;
//! - `lessor` keeps leases alive, a [`Session`] is one that is; `watch` waits for a key to go.

mod call;
mod channel;
mod lessor;
pub mod request;
mod session;
mod watch;

use std::cell::Cell;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::{
    DeleteRangeRequest, DeleteRangeResponse, LeaseGrantRequest, LeaseGrantResponse,
    LeaseRevokeRequest, LeaseRevokeResponse, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse,
    PutRequest, PutResponse, RangeRequest, RangeResponse, ResponseHeader, TxnRequest, TxnResponse,
};
use picklock_models::etcd::pb::v3lockpb::{
    LockRequest, LockResponse, UnlockRequest, UnlockResponse,
};
use picklock_models::etcd::rpc::Method;
use picklock_models::etcd::{Code, Status};
use picklock_sim::env::Env;
use prost::Message;

use crate::lock::LockError;
pub use call::status;
use call::{Kind, Told};
use channel::Channel;
use lessor::Lessor;
pub use lessor::OnRenewal;
pub use session::Session;

/// A read that found no server is asked again after this, give or take a tenth (`client/v3/options.go`
/// `defaultBackoffWaitBetween`, `defaultBackoffJitterFraction`) ..
const READ_PAUSE: Duration = Duration::from_millis(25);
/// .. at most so often (`defaultUnaryMaxRetries`).
const READ_TRIES: u32 = 100;

/// A connection to one server, with whatever keeps leases alive over it. Clones share it.
pub struct Client<E: Env> {
    env: E,
    channel: Channel<E>,
    lessor: Lessor<E>,
    /// For each call; none: it may take as long as it takes.
    time_limit: Option<Duration>,
}

impl<E: Env> Clone for Client<E> {
    fn clone(&self) -> Self {
        let Client { env, channel, lessor, time_limit } = self;
        let (channel, lessor) = (channel.clone(), lessor.clone());
        Client { env: env.clone(), channel, lessor, time_limit: *time_limit }
    }
}

/// A call that did not bring what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It never left this client, or the server never looked at it.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The server has said why not.
    #[error("{}", .0.message)]
    Refused(Status),
    /// It was sent, and no whole answer came.
    #[error("no answer: {0}")]
    Unanswered(String),
}

impl CallError {
    /// Whether the server refused it with this code.
    pub fn is(&self, code: Code) -> bool {
        matches!(self, CallError::Refused(status) if status.code == code)
    }

    /// Whether nothing was wrong with the request: there was just nobody to answer it
    /// (`client/v3/client.go` `isUnavailableErr`; a connection that breaks is `Unavailable` there).
    fn is_unavailable(&self) -> bool {
        match self {
            CallError::Refused(status) => status.code == Code::Unavailable,
            CallError::NotSent(_) | CallError::Unanswered(_) => true,
        }
    }

    /// Whether asking again is of no use (`client/v3/client.go` `isHaltErr`).
    fn is_final(&self) -> bool {
        !self.is_unavailable() && !self.is(Code::Internal)
    }
}

/// Codes with which a server may end what it has begun: they prove nothing.
const AMBIGUOUS: [Code; 5] =
    [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::Internal, Code::Unknown];

impl From<CallError> for LockError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Unanswered(_) => LockError::Indefinite(error.to_string()),
            CallError::Refused(status) if AMBIGUOUS.contains(&status.code) => {
                LockError::Indefinite(error.to_string())
            }
            CallError::NotSent(_) | CallError::Refused(_) => LockError::Definite(error.to_string()),
        }
    }
}

impl<E: Env> Client<E> {
    /// A client of the server at `address` (`host:port`); connects with the first call. Each call, and
    /// each attempt to connect, may take `time_limit`.
    pub fn new(env: E, address: &str, time_limit: Duration) -> Self {
        let channel = Channel::new(env.clone(), address, time_limit);
        let lessor = Lessor::new(env.clone(), channel.clone());
        Self { env, channel, lessor, time_limit: Some(time_limit) }
    }

    /// The same client without a time limit for its calls, as one that is called with `context.TODO()`.
    pub fn without_limit(&self) -> Self {
        Self { time_limit: None, ..self.clone() }
    }

    /// Reads keys, as they are now for all clients. Asked again if nobody answers: it changes nothing
    /// (`client/v3/retry.go`, the repeatable policy).
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn range(&self, request: &RangeRequest) -> Result<RangeResponse, CallError> {
        let sent = Cell::new(false);
        let work = pin!(self.ask_again(request, &sent));
        let result = self.limited(work, &sent).await;
        tracing::trace!(?request, ?result, "read");
        result
    }

    async fn ask_again(
        &self,
        request: &RangeRequest,
        sent: &Cell<bool>,
    ) -> Result<RangeResponse, CallError> {
        let mut tries = 1;
        loop {
            match self.exchange(Method::Range, request, sent).await {
                Err(error) if error.is_unavailable() && tries < READ_TRIES => {
                    let tenth_us = READ_PAUSE.as_micros() as u64 / 10;
                    let jitter = Duration::from_micros(self.env.random() % (2 * tenth_us + 1));
                    self.env.sleep(READ_PAUSE - Duration::from_micros(tenth_us) + jitter).await;
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    /// Stores a key.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn put(&self, request: &PutRequest) -> Result<PutResponse, CallError> {
        self.call(Method::Put, request).await
    }

    /// Deletes keys.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn delete_range(
        &self,
        request: &DeleteRangeRequest,
    ) -> Result<DeleteRangeResponse, CallError> {
        self.call(Method::DeleteRange, request).await
    }

    /// Compares, and does one thing or the other.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn txn(&self, request: &TxnRequest) -> Result<TxnResponse, CallError> {
        self.call(Method::Txn, request).await
    }

    /// Asks for a lease of so many seconds; the server names it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn lease_grant(&self, ttl_s: i64) -> Result<LeaseGrantResponse, CallError> {
        self.call(Method::LeaseGrant, &LeaseGrantRequest { ttl: ttl_s, id: 0 }).await
    }

    /// Ends a lease, and with it its keys.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn lease_revoke(&self, lease: i64) -> Result<LeaseRevokeResponse, CallError> {
        self.call(Method::LeaseRevoke, &LeaseRevokeRequest { id: lease }).await
    }

    /// How long a lease has left.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn lease_time_to_live(
        &self,
        lease: i64,
    ) -> Result<LeaseTimeToLiveResponse, CallError> {
        let request = LeaseTimeToLiveRequest { id: lease, keys: false };
        self.call(Method::LeaseTimeToLive, &request).await
    }

    /// Has the server take a lock for this client, under a lease of the client's or, with 0, of the
    /// server's own. It takes as long as it takes; whoever gives up is taken out of the queue by the server.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn lock(&self, name: &Bytes, lease: i64) -> Result<LockResponse, CallError> {
        let request = LockRequest { name: name.clone(), lease };
        self.without_limit().call(Method::Lock, &request).await
    }

    /// Gives up a lock that the server has taken, whoever holds it now.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn unlock(&self, key: &Bytes) -> Result<UnlockResponse, CallError> {
        self.call(Method::Unlock, &UnlockRequest { key: key.clone() }).await
    }

    /// One message there and one back, within the time limit.
    async fn call<A: Message + Default + Debug>(
        &self,
        method: Method,
        request: &(impl Message + Debug),
    ) -> Result<A, CallError> {
        let sent = Cell::new(false);
        let work = pin!(self.exchange(method, request, &sent));
        let result = self.limited(work, &sent).await;
        tracing::trace!(?method, ?request, ?result, "call");
        result
    }

    async fn limited<A>(
        &self,
        work: impl Future<Output = Result<A, CallError>>,
        sent: &Cell<bool>,
    ) -> Result<A, CallError> {
        let Some(limit) = self.time_limit else { return work.await };
        self.env.timeout(limit, work).await.unwrap_or_else(|elapsed| {
            Err(match sent.get() {
                true => CallError::Unanswered(elapsed.to_string()),
                false => CallError::NotSent(elapsed.to_string()),
            })
        })
    }

    async fn exchange<A: Message + Default>(
        &self,
        method: Method,
        request: &impl Message,
        sent: &Cell<bool>,
    ) -> Result<A, CallError> {
        let (mut requests, mut answers) =
            self.channel.open(method, Kind::Unary(self.time_limit)).await?;
        sent.set(true);
        requests.send_last(request)?;
        let mut answer = None;
        loop {
            match answers.next().await? {
                Told::Message(bytes) => answer = Some(call::decode(bytes)?),
                Told::End(status) if status.code != Code::Ok => {
                    return Err(CallError::Refused(status));
                }
                Told::End(_) => {
                    let nothing = || CallError::Unanswered("an end without a message".to_owned());
                    return answer.ok_or_else(nothing);
                }
            }
        }
    }

    /// Asks for a lease of so many seconds and keeps it alive; `on_renewal` is told of every renewal.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn session(
        &self,
        ttl_s: i64,
        on_renewal: OnRenewal,
    ) -> Result<Session<E>, CallError> {
        let lease = self.lease_grant(ttl_s).await?.id;
        let done = self.lessor.keep_alive(lease, on_renewal);
        Ok(Session::new(self.clone(), lease, done))
    }
}

/// The store's revision when a response was made.
pub fn revision(header: Option<ResponseHeader>) -> i64 {
    header.map_or(0, |header| header.revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_proves_that_nothing_happened_is_definite() {
        let refused = |code| LockError::from(CallError::Refused(Status::new(code, "why")));
        let definite = LockError::Definite("why".to_owned());
        for code in [Code::NotFound, Code::InvalidArgument, Code::FailedPrecondition] {
            assert_eq!(refused(code), definite);
        }
        let indefinite = LockError::Indefinite("why".to_owned());
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Unknown] {
            assert_eq!(refused(code), indefinite);
        }
        let text = "cut".to_owned();
        assert!(matches!(CallError::NotSent(text.clone()).into(), LockError::Definite(_)));
        assert!(matches!(CallError::Unanswered(text).into(), LockError::Indefinite(_)));
    }
}
