//! Saved plans first, then drawn ones.

use std::env;
use std::path::Path;

use picklock_sim::run::WorldError;
use picklock_sim::seed::Seed;

use super::regressions;
use super::{Broken, Failure, Found, Property, words};
use crate::contender::Contender;
use crate::families::{FAMILIES, Family};
use crate::lock::Algorithm;
use crate::outcome::{Outcome, Severity};
use crate::pipeline::run_lock;
use crate::plan::Plan;
use crate::report::findings;
use crate::scenario::{RedisSpec, RunSpec, Scenario, SweepSpec, load_plan_of};
use crate::search::cause::Cause;
use crate::search::space::Space;
use crate::search::sweep::{ContenderAccount, Question, Share, Sweep, sweep};

/// The environment variable that names a plan to be shown instead of drawing any.
pub(super) const REPLAY: &str = "PICKLOCK_REPLAY";

/// The whole property.
pub(super) fn run<A: Algorithm>(property: Property<A>) -> Result<Sweep, Broken> {
    let contender = Contender::own::<A>(property.claims, property.resource);
    let (name, engine) = (contender.to_string(), property.engine);
    let run = |plan: &Plan| run_lock::<A>(plan, engine);
    engine.available().map_err(Broken::Engine)?;
    let question = question(&property, contender)?;
    if let Some(path) = env::var_os(REPLAY) {
        return replay(Path::new(&path), contender, &question, &run);
    }
    for path in property.regressions.iter().flat_map(|folder| regressions::saved(folder, &name)) {
        one_saved(&path, contender, &run)?;
    }
    let found = sweep(&question, &run, |_| true).map_err(|error| {
        let file = format!("seed-{}", error.seed);
        let folder = property.regressions.as_ref();
        let saved = folder.and_then(|folder| regressions::save(folder, &name, &file, &error.plan));
        Broken::Run { error, saved }
    })?;
    let account = &found.contenders[0];
    if let Some(mut failure) = worst(account) {
        if let Some(folder) = &property.regressions {
            let file = format!("{}-{}", failure.checker, failure.cause);
            failure.saved = regressions::save(folder, &name, &file, &failure.example.plan);
            failure.page = regressions::draw::<A>(&name, &file, &failure.example);
        }
        return Err(Broken::Claim(Box::new(failure)));
    }
    if let Some(seed) = account.first_unknown {
        let plan = question.spaces[0].1.draw(seed).plan;
        let outcome = run(&plan).expect("it was run before");
        return Err(Broken::Unknown(seed, Box::new(outcome)));
    }
    let struck: u64 = found.families.iter().map(|family| family.struck).sum();
    // With no plan at all, only the saved ones were asked for.
    if struck == 0 && found.plans > 0 && !found.families.is_empty() {
        return Err(Broken::Vacuous(found.plans));
    }
    Ok(found)
}

fn question<A>(property: &Property<A>, contender: Contender) -> Result<Question, Broken> {
    let number = |name| env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    let first = number("PICKLOCK_SEED").unwrap_or(property.seeds.start);
    let plans = number("PICKLOCK_PLANS").unwrap_or(property.seeds.end - property.seeds.start);
    // Four leases in which things break, and time enough afterwards (the space adds what the other
    // times need).
    let heal_at_ms = 4 * property.params.ttl_ms;
    let longest_hold_ms = property.workload.hold_ms.max(property.params.ttl_ms * 6 / 10);
    let scenario = Scenario {
        name: contender.lock.to_owned(),
        file: Default::default(),
        about: String::new(),
        source: None,
        run: RunSpec { seed: first, runs: 1, heal_at_ms, end_at_ms: heal_at_ms + 1 },
        workload: property.workload,
        lock: property.params,
        redis: RedisSpec::default(),
        network: Default::default(),
        clock: Vec::new(),
        fault: Vec::new(),
        family: None,
        sweep: SweepSpec {
            // How long the lock is held is the application's affair: by default within the lease.
            hold_ms: property.sweep.hold_ms.or(Some((0, longest_hold_ms))),
            ..property.sweep.clone()
        },
        contender: Vec::new(),
    };
    let families = families(property, &scenario.plan(contender, Seed(first)))?;
    let space = Space::of(&scenario, contender, Some(&families));
    let seeds = first..first.saturating_add(plans);
    let spaces = vec![(contender, space)];
    Ok(Question { spaces, seeds, stop_at_first: true, recheck: Share::default() })
}

/// The families that the test names; else all that its engine can express.
fn families<A>(property: &Property<A>, plan: &Plan) -> Result<Vec<&'static Family>, Broken> {
    let engine = property.engine;
    let expressible = |family: &&Family| family.expressible(plan, engine);
    let of_sweep = || {
        let names = property.sweep.families.as_ref()?;
        Some(names.iter().filter_map(|name| Family::find(name)).collect())
    };
    let Some(named) = property.families.clone().or_else(of_sweep) else {
        return Ok(FAMILIES.iter().filter(|family| expressible(family).is_ok()).collect());
    };
    let refused = named.iter().find_map(|family| Some((family.name, expressible(family).err()?)));
    match refused {
        Some((family, why)) => Err(Broken::CannotExpress { engine, family, why }),
        None => Ok(named),
    }
}

/// The worst failure of an account.
fn worst(account: &ContenderAccount) -> Option<Failure> {
    let rank = |failure: &&crate::search::sweep::Failure| {
        (failure.first_seed, findings::damage(&failure.checker))
    };
    let failure = account.failures.iter().min_by_key(rank)?;
    Some(Failure {
        checker: failure.checker.clone(),
        cause: failure.cause.clone(),
        found: Found::Drawn(failure.first_seed),
        example: failure.example.clone(),
        saved: None,
        page: None,
    })
}

/// Runs a saved plan again; it is as small as it gets.
fn one_saved(
    path: &Path,
    contender: Contender,
    run: &dyn Fn(&Plan) -> Result<Outcome, WorldError>,
) -> Result<Outcome, Broken> {
    let input = |error| Broken::Input(miette::Report::new(error));
    let plan = load_plan_of(path, contender).map_err(input)?;
    let outcome = run(&plan)
        .map_err(|error| Broken::Input(miette::miette!("{}: {error}", path.display())))?;
    let broken = outcome.broken().min_by_key(|checker| findings::damage(checker));
    let Some(checker) = broken.map(str::to_owned) else { return Ok(outcome) };
    Err(Broken::Claim(Box::new(Failure {
        checker,
        cause: Cause::of(&outcome.plan),
        found: Found::Saved(path.to_owned()),
        example: Box::new(outcome),
        saved: Some(path.to_owned()),
        page: None,
    })))
}

/// Shows one plan in full.
fn replay(
    path: &Path,
    contender: Contender,
    question: &Question,
    run: &(dyn Fn(&Plan) -> Result<Outcome, WorldError> + Sync),
) -> Result<Sweep, Broken> {
    let outcome = one_saved(path, contender, run).inspect_err(|broken| {
        if let Broken::Claim(failure) = broken {
            words::replayed(&failure.example);
        }
    })?;
    words::replayed(&outcome);
    if outcome.severity() == Severity::Unknown {
        return Err(Broken::Unknown(outcome.plan.world.seed, Box::new(outcome)));
    }
    let nothing = Question { seeds: 0..0, ..question.clone() };
    Ok(sweep(&nothing, run, |_| true).expect("no plan is run"))
}
