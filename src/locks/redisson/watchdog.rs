//! The watchdog: one timer of a client for all its locks, which prolongs what is held every third of a lease.
//!
//! Source: redisson/redisson, `renewal/RenewalTask.java`, `LockTask.java`, `LockEntry.java`. The timer runs
//! from the first lock that is taken, so a later one is first prolonged after anything up to a period. One
//! that was started is not stopped when the last lock is given back; it looks when it goes off, and goes on
//! if anything is held again by then, beside the one that was started for that. A name that the server does
//! not find is dropped, a renewal without an answer is logged and tried again with the next period: in
//! neither case is the holder told.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use picklock_models::redis::Reply;
use picklock_sim::env::Env;

use super::{Call, run};
use crate::client::redisson::{Redisson, Resend};
use crate::lock::{LockContext, Renewal};

/// See the module.
pub(in super::super) struct Watchdog<E: Env> {
    env: E,
    client: Redisson<E>,
    /// Between two renewals; a third of the lease unless the plan says otherwise.
    period: Duration,
    call: Call,
    on_renewal: Rc<dyn Fn(Renewal)>,
    /// How many holds it knows of.
    holds: Cell<u32>,
    running: Cell<bool>,
    /// A renewal is on its way that the history knows of. Of two at once it is told of one.
    told: Cell<bool>,
}

impl<E: Env> Watchdog<E> {
    pub(in super::super) fn new(
        context: &LockContext<E>,
        client: Redisson<E>,
        call: Call,
    ) -> Rc<Self> {
        let period = match context.params.renew_every_ms {
            Some(ms) => Duration::from_millis(ms),
            None => context.params.ttl() / 3,
        };
        Rc::new(Self {
            env: context.env.clone(),
            client,
            period,
            call,
            on_renewal: Rc::clone(&context.on_renewal),
            holds: Cell::new(0),
            running: Cell::new(false),
            told: Cell::new(false),
        })
    }

    /// One more hold (`RenewalTask.add`).
    pub(in super::super) fn add(self: &Rc<Self>) {
        let holds = self.holds.get();
        self.holds.set(holds + 1);
        if holds == 0 && !self.running.replace(true) {
            self.env.spawn(Rc::clone(self).keep_going_off());
        }
    }

    /// One hold less (`RenewalTask.cancelExpirationRenewal`); it may know of none.
    pub(in super::super) fn remove(&self) {
        self.holds.set(self.holds.get().saturating_sub(1));
        if self.holds.get() == 0 {
            self.running.set(false);
        }
    }

    async fn keep_going_off(self: Rc<Self>) {
        loop {
            self.env.sleep(self.period).await;
            if self.holds.get() > 0 {
                self.renew().await;
            }
            if !self.running.get() {
                return;
            }
        }
    }

    async fn renew(&self) {
        let tells = !self.told.replace(true);
        if tells {
            (self.on_renewal)(Renewal::Sent);
        }
        let renewal = match run(&self.client, Resend::Allowed, &self.call).await {
            Ok(Reply::Integer(1)) => Renewal::Done,
            Ok(_) => {
                self.remove();
                Renewal::Refused
            }
            Err(_) => Renewal::Unknown,
        };
        if tells {
            self.told.set(false);
            (self.on_renewal)(renewal);
        }
    }
}
