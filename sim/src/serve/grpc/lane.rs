//! What waits to be sent on each call of a connection, and what is kept in memory for all of them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use ::bytes::{Bytes, BytesMut};
use picklock_models::etcd::{Etcd, Reply, Status, StreamId};
use picklock_models::model::SessionId;

use super::turn::{Gate, Turns};
use crate::serve::Line;
use crate::signal::{Bell, Signal};

/// A connection for which more bytes than these wait, for its client to read or to send the rest of a
/// message, loses the calls that ask for more: 32 messages of the longest sort.
const TOO_MUCH: usize = 64 * 1024 * 1024;
/// While so much waits of answers to calls with one message, no other such call is answered. Streams go
/// on: a client may be slow to read one and still keep its leases alive.
const UNREAD_ANSWERS: usize = 1024 * 1024;

/// The open calls of one connection.
#[derive(Default)]
pub struct Calls {
    lanes: RefCell<BTreeMap<StreamId, Rc<Lane>>>,
    kept: Rc<Kept>,
    /// Whether the connection has to let others go first.
    pub(super) turns: Rc<Turns>,
    /// Set when the connection is to end.
    pub(super) closing: Signal,
}

/// How many bytes wait for a connection.
#[derive(Default)]
struct Kept {
    all: Cell<usize>,
    answers: Cell<usize>,
    /// Shut while there are too many answers.
    gate: Gate,
}

/// One call's way out.
#[derive(Default)]
pub(super) struct Lane {
    /// Whether the call has one message each way.
    pub(super) single: Cell<bool>,
    queue: RefCell<VecDeque<Next>>,
    /// Rung when something was added.
    pub(super) bell: Bell,
    /// Set when the client does not read: the call ends at once.
    pub(super) cut: Signal,
}

/// What is sent next.
pub(super) enum Next {
    /// A message, framed.
    Message(Bytes, Share),
    /// The end of the call.
    End(Status),
}

/// A part of what is kept for a connection, until it is dropped.
pub(super) struct Share {
    kept: Rc<Kept>,
    bytes: usize,
    is_answer: bool,
}

impl Share {
    /// So many bytes it is now.
    pub(super) fn set(&mut self, bytes: usize) {
        let now = |count: &Cell<usize>| count.set(count.get() - self.bytes + bytes);
        let Kept { all, answers, gate } = &*self.kept;
        now(all);
        if self.is_answer {
            now(answers);
            if answers.get() > UNREAD_ANSWERS { gate.shut() } else { gate.open() }
        }
        self.bytes = bytes;
    }

    /// Whether the connection has more than it may.
    pub(super) fn is_too_much(&self) -> bool {
        self.kept.all.get() > TOO_MUCH
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
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

    /// A part of nothing yet.
    pub(super) fn share(&self, is_answer: bool) -> Share {
        Share { kept: Rc::clone(&self.kept), bytes: 0, is_answer }
    }

    /// Waits while too many answers wait to be read.
    pub(super) async fn room(&self) {
        self.kept.gate.wait().await;
    }
}

impl Lane {
    pub(super) fn take(&self) -> Option<Next> {
        self.queue.borrow_mut().pop_front()
    }

    fn put(&self, next: Next) {
        self.queue.borrow_mut().push_back(next);
        self.bell.ring();
    }

    /// Nothing that waits is worth sending any more.
    fn cut(&self) {
        self.queue.borrow_mut().clear();
        self.cut.set();
        self.bell.ring();
    }
}

impl Line<Etcd> for Calls {
    fn add(&self, _: &Etcd, _: SessionId, reply: &Reply) {
        let (Reply::Message(stream, _) | Reply::End(stream, _)) = reply;
        // A call that its client has given up gets nothing any more.
        let Some(lane) = self.lanes.borrow().get(stream).cloned() else { return };
        match reply {
            Reply::Message(_, response) => {
                let mut share = self.share(lane.single.get());
                // A message is made whole however long it is; only what comes on top can be too much.
                if share.is_too_much() || lane.cut.is_set() {
                    return lane.cut();
                }
                let mut bytes = BytesMut::new();
                response.encode(&mut bytes);
                share.set(bytes.len());
                lane.put(Next::Message(bytes.freeze(), share));
            }
            Reply::End(_, status) => lane.put(Next::End(status.clone())),
        }
    }

    fn close(&self) {
        self.closing.set();
    }

    fn stir(&self) {}
}
