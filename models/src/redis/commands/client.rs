//! `CLIENT ...` (`src/networking.c` `clientCommand`). SETINFO is from 7.2, so 7.0 does not know it,
//! and clients expect that.

use bytes::Bytes;

use super::super::session::Answers;
use super::super::turn::Pause;
use super::super::{Core, Reply};
use super::args::{integer, is};
use super::{Call, Command, Outcome, SYNTAX_ERROR, error, help, session};
use crate::model::SessionId;
use crate::redis::reply::Format;

mod kill;
mod list;

/// The subcommands.
pub(super) const CLIENT: &[Command] = &[
    session("client|caching", 3, caching),
    session("client|getname", 2, getname),
    session("client|getredir", 2, |_, _| Ok(Reply::Integer(-1))),
    session("client|help", 2, |_, _| Ok(help::text("client"))),
    session("client|id", 2, id),
    session("client|info", 2, info),
    session("client|kill", -3, kill::kill),
    session("client|list", -2, clients),
    session("client|no-evict", 3, no_evict),
    session("client|pause", -3, pause),
    session("client|reply", 3, reply),
    session("client|setname", 3, setname),
    session("client|tracking", -3, tracking),
    session("client|trackinginfo", 2, trackinginfo),
    session("client|unblock", -3, unblock),
    session("client|unpause", 2, unpause),
];

/// `CLIENT ID`: counted up since the server started, in the order in which clients came.
fn id(core: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(Reply::Integer(core.session(call.author.session).id))
}

/// `CLIENT GETNAME`: null without a name.
fn getname(core: &mut Core, call: &Call<'_>) -> Outcome {
    let name = &core.session(call.author.session).name;
    Ok(name.clone().map_or(Reply::Null, Reply::Bulk))
}

/// `CLIENT SETNAME name`: an empty name takes the name away.
fn setname(core: &mut Core, call: &Call<'_>) -> Outcome {
    core.session(call.author.session).name = check_name(&call.args[2])?;
    Ok(Reply::OK)
}

/// A name as it is kept, if it may be one.
pub(super) fn check_name(name: &[u8]) -> Result<Option<Bytes>, Reply> {
    if name.iter().any(|byte| !(b'!'..=b'~').contains(byte)) {
        let text = "ERR Client names cannot contain spaces, newlines or special characters.";
        return Err(Reply::error(text));
    }
    Ok((!name.is_empty()).then(|| Bytes::copy_from_slice(name)))
}

/// `CLIENT INFO`.
fn info(core: &mut Core, call: &Call<'_>) -> Outcome {
    let line = list::line(core, call.author.session, call.now);
    Ok(Reply::Verbatim(Format::Text, line.into()))
}

/// `CLIENT LIST [TYPE type] [ID id...]`.
fn clients(core: &mut Core, call: &Call<'_>) -> Outcome {
    let mut sessions: Vec<SessionId> = core.by_id();
    if call.args.len() == 4 && is(call.args, 2, "type") {
        let kind = list::Type::parse(&call.args[3])?;
        sessions.retain(|session| kind.is_of(core, *session));
    } else if call.args.len() > 3 && is(call.args, 2, "id") {
        let wrong = Reply::error("ERR Invalid client ID");
        let ids: Option<Vec<i64>> = call.args.iter().skip(3).map(|id| integer(id).ok()).collect();
        let ids = ids.ok_or(wrong)?;
        sessions = ids.iter().filter_map(|id| core.session_of(*id)).collect();
    } else if call.args.len() != 2 {
        return Err(SYNTAX_ERROR);
    }
    let lines = sessions.into_iter().map(|session| list::line(core, session, call.now));
    Ok(Reply::Verbatim(Format::Text, lines.collect::<String>().into()))
}

/// `CLIENT NO-EVICT ON|OFF`.
fn no_evict(core: &mut Core, call: &Call<'_>) -> Outcome {
    core.session(call.author.session).no_evict = match () {
        () if is(call.args, 2, "on") => true,
        () if is(call.args, 2, "off") => false,
        () => return Err(SYNTAX_ERROR),
    };
    Ok(Reply::OK)
}

