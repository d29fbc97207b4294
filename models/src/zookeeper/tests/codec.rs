//! Bytes to messages and back; bytes that are none.

use super::*;

/// What the Java client of 3.8 opens a connection with, byte by byte.
#[test]
fn a_handshake_is_read_as_it_is_sent() {
    let mut bytes = BytesMut::new();
    Request::begin_session(30_000).encode(&mut bytes);
    let mut expected = vec![0, 0, 0, 45];
    expected.extend([0; 12]);
    expected.extend(30_000_i32.to_be_bytes());
    expected.extend([0; 8]);
    expected.extend([0, 0, 0, 16]);
    expected.extend([0; 17]);
    assert_eq!(bytes[..], expected[..]);
    assert_eq!(Request::decode(false, &mut bytes), Ok(Some(Request::begin_session(30_000))));
    assert!(bytes.is_empty());
}

/// Clients before 3.4, and some that are not Java's, leave the last byte out; then the answer has none.
#[test]
fn old_clients_get_an_old_answer() {
    let mut server = Server::start();
    server.zookeeper.connect(at(0), SessionId(1));
    let Request::Connect(mut hello) = Request::begin_session(0) else { unreachable!() };
    hello.read_only = ReadOnlyFlag(None);
    let mut bytes = BytesMut::new();
    Request::Connect(hello).encode(&mut bytes);
    assert_eq!(bytes.len(), 48);
    let request = server.zookeeper.decode(SessionId(1), &mut bytes).expect("good").expect("whole");
    server.send(1, request);
    let mut reply = BytesMut::new();
    server.out.replies[0].1.encode(&mut reply);
    assert_eq!(reply.len(), 4 + 36);
}

#[test]
fn a_frame_waits_until_it_is_whole() {
    let mut whole = BytesMut::new();
    Request::call(7, Operation::Delete(versioned("/a", -1))).encode(&mut whole);
    for cut in 0..whole.len() {
        let mut part = BytesMut::from(&whole[..cut]);
        assert_eq!(Request::decode(true, &mut part), Ok(None));
        assert_eq!(part.len(), cut);
    }
}

#[test]
fn a_length_that_cannot_be_ends_the_connection() {
    for length in [-1, i32::MIN, MAX_FRAME as i32 + 1, i32::MAX] {
        let mut bytes = BytesMut::from(&length.to_be_bytes()[..]);
        assert_eq!(Request::decode(true, &mut bytes), Err(Malformed), "{length}");
    }
    let mut most = BytesMut::from(&(MAX_FRAME as i32).to_be_bytes()[..]);
    assert_eq!(Request::decode(true, &mut most), Ok(None));
}

/// The count says two thousand million, the bytes end: nothing is reserved for what is not there.
#[test]
fn a_list_that_claims_too_much_ends_with_its_bytes() {
    let mut input = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, b'a']);
    assert_eq!(Vec::<String>::read(&mut input), Err(Malformed));
}

/// kazoo writes an empty text as null.
#[test]
fn an_id_that_is_null_is_empty() {
    let mut bytes = Bytes::from_static(b"\0\0\0\x1f\0\0\0\x04auth\xff\xff\xff\xff");
    let id = Id { scheme: "auth".into(), id: String::new() };
    assert_eq!(Acl::read(&mut bytes), Ok(Acl { perms: 31, id }));
}

#[test]
fn words_are_answered_instead_of_a_handshake_only() {
    let mut bytes = BytesMut::from(&b"ruok\n"[..]);
    assert_eq!(Request::decode(false, &mut bytes), Ok(Some(Request::Word(*b"ruok"))));
    assert_eq!(Request::decode(true, &mut BytesMut::from(&b"ruok"[..])), Err(Malformed));
    assert_eq!(Request::decode(false, &mut BytesMut::from(&b"what"[..])), Err(Malformed));
}

fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[/a-cä]{0,6}").expect("a good pattern")
}

fn data() -> impl Strategy<Value = Option<Bytes>> {
    proptest::option::of(proptest::collection::vec(any::<u8>(), 0..9).prop_map(Bytes::from))
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(text(), 0..4)
}

fn acl() -> impl Strategy<Value = Vec<Acl>> {
    let entry = (any::<i32>(), text(), text());
    let entry = entry.prop_map(|(perms, scheme, id)| Acl { perms, id: Id { scheme, id } });
    proptest::collection::vec(entry, 0..3)
}

