//! `picklock compare`: every lock against every fault family; the main job.

use std::path::{Path, PathBuf};

use picklock_sim::run::WorldError;
use rayon::prelude::*;

use super::{CliError, CliResult};
use super::{choose, output, reports};
use crate::compare::{Matrix, compare};
use crate::engine::Engine;
use crate::exhibit::gather;
use crate::exit_code::Exit;
use crate::families::FAMILIES;
use crate::report::page::{self, Exhibits};
use crate::report::{markdown, terminal};
use crate::scenario;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The scenario to vary: its workload, times and contenders.
    #[arg(default_value = "scenarios/compare/all-locks.toml", value_name = "FILE")]
    file: PathBuf,
    /// Plans per cell. A rate of 0 in 20 means: below 16 % with 95 % confidence.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    plans: u32,
    /// Only these contenders (default: those of the scenario).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    lock: Vec<String>,
    /// Only these fault families (default: the columns of the catalogue; `list` shows more).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    family: Vec<String>,
    /// The world to run them in.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Where the page, the numbers and the plans go.
    #[arg(long, default_value = "target/picklock/compare", value_name = "FOLDER")]
    out: PathBuf,
    /// The matrix as JSON.
    #[arg(long)]
    json: bool,
    /// Write the matrix as Markdown; the file that `$GITHUB_STEP_SUMMARY` names is appended to.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> CliResult {
    if let Some(file) = &args.markdown {
        reports::check("--markdown", file)?;
    }
    let scenario = scenario::load(&args.file)?;
    let contenders = choose::contenders(&args.lock, &scenario)?;
    let families = choose::families(&args.family)?;
    let families =
        families.unwrap_or_else(|| FAMILIES.iter().filter(|family| family.compared).collect());
    let cells = (contenders.len() * families.len()) as u64;
    let bar = output::progress(cells * u64::from(args.plans));
    let progress = || bar.inc(1);
    let matrix = compare(&scenario, &contenders, &families, args.plans, args.engine, &progress);
    bar.finish_and_clear();
    let matrix = matrix?;

    let exhibits = exhibits(&matrix)?;
    write_all(&matrix, &exhibits, &args.out)?;
    if let Some(file) = &args.markdown {
        // Some lines per family: never near the limit of a page.
        reports::write_markdown(file, |_| markdown::matrix(&matrix))?;
    }
    if args.json {
        output::json(&matrix)?;
    } else {
        output::result(&terminal::matrix(&matrix))?;
    }
    output::talk(format_args!(
        "page: {}\nnumbers: {}",
        args.out.join("index.html").display(),
        args.out.join("matrix.json").display()
    ));
    // A comparison expects nothing: whatever it finds is its result.
    Ok(Exit::AsExpected)
}

/// The examples with their messages and with what would have happened otherwise.
fn exhibits(matrix: &Matrix) -> Result<Exhibits, CliError> {
    let examples: Vec<_> = matrix
        .rows
        .iter()
        .enumerate()
        .flat_map(|(row, cells)| cells.cells.iter().enumerate().map(move |cell| (row, cell)))
        .filter_map(|(row, (column, cell))| Some(((row, column), cell.example.as_deref()?)))
        .collect();
    let gathered: Result<_, WorldError> =
        examples.into_par_iter().map(|(place, example)| Ok((place, gather(example)?))).collect();
    Ok(gathered?)
}

/// The page, the numbers, and for each example its plan and history.
fn write_all(matrix: &Matrix, exhibits: &Exhibits, folder: &Path) -> Result<(), CliError> {
    for row in &matrix.rows {
        for (cell, family) in row.cells.iter().zip(&matrix.families) {
            if let Some(example) = &cell.example {
                let name = page::slug(&row.contender.to_string(), family.name);
                output::keep(example, &folder.join("plans").join(name))?;
            }
        }
    }
    output::write_json(&folder.join("matrix.json"), matrix)?;
    let html = page::render(matrix, exhibits);
    output::write_file(&folder.join("index.html"), |out| out.write_all(html.as_bytes()))
}
