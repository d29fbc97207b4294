//! Calls, headers, framing.

use ::bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::etcd::rpc::{MAX_MESSAGE_BYTES, Method, parse_timeout, take_message, whole_message};

#[test]
fn every_response_says_who_it_is_from() {
    let mut server = Server::start();
    let mut response = server.call(Request::MemberList(Default::default())).unwrap();
    let header = response.header();
    assert_eq!((header.cluster_id, header.member_id), (CLUSTER_ID, MEMBER_ID));
    assert_eq!((header.revision, header.raft_term), (1, 2));
    let Ok(Response::Status(status)) = server.call(Request::Status(Default::default())) else {
        panic!("a status")
    };
    assert_eq!((status.leader, status.version.as_str()), (MEMBER_ID, VERSION));
}

#[test]
fn nobody_needs_a_password() {
    let mut server = Server::start();
    let asked = server.call(Request::Authenticate(Default::default()));
    assert_eq!(asked, Err(Status::AUTH_NOT_ENABLED));
}

#[test]
fn equal_histories_have_equal_hashes() {
    let hash = |values: &[&str]| {
        let mut server = Server::start();
        for value in values {
            server.put("k", value);
        }
        match server.call(Request::HashKv(Default::default())) {
            Ok(Response::HashKv(response)) => response.hash,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
    assert_ne!(hash(&["a", "b"]), hash(&["b", "a"]));
}

/// grpc-go's own words.
#[test]
fn unknown_calls_are_named() {
    let text = |path| Method::of(path).unwrap_err().message.into_owned();
    assert_eq!(Method::of("/etcdserverpb.KV/Put"), Ok(Method::Put));
    assert_eq!(text("/etcdserverpb.KV/Pop"), "unknown method Pop for service etcdserverpb.KV");
    assert_eq!(text("/x.Y/Z"), "unknown service x.Y");
    assert_eq!(text("nonsense"), "malformed method name: \"nonsense\"");
}

#[test]
fn messages_are_framed_by_their_length() {
    let mut input = BytesMut::from(&b"\0\0\0\0\x02ab\0\0\0"[..]);
    assert_eq!(take_message(&mut input), Ok(Some(bytes("ab"))));
    assert_eq!(take_message(&mut input), Ok(None));
    let compressed = |encoding| whole_message(b"\x01\0\0\0\0", encoding).unwrap_err().code;
    assert_eq!([None, Some("identity")].map(compressed), [Code::Internal; 2]);
    assert_eq!(compressed(Some("gzip")), Code::Unimplemented);
    let mut long = BytesMut::from(&b"\0\x7f\0\0\0"[..]);
    let error = take_message(&mut long).unwrap_err();
    assert_eq!(error.code, Code::ResourceExhausted);
    let text =
        format!("grpc: received message larger than max (2130706432 vs. {MAX_MESSAGE_BYTES})");
    assert_eq!(error.message, text);
}

#[test]
fn time_limits_have_a_unit() {
    assert_eq!(parse_timeout("4998377u"), Some(Duration::from_micros(4_998_377)));
    assert_eq!(parse_timeout("1H"), Some(Duration::from_secs(3600)));
    for nonsense in ["", "5", "S", "-1S", "123456789S", "1x", "1ü"] {
        let empty_count = nonsense == "S";
        assert_eq!(parse_timeout(nonsense), None, "{nonsense} {empty_count}");
    }
}

const PATHS: [&str; 5] = [
    "/etcdserverpb.KV/Range",
    "/etcdserverpb.KV/Txn",
    "/etcdserverpb.Watch/Watch",
    "/etcdserverpb.Lease/LeaseGrant",
    "/etcdserverpb.KV/Compact",
];

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        messages in prop::collection::vec(
            (prop::sample::select(&PATHS[..]), prop::collection::vec(any::<u8>(), 0..64)),
            1..8,
        ),
    ) {
        let mut server = Server::start();
        for (at, (path, message)) in messages.into_iter().enumerate() {
            let mut framed = BytesMut::from(&message[..]);
            let _ = take_message(&mut framed);
            let method = Method::of(path).expect("one that is modelled");
            if let Ok(request) = method.decode(message.into()) {
                server.send(StreamId(at as u32), request);
                server.until(server.now_ms + 1_000);
            }
        }
    }
}
