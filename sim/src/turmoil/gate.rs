//! What stops a paused program: turmoil itself knows no pause.
//!
//! Two gates. One around every task, so that nothing of a frozen host is polled. One before every
//! step, because a pause may fall in the middle of a poll, between a check and the write after it.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::time::Sleep;

use super::env::TurmoilEnv;
use super::world::World;
use crate::cast::Program;
use crate::conditions::HostId;
use crate::fault::StepKind;
use crate::panic::panic_text;
use crate::time::SimTime;
use crate::trace;

/// A task that is polled only while its host may run.
pub(super) struct Gated {
    world: Rc<RefCell<World>>,
    host: HostId,
    /// `None` after a panic, which ends the run.
    program: Option<Program>,
}

impl Gated {
    pub(super) fn new(env: &TurmoilEnv, program: Program) -> Self {
        Self { world: Rc::clone(&env.world), host: env.host, program: Some(program) }
    }
}

impl Future for Gated {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        {
            let body = &mut this.world.borrow_mut().body;
            if !body.count_poll(this.host) {
                return Poll::Pending;
            }
            if !body.conditions.runs(this.host) {
                body.freeze(this.host, cx.waker());
                return Poll::Pending;
            }
            trace::enter(body.now(), body.conditions.name(this.host));
        }
        let Some(program) = &mut this.program else { return Poll::Pending };
        let polled = catch_unwind(AssertUnwindSafe(|| program.as_mut().poll(cx)));
        trace::leave();
        match polled {
            Ok(polled) => polled,
            Err(panic) => {
                this.program = None;
                this.world.borrow_mut().body.panicked(this.host, panic_text(panic.as_ref()));
                Poll::Pending
            }
        }
    }
}

/// The gate before a step. It remembers whether the step was counted already and from when it may
/// happen: a task that had to wait asks again, and must not be counted twice.
#[derive(Default)]
pub(super) struct Gate {
    counted: Option<SimTime>,
    delay: Option<Pin<Box<Sleep>>>,
}

impl Gate {
    /// The process of `env`'s host is about to take a step; `Pending` if it must wait.
    pub(super) fn pass(
        &mut self,
        env: &TurmoilEnv,
        kind: StepKind,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let world = &mut *env.world.borrow_mut();
        if world.body.is_down(env.host) {
            return Poll::Pending;
        }
        let from = match self.counted {
            Some(from) => from,
            None => *self.counted.insert(world.count_step(env.host, kind)),
        };
        if !world.body.conditions.runs(env.host) {
            world.body.freeze(env.host, cx.waker());
            return Poll::Pending;
        }
        let now = world.body.now();
        if from > now {
            let delay = self.delay.get_or_insert_with(|| Box::pin(sleep(from, now)));
            ready!(delay.as_mut().poll(cx));
        }
        *self = Gate::default();
        Poll::Ready(())
    }
}

/// A sleep of true time.
#[expect(clippy::disallowed_methods, reason = "this is what Env::sleep is made of here")]
pub(super) fn sleep(until: SimTime, now: SimTime) -> Sleep {
    tokio::time::sleep(until.since(now))
}
