//! What locks cost, as a table.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::compare::Matrix;
use crate::report::costs::{COLUMNS, measured, rows};

/// The table with its legend; nothing if there is nothing to show.
pub(super) fn table(matrix: &Matrix) -> String {
    let rows = rows(matrix);
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(std::iter::once("cost").chain(COLUMNS.iter().map(|column| column.title)));
    for (contender, costs) in &rows {
        let values = COLUMNS.iter().map(|column| (column.value)(costs));
        table.add_row(std::iter::once(contender.lock.to_owned()).chain(values));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!("\n{table}\n\n{}\n\n", measured());
    for column in COLUMNS {
        let _ = writeln!(text, "  {:<14} {}", column.title, column.about);
    }
    text
}
