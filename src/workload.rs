//! What a client does with a lock, over and over: acquire, work on the guarded resource, release,
//! think.
//!
//! It knows no algorithm. Everything a checker may want to know is recorded here, in this order,
//! just before and just after each operation. A release that fails still ends the critical section:
//! the client has stopped believing.

use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::Env;
use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::recorder::Recorder;

use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Renewal};
use crate::plan::Plan;
use crate::resource::{Desk, Section};

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
        servers: Rc::from([store.address()]),
        key: Rc::from(store.lock_key()),
        fence_key: Rc::from(FENCE_KEY),
        params: plan.lock,
        on_renewal: Rc::new(move |renewal| record_renewal(&recorder, me, renewal)),
        env: env.clone(),
    });
    let locks = plan.contender.locks();

    let start_ms = workload.stagger_ms * u64::from(me.number.saturating_sub(1));
    env.sleep(Duration::from_millis(start_ms)).await;
    loop {
        if let Some(grant) = acquire(&desk, &mut lock, &plan.lock, locks).await {
            section.work(&desk, &mut lock, &grant).await;
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
) -> Option<Grant> {
    if !locks {
        return lock.acquire().await.ok();
    }
    desk.record(Kind::Invoke, Op::ACQUIRE);
    match lock.acquire().await {
        Ok(grant) => {
            let until = grant.deadline.map(|deadline| desk.recorder.true_time(desk.me, deadline));
            desk.record(Kind::Ok, Op::Acquire { token: grant.token, until });
            Some(grant)
        }
        Err(error) => {
            desk.failed(&error, Op::ACQUIRE);
            params.pause_before_retry(&desk.env).await;
            None
        }
    }
}

async fn release<E: Env, L: Lock>(desk: &Desk<E>, lock: &mut L, grant: Grant, locks: bool) {
    if !locks {
        return;
    }
    desk.record(Kind::Invoke, Op::Release);
    match lock.release(grant).await {
        Ok(true) => desk.record(Kind::Ok, Op::Release),
        Ok(false) => desk.record(Kind::Fail, Op::Release),
        Err(LockError::Definite(_)) => desk.record(Kind::Fail, Op::Release),
        Err(LockError::Indefinite(_)) => desk.record(Kind::Info, Op::Release),
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
