//! What a crash leaves: everything that was answered, and the sessions.

use super::*;

#[test]
fn sessions_and_their_nodes_survive_a_restart() {
    let mut server = Server::watching(&["/e"]);
    let before = server.client(1);
    server.create(1, "/e", 1).expect("new");
    let disk = server.zookeeper.disk_after(Crash::PowerLoss);
    let watched = vec![Bytes::from_static(b"/e")];
    let mut server = Server::restart(Config { watched, ..Config::default() }, disk, 30_000);
    let loaded = server.zookeeper.loaded();
    assert_eq!(loaded.len(), 1);
    assert_eq!((loaded[0].by, loaded[0].owner), (None, Some(SessionId(1))));
    // Its timeout begins anew, though it has been silent for longer than that.
    assert!(!server.zookeeper.rests());
    server.now_ms = 30_500;
    server.zookeeper.tick(at(30_500), &mut server.out);
    assert!(server.zookeeper.rests(), "it will be woken");
    server.pass_until(41_999);
    assert!(server.out.changes.is_empty());
    server.pass_until(42_000);
    assert_eq!(server.out.changes.len(), 1);
    assert_eq!(server.out.changes[0].kind, ChangeKind::Expired);
    server.zookeeper.connect(at(42_000), SessionId(2));
    let Request::Connect(mut hello) = Request::begin_session(10_000) else { unreachable!() };
    hello.session = before.session;
    hello.password = before.password;
    server.send(2, Request::Connect(hello));
    assert_eq!(server.connected().timeout_ms, 0);
}

/// A naive model of the tree: nothing but paths and versions.
fn naive(operations: &[(u8, u8, i32)]) -> Vec<(String, i32)> {
    let mut nodes: Vec<(String, i32)> = Vec::new();
    for (kind, which, version) in operations {
        let path = name(*which);
        let place = nodes.iter().position(|(known, _)| *known == path);
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
        let has_parent = parent.is_empty() || nodes.iter().any(|(known, _)| *known == parent);
        let has_children = nodes.iter().any(|(known, _)| known.starts_with(&format!("{path}/")));
        let matches = place.is_some_and(|at| [-1, nodes[at].1].contains(version));
        match (kind, place) {
            (0, None) if has_parent => nodes.push((path, 0)),
            (1, Some(at)) if matches && !has_children => drop(nodes.remove(at)),
            (2, Some(at)) if matches => nodes[at].1 += 1,
            _ => {}
        }
    }
    nodes.sort();
    nodes
}

fn name(which: u8) -> String {
    ["/a", "/b", "/a/a", "/a/b", "/a/b/c", "/b/a"][usize::from(which)].to_owned()
}

proptest! {
    /// The tree is what the naive model says; what is on the disk gives the same tree again.
    #[test]
    fn random_writes_do_what_a_naive_model_does(
        operations in proptest::collection::vec((0_u8..3, 0_u8..6, -1_i32..3), 0..60),
    ) {
        let mut server = Server::start();
        server.client(1);
        for (kind, which, version) in &operations {
            let path = name(*which);
            let _ = match kind {
                0 => server.create(1, &path, 0),
                1 => server.call(1, Operation::Delete(versioned(&path, *version))),
                _ => server.call(1, Operation::SetData(setting(&path, *version))),
            };
        }
        let disk = server.zookeeper.disk_after(Crash::ProcessKill);
        let mut server = Server::restart(Config::default(), disk, 1000);
        server.client(2);
        let mut found = Vec::new();
        for which in 0..6 {
            let looked = server.call(2, Operation::Exists(looked_at(&name(which), false)));
            if let Ok(Answer::Stat(stat)) = looked {
                found.push((name(which), stat.version));
            }
        }
        found.sort();
        prop_assert_eq!(found, naive(&operations));
    }
}

#[test]
fn a_lock_s_ephemeral_nodes_are_told_but_not_the_place_where_they_are_put() {
    let watching = || {
        let watched_ephemerals = vec![Bytes::from_static(b"/lock")];
        Config { watched_ephemerals, ..Config::default() }
    };
    let mut server = Server::restart(watching(), Disk::default(), 0);
    server.client(1);
    server.create(1, "/lock", 0).expect("new");
    assert_eq!(server.out.changes, []);
    server.create(1, "/lock/z-", 3).expect("new");
    server.create(1, "/lock/a-", 3).expect("new");
    assert_eq!(server.out.changes[0].key, "/lock/a-0000000001");
    let server = Server::restart(watching(), server.zookeeper.disk_after(Crash::PowerLoss), 0);
    let loaded: Vec<Bytes> =
        server.zookeeper.loaded().into_iter().map(|change| change.key).collect();
    assert_eq!(loaded, ["/lock/z-0000000000", "/lock/a-0000000001"]);
}
