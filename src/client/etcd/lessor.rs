//! Keeps leases alive, all of a client's on one stream (`client/v3/lease.go`).
//!
//! Three loops, as there: one sends what is due, one takes the answers and opens the stream again when it
//! breaks, one looks once a second for leases that were not answered for too long. So whoever holds a lease
//! hears of its loss late: an answer counts from when it *arrived*, and the look-out may come up to a second
//! after the time is up.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use picklock_models::etcd::pb::etcdserverpb::{LeaseKeepAliveRequest, LeaseKeepAliveResponse};
use picklock_models::etcd::rpc::Method;
use picklock_models::time::SteadyTime;
use picklock_sim::env::{Either, Env, race};
use picklock_sim::signal::Signal;

use super::CallError;
use super::call::{Answers, Kind, Requests, Told, decode};
use super::channel::Channel;
use crate::lock::Renewal;

/// How long the first answer may take, whatever the lease (`defaultTTL`, for a client without a
/// `DialTimeout` of its own).
const FIRST_ANSWER: Duration = Duration::from_secs(5);
/// Between two looks at what is due, and before a stream that broke is opened again (`retryConnWait`).
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks for what is overdue (`deadlineLoop`).
const LOOK_OUT: Duration = Duration::from_secs(1);

/// Is told what becomes of the renewals of a lease.
pub type OnRenewal = Rc<dyn Fn(Renewal)>;

/// See the module. Clones share it.
pub(super) struct Lessor<E> {
    shared: Rc<Shared<E>>,
}

impl<E> Clone for Lessor<E> {
    fn clone(&self) -> Self {
        Self { shared: Rc::clone(&self.shared) }
    }
}

struct Shared<E> {
    env: E,
    channel: Channel<E>,
    leases: RefCell<BTreeMap<i64, KeepAlive>>,
    started: Cell<bool>,
}

struct KeepAlive {
    /// When it is sent again.
    next: SteadyTime,
    /// When it is given up without an answer.
    deadline: SteadyTime,
    /// Set when it is over.
    done: Signal,
    on_renewal: OnRenewal,
    /// A renewal was sent and not answered.
    in_flight: bool,
}

impl KeepAlive {
    fn sent(&mut self) {
        self.unanswered();
        self.in_flight = true;
        (self.on_renewal)(Renewal::Sent);
    }

    fn unanswered(&mut self) {
        self.answered(Renewal::Unknown);
    }

    fn answered(&mut self, renewal: Renewal) {
        if std::mem::take(&mut self.in_flight) {
            (self.on_renewal)(renewal);
        }
    }
}

impl<E: Env> Lessor<E> {
    pub(super) fn new(env: E, channel: Channel<E>) -> Self {
        let (leases, started) = (RefCell::default(), Cell::new(false));
        Self { shared: Rc::new(Shared { env, channel, leases, started }) }
    }

    /// Keeps a lease alive from now on; the signal is set when that is over.
    pub(super) fn keep_alive(&self, lease: i64, on_renewal: OnRenewal) -> Signal {
        let done = Signal::default();
        let now = self.shared.env.steady();
        let keep_alive = KeepAlive {
            next: now,
            deadline: now + FIRST_ANSWER,
            done: done.clone(),
            on_renewal,
            in_flight: false,
        };
        self.shared.leases.borrow_mut().insert(lease, keep_alive);
        if !self.shared.started.replace(true) {
            self.shared.env.spawn(receive(Rc::clone(&self.shared)));
            self.shared.env.spawn(look_out(Rc::clone(&self.shared)));
        }
        done
    }

    /// Keeps a lease alive no longer.
    pub(super) fn forget(&self, lease: i64) {
        self.shared.end(lease, Renewal::Unknown);
    }
}

impl<E: Env> Shared<E> {
    fn end(&self, lease: i64, renewal: Renewal) {
        let over = self.leases.borrow_mut().remove(&lease);
        if let Some(mut over) = over {
            over.answered(renewal);
            over.done.set();
        }
    }

    fn take(&self, told: &LeaseKeepAliveResponse) {
        let Ok(ttl_s) = u64::try_from(told.ttl) else { return self.end(told.id, Renewal::Refused) };
        if ttl_s == 0 {
            return self.end(told.id, Renewal::Refused);
        }
        if let Some(keep_alive) = self.leases.borrow_mut().get_mut(&told.id) {
            let (now, ttl) = (self.env.steady(), Duration::from_secs(ttl_s));
            keep_alive.next = now + ttl / 3;
            keep_alive.deadline = now + ttl;
            keep_alive.answered(Renewal::Done);
        }
    }

    fn broken(&self, error: &CallError) {
        tracing::debug!(%error, "the stream of keep-alives broke");
        self.leases.borrow_mut().values_mut().for_each(KeepAlive::unanswered);
    }
}

/// Opens the stream again and again, and takes what comes (`recvKeepAliveLoop`).
async fn receive<E: Env>(shared: Rc<Shared<E>>) {
    loop {
        match shared.channel.open(Method::LeaseKeepAlive, Kind::StreamWithLeader).await {
            Ok((requests, answers)) => {
                let ended = Signal::default();
                shared.env.spawn(send(Rc::clone(&shared), requests, ended.clone()));
                let error = take_all(&shared, answers).await;
                ended.set();
                shared.broken(&error);
            }
            Err(error) => shared.broken(&error),
        }
        shared.env.sleep(PAUSE).await;
    }
}

async fn take_all<E: Env>(shared: &Shared<E>, mut answers: Answers) -> CallError {
    loop {
        let told = match answers.next().await {
            Ok(Told::Message(bytes)) => decode(bytes),
            Ok(Told::End(status)) => return CallError::Refused(status),
            Err(error) => return error,
        };
        match told {
            Ok(told) => shared.take(&told),
            Err(error) => return error,
        }
    }
}

/// Sends what is due until the stream ends (`sendKeepAliveLoop`).
async fn send<E: Env>(shared: Rc<Shared<E>>, mut requests: Requests, ended: Signal) {
    loop {
        let now = shared.env.steady();
        for (&id, keep_alive) in shared.leases.borrow_mut().iter_mut() {
            if keep_alive.next > now {
                continue;
            }
            keep_alive.sent();
            if requests.send(&LeaseKeepAliveRequest { id }).is_err() {
                return keep_alive.unanswered();
            }
        }
        if race(ended.wait(), shared.env.sleep(PAUSE)).await == Either::Left(()) {
            return;
        }
    }
}

/// Gives up what was not answered in time (`deadlineLoop`).
async fn look_out<E: Env>(shared: Rc<Shared<E>>) {
    loop {
        shared.env.sleep(LOOK_OUT).await;
        let now = shared.env.steady();
        let overdue: Vec<i64> = {
            let leases = shared.leases.borrow();
            let overdue = leases.iter().filter(|(_, keep_alive)| keep_alive.deadline < now);
            overdue.map(|(&id, _)| id).collect()
        };
        for id in overdue {
            shared.end(id, Renewal::Unknown);
        }
    }
}
