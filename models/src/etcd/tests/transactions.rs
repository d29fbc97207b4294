//! Transactions.

use super::*;
use crate::etcd::pb::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::etcd::pb::etcdserverpb::request_op::Request as Op;
use crate::etcd::pb::etcdserverpb::response_op::Response as OpResponse;
use crate::etcd::pb::etcdserverpb::{Compare, RequestOp, TxnRequest, TxnResponse};

fn ops(ops: impl IntoIterator<Item = Op>) -> Vec<RequestOp> {
    ops.into_iter().map(|op| RequestOp { request: Some(op) }).collect()
}

fn compare(key: &str, result: CompareResult, union: TargetUnion) -> Compare {
    let target = match union {
        TargetUnion::Version(_) => CompareTarget::Version,
        TargetUnion::CreateRevision(_) => CompareTarget::Create,
        TargetUnion::ModRevision(_) => CompareTarget::Mod,
        TargetUnion::Value(_) => CompareTarget::Value,
        TargetUnion::Lease(_) => CompareTarget::Lease,
    };
    Compare {
        result: result.into(),
        target: target.into(),
        key: bytes(key),
        target_union: Some(union),
        range_end: Bytes::new(),
    }
}

/// The key has no create revision: it is not there.
fn absent(key: &str) -> Compare {
    compare(key, CompareResult::Equal, TargetUnion::CreateRevision(0))
}

fn put_op(key: &str, value: &str) -> Op {
    Op::RequestPut(put(key, value))
}

fn get(key: &str) -> Op {
    Op::RequestRange(RangeRequest { key: bytes(key), ..Default::default() })
}

fn delete(key: &str, range_end: &str) -> Op {
    let (key, range_end) = (bytes(key), bytes(range_end));
    Op::RequestDeleteRange(DeleteRangeRequest { key, range_end, prev_kv: false })
}

fn run(server: &mut Server, request: TxnRequest) -> Result<TxnResponse, Status> {
    match server.call(Request::Txn(request))? {
        Response::Txn(response) => Ok(response),
        other => panic!("{other:?}"),
    }
}

fn holds(server: &mut Server, compare: Compare) -> bool {
    run(server, TxnRequest { compare: vec![compare], ..Default::default() }).unwrap().succeeded
}

#[test]
fn the_first_to_create_a_key_has_the_lock() {
    let mut server = Server::start();
    let acquire = |value| TxnRequest {
        compare: vec![absent("lock")],
        success: ops([put_op("lock", value)]),
        failure: ops([get("lock")]),
    };
    let first = run(&mut server, acquire("mine")).unwrap();
    assert!(first.succeeded);
    assert_eq!(first.header.unwrap().revision, 2);
    let second = run(&mut server, acquire("yours")).unwrap();
    assert!(!second.succeeded);
    let Some(OpResponse::ResponseRange(found)) = &second.responses[0].response else { panic!() };
    assert_eq!(found.kvs[0].value, bytes("mine"));
    assert_eq!(second.header.unwrap().revision, 2, "reading moves nothing");
}

#[test]
fn every_target_and_operator_compares() {
    use CompareResult::{Equal, Greater, Less, NotEqual};
    let mut server = Server::start();
    server.grant(7, 10).unwrap();
    server.put_with_lease("k", "m", 7);
    server.put_with_lease("k", "m", 7);
    for (union, smaller, larger) in [
        (TargetUnion::Version(2), TargetUnion::Version(1), TargetUnion::Version(3)),
        (
            TargetUnion::CreateRevision(2),
            TargetUnion::CreateRevision(1),
            TargetUnion::CreateRevision(3),
        ),
        (TargetUnion::ModRevision(3), TargetUnion::ModRevision(2), TargetUnion::ModRevision(4)),
        (TargetUnion::Lease(7), TargetUnion::Lease(6), TargetUnion::Lease(8)),
        (
            TargetUnion::Value(bytes("m")),
            TargetUnion::Value(bytes("l")),
            TargetUnion::Value(bytes("n")),
        ),
    ] {
        let mut is =
            |result, union: &TargetUnion| holds(&mut server, compare("k", result, union.clone()));
        assert!(is(Equal, &union) && !is(Equal, &smaller) && !is(Equal, &larger));
        assert!(!is(NotEqual, &union) && is(NotEqual, &smaller));
        assert!(is(Greater, &smaller) && !is(Greater, &union) && !is(Greater, &larger));
        assert!(is(Less, &larger) && !is(Less, &union) && !is(Less, &smaller));
    }
}

/// `applyCompare`: a missing key is 0 in numbers, and no value at all.
#[test]
fn a_missing_key_is_zero_and_never_has_a_value() {
    let mut server = Server::start();
    assert!(holds(&mut server, compare("x", CompareResult::Less, TargetUnion::Version(1))));
    let value = |result| compare("x", result, TargetUnion::Value(bytes("v")));
    assert!(!holds(&mut server, value(CompareResult::Equal)));
    assert!(!holds(&mut server, value(CompareResult::NotEqual)));
}

