//! Sessions: how they begin, go on over another connection, and end.

use super::*;

/// The handshake of a client that wants to go on with the session it had.
fn resume(before: &ConnectResponse) -> ConnectRequest {
    ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid(0),
        timeout_ms: before.timeout_ms,
        session: before.session,
        password: before.password.clone(),
        read_only: ReadOnlyFlag(Some(false)),
    }
}

fn hello(server: &mut Server, connection: u64, request: ConnectRequest) -> ConnectResponse {
    server.zookeeper.connect(at(server.now_ms), SessionId(connection));
    server.send(connection, Request::Connect(request));
    server.connected()
}

#[test]
fn a_session_outlives_its_connection() {
    let mut server = Server::start();
    let before = server.client(1);
    assert_eq!((before.timeout_ms, before.session.0 >> 56), (10_000, 1));
    server.create(1, "/e", 1).expect("new");
    server.zookeeper.disconnect(at(0), SessionId(1), &mut Outbox::default());
    server.pass_until(9000);
    assert_eq!(hello(&mut server, 2, resume(&before)), before);
    assert_eq!(server.stat(2, "/e").ephemeral_owner, before.session.0);
    // Touched at 9000: until 19 000, and then to the end of the tick.
    server.pass_until(19_999);
    assert!(server.out.closed.is_empty());
    server.pass_until(20_000);
    assert_eq!(server.out.closed, [SessionId(2)]);
    let after = hello(&mut server, 3, resume(&before));
    assert_eq!((after.session, after.timeout_ms), (ZkSessionId(0), 0));
    assert_eq!(after.password, Some(Bytes::from_static(&[0; 16])));
    assert_eq!(server.out.closed, [SessionId(3)]);
}

/// `processConnectRequest` cuts the old connection off before it looks at the password.
#[test]
fn a_session_has_one_connection() {
    let mut server = Server::start();
    let before = server.client(1);
    assert_eq!(hello(&mut server, 2, resume(&before)).session, before.session);
    assert_eq!(server.out.closed, [SessionId(1)]);
    let mut wrong = resume(&before);
    wrong.password = Some(Bytes::from_static(&[1; 16]));
    assert_eq!(hello(&mut server, 3, wrong).timeout_ms, 0);
    assert_eq!(server.out.closed, [SessionId(2), SessionId(3)]);
}

#[test]
fn who_has_seen_more_than_the_server_is_turned_away() {
    let mut server = Server::start();
    let before = server.client(1);
    server.zookeeper.connect(at(0), SessionId(2));
    let last_zxid_seen = Zxid(2);
    server.send(2, Request::Connect(ConnectRequest { last_zxid_seen, ..resume(&before) }));
    assert!(server.out.replies.is_empty());
    assert_eq!(server.out.closed, [SessionId(2)]);
}

/// All ephemeral nodes go in one transaction, and the answer comes after the events of that.
#[test]
fn the_end_of_a_session_takes_its_nodes_along() {
    let mut server = Server::watching(&["/a", "/b"]);
    server.client(1);
    server.client(2);
    server.create(1, "/a", 1).expect("new");
    server.create(1, "/b", 1).expect("new");
    for path in ["/a", "/b"] {
        server.call(2, Operation::Exists(looked_at(path, true))).expect("there");
    }
    let before = server.zookeeper.tree.last_zxid();
    assert_eq!(server.call(1, Operation::CloseSession(())), Ok(Answer::Done));
    assert_eq!(server.events(), [(2, 2, "/a".into()), (2, 2, "/b".into())]);
    assert_eq!(server.out.closed, [SessionId(1)]);
    assert_eq!(server.zookeeper.tree.last_zxid(), Zxid(before.0 + 1));
    assert_eq!(server.stat(2, "/").pzxid, Zxid(before.0 + 1));
}

#[test]
fn checkers_are_told_whose_doing_it_was() {
    let mut server = Server::watching(&["/lock"]);
    let mut facts = Vec::new();
    server.client(1);
    server.client(2);
    server.create(1, "/lock", 1).expect("new");
    facts.append(&mut server.out.changes);
    server.call(2, Operation::SetData(setting("/lock", -1))).expect("there");
    facts.append(&mut server.out.changes);
    server.pass_until(5000);
    server.call(2, Operation::Ping(())).expect("alive");
    server.pass_until(12_000);
    facts.append(&mut server.out.changes);
    let (one, two) = (Some(SessionId(1)), Some(SessionId(2)));
    let told: Vec<_> = facts.iter().map(|fact| (fact.by, fact.owner, fact.kind)).collect();
    let set = |number| ChangeKind::Set { number, ttl_ms: None };
    assert_eq!(
        told,
        [(one, None, set(None)), (two, one, set(Some(42))), (None, one, ChangeKind::Expired)]
    );
}

#[test]
fn an_unknown_operation_ends_the_connection_but_not_the_session() {
    let mut server = Server::start();
    server.client(1);
    server.create(1, "/e", 1).expect("new");
    server.send(1, Request::Call { xid: 5, opcode: 99, operation: Err(Malformed) });
    let answer = Err(Code::Unimplemented);
    let reply = Reply::Answer { xid: 5, zxid: Zxid(-1), answer };
    assert_eq!(server.out.replies, [(SessionId(1), reply)]);
    assert_eq!(server.out.closed, [SessionId(1)]);
    server.client(2);
    server.stat(2, "/e");
}

#[test]
fn a_body_that_cannot_be_read_is_an_error() {
    let mut server = Server::start();
    server.client(1);
    for opcode in [1, 3, 14, 22, 101] {
        server.send(1, Request::Call { xid: 5, opcode, operation: Err(Malformed) });
        let zxid = server.zookeeper.tree.last_zxid();
        let reply = Reply::Answer { xid: 5, zxid, answer: Err(Code::MarshallingError) };
        assert_eq!(server.out.replies, [(SessionId(1), reply)], "{opcode}");
    }
}

#[test]
fn words_say_how_the_server_is() {
    let mut server = Server::start();
    let mut ask = |word: &[u8; 4]| {
        server.zookeeper.connect(at(0), SessionId(9));
        server.send(9, Request::Word(*word));
        assert_eq!(server.out.closed, [SessionId(9)]);
        let (_, reply) = server.out.replies.pop().expect("an answer");
        let Reply::Text(text) = reply else { panic!("{reply:?}") };
        text
    };
    assert_eq!(ask(b"ruok"), "imok");
    assert!(ask(b"srvr").ends_with("Zxid: 0x0\nMode: standalone\nNode count: 5\n"));
    assert!(ask(b"stat").contains("Clients:\n /127.0.0.1:9"));
    assert!(ask(b"mntr").contains("zk_server_state\tstandalone\n"));
    assert!(ask(b"envi").contains("zookeeper.version=3.8.0"));
    assert!(ask(b"conf").contains("minSessionTimeout=4000\n"));
    assert_eq!(ask(b"dump"), "dump is not executed because it is not in the whitelist.\n");
}
