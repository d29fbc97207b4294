//! The command line of the suite: one file for each verb, as in picklock itself.
//!
//! `picklock conformance` and `picklock confirm` hand over to this program.

mod confirm;
mod conformance;
mod load;
mod play;
mod servers;

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use picklock::exit_code::Exit;

/// Real Redis, etcd and ZooKeeper servers beside picklock's models.
///
/// Exit codes: 0 as expected; 1 model and server differ, a plan was not confirmed, something is left; 2 bad
/// input, a server that is missing or fails, a plan that cannot be carried out.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Carry plans out on real processes: does what was found in simulation happen?
    Confirm(confirm::Args),
    /// One host's process of `confirm`.
    #[command(hide = true)]
    Play(crate::confirm::Part),
    /// Sends random commands to real servers and to the models, and compares.
    Conformance(conformance::Args),
    /// Which servers are installed; starts each once.
    Servers(servers::Args),
    /// Many clients on each real server; then proves that nothing is left.
    Load(load::Args),
}

/// What a verb comes to; its errors are what the user is told.
pub(crate) type CliResult = miette::Result<Exit>;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.verb {
        Verb::Confirm(args) => confirm::run(&args),
        Verb::Play(part) => play::run(part),
        Verb::Conformance(args) => conformance::run(&args),
        Verb::Servers(args) => servers::run(&args),
        Verb::Load(args) => load::run(&args),
    };
    result
        .unwrap_or_else(|error| {
            talk(format_args!("{error:?}"));
            Exit::BadInput
        })
        .into()
}

/// Writes a result to stdout. A closed pipe is a quiet end.
pub(crate) fn result(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Says something that is no result.
#[expect(clippy::print_stderr, reason = "this is the one place that talks to the terminal")]
pub(crate) fn talk(text: fmt::Arguments<'_>) {
    eprintln!("{text}");
}
