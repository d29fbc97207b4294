//! The lock service: locks that the server takes for its clients
//! (`server/etcdserver/api/v3lock/lock.go`, `clientv3/concurrency/mutex.go`).

use bytes::Bytes;

use super::answer::CallId;
use super::machine::{Action, inner_header};
use super::pb::etcdserverpb::DeleteRangeRequest;
use super::pb::v3lockpb::{LockRequest, LockResponse, UnlockRequest, UnlockResponse};
use super::queue::{Place, Service};
use super::rpc::Response;
use super::store::Revision;
use super::{Etcd, Reply};
use crate::model::Outbox;
use crate::time::HostTime;

/// Whoever came to a place before everybody else holds the lock: its key says so.
pub(super) fn taken(place: &Place, now: Revision) -> Response {
    Response::Lock(LockResponse { header: inner_header(now), key: place.key.clone() })
}

/// Gives a lock up, whoever holds it.
pub(super) fn release(key: &Bytes) -> Action {
    let key = key.clone();
    Action::DeleteRange(DeleteRangeRequest { key, ..DeleteRangeRequest::default() })
}

impl Etcd {
    pub(super) fn lock(
        &mut self,
        now: HostTime,
        id: CallId,
        request: LockRequest,
        out: &mut Outbox<Reply>,
    ) {
        match self.enter(now, id.0, (request.name, request.lease, Bytes::new()), out) {
            Ok(place) => self.wait_for_turn(id, Service::Lock, place, out),
            Err(status) => self.end(id, Err(status), out),
        }
    }

    pub(super) fn unlock(
        &mut self,
        now: HostTime,
        id: CallId,
        request: &UnlockRequest,
        out: &mut Outbox<Reply>,
    ) {
        let deleted = self.on_behalf(now, id.0, release(&request.key), out);
        let response = deleted.map(|mut deleted| {
            Response::Unlock(UnlockResponse { header: Some(*deleted.header()) })
        });
        self.end(id, response, out);
    }
}
