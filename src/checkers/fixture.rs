//! Histories written by hand, for tests: `Script::sale(2).at(10).acquired(1).at(30).sold(1, 2)`.
//!
//! Clients are given by number, instants in milliseconds. The heal is recorded by itself when the
//! script passes it.

use picklock_models::model::ChangeKind;
use picklock_sim::digest::Digest;
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::well_formed::WellFormed;
use super::{CHECKERS, Case, Checker};
use crate::terms::{Claim, History, Terms, WorkloadKind};
use crate::verdict::{Verdict, Violation};

/// A history in the making.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) terms: Terms,
    pub(crate) events: Vec<Event>,
    now_ms: u64,
    healed: bool,
}

/// The answer of the checker of this name, which may assume that the history is well-formed.
pub(crate) fn ask(name: &str, history: &History) -> Verdict {
    assert_eq!(WellFormed.check(&Case::new(history)), Verdict::Pass, "the script itself is wrong");
    let checker: &dyn Checker =
        *CHECKERS.iter().find(|checker| checker.name() == name).expect("a checker of this name");
    checker.check(&Case::new(history))
}

/// Its violation; panics with the answer if it is none.
pub(crate) fn violation(name: &str, history: &History) -> Violation {
    match ask(name, history) {
        Verdict::Fail(violation) => violation,
        other => panic!("{name} should fail, but says {other:?}"),
    }
}

/// Its three lines.
pub(crate) fn story(name: &str, history: &History) -> String {
    violation(name, history).story.join("\n")
}

/// Why this verdict is unknown, broken into lines that fit on a page.
pub(crate) fn reason_of(verdict: &Verdict) -> String {
    let Verdict::Unknown { reason } = verdict else { panic!("{verdict:?} is not unknown") };
    let mut lines = String::new();
    for word in reason.split(' ') {
        let line = lines.rsplit('\n').next().map_or(0, str::len);
        lines += match (lines.is_empty(), line + word.len() > 64) {
            (true, _) => "",
            (false, true) => "\n",
            (false, false) => " ",
        };
        lines += word;
    }
    lines
}

impl Script {
    /// A sale of `initial` units by three clients; heals at 4 s, ends at 10 s.
    pub(crate) fn sale(initial: i64) -> Self {
        let terms = Terms {
            scenario: "hand-written".to_owned(),
            contender: "redis-setpx-cad".to_owned(),
            engine: "event".to_owned(),
            workload: WorkloadKind::Sale,
            initial,
            clients: 3,
            heal_at: SimTime::from_millis(4_000),
            end_at: SimTime::from_millis(10_000),
            recovery_bound_ms: Some(2_000),
            starvation_bound: 3,
            claims: vec![Claim::ExclusiveBelief, Claim::NoOversell],
        };
        Self { terms, events: Vec::new(), now_ms: 0, healed: false }
    }

    pub(crate) fn counter() -> Self {
        let mut script = Self::sale(0);
        script.terms.workload = WorkloadKind::Counter;
        script
    }

    pub(crate) fn terms(mut self, change: impl FnOnce(&mut Terms)) -> Self {
        change(&mut self.terms);
        self
    }

    /// What follows happens at this millisecond.
    pub(crate) fn at(mut self, ms: u64) -> Self {
        let heal_at = self.terms.heal_at;
        if !self.healed && SimTime::from_millis(ms) >= heal_at {
            self.healed = true;
            self.now_ms = heal_at.as_nanos() / 1_000_000;
            self = self.fact(HostName::NEMESIS, Op::Healed);
        }
        self.now_ms = ms;
        self
    }

    pub(crate) fn event(mut self, process: HostName, kind: Kind, op: Op) -> Self {
        let index = self.events.len() as u32;
        let at = SimTime::from_millis(self.now_ms);
        self.events.push(Event { index, at, process, kind, op });
        self
    }

    pub(crate) fn fact(self, process: HostName, op: Op) -> Self {
        self.event(process, Kind::Info, op)
    }

    pub(crate) fn invoke(self, client: u16, op: Op) -> Self {
        self.event(HostName::client(client), Kind::Invoke, op)
    }

    pub(crate) fn ok(self, client: u16, op: Op) -> Self {
        self.event(HostName::client(client), Kind::Ok, op)
    }

    pub(crate) fn fail(self, client: u16, op: Op) -> Self {
        self.event(HostName::client(client), Kind::Fail, op)
    }

    /// The operation ends without a known result.
    pub(crate) fn lost_reply(self, client: u16, op: Op) -> Self {
        self.event(HostName::client(client), Kind::Info, op)
    }

    pub(crate) fn asks(self, client: u16) -> Self {
        self.invoke(client, Op::ACQUIRE)
    }

    pub(crate) fn granted(self, client: u16) -> Self {
        self.ok(client, Op::ACQUIRE)
    }

    /// Asks and gets it at once.
    pub(crate) fn acquired(self, client: u16) -> Self {
        self.asks(client).granted(client)
    }

    pub(crate) fn acquired_until(self, client: u16, until_ms: u64) -> Self {
        let until = Some(SimTime::from_millis(until_ms));
        self.asks(client).ok(client, Op::Acquire { token: None, until, shared: false })
    }

    pub(crate) fn acquired_with(self, client: u16, token: u64) -> Self {
        self.asks(client).ok(client, Op::Acquire { token: Some(token), until: None, shared: false })
    }

