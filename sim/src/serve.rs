//! Between sockets and a model: one front end for every store that speaks over plain streams.
//!
//! The model decides, the front end moves bytes: it numbers the sessions, reads the server's own
//! clocks, keeps the disk across a crash and tells the recorder what truly happened to the watched
//! records. It is written against [`Env`], so the same front end serves a simulated host and a real
//! port.
//!
//! Before it takes a request it asks whether the model listens to that session; while it does not,
//! the bytes stay where they are, as in a real server's query buffer.

mod redis;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use picklock_models::model::{Change, Crash, Model, Outbox, SessionId};
use picklock_models::time::{HostTime, SteadyTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::env::{Either, Env, race};
use crate::history::{Kind, Op, RecordName};
use crate::host::HostName;
use crate::recorder::Recorder;
use crate::signal::Bell;

/// A model with what a front end needs besides: its wire format and its start.
pub trait Store: Model + Sized + 'static {
    /// How a server is set up.
    type Config: Clone;
    /// How many bytes a session may send ahead while it is not listened to.
    const INPUT_LIMIT: u64;

    /// A server that starts with what its disk holds.
    fn boot(config: Self::Config, disk: Self::Disk, now: HostTime) -> Self;

    /// The watched records that were found on the disk.
    fn loaded(&self, now: HostTime) -> Vec<Change>;

    /// Takes one request of `session` off `input`; `None` if it is not whole yet. An error is what is
    /// written before the connection is closed.
    ///
    /// # Errors
    /// If the bytes are not of this protocol.
    fn decode(
        &self,
        session: SessionId,
        input: &mut BytesMut,
    ) -> Result<Option<Self::Request>, Self::Reply>;

    /// Appends a reply to `output`.
    fn encode(reply: &Self::Reply, output: &mut BytesMut);

    /// How many bytes may wait for `session` to read them before it is cut off. Asked for only when
    /// 64 KiB wait already.
    fn output_limit(&self, session: SessionId) -> u64 {
        let _ = session;
        u64::MAX
    }
}

/// Less than this is never too much to wait for a client.
const LONG_LINE: usize = 64 * 1024;

/// A server of a world: what it is set up with, and what outlives its crashes.
pub struct Server<S: Store> {
    host: HostName,
    config: S::Config,
    watched: Vec<(Bytes, RecordName)>,
    /// What the very first boot finds as if somebody had sent it long ago.
    preloaded: RefCell<Vec<S::Request>>,
    disk: RefCell<S::Disk>,
    running: RefCell<Option<Rc<RefCell<Core<S>>>>>,
    /// Over all boots: a session number is never used twice, and its host stays known.
    sessions: Rc<RefCell<Vec<Option<HostName>>>>,
}

/// One run of a server, from boot to crash.
struct Core<S: Store> {
    model: S,
    outbox: Outbox<S::Reply>,
    /// Replies that wait for their connection's task.
    lines: BTreeMap<SessionId, Line>,
    /// Sessions with bytes that the model does not listen to now.
    parked: BTreeSet<SessionId>,
}

/// What is to be written to one connection.
#[derive(Default)]
struct Line {
    bytes: BytesMut,
    bell: Bell,
    closing: bool,
    /// Whether what waits is not worth sending any more: the client reads too slowly.
    cut: bool,
    /// Rung when that happens, because the task may be in the middle of a write.
    axe: Bell,
}

/// Bytes read at once: as Redis' own query buffer (PROTO_IOBUF_LEN, 16 KiB).
const READ_BYTES: usize = 16 * 1024;

impl<S: Store> Server<S> {
    /// A server on `host`; changes of `watched` keys go into the history under their names.
    pub fn new(host: HostName, config: S::Config, watched: Vec<(Bytes, RecordName)>) -> Self {
        Self {
            host,
            config,
            watched,
            preloaded: RefCell::default(),
            disk: RefCell::default(),
            running: RefCell::default(),
            sessions: Rc::default(),
        }
    }

    /// Requests that are applied before the server opens for the first time.
    #[must_use]
    pub fn preload(self, requests: Vec<S::Request>) -> Self {
        *self.preloaded.borrow_mut() = requests;
        self
    }

