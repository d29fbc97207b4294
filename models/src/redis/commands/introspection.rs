//! `COMMAND ...` (`src/server.c`).

use super::super::{Core, Reply};
use super::{Call, Command, Outcome, Run, help, reads, row};

/// COMMAND and its subcommands.
pub(super) const COMMAND: Command =
    Command { arity: -1, ..row("command", -1, Run::Container(Some(all), MEMBERS)) };

const MEMBERS: &[Command] = &[
    reads("command|count", 2, |_, _| Ok(Reply::Integer(super::COMMANDS.len() as i64))),
    reads("command|docs", -2, |_, _| Ok(Reply::Map(Vec::new()))),
    reads("command|help", 2, |_, _| Ok(help::text("command"))),
];

fn all(_: &mut Core, _: &Call<'_>) -> Outcome {
    Ok(Reply::Array(Vec::new()))
}
