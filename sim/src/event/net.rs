//! Connections as a pair of byte pipes, with the failures that a TCP socket shows.
//!
//! Bytes of one direction arrive in order. A packet that meets a cut link is held and delivered
//! after the heal, because TCP retransmits: a partition alone loses nothing and reorders nothing.
//! A connection to a dead process is refused, to a dead machine stays unanswered; a frozen process
//! still has a kernel, which accepts connections into the backlog and buffers bytes.
//!
//! Here is the sockets' side; `wire` is what happens to packets on their way.

mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::task::{Poll, Waker};

use slab::Slab;

use super::tasks::{Interest, Tasks};
use super::world::Body;
use crate::conditions::HostId;
use crate::host::HostName;
use crate::plan::WorldPlan;
use crate::seed::{Seed, Stream};
use crate::tap::Tapping;
use crate::time::SimTime;

/// Unread bytes a connection holds per direction before writers have to wait: Linux' default
/// maximum for a TCP receive buffer is of this order (tcp_rmem, 6 MB), its initial one 128 KiB.
const WINDOW_BYTES: usize = 1 << 20;

/// A pipe that never runs empty lets go of what was read when it comes to so much.
const COMPACT_BYTES: usize = 64 * 1024;

/// Connections a listener holds before it drops SYNs: Redis' default `tcp-backlog` is 511, but the
/// kernel caps it at net.core.somaxconn, 128 on older systems.
const BACKLOG: usize = 128;

pub(super) type ConnId = u32;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Client,
    Server,
}

/// One direction of a connection, named by its sending side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PipeId {
    conn: ConnId,
    sender: Side,
}

pub(super) struct Net {
    conns: Slab<Conn>,
    listeners: Vec<BTreeMap<u16, Listener>>,
    links: Vec<Option<Box<Link>>>,
    seed: Seed,
    /// The shortest and the longest.
    latency_ns: (u64, u64),
}

/// What is drawn for one direction between two hosts, each from its own stream.
struct Link {
    latency: Stream,
    loss: Stream,
}

#[derive(Default)]
struct Listener {
    backlog: VecDeque<ConnId>,
    acceptor: Option<Interest>,
}

struct Conn {
    port: u16,
    established: bool,
    ends: [End; 2],
    /// Indexed by the sending side.
    pipes: [Pipe; 2],
}

struct End {
    host: HostId,
    /// Its program has let go of it.
    closed: bool,
    reset: bool,
    reader: Option<Interest>,
    writer: Option<Interest>,
}

#[derive(Default)]
struct Pipe {
    /// Bytes sent; those before `read` are done with.
    bytes: Vec<u8>,
    read: usize,
    /// How many of the bytes behind those can be read.
    arrived: usize,
    /// Packets on their way; one arrival is on the agenda for each that is not held.
    flying: VecDeque<Packet>,
    /// How many of them have met a cut and wait for the heal.
    held: u32,
    last_arrival: SimTime,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packet {
    Syn,
    SynAck,
    Data(usize),
    Fin,
    Rst,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl Net {
    pub(super) fn new(plan: &WorldPlan) -> Self {
        let hosts = plan.hosts.len();
        Self {
            conns: Slab::new(),
            listeners: (0..hosts).map(|_| BTreeMap::new()).collect(),
            links: (0..hosts * hosts).map(|_| None).collect(),
            seed: plan.seed,
            latency_ns: (plan.latency.min_us * 1000, plan.latency.max_us * 1000),
        }
    }

    fn conn(&mut self, id: ConnId) -> &mut Conn {
        &mut self.conns[id as usize]
    }

    fn ends_of(&self, pipe: PipeId) -> (HostId, HostId) {
        let ends = &self.conns[pipe.conn as usize].ends;
        (ends[pipe.sender as usize].host, ends[pipe.sender.other() as usize].host)
    }

    /// All pipes that carry bytes from one host to the other.
    fn pipes_between(&self, from: HostId, to: HostId) -> Vec<PipeId> {
        let both = |(conn, _)| {
            [Side::Client, Side::Server].map(|sender| PipeId { conn: conn as ConnId, sender })
        };
        let all = self.conns.iter().flat_map(both);
        all.filter(|pipe| self.ends_of(*pipe) == (from, to)).collect()
    }

    /// Forgets a connection that nobody can see any more.
    fn forget_if_over(&mut self, id: ConnId) {
        let conn = &self.conns[id as usize];
        let over = conn.ends.iter().all(|end| end.closed)
            && conn.pipes.iter().all(|pipe| pipe.flying.is_empty());
        if over {
            self.conns.remove(id as usize);
        }
    }
}

impl Conn {
    fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    fn reset(&mut self, side: Side, tasks: &mut Tasks) {
        let end = self.end(side);
        end.reset = true;
        end.wake(tasks);
    }
}

impl End {
    fn wake(&mut self, tasks: &mut Tasks) {
        for interest in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            tasks.tell(interest);
        }
    }
}

impl Pipe {
    /// Bytes that are on their way or wait to be read.
    fn unread(&self) -> usize {
        self.bytes.len() - self.read
    }

