//! From a request to its responses.

use super::machine::{Action, Applied, Command, LeaseId, MAX_COMMAND_BYTES, inner_header};
use super::pb::etcdserverpb::watch_request::RequestUnion;
use super::pb::etcdserverpb::{
    AlarmResponse, HashKvRequest, HashKvResponse, HashResponse, LeaseGrantRequest,
    LeaseKeepAliveResponse, LeaseLeasesResponse, LeaseStatus, LeaseTimeToLiveRequest,
    LeaseTimeToLiveResponse, Member, MemberListResponse, RangeRequest, RangeResponse,
    StatusResponse, WatchRequest,
};
use super::pb::mvccpb::Event;
use super::rpc::{Request, Response};
use super::span::Span;
use super::watch::{WatchId, WatchStream};
use super::{CLUSTER_ID, Etcd, MEMBER_ID, Reply, Status, StreamId, VERSION, range, txn};
use crate::model::{Change, Outbox, SessionId};
use crate::time::{HostTime, SteadyTime};

/// A call of a connection.
pub(super) type CallId = (SessionId, StreamId);

impl Etcd {
    pub(super) fn answer(
        &mut self,
        now: HostTime,
        id: CallId,
        request: Request,
        out: &mut Outbox<Reply>,
    ) {
        let header = inner_header(self.machine.revision());
        let response = match request {
            Request::Put(request) => return self.change(now, id, Action::Put(request), out),
            Request::DeleteRange(request) => {
                return self.change(now, id, Action::DeleteRange(request), out);
            }
            Request::Txn(request) => return self.change(now, id, Action::Txn(request), out),
            Request::Compact(request) => {
                return self.change(now, id, Action::Compact(request), out);
            }
            Request::LeaseGrant(request) => {
                return self.change(now, id, Action::LeaseGrant(request), out);
            }
            Request::LeaseRevoke(request) => {
                return self.change(now, id, Action::LeaseRevoke(request), out);
            }
            Request::Watch(request) => return self.watch(now, id, request, out),
            Request::LeaseKeepAlive(request) => {
                self.keep_alives.ask(id, LeaseId(request.id));
                return self.keep_alive(now, id, out);
            }
            Request::Range(request) => self.range(&request).map(Response::Range),
            Request::LeaseTimeToLive(request) => {
                Ok(Response::LeaseTimeToLive(self.time_to_live(now.steady, &request)))
            }
            Request::LeaseLeases(_) => {
                let leases = self.lessor.all().map(|id| LeaseStatus { id: id.0 }).collect();
                Ok(Response::LeaseLeases(LeaseLeasesResponse { header, leases }))
            }
            Request::MemberList(_) => {
                let members = vec![self.member()];
                Ok(Response::MemberList(MemberListResponse { header, members }))
            }
            Request::Status(_) => Ok(Response::Status(self.status())),
            Request::Alarm(_) => Ok(Response::Alarm(AlarmResponse::default())),
            Request::Hash(_) => {
                let hash = self.machine.store.hash(self.machine.revision());
                Ok(Response::Hash(HashResponse { header, hash }))
            }
            Request::HashKv(request) => self.hash_kv(&request).map(Response::HashKv),
            Request::Authenticate(_) => Err(Status::AUTH_NOT_ENABLED),
            Request::Lock(request) => return self.lock(now, id, request, out),
            Request::Unlock(request) => return self.unlock(now, id, &request, out),
            Request::Campaign(request) => return self.campaign(now, id, request, out),
            Request::Proclaim(request) => self.proclaim(now, id.0, request, out),
            Request::Leader(request) => self.leader(&request),
            Request::Observe(request) => return self.observe(id, request, out),
            Request::Resign(request) => self.resign(now, id.0, request, out),
        };
        self.end(id, response, out);
    }

    fn range(&self, request: &RangeRequest) -> Result<RangeResponse, Status> {
        range::check(request)?;
        range::range(&self.machine.store, request)
    }

    /// Whoever asks for a change that could mean nothing is told so at once.
    fn change(&mut self, now: HostTime, id: CallId, action: Action, out: &mut Outbox<Reply>) {
        match self.check(&action) {
            Ok(()) => self.propose(now, Some(id), action, out),
            Err(status) => self.end(id, Err(status), out),
        }
    }

