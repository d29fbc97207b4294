//! The differential suite on ZooKeeper: the model passes, and a model with a bug does not.
//!
//! The bugs stand between the model and the world; each is one that somebody could write.

use std::collections::BTreeMap;
use std::time::Duration;

use libtest_mimic::Trial;
use picklock::store::StoreKind;
use picklock_adapters::conformance::zookeeper::ZooKeepers;
use picklock_models::model::{Outbox, SessionId};
use picklock_models::time::HostTime;
use picklock_models::transcript::{Caller, Tamper};
use picklock_models::zookeeper::{Answer, Operation, Reply, Request, ZooKeeper};

use crate::conformance::{agrees, is_found};
use crate::with_servers;

pub(crate) fn trials() -> Vec<Trial> {
    let zookeeper = &[StoreKind::ZooKeeper];
    let planted = |name, tamper: fn() -> Box<dyn Tamper<ZooKeeper>>| {
        with_servers(name, zookeeper, move || is_found::<ZooKeepers>(tamper))
    };
    vec![
        with_servers("conformance::zookeeper_agrees", zookeeper, agrees::<ZooKeepers>),
        planted("conformance::zookeeper_watch_after_its_reply", || Box::new(WatchesLast)),
        planted("conformance::zookeeper_sequence_that_counts_deletions", || {
            Box::<Deletions>::default()
        }),
        planted("conformance::zookeeper_session_that_expires_early", || Box::new(EarlyEnd)),
    ]
}

/// Events are written behind the answer to what caused them.
struct WatchesLast;

impl Tamper<ZooKeeper> for WatchesLast {
    fn outbox(&mut self, out: &mut Outbox<Reply>) {
        out.replies.sort_by_key(|(_, reply)| matches!(reply, Reply::Event(_)));
    }
}

/// A sequence number is the number of all changes of the children, deletions too.
#[derive(Default)]
struct Deletions {
    asked: Option<Operation>,
    below: BTreeMap<String, u32>,
}

impl Deletions {
    fn below(&mut self, path: &str) -> &mut u32 {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.below.entry(parent.to_owned()).or_default()
    }

    /// A path whose sequence number counts deletions.
    fn wrong(&mut self, path: &str) -> String {
        let deletions = *self.below(path);
        let (name, digits) = path.split_at(path.len().saturating_sub(10));
        let number: u32 = digits.parse().unwrap_or_default();
        format!("{name}{:010}", number + deletions)
    }
}

impl Tamper<ZooKeeper> for Deletions {
    fn request(&mut self, _: SessionId, request: &mut Request) {
        self.asked = match request {
            Request::Call { operation: Ok(operation), .. } => Some(operation.clone()),
            _ => None,
        };
    }

    fn outbox(&mut self, out: &mut Outbox<Reply>) {
        for (_, reply) in &mut out.replies {
            let Reply::Answer { answer: Ok(answer), .. } = reply else { continue };
            match (self.asked.take(), answer) {
                (Some(Operation::Delete(delete)), _) => *self.below(&delete.path) += 1,
                (Some(Operation::Create(create)), Answer::Path(Some(path)))
                    if matches!(create.flags, 2 | 3) =>
                {
                    *path = self.wrong(path);
                }
                _ => {}
            }
        }
    }
}

/// The server's clock is four seconds ahead when it looks for sessions that are over.
struct EarlyEnd;

impl Tamper<ZooKeeper> for EarlyEnd {
    fn time(&mut self, caller: Caller, mut now: HostTime) -> HostTime {
        if caller == Caller::Timer {
            now.steady = now.steady + Duration::from_secs(4);
        }
        now
    }
}