#[test]
fn a_compare_over_a_range_must_hold_for_every_key() {
    let mut server = Server::start();
    server.put("a", "1");
    server.put("b", "1");
    let all_one = Compare {
        range_end: bytes("\0"),
        ..compare("a", CompareResult::Equal, TargetUnion::Value(bytes("1")))
    };
    assert!(holds(&mut server, all_one.clone()));
    server.put("c", "2");
    assert!(!holds(&mut server, all_one));
}

#[test]
fn later_operations_see_earlier_ones_at_one_revision() {
    let mut server = Server::start();
    server.put("old", "");
    let success = ops([put_op("a", "1"), get("a"), delete("old", ""), get("old"), put_op("b", "")]);
    let response = run(&mut server, TxnRequest { success, ..Default::default() }).unwrap();
    let count = |at: usize| match &response.responses[at].response {
        Some(OpResponse::ResponseRange(found)) => {
            (found.count, found.header.as_ref().unwrap().revision)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!((count(1), count(3)), ((1, 3), (0, 3)));
    let kvs = server.range(all()).unwrap().kvs;
    assert_eq!(kvs.iter().map(|kv| kv.mod_revision).collect::<Vec<_>>(), [3, 3]);
}

/// Observed on a real 3.4.23 (`compareToPath`).
#[test]
fn nested_compares_see_the_state_before_the_whole_transaction() {
    let mut server = Server::start();
    let inner = TxnRequest {
        compare: vec![absent("a")],
        success: ops([put_op("result", "before")]),
        failure: ops([put_op("result", "after")]),
    };
    let success = ops([put_op("a", "1"), Op::RequestTxn(inner)]);
    let response = run(&mut server, TxnRequest { success, ..Default::default() }).unwrap();
    assert!(response.succeeded);
    assert_eq!(server.value("result").as_deref(), Some("before"));
}

#[test]
fn what_cannot_be_carried_out_changes_nothing() {
    let mut server = Server::start();
    let no_lease = Op::RequestPut(PutRequest { lease: 9, ..put("b", "") });
    let future = Op::RequestRange(RangeRequest { revision: 99, ..all() });
    for (op, status) in [(no_lease, Status::LEASE_NOT_FOUND), (future, Status::FUTURE_REVISION)] {
        let success = ops([put_op("a", ""), op]);
        let refused = run(&mut server, TxnRequest { success, ..Default::default() });
        assert_eq!(refused, Err(status));
    }
    assert_eq!(server.found(all()), "");
    assert_eq!(server.put("k", ""), 2);
}

/// `checkIntervals`.
#[test]
fn no_key_is_put_twice_or_put_and_deleted() {
    let nested =
        |success, failure| Op::RequestTxn(TxnRequest { success, failure, ..Default::default() });
    let one = || ops([put_op("k", "")]);
    let mut server = Server::start();
    for (list, refused) in [
        (ops([put_op("k", ""), put_op("k", "")]), true),
        (ops([put_op("k", ""), delete("k", "")]), true),
        (ops([delete("a", "z"), put_op("k", "")]), true),
        (ops([put_op("k", ""), nested(one(), Vec::new())]), true),
        (ops([nested(one(), Vec::new()), nested(Vec::new(), one())]), true),
        (ops([nested(ops([delete("k", "")]), Vec::new()), put_op("k", "")]), true),
        // Only one of them will run.
        (ops([nested(one(), one())]), false),
        (ops([delete("a", "k"), put_op("k", "")]), false),
        // From a key on: the real server does not see this one.
        (ops([delete("a", "\0"), put_op("k", "")]), false),
    ] {
        let request = TxnRequest { failure: list.clone(), ..Default::default() };
        let found = run(&mut server, request);
        assert_eq!(found == Err(Status::DUPLICATE_KEY), refused, "{list:?}");
    }
}

#[test]
fn a_transaction_has_at_most_128_operations_with_all_that_is_nested() {
    let mut server = Server::start();
    let puts = |count: usize| ops((0..count).map(|at| put_op(&format!("k{at}"), "")));
    let mut check = |success| run(&mut server, TxnRequest { success, ..Default::default() });
    assert!(check(puts(128)).is_ok());
    assert_eq!(check(puts(129)), Err(Status::TOO_MANY_OPS));
    let nested =
        |count| ops([Op::RequestTxn(TxnRequest { success: puts(count), ..Default::default() })]);
    assert!(check(nested(127)).is_ok());
    assert_eq!(check(nested(128)), Err(Status::TOO_MANY_OPS));
    assert_eq!(check(vec![RequestOp { request: None }]), Err(Status::KEY_NOT_FOUND));
}
