//! The command line: one file per verb, each with its arguments and one function.
//!
//! Results go to stdout, talk and progress to stderr.

mod choose;
mod compare;
mod list;
mod new;
mod output;
mod replay;
mod report;
mod reports;
mod run;
mod serve;
mod shrink;
mod suite;
mod sweep;
#[cfg(test)]
mod tests;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use miette::Report;
use picklock_sim::run::WorldError;

pub(crate) use self::run::ContenderResult;
pub(crate) use self::verify::{End, Side, Verified};
use crate::exit_code::Exit;
use crate::logging;
use crate::scenario::InputError;

/// Tries every way into a distributed lock.
///
/// Real lock code against simulated servers, under seeded faults; judged, and replayed byte for
/// byte. Exit codes: 0 as expected, 1 a verdict that was not expected, 2 bad input, 3 a run that did
/// not repeat, 4 internal error.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// Log what happens inside to stderr, stamped with simulated time and host: `debug`,
    /// `picklock::history=debug`, `trace` ..
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// Run scenarios and compare what comes out with what they expect.
    Run(run::Args),
    /// Every lock against every fault family, on the same plans: a matrix and a page.
    Compare(compare::Args),
    /// Draw plans around a scenario by the thousand; tell its distinct failures apart and shrink each.
    Sweep(sweep::Args),
    /// Make a failing plan as small as it gets.
    Shrink(shrink::Args),
    /// Run a plan again and show what happens.
    Replay(replay::Args),
    /// See that a plan gives the same run in every process, still gives the run on record, and gets
    /// the same verdicts on both engines.
    Verify(verify::Args),
    /// One process of `verify`.
    #[command(hide = true)]
    VerifyProcess(verify::process::Args),
    /// Write a crate with a lock of your own and the tests of its promises.
    New(new::Args),
    /// A model on a real port, for any client that speaks its protocol.
    Serve(serve::Args),
    /// The page of one run, or its picture for a paper.
    Report(report::Args),
    /// Does it happen in reality? Carry plans out on real servers and processes (needs the suite in adapters/).
    Confirm(suite::Args),
    /// How faithful the models are: the same random requests to them and to real servers (needs the suite).
    Conformance(suite::Args),
    /// What there is: locks, resources, fault families, checkers, scenarios.
    List(list::Args),
}

/// Why a command could not be carried out.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The user can mend it.
    Input(Report),
    /// The user cannot.
    Internal(Report),
    /// A run did not repeat: what there is to say of it.
    NotRepeated(String),
}

/// What a command comes to.
pub(crate) type CliResult = Result<Exit, CliError>;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; everything else is a mistake in the input. A closed
            // pipe while printing either is a quiet end.
            let _ = error.print();
            let exit = if error.use_stderr() { Exit::BadInput } else { Exit::AsExpected };
            return exit.into();
        }
    };
    if let Some(filter) = &cli.log
        && let Err(error) = logging::start(filter)
    {
        output::talk(format_args!("--log {filter}: {error}"));
        return Exit::BadInput.into();
    }
    let result = match cli.verb {
        Verb::Run(args) => run::run(&args),
        Verb::Compare(args) => compare::run(&args),
        Verb::Sweep(args) => sweep::run(&args),
        Verb::Shrink(args) => shrink::run(&args),
        Verb::Replay(args) => replay::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::VerifyProcess(args) => verify::process::run(&args),
        Verb::New(args) => new::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Confirm(args) => suite::run("confirm", &args),
        Verb::Conformance(args) => suite::run("conformance", &args),
        Verb::List(args) => list::run(&args),
    };
    let exit = result.unwrap_or_else(|error| {
        let (text, exit) = match error {
            CliError::Input(report) => (format!("{report:?}"), Exit::BadInput),
            CliError::Internal(report) => (format!("{report:?}"), Exit::Internal),
            CliError::NotRepeated(text) => (text, Exit::NotRepeated),
        };
        output::talk(format_args!("{text}"));
        exit
    });
    exit.into()
}

impl From<InputError> for CliError {
    fn from(error: InputError) -> Self {
        CliError::Input(error.into())
    }
}

impl From<WorldError> for CliError {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Plan(_) | WorldError::CannotExpress { .. } | WorldError::Engine { .. } => {
                CliError::Input(miette::miette!("{error}"))
            }
            WorldError::Panicked { .. } | WorldError::Livelock { .. } => {
                CliError::Internal(miette::miette!("{error}"))
            }
        }
    }
}
