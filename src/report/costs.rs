//! What locks cost, in words that every report shares.

use crate::compare::Matrix;
use crate::contender::Contender;
use crate::costs::{CROWD, Costs, Measured, RUNS};

/// A column: its title, what it says, and its value in a row.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) value: fn(&Costs) -> String,
}

/// The columns, in the order in which reports show them.
pub(super) const COLUMNS: &[Column] = &[
    Column {
        title: "messages",
        about: "between clients and the lock's servers for each grant, with one client",
        value: |costs| number(costs.alone.messages, ""),
    },
    Column {
        title: "of 8",
        about: "the same with 8 clients that compete",
        value: |costs| number(costs.crowded.messages, ""),
    },
    Column {
        title: "acquire, ms",
        about: "from the first question to the grant with one client: half of all, and 99 of 100, take no longer",
        value: |costs| half_and_most(&costs.alone),
    },
    Column {
        title: "of 8, ms",
        about: "the same with 8 clients that compete",
        value: |costs| half_and_most(&costs.crowded),
    },
    Column {
        title: "grants/s",
        about: "with 8 clients; each keeps the lock for as long as the scenario says",
        value: |costs| number(costs.crowded.grants_per_s, ""),
    },
    Column {
        title: "hand-over",
        about: "from when a holder gives it back to the next grant, while somebody waits",
        value: |costs| number(costs.crowded.hand_over_ms, " ms"),
    },
    Column {
        title: "woken",
        about: "waiting clients that the server wakes with a release; 0: they poll",
        value: |costs| number(costs.crowded.woken, ""),
    },
    Column {
        title: "after a crash",
        about: "from a holder's death to the next grant; not seen: not before the run ended",
        value: |costs| match costs.free_after_crash_ms {
            Some(ms) => format!("{:.1} s", ms / 1000.0),
            None => "not seen".to_owned(),
        },
    },
];

// The title says it in digits.
const _: () = assert!(CROWD == 8);

/// One decimal, or a dash for what never happened.
fn number(value: Option<f64>, unit: &str) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.1}{unit}"))
}

/// `12 / 30`, in milliseconds.
fn half_and_most(measured: &Measured) -> String {
    match (measured.acquire_p50_ms, measured.acquire_p99_ms) {
        (Some(half), Some(most)) => format!("{half:.0} / {most:.0}"),
        _ => "–".to_owned(),
    }
}

/// The locks of a matrix with their costs; one that comes with several resources is named once.
pub(super) fn rows(matrix: &Matrix) -> Vec<(Contender, Costs)> {
    let mut rows: Vec<(Contender, Costs)> = Vec::new();
    for row in &matrix.rows {
        let known = rows.iter().any(|(contender, _)| contender.lock == row.contender.lock);
        if let (Some(costs), false) = (row.costs, known) {
            rows.push((row.contender, costs));
        }
    }
    rows
}

/// What was measured, as a line.
pub(super) fn in_words(measured: &Measured) -> String {
    let Measured { messages, hand_over_ms, woken, free_after_crash_ms, .. } = *measured;
    let figures = [
        messages.map(|count| format!("{count:.1} messages for each grant")),
        hand_over_ms.map(|ms| format!("hand-over in {ms:.0} ms")),
        woken.map(|count| format!("each release wakes {count:.1}")),
        free_after_crash_ms.map(|ms| format!("after a holder's death nobody's for {ms:.0} ms")),
    ];
    figures.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// How they were measured.
pub(super) fn measured() -> String {
    format!("{RUNS} runs each, without faults but for the crash; averages, but for the acquires.")
}
