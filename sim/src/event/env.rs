//! A host's view of the event engine.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use picklock_models::time::{SteadyTime, WallTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::net::{ConnId, Side};
use super::world::{Gate, TimerId, World};
use crate::conditions::HostId;
use crate::env::Env;
use crate::fault::StepKind;
use crate::host::{HostName, parse_address};

/// What a program on one host of the event engine knows of the outside.
#[derive(Clone)]
pub struct EventEnv {
    world: Rc<RefCell<World>>,
    host: HostId,
}

impl EventEnv {
    pub(super) fn new(world: &Rc<RefCell<World>>, host: HostId) -> Self {
        Self { world: Rc::clone(world), host }
    }
}

impl Env for EventEnv {
    type Stream = EventStream;
    type Listener = EventListener;

    async fn connect(&self, address: &str) -> io::Result<EventStream> {
        let (host, port) = parse_address(address)?;
        let to = self.world.borrow().body.conditions.id(host);
        let to = to.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no {host}")))?;
        let mut gate = Gate::default();
        poll_fn(|_| self.world.borrow_mut().step(self.host, StepKind::Connect, &mut gate)).await;
        let conn = self.world.borrow_mut().body.open(self.host, to, port);
        // From here on dropping the stream, also by a timeout, closes the connection.
        let stream = EventStream::new(&self.world, self.host, conn, Side::Client);
        poll_fn(|cx| match &mut self.world.borrow_mut().body {
            body if body.is_down(self.host) => Poll::Pending,
            body => body.connected(conn, cx.waker()),
        })
        .await?;
        Ok(stream)
    }

    async fn listen(&self, port: u16) -> io::Result<EventListener> {
        poll_fn(|_| match &mut self.world.borrow_mut().body {
            // It would keep the port of a dead host, and the next boot would find it taken.
            body if body.is_down(self.host) => Poll::Pending,
            body => Poll::Ready(body.listen(self.host, port)),
        })
        .await?;
        Ok(EventListener { world: Rc::clone(&self.world), host: self.host, port })
    }

    async fn accept(
        &self,
        listener: &mut EventListener,
    ) -> io::Result<(EventStream, Option<HostName>)> {
        let (host, port) = (listener.host, listener.port);
        let (conn, peer) = poll_fn(|cx| match &mut self.world.borrow_mut().body {
            body if body.is_down(host) => Poll::Pending,
            body => body.accept(host, port, cx.waker()),
        })
        .await;
        let stream = EventStream::new(&self.world, self.host, conn, Side::Server);
        let name = self.world.borrow().body.conditions.name(peer);
        Ok((stream, Some(name)))
    }

    fn steady(&self) -> SteadyTime {
        self.clocks().steady
    }

    fn wall(&self) -> WallTime {
        self.clocks().wall
    }

    #[inline]
    fn clocks(&self) -> picklock_models::time::HostTime {
        let body = &self.world.borrow().body;
        body.conditions.host(self.host).clock.read(body.now())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + 'static {
        let target = self.steady() + duration;
        EventSleep { env: self.clone(), target, timer: None, gate: Gate::default() }
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.world.borrow_mut().body.tasks.spawn(self.host, Box::pin(task));
    }

    fn random(&self) -> u64 {
        self.world.borrow_mut().body.random(self.host)
    }
}

/// A listening socket of the event engine.
pub struct EventListener {
    world: Rc<RefCell<World>>,
    host: HostId,
    port: u16,
}

impl Drop for EventListener {
    fn drop(&mut self) {
        let body = &mut self.world.borrow_mut().body;
        // After a crash and reboot the port may already belong to the next program.
        if !body.closing && body.conditions.host(self.host).down == 0 {
            body.stop_listening(self.host, self.port);
        }
    }
}

/// One end of a connection of the event engine.
pub struct EventStream {
    world: Rc<RefCell<World>>,
    host: HostId,
    conn: ConnId,
    side: Side,
    read_gate: Gate,
    write_gate: Gate,
}

impl EventStream {
    fn new(world: &Rc<RefCell<World>>, host: HostId, conn: ConnId, side: Side) -> Self {
        let (read_gate, write_gate) = (Gate::default(), Gate::default());
        Self { world: Rc::clone(world), host, conn, side, read_gate, write_gate }
    }
}

impl AsyncRead for EventStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut world = this.world.borrow_mut();
        if world.body.is_down(this.host) || !world.body.readable(this.conn, this.side, cx.waker()) {
            return Poll::Pending;
        }
        std::task::ready!(world.step(this.host, StepKind::Receive, &mut this.read_gate));
        let room = buffer.remaining();
        Poll::Ready(world.body.read(this.conn, this.side, room, |bytes| buffer.put_slice(bytes)))
    }
}

impl AsyncWrite for EventStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut world = this.world.borrow_mut();
        if world.body.is_down(this.host) || !world.body.writable(this.conn, this.side, cx.waker()) {
            return Poll::Pending;
        }
        std::task::ready!(world.step(this.host, StepKind::Send, &mut this.write_gate));
        Poll::Ready(world.body.write(this.conn, this.side, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Half-closed connections are not modelled: the drop that follows closes both directions.
        Poll::Ready(Ok(()))
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.world.borrow_mut().body.close(self.conn, self.side, self.host);
    }
}

/// A sleep on a host's steady clock.
struct EventSleep {
    env: EventEnv,
    target: SteadyTime,
    timer: Option<TimerId>,
    gate: Gate,
}

impl Future for EventSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut world = this.env.world.borrow_mut();
        let host = this.env.host;
        let timer = *this.timer.get_or_insert_with(|| world.body.set_timer(host, this.target));
        if !world.body.timer_fired(timer, cx.waker()) {
            return Poll::Pending;
        }
        world.step(host, StepKind::Timer, &mut this.gate)
    }
}

impl Drop for EventSleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.env.world.borrow_mut().body.drop_timer(timer);
        }
    }
}