    /// Puts the machine down: from now on only the disk remains.
    pub fn crashed(&self, how: Crash) {
        if let Some(core) = self.running.take() {
            *self.disk.borrow_mut() = core.borrow().model.disk_after(how);
        }
    }

    /// Serves `port` until the host goes down.
    ///
    /// # Errors
    /// If the port cannot be listened on.
    pub async fn serve<E: Env>(
        self: Rc<Self>,
        env: E,
        recorder: Recorder,
        port: u16,
    ) -> io::Result<()> {
        let now = env.clocks();
        let model = S::boot(self.config.clone(), self.disk.borrow().clone(), now);
        for change in model.loaded(now) {
            self.record(&change, &recorder);
        }
        let (outbox, lines, parked) = (Outbox::default(), BTreeMap::new(), BTreeSet::new());
        let core = Rc::new(RefCell::new(Core { model, outbox, lines, parked }));
        *self.running.borrow_mut() = Some(Rc::clone(&core));
        let front = Front { server: self, core, env: env.clone(), recorder };

        front.preload();
        env.spawn(front.clone().run_timer());
        let mut listener = env.listen(port).await?;
        loop {
            let (stream, peer) = env.accept(&mut listener).await?;
            env.spawn(front.clone().serve_connection(stream, peer));
        }
    }

    fn record(&self, change: &Change, recorder: &Recorder) {
        let Some((_, record)) = self.watched.iter().find(|(key, _)| *key == change.key) else {
            return;
        };
        let sessions = self.sessions.borrow();
        let host = |session: Option<SessionId>| sessions[session?.0 as usize];
        let (by, owner) = (host(change.by), host(change.owner));
        let op = Op::Record { record: *record, change: change.kind, by, owner };
        recorder.record(self.host, Kind::Info, op);
    }
}

/// What the tasks of one run share.
struct Front<S: Store, E> {
    server: Rc<Server<S>>,
    core: Rc<RefCell<Core<S>>>,
    env: E,
    recorder: Recorder,
}

impl<S: Store, E: Clone> Clone for Front<S, E> {
    fn clone(&self) -> Self {
        Self {
            server: Rc::clone(&self.server),
            core: Rc::clone(&self.core),
            env: self.env.clone(),
            recorder: self.recorder.clone(),
        }
    }
}

impl<S: Store, E: Env> Front<S, E> {
    fn preload(&self) {
        let requests = self.server.preloaded.take();
        if requests.is_empty() {
            return;
        }
        let session = self.open_session(None);
        for request in requests {
            self.with_model(|model, now, outbox| model.apply(now, session, request, outbox));
        }
        self.close_session(session);
    }

    async fn run_timer(self) {
        loop {
            self.env.sleep(S::TICK).await;
            self.with_model(|model, now, outbox| model.tick(now, outbox));
        }
    }

    async fn serve_connection(self, mut stream: E::Stream, peer: Option<HostName>) {
        let session = self.open_session(peer);
        // An error is the end of the connection and of nothing else: its client is gone.
        let ended = self.talk(&mut stream, session).await;
        tracing::trace!(?session, ?ended, "connection ended");
        self.close_session(session);
    }

    fn open_session(&self, peer: Option<HostName>) -> SessionId {
        let session = {
            let mut sessions = self.server.sessions.borrow_mut();
            sessions.push(peer);
            SessionId(sessions.len() as u64 - 1)
        };
        self.core.borrow_mut().lines.insert(session, Line::default());
        self.with_model(|model, now, _| model.connect(now, session));
        session
    }

    fn close_session(&self, session: SessionId) {
        {
            let core = &mut *self.core.borrow_mut();
            core.lines.remove(&session);
            core.parked.remove(&session);
        }
        self.with_model(|model, now, outbox| model.disconnect(now, session, outbox));
    }

