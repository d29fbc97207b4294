//! What a sweep found, for CI: a case per contender, per distinct failure, and per known failure that
//! was missed.

use std::path::PathBuf;

use crate::checkers;
use crate::report::suite::{self, Case, Status, Suite, Trouble};
use crate::scenario::Scenario;
use crate::search::sweep::{ContenderAccount, Failure, Known, Sweep};

/// The account as a suite; `kept` are the plans of its failures, in the account's order.
pub fn suite(
    scenario: &Scenario,
    sweep: &Sweep,
    known: &[Known],
    missed: &[&Known],
    kept: &[PathBuf],
) -> Suite {
    let mut suite = Suite::new("picklock sweep");
    let mut kept = kept.iter();
    for account in &sweep.contenders {
        let spec = scenario.contender.iter().find(|spec| spec.name == account.contender);
        let line = spec.map_or(1, |spec| spec.line);
        suite.push(whole(scenario, account).at(&scenario.file, line));
        for failure in &account.failures {
            let foreseen = account.foresees(failure, scenario, known);
            let case = one(scenario, account, failure, foreseen).at(&scenario.file, line);
            suite.push(match kept.next() {
                Some(plan) => case.repeated_by(plan),
                None => case,
            });
        }
    }
    for known in missed {
        suite.push(not_found(scenario, known).at(&scenario.file, 1));
    }
    suite
}

/// A contender: whether all its runs could be judged.
fn whole(scenario: &Scenario, account: &ContenderAccount) -> Case {
    let status = match account.first_unknown {
        None => Status::Passed,
        Some(seed) => {
            let unknown = account.unknown;
            let text = format!("{unknown} runs could not be judged, the first with seed {seed}");
            Status::Errored(Trouble::told(text, &[], &[]))
        }
    };
    let found = format!("{} distinct failures", account.failures.len());
    let runs = account.runs as usize;
    let name = account.contender.to_string();
    Case { runs, found, ..Case::new(&scenario.name, name, status) }
}

fn one(scenario: &Scenario, account: &ContenderAccount, failure: &Failure, foreseen: bool) -> Case {
    let Failure { checker, cause, example, runs, .. } = failure;
    let judge: Vec<&'static str> =
        checkers::names().into_iter().filter(|name| name == checker).collect();
    let message = format!("{checker} by {cause} in {runs} runs");
    let status = match foreseen {
        true => Status::Passed,
        false => Status::Failed(Trouble::told(message, &example.judgements, &judge)),
    };
    let name = format!("{}: {checker}, {cause}", account.contender);
    let found = suite::found(&example.judgements);
    Case { runs: *runs as usize, found, ..Case::new(&scenario.name, name, status) }
}

fn not_found(scenario: &Scenario, known: &Known) -> Case {
    let Known { contender, checker, cause, scenario: shown_by } = known;
    let message = format!("not found, although {shown_by} shows it");
    let status = Status::Failed(Trouble::told(message, &[], &[]));
    Case::new(&scenario.name, format!("{contender}: {checker}, {cause}"), status)
}
