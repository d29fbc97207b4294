//! The executor: tasks, who is ready, and which of them goes first.

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
    ready: Arc<Mutex<Vec<TaskId>>>,
    /// Which of several ready tasks runs next.
    choice: Stream,
}

struct Slot {
    host: HostId,
    /// `None` while it is being polled, and after its end.
    program: Option<Program>,
    wakeup: Arc<Wakeup>,
    waker: Waker,
}

/// Puts a task on the list of ready ones, once. Wakers must be `Send`, so the list sits behind a
/// mutex; only one thread ever takes it.
struct Wakeup {
    task: TaskId,
    listed: AtomicBool,
    ready: Arc<Mutex<Vec<TaskId>>>,
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(self.task);
        }
    }
}

impl Tasks {
    pub(super) fn new(choice: Stream) -> Self {
        Self { slots: Vec::new(), ready: Arc::default(), choice }
    }

    pub(super) fn spawn(&mut self, host: HostId, program: Program) {
        let task = TaskId(self.slots.len() as u32);
        let wakeup = Arc::new(Wakeup {
            task,
            listed: AtomicBool::new(false),
            ready: Arc::clone(&self.ready),
        });
        let waker = Waker::from(Arc::clone(&wakeup));
        self.slots.push(Slot { host, program: Some(program), wakeup, waker });
        self.wake(task);
    }

    pub(super) fn wake(&self, task: TaskId) {
        self.slots[task.0 as usize].wakeup.wake_by_ref();
    }

    /// Takes one of the ready tasks, by chance.
    pub(super) fn take_ready(&mut self) -> Option<(TaskId, HostId)> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match ready.len() {
            0 => return None,
            1 => 0,
            many => self.choice.below(many as u64) as usize,
        };
        let task = ready.swap_remove(index);
        let slot = &self.slots[task.0 as usize];
        slot.wakeup.listed.store(false, Ordering::Relaxed);
        Some((task, slot.host))
    }

    /// Takes all programs of a host out; the caller drops them when nobody holds the world.
    #[must_use]
    pub(super) fn remove_all_of(&mut self, host: HostId) -> Vec<Program> {
        let of_host = self.slots.iter_mut().filter(|slot| slot.host == host);
        of_host.filter_map(|slot| slot.program.take()).collect()
    }
}

/// Lets a task run until it waits for something. `Err` with the text of its panic.
pub(super) fn poll(world: &RefCell<World>, task: TaskId) -> Result<(), String> {
    let (program, waker) = {
        let mut world = world.borrow_mut();
        let slot = &mut world.body.tasks.slots[task.0 as usize];
        (slot.program.take(), slot.waker.clone())
    };
    // A late wake of a task that has ended.
    let Some(mut program) = program else { return Ok(()) };
    world.borrow_mut().body.current = Some(task);
    let polled = catch_unwind(AssertUnwindSafe(|| {
        match program.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => Some(program),
            Poll::Ready(()) => None,
        }
    }));
    let mut world = world.borrow_mut();
    world.body.current = None;
    match polled {
        Ok(program) => {
            world.body.tasks.slots[task.0 as usize].program = program;
            Ok(())
        }
        Err(panic) => Err(panic_text(panic.as_ref())),
    }
}
