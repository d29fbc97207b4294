//! E7: one record that its holder rewrites again and again; whoever has not seen it change for a whole lease,
//! by its own clock, takes over.
//!
//! Source: kubernetes/client-go `tools/leaderelection/leaderelection.go`, with etcd in place of the API server
//! in front of it. No lease of etcd's is used, and no time in the record is trusted: only *that* it changed
//! counts. So clocks may be apart by any amount; their rates may not differ by more than lease over renew
//! deadline, and there is no fencing. All its times are those of client-go in proportion: 15 s lease, 10 s
//! renew deadline, 2 s retry.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::request_op::Request;
use picklock_models::time::SteadyTime;
use picklock_sim::env::{Either, Env, race};
use picklock_sim::signal::Signal;
use serde::{Deserialize, Serialize};

use super::renewal::Renewals;
use crate::client::etcd::{CallError, Client, request, revision};
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Renewal};
use crate::store::StoreKind;
use crate::terms::Claim;

/// E7.
pub struct EtcdCasObserved;

impl Algorithm for EtcdCasObserved {
    const NAME: &'static str = "etcd-cas-observed";
    const ABOUT: &'static str = "E7: client-go's election, a record that must be seen to change";
    /// Its own documentation warns that two may lead at once where clocks run apart; what it is built to do
    /// is to have one leader.
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const STORE: StoreKind = StoreKind::Etcd;

    /// A waiter has to see the last renewal in one of its polls, wait for a whole lease, and come again; a
    /// poll that nobody answered before the heal takes its time.
    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        let times = Times::of(params);
        Some(times.lease + 2 * times.longest_pause() + params.request_timeout())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let elector = Rc::new(Elector::new(&context));
        CasObserved { elector, stop: Signal::default() }
    }
}

/// client-go's three times.
#[derive(Clone, Copy)]
struct Times {
    /// How long a record must not change before another takes over (`LeaseDuration`).
    lease: Duration,
    /// How long a leader tries to renew before it stops leading (`RenewDeadline`).
    renew_deadline: Duration,
    /// Between two tries (`RetryPeriod`).
    retry: Duration,
}

impl Times {
    fn of(params: &LockParams) -> Self {
        let lease = params.ttl();
        Self { lease, renew_deadline: lease * 10 / 15, retry: lease * 2 / 15 }
    }

    /// A candidate pauses up to 1.2 times as long again (`JitterFactor`).
    fn longest_pause(&self) -> Duration {
        self.retry + self.retry * 12 / 10
    }
}

/// What the key holds (`resourcelock.LeaderElectionRecord`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    /// Empty: nobody leads.
    holder_identity: String,
    lease_duration_ms: u64,
    /// In microseconds of the holder's calendar clock, like `MicroTime`.
    acquire_time_us: u64,
    renew_time_us: u64,
    leader_transitions: u64,
}

/// A candidate, which may be the leader.
struct Elector<E: Env> {
    env: E,
    client: Client<E>,
    key: Bytes,
    identity: String,
    times: Times,
    seen: RefCell<Seen>,
    renewals: Rc<Renewals>,
}

/// What a candidate has seen of the record.
#[derive(Default)]
struct Seen {
    record: Record,
    /// When it saw it for the first time.
    since: SteadyTime,
    /// The revision of its last change; 0: it was not there.
    revision: i64,
}

impl<E: Env> Elector<E> {
    fn new(context: &LockContext<E>) -> Self {
        let env = context.env.clone();
        Self {
            client: Client::new(env.clone(), &context.servers[0], context.params.request_timeout()),
            key: Bytes::copy_from_slice(context.key.as_bytes()),
            // client-go recommends the host's name and a random part.
            identity: format!("{:016x}", env.random()),
            times: Times::of(&context.params),
            seen: RefCell::default(),
            renewals: Renewals::new(Rc::clone(&context.on_renewal)),
            env,
        }
    }

    fn is_leader(&self) -> bool {
        self.seen.borrow().record.holder_identity == self.identity
    }

    /// Looks at the record, and writes its own if it may: it is the leader, or nobody is, or the leader's
    /// record has not changed for a whole lease (`tryAcquireOrRenew`). Whether it leads now.
    async fn try_to_lead(&self) -> Result<bool, CallError> {
        let now_us = self.env.wall().as_unix_nanos() / 1000;
        let mut record = Record {
            holder_identity: self.identity.clone(),
            lease_duration_ms: self.times.lease.as_millis() as u64,
            acquire_time_us: now_us,
            renew_time_us: now_us,
            leader_transitions: 0,
        };
        let now = self.env.steady();
        if let Some(old) = self.look().await? {
            let led_by_another = !old.holder_identity.is_empty() && !self.is_leader();
            if led_by_another && self.seen.borrow().since + self.times.lease > now {
                return Ok(false);
            }
            record.leader_transitions = old.leader_transitions;
            match self.is_leader() {
                true => record.acquire_time_us = old.acquire_time_us,
                false => record.leader_transitions += 1,
            }
        }
        self.write(record).await
    }

