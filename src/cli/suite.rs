//! `picklock confirm` and `picklock conformance`: verbs of the suite for real servers, which is a program of
//! its own (`adapters/`), so that nobody who simulates has to build it. They are handed over to it as they are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, WrapErr, miette};

use super::{CliError, CliResult};
use crate::exit_code::Exit;

/// The program of the suite.
const SUITE: &str = "picklock-adapters";

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(super) struct Args {
    /// What the suite is told; `--help` says what that can be.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Runs a verb of the suite and ends as it ends.
pub(super) fn run(verb: &str, args: &Args) -> CliResult {
    let program = find().ok_or_else(|| missing(verb))?;
    let status = Command::new(&program).arg(verb).args(&args.arguments).status();
    let status = status
        .into_diagnostic()
        .wrap_err_with(|| format!("starting {}", program.display()))
        .map_err(CliError::Internal)?;
    Ok(match status.code() {
        Some(0) => Exit::AsExpected,
        Some(1) => Exit::Unexpected,
        Some(2) => Exit::BadInput,
        Some(3) => Exit::NotRepeated,
        // Ended by a signal, or by a panic.
        _ => Exit::Internal,
    })
}

/// Beside this program; or where `cargo adapters` leaves it, which builds without much optimisation.
fn find() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent()?.to_owned();
    let name = format!("{SUITE}{}", std::env::consts::EXE_SUFFIX);
    let places = [folder.join(&name), folder.join("../debug").join(&name)];
    places.into_iter().find(|place: &PathBuf| Path::is_file(place))
}

fn missing(verb: &str) -> CliError {
    CliError::Input(miette!(
        help = "build it in picklock's repository by `cargo adapters servers`, which also says which real \
                servers are installed; `adapters/install.sh` installs them",
        "`{verb}` is a verb of the suite for real servers, and {SUITE} is not built"
    ))
}
