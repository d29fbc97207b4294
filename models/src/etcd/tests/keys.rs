//! Keys, revisions, ranges, compaction.

use super::*;
use crate::etcd::pb::etcdserverpb::range_request::{SortOrder, SortTarget};

/// a: 2, 5; b: 3; c: 4.
fn some_keys() -> Server {
    let mut server = Server::start();
    for (key, value) in [("a", "3"), ("b", "2"), ("c", "1"), ("a", "9")] {
        server.put(key, value);
    }
    server
}

#[test]
fn the_first_write_is_revision_2_and_only_changes_move_it() {
    let mut server = Server::start();
    assert_eq!(server.put("k", "v"), 2);
    assert_eq!(server.put("k", "v"), 3);
    assert_eq!(server.delete("nothing"), 0);
    server.grant(7, 10).unwrap();
    assert_eq!(server.range(all()).unwrap().header.unwrap().revision, 3);
}

#[test]
fn versions_count_from_1_after_each_deletion() {
    let mut server = Server::start();
    server.put("k", "a");
    server.put("k", "b");
    let kv = server.range(all()).unwrap().kvs.remove(0);
    assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (2, 3, 2));
    assert_eq!(server.delete("k"), 1);
    server.put("k", "c");
    let kv = server.range(all()).unwrap().kvs.remove(0);
    assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (5, 5, 1));
}

#[test]
fn ranges_are_one_key_a_range_a_prefix_or_from_a_key_on() {
    let mut server = Server::start();
    for key in ["a", "aa", "ab", "b"] {
        server.put(key, "");
    }
    let mut found = |key: &str, end: &str| {
        server.found(RangeRequest { key: bytes(key), range_end: bytes(end), ..Default::default() })
    };
    assert_eq!(found("a", ""), "a");
    assert_eq!(found("a", "b"), "a aa ab");
    assert_eq!(found("aa", "\0"), "aa ab b");
    assert_eq!(found("\0", "\0"), "a aa ab b");
    assert_eq!(found("b", "a"), "");
}

#[test]
fn old_revisions_stay_readable_until_they_are_compacted() {
    let mut server = some_keys();
    let old = |revision| RangeRequest { key: bytes("a"), revision, ..Default::default() };
    assert_eq!(server.range(old(4)).unwrap().kvs[0].value, bytes("3"));
    assert_eq!(server.range(old(1)).unwrap().count, 0);
    assert_eq!(server.range(old(6)), Err(Status::FUTURE_REVISION));
    server.compact(4).unwrap();
    assert_eq!(server.range(old(3)), Err(Status::COMPACTED));
    assert_eq!(server.range(old(4)).unwrap().kvs[0].value, bytes("3"));
    assert_eq!(server.compact(4), Err(Status::COMPACTED));
    assert_eq!(server.compact(9), Err(Status::FUTURE_REVISION));
}

#[test]
fn compaction_takes_tombstones_with_it() {
    let mut server = some_keys();
    server.delete("a");
    server.compact(6).unwrap();
    assert_eq!(server.found(all()), "b c");
    server.put("a", "new");
    assert_eq!(server.found(RangeRequest { revision: 6, ..all() }), "b c");
}

#[test]
fn the_limit_comes_after_filters_and_order() {
    let mut server = some_keys();
    let sorted = |order: SortOrder, target: SortTarget| RangeRequest {
        sort_order: order.into(),
        sort_target: target.into(),
        ..all()
    };
    let by_value = sorted(SortOrder::Ascend, SortTarget::Value);
    assert_eq!(server.found(by_value.clone()), "c b a");
    let first = server.range(RangeRequest { limit: 1, ..by_value }).unwrap();
    assert_eq!((first.kvs[0].key.as_ref(), first.more, first.count), (&b"c"[..], true, 3));
    assert_eq!(server.found(sorted(SortOrder::Descend, SortTarget::Create)), "c b a");
    assert_eq!(server.found(sorted(SortOrder::Descend, SortTarget::Mod)), "a c b");
    assert_eq!(server.found(sorted(SortOrder::None, SortTarget::Version)), "b c a");
    let limited = RangeRequest { limit: 2, max_create_revision: 3, ..all() };
    let limited = server.range(limited).unwrap();
    assert_eq!((limited.kvs.len(), limited.more, limited.count), (2, false, 3));
    assert_eq!(server.found(RangeRequest { min_mod_revision: 4, ..all() }), "a c");
    assert_eq!(server.found(RangeRequest { max_mod_revision: 4, ..all() }), "b c");
    assert_eq!(server.found(RangeRequest { min_create_revision: 3, ..all() }), "b c");
}

