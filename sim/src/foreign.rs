//! Unmodified client crates in a world: redis-rs, tonic, whatever talks over a tokio stream.
//!
//! They live in tokio's runtime, so they need the turmoil engine (or the real world); the event engine has
//! none. What is strange to them, or to us, is settled here and nowhere else:
//!
//! - **They ask for `Send`**, because their runtime may have many threads. A world has one, and shares it
//!   by `Rc`. What [`Foreign`] hands out says that it is `Send` and panics if another thread touches it.
//! - **They work in the background.** Give such tasks to [`Foreign::spawn`], as redis-rs (its driver) and
//!   tonic (its executor) let one do: then a pause stops them and a crash ends them. A task that a crate
//!   starts by itself runs on during a pause; but each byte that it sends or receives waits for its end.
//! - **They wait by tokio's timers.** Those run by true time: drift and a suspended machine's standing
//!   clock are not seen by them. While the process is paused nobody acts on them.
//! - **They may look past their `Env`.** What they read from `std::time` or draw from the operating system
//!   is no part of a plan. That harms nothing as long as it decides nothing (a random token that is only
//!   ever compared); where it does, runs do not repeat, and sweeps notice.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use send_wrapper::SendWrapper;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;

use crate::env::{Env, race};
use crate::signal::Signal;

/// An [`Env`] in the form in which foreign crates can hold it.
#[derive(Clone)]
pub struct Foreign<E: Env> {
    env: SendWrapper<E>,
}

impl<E: Env> Foreign<E> {
    /// This host, for foreign crates.
    ///
    /// # Panics
    /// Without tokio's runtime around it, that is on the event engine.
    pub fn new(env: &E) -> Self {
        assert!(
            Handle::try_current().is_ok(),
            "a foreign client needs tokio's runtime, which the event engine has not: run it on \
             turmoil (in a property test: `.engine(Engine::Turmoil)`)"
        );
        Self { env: SendWrapper::new(env.clone()) }
    }

    /// Connects as [`Env::connect`] does.
    ///
    /// # Errors
    /// As [`Env::connect`]; it may take for ever too.
    pub fn connect(
        &self,
        address: &str,
    ) -> impl Future<Output = io::Result<ForeignStream<E::Stream>>> + Send + 'static + use<E> {
        let (env, address) = (self.env.clone(), address.to_owned());
        sendable(async move {
            let stream = env.connect(&address).await?;
            Ok(ForeignStream(SendWrapper::new(stream)))
        })
    }

    /// Starts a task of this host, which ends when it is done or when its [`Task`] is dropped.
    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) -> Task {
        let cancelled = Signal::default();
        let task = Task { cancelled: Some(SendWrapper::new(cancelled.clone())) };
        self.env.spawn(async move {
            race(async move { cancelled.wait().await }, work).await;
        });
        task
    }
}

/// A task in the background; it ends when this is dropped, as does the task of a connection whose
/// last handle is gone.
#[must_use = "the task ends when this is dropped; `detach` lets it go on"]
pub struct Task {
    /// `None`: it goes on for itself.
    cancelled: Option<SendWrapper<Signal>>,
}

impl Task {
    /// Lets it go on until it is done.
    pub fn detach(mut self) {
        self.cancelled = None;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(cancelled) = &self.cancelled {
            cancelled.set();
        }
    }
}

/// A future of this world where a `Send` one is asked for.
pub fn sendable<F: Future>(future: F) -> impl Future<Output = F::Output> + Send + use<F> {
    SendWrapper::new(future)
}

/// A stream of a world, for foreign crates.
pub struct ForeignStream<S>(SendWrapper<S>);

impl<S: AsyncRead + Unpin> AsyncRead for ForeignStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ForeignStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}
