//! What locks cost, as a table below the matrix.

use maud::{Markup, html};

use crate::compare::Matrix;
use crate::report::costs::{COLUMNS, measured, rows};

pub(super) fn table(matrix: &Matrix) -> Markup {
    let rows = rows(matrix);
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "What each lock costs" }
                p.hint { (measured()) }
                div.scroll tabindex="0" role="region" aria-label="costs" {
                    table.costs {
                        thead {
                            tr {
                                th scope="col" { "lock" }
                                @for column in COLUMNS {
                                    th scope="col" { (column.title) small { (column.about) } }
                                }
                            }
                        }
                        tbody {
                            @for (contender, costs) in &rows {
                                tr {
                                    th scope="row" { (contender.lock) }
                                    @for column in COLUMNS { td { ((column.value)(costs)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