    pub(super) fn check(&self, action: &Action) -> Result<(), Status> {
        match action {
            Action::Put(request) => txn::check_put(request)?,
            Action::DeleteRange(request) => txn::check_delete(request)?,
            Action::Txn(request) => txn::check(request)?,
            Action::Compact(_) | Action::LeaseGrant(_) | Action::LeaseRevoke(_) => {}
        }
        if action.size() > MAX_COMMAND_BYTES {
            return Err(Status::REQUEST_TOO_LARGE);
        }
        Ok(())
    }

    /// Has a change agreed on, answers whoever asked for it, and tells those who watch.
    fn propose(
        &mut self,
        now: HostTime,
        id: Option<CallId>,
        action: Action,
        out: &mut Outbox<Reply>,
    ) {
        let (command, applied) = self.agree(now, id.map(|(session, _)| session), action);
        if let Some(id) = id {
            self.end(id, applied.response, out);
        }
        self.spread(now, &command, &applied.events, out);
    }

    /// Has a change agreed on: with one member that is done at once.
    pub(super) fn agree(
        &mut self,
        now: HostTime,
        by: Option<SessionId>,
        action: Action,
    ) -> (Command, Applied) {
        self.last_id += 1;
        let action = match action {
            Action::LeaseGrant(request) if request.id == 0 => {
                let id = (self.last_id & i64::MAX as u64) as i64;
                Action::LeaseGrant(LeaseGrantRequest { id, ..request })
            }
            action => action,
        };
        let command = Command { by, action };
        let applied = self.machine.apply(self.next_index(), &command);
        let applied = applied.expect("the next index is always new");
        self.follow_leases(now.steady, &command.action, applied.response.is_ok());
        (command, applied)
    }

    /// Tells those who watch or wait what came of a change.
    pub(super) fn spread(
        &mut self,
        now: HostTime,
        command: &Command,
        events: &[Event],
        out: &mut Outbox<Reply>,
    ) {
        for event in events {
            out.changes.extend(self.facts.of(event, command.by));
        }
        if !events.is_empty() {
            for (id, watches) in &mut self.watches {
                let told = watches.notify(&self.machine.store, events);
                send_watch(self.term, *id, told, out);
            }
            self.go_on_waiting(events, out);
        }
        if let Action::LeaseRevoke(_) = command.action {
            self.go_on_keeping_alive(now, out);
        }
    }

    /// The lessor hears of leases that came or went.
    fn follow_leases(&mut self, now: SteadyTime, action: &Action, done: bool) {
        match action {
            Action::LeaseGrant(request) if done => {
                let id = LeaseId(request.id);
                self.lessor.refresh(id, now, self.machine.leases[&id].ttl_s);
            }
            Action::LeaseRevoke(request) if done => self.lessor.forget(LeaseId(request.id)),
            _ => {}
        }
    }

    /// Revokes the leases whose time is up, each with a command of its own.
    pub(super) fn expire(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        for lease in self.lessor.over(now.steady) {
            let request = super::pb::etcdserverpb::LeaseRevokeRequest { id: lease.0 };
            self.propose(now, None, Action::LeaseRevoke(request), out);
        }
    }

    fn keep_alive(&mut self, now: HostTime, id: CallId, out: &mut Outbox<Reply>) {
        loop {
            let lessor = &self.lessor;
            let next = self.keep_alives.next(id, |lease| lessor.is_over(lease, now.steady));
            let Some(lease) = next else { break };
            // One that is not there is told by a time of 0, not by an error.
            let ttl = self.machine.leases.get(&lease).map_or(0, |lease| lease.ttl_s);
            if ttl > 0 {
                self.lessor.refresh(lease, now.steady, ttl);
            }
            let header = inner_header(self.machine.revision());
            let response = LeaseKeepAliveResponse { header, id: lease.0, ttl };
            send(self.term, id, Response::LeaseKeepAlive(response), out);
        }
        self.keep_alives.answered(id, out);
    }

    /// What waited for leases to be revoked goes on.
    pub(super) fn go_on_keeping_alive(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        for id in self.keep_alives.waiting() {
            self.keep_alive(now, id, out);
        }
    }

