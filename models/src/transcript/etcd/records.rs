//! etcd's messages as notes: their fields, and the few that are one of several things.

use crate::etcd::pb::etcdserverpb::compare::TargetUnion;
use crate::etcd::pb::etcdserverpb::request_op::Request as Asked;
use crate::etcd::pb::etcdserverpb::response_op::Response as Answered;
use crate::etcd::pb::etcdserverpb::watch_request::RequestUnion;
use crate::etcd::pb::etcdserverpb::*;
use crate::etcd::pb::mvccpb::event::EventType;
use crate::etcd::pb::mvccpb::{Event, KeyValue};
use crate::etcd::pb::v3electionpb::*;
use crate::etcd::pb::v3lockpb::*;
use crate::transcript::notation::{Note, Noted, Unreadable, noted, only, put, take};

noted! {
    RangeRequest {
        key, range_end, limit, revision, sort_order, sort_target, serializable, keys_only,
        count_only, min_mod_revision, max_mod_revision, min_create_revision, max_create_revision,
    }
    RangeResponse { header, kvs, more, count }
    PutRequest { key, value, lease, prev_kv, ignore_value, ignore_lease }
    PutResponse { header, prev_kv }
    DeleteRangeRequest { key, range_end, prev_kv }
    DeleteRangeResponse { header, deleted, prev_kvs }
    TxnRequest { compare, success, failure }
    TxnResponse { header, succeeded, responses }
    CompactionRequest { revision, physical }
    CompactionResponse { header }
    WatchCreateRequest {
        key, range_end, start_revision, progress_notify, filters, prev_kv, watch_id, fragment,
    }
    WatchCancelRequest { watch_id }
    WatchProgressRequest {}
    WatchResponse {
        header, watch_id, created, canceled, compact_revision, cancel_reason, fragment, events,
    }
    LeaseGrantRequest { ttl, id }
    LeaseGrantResponse { header, id, ttl, error }
    LeaseRevokeRequest { id }
    LeaseRevokeResponse { header }
    LeaseKeepAliveRequest { id }
    LeaseKeepAliveResponse { header, id, ttl }
    LeaseTimeToLiveRequest { id, keys }
    LeaseTimeToLiveResponse { header, id, ttl, granted_ttl, keys }
    LeaseLeasesRequest {}
    LeaseLeasesResponse { header, leases }
    LeaseStatus { id }
    MemberListRequest { linearizable }
    MemberListResponse { header, members }
    Member { id, name, peer_ur_ls, client_ur_ls, is_learner }
    StatusRequest {}
    StatusResponse {
        header, version, db_size, leader, raft_index, raft_term, raft_applied_index, errors,
        db_size_in_use, is_learner,
    }
    AlarmRequest { action, member_id, alarm }
    AlarmResponse { header, alarms }
    AlarmMember { member_id, alarm }
    HashRequest {}
    HashResponse { header, hash }
    HashKvRequest { revision }
    HashKvResponse { header, hash, compact_revision }
    AuthenticateRequest { name, password }
    KeyValue { key, create_revision, mod_revision, version, value, lease }
    LockRequest { name, lease }
    LockResponse { header, key }
    UnlockRequest { key }
    UnlockResponse { header }
    CampaignRequest { name, lease, value }
    CampaignResponse { header, leader }
    LeaderKey { name, key, rev, lease }
    LeaderRequest { name }
    LeaderResponse { header, kv }
    ResignRequest { leader }
    ResignResponse { header }
    ProclaimRequest { leader, value }
    ProclaimResponse { header }
}

/// Who a header is from is the same in all of them, unless it is left out.
impl Noted for ResponseHeader {
    fn note(&self) -> Note {
        let mut fields = Vec::new();
        put(&mut fields, "revision", &self.revision);
        put(&mut fields, "nobody", &(self.member_id == 0));
        Note::record("", fields)
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        Err(Unreadable(format!("headers are not sent: {note}")))
    }
}

