//! `picklock shrink PLAN`: the smallest plan that fails in the same way.

use std::path::PathBuf;

use super::output;
use super::{CliError, CliResult};
use crate::checkers;
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::pipeline;
use crate::plan::Plan;
use crate::report::{findings, terminal};
use crate::scenario;
use crate::search::shrink::{Shrunk, shrink};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A plan (`.plan.json`) that breaks a promise.
    #[arg(value_name = "PLAN")]
    file: PathBuf,
    /// Whose finding must stay (default: the worst).
    #[arg(long, value_name = "CHECKER")]
    checker: Option<String>,
    /// The world to run it in (default: the one that recorded it).
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// Where the smallest plan goes (default: beside the given one, as `.shrunk.plan.json`).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan and judgements as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> CliResult {
    let plan = scenario::load_plan(&args.file)?;
    let recorded = plan.recorded.as_ref().map(|recorded| recorded.engine);
    let engine = args.engine.or(recorded).unwrap_or_default();
    let run = |plan: &Plan| pipeline::run(plan, engine);

    let checker = checker(args, &run(&plan)?)?;
    let breaks = |outcome: &Outcome| found(outcome).any(|name| name == checker);
    let Shrunk { outcome, cause, trials } = shrink(&plan, &run, breaks)?;

    let out = args.out.clone().unwrap_or_else(|| beside(&args.file));
    output::write_json(&out, &outcome.plan)?;
    if args.json {
        output::json(&serde_json::json!({
            "checker": checker,
            "cause": cause,
            "trials": trials,
            "plan": outcome.plan,
            "judgements": outcome.judgements,
        }))?;
    } else {
        output::result(&terminal::replayed(&outcome, false))?;
    }
    output::talk(format_args!(
        "`{checker}` by {cause}: the smallest of {trials} plans tried is in {}",
        out.display()
    ));
    Ok(Exit::AsExpected)
}

/// What is to be kept: claimed or not, because somebody may ask why the unclaimed happens.
fn found(outcome: &Outcome) -> impl Iterator<Item = &str> {
    outcome.violations().map(|(judgement, _)| judgement.checker.as_str())
}

fn checker(args: &Args, outcome: &Outcome) -> Result<String, CliError> {
    let rank = |(judgement, _): &(&crate::verdict::Judgement, _)| {
        (!judgement.claimed, findings::damage(&judgement.checker))
    };
    let names: Vec<&str> = found(outcome).collect();
    let list = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let problem = match &args.checker {
        Some(name) if names.contains(&name.as_str()) => return Ok(name.clone()),
        Some(name) if checkers::names().contains(&name.as_str()) => {
            format!("`{name}` finds nothing in this plan; what is found: {list}")
        }
        Some(name) => {
            format!("there is no checker `{name}`; there are {}", checkers::names().join(", "))
        }
        None => match outcome.violations().min_by_key(rank) {
            Some((judgement, _)) => return Ok(judgement.checker.clone()),
            None => "nothing is found in this plan, so there is nothing to shrink".to_owned(),
        },
    };
    Err(CliError::Input(miette::miette!("{}: {problem}", args.file.display())))
}

/// `a.plan.json` becomes `a.shrunk.plan.json`.
fn beside(file: &std::path::Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.strip_suffix(".plan.json").or_else(|| name.strip_suffix(".json"));
    file.with_file_name(format!("{}.shrunk.plan.json", stem.unwrap_or(&name)))
}
