//! What a client does with a lock, over and over: acquire, work on the guarded resource, release,
//! think.
//!
//! It knows no algorithm. Everything a checker may want to know is recorded here, in this order,
//! just before and just after each operation. A release that fails still ends the critical section:
//! the client has stopped believing.
//!
//! Where a plan asks for it, holders acquire the lock again, several deep, and give back what they acquired
//! last before they work: a lock that is then free too early is one that others work under. And some sections
//! share the lock, and only read.

use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::Env;
use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::recorder::Recorder;

use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Renewal};
use crate::plan::Plan;
use crate::resource::{Desk, Done, Section};

/// The record that fencing tokens are counted in.
pub const FENCE_KEY: &str = "fence";

/// One client, from its start to the end of the run.
pub async fn run_client<A: Algorithm, E: Env>(
    plan: Rc<Plan>,
    me: HostName,
    env: E,
    recorder: Recorder,
) {
    let workload = plan.workload;
    let store = plan.contender.store;
    let servers = plan.lock_servers().into_iter().map(|server| store.address_of(server));
    let desk = Desk {
        env: env.clone(),
        me,
        recorder: recorder.clone(),
        workload: workload.kind,
        hold: Duration::from_millis(workload.hold_ms),
    };
    let time_limit = plan.lock.request_timeout();
    let mut section = Section::new(plan.contender.resource, &env, time_limit);
    let mut lock = A::client(LockContext {
        servers: servers.collect(),
        key: Rc::from(store.lock_key()),
        fence_key: Rc::from(FENCE_KEY),
        params: plan.lock,
        on_renewal: Rc::new(move |renewal| record_renewal(&recorder, me, renewal)),
        env: env.clone(),
    });
    let locks = plan.contender.locks();

    let start_ms = workload.stagger_ms * u64::from(me.number.saturating_sub(1));
    env.sleep(Duration::from_millis(start_ms)).await;
    for number in 1_u64.. {
        // Every so many-th; none where the plan says 0.
        let shared = number.checked_rem(workload.shared_every.into()) == Some(0);
        if let Some(grant) = acquire(&desk, &mut lock, &plan.lock, locks, shared).await {
            if enter_again(&desk, &mut lock, shared, workload.reentries).await.is_ok() {
                match shared {
                    true => section.look(&desk, &grant).await,
                    false => section.work(&desk, &mut lock, &grant).await,
                };
            }
            release(&desk, &mut lock, grant, locks).await;
        }
        env.sleep(Duration::from_millis(workload.think_ms)).await;
    }
}

async fn acquire<E: Env, L: Lock>(
    desk: &Desk<E>,
    lock: &mut L,
    params: &LockParams,
    locks: bool,
    shared: bool,
) -> Option<Grant> {
    if !locks {
        return lock.acquire().await.ok();
    }
    let op = if shared { Op::ACQUIRE_SHARED } else { Op::ACQUIRE };
    desk.record(Kind::Invoke, op);
    match ask(lock, shared).await {
        Ok(grant) => {
            let until = grant.deadline.map(|deadline| desk.recorder.true_time(desk.me, deadline));
            desk.record(Kind::Ok, Op::Acquire { token: grant.token, until, shared });
            Some(grant)
        }
        Err(error) => {
            desk.failed(&error, op);
            params.pause_before_retry(&desk.env).await;
            None
        }
    }
}

async fn ask<L: Lock>(lock: &mut L, shared: bool) -> Result<Grant, LockError> {
    if shared { lock.acquire_shared().await } else { lock.acquire().await }
}

/// Acquires the lock again so many times, and gives back what that granted. Who is not granted it gives up.
async fn enter_again<E: Env, L: Lock>(
    desk: &Desk<E>,
    lock: &mut L,
    shared: bool,
    times: u16,
) -> Result<(), Done> {
    let mut inner = Vec::new();
    let mut entered = Ok(());
    for _ in 0..times {
        desk.record(Kind::Invoke, Op::Reenter);
        match ask(lock, shared).await {
            Ok(grant) => {
                desk.record(Kind::Ok, Op::Reenter);
                inner.push(grant);
            }
            Err(error) => {
                entered = Err(desk.failed(&error, Op::Reenter));
                break;
            }
        }
    }
    while let Some(grant) = inner.pop() {
        give_back(desk, lock, grant, Op::Leave).await;
    }
    entered
}

async fn release<E: Env, L: Lock>(desk: &Desk<E>, lock: &mut L, grant: Grant, locks: bool) {
    if locks {
        give_back(desk, lock, grant, Op::Release).await;
    }
}

async fn give_back<E: Env, L: Lock>(desk: &Desk<E>, lock: &mut L, grant: Grant, op: Op) {
    desk.record(Kind::Invoke, op);
    match lock.release(grant).await {
        Ok(true) => desk.record(Kind::Ok, op),
        Ok(false) => desk.record(Kind::Fail, op),
        Err(LockError::Definite(_)) => desk.record(Kind::Fail, op),
        Err(LockError::Indefinite(_)) => desk.record(Kind::Info, op),
    }
}

fn record_renewal(recorder: &Recorder, me: HostName, renewal: Renewal) {
    let kind = match renewal {
        Renewal::Sent => Kind::Invoke,
        Renewal::Done => Kind::Ok,
        Renewal::Refused => Kind::Fail,
        Renewal::Unknown => Kind::Info,
    };
    recorder.record(me, kind, Op::RENEW);
}