fn write() -> impl Strategy<Value = Operation> {
    let creation = (text(), data(), acl(), any::<i32>());
    let creation = creation
        .prop_map(|(path, data, acl, flags)| CreateRequest { path, data, acl, flags })
        .boxed();
    let versioned =
        (text(), any::<i32>()).prop_map(|(path, version)| VersionedPath { path, version });
    let versioned = versioned.boxed();
    let setting = (text(), data(), any::<i32>());
    prop_oneof![
        creation.clone().prop_map(Operation::Create),
        creation.clone().prop_map(Operation::Create2),
        creation.clone().prop_map(Operation::CreateContainer),
        (creation, any::<i64>()).prop_map(|(it, ttl_ms)| {
            let CreateRequest { path, data, acl, flags } = it;
            Operation::CreateTtl(CreateTtlRequest { path, data, acl, flags, ttl_ms })
        }),
        versioned.clone().prop_map(Operation::Delete),
        versioned.prop_map(Operation::Check),
        setting.prop_map(|(path, data, version)| {
            Operation::SetData(SetDataRequest { path, data, version })
        }),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let watched =
        (text(), any::<bool>()).prop_map(|(path, watch)| WatchedPath { path, watch }).boxed();
    let once = (any::<i64>(), texts(), texts(), texts());
    let once = once.prop_map(|(zxid, data, exist, child)| SetWatches {
        relative_zxid: Zxid(zxid),
        data,
        exist,
        child,
    });
    let once = once.boxed();
    let read = prop_oneof![
        watched.clone().prop_map(Operation::GetData),
        watched.clone().prop_map(Operation::GetChildren),
    ];
    let kind = (text(), any::<i32>()).prop_map(|(path, kind)| WatchKind { path, kind });
    prop_oneof![
        write(),
        proptest::collection::vec(write(), 0..4).prop_map(|all| Operation::Multi(Writes(all))),
        proptest::collection::vec(read, 0..4).prop_map(|all| Operation::MultiRead(Reads(all))),
        watched.clone().prop_map(Operation::Exists),
        watched.prop_map(Operation::GetChildren2),
        (text(), acl(), any::<i32>()).prop_map(|(path, acl, version)| {
            Operation::SetAcl(SetAclRequest { path, acl, version })
        }),
        text().prop_map(|path| Operation::Sync(OnePath { path })),
        once.clone().prop_map(Operation::SetWatches),
        (once, texts(), texts()).prop_map(|(once, persistent, recursive)| {
            Operation::SetWatches2(SetWatches2 { once, persistent, recursive })
        }),
        kind.prop_map(Operation::AddWatch),
        (text(), data())
            .prop_map(|(scheme, auth)| { Operation::Auth(AuthPacket { kind: 0, scheme, auth }) }),
        proptest::option::of(text()).prop_map(Operation::GetEphemerals),
        Just(Operation::CloseSession(())),
        Just(Operation::WhoAmI(())),
    ]
}

fn stat() -> impl Strategy<Value = Stat> {
    (any::<[i64; 6]>(), any::<[i32; 5]>()).prop_map(|(long, int)| Stat {
        czxid: Zxid(long[0]),
        mzxid: Zxid(long[1]),
        ctime_ms: long[2],
        mtime_ms: long[3],
        version: int[0],
        cversion: int[1],
        aversion: int[2],
        ephemeral_owner: long[4],
        data_length: int[3],
        num_children: int[4],
        pzxid: Zxid(long[5]),
    })
}

/// An answer, with an operation that is answered so.
fn answer() -> impl Strategy<Value = (i32, Answer)> {
    let good = |opcode: i32, answer: Answer| (opcode, Ok::<_, Code>(answer));
    let bad = |number| (-1, Err::<Answer, _>(Code::from_number(number)));
    let result = prop_oneof![
        text().prop_map(move |path| good(1, Answer::Path(Some(path)))),
        stat().prop_map(move |stat| good(5, Answer::Stat(stat))),
        (text(), stat()).prop_map(move |(path, stat)| good(15, Answer::Created(path, stat))),
        Just(good(2, Answer::Done)),
        (-125_i32..1).prop_map(bad),
    ];
    prop_oneof![
        proptest::option::of(text()).prop_map(|path| (9, Answer::Path(path))),
        (text(), stat()).prop_map(|(path, stat)| (21, Answer::Created(path, stat))),
        (data(), stat()).prop_map(|(data, stat)| (4, Answer::Data(data, stat))),
        (acl(), stat()).prop_map(|(acl, stat)| (6, Answer::Acl(acl, stat))),
        texts().prop_map(|names| (8, Answer::Names(names))),
        (texts(), stat()).prop_map(|(names, stat)| (12, Answer::Children(names, stat))),
        any::<i32>().prop_map(|number| (104, Answer::Number(number))),
        (text(), text()).prop_map(|(scheme, user)| {
            (107, Answer::Clients(vec![ClientInfo { scheme, user }]))
        }),
        data().prop_map(|token| (102, Answer::Token(token))),
        proptest::collection::vec(result, 0..5).prop_map(|all| (14, Answer::Multi(all))),
    ]
}

proptest! {
    #[test]
    fn what_a_client_writes_a_server_reads(xid in any::<i32>(), operation in operation()) {
        let (request, mut bytes) = (Request::call(xid, operation), BytesMut::new());
        request.encode(&mut bytes);
        prop_assert_eq!(Request::decode(true, &mut bytes), Ok(Some(request)));
        prop_assert!(bytes.is_empty());
    }

    #[test]
    fn what_a_server_writes_a_client_reads(
        xid in 0..i32::MAX, zxid in any::<i64>(), (opcode, answer) in answer(),
    ) {
        let reply = Reply::Answer { xid, zxid: Zxid(zxid), answer: Ok(answer) };
        let mut bytes = BytesMut::new();
        reply.encode(&mut bytes);
        prop_assert_eq!(Reply::decode(&mut bytes, |_| opcode), Ok(Some(reply)));
    }

    /// Any bytes are read without a panic and without memory that the bytes do not fill, on both sides;
    /// and whatever was read by the server is answered without one.
    #[test]
    fn arbitrary_frames_do_no_harm(
        opcode in prop_oneof![-12_i32..25, 99_i32..109, any::<i32>()],
        body in proptest::collection::vec(prop_oneof![Just(0_u8), Just(255), any::<u8>()], 0..80),
    ) {
        let mut bytes = BytesMut::new();
        jute::put_frame(&mut bytes, |frame| {
            1_i32.write(frame);
            opcode.write(frame);
            frame.extend_from_slice(&body);
        });
        let mut reply = bytes.clone();
        let _ = Reply::decode(&mut reply, |_| opcode);
        let _ = Reply::decode_connected(&mut bytes.clone());
        let _ = Request::decode(false, &mut bytes.clone());
        let mut server = Server::start();
        server.client(1);
        if let Ok(Some(request)) = server.zookeeper.decode(SessionId(1), &mut bytes) {
            server.send(1, request);
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for connected in [false, true] {
            let mut input = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = Request::decode(connected, &mut input) {}
        }
    }
}
