//! The guarded operations, and the sales among them.
//!
//! A guarded operation is what the lock exists for: from the first touch of the guarded resource in
//! a critical section (read, check or sell) to the completion of the write that follows. Results
//! are read as Jepsen defines them: `ok` happened, `fail` certainly did not (so it is no operation),
//! `info` may have; then the ground truth recorded at the resource decides, where it was recorded.

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, OpName, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::intervals::{Interval, Span};
use super::per_host::PerHost;
use crate::terms::{History, WorkloadKind};

/// One guarded operation that took effect, or may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Whose it is.
    pub client: HostName,
    /// When it first touched the resource.
    pub from: SimTime,
    /// When it was completed; else its last known effect; else the end of the run.
    pub until: SimTime,
    /// Its place in the total order.
    pub span: Span,
    /// Index of the invoke of its write (or sell).
    pub write_event: u32,
    /// What it wrote; `None` for a single decrement.
    pub wrote: Option<i64>,
    /// What it left at the resource, as far as anybody said; for a write, what it wrote.
    pub left: Option<i64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Index of the event by which the resource accepted it, if that was recorded.
    pub effect_event: Option<u32>,
}

/// How a guarded operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The client was told that it succeeded.
    Acknowledged,
    /// The client never knew, but the resource accepted it.
    Applied,
    /// Nobody knows.
    Unknown,
    /// It certainly did not happen. Never among [`operations`].
    Refused,
}

/// One unit sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Who sold it.
    pub client: HostName,
    /// When it was first certain.
    pub at: SimTime,
    /// Index of the event that made it certain.
    pub event: u32,
    /// How many it left in stock, as far as anybody said.
    pub left: Option<i64>,
}

impl Interval for Operation {
    fn client(&self) -> HostName {
        self.client
    }
    fn span(&self) -> Span {
        self.span
    }
}

/// All guarded operations, in the order in which they began.
pub fn operations(history: &History) -> Vec<Operation> {
    in_order(Pass::over(history).operations)
}

fn in_order(mut operations: Vec<Operation>) -> Vec<Operation> {
    operations.retain(|operation| operation.outcome != Outcome::Refused);
    operations.sort_unstable_by_key(|operation| operation.span.start);
    operations
}

/// All sales, in the order in which they became certain: those that were acknowledged, and those
/// without a known result that the resource accepted. A request that a client sent twice because
/// its reply was lost counts once. None for another workload.
pub fn sales(history: &History) -> Vec<Sale> {
    operations_and_sales(history).1
}

/// [`operations`] and [`sales`] in one pass.
pub(super) fn operations_and_sales(history: &History) -> (Vec<Operation>, Vec<Sale>) {
    let Pass { operations, strays: mut sales, .. } = Pass::over(history);
    if history.header.workload != WorkloadKind::Sale {
        return (in_order(operations), Vec::new());
    }
    for operation in &operations {
        let event = match operation.outcome {
            // The effect comes before the acknowledgement.
            Outcome::Acknowledged => operation.effect_event.unwrap_or(operation.span.end),
            Outcome::Applied => operation.span.end,
            Outcome::Unknown | Outcome::Refused => continue,
        };
        let at = history.events.get(event as usize).map_or(operation.until, |event| event.at);
        sales.push(Sale { client: operation.client, at, event, left: operation.left });
    }
    sales.sort_unstable_by_key(|sale| sale.event);
    (in_order(operations), sales)
}

/// What a pass remembers of one client.
#[derive(Default)]
struct Hands {
    /// It was granted the lock and has not begun to give it back. Without a lock each read begins
    /// a new critical section.
    inside: bool,
    /// The first touch of the resource in this critical section.
    touched: Option<(u32, SimTime)>,
    /// The write that is going on, by its place in `operations`.
    writing: Option<usize>,
    /// Earlier writes of which nothing is known, oldest first.
    unsettled: Vec<usize>,
    /// The last write that was settled: a second effect like its own is a request sent twice.
    settled: Option<usize>,
}

impl Hands {
    /// A critical section begins or ends.
    fn enter(&mut self, inside: bool) {
        self.inside = inside;
        self.touched = None;
    }

    /// A write ended without a result.
    fn leave(&mut self, place: usize, operation: &Operation) {
        if operation.outcome == Outcome::Unknown && operation.effect_event.is_none() {
            self.unsettled.push(place);
        }
    }
}

struct Pass<'a> {
    history: &'a History,
    hands: PerHost<Hands>,
    operations: Vec<Operation>,
    /// Sales that the resource accepted and no operation of the history explains.
    strays: Vec<Sale>,
}