    /// Reads the record, and notes when it has changed.
    async fn look(&self) -> Result<Option<Record>, CallError> {
        let found = self.client.range(&request::get(&self.key)).await?;
        let mut seen = self.seen.borrow_mut();
        let Some(kv) = found.kvs.first() else {
            seen.revision = 0;
            return Ok(None);
        };
        // Whatever is no record is one that nobody leads with.
        let record: Record = serde_json::from_slice(&kv.value).unwrap_or_default();
        seen.revision = kv.mod_revision;
        if seen.record != record {
            seen.record = record.clone();
            seen.since = self.env.steady();
        }
        Ok(Some(record))
    }

    /// Writes the record if it is still the one that was seen last; whether it was.
    async fn write(&self, record: Record) -> Result<bool, CallError> {
        let text = serde_json::to_vec(&record).expect("a record is plain data");
        let condition = request::modified_at(&self.key, self.seen.borrow().revision);
        let put = Request::RequestPut(request::put(&self.key, text, 0));
        let response = self.client.txn(&request::txn(condition, [put], [])).await?;
        if response.succeeded {
            let (since, revision) = (self.env.steady(), revision(response.header));
            *self.seen.borrow_mut() = Seen { record, since, revision };
        }
        Ok(response.succeeded)
    }

    /// Renews until that fails for as long as the renew deadline (`renew`).
    async fn keep_leading(&self) {
        loop {
            let renewed = self.env.timeout(self.times.renew_deadline, self.renew()).await;
            if renewed.is_err() {
                return;
            }
            self.env.sleep(self.times.retry).await;
        }
    }

    async fn renew(&self) {
        loop {
            self.renewals.happened(Renewal::Sent);
            let tried = self.try_to_lead().await;
            self.renewals.happened(match tried {
                Ok(true) => Renewal::Done,
                Ok(false) => Renewal::Refused,
                Err(_) => Renewal::Unknown,
            });
            if tried == Ok(true) {
                return;
            }
            self.env.sleep(self.times.retry).await;
        }
    }
}

struct CasObserved<E: Env> {
    elector: Rc<Elector<E>>,
    /// Ends the renewing of the present grant.
    stop: Signal,
}

impl<E: Env> Lock for CasObserved<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let elector = &self.elector;
        // An error is only logged: the next try will see what became of this one.
        while elector.try_to_lead().await != Ok(true) {
            let Times { retry, .. } = elector.times;
            let thousandths = u32::try_from(elector.env.random() % 1201).unwrap_or_default();
            elector.env.sleep(retry + retry * thousandths / 1000).await;
        }
        elector.renewals.begin();
        let grant = Grant::default();
        self.stop = Signal::default();
        let (leader, lost, stop) = (Rc::clone(elector), grant.lost.clone(), self.stop.clone());
        elector.env.spawn(async move {
            if race(stop.wait(), leader.keep_leading()).await == Either::Right(()) {
                leader.renewals.end();
                lost.set();
            }
        });
        Ok(grant)
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        let found = self.elector.client.range(&request::get(&self.elector.key)).await?;
        let record = found.kvs.first().and_then(|kv| serde_json::from_slice::<Record>(&kv.value).ok());
        let mine = record.is_some_and(|record| record.holder_identity == self.elector.identity);
        Ok(mine && !grant.lost.is_set())
    }

    /// Writes a record without a holder, which anybody may take over at once (`ReleaseOnCancel`). A renewal
    /// that was on its way may have changed the record meanwhile; then it stays as it is, for a lease.
    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.stop.set();
        self.elector.renewals.end();
        if !self.elector.is_leader() {
            return Ok(false);
        }
        let leader_transitions = self.elector.seen.borrow().record.leader_transitions;
        let lease_duration_ms = self.elector.times.lease.as_millis() as u64;
        let record = Record { leader_transitions, lease_duration_ms, ..Record::default() };
        match self.elector.write(record).await? {
            true => Ok(true),
            false => Err(LockError::Definite("the record was changed meanwhile".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_times_are_those_of_client_go_in_proportion() {
        let params = LockParams { ttl_ms: 15_000, ..LockParams::default() };
        let times = Times::of(&params);
        assert_eq!(times.renew_deadline, Duration::from_secs(10));
        assert_eq!(times.retry, Duration::from_secs(2));
        assert_eq!(times.longest_pause(), Duration::from_millis(4400));
    }
}
