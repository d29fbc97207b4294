//! What a sweep found, for a terminal: per contender its distinct failures, then what the sweep
//! really did, so that a vacuous pass is visible.

mod ci;

use std::fmt::Write;
use std::path::{Path, PathBuf};

pub use ci::suite;

use super::findings;
use super::told::Told;
use crate::engine::Engine;
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::search::sweep::{ContenderAccount, Failure, Known, Sweep, Work};

/// The whole account; `kept` are the plans of its failures, in the account's order.
pub fn text(
    scenario: &Scenario,
    engine: Engine,
    sweep: &Sweep,
    known: &[Known],
    kept: &[PathBuf],
) -> String {
    let mut text = format!(
        "{}: {} plans (seeds {}..{}) for each of {} contenders, {engine} engine\n\n",
        scenario.name,
        sweep.plans,
        sweep.first_seed,
        sweep.first_seed.0.saturating_add(sweep.plans),
        sweep.contenders.len(),
    );
    let mut kept = kept.iter();
    for account in &sweep.contenders {
        let foreseen = |failure: &Failure| account.foresees(failure, scenario, known);
        contender(&mut text, account, &foreseen, &mut kept);
    }
    text.push_str(&account(sweep));
    work(&mut text, &sweep.work);
    let failures = sweep.contenders.iter().map(|account| account.failures.len()).sum::<usize>();
    let _ = writeln!(text, "{failures} distinct failures");
    text
}

/// What was really done: which faults struck, which places were reached.
pub fn account(sweep: &Sweep) -> String {
    let mut text = String::new();
    let runs: u64 = sweep.contenders.iter().map(|account| account.runs).sum();
    let _ =
        writeln!(text, "repeated: {} of {runs} runs, each with the same digest\n", sweep.rechecked);
    families(&mut text, sweep);
    facts(&mut text, sweep);
    text
}

/// Which of the known failures the sweep found again.
pub fn known(known: &[Known], missed: &[&Known]) -> String {
    let mut text = String::new();
    for Known { contender, checker, cause, scenario } in missed {
        let _ =
            writeln!(text, "KNOWN BUT NOT FOUND: {contender}: {checker} by {cause} ({scenario})");
    }
    let found = known.len() - missed.len();
    let _ = writeln!(text, "{found} of {} known failures found", known.len());
    text
}

fn contender<'a>(
    text: &mut String,
    account: &ContenderAccount,
    foreseen: &dyn Fn(&Failure) -> bool,
    kept: &mut impl Iterator<Item = &'a PathBuf>,
) {
    let name = &account.contender;
    let (low, high) = account.interval;
    let _ = match account.broken {
        0 => writeln!(
            text,
            "{name}: no promise broken in {} runs (below {} % of plans, 95 % confidence)",
            account.runs,
            percent(high)
        ),
        broken => writeln!(
            text,
            "{name}: a promise broken in {broken} of {} runs ({} to {} % of plans, 95 % confidence)",
            account.runs,
            percent(low),
            percent(high)
        ),
    };
    if let Some(seed) = account.first_unknown {
        let unknown = account.unknown;
        let _ = writeln!(text, "  NOT JUDGED: {unknown} runs, the first with seed {seed}");
    }
    if account.inexpressible > 0 {
        let plans = account.inexpressible;
        let _ = writeln!(text, "  not expressible on this engine: {plans} plans");
    }
    let kept: Vec<_> = kept.by_ref().take(account.failures.len()).collect();
    for failures in by_cause(account) {
        let plan = |failure: &Failure| {
            let place = account.failures.iter().position(|one| std::ptr::eq(one, failure));
            place.and_then(|place| kept.get(place))
        };
        let expected = failures.iter().all(|failure| foreseen(failure));
        let plan = failures.first().and_then(|failure| plan(failure));
        one_cause(text, &failures, expected, plan.map(|path| path.as_path()));
    }
    text.push('\n');
}

/// A share of plans in percent, with as many digits as keep a small one from reading as none: ten thousand plans
/// without a failure leave 0.04 % possible, and one failure among them is 0.002 % at least.
fn percent(rate: f64) -> String {
    let digits = match rate {
        0.000_05..0.000_5 => 2,
        0.000_000_1..0.000_05 => 3,
        _ => 1,
    };
    format!("{:.digits$}", rate * 100.0)
}

