//! `picklock compare`: every lock against every fault family; the main job.

use std::fs;
use std::path::{Path, PathBuf};

use picklock_sim::run::WorldError;
use rayon::prelude::*;

use super::run::scenario_files;
use super::{CliError, CliResult};
use super::{choose, output, reports};
use crate::catalogue::Catalogue;
use crate::compare::{Matrix, compare};
use crate::engine::Engine;
use crate::exhibit::gather;
use crate::exit_code::Exit;
use crate::families::FAMILIES;
use crate::report::page::{self, Exhibits};
use crate::report::{markdown, terminal};
use crate::scenario::{self, InputError};

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
    /// Write all violations as Markdown: those that the scenarios of `--known` show, and those of the matrix, each with
    /// its smallest run.
    #[arg(long, value_name = "FILE", requires = "known")]
    findings: Option<PathBuf>,
    /// Scenarios (files or folders) that say what is known already.
    #[arg(long, value_name = "PATH", requires = "findings")]
    known: Vec<PathBuf>,
    /// The table of what was seen on real servers, as `picklock-adapters confirm --report` writes it.
    #[arg(long, value_name = "FILE", requires = "findings")]
    confirmed: Option<PathBuf>,
    /// Write the matrix as Markdown; the file that `$GITHUB_STEP_SUMMARY` names is appended to.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> CliResult {
    if let Some(file) = &args.markdown {
        reports::check("--markdown", file)?;
    }
    if let Some(file) = &args.findings {
        reports::check("--findings", file)?;
    }
    let catalogue = catalogue(args)?;
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
    if let Some(file) = &args.findings {
        reports::write("--findings", file, &markdown::findings(&matrix, &catalogue))?;
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

/// What is known before anything is run.
fn catalogue(args: &Args) -> Result<Catalogue, CliError> {
    let mut scenarios = Vec::new();
    for path in scenario_files(&args.known)? {
        scenarios.push(scenario::load(&path)?);
    }
    let Some(file) = &args.confirmed else { return Ok(Catalogue::new(scenarios, "")) };
    let table = fs::read_to_string(file)
        .map_err(|error| InputError::about_file(file, format!("cannot be read: {error}")))?;
    let catalogue = Catalogue::new(scenarios, &table);
    if catalogue.answers() == 0 {
        let problem = "has no row of a table that `picklock-adapters confirm --report` writes";
        return Err(InputError::about_file(file, problem).into());
    }
    Ok(catalogue)
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
