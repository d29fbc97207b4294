//! What all members of a cluster agree on: the keys and the leases.
//!
//! Everything that changes them is a [`Command`], and [`Machine::apply`] is the only way in. It knows
//! no clock and no connection, so that a log of commands gives the same state wherever it is applied:
//! consensus can be put under it without a change here. When a lease's time is up is not agreed on; it
//! is what the leader says (`lessor.rs`).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use prost::Message as _;

use super::pb::etcdserverpb::{
    CompactionRequest, CompactionResponse, DeleteRangeRequest, DeleteRangeResponse,
    LeaseGrantRequest, LeaseGrantResponse, LeaseRevokeRequest, LeaseRevokeResponse, PutRequest,
    PutResponse, ResponseHeader, TxnRequest,
};
use super::pb::mvccpb::Event;
use super::rpc::Response;
use super::span::Span;
use super::status::Status;
use super::store::{Revision, Store};
use super::txn;
use crate::model::SessionId;

/// Names a lease. 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub i64);

/// Where a command stands in the log, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Index(pub u64);

/// A change that is proposed.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Whose request it is; `None`: the leader's own, when a lease's time is up.
    pub by: Option<SessionId>,
    /// What is to be changed.
    pub action: Action,
}

/// What can be changed.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "named as the requests that they carry")]
pub enum Action {
    Put(PutRequest),
    DeleteRange(DeleteRangeRequest),
    /// Also a transaction that only reads.
    Txn(TxnRequest),
    Compact(CompactionRequest),
    LeaseGrant(LeaseGrantRequest),
    LeaseRevoke(LeaseRevokeRequest),
}

/// What came of a command.
#[derive(Debug)]
pub struct Applied {
    /// What its client is told. The header holds the revision only.
    pub response: Result<Response, Status>,
    /// What happened to keys, in order, all at one revision.
    pub events: Vec<Event>,
}

/// A lease as all members know it.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    /// As granted, in seconds.
    pub(super) ttl_s: i64,
    /// What is deleted with it.
    pub(super) keys: BTreeSet<Bytes>,
}

/// The state that a log of commands leads to.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub(super) store: Store,
    pub(super) leases: BTreeMap<LeaseId, Lease>,
    applied: Index,
}

/// The shortest time to live in seconds: `minTTL`, one and a half election timeouts of 1 s, rounded up
/// (`server/etcdserver/server.go`).
pub const MIN_TTL_S: i64 = 2;
/// The longest one in seconds (`server/lease/lessor.go` `MaxLeaseTTL`).
pub const MAX_TTL_S: i64 = 9_000_000_000;
/// What a command may be long (`--max-request-bytes`, 1.5 MiB).
pub(super) const MAX_COMMAND_BYTES: usize = 3 * 512 * 1024;

/// A header as responses within a transaction have it: the revision and nothing else.
pub(super) fn inner_header(revision: Revision) -> Option<ResponseHeader> {
    Some(ResponseHeader { revision: revision.0, ..ResponseHeader::default() })
}

impl Machine {
    /// Applies the command at `index` of the log; one that was applied before changes nothing again.
    ///
    /// # Panics
    /// If a command before it is missing: a hole in the log is a mistake of whoever keeps it.
    pub fn apply(&mut self, index: Index, command: &Command) -> Option<Applied> {
        if index <= self.applied {
            return None;
        }
        assert_eq!(index.0, self.applied.0 + 1, "commands are applied in the order of the log");
        self.applied = index;
        let response = match &command.action {
            // Here a missing lease is found before a missing key, in a transaction after it (measured).
            Action::Put(request) => {
                self.check_lease(request).and_then(|()| self.put(request)).map(Response::Put)
            }
            Action::DeleteRange(request) => Ok(Response::DeleteRange(self.delete_range(request))),
            Action::Txn(request) => txn::apply(self, request).map(Response::Txn),
            Action::Compact(request) => self.compact(request),
            Action::LeaseGrant(request) => self.grant(request),
            Action::LeaseRevoke(request) => self.revoke(LeaseId(request.id)),
        };
        Some(Applied { response, events: self.store.commit() })
    }

    /// The last command that was applied.
    pub fn applied(&self) -> Index {
        self.applied
    }

