//! Transactions: what is refused, which way they go, what they do (`server/etcdserver/apply.go`
//! `Txn`, `compareToPath`; `api/v3rpc/key.go` `checkTxnRequest`, `checkIntervals`).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use bytes::Bytes;

use super::machine::{Machine, inner_header};
use super::pb::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use super::pb::etcdserverpb::request_op::Request as Op;
use super::pb::etcdserverpb::response_op::Response as OpResponse;
use super::pb::etcdserverpb::{
    Compare, DeleteRangeRequest, PutRequest, RequestOp, ResponseHeader, ResponseOp, TxnRequest,
    TxnResponse,
};
use super::pb::mvccpb::KeyValue;
use super::range;
use super::span::Span;
use super::status::Status;
use super::store::Store;

/// Carries a transaction out, or changes nothing.
pub(super) fn apply(machine: &mut Machine, request: &TxnRequest) -> Result<TxnResponse, Status> {
    let path = Path::choose(&machine.store, request);
    check_state(machine, request, &path)?;
    run(machine, request, &path)
}

/// Which way a transaction goes, and each one nested in the operations that it will run. All compares
/// see the state before the outermost transaction.
struct Path {
    succeeded: bool,
    nested: Vec<Path>,
}

impl Path {
    fn choose(store: &Store, request: &TxnRequest) -> Path {
        let succeeded = request.compare.iter().all(|compare| holds(store, compare));
        let nested = branch(request, succeeded).iter().filter_map(|op| match &op.request {
            Some(Op::RequestTxn(request)) => Some(Path::choose(store, request)),
            _ => None,
        });
        Path { succeeded, nested: nested.collect() }
    }
}

fn branch(request: &TxnRequest, succeeded: bool) -> &[RequestOp] {
    if succeeded { &request.success } else { &request.failure }
}

/// Every key of the range must agree. Where there is none, numbers are compared with 0, and a value
/// never agrees (`applyCompare`).
fn holds(store: &Store, compare: &Compare) -> bool {
    let span = Span::new(&compare.key, &compare.range_end);
    let mut found = store.range(&span, store.revision()).peekable();
    if found.peek().is_none() {
        return compare.target != CompareTarget::Value as i32
            && agrees(compare, &KeyValue::default());
    }
    found.all(|kv| agrees(compare, kv))
}

/// A target without its value is compared with 0 or nothing, one that nobody knows is equal, and what
/// nobody knows is true of all (`compareKV`).
fn agrees(compare: &Compare, kv: &KeyValue) -> bool {
    let Ok(target) = CompareTarget::try_from(compare.target) else {
        return expects(compare, Ordering::Equal);
    };
    let order = match (target, &compare.target_union) {
        (CompareTarget::Value, Some(TargetUnion::Value(value))) => kv.value.cmp(value),
        (CompareTarget::Value, _) => kv.value.as_ref().cmp(&[]),
        (CompareTarget::Version, union) => kv.version.cmp(&match union {
            Some(TargetUnion::Version(version)) => *version,
            _ => 0,
        }),
        (CompareTarget::Create, union) => kv.create_revision.cmp(&match union {
            Some(TargetUnion::CreateRevision(revision)) => *revision,
            _ => 0,
        }),
        (CompareTarget::Mod, union) => kv.mod_revision.cmp(&match union {
            Some(TargetUnion::ModRevision(revision)) => *revision,
            _ => 0,
        }),
        (CompareTarget::Lease, union) => kv.lease.cmp(&match union {
            Some(TargetUnion::Lease(lease)) => *lease,
            _ => 0,
        }),
    };
    expects(compare, order)
}

fn expects(compare: &Compare, order: Ordering) -> bool {
    match CompareResult::try_from(compare.result) {
        Ok(CompareResult::Equal) => order == Ordering::Equal,
        Ok(CompareResult::Greater) => order == Ordering::Greater,
        Ok(CompareResult::Less) => order == Ordering::Less,
        Ok(CompareResult::NotEqual) => order != Ordering::Equal,
        Err(_) => true,
    }
}

/// What the state makes impossible is found before anything is changed: first all puts, then all
/// ranges (`checkRequests`).
fn check_state(machine: &Machine, request: &TxnRequest, path: &Path) -> Result<(), Status> {
    each(request, path, &mut |op| match op {
        Op::RequestPut(put) => machine.check_put(put),
        _ => Ok(()),
    })?;
    each(request, path, &mut |op| match op {
        Op::RequestRange(range) => machine.store.readable_in_txn(range.revision),
        _ => Ok(()),
    })
}

/// The path of the next nested transaction.
fn next<'a>(nested: &mut impl Iterator<Item = &'a Path>) -> &'a Path {
    nested.next().expect("a path was chosen for each nested transaction of the branch")
}

/// Every operation that will run, in order.
fn each(
    request: &TxnRequest,
    path: &Path,
    look: &mut impl FnMut(&Op) -> Result<(), Status>,
) -> Result<(), Status> {
    let mut nested = path.nested.iter();
    for op in branch(request, path.succeeded).iter().filter_map(|op| op.request.as_ref()) {
        match op {
            Op::RequestTxn(inner) => each(inner, next(&mut nested), look)?,
            op => look(op)?,
        }
    }
    Ok(())
}

