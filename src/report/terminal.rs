//! What a tired person reads in a terminal: plain text, the answer first, no colour needed.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::findings::{self, WORDS};
use super::told::Told;
use crate::cli::ContenderResult;
use crate::compare::{Cell, Finding, Matrix};
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::terms::History;
use crate::verdict::{Judgement, Verdict, Violation};

mod costs;

/// The matrix of a comparison with its legend, and what each lock costs.
pub fn matrix(matrix: &Matrix) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    let codes = matrix.families.iter().map(|family| family.code.to_owned());
    table.set_header(std::iter::once("lock".to_owned()).chain(codes));
    for (group, rows) in matrix.groups() {
        table.add_row([format!("[{}]", group.title())]);
        for (_, row) in rows {
            let cells = row.cells.iter().zip(&matrix.families);
            let cells = cells.map(|(cell, family)| cell_text(cell, family.name));
            table.add_row(std::iter::once(row.contender.to_string()).chain(cells));
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Center);
    }
    let mut text = format!("{table}\n\n");
    let _ = writeln!(
        text,
        "{} plans per cell, the same for every lock; {} engine, seed {}.",
        matrix.plans, matrix.engine, matrix.seed
    );
    text.push_str(
        "A code with a rate: a promise was broken in so many plans. (In brackets): seen, ",
    );
    text.push_str(
        "but never promised.\n·: nothing found.  –: no fault struck.  ?: not judged.\n\n",
    );
    for words in WORDS {
        let _ = writeln!(text, "  {:<4} {}", words.code, words.meaning);
    }
    text.push('\n');
    for family in &matrix.families {
        let _ = writeln!(text, "  {:<4} {}: {}", family.code, family.name, family.about);
    }
    text.push_str(&costs::table(matrix));
    text
}

fn cell_text(cell: &Cell, family: &str) -> String {
    let code = |finding: &Finding| findings::of(&finding.checker).code;
    match findings::worst(cell) {
        Some(finding) if finding.claimed => {
            format!("{}\n{}/{}", code(finding), finding.runs, cell.runs)
        }
        _ if cell.unknown > 0 => format!("?\n{}/{}", cell.unknown, cell.runs),
        Some(finding) => format!("({})\n{}/{}", code(finding), finding.runs, cell.runs),
        None if cell.struck == 0 && family != "none" => "–".to_owned(),
        None => "·".to_owned(),
    }
}

/// What came of scenarios.
pub(crate) fn scenario_results(scenarios: &[Scenario], results: &[ContenderResult]) -> String {
    let mut text = String::new();
    for scenario in scenarios {
        let first_line = scenario.about.lines().next().unwrap_or_default();
        let _ = writeln!(text, "{}: {first_line}", scenario.name);
        for result in results.iter().filter(|result| result.scenario == scenario.name) {
            contender_result(&mut text, result);
        }
        text.push('\n');
    }
    let skipped = results.iter().filter(|result| result.skipped.is_some()).count();
    let surprising = results.iter().filter(|result| !result.surprises.is_empty()).count();
    let as_expected = results.len() - skipped - surprising;
    let _ = write!(text, "{as_expected} as expected, {surprising} not as expected");
    if skipped > 0 {
        let _ = write!(text, ", {skipped} not expressible on this engine");
    }
    text.push('\n');
    text
}

fn contender_result(text: &mut String, result: &ContenderResult) {
    let name = &result.contender;
    if let Some(why) = &result.skipped {
        let _ = writeln!(text, "  skip {name}\n         {why}");
        return;
    }
    let mark = if result.surprises.is_empty() { "ok  " } else { "FAIL" };
    let found: Vec<_> = result.judgements.iter().filter_map(finding).collect();
    let found = if found.is_empty() { "clean".to_owned() } else { found.join(", ") };
    let _ = writeln!(text, "  {mark} {name}: {found} ({} runs)", result.runs);
    for surprise in &result.surprises {
        let _ = writeln!(text, "         NOT EXPECTED: {surprise}");
    }
    if let Some(costs) = &result.costs {
        let _ = writeln!(text, "         {}", super::costs::in_words(costs));
    }
    let told = told_violations(&result.judgements);
    for (_, violation) in &told {
        for line in &violation.story {
            let _ = writeln!(text, "         {line}");
        }
    }
    if let Some(plan) = &result.plan
        && !(told.is_empty() && result.surprises.is_empty())
    {
        let _ = writeln!(text, "         repeat: cargo picklock replay {}", plan.display());
        if !result.surprises.is_empty() {
            let _ = writeln!(text, "         picture: cargo picklock report {}", plan.display());
        }
    }
}

