//! Between sockets and a model: one front end for every store.
//!
//! The model decides, the front end moves bytes: it numbers the sessions, reads the server's own
//! clocks, keeps the disk across a crash and tells the recorder what truly happened to the watched
//! records. It is written against [`Env`], so the same front end serves a simulated host and a real
//! port.
//!
//! How a connection is talked on is the store's own: `bytes` for one that answers a stream of
//! requests with a stream of replies, `grpc` for one with many calls on each connection.
//!
//! On a real port anybody may send anything. So what one connection can cost the others is bounded. In
//! a simulated world no bound is ever met, as time stands still while a server computes.

mod bytes;
mod etcd;
mod grpc;
mod line;
mod records;
mod redis;
mod zookeeper;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use ::bytes::Bytes;
use picklock_models::model::{Change, Crash, Model, Outbox, SessionId};
use picklock_models::time::{HostTime, SteadyTime};

use crate::env::Env;
use crate::history::{Kind, RecordName};
use crate::host::HostName;
use crate::recorder::Recorder;
use crate::signal::Bell;
use records::Records;

pub use self::bytes::ByteStore;
pub use grpc::Calls;
pub use line::ByteLine;

/// So long a connection's requests are answered in one go; then it rests as long as that took, and
/// others have their turn.
const TURN: Duration = Duration::from_millis(10);

/// A model with what a front end needs besides: its start, and how its connections are talked on.
pub trait Store: Model + Sized + 'static {
    /// How a server is set up.
    type Config: Clone;
    /// What waits to be sent on one connection.
    type Line: Line<Self>;

    /// A server that starts with what its disk holds.
    fn boot(config: Self::Config, disk: Self::Disk, now: HostTime) -> Self;

    /// The watched records that were found on the disk.
    fn loaded(&self, now: HostTime) -> Vec<Change>;

    /// Talks on a connection until it ends.
    ///
    /// # Errors
    /// If the stream fails, or what comes is not of this protocol.
    fn talk<E: Env>(
        front: &Front<Self, E>,
        stream: E::Stream,
        session: SessionId,
        line: Rc<Self::Line>,
    ) -> impl Future<Output = io::Result<()>>;
}

/// What waits to be sent on one connection; shared by its task and by whoever has something for it.
pub trait Line<S: Store>: Default + 'static {
    /// Puts a reply behind those that wait.
    fn add(&self, model: &S, session: SessionId, reply: &S::Reply);

    /// The connection ends once everything is written.
    fn close(&self);

    /// Has the connection's task look at the line.
    fn stir(&self);
}

/// A server of a world: what it is set up with, and what outlives its crashes.
pub struct Server<S: Store> {
    host: HostName,
    config: S::Config,
    watched: Vec<(Bytes, RecordName)>,
    records: RefCell<Records>,
    /// What the very first boot finds as if somebody had sent it long ago.
    preloaded: RefCell<Vec<S::Request>>,
    disk: RefCell<S::Disk>,
    running: RefCell<Option<Rc<RefCell<Core<S>>>>>,
    sessions: RefCell<Sessions>,
}

/// Over all boots: a session number is never used twice, and its host stays known where the world
/// could tell it.
#[derive(Default)]
struct Sessions {
    count: u64,
    hosts: BTreeMap<SessionId, HostName>,
}

/// One run of a server, from boot to crash.
struct Core<S: Store> {
    model: S,
    outbox: Outbox<S::Reply>,
    /// Where each connection's task finds what there is for it.
    lines: BTreeMap<SessionId, Rc<S::Line>>,
    /// Sessions with bytes that the model does not listen to now.
    parked: BTreeSet<SessionId>,
    /// Rung for the timer when the model rests no more.
    timer: Bell,
    timer_rests: bool,
}

impl<S: Store> Core<S> {
    /// What to wait for before the next tick, if the model rests.
    fn rest(&mut self) -> Option<Bell> {
        self.timer_rests = self.model.rests();
        self.timer_rests.then(|| self.timer.clone())
    }
}