    /// Lets go of the first bytes.
    fn advance(&mut self, length: usize) {
        self.read += length;
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        } else if self.read > COMPACT_BYTES {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
    }
}

/// What programs do with sockets.
impl Body {
    pub(super) fn listen(&mut self, host: HostId, port: u16) -> io::Result<()> {
        let ports = &mut self.net.listeners[usize::from(host.0)];
        if ports.contains_key(&port) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        ports.insert(port, Listener::default());
        Ok(())
    }

    pub(super) fn stop_listening(&mut self, host: HostId, port: u16) {
        let listener = self.net.listeners[usize::from(host.0)].remove(&port);
        for conn in listener.into_iter().flat_map(|listener| listener.backlog) {
            self.close(conn, Side::Server, host);
        }
    }

    /// The next connection of a listener, with the host it comes from.
    pub(super) fn accept(
        &mut self,
        host: HostId,
        port: u16,
        waker: &Waker,
    ) -> Poll<(ConnId, HostId)> {
        let listener = self.net.listeners[usize::from(host.0)].get_mut(&port);
        let listener = listener.expect("a listener lives as long as its handle");
        match listener.backlog.pop_front() {
            Some(conn) => Poll::Ready((conn, self.net.conn(conn).end(Side::Client).host)),
            None => {
                listener.acceptor = Some(self.tasks.interest(self.current, waker));
                Poll::Pending
            }
        }
    }

    /// Sends a SYN.
    pub(super) fn open(&mut self, from: HostId, to: HostId, port: u16) -> ConnId {
        let end = |host| End { host, closed: false, reset: false, reader: None, writer: None };
        let mut conn = Conn {
            port,
            established: false,
            ends: [end(from), end(to)],
            pipes: [Pipe::default(), Pipe::default()],
        };
        // Nobody has it in hands on that side until it is accepted.
        conn.end(Side::Server).closed = true;
        let id = self.net.conns.insert(conn) as ConnId;
        self.send(PipeId { conn: id, sender: Side::Client }, Packet::Syn);
        id
    }

