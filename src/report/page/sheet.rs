//! One run on show: what was found, how it came to that, the picture, what would have happened
//! otherwise, the command that repeats it.
//!
//! The words are plain HTML; the picture and the events are drawn by the page's script from the
//! packed data that stands beside them.

use std::collections::BTreeSet;
use std::time::Duration;

use maud::{Markup, html};
use picklock_sim::history::{Event, Op};

use super::words;
use super::{command, data};
use crate::exhibit::{Exhibit, Shown};
use crate::report::findings;
use crate::report::scene;
use crate::report::timeline::{self, Extent, focus};
use crate::report::told::Told;
use crate::terms::REAL;
use crate::verdict::{Judgement, Violation};

/// How much of a run stands in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Detail {
    /// Around the stretch that explains the violation.
    pub(super) extent: Extent,
    /// With pictures at all.
    pub(super) pictures: bool,
    /// With the messages of the run.
    pub(super) messages: bool,
    /// With pictures of what would have happened.
    pub(super) variants: bool,
    /// With their messages.
    pub(super) variant_messages: bool,
}

impl Detail {
    /// Everything.
    pub(super) const FULL: Detail = Detail {
        extent: Extent::Whole,
        pictures: true,
        messages: true,
        variants: true,
        variant_messages: true,
    };

    /// From much to little, for a page of many runs that must not grow too large.
    pub(super) const STEPS: [Detail; 6] = {
        let near = Extent::Around(Duration::from_millis(500));
        let exact = Extent::Around(Duration::ZERO);
        let most = Detail { extent: near, ..Detail::FULL };
        let less = Detail { extent: exact, variant_messages: false, ..most };
        let little = Detail { messages: false, ..less };
        let least = Detail { variants: false, ..little };
        let words = Detail { pictures: false, ..least };
        [most, Detail { extent: exact, ..most }, less, little, least, words]
    };
}

/// Where the script finds the runs of a sheet: in which pack of the page, and at which place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) pack: usize,
    pub(super) place: usize,
}

/// The parts of a sheet below its heading; `id` tells it from other sheets of the page.
pub(super) fn body(
    id: &str,
    exhibit: &Exhibit,
    detail: Detail,
    packed: Packed,
    repeat: &[String],
) -> Markup {
    let fact = &exhibit.fact;
    html! {
        div.told {
            div { (stories(fact)) }
            div { (faults(fact)) (what_if(exhibit, detail)) }
        }
        @if detail.pictures {
            div.stage id={ "stage-" (id) } data-pack=(packed.pack) data-place=(packed.place) {
                noscript { "The picture and the events need JavaScript; the words above do not." }
            }
        } @else {
            p.hint { "This page has too many runs for pictures; `picklock report`, below, draws them." }
        }
        @for note in &exhibit.notes { p.hint { (note) } }
        (others(fact))
        @for line in repeat { p.repeat { (command(line)) } }
    }
}

/// What the script draws some sheets from. Sheets that have much in common share a pack: it is smaller than one
/// for each, and a browser unpacks it in one go.
pub(super) fn pack<'a>(
    number: usize,
    exhibits: impl Iterator<Item = &'a Exhibit>,
    detail: Detail,
) -> Markup {
    let sheets: Vec<_> = exhibits.map(|exhibit| runs(exhibit, detail)).collect();
    html! {
        @if detail.pictures {
            script.pack id={ "pack-" (number) } type="text/plain" { (data::pack(&sheets)) }
        }
    }
}

/// First what happened, then what would have happened.
fn runs(exhibit: &Exhibit, detail: Detail) -> Vec<data::Run> {
    let fact = timeline::extract(&exhibit.fact, detail.extent);
    let window = fact.window;
    let mut runs = vec![data::run(&exhibit.fact, &scene::lay_out(&fact), detail.messages)];
    for (what, shown) in exhibit.variants.iter().filter(|_| detail.variants) {
        let timeline = timeline::extract_at(shown, window, detail.extent);
        let mut run = data::run(shown, &scene::lay_out(&timeline), detail.variant_messages);
        run.what = what.to_string();
        run.story = focus(shown).map_or(Vec::new(), |(_, violation)| violation.story.to_vec());
        runs.push(run);
    }
    runs
}

