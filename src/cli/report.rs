//! `picklock report FILE`: the page of one run, from its history or its plan; or its picture alone.

use std::path::{Path, PathBuf};

use picklock_sim::time::SimTime;

use super::output;
use super::{CliError, CliResult};
use crate::checkers::judge;
use crate::exhibit::{Exhibit, Shown, gather};
use crate::exit_code::Exit;
use crate::outcome::Outcome;
use crate::pipeline;
use crate::plan::Plan;
use crate::report::svg::{self, Caption};
use crate::report::timeline::{self, Extent, Window, focus};
use crate::report::{page, scene};
use crate::scenario;
use crate::terms::REAL;

#[derive(clap::Args)]
pub(super) struct Args {
    /// A history (`.history.jsonl`), which is judged again; or a plan (`.plan.json`), which is run.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the page goes (default: beside FILE, as `.html`).
    #[arg(short, long, value_name = "PAGE", conflicts_with = "svg")]
    out: Option<PathBuf>,
    /// Write the picture alone, for a paper.
    #[arg(long, value_name = "PICTURE")]
    svg: Option<PathBuf>,
    /// Where the picture begins, in milliseconds (default: where the violation's story begins).
    #[arg(long, value_name = "MS", requires = "svg")]
    from: Option<u64>,
    /// Where it ends, in milliseconds.
    #[arg(long, value_name = "MS", requires = "svg")]
    to: Option<u64>,
    /// The judgements, and what would have happened otherwise, as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> CliResult {
    let exhibit = exhibit_of(&args.file)?;
    let written = match &args.svg {
        Some(file) => {
            let picture = picture(&exhibit.fact, args)?;
            output::write_file(file, |out| out.write_all(picture.as_bytes()))?;
            file.clone()
        }
        None => {
            let file = args.out.clone().unwrap_or_else(|| beside(&args.file, "html"));
            let html = page::render_run(&exhibit, &args.file.display().to_string());
            output::write_file(&file, |out| out.write_all(html.as_bytes()))?;
            file
        }
    };
    for note in &exhibit.notes {
        output::talk(format_args!("{note}"));
    }
    if args.json {
        let variants = exhibit.variants.iter().map(|(what, shown)| {
            serde_json::json!({ "what_if": what.to_string(), "severity": shown.severity(),
                "judgements": shown.judgements })
        });
        output::json(&serde_json::json!({
            "written": written,
            "severity": exhibit.fact.severity(),
            "judgements": exhibit.fact.judgements,
            "variants": variants.collect::<Vec<_>>(),
        }))?;
    } else {
        output::result(&format!("{}\n", written.display()))?;
    }
    // A report expects nothing.
    Ok(Exit::AsExpected)
}

/// What a reader must know of a run that was not simulated.
const OF_REAL_RUNS: &str = "This happened on real servers and processes: its times are only as exact as the \
    clock and the scheduler of that machine, and the next run differs. Messages and clocks were not recorded.";

/// The run of a file, with all that can be known of it.
fn exhibit_of(file: &Path) -> Result<Exhibit, CliError> {
    if file.extension().is_none_or(|ending| ending != "jsonl") {
        let plan = scenario::load_plan(file)?;
        let engine = plan.recorded.as_ref().map(|recorded| recorded.engine).unwrap_or_default();
        return Ok(gather(&pipeline::run(&plan, engine)?)?);
    }
    let history = scenario::load_history(file)?;
    let judgements = judge(&history);
    let beside = beside(file, "plan.json");
    if history.header.engine == REAL {
        let fact = Shown { history, judgements, plan: plan_beside(&beside).ok(), tap: None };
        return Ok(Exhibit { fact, variants: Vec::new(), notes: vec![OF_REAL_RUNS.to_owned()] });
    }
    let why = match plan_beside(&beside) {
        Ok(plan) if plan.recorded.as_ref().is_some_and(|it| it.digest == history.digest) => {
            return Ok(gather(&Outcome { plan, history, judgements, messages: 0 })?);
        }
        Ok(_) => format!("{} is the plan of another run", beside.display()),
        Err(why) => why,
    };
    let note = format!(
        "{why}: without its plan this history has no messages, no clocks of hosts and no \
         counterfactuals."
    );
    let fact = Shown { history, judgements, plan: None, tap: None };
    Ok(Exhibit { fact, variants: Vec::new(), notes: vec![note] })
}

fn plan_beside(file: &Path) -> Result<Plan, String> {
    match file.exists() {
        false => Err(format!("There is no {}", file.display())),
        true => scenario::load_plan(file).map_err(|error| error.to_string()),
    }
}

/// The file of another kind about the same run: `x.history.jsonl`, `x.plan.json`, `x.html`.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = [".history.jsonl", ".plan.json"].iter().find_map(|kind| name.strip_suffix(kind));
    match stem {
        Some(stem) => file.with_file_name(format!("{stem}.{ending}")),
        None => file.with_extension(ending),
    }
}

/// The stretch that was asked for, as a picture.
fn picture(shown: &Shown, args: &Args) -> Result<String, CliError> {
    let told = timeline::extract(shown, Extent::Whole);
    let from = args.from.map_or(told.window.from, SimTime::from_millis);
    let until = args.to.map_or(told.window.until, SimTime::from_millis).min(told.run_end);
    if from >= until {
        return Err(CliError::Input(miette::miette!(
            help = format!("the run goes from 0 to {}", told.run_end),
            "there is nothing between {from} and {until}: `--from` must be before `--to`"
        )));
    }
    let window = Window { from, until };
    // Lanes and labels for this stretch, not for the whole run.
    let timeline = timeline::extract_at(shown, window, Extent::Around(std::time::Duration::ZERO));
    let terms = &shown.history.header;
    let (title, story) = match focus(shown) {
        Some((judgement, violation)) => {
            let word = crate::report::findings::of(&judgement.checker).word;
            (format!("{} in {}: {word}", terms.contender, terms.scenario), &violation.story[..])
        }
        None => (format!("{} in {}", terms.contender, terms.scenario), &[][..]),
    };
    let caption = Caption { title: &title, story };
    Ok(svg::render(&scene::lay_out(&timeline), window, &caption))
}
