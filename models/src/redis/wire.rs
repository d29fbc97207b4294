//! The way of replies to sessions: lowered to what each speaks, left out where CLIENT REPLY says so,
//! in the order of the real server's output buffers.

use super::Core;
use super::keyspace::Class;
use super::reply::Reply;
use super::session::Answers;
use crate::model::SessionId;

impl Core {
    /// Answers a command of `session`, unless it wants no answers (`prepareClientToWrite`).
    pub(super) fn answer(&mut self, session: SessionId, mut reply: Reply) {
        let Some(state) = self.sessions.get(&session) else { return };
        if matches!(state.answers, Answers::Off | Answers::Skip) {
            return;
        }
        reply.lower(state.protocol);
        self.wire.push((session, reply));
    }

    /// [`Core::answer`] and the end of the command in one, for the many commands that do no more.
    pub(super) fn answer_and_end(&mut self, session: SessionId, mut reply: Reply) {
        let Some(state) = self.sessions.get_mut(&session) else { return };
        if state.answers == Answers::On {
            reply.lower(state.protocol);
            self.wire.push((session, reply));
            return;
        }
        self.answer(session, reply);
        self.end_command(session);
    }

    /// Tells `session` something that it did not ask for; CLIENT REPLY does not hold that back
    /// (`CLIENT_PUSHING`).
    pub(super) fn push(&mut self, session: SessionId, words: Vec<Reply>) {
        let Some(state) = self.sessions.get(&session) else { return };
        let mut reply = Reply::Push(words);
        reply.lower(state.protocol);
        self.wire.push((session, reply));
    }

    /// After each command, also inside scripts and transactions: those who wait for a change of a
    /// key learn of it, in the order of the changes.
    pub(super) fn settle(&mut self) {
        if !self.attentive {
            return;
        }
        let touches = self.keyspace.take_touches();
        for touch in touches {
            if touch.event.class.is_modification() {
                self.tell_watchers(&touch);
            }
            // SWAPDB brings keys without a word (`scanDatabaseForReadyKeys`).
            if matches!(touch.event.class, Class::New | Class::Silent) {
                self.blocked.appeared(&touch);
            }
            if !self.notify.is_empty() {
                self.notify_listeners(&touch);
            }
        }
    }

    /// Has the keyspace note what happens to keys exactly while somebody wants to know.
    pub(super) fn want_touches(&mut self) {
        let waiting = self.blocked.wants_keys();
        self.attentive = waiting || !self.watchers.is_empty() || !self.notify.is_empty();
        self.keyspace.want_touches(self.attentive);
    }
}
