//! When each client believed that it held the lock.
//!
//! The definition is the usual one of lease locks (Kleppmann 2016, "How to do distributed locking";
//! Gray and Cheriton 1989 for leases): a client believes from the moment its acquire returned to the
//! earliest of: it begins to release; it is *told* that the lock is lost; its own deadline passes,
//! by its own clock; it crashes; the run ends. A pause ends nothing: a process that stands still
//! wakes up with the belief it had. Nor does re-entry begin or end anything: who holds it twice holds it.

use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::intervals::{Interval, Span};
use super::per_host::PerHost;
use crate::terms::History;

/// One stretch of time in which a client believed that it held the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belief {
    /// Who believed.
    pub client: HostName,
    /// Since when.
    pub from: SimTime,
    /// Until when; the same as `from` if the lock was already dead when it was granted.
    pub until: SimTime,
    /// What ended it.
    pub ended_by: EndedBy,
    /// Index of the acquire that gave it the lock.
    pub grant_event: u32,
    /// Its place in the total order; begins at the grant, or at the renewal that revived it.
    pub span: Span,
    /// It was granted the shared mode: others that share may believe as well.
    pub shared: bool,
}

/// What ended a belief.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndedBy {
    /// The client began to give the lock back.
    Release,
    /// It was told that the lock is lost.
    Lost,
    /// Its own deadline passed.
    Deadline,
    /// It died.
    Crash,
    /// It was granted the lock again, without having released it.
    Regrant,
    /// The run ended first.
    EndOfRun,
}

impl Interval for Belief {
    fn client(&self) -> HostName {
        self.client
    }
    fn span(&self) -> Span {
        self.span
    }
}

/// All beliefs, in the order in which they began.
///
/// A renewal that succeeds after the deadline revives the belief: the recorded deadline assumes that
/// the client's clock runs on as it did, so a client whose machine was suspended may rightly go on
/// past it, and one that does so wrongly believes all the same.
pub fn beliefs(history: &History) -> Vec<Belief> {
    let mut pass = Pass { history, open: PerHost::new(), found: Vec::new() };
    let mut clients = 0;
    for event in &history.events {
        let client = event.process;
        if !client.is_client() {
            continue;
        }
        clients = clients.max(client.number);
        let end = (event.index, event.at);
        match (event.op, event.kind) {
            (Op::Acquire { until, shared, .. }, Kind::Ok) => {
                pass.close(client, end, EndedBy::Regrant);
                let (start, from) = end;
                let open = Open { grant_event: start, start, from, deadline: until, shared };
                *pass.open.of(client) = Some(open);
            }
            (Op::Acquire { .. }, Kind::Invoke) => pass.forget_lapsed(client, event.at),
            (Op::Renew { until: Some(until) }, Kind::Ok) => pass.renew(client, end, until),
            (Op::Release, Kind::Invoke) => pass.close(client, end, EndedBy::Release),
            (Op::Lost, _) => pass.close(client, end, EndedBy::Lost),
            (Op::Crashed, _) => pass.close(client, end, EndedBy::Crash),
            _ => {}
        }
    }
    let end = (history.events.len() as u32, history.header.end_at);
    for number in 0..=clients {
        pass.close(HostName::client(number), end, EndedBy::EndOfRun);
    }
    pass.found.sort_unstable_by_key(|belief| belief.span.start);
    pass.found
}

/// A belief that has not ended yet.
#[derive(Clone, Copy)]
struct Open {
    grant_event: u32,
    start: u32,
    from: SimTime,
    deadline: Option<SimTime>,
    shared: bool,
}

struct Pass<'a> {
    history: &'a History,
    open: PerHost<Option<Open>>,
    found: Vec<Belief>,
}

impl Pass<'_> {
    fn close(&mut self, client: HostName, (end, until): (u32, SimTime), ended_by: EndedBy) {
        let Some(open) = self.open.of(client).take() else { return };
        let mut belief = Belief {
            client,
            from: open.from,
            until,
            ended_by,
            grant_event: open.grant_event,
            span: Span { start: open.start, end },
            shared: open.shared,
        };
        if let Some(deadline) = open.deadline.filter(|deadline| *deadline <= until) {
            // A deadline that was over when the lock was granted leaves an empty belief.
            belief.until = deadline.max(open.from);
            belief.ended_by = EndedBy::Deadline;
            // The belief holds up to the deadline and no longer at it. The search begins at the
            // first event: `until` lies behind it, and histories are short against a logarithm.
            let past = self.history.events.partition_point(|event| event.at < belief.until);
            belief.span.end = (past as u32).min(end);
        }
        self.found.push(belief);
    }

    fn renew(&mut self, client: HostName, now: (u32, SimTime), until: SimTime) {
        let Some(open) = *self.open.of(client) else { return };
        if open.deadline.is_none_or(|deadline| deadline > now.1) {
            // A renewal that returns with a deadline already past ends the belief now, not earlier.
            *self.open.of(client) = Some(Open { deadline: Some(until.max(now.1)), ..open });
        } else if until > now.1 {
            self.close(client, now, EndedBy::Deadline);
            let (start, from) = now;
            *self.open.of(client) = Some(Open { start, from, deadline: Some(until), ..open });
        }
    }

    /// Who asks again after its deadline has given up the old grant: a late renewal of it does not
    /// bring it back.
    fn forget_lapsed(&mut self, client: HostName, now: SimTime) {
        let lapsed = |open: &Open| open.deadline.is_some_and(|deadline| deadline <= now);
        if self.open.of(client).as_ref().is_some_and(lapsed) {
            self.close(client, (u32::MAX, now), EndedBy::Deadline);
        }
    }
}