    pub(super) fn connected(&mut self, conn: ConnId, waker: &Waker) -> Poll<io::Result<()>> {
        let conn = self.net.conn(conn);
        if conn.ends[Side::Client as usize].reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()));
        }
        if conn.established {
            return Poll::Ready(Ok(()));
        }
        conn.end(Side::Client).reader = Some(self.tasks.interest(self.current, waker));
        Poll::Pending
    }

    /// Whether [`Body::read`] would give something (bytes, the end, an error).
    pub(super) fn readable(&mut self, id: ConnId, side: Side, waker: &Waker) -> bool {
        let conn = self.net.conn(id);
        let pipe = &conn.pipes[side.other() as usize];
        let ready = pipe.arrived > 0 || pipe.ended || conn.ends[side as usize].reset;
        if !ready {
            conn.end(side).reader = Some(self.tasks.interest(self.current, waker));
        }
        ready
    }

    /// Takes what has arrived; nothing means that the peer has closed.
    pub(super) fn read(
        &mut self,
        id: ConnId,
        side: Side,
        room: usize,
        take: impl FnOnce(&[u8]),
    ) -> io::Result<()> {
        let conn = self.net.conn(id);
        if conn.end(side).reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let pipe = &mut conn.pipes[side.other() as usize];
        let length = pipe.arrived.min(room);
        take(&pipe.bytes[pipe.read..pipe.read + length]);
        pipe.advance(length);
        pipe.arrived -= length;
        if let Some(writer) = conn.end(side.other()).writer.take() {
            self.tasks.tell(writer);
        }
        Ok(())
    }

    /// Whether [`Body::write`] would take something (or fail).
    pub(super) fn writable(&mut self, id: ConnId, side: Side, waker: &Waker) -> bool {
        let conn = self.net.conn(id);
        let full = conn.pipes[side as usize].unread() >= WINDOW_BYTES;
        let ready = conn.end(side).reset || !full;
        if !ready {
            conn.end(side).writer = Some(self.tasks.interest(self.current, waker));
        }
        ready
    }

    /// Sends bytes; how many of them.
    pub(super) fn write(&mut self, id: ConnId, side: Side, bytes: &[u8]) -> io::Result<usize> {
        let pipe = PipeId { conn: id, sender: side };
        let (from, to) = self.net.ends_of(pipe);
        let link = self.conditions.link_mut(from, to);
        let (refused, lost) = (link.refusing > 0, std::mem::take(&mut link.reset_next));
        let conn = self.net.conn(id);
        if refused {
            conn.reset(side, &mut self.tasks);
        }
        if conn.end(side).reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if lost {
            // The kernel takes the bytes; they never arrive, and both ends learn of the reset.
            conn.reset(side, &mut self.tasks);
            self.tap(|tap, ends, now| _ = tap.lost(ends, now, bytes), (from, to));
            self.send(pipe, Packet::Rst);
            return Ok(bytes.len());
        }
        let out = &mut conn.pipes[side as usize];
        let length = bytes.len().min(WINDOW_BYTES - out.unread());
        out.bytes.extend_from_slice(&bytes[..length]);
        self.tap(|tap, ends, now| tap.sent(pipe, ends, now, &bytes[..length]), (from, to));
        self.send_between((from, to), pipe, Packet::Data(length));
        self.log.messages += 1;
        Ok(length)
    }

    /// Lets a tap, if there is one, see something between two hosts.
    fn tap(
        &mut self,
        see: impl FnOnce(&mut Tapping<PipeId>, (HostName, HostName), SimTime),
        (from, to): (HostId, HostId),
    ) {
        let now = self.now();
        if let Some(tap) = &mut self.tap {
            see(tap, (self.conditions.name(from), self.conditions.name(to)), now);
        }
    }

    /// A program lets go of its end: FIN, or RST if it left something unread.
    pub(super) fn close(&mut self, id: ConnId, side: Side, host: HostId) {
        // At the end of a run, and after a crash, sockets are gone before their handles, and their
        // number may already be another connection's.
        let Some(conn) = self.net.conns.get_mut(id as usize) else { return };
        if self.closing || conn.end(side).host != host || conn.end(side).closed {
            return;
        }
        conn.end(side).closed = true;
        let unread = conn.pipes[side.other() as usize].arrived > 0;
        if !conn.end(side).reset {
            let goodbye = if unread { Packet::Rst } else { Packet::Fin };
            self.send(PipeId { conn: id, sender: side }, goodbye);
        }
        self.net.forget_if_over(id);
    }
}
