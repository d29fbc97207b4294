//! The only writer of a history.
//!
//! Programs hold a handle; the engine behind it stamps true time, keeps the order, feeds the digest
//! and lets faults that wait for an event strike at once.

use std::cell::RefCell;
use std::rc::Rc;

use picklock_models::time::SteadyTime;

use crate::conditions::Conditions;
use crate::history::{Kind, Op};
use crate::host::HostName;
use crate::time::SimTime;

/// Where recorded events go: an engine.
pub trait Sink {
    /// Takes an event. Events of a process that is down are dropped: it cannot have done anything.
    fn record(&self, process: HostName, kind: Kind, op: Op);

    /// When this host's steady clock will show `local`, if it runs on as it does now.
    fn true_time(&self, host: HostName, local: SteadyTime) -> SimTime;
}

/// A simulated world, as the recorder needs it; behind a cell it is a [`Sink`].
pub(crate) trait Witness {
    /// Takes an event.
    fn record(&mut self, process: HostName, kind: Kind, op: Op);
    /// True time.
    fn now(&self) -> SimTime;
    /// The state of the world.
    fn conditions(&self) -> &Conditions;
}

impl<W: Witness> Sink for RefCell<W> {
    fn record(&self, process: HostName, kind: Kind, op: Op) {
        self.borrow_mut().record(process, kind, op);
    }

    fn true_time(&self, host: HostName, local: SteadyTime) -> SimTime {
        let world = self.borrow();
        let conditions = world.conditions();
        let clock = conditions.id(host).map(|id| &conditions.host(id).clock);
        let at = clock.and_then(|clock| clock.when_steady(local, world.now()));
        // A clock that stands still never gets there.
        at.unwrap_or(SimTime::from_nanos(u64::MAX))
    }
}

/// A handle to the history of a run.
#[derive(Clone)]
pub struct Recorder {
    sink: Rc<dyn Sink>,
}

impl Recorder {
    /// A recorder that writes into `sink`.
    pub fn new(sink: Rc<dyn Sink>) -> Self {
        Self { sink }
    }

    /// Records an event of `process`, now.
    pub fn record(&self, process: HostName, kind: Kind, op: Op) {
        self.sink.record(process, kind, op);
    }

    /// True time at which this host's steady clock will show `local`: for the record only, so that
    /// a checker knows when a client stops believing.
    pub fn true_time(&self, host: HostName, local: SteadyTime) -> SimTime {
        self.sink.true_time(host, local)
    }
}
