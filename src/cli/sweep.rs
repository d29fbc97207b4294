//! `picklock sweep FILE`: plans around a scenario by the thousand, and what they found.
//!
//! First an account is collected (here, or by other processes: `--shard` and `--merge`), then it is
//! concluded: shrunk, judged, shown.

mod account;
mod collect;
mod progress;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::collect::Collected;
use super::choose::Seeds;
use super::output::{self, FOLDER};
use super::reports::Reports;
use super::{CliError, CliResult};
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::pipeline;
use crate::plan::Plan;
use crate::report::sweep as report;
use crate::scenario::{self, Scenario};
use crate::search::sweep::{Obstacle, Shard, Share, Sweep, SweepError, known};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The scenario to vary: its workload, times and contenders; `[sweep]` in it sets the bounds.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which seeds, one plan each: `0..1000` (default), or `0..=999`.
    #[arg(long, value_name = "A..B", conflicts_with = "time")]
    seeds: Option<Seeds>,
    /// As many seeds as fit into this time: `90s`, `5m`, `1h`. With `--resume`: into this time from now.
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
    parts: Parts,
    #[command(flatten)]
    reports: Reports,
}

/// Sweeps in parts: on several machines, or with an interruption.
#[derive(clap::Args)]
#[command(next_help_heading = "Parts")]
struct Parts {
    /// Try only the K-th of N equal shares of the seeds, and write its account to a file.
    #[arg(
        long,
        value_name = "K/N",
        conflicts_with_all = ["time", "first", "known", "junit", "markdown", "github"]
    )]
    shard: Option<Shard>,
    /// Try nothing: put together what the shards in these files or folders have found.
    #[arg(
        long,
        value_name = "PATH",
        num_args = 1..,
        conflicts_with_all = ["seeds", "time", "first", "lock", "family", "engine", "shard", "resume"]
    )]
    merge: Vec<PathBuf>,
    /// Go on where the same command was killed.
    #[arg(long)]
    resume: bool,
    /// How often the account is saved, so that `--resume` can go on there.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "5s")]
    checkpoint: Duration,
}

pub(super) fn run(args: &Args) -> CliResult {
    args.reports.check()?;
    let scenario = scenario::load(&args.file)?;
    let mut others = Vec::new();
    for path in super::run::scenario_files(&args.known)? {
        others.push(scenario::load(&path)?);
    }
    let folder = Path::new(FOLDER).join("sweep").join(&scenario.name);
    if !args.parts.merge.is_empty() {
        let merged = collect::merged(&args.parts.merge, &scenario)?;
        return conclude(args, &scenario, &others, &folder, merged);
    }
    let collected = collect::collect(args, &scenario, &folder)?;
    if args.parts.shard.is_some() {
        return collected.leave(args, &folder);
    }
    let checkpoint = account::path(&folder, Shard::WHOLE);
    let exit = conclude(args, &scenario, &others, &folder, collected)?;
    output::remove(&checkpoint)?;
    Ok(exit)
}

/// Everything that needs the whole account: shrinks, judges, shows.
fn conclude(
    args: &Args,
    scenario: &Scenario,
    others: &[Scenario],
    folder: &Path,
    collected: Collected,
) -> CliResult {
    let Collected { account, progress } = collected;
    let (engine, contenders) = (account.subject.engine, account.subject.contenders.clone());
    let run = |plan: &Plan| pipeline::run_until_judged(plan, engine);
    let found = output::on_threads(args.threads, || account.finish(&run))?;
    if let Some(progress) = progress {
        let failures = found.contenders.iter().map(|account| account.failures.len()).sum();
        progress.end(found.plans, failures);
    }
    let known = output::on_threads(args.threads, || known(others, &contenders, &run))??;
    let missed = found.missed(&known);

    let kept = keep_examples(&found, folder)?;
    output::write_json(&folder.join("sweep.json"), &found)?;
    if args.json {
        output::json(&found)?;
    } else {
        output::result(&report::text(scenario, engine, &found, &known, &kept))?;
        if !args.known.is_empty() {
            output::result(&report::known(&known, &missed))?;
        }
    }
    args.reports.write(&report::suite(scenario, &found, &known, &missed, &kept))?;
    Ok(match found.surprises(scenario, &known) || !missed.is_empty() {
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
fn broken_off(error: SweepError, engine: Engine, scenario: &str) -> CliError {
    let name = output::slug(&format!("{}-{}", error.contender, error.seed));
    let path =
        Path::new(FOLDER).join("sweep").join(scenario).join(name).with_extension("plan.json");
    if let Err(error) = output::write_json(&path, &error.plan) {
        return error;
    }
    let path = path.display();
    let (kept, text) = (format!("its plan is in {path}"), error.to_string());
    let world = match error.error {
        Obstacle::World(world) => world,
        Obstacle::NotRepeated { .. } => {
            let engine = match engine {
                Engine::Event => String::new(),
                other => format!(" --engine {other}"),
            };
            return CliError::NotRepeated(format!(
                "NOT REPEATED: {text}\nwhere they part: cargo picklock verify {path}{engine}"
            ));
        }
    };
    match CliError::from(world) {
        CliError::Input(_) => CliError::Input(miette::miette!(help = kept, "{text}")),
        _ => CliError::Internal(miette::miette!(help = kept, "{text}")),
    }
}