impl<'a> Pass<'a> {
    fn over(history: &'a History) -> Self {
        let mut pass =
            Pass { history, hands: PerHost::new(), operations: Vec::new(), strays: Vec::new() };
        for event in &history.events {
            pass.take(event);
        }
        for operation in &mut pass.operations {
            if let (Outcome::Unknown, Some(effect)) = (operation.outcome, operation.effect_event) {
                operation.outcome = Outcome::Applied;
                operation.span.end = effect;
                operation.until = history.events[effect as usize].at;
            }
        }
        pass
    }

    fn take(&mut self, event: &Event) {
        let client = event.process;
        match (event.op, event.kind) {
            // What was touched before belongs to another critical section.
            (Op::Acquire { .. }, Kind::Ok) => self.hands.of(client).enter(true),
            (Op::Release, Kind::Invoke) => self.hands.of(client).enter(false),
            (Op::Read { .. } | Op::Check, Kind::Invoke) => {
                let hands = self.hands.of(client);
                if !hands.inside && event.op.name() == OpName::Read {
                    hands.touched = None;
                }
                hands.touched.get_or_insert((event.index, event.at));
            }
            (Op::Write { value, .. }, Kind::Invoke) => self.begin(event, Some(value)),
            (Op::Sell { .. }, Kind::Invoke) => self.begin(event, None),
            (Op::Write { .. } | Op::Sell { .. }, kind) => self.finish(event, kind),
            (Op::Crashed, _) => {
                let hands = self.hands.of(client);
                hands.enter(false);
                if let Some(place) = hands.writing.take() {
                    hands.leave(place, &self.operations[place]);
                }
            }
            (Op::Applied { by, after, accepted, .. }, _) if by.is_client() => {
                self.effect(event, by, after, accepted);
            }
            (
                Op::Record {
                    record: RecordName::Stock,
                    change: ChangeKind::Set { number: Some(after), .. },
                    by: Some(by),
                    ..
                },
                _,
            ) if by.is_client() => self.effect(event, by, after, true),
            _ => {}
        }
    }

    fn begin(&mut self, event: &Event, wrote: Option<i64>) {
        let hands = self.hands.of(event.process);
        let (start, from) = hands.touched.take().unwrap_or((event.index, event.at));
        if let Some(place) = hands.writing.replace(self.operations.len()) {
            hands.leave(place, &self.operations[place]);
        }
        self.operations.push(Operation {
            client: event.process,
            from,
            until: self.history.header.end_at,
            span: Span { start, end: self.history.events.len() as u32 },
            write_event: event.index,
            wrote,
            left: wrote,
            outcome: Outcome::Unknown,
            effect_event: None,
        });
    }

    fn finish(&mut self, event: &Event, kind: Kind) {
        let hands = self.hands.of(event.process);
        let Some(place) = hands.writing.take() else { return };
        let operation = &mut self.operations[place];
        match kind {
            Kind::Ok => {
                if let Op::Sell { left } = event.op {
                    operation.left = left.or(operation.left);
                }
                operation.outcome = Outcome::Acknowledged;
                operation.until = event.at;
                operation.span.end = event.index;
                hands.settled = Some(place);
            }
            Kind::Fail => {
                operation.outcome = Outcome::Refused;
                hands.settled = Some(place);
            }
            Kind::Info | Kind::Invoke => hands.leave(place, operation),
        }
    }

    /// The resource accepted (or refused) a write of `by`; which one it was, the value tells.
    fn effect(&mut self, event: &Event, by: HostName, after: i64, accepted: bool) {
        let hands = self.hands.of(by);
        let operations = &mut self.operations;
        let fits = |place: usize| operations[place].wrote.is_none_or(|value| value == after);
        if !accepted {
            // A refused write leaves the value as it was, so its value does not tell which it was.
            match (hands.writing, hands.unsettled.as_slice()) {
                (Some(place), _) => operations[place].outcome = Outcome::Refused,
                (None, [place]) => operations[*place].outcome = Outcome::Refused,
                _ => {}
            }
            return;
        }
        // The write that is going on comes first: if it was an older one of the same value after
        // all, the next effect is taken for the older one, and the count is the same.
        let is_new = |place: &usize| fits(*place) && operations[*place].effect_event.is_none();
        let place = match hands.writing.filter(is_new) {
            Some(place) => Some(place),
            None => hands.unsettled.iter().copied().find(is_new),
        };
        if let Some(place) = place {
            operations[place].effect_event = Some(event.index);
            operations[place].left = Some(after);
            // Had a refusal been taken for its own, it was another's.
            operations[place].outcome = Outcome::Unknown;
            hands.unsettled.retain(|&unsettled| unsettled != place);
            hands.settled = Some(place);
        } else if !hands.settled.is_some_and(fits) && matches!(event.op, Op::Applied { .. }) {
            // A record may also be written to set up the run; what a shop accepts is a sale.
            let left = Some(after);
            self.strays.push(Sale { client: by, at: event.at, event: event.index, left });
        }
    }
}
