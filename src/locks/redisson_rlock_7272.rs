//! R7 as a program uses it that interrupts its waiters: the watchdog can outlive the lock.
//!
//! Source: redisson#7272. What sets the watchdog is a callback of the attempt's own
//! (`RedissonLock.tryAcquireAsync`), and an interrupt of the thread that waits for the answer
//! (`lockInterruptibly`) does not stop it: the answer comes, the watchdog is set, and nobody knows of a hold.
//! The program asks again, which is one hold more, and gives one back.

use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::Env;
use picklock_sim::signal::Signal;

use super::redisson::{Answer, Side, recovery_bound};
use super::redisson_rlock::Plain;
use crate::group::Group;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R7 with interrupted waiters.
pub struct RedissonRLock7272;

impl Algorithm for RedissonRLock7272 {
    const NAME: &'static str = "redisson-rlock-7272";
    const ABOUT: &'static str = "R7 in a program that interrupts who waits for an answer: its watchdog stays";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers, Claim::Reentrant];
    const GROUP: Group = Group::Redisson;
    const REENTRANT: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Interrupted { side: Rc::new(Side::new(context, Plain)) }
    }
}

struct Interrupted<E: Env> {
    side: Rc<Side<E, Plain>>,
}

impl<E: Env> Lock for Interrupted<E> {
    /// The program interrupts the thread when half of the time for a reply is over: sooner than the library
    /// itself would give up.
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let env = self.side.context.env.clone();
        let patience = self.side.context.params.request_timeout() / 2;
        loop {
            let answered = Signal::default();
            let answer = Rc::default();
            env.spawn(attempt(Rc::clone(&self.side), Rc::clone(&answer), answered.clone()));
            if env.timeout(patience, answered.wait()).await.is_err() {
                return Err(LockError::Indefinite("interrupted".to_owned()));
            }
            let answer: Option<Result<Answer, LockError>> = answer.take();
            if let Answer::Granted { .. } = answer.expect("it was answered")? {
                return Ok(Grant::default());
            }
            self.side.context.params.pause_before_retry(&env).await;
        }
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        self.side.holds().await
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.side.release().await
    }
}

/// One attempt, which takes its course whoever still waits for it.
async fn attempt<E: Env>(
    side: Rc<Side<E, Plain>>,
    answer: Rc<std::cell::RefCell<Option<Result<Answer, LockError>>>>,
    answered: Signal,
) {
    let result = side.attempt().await;
    answer.replace(Some(result));
    answered.set();
}
