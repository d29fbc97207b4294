//! Reports as one HTML page that needs nothing else: no network, no other file.
//!
//! For somebody who has never seen the code: [`render`] shows a comparison (what was tried, what
//! broke, and for each cell in which something broke one run, drawn, with the command that repeats
//! it), [`render_run`] shows one run.

mod assets;
mod costs;
mod data;
mod matrix;
mod sheet;
mod wire;
mod words;

use std::collections::BTreeMap;

use maud::{Markup, html};

use self::sheet::{Detail, Packed};
use crate::compare::Matrix;
use crate::exhibit::Exhibit;
use crate::outcome::Severity;
use crate::report::findings;
use crate::report::timeline::MarkKind;

/// The runs to show: of the cells in these rows and columns.
pub type Exhibits = BTreeMap<(usize, usize), Exhibit>;

/// A page of many runs is not larger than this, in bytes: small enough to be mailed.
pub const MOST_BYTES: usize = 2_000_000;

/// The page of a comparison, with as much detail as there is room for.
pub fn render(matrix: &Matrix, exhibits: &Exhibits) -> String {
    let mut page = String::new();
    for detail in Detail::STEPS {
        page = render_with(matrix, exhibits, detail);
        if page.len() <= MOST_BYTES {
            break;
        }
    }
    page
}

fn render_with(matrix: &Matrix, exhibits: &Exhibits, detail: Detail) -> String {
    let body = html! {
        main {
            (introduction(matrix))
            (legend())
            (matrix::table(matrix, exhibits))
            (costs::table(matrix))
            (families(matrix))
            (glossary())
        }
        @for row in 0..matrix.rows.len() { (row_of(matrix, row, exhibits, detail)) }
    };
    assets::page(&format!("picklock: {}", matrix.scenario), &body)
}

/// The runs of a row: one lock fails in much the same words and with the same steps, whatever broke it.
fn row_of(matrix: &Matrix, row: usize, exhibits: &Exhibits, detail: Detail) -> Markup {
    let cells: Vec<_> = exhibits.range((row, 0)..(row + 1, 0)).collect();
    html! {
        @for (place, (cell, exhibit)) in cells.iter().enumerate() {
            (dialog(matrix, **cell, exhibit, detail, Packed { pack: row, place }))
        }
        @if !cells.is_empty() {
            (sheet::pack(row, cells.iter().map(|(_, exhibit)| *exhibit), detail))
        }
    }
}

fn dialog(
    matrix: &Matrix,
    (row, column): (usize, usize),
    exhibit: &Exhibit,
    detail: Detail,
    packed: Packed,
) -> Markup {
    let (row, column, cell) =
        (&matrix.rows[row], &matrix.families[column], &matrix.rows[row].cells[column]);
    let contender = row.contender.to_string();
    let slug = slug(&contender, column.name);
    let heading = format!("title-{slug}");
    let seed = exhibit.fact.plan.as_ref().map(|plan| plan.world.seed);
    let plan = plan_file(&contender, column.name);
    let repeat = ["replay", "report"].map(|verb| format!("cargo picklock {verb} {plan}"));
    html! {
        dialog.run id={ "cell-" (slug) } aria-labelledby=(heading) {
            div.sheet {
                a.close href="#" data-close autofocus aria-label="close" { "✕" }
                h2 id=(heading) { (contender) " under " (column.name) }
                p.hint {
                    @if let Some(seed) = seed { "Seed " (seed) ": the worst and earliest of " (cell.runs) " runs. " }
                    (matrix::rates(cell))
                }
                (sheet::body(&slug, exhibit, detail, packed, &repeat))
            }
        }
    }
}

