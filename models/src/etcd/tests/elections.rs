//! Elections that the server holds.

use super::*;
use crate::etcd::pb::etcdserverpb::{RequestOp, TxnRequest, request_op};
use crate::etcd::pb::v3electionpb::{
    CampaignRequest, LeaderKey, LeaderRequest, LeaderResponse, ProclaimRequest, ResignRequest,
};

impl Server {
    fn campaign(&mut self, lease: i64, value: &str) -> StreamId {
        let value = bytes(value);
        self.ask(Request::Campaign(CampaignRequest { name: bytes("e"), lease, value }))
    }

    /// The leader's key and the revision in the header, if the call has just ended well.
    fn elected(&self, stream: StreamId) -> Option<(LeaderKey, i64)> {
        match self.ended(stream)? {
            Ok(Response::Campaign(response)) => {
                let revision = response.header.expect("a header").revision;
                Some((response.leader.expect("a leader"), revision))
            }
            other => panic!("{other:?}"),
        }
    }

    fn proclaim(&mut self, leader: LeaderKey, value: &str) -> Result<i64, Status> {
        let request = ProclaimRequest { leader: Some(leader), value: bytes(value) };
        self.call(Request::Proclaim(request)).map(|mut response| revision(&mut response))
    }

    fn resign(&mut self, leader: LeaderKey) -> Result<i64, Status> {
        let request = ResignRequest { leader: Some(leader) };
        self.call(Request::Resign(request)).map(|mut response| revision(&mut response))
    }

    fn observe(&mut self) -> StreamId {
        self.ask(Request::Observe(LeaderRequest { name: bytes("e") }))
    }

    /// What an observer was just told: values and the revisions in the headers.
    fn seen(&self, observer: StreamId) -> String {
        let seen = self.out.replies.iter().filter_map(|(_, reply)| match reply {
            Reply::Message(stream, Response::Observe(response)) if *stream == observer => {
                Some(told(response))
            }
            _ => None,
        });
        seen.collect::<Vec<_>>().join(" ")
    }
}

fn told(response: &LeaderResponse) -> String {
    let value = &response.kv.as_ref().expect("a key").value;
    let revision = response.header.as_ref().expect("a header").revision;
    format!("{}@{revision}", String::from_utf8_lossy(value))
}

fn key(lease: i64, rev: i64) -> LeaderKey {
    LeaderKey { name: bytes("e"), key: bytes(&format!("e/{lease:x}")), rev, lease }
}

/// Two candidates with leases 10 and 11, the first of whom leads.
fn two_candidates() -> (Server, StreamId) {
    let mut server = Server::start();
    server.grant(10, 60).unwrap();
    server.grant(11, 60).unwrap();
    let first = server.campaign(10, "alice");
    assert_eq!(server.elected(first), Some((key(10, 2), 2)));
    let second = server.campaign(11, "bob");
    assert_eq!(server.ended(second), None);
    (server, second)
}

#[test]
fn the_next_candidate_leads_when_the_leader_resigns() {
    let (mut server, second) = two_candidates();
    assert_eq!(server.resign(key(10, 2)), Ok(4));
    // The header is from when it came.
    assert_eq!(server.elected(second), Some((key(11, 3), 3)));
    assert_eq!(server.resign(key(10, 2)), Ok(4), "it is no error to resign again");
    assert_eq!(server.proclaim(key(10, 2), "x"), Err(Status::NOT_LEADER));
}

#[test]
fn only_the_key_of_that_time_resigns_or_proclaims() {
    let (mut server, second) = two_candidates();
    assert_eq!(server.resign(key(10, 1)), Ok(3));
    assert_eq!(server.proclaim(key(10, 1), "x"), Err(Status::NOT_LEADER));
    assert_eq!(server.ended(second), None);
    assert_eq!(server.value("e/a").as_deref(), Some("alice"));
    assert_eq!(server.proclaim(key(10, 2), "alice 2"), Ok(4));
    assert_eq!(server.value("e/a").as_deref(), Some("alice 2"));
}

#[test]
fn a_candidate_that_comes_again_says_what_is_new() {
    let (mut server, second) = two_candidates();
    let again = server.campaign(11, "bob 2");
    assert_eq!(server.value("e/b").as_deref(), Some("bob 2"));
    server.resign(key(10, 2)).unwrap();
    assert_eq!(server.elected(second), Some((key(11, 3), 3)));
    assert_eq!(server.elected(again), Some((key(11, 3), 3)));
}

#[test]
fn a_candidate_that_gives_up_resigns() {
    let (mut server, second) = two_candidates();
    server.give_up(second);
    assert_eq!(server.value("e/b"), None);
    assert_eq!(server.value("e/a").as_deref(), Some("alice"));
}

/// etcd#19597.
#[test]
fn a_candidate_whose_lease_has_ended_is_told_that_it_leads() {
    let (mut server, second) = two_candidates();
    server.revoke(11).unwrap();
    server.resign(key(10, 2)).unwrap();
    assert_eq!(server.elected(second), Some((key(11, 3), 3)));
}

#[test]
fn observers_hear_of_every_leader_and_of_what_it_says() {
    let mut server = Server::start();
    let observer = server.observe();
    assert_eq!(server.seen(observer), "");
    server.grant(10, 60).unwrap();
    server.grant(11, 60).unwrap();
    server.campaign(10, "alice");
    assert_eq!(server.seen(observer), "alice@2");
    server.campaign(11, "bob");
    assert_eq!(server.seen(observer), "");
    let late = server.observe();
    assert_eq!(server.seen(late), "alice@3");
    server.proclaim(key(10, 2), "alice 2").unwrap();
    assert_eq!(
        (server.seen(observer), server.seen(late)),
        ("alice 2@4".into(), "alice 2@4".into())
    );
    server.resign(key(10, 2)).unwrap();
    assert_eq!(server.seen(observer), "bob@5");
    server.give_up(observer);
    server.revoke(11).unwrap();
    server.put("e/x", "carol");
    assert_eq!((server.seen(observer), server.seen(late)), (String::new(), "carol@7".into()));
}

#[test]
fn of_keys_that_come_together_the_first_that_was_put_is_seen_first() {
    let mut server = Server::start();
    let observer = server.observe();
    let op = |key| RequestOp { request: Some(request_op::Request::RequestPut(put(key, key))) };
    let success = vec![op("e/z"), op("e/a")];
    server.call(Request::Txn(TxnRequest { success, ..Default::default() })).unwrap();
    assert_eq!(server.seen(observer), "e/z@2");
    server.delete("e/z");
    assert_eq!(server.seen(observer), "e/a@3");
}

#[test]
fn a_missing_leader_is_an_error() {
    let mut server = Server::start();
    let leader = Request::Leader(LeaderRequest { name: bytes("e") });
    assert_eq!(server.call(leader.clone()), Err(Status::NO_LEADER));
    let nobody = server.call(Request::Proclaim(ProclaimRequest::default()));
    assert_eq!(nobody, Err(Status::NO_LEADER_KEY));
    let nobody = server.call(Request::Resign(ResignRequest::default()));
    assert_eq!(nobody, Err(Status::NO_LEADER_KEY));
    server.put("e/x", "carol");
    let Ok(Response::Leader(found)) = server.call(leader) else { panic!("a leader") };
    assert_eq!(told(&found), "carol@2");
}
