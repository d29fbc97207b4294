//! Leases, on the server's steady clock.

use super::*;

#[test]
fn a_time_to_live_is_at_least_2_and_at_most_9_000_000_000_seconds() {
    let mut server = Server::start();
    assert_eq!(server.grant(7, 1), Ok((7, 2)));
    assert_eq!(server.grant(8, -5), Ok((8, 2)));
    assert_eq!(server.grant(9, 9_000_000_000), Ok((9, 9_000_000_000)));
    assert_eq!(server.grant(10, 9_000_000_001), Err(Status::TTL_TOO_LARGE));
    assert_eq!(server.grant(7, 10), Err(Status::LEASE_EXISTS));
}

#[test]
fn an_id_that_the_server_chooses_is_positive_and_new() {
    let mut server = Server::start();
    let (first, _) = server.grant(0, 10).unwrap();
    let (second, _) = server.grant(0, 10).unwrap();
    assert!(first > 0 && second > 0 && first != second);
}

#[test]
fn the_loop_finds_what_is_over_every_500_ms() {
    let mut server = Server::start();
    server.until(100);
    server.grant(7, 2).unwrap();
    server.put_with_lease("k", "", 7);
    server.until(2_499);
    assert_eq!(server.value("k").as_deref(), Some(""));
    server.until(2_500);
    assert_eq!(server.value("k"), None);
}

#[test]
fn keeping_a_lease_alive_gives_it_all_its_time_again() {
    let mut server = Server::start();
    server.grant(7, 5).unwrap();
    server.until(4_900);
    assert_eq!(server.keep_alive(100, 7), [5]);
    server.until(9_899);
    assert_eq!(server.time_to_live(7).ttl, 0);
    server.until(10_000);
    assert_eq!(server.time_to_live(7).ttl, -1);
    assert_eq!(server.keep_alive(100, 7), [0]);
    assert_eq!(server.keep_alive(100, 12345), [0]);
}

/// `Renew`: what is over cannot be renewed, and it is not certain yet that it was not.
#[test]
fn keeping_alive_a_lease_that_is_over_waits_for_its_end() {
    let mut server = Server::start();
    server.until(100);
    server.grant(7, 2).unwrap();
    server.grant(8, 60).unwrap();
    server.until(2_200);
    assert_eq!(server.keep_alive(100, 7), []);
    assert_eq!(server.keep_alive(100, 8), [], "a stream is answered in order");
    server.out.clear();
    let half_closed = Call { stream: StreamId(100), event: CallEvent::HalfClosed };
    server.etcd.apply(at(2_200), SESSION, half_closed, &mut server.out);
    assert!(server.out.replies.is_empty());
    server.until(2_500);
    assert_eq!(server.kept(), [0, 60]);
    let end = (SESSION, Reply::End(StreamId(100), Status::OK));
    assert_eq!(server.out.replies.last(), Some(&end));
}

/// Nobody else would come by to answer: without a lease the server rests.
#[test]
fn whoever_waits_for_the_end_of_a_lease_hears_of_its_revocation() {
    let mut server = Server::start();
    server.until(100);
    server.grant(7, 2).unwrap();
    server.until(2_200);
    assert_eq!(server.keep_alive(100, 7), []);
    server.revoke(7).unwrap();
    assert_eq!(server.kept(), [0]);
    assert!(server.etcd.rests());
}

#[test]
fn revoking_deletes_all_keys_in_one_revision() {
    let mut server = Server::start();
    server.grant(7, 10).unwrap();
    for key in ["b", "a", "gone"] {
        server.put_with_lease(key, "", 7);
    }
    server.put("free", "");
    server.put("gone", "to no lease");
    assert_eq!(server.time_to_live(7).keys, [bytes("a"), bytes("b")]);
    assert_eq!(revision(&mut server.revoke(7).unwrap()), 7);
    assert_eq!(server.found(all()), "free gone");
    assert_eq!(server.revoke(7), Err(Status::LEASE_NOT_FOUND));
}

#[test]
fn revoking_a_lease_without_keys_moves_no_revision() {
    let mut server = Server::start();
    server.grant(7, 10).unwrap();
    assert_eq!(revision(&mut server.revoke(7).unwrap()), 1);
}

#[test]
fn leases_are_listed_as_they_end() {
    let mut server = Server::start();
    server.grant(7, 10).unwrap();
    server.grant(8, 5).unwrap();
    let Ok(Response::LeaseLeases(listed)) = server.call(Request::LeaseLeases(Default::default()))
    else {
        panic!("a list")
    };
    assert_eq!(listed.leases.iter().map(|lease| lease.id).collect::<Vec<_>>(), [8, 7]);
}

#[test]
fn one_loop_revokes_at_most_500() {
    let mut server = Server::start();
    for id in 1..=501 {
        server.grant(id, 2).unwrap();
    }
    server.until(2_000);
    assert_eq!(server.time_to_live(501).granted_ttl, 2);
    server.until(2_500);
    assert_eq!(server.time_to_live(501).ttl, -1);
}

#[test]
fn a_promoted_leader_gives_every_lease_its_full_time_and_an_election_timeout() {
    let mut server = Server::start();
    server.grant(7, 5).unwrap();
    server.until(4_900);
    server.etcd.promote(at(4_900).steady);
    server.until(10_899);
    assert_eq!(server.time_to_live(7).granted_ttl, 5);
    server.until(11_000);
    assert_eq!(server.time_to_live(7).ttl, -1);
}

#[test]
fn a_crash_loses_nothing_but_how_much_time_leases_had_left() {
    for crash in [Crash::ProcessKill, Crash::PowerLoss] {
        let mut server = Server::start();
        server.grant(7, 5).unwrap();
        server.put_with_lease("k", "v", 7);
        server.until(4_900);
        let mut server = Server::restart(server.etcd.disk_after(crash), 6_000);
        assert_eq!(server.value("k").as_deref(), Some("v"));
        server.until(11_999);
        assert_eq!(server.value("k").as_deref(), Some("v"));
        server.until(12_000);
        assert_eq!(server.value("k"), None);
        assert_eq!(server.put("k", ""), 4);
    }
}
