//! Calls that wait in the server for their turn: what its lock service and its election service share.
//!
//! Both run the client's own library inside the server (`clientv3/concurrency`: `session.go`, `key.go`).
//! Whoever wants to be first puts a key below a name, under a lease, and waits until no key there was
//! created before it. The keys are agreed on, the waiting is not: a server that goes down forgets who
//! waited, and their keys stay until their leases end.

use bytes::Bytes;

use super::answer::CallId;
use super::machine::{Action, Applied, LeaseId};
use super::pb::etcdserverpb::compare::{CompareTarget, TargetUnion};
use super::pb::etcdserverpb::range_request::{SortOrder, SortTarget};
use super::pb::etcdserverpb::request_op::Request as Op;
use super::pb::etcdserverpb::{
    Compare, LeaseGrantRequest, PutRequest, RangeRequest, RequestOp, TxnRequest, TxnResponse,
};
use super::pb::mvccpb::event::EventType;
use super::pb::mvccpb::{Event, KeyValue};
use super::rpc::Response;
use super::store::{Revision, Store};
use super::v3election::Observer;
use super::{Code, Etcd, Reply, Status, range, v3election, v3lock};
use crate::model::{Outbox, SessionId};
use crate::time::HostTime;

/// The lease of a call that brings none, in seconds (`session.go` `defaultSessionTTL`).
const SESSION_TTL_S: i64 = 60;

/// What a call waits for.
#[derive(Debug)]
pub(super) enum Wait {
    /// To be the first below a name.
    Turn(Turn),
    /// To hear of leaders, until its client goes.
    Observer(Observer),
}

/// A place in line that is not the first one.
#[derive(Debug)]
pub(super) struct Turn {
    place: Place,
    /// The key that was created just before: nobody wakes for any other, so no herd comes of it.
    ahead: Bytes,
    service: Service,
}

/// Whose line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Lock,
    Election,
}

/// A place in line.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) name: Bytes,
    pub(super) lease: LeaseId,
    /// The name, a slash, the lease in hexadecimal digits: the same call comes to the same place again.
    pub(super) key: Bytes,
    /// When the key was created.
    pub(super) created: Revision,
    /// When the call came to it.
    pub(super) entered: Revision,
    /// What was there, if the call was not the first to come.
    pub(super) found: Option<KeyValue>,
}

/// All keys below a name. They begin with a slash behind it, and `0` is the byte after the slash.
pub(super) fn below(name: &[u8]) -> RangeRequest {
    let key = [name, b"/"].concat().into();
    let range_end = [name, b"0"].concat().into();
    RangeRequest { key, range_end, ..RangeRequest::default() }
}

/// What `request` finds first, by the order of creation.
pub(super) fn first(store: &Store, order: SortOrder, request: RangeRequest) -> Option<KeyValue> {
    let (sort_order, sort_target) = (order as i32, SortTarget::Create as i32);
    let request = RangeRequest { limit: 1, sort_order, sort_target, ..request };
    let found = range::range(store, &request).expect("the newest revision can be read");
    found.kvs.into_iter().next()
}

/// A transaction that does one thing if a key was created at `created`, 0 if it is to be missing, and
/// another thing otherwise.
pub(super) fn if_created(
    key: &Bytes,
    created: Revision,
    then: Op,
    otherwise: Option<Op>,
) -> Action {
    let compare = Compare {
        target: CompareTarget::Create as i32,
        key: key.clone(),
        target_union: Some(TargetUnion::CreateRevision(created.0)),
        ..Compare::default()
    };
    let op = |op| RequestOp { request: Some(op) };
    Action::Txn(TxnRequest {
        compare: vec![compare],
        success: vec![op(then)],
        failure: otherwise.map(op).into_iter().collect(),
    })
}

impl Place {
    /// The key just before it in line, if it is not the first.
    fn ahead(&self, store: &Store) -> Option<Bytes> {
        let max_create_revision = self.created.previous().0;
        let before = RangeRequest { max_create_revision, ..below(&self.name) };
        first(store, SortOrder::Descend, before).map(|kv| kv.key)
    }
}

impl Etcd {
    /// A change that the server makes for a client by way of its library, which keeps the text of an
    /// error and forgets its code (measured: 2, unknown).
    pub(super) fn on_behalf(
        &mut self,
        now: HostTime,
        by: SessionId,
        action: Action,
        out: &mut Outbox<Reply>,
    ) -> Result<Response, Status> {
        let unknown = |status: Status| Status { code: Code::Unknown, ..status };
        self.check(&action).map_err(unknown)?;
        let (command, Applied { response, events }) = self.agree(now, Some(by), action);
        self.spread(now, &command, &events, out);
        response.map_err(unknown)
    }

    /// .. a transaction.
    pub(super) fn transact(
        &mut self,
        now: HostTime,
        by: SessionId,
        txn: Action,
        out: &mut Outbox<Reply>,
    ) -> Result<TxnResponse, Status> {
        match self.on_behalf(now, by, txn, out)? {
            Response::Txn(response) => Ok(response),
            other => unreachable!("a transaction answered by {other:?}"),
        }
    }

