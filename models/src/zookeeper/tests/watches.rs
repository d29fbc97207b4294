//! Watches: what sets them off, how often, and in which order clients hear of it.

use super::*;

const CREATED: i32 = 1;
const DELETED: i32 = 2;
const DATA: i32 = 3;
const CHILDREN: i32 = 4;

fn watch_data(path: &str) -> Operation {
    Operation::GetData(looked_at(path, true))
}

fn watch_existence(path: &str) -> Operation {
    Operation::Exists(looked_at(path, true))
}

fn watch_children(path: &str) -> Operation {
    Operation::GetChildren2(looked_at(path, true))
}

#[test]
fn a_watch_goes_off_once() {
    let mut server = Server::start();
    server.client(1);
    server.client(2);
    server.create(1, "/a", 0).expect("new");
    server.call(2, watch_data("/a")).expect("there");
    server.call(1, Operation::SetData(setting("/a", -1))).expect("there");
    assert_eq!(server.events(), [(2, DATA, "/a".into())]);
    server.call(1, Operation::SetData(setting("/a", -1))).expect("there");
    assert!(server.events().is_empty());
}

/// Captured from a real server: on the connection that caused it, too, the event comes first.
#[test]
fn an_event_comes_before_the_answer_to_what_caused_it() {
    let mut server = Server::start();
    server.client(1);
    server.call(1, watch_existence("/a")).expect_err("not there");
    server.call(1, watch_children("/")).expect("there");
    server.create(1, "/a", 0).expect("new");
    assert_eq!(server.events(), [(1, CREATED, "/a".into()), (1, CHILDREN, "/".into())]);
    assert!(matches!(server.out.replies[..], [_, _, (_, Reply::Answer { .. })]));
}

#[test]
fn a_deletion_is_told_once_to_who_watches_data_and_children() {
    let mut server = Server::start();
    server.client(1);
    server.create(1, "/a", 0).expect("new");
    server.call(1, watch_data("/a")).expect("there");
    server.call(1, watch_children("/a")).expect("there");
    server.call(1, watch_children("/")).expect("there");
    server.call(1, Operation::Delete(versioned("/a", -1))).expect("there");
    assert_eq!(server.events(), [(1, DELETED, "/a".into()), (1, CHILDREN, "/".into())]);
}

/// CVE-2024-23944: the watch is gone, and nobody was told.
#[test]
fn who_may_not_read_a_node_hears_nothing_of_it() {
    let mut server = Server::start();
    server.client(1);
    server.client(2);
    server.call(2, watch_existence("/a")).expect_err("not there");
    let secret = CreateRequest { acl: vec![Acl::world(30)], ..creation("/a", 0) };
    server.call(1, Operation::Create(secret)).expect("new");
    assert!(server.events().is_empty());
    server.call(2, watch_existence("/a")).expect("there");
    server.call(1, Operation::Delete(versioned("/a", -1))).expect("there");
    assert!(server.events().is_empty());
    server.call(2, watch_existence("/a")).expect_err("not there");
    server.create(1, "/a", 0).expect("new");
    assert_eq!(server.events(), [(2, CREATED, "/a".into())]);
}

/// Only `exists` leaves a watch on a node that is not there.
#[test]
fn reading_what_is_not_there_leaves_no_watch() {
    let mut server = Server::start();
    server.client(1);
    assert_eq!(server.call(1, watch_data("/a")), Err(Code::NoNode));
    assert_eq!(server.call(1, watch_children("/a")), Err(Code::NoNode));
    server.create(1, "/a", 0).expect("new");
    assert!(server.events().is_empty());
}

#[test]
fn watches_end_with_their_connection() {
    let mut server = Server::start();
    server.client(1);
    server.client(2);
    server.call(2, watch_existence("/a")).expect_err("not there");
    server.zookeeper.disconnect(at(0), SessionId(2), &mut Outbox::default());
    server.create(1, "/a", 0).expect("new");
    assert!(server.events().is_empty());
}

