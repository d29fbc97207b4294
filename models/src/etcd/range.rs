//! Range: what is found, filtered, sorted and cut, in etcd's order (`server/etcdserver/apply.go`
//! `Range`).

use super::machine::inner_header;
use super::pb::etcdserverpb::range_request::{SortOrder, SortTarget};
use super::pb::etcdserverpb::{RangeRequest, RangeResponse};
use super::pb::mvccpb::KeyValue;
use super::span::Span;
use super::status::Status;
use super::store::Store;

/// What `request` finds now.
///
/// # Errors
/// If the revision asked for was compacted or is still to come.
pub(super) fn range(store: &Store, request: &RangeRequest) -> Result<RangeResponse, Status> {
    let at = store.readable(request.revision)?;
    let header = inner_header(store.revision());
    let span = Span::new(&request.key, &request.range_end);
    let count = store.range(&span, at).count() as i64;
    if request.count_only {
        return Ok(RangeResponse { header, count, ..RangeResponse::default() });
    }
    let mut found: Vec<&KeyValue> =
        store.range(&span, at).take(fetched(request)).filter(|kv| passes(request, kv)).collect();
    sort(request, &mut found);
    let more = request.limit > 0 && found.len() as i64 > request.limit;
    if more {
        found.truncate(limit(request));
    }
    let kvs = found.into_iter().cloned();
    let kvs = if request.keys_only {
        kvs.map(|kv| KeyValue { value: Default::default(), ..kv }).collect()
    } else {
        kvs.collect()
    };
    Ok(RangeResponse { header, kvs, more, count })
}

/// # Errors
/// If the request could mean nothing (`api/v3rpc/key.go` `checkRangeRequest`). A target that nobody knows
/// is refused as later versions do; this one looks at neither, and such a target brings it down.
pub(super) fn check(request: &RangeRequest) -> Result<(), Status> {
    if request.key.is_empty() {
        return Err(Status::EMPTY_KEY);
    }
    let known = SortTarget::try_from(request.sort_target).is_ok();
    known.then_some(()).ok_or(Status::INVALID_SORT)
}

fn limit(request: &RangeRequest) -> usize {
    usize::try_from(request.limit).unwrap_or(usize::MAX)
}

/// How many keys are looked at. Whoever sorts by another target without an order is answered from the
/// first keys only: the real server looks at the order alone when it decides this.
fn fetched(request: &RangeRequest) -> usize {
    let filters = [
        request.min_mod_revision,
        request.max_mod_revision,
        request.min_create_revision,
        request.max_create_revision,
    ];
    let all = request.limit <= 0
        || request.sort_order != SortOrder::None as i32
        || filters.iter().any(|bound| *bound != 0);
    if all { usize::MAX } else { limit(request).saturating_add(1) }
}

fn passes(request: &RangeRequest, kv: &KeyValue) -> bool {
    let within =
        |value: i64, min: i64, max: i64| (min == 0 || value >= min) && (max == 0 || value <= max);
    within(kv.mod_revision, request.min_mod_revision, request.max_mod_revision)
        && within(kv.create_revision, request.min_create_revision, request.max_create_revision)
}

/// Another target than the key is sorted upwards if no order is given. Equals stay in the order of
/// their keys, both ways.
fn sort(request: &RangeRequest, found: &mut [&KeyValue]) {
    let compare = |a: &KeyValue, b: &KeyValue| match request.sort_target() {
        SortTarget::Key => a.key.cmp(&b.key),
        SortTarget::Version => a.version.cmp(&b.version),
        SortTarget::Create => a.create_revision.cmp(&b.create_revision),
        SortTarget::Mod => a.mod_revision.cmp(&b.mod_revision),
        SortTarget::Value => a.value.cmp(&b.value),
    };
    match SortOrder::try_from(request.sort_order) {
        Ok(SortOrder::Descend) => found.sort_by(|a, b| compare(b, a)),
        Ok(SortOrder::None | SortOrder::Ascend) => found.sort_by(|a, b| compare(a, b)),
        // Nobody knows it: they stay as they are.
        Err(_) => {}
    }
}
