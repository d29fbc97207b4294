//! Everything a program may know of the outside.
//!
//! Lock clients, store front ends and workloads are written once against [`Env`], as plain async
//! code, and never know in which world they run. Nothing is `Send`: every world runs its tasks on
//! one thread, which is what makes a run repeatable and the bounds short.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use picklock_models::time::{HostTime, SteadyTime, WallTime};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::host::HostName;

/// Network, clocks, sleep, randomness and tasks of one host.
pub trait Env: Clone + 'static {
    /// A connected byte stream.
    type Stream: AsyncRead + AsyncWrite + Unpin + 'static;
    /// A listening socket.
    type Listener: 'static;

    /// Connects to `address`, written `host:port`, where `host` is a [`HostName`] in the simulated
    /// worlds.
    ///
    /// # Errors
    /// As a TCP socket: refused, reset, unreachable. It may take for ever: use [`Env::timeout`].
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>>;

    /// Listens on a port of this host.
    ///
    /// # Errors
    /// If the port is taken.
    fn listen(&self, port: u16) -> impl Future<Output = io::Result<Self::Listener>>;

    /// The next connection, and which host it comes from, where the world can tell.
    ///
    /// # Errors
    /// As a TCP socket.
    fn accept(
        &self,
        listener: &mut Self::Listener,
    ) -> impl Future<Output = io::Result<(Self::Stream, Option<HostName>)>>;

    /// This host's steady clock: may drift, runs on during a pause, never goes back.
    fn steady(&self) -> SteadyTime;

    /// This host's calendar clock: can also be stepped.
    fn wall(&self) -> WallTime;

    /// Waits until the steady clock has advanced by `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + 'static;

    /// Starts a task of this host. A pause of the host stops it, a crash ends it.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);

    /// 64 random bits of this host.
    fn random(&self) -> u64;

    /// Both clocks at once.
    fn clocks(&self) -> HostTime {
        HostTime { steady: self.steady(), wall: self.wall() }
    }

    /// Gives `work` at most `limit` of this host's steady time.
    ///
    /// # Errors
    /// [`Elapsed`] if the time is up first; work that is ready at the same instant wins.
    fn timeout<F: Future>(
        &self,
        limit: Duration,
        work: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> {
        async move {
            match race(work, self.sleep(limit)).await {
                Either::Left(output) => Ok(output),
                Either::Right(()) => Err(Elapsed),
            }
        }
    }
}

/// The time given to [`Env::timeout`] was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timed out")]
pub struct Elapsed;

/// Which of two futures was ready first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first one.
    Left(A),
    /// The second one.
    Right(B),
}

/// Runs two futures until one is ready; the first is asked first, always. (An unbiased `select!`
/// would draw from a random source of its own.)
pub async fn race<A: Future, B: Future>(first: A, second: B) -> Either<A::Output, B::Output> {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|cx| {
        if let Poll::Ready(output) = first.as_mut().poll(cx) {
            return Poll::Ready(Either::Left(output));
        }
        second.as_mut().poll(cx).map(Either::Right)
    })
    .await
}

/// Futures that run at once; they are asked in the order in which they were given, always.
///
/// Whoever drops it gives up those that are not ready yet; whoever goes on asking has the rest later.
pub struct Together<'a, T> {
    running: Vec<Option<Pin<Box<dyn Future<Output = T> + 'a>>>>,
}

impl<'a, T> Together<'a, T> {
    /// Nothing runs before somebody asks.
    pub fn new(futures: impl IntoIterator<Item = impl Future<Output = T> + 'a>) -> Self {
        let boxed = |future| Some(Box::pin(future) as Pin<Box<dyn Future<Output = T> + 'a>>);
        Self { running: futures.into_iter().map(boxed).collect() }
    }

    /// The next one that is ready: its place, from 0, and its output; `None` when all were.
    pub async fn next(&mut self) -> Option<(usize, T)> {
        poll_fn(|cx| {
            let mut left = false;
            for (place, slot) in self.running.iter_mut().enumerate() {
                let Some(future) = slot else { continue };
                if let Poll::Ready(output) = future.as_mut().poll(cx) {
                    *slot = None;
                    return Poll::Ready(Some((place, output)));
                }
                left = true;
            }
            if left { Poll::Pending } else { Poll::Ready(None) }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;
    use crate::signal::Signal;

    fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn together_gives_each_output_once_and_of_those_ready_the_first_in_order() {
        let signals: [Signal; 3] = Default::default();
        let mut together = Together::new(signals.iter().map(Signal::wait));
        assert_eq!(poll(together.next()), Poll::Pending);
        signals[1].set();
        assert_eq!(poll(together.next()), Poll::Ready(Some((1, ()))));
        assert_eq!(poll(together.next()), Poll::Pending, "the others are still running");
        signals[2].set();
        signals[0].set();
        assert_eq!(poll(together.next()), Poll::Ready(Some((0, ()))));
        assert_eq!(poll(together.next()), Poll::Ready(Some((2, ()))));
        assert_eq!(poll(together.next()), Poll::Ready(None));
    }

    #[test]
    fn what_is_dropped_with_together_does_not_run_on() {
        let kept = Signal::default();
        let held = std::rc::Rc::new(());
        let waiting = std::rc::Rc::clone(&held);
        let mut together = Together::new([async move {
            kept.wait().await;
            drop(waiting);
        }]);
        assert_eq!(poll(together.next()), Poll::Pending);
        drop(together);
        assert_eq!(std::rc::Rc::strong_count(&held), 1);
    }
}
