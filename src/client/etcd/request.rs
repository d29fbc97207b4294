//! The messages that locks send, in Go's words for them (`client/v3/op.go`, `compare.go`).

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use picklock_models::etcd::pb::etcdserverpb::range_request::{SortOrder, SortTarget};
use picklock_models::etcd::pb::etcdserverpb::request_op::Request;
use picklock_models::etcd::pb::etcdserverpb::response_op::Response;
use picklock_models::etcd::pb::etcdserverpb::{
    Compare, DeleteRangeRequest, PutRequest, RangeRequest, RangeResponse, RequestOp, TxnRequest,
    TxnResponse,
};

/// Reads one key.
pub fn get(key: &Bytes) -> RangeRequest {
    RangeRequest { key: key.clone(), ..RangeRequest::default() }
}

/// Reads the key below `prefix` that was created first.
pub fn first_created(prefix: &Bytes) -> RangeRequest {
    top(prefix, SortTarget::Create, SortOrder::Ascend)
}

/// Reads the key below `prefix` that was created last, but no later than at this revision.
pub fn last_created(prefix: &Bytes, at_most: i64) -> RangeRequest {
    let request = top(prefix, SortTarget::Create, SortOrder::Descend);
    RangeRequest { max_create_revision: at_most, ..request }
}

/// Reads the key below `prefix` that was changed last, but no later than at this revision.
pub fn last_modified(prefix: &Bytes, at_most: i64) -> RangeRequest {
    let request = top(prefix, SortTarget::Mod, SortOrder::Descend);
    RangeRequest { max_mod_revision: at_most, ..request }
}

fn top(prefix: &Bytes, target: SortTarget, order: SortOrder) -> RangeRequest {
    RangeRequest {
        key: prefix.clone(),
        range_end: end_of(prefix),
        limit: 1,
        sort_target: target.into(),
        sort_order: order.into(),
        ..RangeRequest::default()
    }
}

/// The first key behind all that begin with `prefix`: its last byte counted up (`getPrefix`; a prefix
/// ends in a slash or a letter here, so there is always room).
fn end_of(prefix: &Bytes) -> Bytes {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end.into()
}

/// Stores a key with a lease; 0 is none.
pub fn put(key: &Bytes, value: impl Into<Bytes>, lease: i64) -> PutRequest {
    PutRequest { key: key.clone(), value: value.into(), lease, ..PutRequest::default() }
}

/// Deletes one key.
pub fn delete(key: &Bytes) -> DeleteRangeRequest {
    DeleteRangeRequest { key: key.clone(), ..DeleteRangeRequest::default() }
}

/// The key was created at this revision; 0: it is not there.
pub fn created_at(key: &Bytes, revision: i64) -> Compare {
    equal(key, CompareTarget::Create, TargetUnion::CreateRevision(revision))
}

/// The key was changed last at this revision.
pub fn modified_at(key: &Bytes, revision: i64) -> Compare {
    equal(key, CompareTarget::Mod, TargetUnion::ModRevision(revision))
}

/// The key has this version; 0: it is not there.
pub fn version_is(key: &Bytes, version: i64) -> Compare {
    equal(key, CompareTarget::Version, TargetUnion::Version(version))
}

fn equal(key: &Bytes, target: CompareTarget, value: TargetUnion) -> Compare {
    Compare {
        result: CompareResult::Equal.into(),
        target: target.into(),
        key: key.clone(),
        range_end: Bytes::new(),
        target_union: Some(value),
    }
}

/// If `condition` then some operations, else others.
pub fn txn<const N: usize, const M: usize>(
    condition: Compare,
    then: [Request; N],
    otherwise: [Request; M],
) -> TxnRequest {
    let op = |request| RequestOp { request: Some(request) };
    TxnRequest {
        compare: vec![condition],
        success: then.map(op).into(),
        failure: otherwise.map(op).into(),
    }
}

/// What the operation at `place` of a transaction read, if it was a read.
pub fn read_at(response: &TxnResponse, place: usize) -> Option<&RangeResponse> {
    match response.responses.get(place)?.response.as_ref()? {
        Response::ResponseRange(range) => Some(range),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_its_last_byte_is_one_more() {
        let request = first_created(&Bytes::from_static(b"lock/"));
        assert_eq!(request.range_end, "lock0");
        assert_eq!(request.limit, 1);
    }
}
