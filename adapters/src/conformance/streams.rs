//! Compares transcripts stream by stream.
//!
//! What comes on one stream comes in an order; what comes on two may overtake each other, and a line that was
//! a little late stands behind the next step. So lines are compared with those of their stream, not with those
//! of their step.

use std::collections::BTreeMap;

use picklock_models::transcript::notation::Note;
use picklock_models::transcript::{Line, exchanges};

use super::Difference;

/// What came, and behind which step.
#[derive(Clone, Debug)]
pub(super) struct Heard<'a> {
    step: Line<'a>,
    /// The line itself.
    pub(super) whole: &'a str,
    /// Its text as a note, if it is one.
    pub(super) note: Option<Note>,
}

/// How far numbers behind a `~` may be apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance(pub(super) i64);

/// What came on each stream. `stream` names the stream of a line and gives its text; a line that it gives
/// no name does not matter.
pub(super) fn heard<'a>(
    transcript: &'a str,
    stream: impl Fn(&Line<'a>) -> Option<(String, &'a str)>,
) -> BTreeMap<String, Vec<Heard<'a>>> {
    let mut streams: BTreeMap<String, Vec<Heard<'a>>> = BTreeMap::new();
    for exchange in exchanges(transcript) {
        for line in exchange.answers {
            let Some((name, text)) = stream(&line) else { continue };
            let note = Note::parse(text).ok();
            let heard = Heard { step: exchange.step, whole: line.whole, note };
            streams.entry(name).or_default().push(heard);
        }
    }
    streams
}

/// Sorts what came in one go behind one step, if `any_order` says so of it.
pub(super) fn settle(heard: &mut [Heard<'_>], any_order: impl Fn(&[Heard<'_>]) -> bool) {
    for run in
        heard.chunk_by_mut(|a, b| a.step.number == b.step.number && is_event(a) == is_event(b))
    {
        if any_order(run) {
            run.sort_by(|a, b| a.whole.cmp(b.whole));
        }
    }
}

/// Leaves out the events that came just before a stream ended by itself: whoever is told of something in the
/// same moment may have ended before.
pub(super) fn forget_last_words(heard: &mut Vec<Heard<'_>>) {
    let Some(end) = heard.last().filter(|end| end.step.sign == "@").cloned() else { return };
    if end.whole.ends_with('x') {
        heard.retain(|other| other.step.number != end.step.number || !is_event(other));
    }
}

/// Whether it is an event, which nobody asked for just now.
pub(super) fn is_event(heard: &Heard<'_>) -> bool {
    matches!(&heard.note, Some(Note::Record(name, _)) if name == "Event")
}

/// The first difference on each stream, by the line of its step.
pub(super) fn differences(
    real: &BTreeMap<String, Vec<Heard<'_>>>,
    model: &BTreeMap<String, Vec<Heard<'_>>>,
    tolerance: Tolerance,
) -> Vec<Difference> {
    let nothing = Vec::new();
    let mut names: Vec<&String> = real.keys().chain(model.keys()).collect();
    names.sort();
    names.dedup();
    let compare = |name: &String| {
        let real = real.get(name).unwrap_or(&nothing);
        let model = model.get(name).unwrap_or(&nothing);
        let longest = real.len().max(model.len());
        let same = |at: usize| match (real.get(at), model.get(at)) {
            (Some(real), Some(model)) => agree(real, model, tolerance),
            _ => false,
        };
        let at = (0..longest).find(|at| !same(*at))?;
        let (real, model) = (real.get(at), model.get(at));
        let step = [real, model].into_iter().flatten().map(|heard| heard.step);
        let step = step.min_by_key(|step| step.number)?;
        let text = |heard: Option<&Heard<'_>>| heard.map_or("", |heard| heard.whole).to_owned();
        Some(Difference {
            line: step.number,
            step: step.whole.to_owned(),
            real: text(real),
            model: text(model),
        })
    };
    let mut found: Vec<Difference> = names.into_iter().filter_map(compare).collect();
    found.sort_by_key(|difference| difference.line);
    found
}

fn agree(real: &Heard<'_>, model: &Heard<'_>, tolerance: Tolerance) -> bool {
    match (&real.note, &model.note) {
        (Some(real), Some(model)) => notes_agree(real, model, tolerance),
        _ => real.whole == model.whole,
    }
}

fn notes_agree(real: &Note, model: &Note, tolerance: Tolerance) -> bool {
    match (real, model) {
        (Note::Word(real), Note::Word(model)) => real == model || close(real, model, tolerance),
        (Note::List(real), Note::List(model)) => {
            real.len() == model.len()
                && real.iter().zip(model).all(|(real, model)| notes_agree(real, model, tolerance))
        }
        (Note::Record(name, real), Note::Record(other, model)) => {
            let same = |(real, model): (&(String, Note), &(String, Note))| {
                real.0 == model.0 && notes_agree(&real.1, &model.1, tolerance)
            };
            name == other && real.len() == model.len() && real.iter().zip(model).all(same)
        }
        _ => real == model,
    }
}

fn close(real: &str, model: &str, tolerance: Tolerance) -> bool {
    let number = |word: &str| word.strip_prefix('~').and_then(|word| word.parse::<i64>().ok());
    match (number(real), number(model)) {
        (Some(real), Some(model)) => real.abs_diff(model) <= tolerance.0.unsigned_abs(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_connection<'a>(line: &Line<'a>) -> Option<(String, &'a str)> {
        Some((line.connection.to_string(), line.text))
    }

    fn compare(real: &str, model: &str) -> Vec<String> {
        let found =
            differences(&heard(real, by_connection), &heard(model, by_connection), Tolerance(5));
        found
            .into_iter()
            .map(|found| format!("{}: {} / {}", found.line, found.real, found.model))
            .collect()
    }

    #[test]
    fn a_late_line_is_as_good_and_a_line_before_another_is_not() {
        let real = "> a\n< A{}\n2< E{}\n> b\n< B{t=~7}\n";
        assert_eq!(compare(real, "> a\n< A{}\n> b\n< B{t=~3}\n2< E{}\n"), [""; 0]);
        assert_eq!(
            compare(real, "> a\n< A{}\n2< E{}\n> b\n< B{t=~1}\n"),
            ["4: < B{t=~7} / < B{t=~1}"]
        );
        assert_eq!(compare(real, "> a\n< A{}\n> b\n< B{t=~7}\n"), ["1: 2< E{} / "]);
    }
}
