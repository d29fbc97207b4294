//! One row of the table of commands: what a command may do, and who does it.
//!
//! The flags are those of `src/commands.c`.

use super::super::Redis;
use super::{Call, Handler, Outcome};

pub(super) enum Run {
    /// Needs the data alone; may be called from a script.
    Plain(Handler),
    /// Needs the whole server: the Lua interpreter, which itself calls back into the data, or other
    /// commands. Never from a script.
    Whole(fn(&mut Redis, &Call<'_>) -> Outcome),
    /// A name that stands for its subcommands, and what it does alone.
    Container(Option<Handler>, &'static [Command]),
}

/// One row of the table.
pub(in crate::redis) struct Command {
    /// With its container's name: `client|id`.
    pub(in crate::redis) name: &'static str,
    pub(super) packed: u128,
    pub(super) arity: i32,
    pub(super) run: Run,
    pub(in crate::redis) writes: bool,
    /// Whether scripts may call it (`CMD_NOSCRIPT`).
    pub(super) in_scripts: bool,
    pub(super) traits: u8,
}

/// Allowed before AUTH (`CMD_NO_AUTH`).
pub(super) const WITHOUT_PASSWORD: u8 = 1;
/// Allowed while a script runs for too long (`CMD_ALLOW_BUSY`).
pub(super) const WHILE_BUSY: u8 = 1 << 1;
/// Allowed to a RESP2 client that is subscribed.
pub(super) const WHILE_SUBSCRIBED: u8 = 1 << 2;
/// Runs at once between MULTI and EXEC.
pub(super) const NEVER_QUEUED: u8 = 1 << 3;
/// Not allowed between MULTI and EXEC (`CMD_NO_MULTI`).
pub(super) const NEVER_IN_TRANSACTION: u8 = 1 << 4;
/// Whatever the state of the connection and the server.
pub(super) const ALWAYS: u8 = WITHOUT_PASSWORD | WHILE_BUSY | WHILE_SUBSCRIBED;
/// Counts as writing for CLIENT PAUSE (`CMD_MAY_REPLICATE`).
pub(super) const MAY_REPLICATE: u8 = 1 << 5;
/// Refused unless the configuration allows it (`CMD_PROTECTED`).
pub(super) const GUARDED: u8 = 1 << 6;

impl Command {
    pub(super) const fn that(self, traits: u8) -> Self {
        Self { traits: self.traits | traits, ..self }
    }

    /// The name without its container's.
    pub(super) fn own_name(&self) -> &'static [u8] {
        match self.name.split_once('|') {
            Some((_, name)) => name.as_bytes(),
            None => self.name.as_bytes(),
        }
    }

    pub(in crate::redis) fn without_password(&self) -> bool {
        self.traits & WITHOUT_PASSWORD != 0
    }

    pub(in crate::redis) fn while_busy(&self) -> bool {
        self.traits & WHILE_BUSY != 0
    }

    pub(in crate::redis) fn while_subscribed(&self) -> bool {
        self.traits & WHILE_SUBSCRIBED != 0
    }

    pub(in crate::redis) fn is_queued(&self) -> bool {
        self.traits & NEVER_QUEUED == 0
    }

    pub(in crate::redis) fn never_in_transaction(&self) -> bool {
        self.traits & NEVER_IN_TRANSACTION != 0
    }

    pub(in crate::redis) fn may_replicate(&self) -> bool {
        self.traits & MAY_REPLICATE != 0
    }

    pub(in crate::redis) fn is_guarded(&self) -> bool {
        self.traits & GUARDED != 0
    }
}

pub(super) const fn row(name: &'static str, arity: i32, run: Run) -> Command {
    let packed = match pack(name.as_bytes()) {
        Some(packed) => packed,
        // Subcommands are not searched for by that number.
        None => u128::MAX,
    };
    Command { name, packed, arity, run, writes: false, in_scripts: true, traits: 0 }
}

/// A row for a name that stands for its subcommands.
pub(super) const fn container(name: &'static str, members: &'static [Command]) -> Command {
    row(name, -2, Run::Container(None, members))
}

/// A row for a command that only reads.
pub(super) const fn reads(name: &'static str, arity: i32, handler: Handler) -> Command {
    row(name, arity, Run::Plain(handler))
}

/// A row for a command that changes keys, so that a read-only script may not call it.
pub(super) const fn writes(name: &'static str, arity: i32, handler: Handler) -> Command {
    Command { writes: true, ..reads(name, arity, handler) }
}

/// A row for a command about the connection, which has no meaning in a script.
pub(super) const fn session(name: &'static str, arity: i32, handler: Handler) -> Command {
    Command { in_scripts: false, ..reads(name, arity, handler) }
}

/// A row for a command about scripts or transactions.
pub(super) const fn whole(
    name: &'static str,
    arity: i32,
    handler: fn(&mut Redis, &Call<'_>) -> Outcome,
) -> Command {
    Command { in_scripts: false, ..row(name, arity, Run::Whole(handler)) }
}

/// A row for a command that changes keys and may wait, so that a script may not call it.
pub(super) const fn waits(name: &'static str, arity: i32, handler: Handler) -> Command {
    Command { in_scripts: false, ..writes(name, arity, handler) }
}

/// A name of at most 16 characters as one number: numbers compare much faster than texts.
pub(super) const fn pack(name: &[u8]) -> Option<u128> {
    if name.len() > 16 {
        return None;
    }
    let mut bytes = [0; 16];
    bytes.split_at_mut(name.len()).0.copy_from_slice(name);
    // All sixteen at once: most of them are zero, and that costs less than to go through the name.
    bytes.make_ascii_lowercase();
    Some(u128::from_be_bytes(bytes))
}
