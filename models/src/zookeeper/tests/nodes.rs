//! Nodes: what they are created with, how they change, what is refused, and in which order of reasons.

use super::*;

/// What `ls -s /` and the like print for a server that has just been started.
#[test]
fn a_new_server_has_four_nodes() {
    let mut server = Server::start();
    server.client(1);
    let root = server.stat(1, "/");
    assert_eq!((root.cversion, root.num_children, root.pzxid), (-1, 1, Zxid(0)));
    let top = server.stat(1, "/zookeeper");
    assert_eq!((top.cversion, top.num_children), (-2, 2));
    assert_eq!(server.stat(1, "/zookeeper/config").aversion, -1);
    assert_eq!(server.stat(1, ""), root, "the empty path is the root");
    let count = server.call(1, Operation::GetAllChildrenNumber(OnePath { path: "/".into() }));
    assert_eq!(count, Ok(Answer::Number(3)));
    let config = Operation::GetAcl(OnePath { path: "/zookeeper/config".into() });
    assert!(matches!(server.call(1, config), Ok(Answer::Acl(acl, _)) if acl == [Acl::world(1)]));
}

#[test]
fn a_node_remembers_when_and_by_what_it_changed() {
    let mut server = Server::start();
    server.client(1);
    server.now_ms = 5;
    assert_eq!(server.create(1, "/a", 0), path_of("/a"));
    let created = server.stat(1, "/a");
    assert_eq!((created.czxid, created.mzxid, created.pzxid), (Zxid(2), Zxid(2), Zxid(2)));
    assert_eq!((created.ctime_ms, created.data_length), (START_MS + 5, 1));
    server.now_ms = 9;
    let set = server.call(1, Operation::SetData(setting("/a", 0)));
    let Ok(Answer::Stat(set)) = set else { panic!("{set:?}") };
    assert_eq!((set.version, set.mzxid, set.mtime_ms), (1, Zxid(3), START_MS + 9));
    assert_eq!((set.czxid, set.ctime_ms, set.data_length), (Zxid(2), START_MS + 5, 2));
    assert_eq!(server.create(1, "/a/b", 0), path_of("/a/b"));
    assert_eq!(server.call(1, Operation::Delete(versioned("/a/b", 0))), Ok(Answer::Done));
    let changed = server.stat(1, "/a");
    assert_eq!((changed.cversion, changed.num_children, changed.pzxid), (2, 0, Zxid(5)));
}

/// `PrepRequestProcessor`: the number is that of all creations so far, also those without a number.
#[test]
fn sequence_numbers_count_the_creations_of_the_parent() {
    let mut server = Server::start();
    server.client(1);
    server.create(1, "/q", 0).expect("new");
    assert_eq!(server.create(1, "/q/n-", 3), path_of("/q/n-0000000000"));
    server.create(1, "/q/other", 0).expect("new");
    assert_eq!(server.create(1, "/q/", 2), path_of("/q/0000000002"));
    for path in ["/q/n-0000000000", "/q/other", "/q/0000000002", "/q"] {
        assert_eq!(server.call(1, Operation::Delete(versioned(path, -1))), Ok(Answer::Done));
    }
    server.create(1, "/q", 0).expect("new");
    assert_eq!(
        server.create(1, "/q/n-", 3),
        path_of("/q/n-0000000000"),
        "a new parent begins anew"
    );
}

#[test]
fn refusals_have_their_codes() {
    let mut server = Server::start();
    server.client(1);
    server.create(1, "/a", 0).expect("new");
    server.create(1, "/e", 1).expect("new");
    server.create(1, "/a/b", 0).expect("new");
    for (path, flags, code) in [
        ("/a", 0, Code::NodeExists),
        ("/", 0, Code::NodeExists),
        ("/no/b", 0, Code::NoNode),
        ("/no/", 0, Code::NoNode),
        ("/a/", 0, Code::BadArguments),
        ("a", 0, Code::BadArguments),
        ("/e/b", 0, Code::NoChildrenForEphemerals),
        ("/x", 5, Code::Unimplemented),
        ("/x", 7, Code::BadArguments),
    ] {
        assert_eq!(server.create(1, path, flags), Err(code), "{path} {flags}");
    }
    for (path, version, code) in [
        ("/a", -1, Code::NotEmpty),
        ("/a", 7, Code::BadVersion),
        ("/no", -1, Code::NoNode),
        ("/zookeeper", -1, Code::BadArguments),
        ("/", -1, Code::BadArguments),
    ] {
        assert_eq!(
            server.call(1, Operation::Delete(versioned(path, version))),
            Err(code),
            "{path}"
        );
    }
    assert_eq!(server.call(1, Operation::SetData(setting("/a", 3))), Err(Code::BadVersion));
    assert_eq!(server.call(1, Operation::SetData(setting("/a/", 3))), Err(Code::BadArguments));
    let mut naked = creation("/x", 0);
    naked.acl.clear();
    assert_eq!(server.call(1, Operation::Create(naked)), Err(Code::InvalidAcl));
}

