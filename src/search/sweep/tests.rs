//! Accounts: the same everywhere, each failure with its own proof, nothing vacuous hidden.

use std::path::Path;

use picklock_sim::run::WorldError;

use super::*;
use crate::engine::Engine;
use crate::outcome::Outcome;
use crate::pipeline;
use crate::plan::Plan;
use crate::scenario::load;

pub(super) fn question(contenders: &[&str], seeds: Range<u64>) -> Question {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = load(&top.join("scenarios/published/s1-gc-pause.toml")).unwrap();
    let contenders = contenders.iter().map(|name| name.parse::<Contender>().unwrap());
    let spaces = contenders.map(|one| (one, Space::of(&scenario, one, None))).collect();
    Question { spaces, seeds, stop_at_first: false, recheck: Share::default() }
}

pub(super) fn run(plan: &Plan) -> Result<Outcome, WorldError> {
    pipeline::run(plan, Engine::Event)
}

fn on_threads(threads: usize, question: &Question) -> serde_json::Value {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let found = pool.install(|| sweep(question, &run, |_| true)).unwrap();
    let digests: Vec<String> = found
        .contenders
        .iter()
        .flat_map(|account| &account.failures)
        .map(|failure| failure.example.history.digest.to_string())
        .collect();
    serde_json::json!({ "account": found, "digests": digests })
}

#[test]
fn the_account_does_not_depend_on_the_number_of_threads() {
    let question = question(&["redis-token-cad", "redis-lua-decr"], 0..60);
    let one = on_threads(1, &question);
    assert!(one["account"]["contenders"][0]["broken"].as_u64() > Some(0));
    for threads in [2, 8] {
        assert_eq!(one, on_threads(threads, &question));
    }
}

#[test]
fn every_failure_is_shown_by_its_own_smallest_plan() {
    let found = sweep(&question(&["redis-token-cad"], 0..60), &run, |_| true).unwrap();
    let failures = &found.contenders[0].failures;
    assert!(failures.len() > 5);
    for failure in failures {
        assert!(failure.example.broken().any(|checker| checker == failure.checker));
        assert_eq!(crate::search::cause::Cause::of(&failure.example.plan), failure.cause);
        assert!(failure.runs > 0);
    }
    let mut keys: Vec<_> = failures.iter().map(|one| (&one.checker, &one.cause)).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), failures.len(), "told apart");
}

#[test]
fn it_stops_where_it_is_told_to() {
    let mut first = question(&["redis-token-cad"], 0..1000);
    first.stop_at_first = true;
    let found = sweep(&first, &run, |_| true).unwrap();
    assert_eq!(found.contenders[0].broken, 1);
    let last = found.plans - 1;
    assert_eq!(found.contenders[0].failures[0].first_seed, Seed(last));

    let limited = sweep(&question(&["redis-lua-decr"], 0..u64::MAX), &run, |done| done < 100);
    assert_eq!(limited.unwrap().plans, 100, "on however many threads");
}

#[test]
fn a_fault_that_cannot_strike_is_counted_as_never_struck() {
    let mut quiet = question(&["redis-lua-decr"], 0..200);
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = load(&top.join("scenarios/published/s1-gc-pause.toml")).unwrap();
    // A watchdogless resource without a lock is never granted anything: late grants cannot happen.
    let family = [crate::families::Family::find("late-grant").unwrap()];
    let mut scenario = scenario;
    scenario.fault.clear();
    quiet.spaces[0].1 = Space::of(&scenario, quiet.spaces[0].0, Some(&family));
    let found = sweep(&quiet, &run, |_| true).unwrap();
    let [family] = &found.families[..] else { panic!("one family") };
    assert_eq!(family.name, "late-grant");
    assert!(family.drawn > 100);
    assert_eq!(family.struck, 0);
}

#[test]
fn the_work_of_all_runs_is_added_up() {
    let question = question(&["redis-token-cad", "redis-lua-decr"], 0..3);
    let found = sweep(&question, &run, |_| true).unwrap();
    let mut sum = Work::default();
    for (contender, space) in &question.spaces {
        for seed in 0..3 {
            let outcome = run(&space.draw(Seed(seed)).plan).unwrap();
            let work = Work::of(&outcome);
            assert_eq!(work.simulated_ms, outcome.plan.world.end_at_ms);
            assert_eq!(work.grants > 0, contender.locks(), "{contender}: {work:?}");
            // A grant alone takes a request and a reply.
            assert!(work.messages >= 2 * work.grants.max(1), "{contender}: {work:?}");
            sum += work;
        }
    }
    assert_eq!(found.work, sum);
}

#[test]
fn a_sample_is_run_twice_wherever_the_range_begins_and_one_that_differs_ends_the_sweep() {
    let mut question = question(&["redis-lua-decr", "redis-token-cad"], 0..100);
    question.recheck = "10".parse().unwrap();
    let rechecked = |seeds| {
        let question = Question { seeds, ..question.clone() };
        sweep(&question, &run, |_| true).unwrap().rechecked
    };
    let all = rechecked(0..100);
    assert!(all > 0 && all % 2 == 0, "{all}: both contenders of each seed that is drawn");
    assert_eq!(all, rechecked(0..40) + rechecked(40..100));

    // A runner that does not repeat: each run of a plan gets another stock.
    let count = std::sync::atomic::AtomicI64::new(0);
    let unsteady = |plan: &Plan| {
        let mut plan = plan.clone();
        plan.workload.initial += count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        run(&plan)
    };
    let error = sweep(&question, &unsteady, |_| true).unwrap_err();
    assert!(matches!(error.error, Obstacle::NotRepeated { first, second } if first != second));
    let first = (0..100).find(|seed| question.recheck.takes(Seed(*seed)));
    assert_eq!(Some(error.seed.0), first);
    assert_eq!(error.contender.to_string(), "redis-lua-decr");
}
