//! What `picklock verify` found, for a terminal: runs that should be the same, digests on record,
//! verdicts of two engines.

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};

use crate::agreement::{Accord, Agreement, Both, Engines};
use crate::cli::{End, Side, Verified};
use crate::golden::Change;

/// How a run ended.
pub(crate) fn end(end: &End) -> String {
    match end {
        End::Whole { digest, items, .. } => format!("digest {digest} after {items} items"),
        End::Failed { error, .. } => format!("failed: {error}"),
    }
}

/// A line for each plan that repeated; where the runs part for each that did not.
pub(crate) fn processes(all: &[Verified]) -> String {
    let mut text = String::new();
    for Verified { scenario, contender, seed, engine, processes, runs, first, other, .. } in all {
        let name = format!("{scenario} with {contender}, seed {seed}, {engine} engine");
        if other.is_none() {
            let Side { end, .. } = first;
            let _ = writeln!(text, "same  {name}: {end}, {runs} runs in {processes} processes");
        } else {
            let _ = writeln!(text, "NOT REPEATED  {name}");
        }
    }
    for verified in all {
        parted(&mut text, verified);
    }
    text
}

/// Two runs that are not the same: how they ended, and the first item that differs from both sides.
fn parted(text: &mut String, verified: &Verified) {
    let Verified { first, other: Some(other), difference, .. } = verified else { return };
    let Verified { scenario, contender, .. } = verified;
    let _ = writeln!(text, "\n{scenario} with {contender}:");
    for (side, letter) in [(first, 'A'), (other, 'B')] {
        let Side { process, threads, end } = side;
        let at_once = if *threads == 1 { "1 run" } else { &format!("{threads} runs at once") };
        let _ = writeln!(text, "  {letter}: process {process}, {at_once}: {end}");
    }
    let Some(difference) = difference else { return };
    let item = difference.item;
    let _ = writeln!(text, "  the first difference is item {item} of the digest:");
    for line in &difference.before {
        let _ = writeln!(text, "           {line}");
    }
    let [one, other] = &difference.sides;
    for (lines, letter) in [(one, 'A'), (other, 'B')] {
        let lines = if lines.is_empty() { &["ended here".to_owned()][..] } else { lines };
        for (place, line) in lines.iter().enumerate() {
            let mark = if place == 0 { '>' } else { ' ' };
            let _ = writeln!(text, "    {letter} {mark}    {line}");
        }
    }
    if one.first() == other.first() {
        text.push_str("  Both read the same: they differ in what a line does not show.\n");
    }
}

/// The runs whose digests are not those on record.
pub(crate) fn changes(changes: &[Change], runs: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["scenario", "seed", "contender", "on record", "now"]);
    for Change { run, old, new } in changes {
        let digest = |digest: &Option<_>| {
            digest.map_or("-".to_owned(), |it: picklock_sim::digest::Digest| it.to_string())
        };
        let (scenario, contender) = (run.scenario.clone(), run.contender.clone());
        table.add_row([scenario, run.seed.to_string(), contender, digest(old), digest(new)]);
    }
    match changes.len() {
        0 => format!("all {runs} runs have the digests on record\n"),
        count => format!("{table}\n\n{count} runs are not as they are on record\n"),
    }
}

/// Verdicts side by side, what differs, and what only one engine can judge.
pub(crate) fn engines(engines: &Engines) -> String {
    let mut text =
        "Runs in which each checker found a violation, event engine / turmoil engine:\n".to_owned();
    let mut last = "";
    for agreement in &engines.agreements {
        if last != agreement.scenario {
            let _ = writeln!(text, "\n{}", agreement.scenario);
        }
        last = &agreement.scenario;
        contender(&mut text, agreement);
    }
    inexpressible(&mut text, engines);
    let all = || engines.agreements.iter().flat_map(|agreement| &agreement.verdicts);
    let count = |accord| all().filter(|both| both.accord == accord).count();
    let [same, luck, differ] = [Accord::Same, Accord::Luck, Accord::Differs].map(count);
    let _ = writeln!(
        text,
        "\n{} contenders: {same} verdicts are the same on both engines, {luck} differ by luck, \
         {differ} differ; {} contenders on one engine only",
        engines.agreements.len(),
        engines.inexpressible.len(),
    );
    for file in &engines.differing {
        let file = file.display();
        let _ = writeln!(text, "repeat: cargo picklock verify --engines {file}");
    }
    text
}

