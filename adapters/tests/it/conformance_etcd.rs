//! The differential suite on etcd: the model passes, and a model with a bug does not.
//!
//! The bugs stand between the model and the world; each is one that somebody could write.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use picklock::store::StoreKind;
use picklock_adapters::conformance::etcd::Etcds;
use picklock_models::etcd::pb::etcdserverpb::ResponseHeader;
use picklock_models::etcd::rpc::Response;
use picklock_models::etcd::{Etcd, Reply};
use picklock_models::model::Outbox;
use picklock_models::time::HostTime;
use picklock_models::transcript::{Caller, Tamper};

use crate::conformance::{agrees, is_found};
use crate::with_servers;

pub(crate) fn trials() -> Vec<Trial> {
    let etcd = &[StoreKind::Etcd];
    let planted = |name, tamper: fn() -> Box<dyn Tamper<Etcd>>| {
        with_servers(name, etcd, move || is_found::<Etcds>(tamper))
    };
    vec![
        with_servers("conformance::etcd_agrees", etcd, || -> Result<(), Failed> {
            agrees::<Etcds>()
        }),
        planted("conformance::etcd_revision_that_moves_on_a_grant", || Box::<Grants>::default()),
        planted("conformance::etcd_events_before_the_watch_is_created", || Box::new(EventsFirst)),
        planted("conformance::etcd_lease_that_ends_early", || Box::new(EarlyEnd)),
    ]
}

/// Every grant counts as a change of the store.
#[derive(Default)]
struct Grants {
    granted: i64,
}

impl Tamper<Etcd> for Grants {
    fn outbox(&mut self, out: &mut Outbox<Reply>) {
        for (_, reply) in &mut out.replies {
            let Reply::Message(_, response) = reply else { continue };
            self.granted += i64::from(matches!(response, Response::LeaseGrant(_)));
            if let Some(header) = header(response) {
                header.revision += self.granted;
            }
        }
    }
}

fn header(response: &mut Response) -> Option<&mut ResponseHeader> {
    match response {
        Response::Range(response) => response.header.as_mut(),
        Response::Put(response) => response.header.as_mut(),
        Response::DeleteRange(response) => response.header.as_mut(),
        Response::Txn(response) => response.header.as_mut(),
        Response::LeaseGrant(response) => response.header.as_mut(),
        _ => None,
    }
}

/// What a watch has missed comes before the word that it was created.
struct EventsFirst;

impl Tamper<Etcd> for EventsFirst {
    fn outbox(&mut self, out: &mut Outbox<Reply>) {
        let created = |reply: &Reply| matches!(reply, Reply::Message(_, Response::Watch(watch)) if watch.created);
        out.replies.sort_by_key(|(_, reply)| created(reply));
    }
}

/// The server's clock is a second ahead when it looks for leases that are over.
struct EarlyEnd;

impl Tamper<Etcd> for EarlyEnd {
    fn time(&mut self, caller: Caller, mut now: HostTime) -> HostTime {
        if caller == Caller::Timer {
            now.steady = now.steady + Duration::from_secs(1);
        }
        now
    }
}
