//! The facts about watched keys that checkers judge by.

use super::*;
use crate::model::{Change, ChangeKind};

fn lock(by: Option<SessionId>, owner: Option<SessionId>, kind: ChangeKind) -> Change {
    Change { key: bytes("lock"), by, owner, kind }
}

#[test]
fn a_lock_is_set_deleted_or_expires() {
    let mut server = Server::start();
    server.grant(7, 2).unwrap();
    server.put("other", "");
    assert_eq!(server.out.changes, []);
    server.put_with_lease("lock", "1", 7);
    let set = ChangeKind::Set { number: Some(1), ttl_ms: None };
    assert_eq!(server.out.changes, [lock(Some(SESSION), None, set)]);
    server.delete("lock");
    assert_eq!(server.out.changes, [lock(Some(SESSION), Some(SESSION), ChangeKind::Deleted)]);
    server.put_with_lease("lock", "x", 7);
    server.until(2_000);
    assert_eq!(server.out.changes, [lock(None, Some(SESSION), ChangeKind::Expired)]);
}

#[test]
fn a_lease_that_a_client_revokes_deletes() {
    let mut server = Server::start();
    server.grant(7, 2).unwrap();
    server.put_with_lease("lock", "", 7);
    server.revoke(7).unwrap();
    assert_eq!(server.out.changes, [lock(Some(SESSION), Some(SESSION), ChangeKind::Deleted)]);
}

#[test]
fn what_was_on_the_disk_is_loaded_with_its_owner() {
    let mut server = Server::start();
    server.put("lock", "5");
    let server = Server::restart(server.etcd.disk_after(Crash::PowerLoss), 1_000);
    let loaded = ChangeKind::Loaded { number: Some(5), ttl_ms: None };
    assert_eq!(server.etcd.loaded(), [lock(None, Some(SESSION), loaded)]);
}

#[test]
fn a_command_is_applied_once_and_in_order() {
    let mut machine = machine::Machine::default();
    let command = machine::Command { by: None, action: machine::Action::Put(put("k", "")) };
    assert!(machine.apply(Index(1), &command).is_some());
    assert!(machine.apply(Index(1), &command).is_none());
    assert_eq!((machine.applied(), machine.revision()), (Index(1), Revision(2)));
}

#[test]
fn a_queue_below_the_lock_is_told_and_loaded_in_the_order_of_its_creation() {
    let mut server = Server::start();
    server.put("lock/b", "");
    let set = ChangeKind::Set { number: None, ttl_ms: None };
    let first = Change { key: bytes("lock/b"), by: Some(SESSION), owner: None, kind: set };
    assert_eq!(server.out.changes, [first]);
    server.put("lock/a", "");
    server.put("lock/b", "again");
    server.put("locks", "of another name");
    assert_eq!(server.out.changes, []);
    let server = Server::restart(server.etcd.disk_after(Crash::ProcessKill), 0);
    let loaded = server.etcd.loaded();
    assert_eq!(
        loaded.iter().map(|change| &change.key[..]).collect::<Vec<_>>(),
        [b"lock/b", b"lock/a"]
    );
}
