//! What waits to be written to one connection, and how much may.

use bytes::BytesMut;
use picklock_models::model::SessionId;

use super::Store;
use crate::signal::{Bell, Signal};

/// Less than this is never too much to wait for a client.
const LONG_LINE: usize = 64 * 1024;
/// A client that lets so much pile up without reading is cut off, even where the model knows no
/// limit, as Redis knows none for MONITOR: more than a request may be (`client-query-buffer-limit`)
/// is not kept for a reply.
const TOO_LONG: u64 = 1024 * 1024 * 1024;

/// What is to be written to one connection.
#[derive(Default)]
pub(super) struct Line {
    pub(super) bytes: BytesMut,
    /// Rung when there is something to write, or to read again.
    pub(super) bell: Bell,
    /// Whether the connection ends once everything is written.
    pub(super) closing: bool,
    /// Set when it ends without waiting for its client to read.
    pub(super) cut: Signal,
}

impl Line {
    /// Puts a reply behind those that wait; or cuts the line, if too much waits.
    pub(super) fn add<S: Store>(&mut self, model: &S, session: SessionId, reply: &S::Reply) {
        if self.cut.is_set() {
            return;
        }
        // A reply is made whole however long it is; only what comes on top can be too much.
        let before = self.bytes.len() as u64;
        S::encode(reply, &mut self.bytes);
        let too_much = || self.bytes.len() as u64 > model.output_limit(session);
        if before > TOO_LONG || (self.bytes.len() > LONG_LINE && too_much()) {
            self.bytes = BytesMut::new();
            self.closing = true;
            self.cut.set();
        }
        self.bell.ring();
    }
}
