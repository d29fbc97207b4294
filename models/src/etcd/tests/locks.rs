//! Locks that the server takes.

use proptest::prelude::*;

use super::*;
use crate::etcd::pb::v3lockpb::{LockRequest, UnlockRequest};

/// Three leases, each long enough.
const LEASES: [i64; 3] = [0x1a, 0x1b, 0x1c];

impl Server {
    fn with_leases() -> Self {
        let mut server = Server::start();
        for id in LEASES {
            server.grant(id, 60).unwrap();
        }
        server
    }

    fn lock(&mut self, lease: i64) -> StreamId {
        self.ask(Request::Lock(LockRequest { name: bytes("n"), lease }))
    }

    fn unlock(&mut self, key: &str) -> Result<Response, Status> {
        self.call(Request::Unlock(UnlockRequest { key: bytes(key) }))
    }

    /// The key of a lock that was just taken, and the revision in its header.
    fn taken(&self, stream: StreamId) -> Option<(String, i64)> {
        match self.ended(stream)? {
            Ok(Response::Lock(response)) => {
                let key = String::from_utf8_lossy(&response.key).into_owned();
                Some((key, response.header.expect("a header").revision))
            }
            other => panic!("{other:?}"),
        }
    }

    fn below_the_name(&mut self) -> String {
        self.found(RangeRequest { key: bytes("n/"), range_end: bytes("n0"), ..Default::default() })
    }
}

#[test]
fn first_come_first_served() {
    let mut server = Server::with_leases();
    let [a, b, c] = LEASES;
    let first = server.lock(a);
    assert_eq!(server.taken(first), Some(("n/1a".into(), 2)));
    let second = server.lock(b);
    assert_eq!(server.ended(second), None);
    let third = server.lock(c);
    assert_eq!(server.ended(third), None);
    server.put("n/1a", "touched, not released");
    assert_eq!((server.ended(second), server.ended(third)), (None, None));
    server.unlock("n/1a").unwrap();
    assert_eq!(server.taken(second), Some(("n/1b".into(), 6)));
    assert_eq!(server.ended(third), None);
    server.unlock("n/1b").unwrap();
    assert_eq!(server.taken(third), Some(("n/1c".into(), 7)));
}

#[test]
fn the_same_lease_has_one_place() {
    let mut server = Server::with_leases();
    let [a, b, _] = LEASES;
    server.lock(a);
    let again = server.lock(a);
    assert_eq!(server.taken(again), Some(("n/1a".into(), 2)));
    let (one, other) = (server.lock(b), server.lock(b));
    server.unlock("n/1a").unwrap();
    assert_eq!(server.taken(one), Some(("n/1b".into(), 4)));
    assert_eq!(server.taken(other), Some(("n/1b".into(), 4)));
}

#[test]
fn whoever_stops_waiting_leaves_the_line() {
    let mut server = Server::with_leases();
    let [a, b, c] = LEASES;
    server.lock(a);
    let (second, third) = (server.lock(b), server.lock(c));
    server.give_up(second);
    assert_eq!(server.below_the_name(), "n/1a n/1c");
    server.unlock("n/1a").unwrap();
    assert_eq!((server.ended(second), server.taken(third)), (None, Some(("n/1c".into(), 6))));
    server.give_up(third);
    assert_eq!(server.below_the_name(), "n/1c", "a lock that was taken stays");
}

#[test]
fn a_connection_that_ends_takes_its_waiters_along() {
    let mut server = Server::with_leases();
    let [a, b, c] = LEASES;
    server.put_with_lease("n/other", "", a);
    server.lock(b);
    server.lock(c);
    server.etcd.disconnect(at(0), SessionId(99), &mut server.out);
    assert_eq!(server.below_the_name(), "n/1b n/1c n/other");
    server.etcd.disconnect(at(0), SESSION, &mut server.out);
    assert_eq!(server.below_the_name(), "n/other");
}

#[test]
fn who_is_before_somebody_that_left_is_waited_for() {
    let mut server = Server::with_leases();
    let [a, b, c] = LEASES;
    server.lock(a);
    let (second, third) = (server.lock(b), server.lock(c));
    server.delete("n/1b");
    assert_eq!((server.ended(second), server.ended(third)), (None, None));
    server.unlock("n/1a").unwrap();
    // The second has no key any more; nobody looks.
    assert_eq!(server.taken(second), Some(("n/1b".into(), 6)));
    assert_eq!(server.taken(third), Some(("n/1c".into(), 6)));
}

#[test]
fn a_holder_that_is_gone_is_waited_for_until_its_lease_ends() {
    let mut server = Server::start();
    server.grant(7, 5).unwrap();
    server.grant(8, 60).unwrap();
    server.lock(7);
    let waiter = server.lock(8);
    server.until(4_999);
    assert_eq!(server.ended(waiter), None);
    server.until(5_000);
    assert_eq!(server.taken(waiter), Some(("n/8".into(), 4)));
}

