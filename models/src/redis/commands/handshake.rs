//! HELLO, AUTH and RESET: who the client is and what it speaks (`src/networking.c` `helloCommand`,
//! `src/acl.c` `authCommand`, `src/server.c` `resetCommand`).

use super::super::reply::Protocol;
use super::super::{Core, Reply, VERSION, number};
use super::client::check_name;
use super::{Call, Outcome, SYNTAX_ERROR, error, quotable};
use crate::model::SessionId;
use crate::redis::session::Answers;

const WRONG_PASSWORD: Reply =
    Reply::error("WRONGPASS invalid username-password pair or user is disabled.");

/// `HELLO [2|3 [AUTH user password] [SETNAME name]]`.
pub(super) fn hello(core: &mut Core, call: &Call<'_>) -> Outcome {
    let session = call.author.session;
    let protocol = match call.args.get(1).map(number::parse) {
        None => None,
        Some(Some(2)) => Some(Protocol::Resp2),
        Some(Some(3)) => Some(Protocol::Resp3),
        Some(Some(_)) => return Err(Reply::error("NOPROTO unsupported protocol version")),
        Some(None) => {
            let text = "ERR Protocol version is not an integer or out of range";
            return Err(Reply::error(text));
        }
    };
    // Options take effect as they are read, also when a later one is wrong.
    let mut at = 2;
    while let Some(option) = call.args.get(at) {
        match (option.to_ascii_uppercase().as_slice(), call.args.get(at + 1), call.args.get(at + 2))
        {
            (b"AUTH", Some(user), Some(password)) => {
                authenticate(core, session, user, password)?;
                at += 3;
            }
            (b"SETNAME", Some(name), _) => {
                core.session(session).name = check_name(name)?;
                at += 2;
            }
            _ => {
                let option = quotable(option, usize::MAX);
                return Err(error(format!("ERR Syntax error in HELLO option '{option}'")));
            }
        }
    }
    if core.password.is_some() && !core.session(session).authenticated {
        let text = "NOAUTH HELLO must be called with the client already authenticated, otherwise \
                    the HELLO AUTH <user> <pass> option can be used to authenticate the client and \
                    select the RESP protocol version at the same time";
        return Err(Reply::error(text));
    }
    let state = core.session(session);
    state.protocol = protocol.unwrap_or(state.protocol);
    let version = if state.protocol == Protocol::Resp2 { 2 } else { 3 };
    let fields = [
        ("server", Reply::text("redis")),
        ("version", Reply::text(VERSION)),
        ("proto", Reply::Integer(version)),
        ("id", Reply::Integer(state.id)),
        ("mode", Reply::text("standalone")),
        ("role", Reply::text("master")),
        ("modules", Reply::Array(Vec::new())),
    ];
    Ok(Reply::Map(fields.map(|(name, value)| (Reply::text(name), value)).into()))
}

/// `AUTH [user] password`.
pub(super) fn auth(core: &mut Core, call: &Call<'_>) -> Outcome {
    let session = call.author.session;
    match call.args.len() {
        2 if core.password.is_none() => {
            let text = "ERR AUTH <password> called without any password configured for the default \
                        user. Are you sure your configuration is correct?";
            return Err(Reply::error(text));
        }
        2 => authenticate(core, session, b"default", &call.args[1])?,
        3 => authenticate(core, session, &call.args[1], &call.args[2])?,
        _ => return Err(SYNTAX_ERROR),
    }
    Ok(Reply::OK)
}

/// There is one user, `default`; without a password it takes any.
fn authenticate(
    core: &mut Core,
    session: SessionId,
    user: &[u8],
    password: &[u8],
) -> Result<(), Reply> {
    let right = core.password.as_ref().is_none_or(|wanted| *wanted == password);
    if user != b"default" || !right {
        return Err(WRONG_PASSWORD);
    }
    core.session(session).authenticated = true;
    Ok(())
}

/// `RESET`: as a fresh connection, but for its id.
pub(super) fn reset(core: &mut Core, call: &Call<'_>) -> Outcome {
    let session = call.author.session;
    core.discard(session);
    core.unwatch(session);
    core.unsubscribe_silently(session);
    core.keyspace.select(0);
    let authenticated = core.password.is_none();
    let state = core.session(session);
    state.name = None;
    state.protocol = Protocol::Resp2;
    state.authenticated = authenticated;
    state.answers = Answers::On;
    state.no_evict = false;
    Ok(Reply::Simple("RESET".into()))
}