/// The page of one run; `file` is what it was made from.
pub fn render_run(exhibit: &Exhibit, file: &str) -> String {
    let terms = &exhibit.fact.history.header;
    let title = format!("{} in {}", terms.contender, terms.scenario);
    let repeat = [format!("cargo picklock replay {file}")];
    let body = html! {
        main.run id="run" {
            header {
                h1 { (terms.contender) ": " (words::headline(&exhibit.fact)) }
                p.hint {
                    "Scenario " (terms.scenario) ", " (words::world(&terms.engine))
                    @if let Some(plan) = &exhibit.fact.plan { ", seed " (plan.world.seed) }
                    ". " (exhibit.fact.history.events.len()) " events in " (terms.end_at)
                    ", digest " code { (exhibit.fact.history.digest) } "."
                }
            }
            (sheet::body("run", exhibit, Detail::FULL, Packed { pack: 0, place: 0 }, &repeat))
            (glossary())
        }
        (sheet::pack(0, std::iter::once(exhibit), Detail::FULL))
    };
    assets::page(&format!("picklock: {title}"), &body)
}

/// The place of a kind of mark in the list that the script has.
fn place_of(kind: MarkKind) -> usize {
    MarkKind::LEGEND.iter().position(|(known, _)| *known == kind).unwrap_or_default()
}

/// The stem of the files about one cell, and the name of its counterexample in the page: letters,
/// digits, `-`, `_`, and `+` between a lock and its resource. Safe in file names, shells and links.
pub fn slug(contender: &str, family: &str) -> String {
    let mut slug = String::new();
    for character in format!("{}-{family}", contender.replace(" + ", "+")).chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '+' => slug.push(character),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug
}

/// Where `picklock compare` writes the plan of a cell's example, if it is told no other folder.
pub fn plan_file(contender: &str, family: &str) -> String {
    format!("target/picklock/compare/plans/{}.plan.json", slug(contender, family))
}

fn introduction(matrix: &Matrix) -> Markup {
    let Matrix { scenario, engine, seed, plans, families, rows } = matrix;
    let runs: u32 = rows.iter().flat_map(|row| &row.cells).map(|cell| cell.runs).sum();
    html! {
        header {
            h1 { "Which distributed lock breaks under what?" }
            p.lead {
                "Real lock code against simulated servers, guarding the stock of a shop, under "
                (plans) " fault plans per cell: every cell is one algorithm under one class of \
                faults, and all algorithms meet exactly the same plans."
            }
            dl.facts {
                div { dt { "scenario" } dd { (scenario) } }
                div { dt { "engine" } dd { (engine) } }
                div { dt { "seed" } dd { (seed.0) } }
                div { dt { "plans per cell" } dd { (plans) } }
                div { dt { "runs" } dd { (runs) " (" (rows.len()) " × " (families.len()) " cells)" } }
                div { dt { "repeat it" } dd { (command("cargo picklock compare")) } }
            }
        }
    }
}

/// A command line with a button that copies it.
fn command(line: &str) -> Markup {
    html! {
        span.command { code { (line) } button type="button" data-copy { "copy" } }
    }
}

fn legend() -> Markup {
    let entries = [
        (Severity::Broken, "oversold 17/20", "A promise was broken, in 17 of 20 runs."),
        (
            Severity::Unclaimed,
            "lost update 3/20",
            "It happened, but this lock never promised not to.",
        ),
        (Severity::Unknown, "unknown 1/20", "A promise could not be judged."),
        (Severity::Clean, "ok", "Nothing wrong was found."),
    ];
    html! {
        ul.legend {
            @for (severity, sample, meaning) in entries {
                li {
                    span class={ "cell " (words::class(severity)) } {
                        (words::sign(severity)) " " (sample)
                    }
                    " " (meaning)
                }
            }
            li { span.cell.idle { "never struck" } " The fault never hit: says nothing." }
        }
        p.hint {
            "Click a cell to see how it broke: one run, drawn on a time axis. The rate is of the \
            worst thing found there; “+2” means that two more kinds were found."
        }
    }
}

fn families(matrix: &Matrix) -> Markup {
    html! {
        details {
            summary { "The columns: what goes wrong in each" }
            dl.glossary {
                @for column in &matrix.families {
                    dt { b { (column.code) } " " (column.name) }
                    dd { (column.about) }
                }
            }
        }
    }
}

fn glossary() -> Markup {
    html! {
        details {
            summary { "The words in the cells" }
            dl.glossary {
                @for words in findings::WORDS {
                    dt { b { (words.word) } " " (words.checker) }
                    dd { (words.meaning) "." }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
