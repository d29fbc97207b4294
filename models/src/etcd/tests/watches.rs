//! Watches.

use super::*;
use crate::etcd::pb::etcdserverpb::request_op::Request as Op;
use crate::etcd::pb::etcdserverpb::watch_create_request::FilterType;
use crate::etcd::pb::etcdserverpb::watch_request::RequestUnion;
use crate::etcd::pb::etcdserverpb::{
    RequestOp, TxnRequest, WatchCancelRequest, WatchCreateRequest, WatchProgressRequest,
    WatchRequest, WatchResponse,
};
use crate::etcd::pb::mvccpb::event::EventType;

const STREAM: StreamId = StreamId(1000);

impl Server {
    fn watch(&mut self, request: RequestUnion) -> Vec<WatchResponse> {
        self.out.clear();
        self.send(STREAM, Request::Watch(WatchRequest { request_union: Some(request) }));
        self.told()
    }

    fn create(&mut self, request: WatchCreateRequest) -> Vec<WatchResponse> {
        self.watch(RequestUnion::CreateRequest(request))
    }

    /// What watchers were told by the last request.
    fn told(&self) -> Vec<WatchResponse> {
        let told = |(_, reply): &(SessionId, Reply)| match reply {
            Reply::Message(STREAM, Response::Watch(response)) => Some(response.clone()),
            _ => None,
        };
        self.out.replies.iter().filter_map(told).collect()
    }
}

fn everything() -> WatchCreateRequest {
    WatchCreateRequest { key: bytes("\0"), range_end: bytes("\0"), ..Default::default() }
}

/// `+key` for a put, `-key` for a deletion.
fn events(responses: &[WatchResponse]) -> String {
    let all = responses.iter().flat_map(|response| &response.events);
    let said = all.map(|event| {
        let sign = if event.r#type() == EventType::Put { '+' } else { '-' };
        format!("{sign}{}", String::from_utf8_lossy(&event.kv.as_ref().unwrap().key))
    });
    said.collect::<Vec<_>>().join(" ")
}

#[test]
fn created_comes_first_then_what_was_missed_then_what_happens() {
    let mut server = Server::start();
    server.put("a", "");
    server.put("b", "");
    server.delete("a");
    let told = server.create(WatchCreateRequest { start_revision: 3, ..everything() });
    assert!(told[0].created && told[0].events.is_empty());
    assert_eq!(events(&told), "+b -a");
    server.put("c", "");
    let told = server.told();
    assert_eq!((events(&told).as_str(), told[0].watch_id), ("+c", 0));
    assert_eq!(told[0].header.as_ref().unwrap().revision, 5);
}

#[test]
fn without_a_start_a_watch_begins_with_the_next_revision() {
    let mut server = Server::start();
    server.put("a", "");
    assert_eq!(events(&server.create(everything())), "");
    server.put("a", "");
    assert_eq!(events(&server.told()), "+a");
}

#[test]
fn a_start_to_come_hides_what_is_before_it() {
    let mut server = Server::start();
    server.create(WatchCreateRequest { start_revision: 3, ..everything() });
    server.put("a", "");
    assert_eq!(events(&server.told()), "");
    server.put("b", "");
    assert_eq!(events(&server.told()), "+b");
}

#[test]
fn filters_and_previous_values() {
    let mut server = Server::start();
    server.create(WatchCreateRequest { filters: vec![FilterType::Noput.into()], ..everything() });
    let with_old = WatchCreateRequest {
        filters: vec![FilterType::Nodelete.into()],
        prev_kv: true,
        ..everything()
    };
    server.create(with_old);
    server.put("k", "old");
    server.put("k", "new");
    let told = server.told();
    assert_eq!((told.len(), told[0].watch_id), (1, 1));
    assert_eq!(told[0].events[0].prev_kv.as_ref().unwrap().value, bytes("old"));
    server.delete("k");
    let told = server.told();
    assert_eq!((told.len(), told[0].watch_id), (1, 0));
    assert_eq!(told[0].events[0].prev_kv, None);
}

#[test]
fn a_key_that_is_deleted_and_created_at_once_has_nothing_before() {
    let mut server = Server::start();
    server.put("k", "old");
    server.create(WatchCreateRequest { prev_kv: true, ..everything() });
    let (key, range_end) = (bytes("a"), bytes("\0"));
    let delete = DeleteRangeRequest { key, range_end, ..Default::default() };
    let ops = [Op::RequestDeleteRange(delete), Op::RequestPut(put("k", "new"))];
    let success = ops.map(|op| RequestOp { request: Some(op) }).into();
    server.call(Request::Txn(TxnRequest { success, ..Default::default() })).unwrap();
    let told = server.told();
    assert_eq!(events(&told), "-k +k");
    let before = told[0].events.iter().map(|event| event.prev_kv.as_ref().map(|kv| &kv.value));
    assert_eq!(before.collect::<Vec<_>>(), [Some(&bytes("old")), None]);
}

