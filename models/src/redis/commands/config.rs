//! `CONFIG ...` (`src/config.c`).

use bytes::Bytes;

use super::super::persist::Persistence;
use super::super::{Core, Reply};
use super::{Call, Command, Outcome, SYNTAX_ERROR, error, help, session};

/// The subcommands.
pub(super) const CONFIG: &[Command] = &[
    session("config|get", -3, get),
    session("config|help", 2, |_, _| Ok(help::text("config"))),
    session("config|resetstat", 2, resetstat),
    session("config|rewrite", 2, rewrite),
    session("config|set", -4, set),
];

/// `CONFIG GET pattern...`.
fn get(core: &mut Core, call: &Call<'_>) -> Outcome {
    let patterns: Vec<&[u8]> = call.args.iter().skip(2).collect();
    let found = core.settings.matching(&patterns).into_iter();
    let pairs = found.map(|(name, value)| (Reply::text(name), Reply::Bulk(Bytes::from(value))));
    Ok(Reply::Map(pairs.collect()))
}

/// `CONFIG SET name value...`: all of them or none.
fn set(core: &mut Core, call: &Call<'_>) -> Outcome {
    if !call.args.len().is_multiple_of(2) {
        return Err(SYNTAX_ERROR);
    }
    let at = |index| &call.args[index];
    let pairs: Vec<(&[u8], &[u8])> =
        (2..call.args.len()).step_by(2).map(|index| (at(index), at(index + 1))).collect();
    let names = core.settings.set(&pairs).map_err(|refused| error(refused.0))?;
    names.into_iter().for_each(|name| core.setting_changed(name));
    Ok(Reply::OK)
}

fn resetstat(core: &mut Core, _: &Call<'_>) -> Outcome {
    core.commands = 0;
    Ok(Reply::OK)
}

fn rewrite(_: &mut Core, _: &Call<'_>) -> Outcome {
    Err(Reply::error("ERR The server is running without a config file"))
}

impl Core {
    /// A setting that something else here follows from has a new value.
    pub(in crate::redis) fn setting_changed(&mut self, name: &str) {
        match name {
            "requirepass" => {
                let password = self.settings.get(name);
                self.password = (!password.is_empty()).then(|| Bytes::from(password.to_owned()));
            }
            "timeout" => self.idle_limit_s = self.settings.number(name),
            "notify-keyspace-events" => {
                self.notify = self.settings.letters();
                self.want_touches();
            }
            "appendonly" | "appendfsync" => {
                let fsync = self.settings.get("appendfsync");
                self.persistence = match fsync {
                    _ if !self.settings.is_on("appendonly") => Persistence::None,
                    "always" => Persistence::AofAlways,
                    _ => Persistence::AofEverysec,
                };
                self.keyspace.persist(self.persistence);
            }
            _ => {}
        }
    }
}
