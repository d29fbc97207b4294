//! The election service (`server/etcdserver/api/v3election/election.go`,
//! `clientv3/concurrency/election.go`).
//!
//! The leader is whose key was created first below the name; what it says is the key's value.

use bytes::Bytes;

use super::answer::CallId;
use super::machine::{Action, inner_header};
use super::pb::etcdserverpb::range_request::SortOrder;
use super::pb::etcdserverpb::request_op::Request as Op;
use super::pb::etcdserverpb::{DeleteRangeRequest, PutRequest, ResponseHeader};
use super::pb::mvccpb::event::EventType;
use super::pb::mvccpb::{Event, KeyValue};
use super::pb::v3electionpb::{
    CampaignRequest, CampaignResponse, LeaderKey, LeaderRequest, LeaderResponse, ProclaimRequest,
    ProclaimResponse, ResignRequest, ResignResponse,
};
use super::queue::{Place, Service, Wait, below, first, if_created};
use super::rpc::Response;
use super::store::{Revision, Store};
use super::{Etcd, Reply, Status};
use crate::model::{Outbox, SessionId};
use crate::time::HostTime;

/// A candidate leads. The header is that of its coming, however long it has waited since (measured).
pub(super) fn won(place: &Place) -> Response {
    let leader = LeaderKey {
        name: place.name.clone(),
        key: place.key.clone(),
        rev: place.created.0,
        lease: place.lease.0,
    };
    let header = inner_header(place.entered);
    Response::Campaign(CampaignResponse { header, leader: Some(leader) })
}

/// Gives up a candidate's key, if it still is the one that was created then.
pub(super) fn resign(key: &Bytes, created: Revision) -> Action {
    let delete = DeleteRangeRequest { key: key.clone(), ..DeleteRangeRequest::default() };
    if_created(key, created, Op::RequestDeleteRange(delete), None)
}

fn leader(store: &Store, name: &[u8]) -> Option<LeaderResponse> {
    let kv = first(store, SortOrder::Ascend, below(name))?;
    Some(LeaderResponse { header: inner_header(store.revision()), kv: Some(kv) })
}

impl Etcd {
    pub(super) fn campaign(
        &mut self,
        now: HostTime,
        id: CallId,
        request: CampaignRequest,
        out: &mut Outbox<Reply>,
    ) {
        let CampaignRequest { name, lease, value } = request;
        match self.stand(now, id.0, (name, lease, value), out) {
            Ok(place) => self.wait_for_turn(id, Service::Election, place, out),
            Err(status) => self.end(id, Err(status), out),
        }
    }

    /// Gets in line; who stands there already says something new.
    fn stand(
        &mut self,
        now: HostTime,
        by: SessionId,
        (name, lease, value): (Bytes, i64, Bytes),
        out: &mut Outbox<Reply>,
    ) -> Result<Place, Status> {
        let place = self.enter(now, by, (name, lease, value.clone()), out)?;
        if place.found.as_ref().is_some_and(|kv| kv.value != value) {
            let key = PutRequest { key: place.key.clone(), value, ..PutRequest::default() };
            let put = PutRequest { lease: place.lease.0, ..key };
            if let Err(status) = self.say_as_leader(now, by, put, place.created, out) {
                // It was answered already; that nothing came of this too is no news.
                let _ = self.on_behalf(now, by, resign(&place.key, place.created), out);
                return Err(status);
            }
        }
        Ok(place)
    }

    fn say_as_leader(
        &mut self,
        now: HostTime,
        by: SessionId,
        put: PutRequest,
        created: Revision,
        out: &mut Outbox<Reply>,
    ) -> Result<Option<ResponseHeader>, Status> {
        let key = put.key.clone();
        let txn = if_created(&key, created, Op::RequestPut(put), None);
        let response = self.transact(now, by, txn, out)?;
        if response.succeeded { Ok(response.header) } else { Err(Status::NOT_LEADER) }
    }

    pub(super) fn proclaim(
        &mut self,
        now: HostTime,
        by: SessionId,
        request: ProclaimRequest,
        out: &mut Outbox<Reply>,
    ) -> Result<Response, Status> {
        let leader = request.leader.ok_or(Status::NO_LEADER_KEY)?;
        let lease = self.session(now, by, leader.lease, out)?.0;
        let (key, value) = (leader.key, request.value);
        let put = PutRequest { key, value, lease, ..PutRequest::default() };
        let header = self.say_as_leader(now, by, put, Revision(leader.rev), out)?;
        Ok(Response::Proclaim(ProclaimResponse { header }))
    }

    /// Whoever has lost the election already resigns, too.
    pub(super) fn resign(
        &mut self,
        now: HostTime,
        by: SessionId,
        request: ResignRequest,
        out: &mut Outbox<Reply>,
    ) -> Result<Response, Status> {
        let leader = request.leader.ok_or(Status::NO_LEADER_KEY)?;
        self.session(now, by, leader.lease, out)?;
        let txn = resign(&leader.key, Revision(leader.rev));
        let header = self.transact(now, by, txn, out)?.header;
        Ok(Response::Resign(ResignResponse { header }))
    }

    pub(super) fn leader(&self, request: &LeaderRequest) -> Result<Response, Status> {
        let found = leader(&self.machine.store, &request.name);
        found.map(Response::Leader).ok_or(Status::NO_LEADER)
    }

    pub(super) fn observe(&mut self, id: CallId, request: LeaderRequest, out: &mut Outbox<Reply>) {
        let mut observer = Observer { name: request.name, leader: None };
        if let Some(response) = observer.look(&self.machine.store) {
            self.say(id, Response::Observe(response), out);
        }
        self.waits.insert(id, Wait::Observer(observer));
    }
}

/// Who wants to hear of every leader and of what it says.
#[derive(Debug)]
pub(super) struct Observer {
    name: Bytes,
    /// Whose key is followed; `None`: the first one that comes will be.
    leader: Option<Bytes>,
}

impl Observer {
    /// Finds the leader.
    fn look(&mut self, store: &Store) -> Option<LeaderResponse> {
        let found = leader(store, &self.name)?;
        self.leader = found.kv.as_ref().map(|kv| kv.key.clone());
        Some(found)
    }

    /// What there is to say after these events, all at one revision.
    pub(super) fn hear(&mut self, store: &Store, events: &[Event]) -> Vec<LeaderResponse> {
        let news = events.iter().filter_map(|event| Some((event.r#type(), event.kv.as_ref()?)));
        let Some(leader) = self.leader.clone() else {
            let below = below(&self.name);
            let is_below = |kv: &KeyValue| kv.key >= below.key && kv.key < below.range_end;
            let put = |(kind, kv): &(EventType, &KeyValue)| *kind == EventType::Put && is_below(kv);
            return news.filter(put).take(1).map(|(_, kv)| self.follow(kv)).collect();
        };
        let mut said = Vec::new();
        for (kind, kv) in news.filter(|(_, kv)| kv.key == leader) {
            match kind {
                EventType::Put => said.push(self.follow(kv)),
                EventType::Delete => {
                    self.leader = None;
                    said.extend(self.look(store));
                }
            }
        }
        said
    }

    fn follow(&mut self, kv: &KeyValue) -> LeaderResponse {
        self.leader = Some(kv.key.clone());
        let header = inner_header(Revision(kv.mod_revision));
        LeaderResponse { header, kv: Some(kv.clone()) }
    }
}