impl Noted for Compare {
    fn note(&self) -> Note {
        let mut fields = Vec::new();
        put(&mut fields, "target", &self.target);
        put(&mut fields, "result", &self.result);
        put(&mut fields, "key", &self.key);
        put(&mut fields, "range_end", &self.range_end);
        let (name, value) = match &self.target_union {
            None => return Note::record("", fields),
            Some(TargetUnion::Version(version)) => ("version", version.note()),
            Some(TargetUnion::CreateRevision(revision)) => ("create_revision", revision.note()),
            Some(TargetUnion::ModRevision(revision)) => ("mod_revision", revision.note()),
            Some(TargetUnion::Value(value)) => ("value", value.note()),
            Some(TargetUnion::Lease(lease)) => ("lease", lease.note()),
        };
        fields.push((name.to_owned(), value));
        Note::record("", fields)
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        let of = ["version", "create_revision", "mod_revision", "value", "lease"];
        let fields = ["target", "result", "key", "range_end"];
        only(note, &[&fields[..], &of[..]].concat())?;
        let given = of.iter().find_map(|name| Some((*name, note.field(name)?)));
        let target_union = match given {
            None => None,
            Some(("version", value)) => Some(TargetUnion::Version(i64::from_note(value)?)),
            Some(("create_revision", value)) => {
                Some(TargetUnion::CreateRevision(i64::from_note(value)?))
            }
            Some(("mod_revision", value)) => Some(TargetUnion::ModRevision(i64::from_note(value)?)),
            Some(("lease", value)) => Some(TargetUnion::Lease(i64::from_note(value)?)),
            Some((_, value)) => Some(TargetUnion::Value(Noted::from_note(value)?)),
        };
        Ok(Compare {
            result: take(note, "result")?,
            target: take(note, "target")?,
            key: take(note, "key")?,
            range_end: take(note, "range_end")?,
            target_union,
        })
    }
}

/// A message that is one of several, by its name; an empty name if it is none of them.
macro_rules! one_of {
    ($message:ty, $field:ident, $union:ident { $($variant:ident as $name:literal),* $(,)? }) => {
        impl Noted for $message {
            fn note(&self) -> Note {
                match &self.$field {
                    None => Note::record("", Vec::new()),
                    $(Some($union::$variant(message)) => message.note().named($name),)*
                }
            }

            fn from_note(note: &Note) -> Result<Self, Unreadable> {
                let $field = match note.fields()?.0 {
                    "" => None,
                    $($name => Some($union::$variant(Noted::from_note(note)?)),)*
                    other => return Err(Unreadable(format!("{other} cannot be here"))),
                };
                Ok(Self { $field })
            }
        }
    };
}

one_of!(RequestOp, request, Asked {
    RequestRange as "Range",
    RequestPut as "Put",
    RequestDeleteRange as "DeleteRange",
    RequestTxn as "Txn",
});
one_of!(ResponseOp, response, Answered {
    ResponseRange as "Range",
    ResponsePut as "Put",
    ResponseDeleteRange as "DeleteRange",
    ResponseTxn as "Txn",
});
impl Noted for WatchRequest {
    fn note(&self) -> Note {
        let (name, message) = match &self.request_union {
            None => return Note::record("", Vec::new()),
            Some(RequestUnion::CreateRequest(message)) => ("create", message.note()),
            Some(RequestUnion::CancelRequest(message)) => ("cancel", message.note()),
            Some(RequestUnion::ProgressRequest(message)) => ("progress", message.note()),
        };
        Note::record("", vec![(name.to_owned(), message)])
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        let request_union = match note.fields()?.1 {
            [] => None,
            [(name, note)] => Some(match name.as_str() {
                "create" => RequestUnion::CreateRequest(Noted::from_note(note)?),
                "cancel" => RequestUnion::CancelRequest(Noted::from_note(note)?),
                "progress" => RequestUnion::ProgressRequest(Noted::from_note(note)?),
                other => return Err(Unreadable(format!("no watch can be asked to {other}"))),
            }),
            _ => return Err(Unreadable(format!("one request at a time: {note}"))),
        };
        Ok(WatchRequest { request_union })
    }
}

impl Noted for Event {
    fn note(&self) -> Note {
        let mut fields = Vec::new();
        put(&mut fields, "kv", &self.kv);
        put(&mut fields, "prev_kv", &self.prev_kv);
        Note::record(self.r#type().as_str_name(), fields)
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        let name = note.fields()?.0;
        let kind = EventType::from_str_name(name);
        let kind = kind.ok_or_else(|| Unreadable(format!("{name} is no event")))?;
        Ok(Event { r#type: kind as i32, kv: take(note, "kv")?, prev_kv: take(note, "prev_kv")? })
    }
}
