//! The executor's books: tasks, who is ready, and which of them goes first. What they run is in
//! `programs`.
//!
//! The engine itself wakes a task by its number. A [`Waker`] is needed only by futures that keep one
//! of their own making, and by tasks that wake each other; it must be `Send`, and what that takes
//! (atomics, a lock) would cost more than all the rest of a wake-up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use super::programs::Work;
use crate::cast::Program;
use crate::conditions::HostId;
use crate::seed::Stream;

/// A task's number; never used twice in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(pub(super) u32);

/// All tasks of a world.
pub(super) struct Tasks {
    slots: Vec<Slot>,
    /// What the latest of them are to run, until it is taken over by who runs it.
    pub(super) newborn: Vec<Work>,
    ready: Vec<TaskId>,
    calls: Arc<Calls>,
    /// Which of several ready tasks runs next.
    choice: Stream,
}

struct Slot {
    host: HostId,
    /// Whether it is among the ready ones.
    listed: bool,
    waker: Waker,
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
        Self {
            slots: Vec::new(),
            newborn: Vec::new(),
            ready: Vec::new(),
            calls: Arc::default(),
            choice,
        }
    }

    pub(super) fn spawn(&mut self, host: HostId, program: Program) {
        let task = TaskId(self.slots.len() as u32);
        let waker = Waker::from(Arc::new(Call { task, calls: Arc::clone(&self.calls) }));
        self.newborn.push(Work { program, waker: waker.clone() });
        self.slots.push(Slot { host, listed: false, waker });
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

    /// The tasks of a host, those that have ended among them.
    pub(super) fn of(&self, host: HostId) -> impl Iterator<Item = TaskId> {
        let slots = self.slots.iter().zip(0..);
        slots.filter(move |(slot, _)| slot.host == host).map(|(_, task)| TaskId(task))
    }
}