    fn watch(&mut self, now: HostTime, id: CallId, request: WatchRequest, out: &mut Outbox<Reply>) {
        let store = &self.machine.store;
        let stream = self.watches.entry(id).or_insert_with(|| WatchStream::open(now.steady));
        let told = match request.request_union {
            Some(RequestUnion::CreateRequest(request)) => stream.create(store, &request),
            Some(RequestUnion::CancelRequest(request)) => {
                stream.cancel(store, WatchId(request.watch_id)).into_iter().collect()
            }
            Some(RequestUnion::ProgressRequest(_)) => vec![WatchStream::progress(store)],
            None => Vec::new(),
        };
        send_watch(self.term, id, told, out);
    }

    pub(super) fn tell_progress(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        for (id, stream) in &mut self.watches {
            let told = stream.tick(&self.machine.store, now.steady);
            send_watch(self.term, *id, told, out);
        }
    }

    /// A message on a call that goes on.
    pub(super) fn say(&self, id: CallId, response: Response, out: &mut Outbox<Reply>) {
        send(self.term, id, response, out);
    }

    /// The last word on a call: its response, or why there is none.
    pub(super) fn end(
        &self,
        id: CallId,
        response: Result<Response, Status>,
        out: &mut Outbox<Reply>,
    ) {
        let status = match response {
            Ok(response) => {
                self.say(id, response, out);
                Status::OK
            }
            Err(status) => status,
        };
        out.replies.push((id.0, Reply::End(id.1, status)));
    }

    /// A lease that is not there has -1 seconds left (`v3rpc/lease.go`); a second that has begun does
    /// not count.
    fn time_to_live(
        &self,
        now: SteadyTime,
        request: &LeaseTimeToLiveRequest,
    ) -> LeaseTimeToLiveResponse {
        let id = LeaseId(request.id);
        let header = inner_header(self.machine.revision());
        let unknown = LeaseTimeToLiveResponse { header, id: id.0, ttl: -1, ..Default::default() };
        let (Some(lease), Some(left)) =
            (self.machine.leases.get(&id), self.lessor.remaining(id, now))
        else {
            return unknown;
        };
        let keys = if request.keys { lease.keys.iter().cloned().collect() } else { Vec::new() };
        let ttl = left.as_secs() as i64;
        LeaseTimeToLiveResponse { ttl, granted_ttl: lease.ttl_s, keys, ..unknown }
    }

    fn hash_kv(&self, request: &HashKvRequest) -> Result<HashKvResponse, Status> {
        let store = &self.machine.store;
        let at = store.readable(request.revision)?;
        let header = inner_header(store.revision());
        let compact_revision = store.compacted().0;
        Ok(HashKvResponse { header, hash: store.hash(at), compact_revision })
    }

    fn member(&self) -> Member {
        let url = match self.client_url.as_str() {
            "" => "http://localhost:2379",
            url => url,
        };
        Member {
            id: MEMBER_ID,
            name: "default".into(),
            peer_ur_ls: vec!["http://localhost:2380".into()],
            client_ur_ls: vec![url.into()],
            is_learner: false,
        }
    }

    fn status(&self) -> StatusResponse {
        let index = self.machine.applied().0;
        StatusResponse {
            header: inner_header(self.machine.revision()),
            version: VERSION.into(),
            // An empty database file.
            db_size: 20480,
            db_size_in_use: 16384,
            leader: MEMBER_ID,
            raft_index: index,
            raft_term: self.term,
            raft_applied_index: index,
            ..StatusResponse::default()
        }
    }

    /// The facts about watched keys that were found on the disk, in the order in which they were created. To
    /// be asked for once, right after [`Etcd::boot`].
    pub fn loaded(&self) -> Vec<Change> {
        self.facts.loaded(self.machine.store.range(&Span::ALL, self.machine.revision()))
    }
}

/// Sends a message, with who it is from in its header.
fn send(term: u64, id: CallId, mut response: Response, out: &mut Outbox<Reply>) {
    // Who asks for alarms is told nothing but alarms (measured).
    if !matches!(response, Response::Alarm(_)) {
        let header = response.header();
        header.cluster_id = CLUSTER_ID;
        header.member_id = MEMBER_ID;
        header.raft_term = term;
    }
    out.replies.push((id.0, Reply::Message(id.1, response)));
}

fn send_watch(
    term: u64,
    id: CallId,
    told: Vec<super::pb::etcdserverpb::WatchResponse>,
    out: &mut Outbox<Reply>,
) {
    for response in told {
        send(term, id, Response::Watch(response), out);
    }
}