    /// The newest revision.
    pub fn revision(&self) -> Revision {
        self.store.revision()
    }

    /// Whether a put can be carried out (`apply.go` `checkRequestPut`).
    pub(super) fn check_put(&self, request: &PutRequest) -> Result<(), Status> {
        let keeps = request.ignore_value || request.ignore_lease;
        if keeps && self.store.get(&request.key, self.store.revision()).is_none() {
            return Err(Status::KEY_NOT_FOUND);
        }
        self.check_lease(request)
    }

    fn check_lease(&self, request: &PutRequest) -> Result<(), Status> {
        let known = request.lease == 0 || self.leases.contains_key(&LeaseId(request.lease));
        known.then_some(()).ok_or(Status::LEASE_NOT_FOUND)
    }

    pub(super) fn put(&mut self, request: &PutRequest) -> Result<PutResponse, Status> {
        self.check_put(request)?;
        let before = self.store.get(&request.key, self.store.revision()).cloned();
        let (mut value, mut lease) = (request.value.clone(), request.lease);
        if let Some(before) = &before {
            self.detach(before.lease, &request.key);
            if request.ignore_value {
                value = before.value.clone();
            }
            if request.ignore_lease {
                lease = before.lease;
            }
        }
        self.store.put(&request.key, value, lease);
        if let Some(lease) = self.leases.get_mut(&LeaseId(lease)) {
            lease.keys.insert(request.key.clone());
        }
        let prev_kv = before.filter(|_| request.prev_kv);
        Ok(PutResponse { header: inner_header(self.store.revision()), prev_kv })
    }

    pub(super) fn delete_range(&mut self, request: &DeleteRangeRequest) -> DeleteRangeResponse {
        let span = Span::new(&request.key, &request.range_end);
        let found: Vec<_> = self.store.range(&span, self.store.revision()).cloned().collect();
        for kv in &found {
            self.store.delete(&kv.key);
            self.detach(kv.lease, &kv.key);
        }
        DeleteRangeResponse {
            header: inner_header(self.store.revision()),
            deleted: found.len() as i64,
            prev_kvs: if request.prev_kv { found } else { Vec::new() },
        }
    }

    fn detach(&mut self, lease: i64, key: &Bytes) {
        if let Some(lease) = self.leases.get_mut(&LeaseId(lease)) {
            lease.keys.remove(key);
        }
    }

    fn compact(&mut self, request: &CompactionRequest) -> Result<Response, Status> {
        self.store.compact(Revision(request.revision))?;
        let header = inner_header(self.store.revision());
        Ok(Response::Compact(CompactionResponse { header }))
    }

    /// `server/lease/lessor.go` `Grant`.
    fn grant(&mut self, request: &LeaseGrantRequest) -> Result<Response, Status> {
        if request.ttl > MAX_TTL_S {
            return Err(Status::TTL_TOO_LARGE);
        }
        let id = LeaseId(request.id);
        if self.leases.contains_key(&id) {
            return Err(Status::LEASE_EXISTS);
        }
        let ttl_s = request.ttl.max(MIN_TTL_S);
        self.leases.insert(id, Lease { ttl_s, keys: BTreeSet::new() });
        let header = inner_header(self.store.revision());
        let response = LeaseGrantResponse { header, id: id.0, ttl: ttl_s, error: String::new() };
        Ok(Response::LeaseGrant(response))
    }

    /// All keys of the lease go in one revision, in the order of their names (`Revoke`).
    fn revoke(&mut self, id: LeaseId) -> Result<Response, Status> {
        let lease = self.leases.remove(&id).ok_or(Status::LEASE_NOT_FOUND)?;
        for key in &lease.keys {
            self.store.delete(key);
        }
        let header = inner_header(self.store.revision());
        Ok(Response::LeaseRevoke(LeaseRevokeResponse { header }))
    }
}

impl Action {
    /// What it takes on the wire, in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Action::Put(request) => request.encoded_len(),
            Action::DeleteRange(request) => request.encoded_len(),
            Action::Txn(request) => request.encoded_len(),
            Action::Compact(request) => request.encoded_len(),
            Action::LeaseGrant(request) => request.encoded_len(),
            Action::LeaseRevoke(request) => request.encoded_len(),
        }
    }
}