/// The failures that need the same, the worst damage of each cause first; the most frequent cause
/// first.
fn by_cause(account: &ContenderAccount) -> Vec<Vec<&Failure>> {
    let mut groups: Vec<Vec<&Failure>> = Vec::new();
    for failure in &account.failures {
        match groups.iter_mut().find(|group| group[0].cause == failure.cause) {
            Some(group) => group.push(failure),
            None => groups.push(vec![failure]),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|failure| findings::damage(&failure.checker));
    }
    let runs = |group: &Vec<&Failure>| group.iter().map(|failure| failure.runs).max();
    groups.sort_by_key(|group| std::cmp::Reverse(runs(group)));
    groups
}

/// One cause: what it breaks and how often, and the smallest plan for the worst of it.
fn one_cause(text: &mut String, failures: &[&Failure], expected: bool, plan: Option<&Path>) {
    let Some(worst) = failures.first() else { return };
    let mark = if expected { "ok  " } else { "FAIL" };
    let found = failures.iter().map(|failure| format!("{} {}", failure.checker, failure.runs));
    let found: Vec<String> = found.collect();
    let _ = writeln!(text, "  {mark} {}: {}", worst.cause, found.join(", "));
    let Failure { checker, first_seed, example, .. } = worst;
    let _ = writeln!(text, "         seed {first_seed}, shrunk: {}", size(example));
    let story = example.violations().find(|(judgement, _)| judgement.checker == *checker);
    for line in story.iter().flat_map(|(_, violation)| &violation.story) {
        let _ = writeln!(text, "         {line}");
    }
    if let Some(plan) = plan {
        let _ = writeln!(text, "         repeat: cargo picklock replay {}", plan.display());
    }
}

/// `2 clients; process pause of client 1, when client 1 begins the 1st write, for 1.500 s`.
pub(crate) fn size(outcome: &Outcome) -> String {
    let plan = &outcome.plan;
    let clients = plan.clients().count();
    let mut parts = vec![format!("{clients} client{}", if clients == 1 { "" } else { "s" })];
    parts.extend(plan.world.faults.iter().map(|fault| Told(fault).to_string()));
    if plan.world.faults.is_empty() {
        // Nothing was broken, so the reason lies here, if anywhere in the plan.
        let (hold_ms, ttl_ms) = (plan.workload.hold_ms, plan.lease_ms());
        parts.push(format!("work of {hold_ms} ms under a lease of {ttl_ms} ms"));
    }
    parts.join("; ")
}

fn families(text: &mut String, sweep: &Sweep) {
    if sweep.families.is_empty() {
        return;
    }
    let width = sweep.families.iter().map(|family| family.name.len()).max().unwrap_or(0);
    let _ = writeln!(text, "faults: in how many runs they were there, and in how many they struck");
    for family in &sweep.families {
        let vacuous = if family.struck == 0 { "  NEVER STRUCK" } else { "" };
        let (drawn, struck) = (family.drawn, family.struck);
        let _ = writeln!(text, "  {:<width$} {drawn:>8} {struck:>8}{vacuous}", family.name);
    }
    text.push('\n');
}

fn facts(text: &mut String, sweep: &Sweep) {
    let width = sweep.facts.iter().map(|fact| fact.name.len()).max().unwrap_or(0);
    let _ = writeln!(text, "sometimes: in how many runs");
    for fact in &sweep.facts {
        let never = if fact.runs == 0 { "  NEVER" } else { "" };
        let _ = writeln!(text, "  {:<width$} {:>8}{never}", fact.name, fact.runs);
    }
    text.push('\n');
}

/// What speed is measured against: the time that a sweep takes is the caller's to measure.
fn work(text: &mut String, work: &Work) {
    let Work { simulated_ms, grants, events, messages } = work;
    let simulated_s = *simulated_ms as f64 / 1000.0;
    let _ = writeln!(
        text,
        "work: {simulated_s:.0} s simulated, {grants} grants, {messages} network messages, \
         {events} events in histories\n"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::wilson;

    #[test]
    fn what_is_not_zero_does_not_read_as_zero() {
        assert_eq!(percent(wilson(0, 10_000).1), "0.04");
        assert_eq!(percent(wilson(0, 100).1), "3.7");
        assert_eq!(percent(wilson(1, 10_000).0), "0.002");
        assert_eq!(percent(0.5), "50.0");
    }
}