/// The real server decides by the order alone whether to look at all keys.
#[test]
fn a_target_without_an_order_sorts_what_the_limit_let_through() {
    let mut server = some_keys();
    let by_value = RangeRequest { limit: 1, sort_target: SortTarget::Value.into(), ..all() };
    assert_eq!(server.found(by_value), "b");
}

#[test]
fn values_or_keys_can_be_left_out() {
    let mut server = some_keys();
    let keys = server.range(RangeRequest { keys_only: true, ..all() }).unwrap();
    assert!(keys.kvs.iter().all(|kv| kv.value.is_empty()) && keys.kvs.len() == 3);
    let count = server.range(RangeRequest { count_only: true, limit: 1, ..all() }).unwrap();
    assert_eq!((count.kvs.len(), count.count, count.more), (0, 3, false));
}

#[test]
fn a_put_may_keep_the_value_or_the_lease() {
    let mut server = Server::start();
    server.grant(7, 10).unwrap();
    server.put_with_lease("k", "old", 7);
    let keep_value = PutRequest { key: bytes("k"), ignore_value: true, ..Default::default() };
    let response = server.call(Request::Put(PutRequest { prev_kv: true, ..keep_value.clone() }));
    let Ok(Response::Put(response)) = response else { panic!("{response:?}") };
    assert_eq!(response.prev_kv.unwrap().lease, 7);
    let kv = server.range(all()).unwrap().kvs.remove(0);
    assert_eq!((kv.value, kv.lease), (bytes("old"), 0));

    server.put_with_lease("k", "old", 7);
    server.call(Request::Put(PutRequest { ignore_lease: true, ..put("k", "new") })).unwrap();
    assert_eq!(server.range(all()).unwrap().kvs[0].lease, 7);

    let mut refused = |request: PutRequest| server.call(Request::Put(request)).unwrap_err();
    let nothing = PutRequest { key: bytes("x"), ..keep_value.clone() };
    assert_eq!(refused(nothing.clone()), Status::KEY_NOT_FOUND);
    assert_eq!(refused(PutRequest { lease: 8, ..nothing }), Status::LEASE_NOT_FOUND);
    let both = PutRequest { value: bytes("v"), ..keep_value };
    assert_eq!(refused(both), Status::VALUE_PROVIDED);
    let both = PutRequest { ignore_lease: true, lease: 7, ..put("k", "") };
    assert_eq!(refused(both), Status::LEASE_PROVIDED);
    assert_eq!(refused(PutRequest { lease: 8, ..put("k", "") }), Status::LEASE_NOT_FOUND);
    assert_eq!(refused(put("", "")), Status::EMPTY_KEY);
}

#[test]
fn deleting_a_range_is_one_revision() {
    let mut server = some_keys();
    let request = DeleteRangeRequest { key: bytes("a"), range_end: bytes("c"), prev_kv: true };
    let Ok(Response::DeleteRange(response)) = server.call(Request::DeleteRange(request)) else {
        panic!("a deletion")
    };
    assert_eq!((response.deleted, response.prev_kvs.len()), (2, 2));
    assert_eq!(response.header.unwrap().revision, 6);
    assert_eq!(server.found(all()), "c");
}

#[test]
fn a_command_has_at_most_a_megabyte_and_a_half() {
    let mut server = Server::start();
    let long = PutRequest { value: Bytes::from(vec![0; 3 << 19]), ..put("k", "") };
    assert_eq!(server.call(Request::Put(long)), Err(Status::REQUEST_TOO_LARGE));
}
