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
    announced: bool,
    pub(super) left: VecDeque<Request>,
    answers: Vec<Reply>,
}

impl Exec {
    /// `announced`: whether the session wants answers now, so that the list begins.
    pub(super) fn new(queue: VecDeque<Request>, announced: bool) -> Self {
        Self { count: queue.len(), announced, left: queue, answers: Vec::new() }
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

    /// Sends the answers. The list is announced by the number of commands; what a command sent
    /// beyond its one answer (SUBSCRIBE to two channels, a message to oneself) follows after the
    /// list's end, because that is what the real server's bytes amount to.
    pub(super) fn send(mut self, core: &mut Core, session: SessionId) {
        let complete = self.announced && self.answers.len() >= self.count;
        let beyond = match complete {
            true => self.answers.split_off(self.count),
            false => std::mem::take(&mut self.answers),
        };
        if complete {
            core.wire.push((session, Reply::Array(self.answers)));
        } else if self.announced {
            core.wire.push((session, Reply::Header(self.count)));
        }
        core.wire.extend(beyond.into_iter().map(|reply| (session, reply)));
    }
}
