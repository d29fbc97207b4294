//! The matrix of a comparison as a Markdown table: what a README or a job's summary shows.

use std::fmt::Write;

use super::escape;
use crate::compare::{Cell, Finding, Matrix};
use crate::report::findings::{self, WORDS};

/// The matrix with its legend, and what each lock costs.
pub fn matrix(matrix: &Matrix) -> String {
    let mut text = String::new();
    let codes: Vec<_> = matrix.families.iter().map(|family| escape(family.code)).collect();
    let _ = writeln!(text, "| lock | {} |", codes.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(codes.len()));
    for (group, rows) in matrix.groups() {
        let _ = writeln!(text, "| **{}** |{}", group.title(), " |".repeat(codes.len()));
        for (_, row) in rows {
            let cells = row.cells.iter().zip(&matrix.families);
            let cells: Vec<_> = cells.map(|(cell, family)| cell_text(cell, family.name)).collect();
            let _ = writeln!(text, "| `{}` | {} |", row.contender, cells.join(" | "));
        }
    }
    legend(&mut text, matrix);
    text.push_str(&super::costs::table(matrix));
    text
}

fn cell_text(cell: &Cell, family: &str) -> String {
    let code = |finding: &Finding| findings::of(&finding.checker).code;
    match findings::worst(cell) {
        Some(finding) if finding.claimed => format!("**{}** {}", code(finding), finding.runs),
        _ if cell.unknown > 0 => format!("? {}", cell.unknown),
        Some(finding) => format!("({}) {}", code(finding), finding.runs),
        None if cell.struck == 0 && family != "none" => "–".to_owned(),
        None => "·".to_owned(),
    }
}

fn legend(text: &mut String, matrix: &Matrix) {
    let _ = write!(
        text,
        "\nA code with a rate is a promise broken in so many of {} plans; the plans of a column are \
         the same for every lock ({} engine, seed {}). In brackets: seen, but never promised. `·` \
         nothing found, `–` no fault struck, `?` not judged.\n\n",
        matrix.plans, matrix.engine, matrix.seed
    );
    for words in WORDS {
        let _ = writeln!(text, "- {}: {}", words.code, escape(words.meaning));
    }
    text.push_str("\nColumns:\n\n");
    for family in &matrix.families {
        let _ = writeln!(text, "- `{}` {}: {}", family.code, family.name, escape(family.about));
    }
}
