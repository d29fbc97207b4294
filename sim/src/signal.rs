//! A flag that tasks of one host can wait for: set once, seen by everybody.
//!
//! With it a watchdog tells its worker that the lock is lost, and a release tells the watchdog to
//! stop.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A flag that is set once; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Signal {
    shared: Rc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
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
