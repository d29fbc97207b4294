//! `ledger`: what was sold and what is left add up (level L2).
//!
//! Sold = initial - left, where "left" is what the resource shows in the end. Sales of which nobody
//! knows give slack in one direction only: there may have been more, never fewer. A stock that a
//! store lost or set back in a crash takes acknowledged sales with it, and so does a lost update;
//! units that vanish without a sale (a decrement sent twice) show the other way round.

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Kind, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::evidence::{counted, in_order};
use super::intervals::{Operation, Outcome, Sale};
use super::{Case, Checker};
use crate::terms::{Claim, History, WorkloadKind};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct Ledger;

impl Checker for Ledger {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn claim(&self) -> Claim {
        Claim::LedgerConserved
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        if history.header.workload != WorkloadKind::Sale {
            return Verdict::Pass;
        }
        let (operations, sales) = history.operations_and_sales();
        let stock = Stock::of(history);
        match stock.left {
            Left::Unseen if sales.is_empty() => Verdict::Pass,
            Left::Unseen => unknown("there were sales, but nothing recorded the stock".to_owned()),
            Left::Down { server, since, .. } if !sales.is_empty() => unknown(format!(
                "{server} crashed at {since} with the stock and never came back to show it"
            )),
            Left::Gone { .. } | Left::Down { .. } if sales.is_empty() => Verdict::Pass,
            Left::Gone { why, event } => Verdict::Fail(gone(history, sales, &why, event)),
            Left::Known { number, event, .. } => {
                balance(history, (operations, sales), number, event, stock.set_back)
            }
            Left::Down { .. } => Verdict::Pass,
        }
    }
}

fn unknown(reason: String) -> Verdict {
    Verdict::Unknown { reason }
}

/// What is left of the stock, as far as the history shows it.
#[derive(Clone, Debug)]
enum Left {
    Unseen,
    Known { number: i64, event: u32, in_store: Option<HostName> },
    Down { number: i64, server: HostName, since: SimTime },
    Gone { why: String, event: u32 },
}

/// A store came back from a crash with another number than it had.
#[derive(Clone, Copy, Debug)]
struct SetBack {
    server: HostName,
    was: i64,
    now: i64,
    event: u32,
    at: SimTime,
}

struct Stock {
    left: Left,
    set_back: Option<SetBack>,
    /// What the store had before it went down, until it shows what it has now.
    lost: Option<i64>,
}

impl Stock {
    fn of(history: &History) -> Self {
        let mut stock = Stock { left: Left::Unseen, set_back: None, lost: None };
        for event in &history.events {
            stock.take(event);
        }
        stock
    }

    fn take(&mut self, event: &Event) {
        match (event.op, &self.left) {
            (Op::Applied { after, .. }, _) => {
                self.left = Left::Known { number: after, event: event.index, in_store: None };
            }
            (Op::Record { record: RecordName::Stock, change, .. }, _) => self.record(event, change),
            (Op::Crashed, &Left::Known { number, in_store: Some(server), .. })
                if server == event.process =>
            {
                self.left = Left::Down { number, server, since: event.at };
            }
            (Op::Booted, &Left::Down { number, server, since }) if server == event.process => {
                // What it has loaded it reports next; until then there is nothing.
                self.lost = Some(number);
                let why = format!("{server} crashed at {since} and came back without the stock");
                self.left = Left::Gone { why, event: event.index };
            }
            _ => {}
        }
    }

    fn record(&mut self, event: &Event, change: ChangeKind) {
        let (ChangeKind::Set { number, .. } | ChangeKind::Loaded { number, .. }) = change else {
            if matches!(change, ChangeKind::Deleted | ChangeKind::Expired) {
                let why = format!("the stock was removed from {} at {}", event.process, event.at);
                self.left = Left::Gone { why, event: event.index };
            }
            return;
        };
        let Some(now) = number else { return };
        if let Some(was) = self.lost.take().filter(|was| *was != now) {
            let (server, event, at) = (event.process, event.index, event.at);
            self.set_back.get_or_insert(SetBack { server, was, now, event, at });
        }
        let in_store = Some(event.process);
        self.left = Left::Known { number: now, event: event.index, in_store };
    }
}

fn balance(
    history: &History,
    (operations, sales): (&[Operation], &[Sale]),
    left: i64,
    event: u32,
    set_back: Option<SetBack>,
) -> Verdict {
    let certain = sales.len() as i64;
    let taken = history.header.initial.saturating_sub(left);
    let unknown = operations.iter().filter(|op| op.outcome == Outcome::Unknown).count();
    // A decrement that was refused because nothing was left has taken the stock below zero.
    let refused = |event: &&Event| event.kind == Kind::Fail && matches!(event.op, Op::Sell { .. });
    let below_zero = if left < 0 { history.events.iter().filter(refused).count() } else { 0 };
    let at_most = certain + (unknown + below_zero) as i64;
    if (certain..=at_most).contains(&taken) {
        return Verdict::Pass;
    }
    let wrong = if taken < certain { certain - taken } else { taken - at_most };
    let wrong = u64::try_from(wrong).unwrap_or(u64::MAX);
    let mut witnesses = vec![event];
    witnesses.extend(sales.last().map(|sale| sale.event));
    witnesses.extend(set_back.map(|set_back| set_back.event));
    let how = match set_back {
        Some(SetBack { server, was, now, at, .. }) => {
            format!(
                "After a crash {server} came back at {at} with {now} in stock instead of {was}."
            )
        }
        None if taken < certain => {
            "No crash set it back: sellers overwrote each other's sales.".to_owned()
        }
        None => "Units left the stock without a sale.".to_owned(),
    };
    let at = |index: u32| history.events.get(index as usize).map_or(SimTime::ZERO, |e| e.at);
    let last = sales.last().map_or(event, |sale| sale.event).max(event);
    let verb = if wrong == 1 { "is" } else { "are" };
    Verdict::Fail(Violation {
        at: set_back.map_or(at(last), |set_back| set_back.at),
        times: u32::try_from(wrong).unwrap_or(u32::MAX),
        lasted_ms: None,
        story: [
            format!(
                "The stock began with {} and showed {left} in the end (at {}), so {taken} should \
                 have been sold.",
                history.header.initial,
                at(event)
            ),
            how,
            if taken < certain {
                let made = counted(sales.len() as u64, "sale");
                format!(
                    "Clients made {made}: {} {verb} missing in the ledger.",
                    counted(wrong, "sale")
                )
            } else {
                let most = counted(u64::try_from(at_most).unwrap_or(0), "sale");
                let units = counted(wrong, "unit");
                format!("Clients made {most} at most: {units} {verb} missing in the stock.")
            },
        ],
        witnesses: in_order(history, witnesses),
    })
}

fn gone(history: &History, sales: &[Sale], why: &str, event: u32) -> Violation {
    let at = history.events[event as usize].at;
    let first = sales.first().map_or(at, |sale| sale.at);
    let lost = sales.iter().filter(|sale| sale.event < event).count();
    let mut witnesses = vec![event];
    witnesses.extend(sales.iter().map(|sale| sale.event).filter(|sale| *sale < event).max());
    Violation {
        at,
        times: u32::try_from(lost.max(1)).unwrap_or(u32::MAX),
        lasted_ms: None,
        witnesses: in_order(history, witnesses),
        story: [
            format!(
                "The stock began with {}; clients sold {}, the first at {first}.",
                history.header.initial,
                counted(sales.len() as u64, "unit")
            ),
            format!("Then {why}."),
            format!("The record of {} is lost with it.", counted(lost as u64, "sale")),
        ],
    }
}

#[cfg(test)]
mod tests;