    /// The lease of a call; 0 has the server grant one, which nobody keeps alive (`Orphan`).
    pub(super) fn session(
        &mut self,
        now: HostTime,
        by: SessionId,
        lease: i64,
        out: &mut Outbox<Reply>,
    ) -> Result<LeaseId, Status> {
        if lease != 0 {
            return Ok(LeaseId(lease));
        }
        let grant = LeaseGrantRequest { ttl: SESSION_TTL_S, id: 0 };
        match self.on_behalf(now, by, Action::LeaseGrant(grant), out)? {
            Response::LeaseGrant(granted) => Ok(LeaseId(granted.id)),
            other => unreachable!("a grant answered by {other:?}"),
        }
    }

    /// Gets in line below `name`, or finds the place that this lease has there already.
    pub(super) fn enter(
        &mut self,
        now: HostTime,
        by: SessionId,
        (name, lease, value): (Bytes, i64, Bytes),
        out: &mut Outbox<Reply>,
    ) -> Result<Place, Status> {
        let lease = self.session(now, by, lease, out)?;
        let sign = if lease.0 < 0 { "-" } else { "" };
        let key = format!("/{sign}{:x}", lease.0.unsigned_abs());
        let key = Bytes::from([&name, key.as_bytes()].concat());
        let put = PutRequest { key: key.clone(), value, lease: lease.0, ..PutRequest::default() };
        let get = RangeRequest { key: key.clone(), ..RangeRequest::default() };
        let txn = if_created(&key, Revision(0), Op::RequestPut(put), Some(Op::RequestRange(get)));
        let response = self.transact(now, by, txn, out)?;
        let entered = Revision(response.header.map_or(0, |header| header.revision));
        let store = &self.machine.store;
        let found = store.get(&key, entered).filter(|_| !response.succeeded).cloned();
        let created = found.as_ref().map_or(entered, |kv| Revision(kv.create_revision));
        Ok(Place { name, lease, key, created, entered, found })
    }

    /// Ends the call if it is the first in line, and else has it wait.
    pub(super) fn wait_for_turn(
        &mut self,
        id: CallId,
        service: Service,
        place: Place,
        out: &mut Outbox<Reply>,
    ) {
        match place.ahead(&self.machine.store) {
            Some(ahead) => {
                self.waits.insert(id, Wait::Turn(Turn { place, ahead, service }));
            }
            None => self.end(id, Ok(self.reached(service, &place)), out),
        }
    }

    fn reached(&self, service: Service, place: &Place) -> Response {
        match service {
            Service::Lock => v3lock::taken(place, self.machine.revision()),
            Service::Election => v3election::won(place),
        }
    }

    /// Those who wait hear of what has just been committed. Whose turn it is then is told so, also if
    /// its own key is gone: 3.4 does not look (measured; later versions do, etcd#11456, but for elections).
    pub(super) fn go_on_waiting(&mut self, events: &[Event], out: &mut Outbox<Reply>) {
        let mut waits = std::mem::take(&mut self.waits);
        waits.retain(|id, wait| match wait {
            Wait::Observer(observer) => {
                for response in observer.hear(&self.machine.store, events) {
                    self.say(*id, Response::Observe(response), out);
                }
                true
            }
            Wait::Turn(turn) if gone(&turn.ahead, events) => {
                match turn.place.ahead(&self.machine.store) {
                    Some(ahead) => turn.ahead = ahead,
                    None => {
                        self.end(*id, Ok(self.reached(turn.service, &turn.place)), out);
                        return false;
                    }
                }
                true
            }
            Wait::Turn(_) => true,
        });
        self.waits = waits;
    }

    /// A call's client is gone: whoever waits leaves the line.
    pub(super) fn leave(&mut self, now: HostTime, id: CallId, out: &mut Outbox<Reply>) {
        let Some(Wait::Turn(Turn { place, service, .. })) = self.waits.remove(&id) else { return };
        let action = match service {
            Service::Lock => v3lock::release(&place.key),
            Service::Election => v3election::resign(&place.key, place.created),
        };
        // A key that is gone already is as good.
        let _ = self.on_behalf(now, id.0, action, out);
    }

    /// .. and so does everybody whose connection has ended.
    pub(super) fn leave_all(&mut self, now: HostTime, of: SessionId, out: &mut Outbox<Reply>) {
        let gone: Vec<CallId> = self.waits.keys().filter(|id| id.0 == of).copied().collect();
        for id in gone {
            self.leave(now, id, out);
        }
    }
}

fn gone(key: &Bytes, events: &[Event]) -> bool {
    let deleted = events.iter().filter(|event| event.r#type() == EventType::Delete);
    deleted.filter_map(|event| event.kv.as_ref()).any(|kv| kv.key == *key)
}