fn contender(text: &mut String, agreement: &Agreement) {
    let counts = |both: &Both| format!("{}/{}", both.event.broken, both.turmoil.broken);
    let verdicts = || agreement.verdicts.iter();
    let found = verdicts().filter(|both| both.event.broken + both.turmoil.broken > 0);
    let found: Vec<_> = found.map(|both| format!("{} {}", both.checker, counts(both))).collect();
    let found = if found.is_empty() { "nothing found".to_owned() } else { found.join(", ") };
    let any = |accord| verdicts().any(|both| both.accord == accord);
    let mark = match (any(Accord::Differs), any(Accord::Luck)) {
        (true, _) => "DIFFERS",
        (false, true) => "luck",
        (false, false) => "same",
    };
    let Agreement { contender, runs, .. } = agreement;
    let _ = writeln!(text, "  {mark:<7} {contender}: {found} ({runs} runs)");
    for both in verdicts().filter(|both| both.accord != Accord::Same) {
        let word = if both.accord == Accord::Luck { "by luck" } else { "DIFFERS" };
        let (one, other) = (both.event.worst(), both.turmoil.worst());
        let Both { checker, event, turmoil, .. } = both;
        let _ = writeln!(
            text,
            "            {word}: {checker}: {one} on event ({} broken, {} unknown), {other} on \
             turmoil ({} broken, {} unknown)",
            event.broken, event.unknown, turmoil.broken, turmoil.unknown
        );
    }
}

/// Each scenario once, with the reason.
fn inexpressible(text: &mut String, engines: &Engines) {
    let mut told = engines.inexpressible.clone();
    told.dedup();
    if !told.is_empty() {
        text.push_str("\nNot expressible on the turmoil engine, so judged on one engine only:\n");
    }
    for one in told {
        let _ = writeln!(text, "  {}: {}", one.scenario, one.why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{Count, Inexpressible};
    use crate::engine::Engine;
    use picklock_sim::trail::Difference;

    fn side(process: usize, threads: usize, end: &str) -> Side {
        Side { process, threads, end: end.to_owned() }
    }

    fn verified(other: Option<Side>, difference: Option<Difference>) -> Verified {
        Verified {
            scenario: "s1".to_owned(),
            contender: "a-lock".to_owned(),
            seed: 7,
            engine: Engine::Event,
            processes: 20,
            runs: 30,
            first: side(1, 1, "digest aaaaaaaaaaaaaaaa after 4 items"),
            other,
            difference,
        }
    }

    #[test]
    fn runs_that_part_are_shown_from_both_sides() {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let difference = Difference {
            item: 2,
            before: lines(&["0.1 s  one", "0.2 s  two"]),
            sides: [lines(&["0.3 s  three", "0.4 s  four"]), lines(&[])],
        };
        let other = Some(side(4, 2, "digest bbbbbbbbbbbbbbbb after 2 items"));
        let failed = Some(side(2, 2, "failed: the program on client 1 panicked"));
        let all = [verified(None, None), verified(other, Some(difference)), verified(failed, None)];
        insta::assert_snapshot!(processes(&all));
    }

    #[test]
    fn verdicts_that_differ_stand_out_and_what_is_luck_is_shown() {
        let count = |broken| Count { broken, unknown: 0 };
        let both = |checker, event, turmoil, accord| Both {
            checker,
            event: count(event),
            turmoil: count(turmoil),
            accord,
        };
        let agreement = |contender: &str, verdicts| Agreement {
            scenario: "s1".to_owned(),
            contender: contender.to_owned(),
            runs: 5,
            verdicts,
        };
        let why =
            Inexpressible { scenario: "loss".to_owned(), why: "33 % loss: cannot".to_owned() };
        let found = Engines {
            agreements: vec![
                agreement("clean", vec![both("oversold", 0, 0, Accord::Same)]),
                agreement("lucky", vec![both("oversold", 2, 0, Accord::Luck)]),
                agreement(
                    "torn",
                    vec![
                        both("oversold", 5, 4, Accord::Same),
                        both("ledger", 0, 3, Accord::Differs),
                    ],
                ),
            ],
            inexpressible: vec![why.clone(), why],
            differing: vec!["scenarios/s1.toml".into()],
        };
        insta::assert_snapshot!(engines(&found));
    }
}
