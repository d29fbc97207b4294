//! What the page of a comparison must contain.

use picklock_sim::seed::Seed;

use super::*;
use crate::compare::{Cell, Column, Finding, Row};
use crate::contender::Contender;
use crate::counterfactual::What;
use crate::engine::Engine;
use crate::exhibit::Shown;
use crate::families::FAMILIES;
use crate::outcome::Outcome;
use crate::report::timeline::tests::paused_over_its_lease;

/// What one run amounts to as a cell of `runs` runs like it.
fn cell(outcome: &Outcome, runs: u32) -> Cell {
    let finding = |checker: &str, claimed| Finding { checker: checker.to_owned(), claimed, runs };
    let findings = outcome.violations();
    Cell {
        runs,
        broken: runs,
        struck: runs,
        findings: findings.map(|(judge, _)| finding(&judge.checker, judge.claimed)).collect(),
        ..Cell::default()
    }
}

fn matrix() -> Matrix {
    let families = FAMILIES.iter().take(3);
    let columns = families.map(|f| Column { code: f.code, name: f.name, about: f.about });
    let calm = || Cell { runs: 20, struck: 20, ..Cell::default() };
    let idle = Cell { runs: 20, ..Cell::default() };
    let seen = Cell {
        unclaimed: 3,
        findings: vec![Finding { checker: "starvation".to_owned(), claimed: false, runs: 3 }],
        ..calm()
    };
    let row = |contender: &str, cells| {
        let contender: Contender = contender.parse().unwrap();
        Row { group: contender.group(), contender, cells, costs: None }
    };
    Matrix {
        scenario: "sale <of> 1 & more".to_owned(),
        engine: Engine::Event,
        seed: Seed(1),
        plans: 20,
        families: columns.collect(),
        rows: vec![
            row("redis-token-cad", vec![calm(), cell(&paused_over_its_lease(), 20), idle]),
            row("redis-lua-decr", vec![calm(), seen, calm()]),
        ],
    }
}

/// The run of the second cell, with what would have happened otherwise.
fn exhibit() -> Exhibit {
    let shown = || Shown::new(paused_over_its_lease(), None);
    let what = What::Without { fault: 0, told: "process <pause>".to_owned() };
    Exhibit { fact: shown(), variants: vec![(what, shown())], notes: vec!["a <note>".to_owned()] }
}

fn page() -> String {
    render(&matrix(), &Exhibits::from([((0, 1), exhibit())]))
}

/// What the script of a page unpacks for its first sheet.
fn packed(page: &str) -> serde_json::Value {
    use base64::Engine as _;
    let (_, rest) = page.split_once("<script class=\"pack\"").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    let (text, _) = rest.split_once('<').unwrap();
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).unwrap();
    let json = miniz_oxide::inflate::decompress_to_vec(&bytes).unwrap();
    let mut sheets: serde_json::Value = serde_json::from_slice(&json).unwrap();
    sheets[0].take()
}

#[test]
fn the_page_has_every_row_and_column() {
    let page = page();
    for row in ["redis-token-cad", "redis-lua-decr", "compare-and-delete script", "R21:"] {
        assert!(page.contains(row), "{row}");
    }
    for column in FAMILIES.iter().take(3) {
        assert!(page.contains(column.name) && page.contains(column.about), "{}", column.name);
    }
}

#[test]
fn each_kind_of_cell_has_its_own_words() {
    let page = page();
    for words in ["books wrong<span class=\"rate\">✗ 20/20 +", "never struck", "starved<span", "ok"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_broken_cell_opens_its_counterexample() {
    let page = page();
    for part in [
        "href=\"#cell-redis-token-cad-process-pause\"",
        "<dialog class=\"run\" id=\"cell-redis-token-cad-process-pause\"",
        "cargo picklock replay target/picklock/compare/plans/redis-token-cad-process-pause.plan.json",
        "cargo picklock report target/picklock/compare/plans/redis-token-cad-process-pause.plan.json",
        "2 holders",
        "process pause of holder, at 1.200 s, for 1.300 s",
        "without the process &lt;pause&gt;",
        "a &lt;note&gt;",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // And the list of keys.
    assert_eq!(page.matches("<dialog ").count(), 2);
}

#[test]
fn texts_are_escaped_and_nothing_is_fetched() {
    let page = page();
    assert!(page.contains("sale &lt;of&gt; 1 &amp; more"));
    for unescaped in ["<of>", "<pause>", "<note>", "innerHTML"] {
        assert!(!page.contains(unescaped), "{unescaped}");
    }
    // The one address is the name of SVG, which nobody fetches.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http://", "https://", "src=", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("url(").count(), page.matches("url(#").count());
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
}

#[test]
fn the_same_matrix_gives_the_same_page() {
    assert_eq!(page(), page());
}

#[test]
fn slugs_are_stable_and_tell_contenders_apart() {
    assert_eq!(slug("redis-token-cad", "none"), "redis-token-cad-none");
    assert_eq!(
        slug("redis-token-cad + shop-checked", "process-pause"),
        "redis-token-cad+shop-checked-process-pause"
    );
    assert_eq!(slug("my lock/2", "x"), "my-lock-2-x");
}

#[test]
fn the_script_gets_the_fact_and_the_what_ifs_over_the_same_stretch() {
    let runs = packed(&page());
    assert_eq!(runs[0]["what"], "");
    assert_eq!(runs[1]["what"], "without the process <pause>");
    assert_eq!(runs[0]["verdict"], "✗ books wrong");
    assert_eq!(runs[0]["view"], runs[1]["view"]);
    let column = |name: &str| runs[0]["events"][name].as_array().unwrap().len();
    assert_eq!(
        (column("at"), column("op"), column("steady")),
        (column("index"), column("index"), 0)
    );
    assert_eq!(runs[0]["messages"], serde_json::Value::Null);
    assert_eq!(runs[0]["proofs"][0]["word"], "2 holders");
}

#[test]
fn a_page_of_many_runs_gives_up_detail_rather_than_grow() {
    let matrix = matrix();
    let exhibits = Exhibits::from([((0, 1), exhibit())]);
    let sizes = Detail::STEPS.map(|detail| render_with(&matrix, &exhibits, detail).len());
    assert!(sizes.is_sorted_by(|more, less| more >= less), "{sizes:?}");
    assert_eq!(render(&matrix, &exhibits).len(), sizes[0]);
    let last = render_with(&matrix, &exhibits, Detail::STEPS[4]);
    assert_eq!(packed(&last).as_array().unwrap().len(), 1);
    assert!(!last.contains("data-run=\"1\"") && last.contains("without the process"));
    let words = render_with(&matrix, &exhibits, Detail::STEPS[5]);
    assert!(!words.contains("class=\"pack\"") && words.contains("too many runs for pictures"));
}

#[test]
fn one_run_has_a_page_of_its_own() {
    let page = render_run(&exhibit(), "a/b.plan.json");
    for part in ["redis-token-cad: books wrong", "How it began: 2 holders", "replay a/b.plan.json"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(packed(&page)[0]["span"], 10_000_000);
}

#[test]
fn a_history_that_lost_its_plan_says_what_is_missing() {
    let fact = Shown { plan: None, ..Shown::new(paused_over_its_lease(), None) };
    let page = render_run(&Exhibit { fact, variants: Vec::new(), notes: Vec::new() }, "x.jsonl");
    assert!(page.contains("its plan is not there") && page.contains("Only the plan can say"));
}
