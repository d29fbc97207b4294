//! What waits to be written to one connection, and how much may.

use std::cell::{Cell, RefCell};

use ::bytes::BytesMut;
use picklock_models::model::SessionId;

use super::Line;
use super::bytes::ByteStore;
use crate::signal::{Bell, Signal};

/// Less than this is never too much to wait for a client.
const LONG_LINE: usize = 64 * 1024;
/// A client that lets so much pile up without reading is cut off, even where the model knows no
/// limit, as Redis knows none for MONITOR: more than a request may be (`client-query-buffer-limit`)
/// is not kept for a reply.
const TOO_LONG: u64 = 1024 * 1024 * 1024;

/// What is to be written to one connection.
#[derive(Default)]
pub struct ByteLine {
    /// What waits to be written.
    pub(super) bytes: RefCell<BytesMut>,
    /// Rung when there is something to write, or to read again, while the task rests.
    pub(super) bell: Bell,
    /// Whether the connection's task waits for something to happen. While it is at work it will look
    /// at the line by itself, and a bell would only have it look twice.
    pub(super) resting: Cell<bool>,
    /// Whether the connection ends once everything is written.
    pub(super) closing: Cell<bool>,
    /// Set when it ends without waiting for its client to read.
    pub(super) cut: Signal,
}

impl<S: ByteStore> Line<S> for ByteLine {
    /// Puts a reply behind those that wait; or cuts the line, if too much waits.
    fn add(&self, model: &S, session: SessionId, reply: &S::Reply) {
        if self.cut.is_set() {
            return;
        }
        let mut bytes = self.bytes.borrow_mut();
        // A reply is made whole however long it is; only what comes on top can be too much.
        let before = bytes.len() as u64;
        S::encode(reply, &mut bytes);
        let too_much = || bytes.len() as u64 > model.output_limit(session);
        if before > TOO_LONG || (bytes.len() > LONG_LINE && too_much()) {
            *bytes = BytesMut::new();
            self.closing.set(true);
            self.cut.set();
        }
        drop(bytes);
        Line::<S>::stir(self);
    }

    fn close(&self) {
        self.closing.set(true);
        Line::<S>::stir(self);
    }

    fn stir(&self) {
        if self.resting.get() {
            self.bell.ring();
        }
    }
}
