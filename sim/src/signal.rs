//! How tasks of one host tell each other something without a queue.
//!
//! A [`Signal`] is set once and seen by everybody: with it a watchdog tells its worker that the lock
//! is lost, and a release tells the watchdog to stop. A [`Bell`] can be rung again and again for one
//! listener: there is something in your mailbox.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A flag that is set once; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Signal {
    shared: Rc<SignalState>,
}

#[derive(Debug, Default)]
struct SignalState {
    set: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Signal {
    /// Sets it and wakes everybody who waits.
    pub fn set(&self) {
        self.shared.set.set(true);
        for waker in self.shared.waiting.take() {
            waker.wake();
        }
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.shared.set.get()
    }

    /// Waits until it is set.
    pub async fn wait(&self) {
        poll_fn(|cx| {
            if self.is_set() {
                return Poll::Ready(());
            }
            let mut waiting = self.shared.waiting.borrow_mut();
            if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// A bell for one listener; ringing it while nobody listens is heard by the next one.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    shared: Rc<BellState>,
}

#[derive(Debug, Default)]
struct BellState {
    rung: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        self.shared.rung.set(true);
        if let Some(waker) = self.shared.waiting.take() {
            waker.wake();
        }
    }

    /// Waits until it has been rung since the last time.
    pub async fn rung(&self) {
        poll_fn(|cx| {
            if self.shared.rung.take() {
                return Poll::Ready(());
            }
            let mut waiting = self.shared.waiting.borrow_mut();
            if !waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                *waiting = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}