/// etcd#11456, which 3.4 has: two hold the lock.
#[test]
fn a_waiter_whose_lease_has_ended_is_told_that_it_holds_the_lock() {
    let mut server = Server::with_leases();
    let [a, b, c] = LEASES;
    server.lock(a);
    let (second, third) = (server.lock(b), server.lock(c));
    server.revoke(b).unwrap();
    assert_eq!(server.ended(second), None);
    server.unlock("n/1a").unwrap();
    assert_eq!(server.taken(second), Some(("n/1b".into(), 6)));
    assert_eq!(server.taken(third), Some(("n/1c".into(), 6)));
}

#[test]
fn without_a_lease_there_is_one_of_a_minute() {
    let mut server = Server::start();
    server.grant(7, 90).unwrap();
    let holder = server.ask(Request::Lock(LockRequest { name: bytes("n"), lease: 0 }));
    let key = server.taken(holder).expect("the first to come").0;
    let lease = i64::from_str_radix(key.strip_prefix("n/").unwrap(), 16).unwrap();
    let granted = server.time_to_live(lease);
    assert_eq!((granted.granted_ttl, granted.keys), (60, vec![bytes(&key)]));
    let waiter = server.lock(7);
    server.until(59_999);
    assert_eq!(server.ended(waiter), None);
    server.until(60_000);
    assert_eq!(server.taken(waiter), Some(("n/7".into(), 4)));
}

#[test]
fn errors_have_no_code() {
    let mut server = Server::start();
    let unknown = |text: &str| Some(Err(Status::new(Code::Unknown, text)));
    let asked = server.lock(0x99);
    assert_eq!(server.ended(asked), unknown("etcdserver: requested lease not found"));
    assert_eq!(Some(server.unlock("")), unknown("etcdserver: key is not provided"));
    assert!(server.unlock("nothing").is_ok());
}

#[test]
fn a_new_leader_and_those_who_wait_for_a_lock_do_not_disturb_each_other() {
    let mut server = Server::with_leases();
    let [a, b, _] = LEASES;
    server.lock(a);
    let waiter = server.lock(b);
    server.etcd.promote(at(0).steady);
    server.unlock("n/1a").unwrap();
    assert_eq!(server.taken(waiter), Some(("n/1b".into(), 4)));
}

#[test]
fn a_crash_forgets_who_waits_and_keeps_the_line() {
    let mut server = Server::with_leases();
    let [a, b, c] = LEASES;
    server.lock(a);
    server.lock(b);
    let mut server = Server::restart(server.etcd.disk_after(Crash::PowerLoss), 0);
    server.etcd.disconnect(at(0), SESSION, &mut server.out);
    assert_eq!(server.below_the_name(), "n/1a n/1b");
    let third = server.lock(c);
    server.unlock("n/1a").unwrap();
    assert_eq!(server.ended(third), None);
    server.unlock("n/1b").unwrap();
    assert!(server.taken(third).is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Lock(i64),
    GiveUp(usize),
    Unlock(i64),
    Revoke(i64),
    Grant(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lease = 1..6_i64;
    let step = prop_oneof![
        4 => lease.clone().prop_map(Step::Lock),
        2 => (0..20_usize).prop_map(Step::GiveUp),
        3 => lease.clone().prop_map(Step::Unlock),
        1 => lease.clone().prop_map(Step::Revoke),
        2 => lease.prop_map(Step::Grant),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// A call waits as long as there is a key that was created before its own, and not a moment longer.
    #[test]
    fn who_waits_is_who_has_somebody_before(steps in steps()) {
        let mut server = Server::start();
        let mut waiting: Vec<(StreamId, i64)> = Vec::new();
        let mut calls = Vec::new();
        for step in steps {
            match step {
                Step::Lock(lease) => {
                    let stream = server.lock(lease);
                    calls.push(stream);
                    if server.ended(stream).is_none() {
                        let created = server.created(lease).expect("a waiter has a key");
                        waiting.push((stream, created));
                    }
                }
                Step::GiveUp(call) if !calls.is_empty() => {
                    let stream = calls[call % calls.len()];
                    server.give_up(stream);
                    waiting.retain(|(waiting, _)| *waiting != stream);
                }
                Step::GiveUp(_) => {}
                Step::Unlock(lease) => drop(server.unlock(&format!("n/{lease:x}"))),
                Step::Revoke(lease) => drop(server.revoke(lease)),
                Step::Grant(lease) => drop(server.grant(lease, 60)),
            }
            let out = std::mem::take(&mut server.out);
            let oldest = (1..6).filter_map(|lease| server.created(lease)).min();
            server.out = out;
            for (stream, created) in std::mem::take(&mut waiting) {
                let waits = oldest.is_some_and(|oldest| oldest < created);
                prop_assert_eq!(server.ended(stream).is_none(), waits);
                if waits {
                    waiting.push((stream, created));
                }
            }
        }
    }
}

impl Server {
    /// When the key of a lease was created, if it is there.
    fn created(&mut self, lease: i64) -> Option<i64> {
        let key = bytes(&format!("n/{lease:x}"));
        let found = self.range(RangeRequest { key, ..Default::default() }).expect("a range");
        found.kvs.first().map(|kv| kv.create_revision)
    }
}
