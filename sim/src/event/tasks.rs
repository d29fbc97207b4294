//! The executor: tasks, who is ready, and which of them goes first.
//!
//! The engine itself wakes a task by its number. A [`Waker`] is needed only by futures that keep one
//! of their own making, and by tasks that wake each other; it must be `Send`, and what that takes
//! (atomics, a lock) would cost more than all the rest of a wake-up.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::world::World;
use crate::cast::Program;
use crate::conditions::HostId;
use crate::panic::panic_text;
use crate::seed::Stream;

/// A task's number; never used twice in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(u32);

/// All tasks of a world.
pub(super) struct Tasks {
    slots: Vec<Slot>,
    ready: Vec<TaskId>,
    calls: Arc<Calls>,
    /// Which of several ready tasks runs next.
    choice: Stream,
}

struct Slot {
    host: HostId,
    /// Whether it is among the ready ones.
    listed: bool,
    /// `None` while it is being polled, and after its end.
    work: Option<Work>,
    waker: Waker,
}

/// What is polled: moved out of the world for as long as that takes.
struct Work {
    program: Program,
    /// A second one, so that a poll need not count references.
    waker: Waker,
}

/// A task that the engine is to run.
pub(super) struct Turn {
    pub(super) task: TaskId,
    pub(super) host: HostId,
    work: Work,
}

/// Whom an event will concern.
pub(super) enum Interest {
    /// The task that asked, by way of its own waker.
    Task(TaskId),
    /// A future within it that keeps a waker of its own.
    Other(Waker),
}

/// Tasks that were woken through a [`Waker`].
#[derive(Default)]
struct Calls {
    any: AtomicBool,
    woken: Mutex<Vec<TaskId>>,
}

struct Call {
    task: TaskId,
    calls: Arc<Calls>,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.calls.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.task);
        self.calls.any.store(true, Ordering::Release);
    }
}

impl Tasks {
    pub(super) fn new(choice: Stream) -> Self {
        Self { slots: Vec::new(), ready: Vec::new(), calls: Arc::default(), choice }
    }

    pub(super) fn spawn(&mut self, host: HostId, program: Program) {
        let task = TaskId(self.slots.len() as u32);
        let waker = Waker::from(Arc::new(Call { task, calls: Arc::clone(&self.calls) }));
        let work = Some(Work { program, waker: waker.clone() });
        self.slots.push(Slot { host, listed: false, work, waker });
        self.wake(task);
    }

    #[inline]
    pub(super) fn wake(&mut self, task: TaskId) {
        let slot = &mut self.slots[task.0 as usize];
        if !slot.listed {
            slot.listed = true;
            self.ready.push(task);
        }
    }

    /// What is remembered of `current`, which asks with `waker` to be told of something.
    #[inline]
    pub(super) fn interest(&self, current: Option<TaskId>, waker: &Waker) -> Interest {
        match current {
            Some(task) if self.slots[task.0 as usize].waker.will_wake(waker) => {
                Interest::Task(task)
            }
            _ => Interest::Other(waker.clone()),
        }
    }

    /// What somebody was interested in has happened.
    #[inline]
    pub(super) fn tell(&mut self, interest: Interest) {
        match interest {
            Interest::Task(task) => self.wake(task),
            Interest::Other(waker) => waker.wake(),
        }
    }

    #[inline]
    pub(super) fn nobody_is_ready(&self) -> bool {
        self.ready.is_empty() && !self.calls.any.load(Ordering::Acquire)
    }

    /// Takes one of the ready tasks, by chance.
    #[inline]
    pub(super) fn take_ready(&mut self) -> Option<(TaskId, HostId)> {
        if self.calls.any.load(Ordering::Acquire) {
            self.answer_calls();
        }
        let index = match self.ready.len() {
            0 => return None,
            1 => 0,
            many => self.choice.below(many as u64) as usize,
        };
        let task = self.ready.swap_remove(index);
        let slot = &mut self.slots[task.0 as usize];
        slot.listed = false;
        Some((task, slot.host))
    }

    fn answer_calls(&mut self) {
        self.calls.any.store(false, Ordering::Relaxed);
        let calls = Arc::clone(&self.calls);
        let mut woken = calls.woken.lock().unwrap_or_else(PoisonError::into_inner);
        for task in woken.drain(..) {
            self.wake(task);
        }
    }

    /// What a task has to do; `None` for a late wake of one that has ended.
    #[inline]
    pub(super) fn take_work(&mut self, task: TaskId) -> Option<Turn> {
        let slot = &mut self.slots[task.0 as usize];
        let work = slot.work.take()?;
        Some(Turn { task, host: slot.host, work })
    }

    /// Takes all programs of a host out; the caller drops them when nobody holds the world.
    #[must_use]
    pub(super) fn remove_all_of(&mut self, host: HostId) -> Vec<Program> {
        let of_host = self.slots.iter_mut().filter(|slot| slot.host == host);
        of_host.filter_map(|slot| Some(slot.work.take()?.program)).collect()
    }
}

/// Lets a task run until it waits for something. `Err` with the text of its panic.
pub(super) fn poll(world: &RefCell<World>, turn: Turn) -> Result<(), String> {
    let Turn { task, mut work, .. } = turn;
    let polled = catch_unwind(AssertUnwindSafe(|| {
        work.program.as_mut().poll(&mut Context::from_waker(&work.waker))
    }));
    match polled {
        Ok(Poll::Pending) => {
            let body = &mut world.borrow_mut().body;
            body.current = None;
            body.tasks.slots[task.0 as usize].work = Some(work);
            Ok(())
        }
        Ok(Poll::Ready(())) => {
            // What it drops may still call back, as the task that it is.
            drop(work);
            world.borrow_mut().body.current = None;
            Ok(())
        }
        Err(panic) => {
            world.borrow_mut().body.current = None;
            Err(panic_text(panic.as_ref()))
        }
    }
}
