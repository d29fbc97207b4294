//! The table: contenders against fault families.

use maud::{Markup, html};

use super::{Exhibits, slug, words};
use crate::compare::{Cell, Column, Matrix, Row};
use crate::locks::AlgorithmInfo;
use crate::outcome::Severity;
use crate::report::findings;
use crate::resource::{RESOURCES, ResourceKind};

/// The family in which nothing is meant to strike.
const CALM: &str = "none";

pub(super) fn table(matrix: &Matrix, exhibits: &Exhibits) -> Markup {
    html! {
        // Scrolls by itself, so it must be reachable by keyboard.
        div.scroll tabindex="0" role="region" aria-label="results" {
            table.matrix {
                thead {
                    tr {
                        th scope="col" { "lock" }
                        @for column in &matrix.families {
                            th scope="col" title=(column.about) {
                                abbr { (column.code) }
                                span { (column.name) }
                            }
                        }
                    }
                }
                tbody {
                    @for (group, rows) in matrix.groups() {
                        tr.group {
                            th scope="rowgroup" colspan=(1 + matrix.families.len()) {
                                (group.title())
                            }
                        }
                        @for (place, row) in rows {
                            tr {
                                (contender(row))
                                @for (number, column) in matrix.families.iter().enumerate() {
                                    @let opens = exhibits.contains_key(&(place, number));
                                    td { (cell_of(row, &row.cells[number], column, opens)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn contender(row: &Row) -> Markup {
    let lock = AlgorithmInfo::find(row.contender.lock).filter(|_| row.contender.locks());
    // The plain shop goes without saying.
    let special = |kind: &ResourceKind| *kind != ResourceKind::Shop;
    let resource =
        RESOURCES.iter().find(|(kind, ..)| *kind == row.contender.resource && special(kind));
    html! {
        th scope="row" {
            b { (row.contender) }
            @if let Some(lock) = lock { small { (lock.about) } }
            @if let Some((_, name, about)) = resource { small { (name) ": " (about) } }
        }
    }
}

fn cell_of(row: &Row, cell: &Cell, column: &Column, opens: bool) -> Markup {
    let severity = cell.severity();
    let idle = severity == Severity::Clean && cell.struck == 0 && column.name != CALM;
    let class = if idle { "idle" } else { words::class(severity) };
    let face = html! {
        @if idle {
            "never struck"
        } @else {
            (face(cell, severity))
        }
    };
    let about = about(row, cell, column);
    match opens {
        true => {
            let link = format!("#cell-{}", slug(&row.contender.to_string(), column.name));
            html! { a class={ "cell " (class) } href=(link) title=(about) { (face) } }
        }
        false => html! { span class={ "cell " (class) } title=(about) { (face) } },
    }
}

/// The word and the rate.
fn face(cell: &Cell, severity: Severity) -> Markup {
    let sign = words::sign(severity);
    match (severity, findings::worst(cell)) {
        (Severity::Clean, _) => html! { (sign) " ok" },
        (Severity::Unknown, _) | (_, None) => {
            html! { "unknown" span.rate { (sign) " " (cell.unknown) "/" (cell.runs) } }
        }
        (_, Some(finding)) => html! {
            (findings::of(&finding.checker).word)
            span.rate {
                (sign) " " (finding.runs) "/" (cell.runs)
                @if cell.findings.len() > 1 { " +" (cell.findings.len() - 1) }
            }
        },
    }
}

/// Everything about the cell, for whoever points at it.
fn about(row: &Row, cell: &Cell, column: &Column) -> String {
    let mut lines = vec![format!("{} under {}: {}", row.contender, column.name, column.about)];
    for finding in &cell.findings {
        let promise = if finding.claimed { "" } else { " (not promised)" };
        lines.push(format!(
            "{} in {} of {} runs{promise}",
            findings::of(&finding.checker).word,
            finding.runs,
            cell.runs
        ));
    }
    lines.push(rates(cell));
    lines.join("\n")
}

/// `A promise was broken in 3 of 20 runs (5 % to 36 %); the fault struck in 20.`
pub(super) fn rates(cell: &Cell) -> String {
    let (low, high) = cell.interval;
    let mut text = format!(
        "A promise was broken in {} of {} runs (true rate {:.0} % to {:.0} %, 95 % interval)",
        cell.broken,
        cell.runs,
        low * 100.0,
        high * 100.0
    );
    if cell.unknown > 0 {
        text.push_str(&format!("; {} could not be judged", cell.unknown));
    }
    text + &format!("; a fault struck in {}.", cell.struck)
}
