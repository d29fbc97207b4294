//! The one connection that all calls of a client share.
//!
//! It is opened when a call needs one and there is none, by a task of its own: a caller that stops
//! waiting does not take the attempt with it, and whoever comes meanwhile waits for the same. A
//! connection that breaks takes its calls with it; the next call opens another. There is no pause between
//! attempts here (grpc-go has one); callers that try again have pauses of their own.

use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong};
use http::uri::Authority;
use picklock_models::etcd::rpc::Method;
use picklock_sim::env::{Either, Env, race};
use picklock_sim::signal::Signal;

use super::CallError;
use super::call::{Answers, Kind, Requests};

/// How often Go's dialer has the kernel probe a connection (`net.Dialer`, TCP keep-alive): a machine that lost
/// its power and came back answers with a reset, and who only listens would never hear of it otherwise. The
/// worlds here have no such probes, so a PING of HTTP/2 stands for them.
const PROBE: Duration = Duration::from_secs(15);

/// See the module. Clones share it.
pub(super) struct Channel<E> {
    line: Rc<Line<E>>,
}

impl<E> Clone for Channel<E> {
    fn clone(&self) -> Self {
        Self { line: Rc::clone(&self.line) }
    }
}

struct Line<E> {
    env: E,
    address: Box<str>,
    /// What the server is called in the headers of a call; it does not look at it.
    authority: Authority,
    time_limit: Duration,
    state: RefCell<State>,
}

enum State {
    /// There is none, and why; nothing to say if none was ever needed.
    Closed(String),
    /// Somebody tries; the signal is set when it is over.
    Opening(Signal),
    Open(SendRequest<Bytes>),
}

impl<E: Env> Channel<E> {
    pub(super) fn new(env: E, address: &str, time_limit: Duration) -> Self {
        let authority = address.parse().unwrap_or_else(|_| Authority::from_static("etcd"));
        let state = RefCell::new(State::Closed(String::new()));
        let address = address.into();
        Self { line: Rc::new(Line { env, address, authority, time_limit, state }) }
    }

    /// Begins a call.
    pub(super) async fn open(
        &self,
        method: Method,
        kind: Kind,
    ) -> Result<(Requests, Answers), CallError> {
        let not_sent =
            |error: h2::Error| CallError::NotSent(format!("{}: {error}", self.line.address));
        let mut sender = self.sender().await?.ready().await.map_err(not_sent)?;
        let head = super::call::head(self.line.authority.clone(), method, kind);
        let (response, requests) = sender.send_request(head, false).map_err(not_sent)?;
        Ok((Requests::new(requests), Answers::new(response)))
    }

    async fn sender(&self) -> Result<SendRequest<Bytes>, CallError> {
        let tried = match &*self.line.state.borrow() {
            State::Open(sender) => return Ok(sender.clone()),
            State::Opening(tried) => Some(tried.clone()),
            State::Closed(_) => None,
        };
        let tried = tried.unwrap_or_else(|| {
            let tried = Signal::default();
            *self.line.state.borrow_mut() = State::Opening(tried.clone());
            self.line.env.spawn(Rc::clone(&self.line).keep_open(tried.clone()));
            tried
        });
        tried.wait().await;
        let why = match &*self.line.state.borrow() {
            State::Open(sender) => return Ok(sender.clone()),
            State::Closed(why) => format!("{}: {why}", self.line.address),
            State::Opening(_) => format!("{}: closed at once", self.line.address),
        };
        Err(CallError::NotSent(why))
    }
}

impl<E: Env> Line<E> {
    /// Opens a connection and drives it until it ends.
    async fn keep_open(self: Rc<Self>, tried: Signal) {
        let why = match self.env.timeout(self.time_limit, self.connect()).await {
            Ok(Ok((sender, mut connection))) => {
                *self.state.borrow_mut() = State::Open(sender);
                tried.set();
                let probing = self.probe(connection.ping_pong());
                match race(connection, probing).await {
                    Either::Left(Err(error)) => error.to_string(),
                    _ => "closed by the server".to_owned(),
                }
            }
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        tracing::debug!(address = self.address, why, "no connection");
        *self.state.borrow_mut() = State::Closed(why);
        tried.set();
    }

    /// Sends something now and then, and waits for as long as it takes.
    async fn probe(&self, pings: Option<PingPong>) {
        if let Some(mut pings) = pings {
            loop {
                self.env.sleep(PROBE).await;
                if pings.ping(Ping::opaque()).await.is_err() {
                    break;
                }
            }
        }
        pending().await
    }

    async fn connect(&self) -> io::Result<(SendRequest<Bytes>, Connection<E::Stream, Bytes>)> {
        let stream = self.env.connect(&self.address).await?;
        // `h2` reads one clock: how long ago a call was given up, to forget it after a while. Here it is
        // forgotten at once. What the server still sends on it is answered with a reset, of which there
        // may be any number.
        Builder::new()
            .max_concurrent_reset_streams(0)
            .reset_stream_duration(Duration::MAX)
            .max_local_error_reset_streams(None)
            .handshake(stream)
            .await
            .map_err(io::Error::other)
    }
}
