//! The task that owns a handle's socket: connects, shakes hands, writes and reads, and clears up when it
//! breaks (`ClientCnxn.SendThread`, `ClientCnxnSocketNIO`).
//!
//! The order in which things are told is the library's: first those whose requests are lost learn it, then
//! the session's watcher is told that the connection is. All times are the library's, too; with one server
//! a client that lost its connection is back after 1.1 to 2.1 seconds at the earliest.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use picklock_models::time::SteadyTime;
use picklock_models::zookeeper::jute::{Jute, put_frame};
use picklock_models::zookeeper::records::Zxid;
use picklock_models::zookeeper::{
    Answer, ConnectRequest, ConnectResponse, Operation, ReadOnlyFlag, Reply, Request,
};
use picklock_sim::env::{Either, Env, race};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::pace::{Next, Pace};
use super::watches::Watched;
use super::{Life, Packet, SessionEvent, Shared, ZkError};
use crate::lock::Renewal;

/// The pause after a socket is closed (`ClientCnxnSocketNIO.cleanup`).
const AFTER_CLOSING: Duration = Duration::from_millis(100);
/// The pause before the same server is tried again (`StaticHostProvider.next`): with one server before
/// every attempt but the first.
const BEFORE_SAME_SERVER: Duration = Duration::from_secs(1);
/// Once a connection has come about, every later attempt waits for less than this, drawn anew
/// (`SendThread.startConnect`).
const DRAWN_BELOW_MS: u64 = 1000;
/// The number of every ping and of its answer.
const PING_XID: i32 = -2;
/// There is always room for so much of an answer: more than most are.
const READ_BYTES: usize = 1024;

/// The task's belongings.
pub(super) struct Connection<E: Env> {
    env: E,
    shared: Rc<Shared>,
    /// A server was tried before.
    tried: bool,
    /// A connection came about before (`isFirstConnect`).
    reached: bool,
    /// When the present connection's handshake was sent.
    greeted_at: SteadyTime,
    password: Bytes,
    last_zxid: Zxid,
    /// The number of the next request; counts on over all connections.
    xid: i32,
    /// Requests that were written and not answered, oldest first.
    pending: VecDeque<(i32, Packet)>,
    /// A ping is on its way.
    pinged: bool,
    input: BytesMut,
    output: BytesMut,
}

/// What the task was woken by.
enum Stirred {
    /// Something has come in.
    Received,
    /// The timer.
    Time,
    /// There is something to send, or room to send it, or it is over.
    Other,
}

impl<E: Env> Connection<E> {
    pub(super) fn new(env: E, shared: Rc<Shared>) -> Self {
        Self {
            env,
            shared,
            tried: false,
            reached: false,
            greeted_at: SteadyTime::default(),
            password: Bytes::from_static(&[0; 16]),
            last_zxid: Zxid(0),
            xid: 1,
            pending: VecDeque::new(),
            pinged: false,
            input: BytesMut::new(),
            output: BytesMut::new(),
        }
    }

    /// One connection after the other, for as long as the session may go on.
    pub(super) async fn run(mut self) {
        while self.shared.life.get() == Life::Alive {
            let Err(ended) = self.connect_and_talk().await;
            tracing::debug!(address = &*self.shared.setup.address, %ended, "connection ends");
            self.clear_up().await;
            if self.shared.life.get() == Life::Alive {
                self.shared.tell(SessionEvent::Disconnected);
            }
        }
        self.shared.life.set(Life::Over);
        self.fail_all();
        if self.shared.told.get() != SessionEvent::Expired {
            self.shared.tell(SessionEvent::Closed);
        }
    }

    /// One connection from its beginning to its end, which is always an error.
    async fn connect_and_talk(&mut self) -> io::Result<Infallible> {
        if std::mem::replace(&mut self.tried, true) {
            self.env.sleep(BEFORE_SAME_SERVER).await;
        }
        if self.reached {
            let drawn_ms = self.env.random() % DRAWN_BELOW_MS;
            self.env.sleep(Duration::from_millis(drawn_ms)).await;
        }
        // The whole timeout for the one server, first for the socket, then for the handshake.
        let patience = Duration::from_millis(self.shared.timeout_ms.get().into());
        let (env, shared) = (self.env.clone(), Rc::clone(&self.shared));
        let connecting = env.timeout(patience, env.connect(&shared.setup.address));
        let mut stream = shared.unless_over(connecting).await?.map_err(io::Error::other)??;
        self.reached = true;
        let shaking = env.timeout(patience, self.shake_hands(&mut stream));
        let response = shared.unless_over(shaking).await?.map_err(io::Error::other)??;
        self.begin(response)?;
        self.talk(&mut stream).await
    }