/// Whether the lock had promised otherwise.
fn promise(judgement: &Judgement) -> Markup {
    match judgement.claimed {
        true => html! { span.tag.broken { "✗ promise broken" } },
        false => html! { span.tag.unclaimed { "△ never promised" } },
    }
}

fn story(title: &str, (judgement, violation): (&Judgement, &Violation)) -> Markup {
    html! {
        h3 { (title) ": " (findings::of(&judgement.checker).word) " " (promise(judgement)) }
        ol.story { @for line in &violation.story { li { (line) } } }
    }
}

/// How it began, and what it came to.
fn stories(fact: &Shown) -> Markup {
    let first = focus(fact);
    let worst = words::worst(fact);
    html! {
        @match first {
            None => p { "Nothing wrong was found in this run." },
            Some(first) => (story("How it began", first)),
        }
        @if let (Some(worst), Some(first)) = (worst, first) {
            @if worst.0.checker != first.0.checker { (story("What it came to", worst)) }
        }
    }
}

/// What else was found in this run, folded to a line each.
fn others(fact: &Shown) -> Markup {
    let told: Vec<_> = focus(fact).into_iter().chain(words::worst(fact)).collect();
    let told = |judgement: &Judgement| told.iter().any(|(one, _)| one.checker == judgement.checker);
    let mut others: Vec<_> = fact.violations().filter(|(judge, _)| !told(judge)).collect();
    others.sort_by_key(|(_, violation)| violation.at);
    html! {
        @if !others.is_empty() {
            h3 { "What else was found in this run" }
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

fn faults(fact: &Shown) -> Markup {
    let begins = |event: &Event| match event.op {
        Op::FaultBegins { fault, .. } => Some(usize::from(fault)),
        _ => None,
    };
    let struck: BTreeSet<usize> = fact.history.events.iter().filter_map(begins).collect();
    let Some(plan) = &fact.plan else {
        return html! {
            h3 { "What was broken" }
            p { "The history says when faults struck, not which: its plan is not there." }
        };
    };
    let faults = &plan.world.faults;
    html! {
        h3 { "What was broken" }
        @if faults.is_empty() {
            p { "Nothing: it fails by itself." }
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

/// What happened and what would have happened, each to be opened.
fn what_if(exhibit: &Exhibit, detail: Detail) -> Markup {
    let choice = |number: usize, told: &str, shown: &Shown| {
        let tag = html! {
            span class={ "tag " (words::class(shown.severity())) } { (words::verdict(shown)) }
        };
        match detail.variants || number == 0 {
            true => html! {
                li { button type="button" data-run=(number) aria-pressed=(number == 0) {
                    span { (told) } " " (tag)
                } }
            },
            false => html! { li { span { (told) } " " (tag) } },
        }
    };
    html! {
        h3 { "What if one thing had been different?" }
        @if exhibit.variants.is_empty() {
            p.hint { (why_no_variants(&exhibit.fact)) }
        } @else {
            ul.what-if {
                (choice(0, "as it happened", &exhibit.fact))
                @for (number, (what, shown)) in exhibit.variants.iter().enumerate() {
                    (choice(number + 1, &what.to_string(), shown))
                }
            }
        }
    }
}

fn why_no_variants(fact: &Shown) -> &'static str {
    match &fact.plan {
        _ if fact.history.header.engine == REAL => {
            "Reality cannot be repeated with one thing changed; a simulation of its plan can."
        }
        Some(_) => "Nothing was broken, and no fenced lock of this kind could have helped.",
        None => "Only the plan can say, and it does not lie beside this history.",
    }
}
