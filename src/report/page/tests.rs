//! What the page of a comparison must contain.

use picklock_sim::seed::Seed;

use super::*;
use crate::compare::{Cell, Column, Finding, Row};
use crate::engine::Engine;
use crate::families::FAMILIES;
use crate::outcome::Outcome;
use crate::report::timeline::tests::paused_over_its_lease;

/// What one run amounts to as a cell of `runs` runs like it.
fn cell(outcome: Outcome, runs: u32) -> Cell {
    let finding = |checker: &str, claimed| Finding { checker: checker.to_owned(), claimed, runs };
    let findings = outcome.violations();
    Cell {
        runs,
        broken: runs,
        struck: runs,
        findings: findings.map(|(judge, _)| finding(&judge.checker, judge.claimed)).collect(),
        example: Some(Box::new(outcome)),
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
    let row = |contender: &str, cells| Row { contender: contender.parse().unwrap(), cells };
    Matrix {
        scenario: "sale <of> 1 & more".to_owned(),
        engine: Engine::Event,
        seed: Seed(1),
        plans: 20,
        families: columns.collect(),
        rows: vec![
            row("redis-token-cad", vec![calm(), cell(paused_over_its_lease(), 20), idle]),
            row("redis-lua-decr", vec![calm(), seen, calm()]),
        ],
    }
}

#[test]
fn the_page_has_every_row_and_column() {
    let page = render(&matrix());
    for row in ["redis-token-cad", "redis-lua-decr", "compare-and-delete script", "R21:"] {
        assert!(page.contains(row), "{row}");
    }
    for column in FAMILIES.iter().take(3) {
        assert!(page.contains(column.name) && page.contains(column.about), "{}", column.name);
    }
}

#[test]
fn each_kind_of_cell_has_its_own_words() {
    let page = render(&matrix());
    for words in ["books wrong<span class=\"rate\">✗ 20/20 +", "never struck", "starved<span", "ok"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_broken_cell_opens_its_counterexample() {
    let page = render(&matrix());
    for part in [
        "href=\"#cell-redis-token-cad-process-pause\"",
        "<dialog id=\"cell-redis-token-cad-process-pause\"",
        "cargo picklock replay target/picklock/compare/plans/redis-token-cad-process-pause.plan.json",
        "2 holders",
        "process pause of holder, at 1.200 s, for 1.300 s",
        "<svg class=\"timeline\"",
        "client 2 ok acquire",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<dialog ").count(), 1);
}

#[test]
fn texts_are_escaped_and_nothing_is_fetched() {
    let page = render(&matrix());
    assert!(page.contains("sale &lt;of&gt; 1 &amp; more"));
    assert!(!page.contains("<of>"));
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_same_matrix_gives_the_same_page() {
    assert_eq!(render(&matrix()), render(&matrix()));
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
