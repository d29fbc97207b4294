//! A transaction on its way through EXEC.

use std::collections::VecDeque;

use super::Core;
use super::reply::Reply;
use super::request::Request;
use crate::model::SessionId;

/// The commands that are still to run, and the answers so far. It outlives the EXEC command when a
/// command in it holds the server up.
pub(super) struct Exec {
    count: usize,
    pub(super) left: VecDeque<Request>,
    answers: Vec<Reply>,
}

impl Exec {
    pub(super) fn new(queue: VecDeque<Request>) -> Self {
        Self { count: queue.len(), left: queue, answers: Vec::new() }
    }

    /// Takes what the session was sent since `start` as answers of this transaction.
    pub(super) fn collect(&mut self, core: &mut Core, session: SessionId, start: usize) {
        for (to, reply) in core.wire.split_off(start) {
            if to == session {
                self.answers.push(reply);
            } else {
                core.wire.push((to, reply));
            }
        }
    }

    /// Whether nothing was answered at all.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Sends the answers. The list is announced by the number of commands; what a command sent
    /// beyond its one answer (SUBSCRIBE to two channels, a message to oneself) follows after the
    /// list's end, because that is what the real server's bytes amount to.
    pub(super) fn send(mut self, core: &mut Core, session: SessionId) {
        let beyond = self.answers.split_off(self.count.min(self.answers.len()));
        core.wire.push((session, Reply::Array(self.answers)));
        core.wire.extend(beyond.into_iter().map(|reply| (session, reply)));
    }
}
