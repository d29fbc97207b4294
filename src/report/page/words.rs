//! Plain words and signs for how bad it is and for what was broken.

use std::fmt;

use picklock_sim::fault::{EventTrigger, StepKind, StepTrigger, TimedFault, When};
use picklock_sim::history::Kind;
use picklock_sim::time::SimTime;
use serde::Serialize;

use crate::exhibit::Shown;
use crate::outcome::Severity;
use crate::report::findings;
use crate::verdict::{Judgement, Violation};

/// A style for each severity.
pub(super) fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Clean => "clean",
        Severity::Unclaimed => "unclaimed",
        Severity::Unknown => "unknown",
        Severity::Broken => "broken",
    }
}

/// A sign for each severity, for those who do not see the colour.
pub(super) fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Clean => "✓",
        Severity::Unclaimed => "△",
        Severity::Unknown => "?",
        Severity::Broken => "✗",
    }
}

/// What a run came to, with its sign: `✗ oversold`.
pub(super) fn verdict(shown: &Shown) -> String {
    let damage = ["oversold", "ledger", "lost-update", "recovery", "starvation"];
    let harmless = |(judgement, _): (&Judgement, _)| !damage.contains(&&*judgement.checker);
    let rest = match shown.severity() {
        Severity::Unclaimed if shown.violations().all(harmless) => ", no damage",
        _ => "",
    };
    format!("{} {}{rest}", sign(shown.severity()), headline(shown))
}

/// What a run came to: `oversold`.
pub(super) fn headline(shown: &Shown) -> &'static str {
    match (worst(shown), shown.severity()) {
        (_, Severity::Unknown) => "could not be judged",
        (Some((judgement, _)), _) => findings::of(&judgement.checker).word,
        (None, _) => "nothing wrong",
    }
}

/// The worst that was found: what was promised before what was not, then the worse damage.
pub(super) fn worst(shown: &Shown) -> Option<(&Judgement, &Violation)> {
    let damage = |judgement: &Judgement| (!judgement.claimed, findings::damage(&judgement.checker));
    shown.violations().min_by_key(|(judgement, _)| damage(judgement))
}

/// A fault with its time: `process pause of holder, at 1.250 s, for 1.500 s`.
pub(super) struct Told<'a>(pub(super) &'a TimedFault);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.0.fault)?;
        match self.0.when {
            When::AtMs(ms) => write!(f, "at {}", SimTime::from_millis(ms))?,
            When::Step(StepTrigger { host, kind, nth }) => {
                let step = match kind {
                    StepKind::Connect => "connect",
                    StepKind::Send => "send",
                    StepKind::Receive => "receive",
                    StepKind::Timer => "timer",
                };
                write!(f, "just before the {} {step} of {host}", ordinal(nth))?;
            }
            When::Event(trigger) => told_event(f, &trigger)?,
        }
        match self.0.lasting_ms {
            Some(ms) => write!(f, ", for {}", SimTime::from_millis(ms)),
            None => Ok(()),
        }
    }
}

/// `when client 2 begins its 3rd write`.
fn told_event(f: &mut fmt::Formatter<'_>, trigger: &EventTrigger) -> fmt::Result {
    let (nth, op) = (ordinal(trigger.nth), Name(trigger.op));
    let who = trigger.process.map_or("somebody".to_owned(), |process| process.to_string());
    match trigger.kind {
        Kind::Invoke => write!(f, "when {who} begins the {nth} {op}")?,
        Kind::Ok => write!(f, "when {who} succeeds with the {nth} {op}")?,
        Kind::Fail => write!(f, "when {who} fails with the {nth} {op}")?,
        Kind::Info => write!(f, "at the {nth} {op} of {who}")?,
    }
    match trigger.after_ms {
        0 => Ok(()),
        ms => write!(f, " (counted from {} on)", SimTime::from_millis(ms)),
    }
}

/// A value under the name it has in files.
struct Name<T>(T);

impl<T: Serialize> fmt::Display for Name<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