/// A refused write takes a number all the same; a read does not.
#[test]
fn every_write_takes_a_number() {
    let mut server = Server::start();
    server.client(1);
    let before = server.zookeeper.tree.last_zxid();
    server.create(1, "/no/b", 0).expect_err("no parent");
    server.stat(1, "/");
    assert_eq!(server.zookeeper.tree.last_zxid(), Zxid(before.0 + 1));
}

#[test]
fn access_is_checked_at_the_parent_for_creating_and_deleting() {
    let mut server = Server::start();
    server.client(1);
    let mut closed = creation("/closed", 0);
    closed.acl = vec![Acl::world(1)];
    server.call(1, Operation::Create(closed)).expect("new");
    assert_eq!(server.create(1, "/closed/a", 0), Err(Code::NoAuth));
    assert_eq!(server.call(1, Operation::SetData(setting("/closed", -1))), Err(Code::NoAuth));
    assert_eq!(server.call(1, Operation::Delete(versioned("/closed", -1))), Ok(Answer::Done));
}

#[test]
fn credentials_open_what_they_closed() {
    let mut server = Server::start();
    server.client(1);
    server.client(2);
    let auth = AuthPacket { kind: 0, scheme: "digest".into(), auth: Some("me:secret".into()) };
    assert_eq!(server.call(1, Operation::Auth(auth)), Ok(Answer::Done));
    let mine = Acl { perms: 31, id: Id { scheme: "auth".into(), id: "".into() } };
    let mut private = creation("/private", 0);
    private.acl = vec![mine];
    server.call(1, Operation::Create(private)).expect("new");
    let read = || Operation::GetData(looked_at("/private", false));
    assert!(server.call(1, read()).is_ok());
    assert_eq!(server.call(2, read()), Err(Code::NoAuth));
    assert!(server.call(2, Operation::Exists(looked_at("/private", false))).is_ok());
    let Ok(Answer::Clients(clients)) = server.call(1, Operation::WhoAmI(())) else { panic!() };
    let users: Vec<_> = clients.iter().map(|who| (&who.scheme[..], &who.user[..])).collect();
    assert_eq!(users, [("ip", "127.0.0.1"), ("digest", "me")]);
    let wrong = AuthPacket { kind: 0, scheme: "kerberos".into(), auth: None };
    assert_eq!(server.call(2, Operation::Auth(wrong)), Err(Code::AuthFailed));
    assert_eq!(server.out.closed, [SessionId(2)]);
}

/// `ContainerManager`: once a minute, if it ever had a child and has none now.
#[test]
fn a_container_goes_some_time_after_its_last_child() {
    let mut server = Server::watching(&["/c"]);
    server.client(1);
    server.call(1, Operation::CreateContainer(creation("/c", 4))).expect("new");
    assert_eq!(server.stat(1, "/c").ephemeral_owner, 0);
    let live_until = |server: &mut Server, end_ms| {
        while server.now_ms < end_ms {
            server.pass_until(server.now_ms + 5000);
            server.call(1, Operation::Ping(())).expect("alive");
        }
    };
    live_until(&mut server, 130_000);
    server.create(1, "/c/a", 1).expect("it is there: it never had a child");
    live_until(&mut server, 190_000);
    server.call(1, Operation::Delete(versioned("/c/a", -1))).expect("it is there: it has a child");
    server.pass_until(195_000);
    server.call(1, Operation::Ping(())).expect("alive");
    live_until(&mut server, 235_000);
    assert!(server.stat(1, "/c").czxid > Zxid(0));
    server.pass_until(240_000);
    assert_eq!(server.out.changes.len(), 1);
    assert_eq!(server.out.changes[0].kind, ChangeKind::Expired);
}

#[test]
fn a_time_to_live_needs_extended_types() {
    let creation = |flags, ttl_ms| {
        let CreateRequest { path, data, acl, .. } = creation("/t", 0);
        Operation::CreateTtl(CreateTtlRequest { path, data, acl, flags, ttl_ms })
    };
    let mut server = Server::start();
    server.client(1);
    assert_eq!(server.call(1, creation(5, 100)), Err(Code::Unimplemented));
    let extended = Config { extended_types: true, ..Config::default() };
    let mut server = Server::restart(extended, Disk::default(), 0);
    server.client(1);
    assert_eq!(server.call(1, creation(5, 0)), Err(Code::BadArguments));
    server.call(1, creation(5, 100)).expect("new");
    assert_eq!(server.stat(1, "/t").ephemeral_owner, 0);
}
