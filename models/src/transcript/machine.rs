//! The model that a transcript is played on, with its clocks, and whoever gets between it and the world.

use super::clocks::{Clocks, Due};
use super::{Caller, Tamper};
use crate::model::{Model, Outbox, SessionId};
use crate::time::HostTime;

/// A server, but for its connections, which are each store's own.
pub(super) struct Machine<'a, M: Model> {
    pub(super) model: M,
    pub(super) clocks: Clocks,
    tamper: &'a mut dyn Tamper<M>,
}

impl<'a, M: Model> Machine<'a, M> {
    pub(super) fn new(model: M, clocks: Clocks, tamper: &'a mut dyn Tamper<M>) -> Self {
        Self { model, clocks, tamper }
    }

    /// What the model says when a client does this.
    pub(super) fn act(
        &mut self,
        act: impl FnOnce(&mut M, HostTime, &mut Outbox<M::Reply>),
    ) -> Outbox<M::Reply> {
        self.call(Caller::Client, act)
    }

    /// What the model says to a request.
    pub(super) fn apply(
        &mut self,
        session: SessionId,
        mut request: M::Request,
    ) -> Outbox<M::Reply> {
        self.tamper.request(session, &mut request);
        self.act(|model, now, out| model.apply(now, session, request, out))
    }

    /// What the server says by itself the next time that it does anything before `end_ns`, in nanoseconds since
    /// the start; `None` once it is that late.
    pub(super) fn next(&mut self, end_ns: u64) -> Option<Outbox<M::Reply>> {
        Some(match self.clocks.advance(end_ns)? {
            Due::Tick => self.call(Caller::Timer, M::tick),
            Due::Alarm => self.call(Caller::Alarm, M::wake),
        })
    }

    fn call(
        &mut self,
        caller: Caller,
        act: impl FnOnce(&mut M, HostTime, &mut Outbox<M::Reply>),
    ) -> Outbox<M::Reply> {
        let mut out = Outbox::default();
        act(&mut self.model, self.tamper.time(caller, self.clocks.now()), &mut out);
        self.tamper.outbox(&mut out);
        self.clocks.heed(&out);
        out
    }
}
