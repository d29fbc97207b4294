//! The streams on which leases are kept alive (`server/etcdserver/api/v3rpc/lease.go`).
//!
//! A lease whose time is up but which has not been revoked yet holds its stream up until it is: only
//! then it is certain that nothing was renewed (`server/lease/lessor.go` `Renew`).

use std::collections::{BTreeMap, VecDeque};

use super::machine::LeaseId;
use super::{Reply, Status, StreamId};
use crate::model::{Outbox, SessionId};

/// What waits on each stream; a stream is here from its first message to its end.
#[derive(Debug, Default)]
pub(super) struct KeepAlives {
    streams: BTreeMap<(SessionId, StreamId), Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    leases: VecDeque<LeaseId>,
    /// No more will come.
    finishing: bool,
}

impl KeepAlives {
    /// A lease is to be kept alive, after those that wait on the same stream.
    pub(super) fn ask(&mut self, id: (SessionId, StreamId), lease: LeaseId) {
        self.streams.entry(id).or_default().leases.push_back(lease);
    }

    /// The next lease that does not wait for its end, if there is one on this stream.
    pub(super) fn next(
        &mut self,
        id: (SessionId, StreamId),
        is_over: impl Fn(LeaseId) -> bool,
    ) -> Option<LeaseId> {
        let leases = &mut self.streams.get_mut(&id)?.leases;
        let first = *leases.front()?;
        if is_over(first) { None } else { leases.pop_front() }
    }

    /// The streams on which something waits.
    pub(super) fn waiting(&self) -> Vec<(SessionId, StreamId)> {
        let waiting = self.streams.iter().filter(|(_, waiting)| !waiting.leases.is_empty());
        waiting.map(|(id, _)| *id).collect()
    }

    /// No more will come on this stream; whether it ends now.
    pub(super) fn finish(&mut self, id: (SessionId, StreamId)) -> bool {
        let Some(waiting) = self.streams.get_mut(&id) else { return false };
        waiting.finishing = true;
        self.end_if_finished(id)
    }

    fn end_if_finished(&mut self, id: (SessionId, StreamId)) -> bool {
        let waiting = self.streams.get(&id);
        let ends = waiting.is_some_and(|waiting| waiting.finishing && waiting.leases.is_empty());
        if ends {
            self.streams.remove(&id);
        }
        ends
    }

    /// Ends the stream if it was only kept for what has now been answered.
    pub(super) fn answered(&mut self, id: (SessionId, StreamId), out: &mut Outbox<Reply>) {
        if self.end_if_finished(id) {
            out.replies.push((id.0, Reply::End(id.1, Status::OK)));
        }
    }

    pub(super) fn forget(&mut self, id: (SessionId, StreamId)) {
        self.streams.remove(&id);
    }

    pub(super) fn forget_session(&mut self, session: SessionId) {
        self.streams.retain(|(owner, _), _| *owner != session);
    }
}
