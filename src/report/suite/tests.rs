//! A made-up suite for the tests of all writers, and the tests of the suite itself.

use std::path::Path;

use super::*;
use crate::terms::Claim;
use crate::verdict::Violation;

/// A failed case with these words.
pub(in crate::report) fn failed(name: &str, message: &str, detail: &str) -> Case {
    let trouble =
        Trouble { message: message.to_owned(), details: vec![detail.to_owned()], damage: 3 };
    let case =
        Case::new("group", name, Status::Failed(trouble)).at(Path::new("scenarios/small.toml"), 8);
    Case { runs: 20, found: "belief-overlap".to_owned(), ..case }
}

/// One case of every kind, with everything that needs escaping somewhere.
pub(in crate::report) fn made_up() -> Suite {
    let mut suite = Suite::new("picklock run");
    let passed = Case::new("s1-gc-pause", "redis-lua-decr", Status::Passed);
    suite.push(Case { runs: 1, found: "clean".to_owned(), ..passed });
    suite.push(
        failed(
            "redis-token-cad",
            "`belief-overlap` in 1 of 20 runs, first with seed 3",
            "Both <b>",
        )
        .repeated_by(Path::new("target/picklock/run/event/group/redis-token-cad-3.plan.json")),
    );
    let why = "`recovery` could not judge 2 of 2 runs, first with seed 1";
    let details = vec!["recovery: the history ends at 1.5 s, 100 % too early & \"cut\"".to_owned()];
    let unjudged = Trouble { message: why.to_owned(), details, damage: 10 };
    let unjudged = Case::new("group", "a | b_c", Status::Errored(unjudged));
    suite.push(Case { runs: 2, found: "recovery?".to_owned(), ..unjudged });
    let why = "turmoil cannot express: one-way cut".to_owned();
    suite.push(Case::new("s2", "redis-watchdog", Status::Skipped { why }));
    let worst = Trouble {
        message: "`ledger` in 1 of 1 runs\n`oversold` in 1 of 1 runs".to_owned(),
        details: vec!["There was 1 unit to sell,".to_owned(), "```".to_owned()],
        damage: 0,
    };
    suite.push(Case::new("s1-gc-pause", "redis-setpx-del", Status::Failed(worst)));
    suite
}

#[test]
fn the_worst_come_first() {
    let suite = made_up();
    let names: Vec<_> = suite.worst_first().into_iter().map(|case| case.name.as_str()).collect();
    let expected =
        ["redis-setpx-del", "redis-token-cad", "a | b_c", "redis-watchdog", "redis-lua-decr"];
    assert_eq!(names, expected);
    assert_eq!(suite.counts(), Counts { passed: 1, failed: 2, errored: 1, skipped: 1 });
}

fn judgement(checker: &str, at_ms: u64, word: &str) -> Judgement {
    let violation = Violation {
        at: picklock_sim::time::SimTime::from_millis(at_ms),
        times: 1,
        lasted_ms: None,
        witnesses: Vec::new(),
        story: [1, 2, 3].map(|line| format!("{checker} {line}")),
    };
    let verdict = match word {
        "fail" => Verdict::Fail(violation),
        "unknown" => Verdict::Unknown { reason: "too short".to_owned() },
        _ => Verdict::Pass,
    };
    Judgement { checker: checker.to_owned(), claim: Claim::WellFormed, claimed: true, verdict }
}

#[test]
fn what_surprises_is_told_before_what_was_expected() {
    let judgements = [
        judgement("belief-overlap", 10, "fail"),
        judgement("oversold", 30, "fail"),
        judgement("release-safety", 20, "fail"),
        judgement("starvation", 0, "pass"),
    ];
    let trouble = Trouble::told("wrong", &judgements, &["release-safety"]);
    let first: Vec<_> = trouble.details.iter().skip(1).step_by(4).map(|line| line.trim()).collect();
    assert_eq!(first, ["release-safety 1", "belief-overlap 1", "oversold 1"]);
    assert_eq!(trouble.details[0], "release-safety: a client removed another's lock record");
    assert_eq!(trouble.damage, findings::damage("release-safety"));
    assert_eq!(found(&judgements), "belief-overlap, oversold, release-safety");
}

#[test]
fn what_could_not_be_judged_says_why() {
    let judgements = [judgement("recovery", 0, "unknown"), judgement("ledger", 0, "pass")];
    let trouble = Trouble::told("unknown", &judgements, &["recovery"]);
    assert_eq!(trouble.details, ["recovery: too short"]);
    assert_eq!(found(&judgements), "recovery?");
    assert_eq!(found(&judgements[1..]), "clean");
    assert_eq!(found(&[]), "");
}

#[test]
fn a_command_can_be_copied_whatever_the_file_is_called() {
    assert_eq!(quoted("target/a_b-1.plan.json"), "target/a_b-1.plan.json");
    assert_eq!(quoted("a; rm 'b'"), r"'a; rm '\''b'\'''");
}
