//! How a connection's calls make room for other connections.
//!
//! Each call is a task, so a connection with many of them would be served before one with few. What all
//! calls of a connection cost is added up; a connection that has had its turn rests as long as that took.
//! In a simulated world nothing takes time while a server computes, and no connection ever rests.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::env::Env;
use crate::serve::TURN;
use crate::signal::Bell;

/// The turns of one connection.
#[derive(Default)]
pub(super) struct Turns {
    /// What the connection has cost since it last rested.
    took: Cell<Duration>,
    open: Gate,
}

impl Turns {
    /// Waits while the connection rests.
    pub(super) async fn wait(&self) {
        self.open.wait().await;
    }

    /// A call has cost so much.
    pub(super) fn spent<E: Env>(self: &Rc<Self>, env: &E, time: Duration) {
        self.took.set(self.took.get() + time);
        if self.took.get() >= TURN && !self.open.is_shut() {
            self.open.shut();
            env.spawn(Rc::clone(self).rest(env.clone()));
        }
    }

    async fn rest<E: Env>(self: Rc<Self>, env: E) {
        env.sleep(self.took.take()).await;
        self.open.open();
    }
}

/// What lets everybody through, or nobody. Who has come first goes through first.
#[derive(Default)]
pub(super) struct Gate {
    shut: Cell<bool>,
    waiting: RefCell<Vec<Bell>>,
}

impl Gate {
    pub(super) async fn wait(&self) {
        while self.is_shut() {
            let bell = Bell::default();
            self.waiting.borrow_mut().push(bell.clone());
            bell.rung().await;
        }
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shut.get()
    }

    pub(super) fn shut(&self) {
        self.shut.set(true);
    }

    pub(super) fn open(&self) {
        if self.shut.replace(false) {
            for bell in self.waiting.take() {
                bell.ring();
            }
        }
    }
}
