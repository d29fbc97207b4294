//! Every violation that is known, as a document: `docs/FINDINGS.md`.
//!
//! First what scenarios show, because each was written to be read; then what the comparison found, lock by lock under
//! each family of faults, with the smallest run that shows it. All of it is generated, so that it cannot be wrong
//! about a build that still passes.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::escape;
use crate::catalogue::{self, Catalogue, Known};
use crate::compare::{Cell, Column, Matrix, Row};
use crate::contender::Contender;
use crate::plan::Plan;
use crate::report::findings;
use crate::report::page::plan_file;
use crate::report::told::Told;
use crate::scenario::{ContenderSpec, Scenario};

/// The document.
pub fn render(matrix: &Matrix, catalogue: &Catalogue) -> String {
    let mut text = introduction(matrix);
    scenarios(&mut text, catalogue);
    text.push_str("\n## Found by the comparison\n");
    for (place, family) in matrix.families.iter().enumerate() {
        section(&mut text, matrix, catalogue, (place, family));
    }
    text
}

fn introduction(matrix: &Matrix) -> String {
    let examples =
        matrix.rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.example.is_some());
    format!(
        "# Findings\n\n\
         Every violation that picklock knows, with the smallest run that shows it and the command that repeats it. \
         Made by `picklock compare --findings`, never by hand.\n\n\
         - **Bold**: the lock's documentation, or the resource's, promises otherwise. In brackets: seen, never promised.\n\
         - *Published*: who described it before, as far as we know; an own finding is one for which we know nobody.\n\
         - *On real servers*: the plan was carried out on real processes, and the same checkers failed \
         (`reports/confirmed.md`). A dash: not tried.\n\n\
         What the codes mean stands below the table of the README. {} cells of the comparison have a violation, of {}.\n",
        examples.count(),
        matrix.rows.len() * matrix.families.len()
    )
}

/// What each scenario shows, in which locks.
fn scenarios(text: &mut String, catalogue: &Catalogue) {
    text.push_str(
        "\n## Shown by scenarios\n\n\
         Each is repeated by `cargo picklock run FILE`.\n\n\
         | scenario | what it shows | violations | published | on real servers |\n|---|---|---|---|---|\n",
    );
    for scenario in &catalogue.scenarios {
        let shown: Vec<_> =
            scenario.contender.iter().filter_map(|spec| shown(scenario, spec)).collect();
        if shown.is_empty() {
            continue;
        }
        let about =
            scenario.about.trim().split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let _ = writeln!(
            text,
            "| [{}](../{}) | {} | {} | {} | {} |",
            scenario.name,
            catalogue::file(scenario).display(),
            escape(&about),
            shown.join(", "),
            catalogue::published(scenario).map_or("own finding".to_owned(), escape),
            confirmed_of(scenario, catalogue),
        );
    }
}

/// `redis-token-cad` **OS**, if the contender fails there.
fn shown(scenario: &Scenario, spec: &ContenderSpec) -> Option<String> {
    let worst = catalogue::expects(spec).into_iter().min_by_key(|checker| {
        (!claimed(&spec.name, scenario, checker), findings::damage(checker))
    })?;
    Some(format!("`{}` {}", spec.name, code(worst, claimed(&spec.name, scenario, worst))))
}

fn claimed(contender: &Contender, scenario: &Scenario, checker: &str) -> bool {
    let claims = contender.claims(scenario.workload.kind);
    crate::checkers::claim_of(checker).is_some_and(|claim| claims.contains(&claim))
}

fn code(checker: &str, claimed: bool) -> String {
    let code = findings::of(checker).code;
    if claimed { format!("**{code}**") } else { format!("({code})") }
}

