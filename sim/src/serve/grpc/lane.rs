//! What waits to be sent on each call of a connection.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use ::bytes::{Bytes, BytesMut};
use picklock_models::etcd::{Etcd, Reply, Status, StreamId};
use picklock_models::model::SessionId;

use crate::serve::Line;
use crate::signal::{Bell, Signal};

/// A client that lets so many bytes of one call pile up without reading loses the call.
const TOO_LONG: usize = 64 * 1024 * 1024;

/// The open calls of one connection.
#[derive(Default)]
pub struct Calls {
    lanes: RefCell<BTreeMap<StreamId, Rc<Lane>>>,
    /// Set when the connection is to end.
    pub(super) closing: Signal,
}

/// One call's way out.
#[derive(Default)]
pub(super) struct Lane {
    queue: RefCell<VecDeque<Next>>,
    waiting_bytes: Cell<usize>,
    /// Rung when something was added.
    pub(super) bell: Bell,
}

/// What is sent next.
pub(super) enum Next {
    /// A message, framed.
    Message(Bytes),
    /// The end of the call.
    End(Status),
    /// The end of a call whose client does not read.
    Cut,
}

impl Calls {
    pub(super) fn open(&self, stream: StreamId) -> Rc<Lane> {
        let lane = Rc::<Lane>::default();
        self.lanes.borrow_mut().insert(stream, Rc::clone(&lane));
        lane
    }

    pub(super) fn close(&self, stream: StreamId) {
        self.lanes.borrow_mut().remove(&stream);
    }

    pub(super) fn count(&self) -> usize {
        self.lanes.borrow().len()
    }
}

impl Lane {
    pub(super) fn take(&self) -> Option<Next> {
        let next = self.queue.borrow_mut().pop_front();
        if let Some(Next::Message(bytes)) = &next {
            self.waiting_bytes.set(self.waiting_bytes.get() - bytes.len());
        }
        next
    }

    pub(super) fn put(&self, next: Next) {
        let mut queue = self.queue.borrow_mut();
        if let Next::Message(bytes) = &next {
            // A message is taken however long it is; only what waits before it can be too much.
            if self.waiting_bytes.get() > TOO_LONG {
                queue.clear();
                self.waiting_bytes.set(0);
                queue.push_back(Next::Cut);
                return self.bell.ring();
            }
            self.waiting_bytes.set(self.waiting_bytes.get() + bytes.len());
        }
        queue.push_back(next);
        self.bell.ring();
    }
}

impl Line<Etcd> for Calls {
    fn add(&self, _: &Etcd, _: SessionId, reply: &Reply) {
        let (stream, next) = match reply {
            Reply::Message(stream, response) => {
                let mut bytes = BytesMut::new();
                response.encode(&mut bytes);
                (stream, Next::Message(bytes.freeze()))
            }
            Reply::End(stream, status) => (stream, Next::End(status.clone())),
        };
        // A call that its client has given up gets nothing any more.
        let lane = self.lanes.borrow().get(stream).cloned();
        if let Some(lane) = lane {
            lane.put(next);
        }
    }

    fn close(&self) {
        self.closing.set();
    }

    fn stir(&self) {}
}
