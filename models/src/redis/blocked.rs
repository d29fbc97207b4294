//! Clients that wait: for an element (BLPOP and its kin), for replicas (WAIT), or for the end of a
//! CLIENT PAUSE (`src/blocked.c`, `src/timeout.c`).
//!
//! Whoever waits for a key stands in the queue of each key it named; when a key appears, its queue
//! is served first come, first served, after the command, transaction or script that made it
//! (`handleClientsBlockedOnKeys`). A time limit is an instant of the wall clock. It is looked at
//! when the event loop comes round: after each request and on the server's timer, which is how the
//! real server may be up to 100 ms late when nobody sends anything.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Core;
use super::commands::Attempt;
use super::keyspace::Touch;
use super::reply::Reply;
use super::request::Request;
use crate::model::SessionId;
use crate::time::HostTime;

/// Everyone who waits.
#[derive(Default)]
pub(super) struct Blocked {
    waits: BTreeMap<SessionId, Wait>,
    /// Who waits for a key, in the order in which they came.
    queues: BTreeMap<(usize, Bytes), Vec<SessionId>>,
    /// Keys that appeared and are waited for, in the order in which they did.
    ready: Vec<(usize, Bytes)>,
    /// Requests that CLIENT PAUSE holds back, in the order in which they came.
    pub(super) postponed: Vec<(SessionId, Request)>,
}

/// What one client waits for, and how long at most.
struct Wait {
    /// Unix milliseconds of the wall clock.
    until: Option<i64>,
    what: What,
}

enum What {
    Element { database: usize, keys: Vec<Bytes>, attempt: Attempt },
    Replicas,
}

impl Blocked {
    /// Whether `session` waits, so that its further requests do too.
    pub(super) fn holds(&self, session: SessionId) -> bool {
        self.waits.contains_key(&session)
            || self.postponed.iter().any(|(postponed, _)| *postponed == session)
    }

    /// Whether `session` waits for a key or for replicas.
    pub(super) fn waits(&self, session: SessionId) -> bool {
        self.waits.contains_key(&session)
    }

    /// How many clients wait, as INFO counts them.
    pub(super) fn len(&self) -> usize {
        self.waits.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty() && self.postponed.is_empty()
    }

    pub(super) fn wants_keys(&self) -> bool {
        !self.queues.is_empty()
    }

    /// `signalKeyAsReady`.
    pub(super) fn appeared(&mut self, touch: &Touch) {
        let key = (touch.database, touch.key.clone());
        if self.queues.contains_key(&key) && !self.ready.contains(&key) {
            self.ready.push(key);
        }
    }

    fn remove(&mut self, session: SessionId) -> Option<Wait> {
        let wait = self.waits.remove(&session)?;
        if let What::Element { database, keys, .. } = &wait.what {
            for key in keys {
                let queue = (*database, key.clone());
                if let Some(sessions) = self.queues.get_mut(&queue) {
                    sessions.retain(|waiting| *waiting != session);
                    if sessions.is_empty() {
                        self.queues.remove(&queue);
                    }
                }
            }
        }
        Some(wait)
    }
}

impl Core {
    /// Has `session` wait for one of `keys` to appear (`blockForKeys`).
    pub(super) fn block_for_keys(
        &mut self,
        session: SessionId,
        keys: Vec<Bytes>,
        until: Option<i64>,
        attempt: Attempt,
    ) {
        let database = self.keyspace.selected();
        for key in &keys {
            let queue = self.blocked.queues.entry((database, key.clone())).or_default();
            if !queue.contains(&session) {
                queue.push(session);
            }
        }
        let what = What::Element { database, keys, attempt };
        self.blocked.waits.insert(session, Wait { until, what });
        self.want_touches();
        self.silent = true;
    }

    /// WAIT: there are no replicas, so nothing but the time limit ends it.
    pub(super) fn block_for_replicas(&mut self, session: SessionId, until: Option<i64>) {
        self.blocked.waits.insert(session, Wait { until, what: What::Replicas });
        self.silent = true;
    }

    /// The wait of `session` ends without what it waited for; false if it does not wait.
    ///
    /// A request that CLIENT PAUSE holds back is tried again after the error, and so goes on waiting;
    /// the real server dies when it is asked to time such a one out.
    pub(super) fn unblock(&mut self, session: SessionId, error: Option<Reply>) -> bool {
        let Some(wait) = self.blocked.remove(session) else {
            let Some(error) = error.filter(|_| self.blocked.holds(session)) else { return false };
            self.answer(session, error);
            return true;
        };
        let timed_out = match wait.what {
            What::Element { .. } => Reply::NullArray,
            What::Replicas => Reply::Integer(0),
        };
        self.finish(session, error.unwrap_or(timed_out));
        true
    }

    /// The connection of a client that may be waiting has ended.
    pub(super) fn forget_blocked(&mut self, session: SessionId) {
        self.blocked.postponed.retain(|(postponed, _)| *postponed != session);
        if self.blocked.remove(session).is_some() {
            self.want_touches();
        }
    }

    fn finish(&mut self, session: SessionId, reply: Reply) {
        self.answer(session, reply);
        // Before it is settled who still wants to know: this may have been the last who waited.
        self.settle();
        self.end_command(session);
        self.want_touches();
    }

    /// `handleClientsBlockedOnKeys`: serving one may make the key that another waits for.
    pub(super) fn serve_blocked(&mut self, now: HostTime) {
        while !self.blocked.ready.is_empty() {
            for (database, key) in std::mem::take(&mut self.blocked.ready) {
                let selected = self.keyspace.selected();
                self.keyspace.select(database);
                let queue = self.blocked.queues.get(&(database, key.clone()));
                for session in queue.cloned().unwrap_or_default() {
                    self.serve(now, session, &key);
                }
                self.keyspace.select(selected);
            }
        }
    }

    fn serve(&mut self, now: HostTime, session: SessionId, key: &[u8]) {
        let Some(wait) = self.blocked.waits.get(&session) else { return };
        let What::Element { attempt, .. } = &wait.what else { return };
        let attempt = attempt.clone();
        let record = self.keyspace.get(key, now.wall.unix_ms());
        if record.is_none_or(|record| record.value.type_name() != attempt.wanted_type()) {
            return;
        }
        let reply = match attempt.run(self, now, session, key) {
            Ok(None) => return,
            Ok(Some(reply)) => reply,
            Err(error) => error,
        };
        self.blocked.remove(session);
        self.finish(session, reply);
    }

    /// `handleBlockedClientsTimeout`: ends the waits whose time is up.
    pub(super) fn end_overdue_waits(&mut self, now_ms: i64) {
        let overdue = |(_, wait): &(&SessionId, &Wait)| wait.until.is_some_and(|at| at < now_ms);
        let mut sessions: Vec<(Option<i64>, SessionId)> =
            (self.blocked.waits.iter().filter(overdue))
                .map(|(session, wait)| (wait.until, *session))
                .collect();
        sessions.sort_unstable();
        for (_, session) in sessions {
            self.unblock(session, None);
        }
    }
}
