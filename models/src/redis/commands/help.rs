//! What the subcommand HELP of each container command prints, recorded from a real 7.0.15
//! (`src/networking.c` `addReplyHelp`).

use super::super::Reply;
use super::{error, quotable};

static TEXTS: &[(&str, &str)] = &[
    ("client", include_str!("help/client.txt")),
    ("command", include_str!("help/command.txt")),
    ("config", include_str!("help/config.txt")),
    ("debug", include_str!("help/debug.txt")),
    ("pubsub", include_str!("help/pubsub.txt")),
    ("script", include_str!("help/script.txt")),
];

/// The lines for `container`.
pub(super) fn text(container: &str) -> Reply {
    let found = TEXTS.iter().find(|(name, _)| *name == container);
    let lines = found.map_or("", |(_, text)| text).lines();
    Reply::Array(lines.map(|line| Reply::Simple(line.into())).collect())
}

/// `addReplySubcommandSyntaxError`.
pub(super) fn subcommand_error(container: &str, subcommand: &[u8]) -> Reply {
    let name = quotable(subcommand, 128);
    error(format!(
        "ERR unknown subcommand or wrong number of arguments for '{name}'. Try {container} HELP."
    ))
}
