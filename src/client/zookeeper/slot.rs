//! Where an answer is put, and where its asker waits for it. Either may be gone before the other.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A place for one value.
pub(super) struct Slot<T>(Rc<RefCell<Place<T>>>);

struct Place<T> {
    value: Option<T>,
    waiting: Option<Waker>,
}

impl<T> Slot<T> {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self(Rc::new(RefCell::new(Place { value: None, waiting: None })))
    }

    /// The other end.
    pub(super) fn other(&self) -> Self {
        Self(Rc::clone(&self.0))
    }

    /// Puts the value there.
    pub(super) fn put(&self, value: T) {
        let mut place = self.0.borrow_mut();
        place.value = Some(value);
        if let Some(waker) = place.waiting.take() {
            waker.wake();
        }
    }

    /// Waits for the value and takes it.
    pub(super) async fn take(self) -> T {
        poll_fn(|cx| {
            let mut place = self.0.borrow_mut();
            if let Some(value) = place.value.take() {
                return Poll::Ready(value);
            }
            if !place.waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                place.waiting = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}
