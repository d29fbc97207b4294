//! A client of ZooKeeper as its Java library is one: a session, the connection that carries it, and what
//! is told when that breaks (`ClientCnxn.java`, 3.8).
//!
//! A [`ZkHandle`] is one session. Requests go out in order without waiting for each other's answers; a
//! task of its own (`connection`) owns the socket: it pings, gives a silent server up after two thirds of
//! the timeout, and comes back with the same session. Requests that were on their way then end with
//! [`ZkError::ConnectionLoss`]: they may have happened. It never sends anything twice; whether that is safe
//! only the caller knows. When a server says that the session is over, the handle is, too: whoever wants to
//! go on starts a new one.
//!
//! Nobody who stops waiting for an answer leaves anything behind: the answer comes to a place (`slot`) that
//! is gone with its asker or not.

mod connection;
mod error;
mod pace;
mod requests;
mod slot;
mod watches;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use picklock_models::zookeeper::records::{Stat, ZkSessionId};
use picklock_models::zookeeper::{Answer, Operation};
use picklock_sim::env::Env;
use picklock_sim::signal::Bell;

use crate::lock::Renewal;
use connection::Connection;
pub use error::ZkError;
pub use requests::Mode;
use slot::Slot;
use watches::Watches;

/// What becomes of a session, in the library's words (`Watcher.Event.KeeperState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The connection is lost; the session may go on.
    Disconnected,
    /// There is a connection (again), with the session in it.
    SyncConnected,
    /// The session is over: a server said so, or it was given up here.
    Expired,
    /// The handle was closed.
    Closed,
}

/// How a handle is set up.
#[derive(Clone)]
pub struct Setup {
    /// The one server, as `host:port`.
    pub address: Rc<str>,
    /// The session timeout that it would like, in milliseconds; the server has the last word.
    pub timeout_ms: u32,
    /// Is told what becomes of the session (the library's default watcher).
    pub on_event: Rc<dyn Fn(SessionEvent)>,
    /// Is told of every ping and its answer: a ping is what prolongs an idle session.
    pub on_ping: Rc<dyn Fn(Renewal)>,
}

/// A session with a server. Clones share it.
#[derive(Clone)]
pub struct ZkHandle {
    shared: Rc<Shared>,
}

/// What a handle and its connection's task share.
struct Shared {
    setup: Setup,
    /// Requests that were not written yet.
    queue: RefCell<VecDeque<Packet>>,
    /// Rung for the connection's task when there is something in the queue, or when it is over.
    bell: Bell,
    watches: RefCell<Watches>,
    life: Cell<Life>,
    /// 0 before the first connection.
    session: Cell<ZkSessionId>,
    /// What the server granted; the wish before the first connection.
    timeout_ms: Cell<u32>,
    /// What was told last: nothing is told twice in a row (`EventThread.queueEvent`).
    told: Cell<SessionEvent>,
}

/// How a handle stands (`ZooKeeper.States`, as far as it decides anything).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// There is a connection, or one is looked for.
    Alive,
    /// It is being closed: what is asked now fails.
    Closing,
    /// Expired or closed.
    Over,
}

/// A request with its asker.
struct Packet {
    operation: Operation,
    /// The bell of the watch that it leaves, if it leaves one.
    watch: Option<Bell>,
    /// `None`: nobody asks.
    asker: Option<Slot<Result<Answer, ZkError>>>,
}

/// A new node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its path, with the sequence number if it has one.
    pub path: String,
    /// What is known of it.
    pub stat: Stat,
}

impl ZkHandle {
    /// Begins a session: connects in the background, for as long as it takes.
    pub fn start<E: Env>(env: &E, setup: Setup) -> Self {
        let shared = Rc::new(Shared {
            queue: RefCell::default(),
            bell: Bell::default(),
            watches: RefCell::default(),
            life: Cell::new(Life::Alive),
            session: Cell::default(),
            timeout_ms: Cell::new(setup.timeout_ms),
            told: Cell::new(SessionEvent::Disconnected),
            setup,
        });
        env.spawn(Connection::new(env.clone(), Rc::clone(&shared)).run());
        Self { shared }
    }

    /// The session; 0 before the first connection.
    pub fn session(&self) -> ZkSessionId {
        self.shared.session.get()
    }

    /// The session timeout that the server granted, in milliseconds; before the first connection the one
    /// that was wished for.
    pub fn timeout_ms(&self) -> u32 {
        self.shared.timeout_ms.get()
    }

    /// Whether the session is over.
    pub fn is_over(&self) -> bool {
        self.shared.life.get() == Life::Over
    }

    /// Asks, and waits for the answer. Without a connection the request waits for one, until the next
    /// attempt to connect has failed.
    ///
    /// # Errors
    /// See [`ZkError`].
    pub async fn call(&self, operation: Operation) -> Result<Answer, ZkError> {
        self.ask(operation, None).await
    }

    async fn ask(&self, operation: Operation, watch: Option<Bell>) -> Result<Answer, ZkError> {
        match self.shared.life.get() {
            Life::Alive => self.queue(operation, watch).take().await,
            Life::Closing => Err(ZkError::ConnectionLoss { sent: false }),
            Life::Over => Err(ZkError::SessionExpired { sent: false }),
        }
    }

    /// Puts a request where the connection's task finds it; its answer comes to the slot.
    fn queue(&self, operation: Operation, watch: Option<Bell>) -> Slot<Result<Answer, ZkError>> {
        let slot = Slot::new();
        let packet = Packet { operation, watch, asker: Some(slot.other()) };
        self.shared.queue.borrow_mut().push_back(packet);
        self.shared.bell.ring();
        slot
    }

    /// Ends the session at the server, and with it its ephemeral nodes. Without a connection the session
    /// ends when its time is up.
    pub async fn close(&self) {
        if self.shared.life.get() != Life::Alive {
            return;
        }
        let answer = self.queue(Operation::CloseSession(()), None);
        self.shared.life.set(Life::Closing);
        // Whatever the answer is, nothing is left to be done.
        let _ = answer.take().await;
        self.shared.life.set(Life::Over);
        self.shared.bell.ring();
    }

    /// Gives the session up without asking the server, where it lives on until its time is up
    /// (`ZooKeeperTestable.injectSessionExpiration`).
    pub fn expire(&self) {
        self.shared.life.set(Life::Over);
        self.shared.tell(SessionEvent::Expired);
        self.shared.bell.ring();
    }
}

impl Shared {
    fn is_alive(&self) -> bool {
        self.life.get() != Life::Over
    }

    /// Tells the session's watcher and everybody who has set a watch.
    fn tell(&self, event: SessionEvent) {
        if self.told.replace(event) == event {
            return;
        }
        (self.setup.on_event)(event);
        self.watches.borrow().ring_all();
    }
}
