//! What tasks run. Apart from the world, which has to be free while one of them is polled; so a
//! program stays where it is, and nothing is moved back and forth for a poll.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use super::tasks::TaskId;
use crate::cast::Program;
use crate::panic::panic_text;

/// The programs of a world, by their tasks' numbers; `None` for those that have ended.
#[derive(Default)]
pub(super) struct Programs {
    all: Vec<Option<Work>>,
}

/// What is polled.
pub(super) struct Work {
    pub(super) program: Program,
    /// The task's own, so that a poll need not count references.
    pub(super) waker: Waker,
}

impl Programs {
    /// Takes over the programs of the latest tasks.
    #[inline]
    pub(super) fn take_over(&mut self, newborn: &mut Vec<Work>) {
        if !newborn.is_empty() {
            self.all.extend(newborn.drain(..).map(Some));
        }
    }

    /// Lets a program run until it waits for something; whether there was one (a task may be woken
    /// after its end). `Err` with the text of its panic.
    pub(super) fn poll(&mut self, task: TaskId) -> Result<bool, String> {
        let slot = &mut self.all[task.0 as usize];
        let Some(work) = slot else { return Ok(false) };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            work.program.as_mut().poll(&mut Context::from_waker(&work.waker))
        }));
        match polled {
            Ok(Poll::Pending) => {}
            // What it drops may still call back, as the task that it is.
            Ok(Poll::Ready(())) => *slot = None,
            Err(panic) => return Err(panic_text(panic.as_ref())),
        }
        Ok(true)
    }

    /// Drops programs. What they drop may call back into the world, so nobody may have it in hands.
    pub(super) fn end(&mut self, tasks: impl IntoIterator<Item = TaskId>) {
        for task in tasks {
            self.all[task.0 as usize] = None;
        }
    }
}
