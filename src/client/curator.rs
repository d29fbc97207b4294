//! Curator's layer over a ZooKeeper handle, as far as its locks use it (Apache Curator 5).
//!
//! It has a session at all times: when one is over, the next one begins at once. It sums up for the
//! application how things stand (`states`: CONNECTED, SUSPENDED, RECONNECTED, LOST). It sends again what
//! may go through later (`retry`), so it must see to it that nothing happens twice: a node is created under
//! a name that is known to be one's own (`create`), and one that must go is deleted in the background if
//! it cannot be at once (`delete`).
//!
//! Left out: `CuratorFrameworkImpl` declares a connection LOST, too, when a `sync` in the background has
//! been given up, after `connectionTimeoutMs` and all its retries. That is at least 18 s, so with sessions
//! below that the timer in `states` always comes first. Watches that a recipe needs no more are not
//! removed (`WatcherRemoveCuratorFramework`): they go off to nobody.

mod create;
mod delete;
mod retry;
mod states;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::{Either, Env, race};
use picklock_sim::signal::{Bell, Signal};

pub use create::Protection;
pub(crate) use retry::LONGEST_SLEEP;
pub use states::ConnectionState;

use super::zookeeper::{SessionEvent, Setup, ZkHandle};
use crate::lock::Renewal;
use states::States;

/// How a client is set up.
pub struct CuratorSetup {
    /// The one server, as `host:port`.
    pub address: Rc<str>,
    /// The session timeout that it would like, in milliseconds.
    pub timeout_ms: u32,
    /// Is told of every change of state (`ConnectionStateListener`).
    pub on_state: Box<dyn Fn(ConnectionState)>,
    /// Is told of every ping and its answer.
    pub on_ping: Rc<dyn Fn(Renewal)>,
}

/// A client. Clones share it.
pub struct Curator<E: Env> {
    inner: Rc<Inner<E>>,
}

impl<E: Env> Clone for Curator<E> {
    fn clone(&self) -> Self {
        Self { inner: Rc::clone(&self.inner) }
    }
}

struct Inner<E: Env> {
    env: E,
    setup: CuratorSetup,
    handle: RefCell<ZkHandle>,
    /// Counts the handles (`ConnectionState.instanceIndex`); what an old one says is not heard any more.
    instance: Cell<u64>,
    /// Set while there is a connection; a new one after it was lost.
    connected: RefCell<Signal>,
    states: RefCell<States>,
    events: Rc<Events>,
}

/// What the handles have said and nobody has looked at yet (the library's event thread).
#[derive(Default)]
struct Events {
    queue: RefCell<VecDeque<(u64, SessionEvent)>>,
    bell: Bell,
}

/// How long a request waits for a connection before it is tried without one
/// (`CuratorFrameworkFactory.DEFAULT_CONNECTION_TIMEOUT_MS`).
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(15);

impl<E: Env> Curator<E> {
    /// Begins, in the background.
    pub fn start(env: &E, setup: CuratorSetup) -> Self {
        let events = Rc::<Events>::default();
        let handle = new_handle(env, &setup, &events, 0);
        let inner = Rc::new(Inner {
            env: env.clone(),
            setup,
            handle: RefCell::new(handle),
            instance: Cell::new(0),
            connected: RefCell::default(),
            states: RefCell::default(),
            events,
        });
        env.spawn(Rc::clone(&inner).watch_over());
        Self { inner }
    }

    /// The present session's handle.
    pub fn handle(&self) -> ZkHandle {
        self.inner.handle.borrow().clone()
    }

    /// How things stand; `None` before the first connection.
    pub fn state(&self) -> Option<ConnectionState> {
        self.inner.states.borrow().current()
    }

    /// Waits for a connection (`CuratorZookeeperClient.internalBlockUntilConnectedOrTimedOut`).
    async fn until_connected(&self) {
        let connected = self.inner.connected.borrow().clone();
        connected.wait().await;
    }
}

/// Starts a handle whose events go into the queue under its number.
fn new_handle<E: Env>(
    env: &E,
    setup: &CuratorSetup,
    events: &Rc<Events>,
    instance: u64,
) -> ZkHandle {
    let events = Rc::clone(events);
    let on_event = move |event| {
        events.queue.borrow_mut().push_back((instance, event));
        events.bell.ring();
    };
    let setup = Setup {
        address: Rc::clone(&setup.address),
        timeout_ms: setup.timeout_ms,
        on_event: Rc::new(on_event),
        on_ping: Rc::clone(&setup.on_ping),
    };
    ZkHandle::start(env, setup)
}

impl<E: Env> Inner<E> {
    /// The threads of `ConnectionState` and of `ConnectionStateManager`: hears what becomes of the session
    /// and tells the listener, and loses patience with a connection that stays away.
    async fn watch_over(self: Rc<Self>) {
        loop {
            let patience = self.states.borrow().patience(self.timeout_ms(), self.env.wall());
            let next = self.next_event();
            let heard = match patience {
                None => Some(next.await),
                Some(patience) => match race(next, self.env.sleep(patience)).await {
                    Either::Left(event) => Some(event),
                    Either::Right(()) => None,
                },
            };
            match heard {
                Some((instance, event)) if instance == self.instance.get() => self.hear(event),
                Some(_) => {}
                None => self.lose_patience(),
            }
        }
    }

    async fn next_event(&self) -> (u64, SessionEvent) {
        loop {
            let event = self.events.queue.borrow_mut().pop_front();
            match event {
                Some(event) => return event,
                None => self.events.bell.rung().await,
            }
        }
    }

    /// `ConnectionState.process`, and then `CuratorFrameworkImpl.validateConnection`.
    fn hear(&self, event: SessionEvent) {
        let change = match event {
            SessionEvent::SyncConnected => {
                self.connected.borrow().set();
                self.states.borrow_mut().change(ConnectionState::Reconnected)
            }
            SessionEvent::Disconnected => {
                self.disconnect();
                self.states.borrow_mut().suspend(self.env.wall())
            }
            SessionEvent::Expired => {
                self.reset();
                self.states.borrow_mut().change(ConnectionState::Lost)
            }
            SessionEvent::Closed => None,
        };
        if let Some(state) = change {
            (self.setup.on_state)(state);
        }
    }

    /// The session is over: the next one (`ConnectionState.reset`).
    fn reset(&self) {
        let instance = self.instance.get() + 1;
        self.instance.set(instance);
        self.disconnect();
        *self.handle.borrow_mut() = new_handle(&self.env, &self.setup, &self.events, instance);
    }

    /// Whoever comes from now on waits for the next connection, with those who wait already.
    fn disconnect(&self) {
        let connected = &mut *self.connected.borrow_mut();
        if connected.is_set() {
            *connected = Signal::default();
        }
    }

    /// `ConnectionStateManager.checkSessionExpiration`.
    fn lose_patience(&self) {
        let overdue = self.states.borrow_mut().is_overdue(self.timeout_ms(), self.env.wall());
        if overdue {
            self.handle.borrow().expire();
        }
    }

    /// What the server granted last (`lastNegotiatedSessionTimeoutMs`).
    fn timeout_ms(&self) -> u32 {
        self.handle.borrow().timeout_ms()
    }
}