impl<S: Store> Server<S> {
    /// A server on `host`; changes of `watched` keys go into the history under their names, and so do those
    /// of keys below the lock's.
    pub fn new(host: HostName, config: S::Config, watched: Vec<(Bytes, RecordName)>) -> Self {
        Self {
            host,
            config,
            records: RefCell::new(Records::new(watched.clone())),
            watched,
            preloaded: RefCell::default(),
            disk: RefCell::default(),
            running: RefCell::default(),
            sessions: RefCell::default(),
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
        let front = self.boot(env, recorder);
        let listener = front.env.listen(port).await?;
        front.accept_from(listener).await
    }

    /// Serves whoever comes to `listener` until the host goes down.
    ///
    /// # Errors
    /// If the listener fails for good.
    pub async fn serve_on<E: Env>(
        self: Rc<Self>,
        env: E,
        recorder: Recorder,
        listener: E::Listener,
    ) -> io::Result<()> {
        self.boot(env, recorder).accept_from(listener).await
    }

    fn boot<E: Env>(self: Rc<Self>, env: E, recorder: Recorder) -> Front<S, E> {
        let now = env.clocks();
        let model = S::boot(self.config.clone(), self.disk.borrow().clone(), now);
        *self.records.borrow_mut() = Records::new(self.watched.clone());
        for change in model.loaded(now) {
            self.record(&change, &recorder);
        }
        let core = Rc::new(RefCell::new(Core {
            model,
            outbox: Outbox::default(),
            lines: BTreeMap::new(),
            parked: BTreeSet::new(),
            timer: Bell::default(),
            timer_rests: false,
        }));
        *self.running.borrow_mut() = Some(Rc::clone(&core));
        let front = Front { server: self, core, env, recorder };
        front.preload();
        front.env.spawn(front.clone().run_timer());
        front
    }

    fn record(&self, change: &Change, recorder: &Recorder) {
        let sessions = self.sessions.borrow();
        let host = |session: Option<SessionId>| sessions.hosts.get(&session?).copied();
        let (by, owner) = (host(change.by), host(change.owner));
        let ops = self.records.borrow_mut().follow(change, by, owner);
        for op in ops.into_iter().flatten() {
            recorder.record(self.host, Kind::Info, op);
        }
    }
}

/// A server at work: what the tasks of one run share.
pub struct Front<S: Store, E> {
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
        let (session, _) = self.open_session(None);
        for request in requests {
            self.with_model(|model, now, outbox| model.apply(now, session, request, outbox));
        }
        self.close_session(session);
    }

    async fn accept_from(self, mut listener: E::Listener) -> io::Result<()> {
        loop {
            let (stream, peer) = self.env.accept(&mut listener).await?;
            self.env.spawn(self.clone().serve_connection(stream, peer));
        }
    }

    async fn run_timer(self) {
        let mut wait = S::TICK;
        loop {
            self.env.sleep(wait).await;
            self.with_model(|model, now, outbox| model.tick(now, outbox));
            wait = S::TICK;
            let ticked = self.env.steady();
            let rest = self.core.borrow_mut().rest();
            if let Some(bell) = rest {
                bell.rung().await;
                // The ticks in between would have done nothing; the next one comes in their rhythm.
                let rested = self.env.steady().since(ticked).as_nanos() as u64;
                let tick = S::TICK.as_nanos() as u64;
                wait = Duration::from_nanos(tick - rested % tick);
            }
        }
    }

    async fn serve_connection(self, stream: E::Stream, peer: Option<HostName>) {
        let (session, line) = self.open_session(peer);
        tracing::debug!(session = session.0, "connection begins");
        // An error is the end of the connection and of nothing else: its client is gone.
        let ended = S::talk(&self, stream, session, line).await;
        tracing::debug!(session = session.0, ?ended, "connection ends");
        self.close_session(session);
    }

    fn open_session(&self, peer: Option<HostName>) -> (SessionId, Rc<S::Line>) {
        let session = {
            let mut sessions = self.server.sessions.borrow_mut();
            let session = SessionId(sessions.count);
            sessions.count += 1;
            sessions.hosts.extend(peer.map(|peer| (session, peer)));
            session
        };
        let line = Rc::<S::Line>::default();
        self.core.borrow_mut().lines.insert(session, Rc::clone(&line));
        self.with_model(|model, now, _| model.connect(now, session));
        (session, line)
    }

    fn close_session(&self, session: SessionId) {
        {
            let core = &mut *self.core.borrow_mut();
            core.lines.remove(&session);
            core.parked.remove(&session);
        }
        self.with_model(|model, now, outbox| model.disconnect(now, session, outbox));
    }

    /// Lets the model act, then passes on what it has to say.
    fn with_model(&self, act: impl FnOnce(&mut S, HostTime, &mut Outbox<S::Reply>)) {
        let now = self.env.clocks();
        let mut core = self.core.borrow_mut();
        let Core { model, outbox, lines, parked, timer, timer_rests } = &mut *core;
        outbox.clear();
        act(model, now, outbox);
        for (session, reply) in &outbox.replies {
            // A session that has just ended gets nothing any more.
            if let Some(line) = lines.get(session) {
                line.add(model, *session, reply);
            }
        }
        for session in &outbox.closed {
            if let Some(line) = lines.get(session) {
                line.close();
            }
        }
        if *timer_rests && !model.rests() {
            *timer_rests = false;
            timer.ring();
        }
        for session in parked.iter().filter(|session| model.listens(**session)) {
            if let Some(line) = lines.get(session) {
                line.stir();
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
