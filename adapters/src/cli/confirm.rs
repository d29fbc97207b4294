//! `picklock-adapters confirm`: plans on real processes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::ValueEnum;
use miette::{IntoDiagnostic, WrapErr, miette};
use picklock::exit_code::Exit;
use picklock::files;
use picklock::plan::Plan;
use picklock::report::findings;
use picklock::scenario;
use picklock_sim::history;

use super::CliResult;
use crate::confirm::{self, Answer, ConfirmError, Confirmation, Try};

/// Where histories of real runs are kept.
const FOLDER: &str = "target/picklock/confirm";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Plans (`.plan.json`), or scenarios (`.toml`): each of their contenders, with their first seed.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The world to carry them out in.
    #[arg(long, value_enum, default_value = "real")]
    on: World,
    /// How often at most; a plan that breaks no promise is tried every time.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    tries: u32,
    /// How many plans are carried out side by side. They mostly wait; too many disturb each other.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    at_once: u32,
    /// Of scenarios, only these contenders.
    #[arg(long, value_name = "NAME")]
    contender: Vec<String>,
    /// Write the table here, as Markdown.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Where a plan can be confirmed.
#[derive(Clone, Copy, ValueEnum)]
enum World {
    /// Real servers and processes on this machine.
    Real,
}

pub(super) fn run(args: &Args) -> CliResult {
    let World::Real = args.on;
    let mut plans = Vec::new();
    for file in &args.files {
        plans.extend(plans_of(file, &args.contender)?);
    }
    if plans.is_empty() {
        return Err(miette!(
            "no contender of these files is called {}",
            args.contender.join(" or ")
        ));
    }
    let program = std::env::current_exe().into_diagnostic()?;
    let mut done = Vec::new();
    for result in side_by_side(&plans, &program, args) {
        done.push(result.into_diagnostic()?);
    }
    if let Some(file) = &args.report {
        files::write(file, |out| out.write_all(confirm::markdown(&done).as_bytes()))
            .into_diagnostic()
            .wrap_err_with(|| format!("writing {}", file.display()))?;
    }
    Ok(exit_of(&done))
}

/// What reality does not agree with is worse than what could not be asked.
fn exit_of(done: &[Confirmation]) -> Exit {
    let of = |confirmation: &Confirmation| match confirmation.answer {
        Answer::Confirmed { .. } => Exit::AsExpected,
        Answer::NotConfirmed { .. } | Answer::Contradicted { .. } => Exit::Unexpected,
        Answer::Inexpressible(_) => Exit::BadInput,
    };
    let exits: Vec<Exit> = done.iter().map(of).collect();
    match exits.contains(&Exit::Unexpected) {
        true => Exit::Unexpected,
        false => exits.into_iter().max().unwrap_or(Exit::AsExpected),
    }
}

fn plans_of(file: &Path, contenders: &[String]) -> miette::Result<Vec<Plan>> {
    if file.extension().is_none_or(|ending| ending != "toml") {
        return Ok(vec![scenario::load_plan(file)?]);
    }
    let scenario = scenario::load(file)?;
    let seed = scenario.seeds().next();
    let seed = seed.ok_or_else(|| miette!("{}: a scenario without seeds", file.display()))?;
    let names = scenario.contender.iter().map(|contender| contender.name);
    let wanted =
        names.filter(|name| contenders.is_empty() || contenders.contains(&name.to_string()));
    Ok(wanted.map(|name| scenario.plan(name, seed)).collect())
}

/// The answers in the order of the plans; each is shown as soon as it is there.
fn side_by_side(
    plans: &[Plan],
    program: &Path,
    args: &Args,
) -> Vec<Result<Confirmation, ConfirmError>> {
    let next = Mutex::new(0..plans.len());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..args.at_once {
            scope.spawn(|| {
                loop {
                    let index = next.lock().expect("nobody panics with it").next();
                    let Some(index) = index else { return };
                    let result = confirm::confirm(&plans[index], program, args.tries);
                    if let Ok(confirmation) = &result {
                        show(confirmation);
                    }
                    done.lock().expect("nobody panics with it").insert(index, result);
                }
            });
        }
    });
    done.into_inner().expect("nobody panicked with it").into_values().collect()
}

fn show(confirmation: &Confirmation) {
    let Confirmation { plan, simulated, answer, .. } = confirmation;
    let mut text = format!(
        "{} with {}\n  simulated: {}\n  real:      {} (tries: {})\n",
        plan.scenario,
        plan.contender,
        confirm::found(simulated),
        confirm::answer(confirmation).replace("**", ""),
        confirm::tries(confirmation),
    );
    let run = match answer {
        Answer::Confirmed { shown } | Answer::Contradicted { shown } => Some(shown),
        Answer::NotConfirmed { last } => Some(last),
        Answer::Inexpressible(_) => None,
    };
    if let Some(run) = run {
        text += &story(plan, run);
    }
    super::result(&text);
}

/// What the worst finding of a real run looks like, and where to see the whole.
fn story(plan: &Plan, run: &Try) -> String {
    let mut text = String::new();
    let failing = run.judgements.iter().filter_map(|j| Some((j, j.verdict.violation()?)));
    let worst = failing.min_by_key(|(j, _)| (!j.claimed, findings::damage(&j.checker)));
    for line in worst.iter().flat_map(|(_, violation)| &violation.story) {
        text += &format!("             {line}\n");
    }
    match save(plan, run) {
        Ok(file) => {
            text += &format!("             see: cargo picklock report {}\n", file.display())
        }
        Err(error) => text += &format!("             its history could not be kept: {error}\n"),
    }
    text
}

fn save(plan: &Plan, run: &Try) -> io::Result<PathBuf> {
    let folder = Path::new(FOLDER).join(&plan.scenario);
    let stem = format!("{}-{}", files::slug(&plan.contender.to_string()), run.attempt);
    let file = folder.join(format!("{stem}.history.jsonl"));
    files::write(&file, |out| history::write(&run.history, out))?;
    let plan = Plan { recorded: None, ..plan.clone() };
    files::write_json(&folder.join(format!("{stem}.plan.json")), &plan)?;
    Ok(file)
}