fn run(machine: &mut Machine, request: &TxnRequest, path: &Path) -> Result<TxnResponse, Status> {
    let mut nested = path.nested.iter();
    let mut responses = Vec::new();
    for op in branch(request, path.succeeded).iter().filter_map(|op| op.request.as_ref()) {
        let response = match op {
            Op::RequestRange(range) => {
                OpResponse::ResponseRange(range::range(&machine.store, range)?)
            }
            Op::RequestPut(put) => OpResponse::ResponsePut(machine.put(put)?),
            Op::RequestDeleteRange(delete) => {
                OpResponse::ResponseDeleteRange(machine.delete_range(delete))
            }
            Op::RequestTxn(inner) => {
                let inner = run(machine, inner, next(&mut nested))?;
                // Only the outermost response says the revision.
                let header = Some(ResponseHeader::default());
                OpResponse::ResponseTxn(TxnResponse { header, ..inner })
            }
        };
        responses.push(ResponseOp { response: Some(response) });
    }
    let header = inner_header(machine.store.revision());
    Ok(TxnResponse { header, succeeded: path.succeeded, responses })
}

/// `--max-txn-ops`.
const MAX_OPS: usize = 128;

/// # Errors
/// If no state could make sense of it.
pub(super) fn check(request: &TxnRequest) -> Result<(), Status> {
    check_ops(request, MAX_OPS)?;
    Intervals::of(&request.success)?;
    Intervals::of(&request.failure)?;
    Ok(())
}

/// What a level counts is its longest list; a nested one may use what is left.
fn check_ops(request: &TxnRequest, allowed: usize) -> Result<(), Status> {
    let lists = [request.compare.len(), request.success.len(), request.failure.len()];
    let count = lists.into_iter().max().unwrap_or(0);
    let left = allowed.checked_sub(count).ok_or(Status::TOO_MANY_OPS)?;
    if request.compare.iter().any(|compare| compare.key.is_empty()) {
        return Err(Status::EMPTY_KEY);
    }
    for op in request.success.iter().chain(&request.failure) {
        match &op.request {
            Some(Op::RequestRange(range)) => range::check(range)?,
            Some(Op::RequestPut(put)) => check_put(put)?,
            Some(Op::RequestDeleteRange(delete)) => check_delete(delete)?,
            Some(Op::RequestTxn(inner)) => check_ops(inner, left)?,
            // The real server has no better word for an operation that is none.
            None => return Err(Status::KEY_NOT_FOUND),
        }
    }
    Ok(())
}

/// # Errors
/// If the request could mean nothing (`checkPutRequest`).
pub(super) fn check_put(request: &PutRequest) -> Result<(), Status> {
    if request.key.is_empty() {
        return Err(Status::EMPTY_KEY);
    }
    if request.ignore_value && !request.value.is_empty() {
        return Err(Status::VALUE_PROVIDED);
    }
    if request.ignore_lease && request.lease != 0 {
        return Err(Status::LEASE_PROVIDED);
    }
    Ok(())
}

/// # Errors
/// If the request could mean nothing (`checkDeleteRequest`).
pub(super) fn check_delete(request: &DeleteRangeRequest) -> Result<(), Status> {
    if request.key.is_empty() { Err(Status::EMPTY_KEY) } else { Ok(()) }
}

/// What one list of operations, with all that is nested in it, would put and delete. No key may be put
/// twice, nor put and deleted.
#[derive(Default)]
struct Intervals {
    puts: BTreeSet<Bytes>,
    deletes: Vec<Interval>,
}

/// The keys from the first on, before the second; here a zero byte is no open end, so that whoever
/// deletes all keys may put one in the same transaction, as with the real server.
struct Interval(Bytes, Bytes);

impl Interval {
    fn contains(&self, key: &Bytes) -> bool {
        let Interval(start, end) = self;
        if end.is_empty() { key == start } else { key >= start && key < end }
    }
}

impl Intervals {
    fn of(ops: &[RequestOp]) -> Result<Intervals, Status> {
        let mut all = Intervals::default();
        for op in ops {
            if let Some(Op::RequestDeleteRange(delete)) = &op.request {
                all.deletes.push(Interval(delete.key.clone(), delete.range_end.clone()));
            }
        }
        for op in ops {
            if let Some(Op::RequestTxn(inner)) = &op.request {
                all.nest(Intervals::of(&inner.success)?, Intervals::of(&inner.failure)?)?;
            }
        }
        for op in ops {
            if let Some(Op::RequestPut(put)) = &op.request {
                all.put(&put.key)?;
            }
        }
        Ok(all)
    }

    /// Only one of the two will run, so both may put the same key.
    fn nest(&mut self, success: Intervals, failure: Intervals) -> Result<(), Status> {
        for key in &success.puts {
            self.put(key)?;
        }
        for key in failure.puts.difference(&success.puts) {
            self.put(key)?;
        }
        self.deletes.extend(success.deletes);
        self.deletes.extend(failure.deletes);
        Ok(())
    }

    fn put(&mut self, key: &Bytes) -> Result<(), Status> {
        let deleted = self.deletes.iter().any(|interval| interval.contains(key));
        let new = !deleted && self.puts.insert(key.clone());
        if new { Ok(()) } else { Err(Status::DUPLICATE_KEY) }
    }
}