/// What a judge found, in a word: in brackets what was never promised.
pub(super) fn finding(judgement: &Judgement) -> Option<String> {
    let name = &judgement.checker;
    match (&judgement.verdict, judgement.claimed) {
        (Verdict::Fail(_), true) => Some(name.clone()),
        (Verdict::Fail(_), false) => Some(format!("({name})")),
        (Verdict::Unknown { .. }, true) => Some(format!("{name}?")),
        _ => None,
    }
}

/// The violations whose stories are told, each with its judge: the earliest, which is how it began,
/// and the worst, which is what it came to: claimed before unclaimed, the customer's loss first.
pub(super) fn told_violations(judgements: &[Judgement]) -> Vec<(&Judgement, &Violation)> {
    let rank = |judgement: &Judgement| (!judgement.claimed, findings::damage(&judgement.checker));
    let found = || judgements.iter().filter_map(|one| Some((one, one.verdict.violation()?)));
    let first = found().min_by_key(|(judgement, violation)| (!judgement.claimed, violation.at));
    let worst = found().min_by_key(|(judgement, _)| rank(judgement));
    let mut told: Vec<_> = first.into_iter().chain(worst).collect();
    told.dedup();
    told
}

/// How many events are shown around a witness.
const AROUND: usize = 6;

/// A plan that was run again: its faults, its verdicts, and the events that matter.
pub fn replayed(outcome: &Outcome, all_events: bool) -> String {
    let (plan, history) = (&outcome.plan, &outcome.history);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} with {}, seed {}, {} engine: {} events, digest {}",
        plan.scenario,
        plan.contender,
        plan.world.seed,
        history.header.engine,
        history.events.len(),
        history.digest
    );
    for (index, fault) in plan.world.faults.iter().enumerate() {
        let _ = writeln!(text, "  fault {index}: {}", Told(fault));
    }
    verdicts_and_events(&mut text, history, &outcome.judgements, all_events);
    text
}

/// A history that was judged again.
pub fn judged(history: &History, judgements: &[Judgement], all_events: bool) -> String {
    let terms = &history.header;
    let mut text = format!(
        "{} with {}, {} engine: {} events, digest {}\n",
        terms.scenario,
        terms.contender,
        terms.engine,
        history.events.len(),
        history.digest
    );
    verdicts_and_events(&mut text, history, judgements, all_events);
    text
}

fn verdicts_and_events(
    text: &mut String,
    history: &History,
    judgements: &[Judgement],
    all_events: bool,
) {
    text.push('\n');
    for judgement in judgements {
        let promised = if judgement.claimed { "" } else { " (not promised)" };
        let _ = writeln!(text, "  {:<8}{}{promised}", judgement.verdict.word(), judgement.checker);
        match &judgement.verdict {
            Verdict::Fail(violation) => {
                for line in &violation.story {
                    let _ = writeln!(text, "            {line}");
                }
            }
            Verdict::Unknown { reason } if judgement.claimed => {
                let _ = writeln!(text, "            {reason}");
            }
            _ => {}
        }
    }
    text.push('\n');
    events(text, history, judgements, all_events);
}

fn events(text: &mut String, history: &History, judgements: &[Judgement], all: bool) {
    let violations = judgements.iter().filter_map(|judgement| judgement.verdict.violation());
    let witnesses: Vec<usize> = violations
        .flat_map(|violation| violation.witnesses.iter().map(|index| *index as usize))
        .collect();
    let near = |index: usize| witnesses.iter().any(|witness| witness.abs_diff(index) <= AROUND);
    let mut cut = false;
    for (index, event) in history.events.iter().enumerate() {
        if all || near(index) {
            let mark = if witnesses.contains(&index) { '>' } else { ' ' };
            let _ = writeln!(text, "{mark} {index:>5}  {event}");
            cut = false;
        } else if !cut {
            text.push_str("         ..\n");
            cut = true;
        }
    }
}

/// A titled list of names with a line about each.
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Names and lines.
    pub entries: Vec<(String, String)>,
}

/// Lists one below the other.
pub fn sections(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        let _ = writeln!(text, "{}:", section.title);
        let width = section.entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, about) in &section.entries {
            let _ = writeln!(text, "  {name:<width$}  {about}");
        }
        text.push('\n');
    }
    text
}
