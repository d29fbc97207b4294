//! `picklock replay FILE`: a plan again, or a history judged again, and what happens in it.

use std::path::PathBuf;

use rayon::prelude::*;

use super::CliResult;
use super::output;
use crate::checkers::judge;
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::outcome::{Severity, severity};
use crate::pipeline;
use crate::report::terminal;
use crate::scenario;

#[derive(clap::Args)]
pub(super) struct Args {
    /// A plan (`.plan.json`), to be run again; or a history (`.history.jsonl`), to be judged again.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The world to run it in (default: the one that recorded it).
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// How often to run it; all runs must be the same.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// On how many threads (default: all cores).
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Show every event instead of those around the violations.
    #[arg(long)]
    events: bool,
    /// Plan, digest and judgements as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> CliResult {
    match args.file.extension() {
        Some(ending) if ending == "jsonl" => judge_again(args),
        _ => run_again(args),
    }
}

/// An old history before the judges of today.
fn judge_again(args: &Args) -> CliResult {
    let history = scenario::load_history(&args.file)?;
    let judgements = judge(&history);
    if args.json {
        output::json(&judgements)?;
    } else {
        output::result(&terminal::judged(&history, &judgements, args.events))?;
    }
    Ok(exit_of(severity(&judgements)))
}

fn exit_of(severity: Severity) -> Exit {
    match severity {
        Severity::Broken | Severity::Unknown => Exit::Unexpected,
        Severity::Clean | Severity::Unclaimed => Exit::AsExpected,
    }
}

fn run_again(args: &Args) -> CliResult {
    let plan = scenario::load_plan(&args.file)?;
    let recorded = plan.recorded.clone();
    let engine =
        args.engine.or(recorded.as_ref().map(|recorded| recorded.engine)).unwrap_or_default();
    let outcomes: Result<Vec<_>, _> = output::on_threads(args.threads, || {
        (0..args.times).into_par_iter().map(|_| pipeline::run(&plan, engine)).collect()
    })?;
    let mut outcomes = outcomes?;
    let outcome = outcomes.swap_remove(0);

    if args.json {
        output::json(&serde_json::json!({
            "plan": outcome.plan,
            "digest": outcome.history.digest,
            "judgements": outcome.judgements,
        }))?;
    } else {
        output::result(&terminal::replayed(&outcome, args.events))?;
    }

    let digest = outcome.history.digest;
    if let Some(other) = outcomes.iter().find(|other| other.history.digest != digest) {
        output::talk(format_args!(
            "NOT REPEATED: two runs of one process differ, digests {digest} and {}",
            other.history.digest
        ));
        return Ok(Exit::NotRepeated);
    }
    let Some(recorded) = recorded.filter(|recorded| recorded.engine == engine) else {
        return Ok(exit_of(outcome.severity()));
    };
    if recorded.digest != digest {
        output::talk(format_args!(
            "NOT REPEATED: the plan was recorded with digest {}, now it is {digest}. Either the \
             plan was edited, or another version of picklock wrote it.",
            recorded.digest
        ));
        return Ok(Exit::NotRepeated);
    }
    let now = outcome.plan.recorded.as_ref().map(|now| &now.violations);
    if now != Some(&recorded.violations) {
        output::talk(format_args!(
            "the history is the same, but its judges now find {now:?} instead of {:?}",
            recorded.violations
        ));
        return Ok(Exit::Unexpected);
    }
    output::talk(format_args!("repeated {} times: digest {digest} as recorded", args.times));
    Ok(Exit::AsExpected)
}
