//! What locks cost, as a Markdown table.

use std::fmt::Write;

use crate::compare::Matrix;
use crate::report::costs::{COLUMNS, measured, rows};

/// The table with its legend; nothing if there is nothing to show.
pub(super) fn table(matrix: &Matrix) -> String {
    let rows = rows(matrix);
    let mut text = String::new();
    if rows.is_empty() {
        return text;
    }
    let titles: Vec<_> = COLUMNS.iter().map(|column| column.title).collect();
    let _ = writeln!(text, "\n| cost | {} |", titles.join(" | "));
    let _ = writeln!(text, "|---|{}", "---:|".repeat(COLUMNS.len()));
    for (contender, costs) in &rows {
        let values: Vec<_> = COLUMNS.iter().map(|column| (column.value)(costs)).collect();
        let _ = writeln!(text, "| `{}` | {} |", contender.lock, values.join(" | "));
    }
    let _ = writeln!(text, "\n{}\n", measured());
    for column in COLUMNS {
        let _ = writeln!(text, "- {}: {}", column.title, column.about);
    }
    text
}
