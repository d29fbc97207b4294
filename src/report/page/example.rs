//! One counterexample: what was found, how it came to that, the picture, the command that repeats
//! it.

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};
use picklock_sim::history::{Event, Op};

use super::words::Told;
use super::{chart, command, matrix, plan_file, slug};
use crate::compare::{Cell, Column, Row};
use crate::outcome::Outcome;
use crate::report::findings;
use crate::report::timeline::{self, focus};
use crate::verdict::{Judgement, Violation};

pub(super) fn dialog(row: &Row, cell: &Cell, column: &Column, example: &Outcome) -> Markup {
    let contender = row.contender.to_string();
    let slug = slug(&contender, column.name);
    let heading = format!("title-{slug}");
    let shown = focus(example);
    let timeline = timeline::extract(example);
    html! {
        dialog id={ "cell-" (slug) } aria-labelledby=(heading) {
            div.sheet {
                a.close href="#" data-close autofocus aria-label="close" { "✕" }
                h2 id=(heading) { (contender) " under " (column.name) }
                p.hint {
                    "Seed " (example.plan.world.seed.0) ": the worst and earliest of "
                    (cell.runs) " runs. " (matrix::rates(cell))
                }
                @if let Some((judgement, violation)) = shown { (story(judgement, violation)) }
                (others(example, shown.map(|(judgement, _)| judgement)))
                (faults(example))
                figure { (chart::draw(&timeline)) (chart::legend(&timeline)) }
                @if let Some((_, violation)) = shown { (events(example, violation)) }
                p { "Repeat it: " (command(&format!("cargo picklock replay {}", plan_file(&contender, column.name)))) }
            }
        }
    }
}

/// Whether the lock had promised otherwise.
fn promise(judgement: &Judgement) -> Markup {
    match judgement.claimed {
        true => html! { span.tag.broken { "✗ promise broken" } },
        false => html! { span.tag.unclaimed { "△ not promised" } },
    }
}

fn story(judgement: &Judgement, violation: &Violation) -> Markup {
    html! {
        h3 { "What broke first: " (findings::of(&judgement.checker).word) " " (promise(judgement)) }
        ol.story { @for line in &violation.story { li { (line) } } }
    }
}

/// What else was found in this run, folded to a line each.
fn others(example: &Outcome, shown: Option<&Judgement>) -> Markup {
    let shown = shown.map(|judgement| judgement.checker.as_str());
    let mut others: Vec<_> = example
        .violations()
        .filter(|(judgement, _)| Some(judgement.checker.as_str()) != shown)
        .collect();
    others.sort_by_key(|(_, violation)| violation.at);
    html! {
        @if !others.is_empty() {
            h3 { "What followed in this run" }
            @for (judgement, violation) in others {
                details.other {
                    summary {
                        (findings::of(&judgement.checker).word) " at " (violation.at)
                        @if violation.times > 1 { ", " (violation.times) " times" }
                        " " (promise(judgement))
                    }
                    ol.story { @for line in &violation.story { li { (line) } } }
                }
            }
        }
    }
}

fn faults(example: &Outcome) -> Markup {
    let begins = |event: &Event| match event.op {
        Op::FaultBegins { fault, .. } => Some(usize::from(fault)),
        _ => None,
    };
    let struck: BTreeSet<usize> = example.history.events.iter().filter_map(begins).collect();
    let faults = &example.plan.world.faults;
    html! {
        h3 { "What was broken" }
        @if faults.is_empty() {
            p { "Nothing: the lock fails by itself." }
        } @else {
            // Numbered from 0, as the events name them.
            ol.faults start="0" {
                @for (index, fault) in faults.iter().enumerate() {
                    li {
                        (Told(fault))
                        @if !struck.contains(&index) { " " span.hint { "(never struck)" } }
                    }
                }
            }
        }
    }
}

/// At most so many events before and after the violation.
const AROUND: (u32, u32) = (24, 10);

/// The events around the violation, and all that prove it.
fn events(example: &Outcome, violation: &Violation) -> Markup {
    let events = &example.history.events;
    let at = events.partition_point(|event| event.at < violation.at) as u32;
    let near = |event: &&Event| {
        (at.saturating_sub(AROUND.0)..at + AROUND.1).contains(&event.index)
            || violation.witnesses.contains(&event.index)
    };
    let shown: Vec<&Event> = events.iter().filter(near).collect();
    let mut expected = shown.first().map_or(0, |event| event.index);
    html! {
        details {
            summary { (shown.len()) " of " (events.len()) " events; what proves the violation is marked" }
            pre.events {
                @for event in shown {
                    @if event.index > expected {
                        i { "      … " (event.index - expected) " more" } "\n"
                    }
                    ({ expected = event.index + 1; line(event, violation) })
                }
            }
        }
    }
}

fn line(event: &Event, violation: &Violation) -> Markup {
    let text = format!("{:>5} {event}", event.index);
    match violation.witnesses.contains(&event.index) {
        true => html! { mark { "▸" (text) } (PreEscaped("\n")) },
        false => html! { " " (text) (PreEscaped("\n")) },
    }
}