    /// Asks for the shared mode and gets it at once.
    pub(crate) fn shares(self, client: u16) -> Self {
        self.invoke(client, Op::ACQUIRE_SHARED).ok(client, Op::ACQUIRE_SHARED)
    }

    /// The holder acquires again, at once.
    pub(crate) fn reenters(self, client: u16) -> Self {
        self.invoke(client, Op::Reenter).ok(client, Op::Reenter)
    }

    /// It gives one back, at once.
    pub(crate) fn leaves(self, client: u16) -> Self {
        self.invoke(client, Op::Leave).ok(client, Op::Leave)
    }

    pub(crate) fn renewed_until(self, client: u16, until_ms: u64) -> Self {
        let until = Some(SimTime::from_millis(until_ms));
        self.invoke(client, Op::RENEW).ok(client, Op::Renew { until })
    }

    /// Begins to release and is done at once.
    pub(crate) fn released(self, client: u16) -> Self {
        self.invoke(client, Op::Release).ok(client, Op::Release)
    }

    pub(crate) fn told_lost(self, client: u16) -> Self {
        self.fact(HostName::client(client), Op::Lost)
    }

    pub(crate) fn reads(self, client: u16, value: i64) -> Self {
        self.invoke(client, Op::READ).ok(client, Op::Read { value: Some(value) })
    }

    pub(crate) fn begins_write(self, client: u16, value: i64) -> Self {
        self.invoke(client, Op::Write { value, token: None })
    }

    pub(crate) fn wrote(self, client: u16, value: i64) -> Self {
        self.ok(client, Op::Write { value, token: None })
    }

    /// A whole acknowledged write that the shop accepts.
    pub(crate) fn writes(self, client: u16, before: i64, after: i64) -> Self {
        self.begins_write(client, after).applied(client, before, after).wrote(client, after)
    }

    /// A whole decrement at the store.
    pub(crate) fn sells(self, client: u16, left: i64) -> Self {
        self.invoke(client, Op::SELL)
            .stock(Some(client), left)
            .ok(client, Op::Sell { left: Some(left) })
    }

    pub(crate) fn applied(self, client: u16, before: i64, after: i64) -> Self {
        self.applied_with(client, before, after, None, true)
    }

    pub(crate) fn applied_with(
        self,
        client: u16,
        before: i64,
        after: i64,
        token: Option<u64>,
        accepted: bool,
    ) -> Self {
        let by = HostName::client(client);
        self.fact(HostName::SHOP, Op::Applied { by, before, after, token, accepted })
    }

    /// The lock record is stored by `client`.
    pub(crate) fn locked(self, client: u16) -> Self {
        let change = ChangeKind::Set { number: None, ttl_ms: Some(1_000) };
        self.record(RecordName::Lock, change, Some(client), None)
    }

    /// The lock record of `owner` is removed by `by`.
    pub(crate) fn unlocked(self, by: u16, owner: u16) -> Self {
        self.record(RecordName::Lock, ChangeKind::Deleted, Some(by), Some(owner))
    }

    /// The lock record of `owner` expires.
    pub(crate) fn expired(self, owner: u16) -> Self {
        self.record(RecordName::Lock, ChangeKind::Expired, None, Some(owner))
    }

    /// `client` has a place in the queue from here on.
    pub(crate) fn queued(self, client: u16) -> Self {
        let change = ChangeKind::Set { number: None, ttl_ms: None };
        self.record(RecordName::Place, change, Some(client), None)
    }

    /// The place of `owner` is gone with its session.
    pub(crate) fn unqueued(self, owner: u16) -> Self {
        self.record(RecordName::Place, ChangeKind::Expired, None, Some(owner))
    }

    /// `client` changes the list that is the queue.
    pub(crate) fn listed(self, client: u16) -> Self {
        let change = ChangeKind::Set { number: None, ttl_ms: None };
        self.record(RecordName::Queue, change, Some(client), None)
    }

    /// The stock record is set.
    pub(crate) fn stock(self, by: Option<u16>, left: i64) -> Self {
        let change = ChangeKind::Set { number: Some(left), ttl_ms: None };
        self.record(RecordName::Stock, change, by, None)
    }

    /// The stock record was on the disk.
    pub(crate) fn stock_loaded(self, left: i64) -> Self {
        let change = ChangeKind::Loaded { number: Some(left), ttl_ms: None };
        self.record(RecordName::Stock, change, None, None)
    }

    fn record(
        self,
        record: RecordName,
        change: ChangeKind,
        by: Option<u16>,
        owner: Option<u16>,
    ) -> Self {
        let (by, owner) = (by.map(HostName::client), owner.map(HostName::client));
        self.fact(HostName::REDIS, Op::Record { record, change, by, owner })
    }

    pub(crate) fn paused(self, host: HostName) -> Self {
        self.fact(host, Op::Paused)
    }

    pub(crate) fn resumed(self, host: HostName) -> Self {
        self.fact(host, Op::Resumed)
    }

    pub(crate) fn crashed(self, host: HostName) -> Self {
        self.fact(host, Op::Crashed)
    }

    pub(crate) fn booted(self, host: HostName) -> Self {
        self.fact(host, Op::Booted)
    }

    /// The whole history.
    pub(crate) fn done(mut self) -> History {
        if !self.healed {
            let heal_ms = self.terms.heal_at.as_nanos() / 1_000_000;
            self = self.at(heal_ms);
        }
        History { header: self.terms, events: self.events, digest: Digest::default() }
    }
}

/// Client `number`.
pub(crate) const fn client(number: u16) -> HostName {
    HostName::client(number)
}
