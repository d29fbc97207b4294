//! A host's view of the turmoil engine.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::turmoil::net::TcpStream;
use picklock_models::time::{HostTime, SteadyTime, WallTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::gate::{Gate, Gated, sleep};
use super::kernel::TurmoilListener;
use super::world::World;
use crate::conditions::HostId;
use crate::env::Env;
use crate::fault::StepKind;
use crate::host::{HostName, parse_address};
use crate::time::SimTime;

/// What a program on one host of the turmoil engine knows of the outside.
#[derive(Clone)]
pub struct TurmoilEnv {
    pub(super) world: Rc<RefCell<World>>,
    pub(super) host: HostId,
}

impl TurmoilEnv {
    pub(super) fn new(world: &Rc<RefCell<World>>, host: HostId) -> Self {
        Self { world: Rc::clone(world), host }
    }

    fn stream(&self, inner: TcpStream) -> TurmoilStream {
        let (read_gate, write_gate) = (Gate::default(), Gate::default());
        TurmoilStream { env: self.clone(), inner, read_gate, write_gate }
    }
}

impl Env for TurmoilEnv {
    type Stream = TurmoilStream;
    type Listener = TurmoilListener;

    async fn connect(&self, address: &str) -> io::Result<TurmoilStream> {
        let (host, port) = parse_address(address)?;
        let to = {
            let body = &self.world.borrow().body;
            body.conditions.id(host).map(|id| body.address(id))
        };
        let to = to.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no {host}")))?;
        let mut gate = Gate::default();
        poll_fn(|cx| gate.pass(self, StepKind::Connect, cx)).await;
        Ok(self.stream(TcpStream::connect((to, port)).await?))
    }

    async fn listen(&self, port: u16) -> io::Result<TurmoilListener> {
        TurmoilListener::bind(port).await
    }

    async fn accept(
        &self,
        listener: &mut TurmoilListener,
    ) -> io::Result<(TurmoilStream, Option<HostName>)> {
        let (stream, peer) = listener.accept().await?;
        let peer = self.world.borrow().body.host_at(peer.ip());
        Ok((self.stream(stream), peer))
    }

    fn steady(&self) -> SteadyTime {
        self.clocks().steady
    }

    fn wall(&self) -> WallTime {
        self.clocks().wall
    }

    fn clocks(&self) -> HostTime {
        let body = &self.world.borrow().body;
        body.conditions.host(self.host).clock.read(body.now())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + 'static {
        let target = self.steady() + duration;
        HostSleep { env: self.clone(), target, timer: None, watching: None, gate: Gate::default() }
    }

    #[expect(clippy::disallowed_methods, reason = "this is Env::spawn: the task is gated")]
    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(Gated::new(self, Box::pin(task)));
    }

    fn random(&self) -> u64 {
        self.world.borrow_mut().body.random(self.host)
    }
}

/// One end of a connection of the turmoil engine.
pub struct TurmoilStream {
    env: TurmoilEnv,
    inner: TcpStream,
    read_gate: Gate,
    write_gate: Gate,
}

impl AsyncRead for TurmoilStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // It is a step only once there is something to take; looking takes nothing. An error that
        // is seen here is there again for the read below.
        let _ = ready!(this.inner.poll_peek(cx, &mut ReadBuf::new(&mut [0])));
        ready!(this.read_gate.pass(&this.env, StepKind::Receive, cx));
        Pin::new(&mut this.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TurmoilStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // As above: an error comes again.
        let _ = ready!(pin!(this.inner.writable()).poll(cx));
        ready!(this.write_gate.pass(&this.env, StepKind::Send, cx));
        let written = ready!(Pin::new(&mut this.inner).poll_write(cx, bytes))?;
        this.env.world.borrow_mut().body.log.messages += 1;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // As in the event engine: the drop that follows closes both directions.
        Poll::Ready(Ok(()))
    }
}

/// A sleep on a host's steady clock: a sleep of true time, reckoned anew when the clock changes.
struct HostSleep {
    env: TurmoilEnv,
    target: SteadyTime,
    /// The timer and the true time it was set to.
    timer: Option<(SimTime, Pin<Box<Sleep>>)>,
    watching: Option<usize>,
    gate: Gate,
}

impl HostSleep {
    /// When the clock will show the target; `None` if it already does.
    fn due(&mut self, cx: &mut Context<'_>) -> Poll<Option<(SimTime, SimTime)>> {
        let body = &mut self.env.world.borrow_mut().body;
        let (host, now) = (self.env.host, body.now());
        let clock = &body.conditions.host(host).clock;
        if clock.read(now).steady >= self.target {
            return Poll::Ready(None);
        }
        // A tick earlier where that is enough: what falls just after one waits for the next.
        let due = clock.when_steady(self.target, now).map(|due| {
            let tick = SimTime::from_millis(due.as_nanos() / 1_000_000);
            if clock.read(tick).steady >= self.target { tick } else { due }
        });
        body.watch_clock(&mut self.watching, host, cx.waker());
        match due {
            Some(due) => Poll::Ready(Some((due, now))),
            // It stands still; the watch tells when it goes on.
            None => Poll::Pending,
        }
    }
}

impl Future for HostSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        while let Some((due, now)) = ready!(this.due(cx)) {
            if this.timer.as_ref().is_none_or(|(set_to, _)| *set_to != due) {
                this.timer = Some((due, Box::pin(sleep(due, now))));
            }
            let (_, timer) = this.timer.as_mut().expect("it was just set");
            ready!(timer.as_mut().poll(cx));
            this.timer = None;
        }
        this.gate.pass(&this.env, StepKind::Timer, cx)
    }
}

impl Drop for HostSleep {
    fn drop(&mut self) {
        if let Some(slot) = self.watching {
            self.env.world.borrow_mut().body.forget_sleep(slot);
        }
    }
}
