//! The comparison as one HTML page that needs nothing else: no network, no other file.
//!
//! For somebody who has never seen the code: what was tried, what broke, and for each cell in which
//! something broke one run, drawn, with the command that repeats it.

mod chart;
mod example;
mod matrix;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::compare::Matrix;
use crate::outcome::Severity;
use crate::report::findings;

/// The page.
pub fn render(matrix: &Matrix) -> String {
    let title = format!("picklock: {}", matrix.scenario);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("page/style.css"))) }
            }
            body {
                (PreEscaped(include_str!("page/marks.svg")))
                main {
                    (introduction(matrix))
                    (legend())
                    (matrix::table(matrix))
                    (families(matrix))
                    (glossary())
                }
                @for row in &matrix.rows {
                    @for (cell, column) in row.cells.iter().zip(&matrix.families) {
                        @if let Some(example) = &cell.example {
                            (example::dialog(row, cell, column, example))
                        }
                    }
                }
                script { (PreEscaped(include_str!("page/page.js"))) }
            }
        }
    };
    page.into_string()
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
                "Real lock code against a simulated Redis, under " (plans) " fault plans per cell: \
                every cell is one algorithm under one class of faults, and all algorithms meet \
                exactly the same plans."
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
        span.command { code { (line) } button type="button" data-copy=(line) { "copy" } }
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