/// `DataTree.setWatches`: what was missed is told at once, the rest is watched again.
#[test]
fn a_client_that_comes_back_is_told_what_it_missed() {
    let mut server = Server::start();
    server.client(1);
    for path in ["/same", "/set", "/gone", "/parent", "/again"] {
        server.create(1, path, 0).expect("new");
    }
    let relative_zxid = server.zookeeper.tree.last_zxid();
    server.call(1, Operation::SetData(setting("/set", -1))).expect("there");
    server.call(1, Operation::Delete(versioned("/gone", -1))).expect("there");
    server.create(1, "/parent/child", 0).expect("new");
    server.create(1, "/awaited", 0).expect("new");
    server.call(1, Operation::Delete(versioned("/again", -1))).expect("there");
    server.create(1, "/again", 0).expect("new");
    server.client(2);
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    let request = SetWatches {
        relative_zxid,
        data: paths(&["/same", "/set", "/gone", "/again"]),
        exist: paths(&["/awaited", "/never"]),
        child: paths(&["/parent", "/same", "/gone"]),
    };
    assert_eq!(server.call(2, Operation::SetWatches(request)), Ok(Answer::Done));
    let told = [
        (2, DATA, "/set".into()),
        (2, DELETED, "/gone".into()),
        // That it was deleted in between is not told.
        (2, DATA, "/again".into()),
        (2, CREATED, "/awaited".into()),
        (2, CHILDREN, "/parent".into()),
        (2, DELETED, "/gone".into()),
    ];
    assert_eq!(server.events(), told);
    server.create(1, "/never", 0).expect("new");
    assert_eq!(server.events(), [(2, CREATED, "/never".into())]);
    server.create(1, "/same/child", 0).expect("new");
    assert_eq!(server.events(), [(2, CHILDREN, "/same".into())]);
}

fn add(path: &str, kind: i32) -> Operation {
    Operation::AddWatch(WatchKind { path: path.into(), kind })
}

#[test]
fn a_persistent_watch_stays() {
    let mut server = Server::start();
    server.client(1);
    assert_eq!(server.call(1, add("/a", 0)), Ok(Answer::Number(0)));
    server.create(1, "/a", 0).expect("new");
    assert_eq!(server.events(), [(1, CREATED, "/a".into())]);
    server.create(1, "/a/b", 0).expect("new");
    assert_eq!(server.events(), [(1, CHILDREN, "/a".into())]);
    for _ in 0..2 {
        server.call(1, Operation::SetData(setting("/a", -1))).expect("there");
        assert_eq!(server.events(), [(1, DATA, "/a".into())]);
    }
    let which = |kind| WatchKind { path: "/a".into(), kind };
    assert_eq!(server.call(1, Operation::CheckWatches(which(3))), Ok(Answer::Done));
    assert_eq!(server.call(1, Operation::RemoveWatches(which(3))), Ok(Answer::Done));
    assert_eq!(server.call(1, Operation::RemoveWatches(which(3))), Err(Code::NoWatcher));
    assert_eq!(server.call(1, Operation::CheckWatches(which(2))), Err(Code::NoWatcher));
}

/// A recursive watch hears of every node below, but not that a node's children changed.
#[test]
fn a_recursive_watch_stands_for_all_below() {
    let mut server = Server::start();
    server.client(1);
    server.create(1, "/a", 0).expect("new");
    server.call(1, add("/a", 1)).expect("a watch");
    server.create(1, "/a/b", 0).expect("new");
    assert_eq!(server.events(), [(1, CREATED, "/a/b".into())]);
    server.create(1, "/a/b/c", 0).expect("new");
    assert_eq!(server.events(), [(1, CREATED, "/a/b/c".into())]);
    server.call(1, Operation::Delete(versioned("/a/b/c", -1))).expect("there");
    assert_eq!(server.events(), [(1, DELETED, "/a/b/c".into())]);
    server.create(1, "/b", 0).expect("new");
    assert!(server.events().is_empty());
}