/// `CLIENT REPLY ON|OFF|SKIP`: only ON is answered.
fn reply(core: &mut Core, call: &Call<'_>) -> Outcome {
    let answers = &mut core.session(call.author.session).answers;
    if is(call.args, 2, "on") {
        *answers = Answers::On;
        return Ok(Reply::OK);
    }
    if is(call.args, 2, "off") {
        *answers = Answers::Off;
    } else if is(call.args, 2, "skip") {
        if *answers != Answers::Off {
            *answers = Answers::SkipNext;
        }
    } else {
        return Err(SYNTAX_ERROR);
    }
    core.silent = true;
    Ok(Reply::Null)
}

/// `CLIENT UNBLOCK id [TIMEOUT|ERROR]`.
fn unblock(core: &mut Core, call: &Call<'_>) -> Outcome {
    let with_error = match call.args.len() {
        3 => false,
        4 if is(call.args, 3, "timeout") => false,
        4 if is(call.args, 3, "error") => true,
        4 => {
            let text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
            return Err(Reply::error(text));
        }
        _ => return Err(super::wrong_arity("client|unblock")),
    };
    let Some(session) = core.session_of(integer(&call.args[2])?) else {
        return Ok(Reply::flag(false));
    };
    let error = Reply::error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    Ok(Reply::flag(core.unblock(session, with_error.then_some(error))))
}

/// `CLIENT PAUSE timeout [WRITE|ALL]`: a second one only makes the first longer or stricter.
fn pause(core: &mut Core, call: &Call<'_>) -> Outcome {
    let all = match call.args.len() {
        3 => true,
        4 if is(call.args, 3, "all") => true,
        4 if is(call.args, 3, "write") => false,
        4 => return Err(Reply::error("ERR CLIENT PAUSE mode must be WRITE or ALL")),
        _ => return Err(super::wrong_arity("client|pause")),
    };
    let wrong = || Reply::error("ERR timeout is not an integer or out of range");
    let ms = integer(&call.args[2]).map_err(|_| wrong())?;
    let until = super::blocking::until(call, ms)?.unwrap_or(call.author.now_ms);
    let pause = core.pause.unwrap_or(Pause { until, all });
    core.pause = Some(Pause { until: pause.until.max(until), all: pause.all || all });
    Ok(Reply::OK)
}

/// `CLIENT UNPAUSE`.
fn unpause(core: &mut Core, _: &Call<'_>) -> Outcome {
    core.pause = None;
    Ok(Reply::OK)
}

/// `CLIENT TRACKING`: never on, so it can only be switched off.
fn tracking(_: &mut Core, call: &Call<'_>) -> Outcome {
    match is(call.args, 2, "off") {
        true => Ok(Reply::OK),
        false => Err(error("ERR client side caching is not modelled".to_owned())),
    }
}

fn caching(_: &mut Core, _: &Call<'_>) -> Outcome {
    let text = "ERR CLIENT CACHING can be called only when the client is in tracking mode with \
                OPTIN or OPTOUT mode enabled";
    Err(Reply::error(text))
}

/// `CLIENT TRACKINGINFO`.
fn trackinginfo(_: &mut Core, _: &Call<'_>) -> Outcome {
    let fields = [
        ("flags", Reply::Set(vec![Reply::text("off")])),
        ("redirect", Reply::Integer(-1)),
        ("prefixes", Reply::Array(Vec::new())),
    ];
    Ok(Reply::Map(fields.map(|(name, value)| (Reply::text(name), value)).into()))
}

impl Core {
    /// All sessions by the order in which they came.
    pub(super) fn by_id(&self) -> Vec<SessionId> {
        let mut sessions: Vec<(i64, SessionId)> =
            self.sessions.iter().map(|(session, state)| (state.id, *session)).collect();
        sessions.sort_unstable();
        sessions.into_iter().map(|(_, session)| session).collect()
    }

    /// The session that CLIENT ID numbered `id`.
    pub(super) fn session_of(&self, id: i64) -> Option<SessionId> {
        self.sessions.iter().find(|(_, state)| state.id == id).map(|(session, _)| *session)
    }
}
