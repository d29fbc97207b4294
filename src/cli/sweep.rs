//! `picklock sweep FILE`: plans around a scenario by the thousand, and what they found.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choose::{self, Seeds};
use super::output::{self, FOLDER};
use super::reports::Reports;
use super::{CliError, CliResult};
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::pipeline;
use crate::plan::Plan;
use crate::report::sweep as report;
use crate::scenario;
use crate::search::space::Space;
use crate::search::sweep::{Obstacle, Question, Share, Sweep, SweepError, known, sweep};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The scenario to vary: its workload, times and contenders; `[sweep]` in it sets the bounds.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which seeds, one plan each: `0..1000` (default), or `0..=999`.
    #[arg(long, value_name = "A..B", conflicts_with = "time")]
    seeds: Option<Seeds>,
    /// As many seeds as fit into this time: `90s`, `5m`, `1h`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
    /// Stop at the first plan that breaks a promise instead of collecting all.
    #[arg(long)]
    first: bool,
    /// Run so many percent of the seeds twice, to see that they repeat: 0 to 100, also `0.5`.
    #[arg(long, value_name = "PERCENT", default_value_t)]
    recheck: Share,
    /// Only these contenders (default: those of the scenario).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    lock: Vec<String>,
    /// Only these fault families (default: those of the scenario's `[sweep]`, else all).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    family: Vec<String>,
    /// Demand every distinct failure that these scenarios (files or folders) show, as a test of the
    /// search itself; one that was not found is an unexpected result.
    #[arg(long, value_name = "PATH")]
    known: Vec<PathBuf>,
    /// The world to run them in.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// On how many threads (default: all cores). The result does not depend on it.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Results as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reports: Reports,
}

pub(super) fn run(args: &Args) -> CliResult {
    args.reports.check()?;
    let scenario = scenario::load(&args.file)?;
    let contenders = choose::contenders(&args.lock, &scenario)?;
    let families = choose::families(&args.family)?;
    let space = |contender| Space::of(&scenario, contender, families.as_deref());
    let seeds = match (&args.seeds, args.time) {
        (Some(seeds), _) => seeds.0.clone(),
        (None, Some(_)) => 0..u64::MAX,
        (None, None) => 0..1000,
    };
    let mut others = Vec::new();
    for path in super::run::scenario_files(&args.known)? {
        others.push(scenario::load(&path)?);
    }
    let question = Question {
        spaces: contenders.iter().map(|one| (*one, space(*one))).collect(),
        seeds: seeds.clone(),
        stop_at_first: args.first,
        recheck: args.recheck,
    };
    let bar = match args.time {
        Some(_) => output::progress_without_end(),
        None => output::progress(seeds.end - seeds.start),
    };
    let watch = output::Stopwatch::start();
    let go_on = |done: u64| {
        bar.set_position(done);
        args.time.is_none_or(|limit| watch.elapsed() < limit)
    };
    let run = |plan: &Plan| pipeline::run(plan, args.engine);
    let found = output::on_threads(args.threads, || sweep(&question, &run, go_on))?;
    bar.finish_and_clear();
    let found = match found {
        Ok(found) => found,
        Err(error) => return broken_off(*error, args.engine, &scenario.name),
    };

    let known = output::on_threads(args.threads, || known(&others, &contenders, &run))??;
    let missed = found.missed(&known);

    let folder = Path::new(FOLDER).join("sweep").join(&scenario.name);
    let kept = keep_examples(&found, &folder)?;
    output::write_json(&folder.join("sweep.json"), &found)?;
    if args.json {
        output::json(&found)?;
    } else {
        output::result(&report::text(&scenario, args.engine, &found, &known, &kept))?;
        if !args.known.is_empty() {
            output::result(&report::known(&known, &missed))?;
        }
    }
    args.reports.write(&report::suite(&scenario, &found, &known, &missed, &kept))?;
    Ok(match found.surprises(&scenario, &known) || !missed.is_empty() {
        true => Exit::Unexpected,
        false => Exit::AsExpected,
    })
}

/// The smallest plan of each failure, and its history; in the order of the account.
fn keep_examples(found: &Sweep, folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut kept = Vec::new();
    for account in &found.contenders {
        let contender = output::slug(&account.contender.to_string());
        for failure in &account.failures {
            let name = output::slug(&format!("{}-{}", failure.checker, failure.cause));
            kept.push(output::keep(&failure.example, &folder.join(&contender).join(name))?);
        }
    }
    Ok(kept)
}

/// A run that could not be carried out or did not repeat; its plan is kept, because it may be a
/// finding itself.
fn broken_off(error: SweepError, engine: Engine, scenario: &str) -> CliResult {
    let name = output::slug(&format!("{}-{}", error.contender, error.seed));
    let path =
        Path::new(FOLDER).join("sweep").join(scenario).join(name).with_extension("plan.json");
    output::write_json(&path, &error.plan)?;
    let kept = format!("its plan is in {}", path.display());
    let text = error.to_string();
    let world = match error.error {
        Obstacle::World(world) => world,
        Obstacle::NotRepeated { .. } => {
            let engine = match engine {
                Engine::Event => String::new(),
                other => format!(" --engine {other}"),
            };
            let path = path.display();
            output::talk(format_args!(
                "NOT REPEATED: {text}\nwhere they part: cargo picklock verify {path}{engine}"
            ));
            return Ok(Exit::NotRepeated);
        }
    };
    Err(match CliError::from(world) {
        CliError::Input(_) => CliError::Input(miette::miette!(help = kept, "{text}")),
        CliError::Internal(_) => CliError::Internal(miette::miette!(help = kept, "{text}")),
    })
}