#[test]
fn what_happens_at_one_revision_comes_together() {
    let mut server = Server::start();
    server.grant(7, 2).unwrap();
    server.put_with_lease("b", "", 7);
    server.put_with_lease("a", "", 7);
    server.create(everything());
    server.until(2_000);
    let told = server.told();
    assert_eq!((told.len(), events(&told).as_str()), (1, "-a -b"));
}

#[test]
fn ids_are_given_or_chosen_and_never_used_twice_at_once() {
    let mut server = Server::start();
    let given = |watch_id| WatchCreateRequest { watch_id, ..everything() };
    assert_eq!(server.create(given(1))[0].watch_id, 1);
    assert_eq!(server.create(given(0))[0].watch_id, 0);
    assert_eq!(server.create(given(0))[0].watch_id, 2);
    let refused = server.create(given(1)).remove(0);
    assert!(refused.created && refused.canceled && refused.watch_id == -1);
    assert_eq!(refused.cancel_reason, "mvcc: duplicate watch ID provided on the WatchStream");
}

#[test]
fn an_empty_range_is_refused_and_an_empty_key_is_the_smallest() {
    let mut server = Server::start();
    let range = |key: &str, end: &str| WatchCreateRequest {
        key: bytes(key),
        range_end: bytes(end),
        ..Default::default()
    };
    assert_eq!(server.create(range("b", "b"))[0].cancel_reason, "mvcc: watcher range is empty");
    server.create(range("", "\0"));
    server.put("k", "");
    assert_eq!(events(&server.told()), "+k");
}

#[test]
fn a_cancelled_watcher_hears_nothing_more() {
    let mut server = Server::start();
    server.create(everything());
    let cancel = |watch_id| RequestUnion::CancelRequest(WatchCancelRequest { watch_id });
    let told = server.watch(cancel(0));
    assert!(told[0].canceled && !told[0].created);
    assert_eq!(server.watch(cancel(0)), []);
    server.put("k", "");
    assert_eq!(server.told(), []);
}

#[test]
fn a_start_that_was_compacted_cancels() {
    let mut server = Server::start();
    for value in ["a", "b", "c"] {
        server.put("k", value);
    }
    server.compact(3).unwrap();
    let told = server.create(WatchCreateRequest { start_revision: 2, ..everything() });
    assert!(told[0].created && !told[0].canceled);
    assert!(told[1].canceled && told[1].compact_revision == 3);
    let told = server.create(WatchCreateRequest { start_revision: 3, ..everything() });
    assert_eq!(events(&told), "+k +k");
}

#[test]
fn progress_is_told_on_request_and_every_ten_minutes_to_the_idle() {
    let mut server = Server::start();
    server.create(WatchCreateRequest { progress_notify: true, ..everything() });
    server.put("k", "");
    let told = server.watch(RequestUnion::ProgressRequest(WatchProgressRequest {}));
    assert_eq!((told[0].watch_id, told[0].header.as_ref().unwrap().revision), (-1, 2));
    assert!(!server.etcd.rests());
    assert_eq!(server.until(600_000).told(), [], "it was told of the put");
    let told = server.until(1_200_000).told();
    assert_eq!((told.len(), told[0].watch_id, told[0].events.len()), (1, 0, 0));
}

#[test]
fn a_long_response_is_split_where_that_is_allowed() {
    let mut server = Server::start();
    let value = "v".repeat(900 * 1024);
    for key in ["a", "b", "c"] {
        server.put(key, &value);
    }
    let from = WatchCreateRequest { start_revision: 2, ..everything() };
    assert_eq!(server.create(from.clone()).len(), 2);
    let told = server.create(WatchCreateRequest { fragment: true, ..from });
    let parts: Vec<_> = told[1..].iter().map(|part| (part.events.len(), part.fragment)).collect();
    assert_eq!(parts, [(2, true), (1, false)]);
}

#[test]
fn a_stream_that_is_gone_is_told_nothing() {
    let mut server = Server::start();
    server.create(everything());
    let gone = Call { stream: STREAM, event: CallEvent::Gone };
    server.etcd.apply(at(0), SESSION, gone, &mut server.out);
    server.put("k", "");
    assert_eq!(server.told(), []);
}