    async fn talk(&self, stream: &mut E::Stream, session: SessionId) -> io::Result<()> {
        let mut input = BytesMut::with_capacity(READ_BYTES);
        let mut output = BytesMut::new();
        let (bell, axe) = self.with_line(session, |line| (line.bell.clone(), line.axe.clone()));
        loop {
            let closing = self.with_line(session, |line| {
                std::mem::swap(&mut line.bytes, &mut output);
                line.closing
            });
            if !output.is_empty() {
                match race(stream.write_all(&output), axe.rung()).await {
                    Either::Left(written) => written?,
                    Either::Right(()) => return Ok(()),
                }
                output.clear();
                continue;
            }
            if closing {
                return Ok(());
            }
            // What came while the model did not listen; it may do so again.
            if !input.is_empty() && self.is_parked(session) {
                self.answer(&mut input, session);
                if self.with_line(session, |line| line.closing || !line.bytes.is_empty()) {
                    continue;
                }
            }
            input.reserve(READ_BYTES);
            match race(bell.rung(), stream.read_buf(&mut input)).await {
                Either::Left(()) => {}
                Either::Right(read) => match read? {
                    0 => return Ok(()),
                    _ => self.answer(&mut input, session),
                },
            }
        }
    }

    fn is_parked(&self, session: SessionId) -> bool {
        self.core.borrow().parked.contains(&session)
    }

    /// Applies every whole request in `input` that the model listens to.
    fn answer(&self, input: &mut BytesMut, session: SessionId) {
        loop {
            let decoded = {
                let core = &mut *self.core.borrow_mut();
                if !core.model.listens(session) {
                    core.parked.insert(session);
                    return core.bound(session, input.len());
                }
                core.parked.remove(&session);
                core.model.decode(session, input)
            };
            match decoded {
                Ok(Some(request)) => self.with_model(|model, now, outbox| {
                    model.apply(now, session, request, outbox);
                }),
                Ok(None) => return,
                Err(last_words) => {
                    return self.with_line(session, |line| {
                        S::encode(&last_words, &mut line.bytes);
                        line.closing = true;
                    });
                }
            }
            if self.with_line(session, |line| line.closing) {
                return;
            }
        }
    }

    fn with_line<T>(&self, session: SessionId, act: impl FnOnce(&mut Line) -> T) -> T {
        act(self.core.borrow_mut().lines.entry(session).or_default())
    }

    /// Lets the model act, then passes on what it has to say.
    fn with_model(&self, act: impl FnOnce(&mut S, HostTime, &mut Outbox<S::Reply>)) {
        let now = self.env.clocks();
        let mut core = self.core.borrow_mut();
        let Core { model, outbox, lines, parked } = &mut *core;
        outbox.clear();
        act(model, now, outbox);
        for (session, reply) in &outbox.replies {
            // A session that has just ended gets nothing any more.
            if let Some(line) = lines.get_mut(session).filter(|line| !line.cut) {
                S::encode(reply, &mut line.bytes);
                if line.bytes.len() > LONG_LINE {
                    line.bound(model.output_limit(*session));
                }
                line.bell.ring();
            }
        }
        for session in &outbox.closed {
            if let Some(line) = lines.get_mut(session) {
                line.closing = true;
                line.bell.ring();
            }
        }
        for session in parked.iter().filter(|session| model.listens(**session)) {
            if let Some(line) = lines.get(session) {
                line.bell.ring();
            }
        }
        for change in &outbox.changes {
            self.server.record(change, &self.recorder);
        }
        if let Some(alarm) = outbox.alarm {
            self.env.spawn(self.clone().wake_at(now, alarm));
        }
    }

    /// Lets the model act at an instant that it asked for.
    async fn wake_at(self, now: HostTime, alarm: SteadyTime) {
        self.env.sleep(alarm.since(now.steady)).await;
        self.with_model(|model, now, outbox| model.wake(now, outbox));
    }
}

impl Line {
    /// Cuts the client off if too much waits for it.
    fn bound(&mut self, limit: u64) {
        if self.bytes.len() as u64 > limit {
            self.bytes = BytesMut::new();
            self.closing = true;
            self.cut = true;
            self.axe.ring();
        }
    }
}

impl<S: Store> Core<S> {
    /// Cuts `session` off if it sends on and on without being listened to
    /// (`client-query-buffer-limit`).
    fn bound(&mut self, session: SessionId, waiting: usize) {
        if waiting as u64 > S::INPUT_LIMIT {
            let line = self.lines.entry(session).or_default();
            line.closing = true;
            line.bell.ring();
        }
    }
}
