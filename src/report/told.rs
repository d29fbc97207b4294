//! A fault in words, with its time: as terminals and pages tell it.

use std::fmt;

use picklock_sim::fault::{EventTrigger, StepKind, StepTrigger, TimedFault, When};
use picklock_sim::history::Kind;
use picklock_sim::time::SimTime;
use serde::Serialize;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> String {
        let fault: TimedFault = serde_json::from_str(json).expect("a fault as files write it");
        Told(&fault).to_string()
    }

    #[test]
    fn faults_are_told_with_their_time() {
        let pause = r#""lasting_ms": 1500, "fault": { "kind": "pause", "host": "client 1" }"#;
        let event =
            r#"{ "event": { "op": "write", "kind": "invoke", "process": "client 1", "nth": 3 } }"#;
        let step = r#"{ "step": { "host": "client 2", "kind": "send", "nth": 11 } }"#;
        assert_eq!(
            told(&format!(r#"{{ "when": {event}, {pause} }}"#)),
            "process pause of client 1, when client 1 begins the 3rd write, for 1.500 s"
        );
        assert_eq!(
            told(&format!(r#"{{ "when": {step}, {pause} }}"#)),
            "process pause of client 1, just before the 11th send of client 2, for 1.500 s"
        );
        assert_eq!(
            told(
                r#"{ "when": { "at_ms": 250 }, "fault": { "kind": "wall-step", "host": "redis", "by_ms": -40 } }"#
            ),
            "wall clock of redis -40 ms, at 0.250 s"
        );
    }
}