    async fn shake_hands(&mut self, stream: &mut E::Stream) -> io::Result<ConnectResponse> {
        self.input.clear();
        self.output.clear();
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.last_zxid,
            timeout_ms: i32::try_from(self.shared.setup.timeout_ms).unwrap_or(i32::MAX),
            session: self.shared.session.get(),
            password: Some(self.password.clone()),
            read_only: ReadOnlyFlag(Some(false)),
        };
        Request::Connect(request).encode(&mut self.output);
        self.greeted_at = self.env.steady();
        stream.write_all(&self.output).await?;
        self.output.clear();
        loop {
            match Reply::decode_connected(&mut self.input) {
                Ok(Some(response)) => return Ok(response),
                Ok(None) => {}
                Err(malformed) => return Err(io::Error::other(malformed)),
            }
            self.input.reserve(READ_BYTES);
            if stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The server has answered the handshake: the session goes on, or it is over
    /// (`SendThread.onConnected`).
    fn begin(&mut self, response: ConnectResponse) -> io::Result<()> {
        let Some(timeout_ms) = u32::try_from(response.timeout_ms).ok().filter(|ms| *ms > 0) else {
            self.shared.life.set(Life::Over);
            self.shared.tell(SessionEvent::Expired);
            return Err(io::Error::other("the session has expired"));
        };
        self.shared.timeout_ms.set(timeout_ms);
        self.shared.session.set(response.session);
        self.password = response.password.unwrap_or_default();
        // Before anything that waits in the queue.
        if let Some(again) = self.shared.watches.borrow().again(self.last_zxid) {
            let operation = Operation::SetWatches(again);
            let packet = Packet { operation, watch: None, asker: None };
            self.shared.queue.borrow_mut().push_front(packet);
        }
        self.shared.tell(SessionEvent::SyncConnected);
        Ok(())
    }

    async fn talk(&mut self, stream: &mut E::Stream) -> io::Result<Infallible> {
        let now = self.env.steady();
        let mut pace = Pace::new(self.shared.timeout_ms.get(), self.greeted_at, now);
        let mut due = self.keep_pace(&mut pace)?;
        loop {
            // A timer is kept while nothing is due before it: most of what happens puts off what is due.
            let until = due;
            let mut timer = pin!(self.env.sleep(until.since(self.env.steady())));
            while due >= until {
                if !self.shared.is_alive() {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                if self.encode_queue() {
                    pace.sent(self.env.steady());
                }
                match self.stir(stream, timer.as_mut()).await? {
                    Stirred::Received => self.take_replies(&mut pace)?,
                    Stirred::Other => {}
                    // It is over; what happened meanwhile may have put off what was due.
                    Stirred::Time if due > until => break,
                    Stirred::Time => {
                        due = self.keep_pace(&mut pace)?;
                        break;
                    }
                }
                due = self.keep_pace(&mut pace)?;
            }
        }
    }

    /// Pings if that is due; when something is due next.
    fn keep_pace(&mut self, pace: &mut Pace) -> io::Result<SteadyTime> {
        loop {
            let now = self.env.steady();
            match pace.next(now) {
                Next::TimedOut => return Err(io::ErrorKind::TimedOut.into()),
                Next::Wait(wait) => return Ok(now + wait),
                Next::Ping => {
                    encode(PING_XID, &Operation::Ping(()), &mut self.output);
                    pace.sent(now);
                    self.pinged = true;
                    (self.shared.setup.on_ping)(Renewal::Sent);
                }
            }
        }
    }

    /// Makes bytes of the requests that wait; whether there were any.
    fn encode_queue(&mut self) -> bool {
        let mut queue = self.shared.queue.borrow_mut();
        let any = !queue.is_empty();
        for packet in queue.drain(..) {
            let xid = self.xid;
            self.xid = self.xid.wrapping_add(1).max(1);
            encode(xid, &packet.operation, &mut self.output);
            self.pending.push_back((xid, packet));
        }
        any
    }

    /// Waits for something to happen, and writes meanwhile what there is to write.
    async fn stir(
        &mut self,
        stream: &mut E::Stream,
        mut timer: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<Stirred> {
        self.input.reserve(READ_BYTES);
        let Self { shared, input, output, .. } = self;
        poll_fn(|cx| {
            if !output.is_empty()
                && let Poll::Ready(written) = pin!(stream.write_buf(output)).poll(cx)
            {
                return Poll::Ready(written.map(|_| Stirred::Other));
            }
            if let Poll::Ready(read) = pin!(stream.read_buf(input)).poll(cx) {
                return Poll::Ready(match read? {
                    0 => Err(io::ErrorKind::UnexpectedEof.into()),
                    _ => Ok(Stirred::Received),
                });
            }
            if pin!(shared.bell.rung()).poll(cx).is_ready() {
                return Poll::Ready(Ok(Stirred::Other));
            }
            timer.as_mut().poll(cx).map(|()| Ok(Stirred::Time))
        })
        .await
    }

    /// Takes the whole messages that have come in.
    fn take_replies(&mut self, pace: &mut Pace) -> io::Result<()> {
        loop {
            let oldest = self.pending.front().map_or(0, |(_, packet)| packet.operation.opcode());
            let ping = Operation::Ping(()).opcode();
            let opcode_of = |xid| if xid == PING_XID { ping } else { oldest };
            let reply = match Reply::decode(&mut self.input, opcode_of) {
                Ok(Some(reply)) => reply,
                Ok(None) => return Ok(()),
                Err(malformed) => return Err(io::Error::other(malformed)),
            };
            pace.heard(self.env.steady());
            match reply {
                Reply::Event(event) => self.shared.watches.borrow_mut().go_off(&event),
                Reply::Answer { xid: PING_XID, .. } => {
                    self.pinged = false;
                    (self.shared.setup.on_ping)(Renewal::Done);
                }
                Reply::Answer { xid, zxid, answer } => {
                    // Answers come in the order of the requests; anything else is the end.
                    let in_order = self.pending.front().is_some_and(|(oldest, _)| *oldest == xid);
                    let Some((_, packet)) = self.pending.pop_front().filter(|_| in_order) else {
                        return Err(io::Error::other("an answer out of order"));
                    };
                    if zxid.0 > 0 {
                        self.last_zxid = zxid;
                    }
                    self.shared.finish(packet, answer.map_err(ZkError::from));
                }
                Reply::Text(_) | Reply::Connected(_) => {
                    return Err(io::Error::other("no answer to any request"));
                }
            }
        }
    }

    /// The connection has ended: after a moment, whoever waits for an answer learns that none will come.
    async fn clear_up(&mut self) {
        self.env.sleep(AFTER_CLOSING).await;
        if std::mem::take(&mut self.pinged) {
            (self.shared.setup.on_ping)(Renewal::Unknown);
        }
        self.fail_all();
    }

    fn fail_all(&mut self) {
        let over = self.shared.life.get() == Life::Over;
        let error = |sent| match over {
            true => ZkError::SessionExpired { sent },
            false => ZkError::ConnectionLoss { sent },
        };
        for (_, packet) in self.pending.drain(..) {
            self.shared.finish(packet, Err(error(true)));
        }
        let waiting = self.shared.queue.take();
        for packet in waiting {
            self.shared.finish(packet, Err(error(false)));
        }
    }
}

impl Shared {
    /// Gives `work` up as soon as the session is.
    async fn unless_over<F: Future>(&self, work: F) -> io::Result<F::Output> {
        let over = async {
            while self.is_alive() {
                self.bell.rung().await;
            }
        };
        match race(work, over).await {
            Either::Left(output) => Ok(output),
            Either::Right(()) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// A request is answered, or will not be.
    fn finish(&self, packet: Packet, answer: Result<Answer, ZkError>) {
        if let Some(bell) = packet.watch
            && let Some((what, path)) = Watched::left_by(packet.operation, &answer)
        {
            self.watches.borrow_mut().add(what, path, bell);
        }
        if let Some(asker) = packet.asker {
            asker.put(answer);
        }
    }
}

/// Appends a request, which is kept until it is answered.
fn encode(xid: i32, operation: &Operation, output: &mut BytesMut) {
    put_frame(output, |frame| {
        xid.write(frame);
        operation.opcode().write(frame);
        operation.write(frame);
    });
}
