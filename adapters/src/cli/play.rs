//! `picklock-adapters play`: a host's process of a real run; started by `confirm` and by nobody else.

use picklock::exit_code::Exit;

use super::CliResult;
use crate::confirm::{Part, play};

pub(super) fn run(part: Part) -> CliResult {
    play(part)?;
    Ok(Exit::AsExpected)
}
