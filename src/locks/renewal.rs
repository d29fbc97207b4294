//! A task that keeps a lease alive while its holder works, and tells the holder when it cannot.
//!
//! How a lease is prolonged is the lock's; when, and what follows from the answer, is here.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use picklock_models::time::SteadyTime;
use picklock_sim::env::{Either, Env, race};
use picklock_sim::signal::Signal;

use crate::lock::{LockContext, Renewal};

/// When a lease is renewed, and what for.
pub(super) struct Renewing {
    /// Between two renewals.
    pub(super) every: Duration,
    /// How long after it was asked for a renewed lease surely lasts.
    pub(super) lease: Duration,
    /// The most renewals of one grant; left out: as many as it takes.
    pub(super) at_most: Option<u32>,
    /// Until when the lease surely lasts; each renewal moves it.
    pub(super) until: Rc<Cell<SteadyTime>>,
}

/// Starts a task that renews by `renew` until the returned signal is set, or until the lock turns out to be
/// another's or the lease to be over, and then sets `lost`.
pub(super) fn keep<E: Env>(
    context: &LockContext<E>,
    rules: Renewing,
    lost: Signal,
    renew: impl AsyncFnMut() -> Renewal + 'static,
) -> Signal {
    let stop = Signal::default();
    context.env.spawn(watch(context.clone(), rules, lost, stop.clone(), renew));
    stop
}

async fn watch<E: Env>(
    context: LockContext<E>,
    rules: Renewing,
    lost: Signal,
    stop: Signal,
    renew: impl AsyncFnMut() -> Renewal,
) {
    let in_flight = Cell::new(false);
    // A release that comes meanwhile must not be followed by a late complaint.
    match race(stop.wait(), keep_renewing(&context, rules, &in_flight, renew)).await {
        Either::Left(()) if in_flight.get() => (context.on_renewal)(Renewal::Unknown),
        Either::Left(()) => {}
        Either::Right(()) => lost.set(),
    }
}

/// Renews until the lock turns out to be another's, or until a whole lease has passed by this
/// host's clock without a renewal.
async fn keep_renewing<E: Env>(
    context: &LockContext<E>,
    rules: Renewing,
    in_flight: &Cell<bool>,
    mut renew: impl AsyncFnMut() -> Renewal,
) {
    let env = &context.env;
    let Renewing { every, lease, at_most, until } = rules;
    for _ in 0..at_most.unwrap_or(u32::MAX) {
        env.sleep(every.min(until.get().since(env.steady()))).await;
        let sent_at = env.steady();
        let left = until.get().since(sent_at);
        (context.on_renewal)(Renewal::Sent);
        in_flight.set(true);
        let renewal = env.timeout(left, renew()).await.unwrap_or(Renewal::Unknown);
        in_flight.set(false);
        (context.on_renewal)(renewal);
        match renewal {
            Renewal::Done => until.set(sent_at + lease),
            Renewal::Refused => return,
            _ if env.steady() >= until.get() => return,
            // Tried again when it is time for the next one.
            _ => {}
        }
    }
    env.sleep(until.get().since(env.steady())).await;
}

/// Tells of renewals while a grant is held: each that was sent is answered once, before the grant ends.
pub(super) struct Renewals {
    tell: Rc<dyn Fn(Renewal)>,
    held: Cell<bool>,
    open: Cell<bool>,
}

impl Renewals {
    pub(super) fn new(tell: Rc<dyn Fn(Renewal)>) -> Rc<Self> {
        Rc::new(Self { tell, held: Cell::new(false), open: Cell::new(false) })
    }

    pub(super) fn begin(&self) {
        self.held.set(true);
    }

    pub(super) fn end(&self) {
        // An answer that comes after the release is nobody's any more.
        self.happened(Renewal::Unknown);
        self.held.set(false);
    }

    pub(super) fn happened(&self, renewal: Renewal) {
        let sent = renewal == Renewal::Sent;
        // One that was sent before the grant is not told of, nor is its answer.
        if self.held.get() && (sent || self.open.get()) {
            self.open.set(sent);
            (self.tell)(renewal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn renewals_are_told_in_pairs_and_only_while_the_lock_is_held() {
        let told = Rc::new(RefCell::new(Vec::new()));
        let teller = Rc::clone(&told);
        let renewals = Renewals::new(Rc::new(move |renewal| teller.borrow_mut().push(renewal)));
        renewals.happened(Renewal::Sent);
        renewals.begin();
        renewals.happened(Renewal::Done);
        assert!(told.take().is_empty(), "it was sent before the grant");
        renewals.happened(Renewal::Sent);
        renewals.happened(Renewal::Done);
        renewals.happened(Renewal::Sent);
        renewals.end();
        renewals.happened(Renewal::Refused);
        let pairs = [Renewal::Sent, Renewal::Done, Renewal::Sent, Renewal::Unknown];
        assert_eq!(told.take(), pairs);
    }
}