/// What came of it on real servers, for how many of the scenario's failing contenders.
fn confirmed_of(scenario: &Scenario, catalogue: &Catalogue) -> String {
    let failing = scenario.contender.iter().filter(|spec| !catalogue::expects(spec).is_empty());
    let names: Vec<String> = failing.map(|spec| spec.name.to_string()).collect();
    let answers: Vec<_> =
        names.iter().filter_map(|name| catalogue.on_real_servers(scenario, name)).collect();
    let kinds: BTreeSet<_> = answers.iter().copied().collect();
    let told = kinds.into_iter().map(|kind| {
        let count = answers.iter().filter(|answer| **answer == kind).count();
        format!("{kind}: {count} of {}", names.len())
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() { "–".to_owned() } else { told.join("; ") }
}

/// One family of faults.
fn section(
    text: &mut String,
    matrix: &Matrix,
    catalogue: &Catalogue,
    (place, family): (usize, &Column),
) {
    let found = |row: &&Row| row.cells[place].example.is_some();
    if !matrix.rows.iter().any(|row| found(&row)) {
        return;
    }
    let _ = write!(
        text,
        "\n### {}: {}\n\nWhat happens: {}. After `cargo picklock compare --plans {} --family {}`, each is repeated by \
         `cargo picklock replay {}`, with its lock for LOCK.\n\n\
         | lock | found | runs | the smallest run | published | on real servers |\n|---|---|---:|---|---|---|\n",
        family.code,
        family.name,
        escape(family.about),
        matrix.plans,
        family.name,
        plan_file("LOCK", family.name)
    );
    for row in matrix.rows.iter().filter(found) {
        line(text, row, &row.cells[place], catalogue);
    }
}

fn line(text: &mut String, row: &Row, cell: &Cell, catalogue: &Catalogue) {
    let (Some(worst), Some(example)) = (findings::worst(cell), &cell.example) else { return };
    let known = catalogue.knowing(example, &worst.checker);
    let contender = row.contender.to_string();
    let real = match &known {
        Known::Of(known) => {
            known.iter().find_map(|scenario| catalogue.on_real_servers(scenario, &contender))
        }
        Known::OfOthers(_) => None,
    };
    let _ = writeln!(
        text,
        "| `{contender}` | {} {} | {} of {} | {} | {} | {} |",
        code(&worst.checker, worst.claimed),
        findings::of(&worst.checker).word,
        worst.runs,
        cell.runs,
        escape(&smallest(&example.plan)),
        published(&known),
        real.unwrap_or("–"),
    );
}

/// Who has shown it before: a published scenario before one of our own, and of this lock before others.
fn published(known: &Known<'_>) -> String {
    let link = |scenario: &Scenario| {
        format!("[{}](../{})", scenario.name, catalogue::file(scenario).display())
    };
    let (Known::Of(scenarios) | Known::OfOthers(scenarios)) = known;
    let published = scenarios.iter().find(|scenario| catalogue::published(scenario).is_some());
    let text = match (published, scenarios.first()) {
        (Some(published), _) => link(published),
        (None, Some(own)) => format!("own finding: {}", link(own)),
        (None, None) => return "not as far as we know".to_owned(),
    };
    match known {
        Known::Of(_) => text,
        Known::OfOthers(_) => format!("of other locks: {text}"),
    }
}

/// `2 clients; process pause of client 1, when client 1 begins the 1st write, for 2.000 s`.
fn smallest(plan: &Plan) -> String {
    let clients = match plan.clients().count() {
        1 => "1 client".to_owned(),
        count => format!("{count} clients"),
    };
    let servers = match plan.lock_servers().len() {
        0 | 1 => String::new(),
        count => format!(", {count} servers"),
    };
    let faults: Vec<String> =
        plan.world.faults.iter().map(|fault| Told(fault).to_string()).collect();
    match faults.is_empty() {
        true => format!("{clients}{servers}; no fault at all"),
        false => format!("{clients}{servers}; {}", faults.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::families::Family;
    use crate::{compare, scenario};

    #[test]
    fn shows_everything() {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let load = |name: &str| scenario::load(&top.join("scenarios").join(name)).unwrap();
        let names = ["published/s1-gc-pause.toml", "negative/etcd-fence-repeats.toml"];
        let table = "| `s1-gc-pause` | `redis-token-cad` | oversold | **confirmed** | 1 |";
        let catalogue = Catalogue::new(names.map(load).to_vec(), table);
        let of =
            ["redis-token-cad", "redis-lua-decr", "redlock-spec"].map(|name| name.parse().unwrap());
        let families = ["none", "process-pause"].map(|name| Family::find(name).unwrap());
        let all = load("compare/all-locks.toml");
        let matrix = compare::compare(&all, &of, &families, 1, Engine::Event, &|| ()).unwrap();
        insta::assert_snapshot!(render(&matrix, &catalogue));
    }
}
