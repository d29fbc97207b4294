//! The connection itself (`src/networking.c`, `src/server.c`).
//!
//! HELLO is not here, so it is an unknown command: RESP3 is not modelled yet, and clients fall back
//! to RESP2 when a server older than 6 answers so.

use bytes::Bytes;

use super::super::{Core, Reply};
use super::args::int;
use super::{Call, Outcome, Subcommand, run_subcommand};

/// `PING [message]`.
pub(super) fn ping(_: &mut Core, call: &Call<'_>) -> Outcome {
    match call.args.len() {
        1 => Ok(Reply::Simple("PONG".into())),
        2 => Ok(Reply::Bulk(Bytes::copy_from_slice(&call.args[1]))),
        _ => Err(super::wrong_arity("ping")),
    }
}

/// `ECHO message`.
pub(super) fn echo(_: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(Reply::Bulk(Bytes::copy_from_slice(&call.args[1])))
}

/// `SELECT index` (`src/db.c` `selectCommand`). Inside a script it holds until the script ends.
pub(super) fn select(core: &mut Core, call: &Call<'_>) -> Outcome {
    let database = int(&call.args[1])?;
    match usize::try_from(database).is_ok_and(|database| core.keyspace.select(database)) {
        true => Ok(Reply::OK),
        false => Err(Reply::error("ERR DB index is out of range")),
    }
}

/// `QUIT`: answers, then closes.
pub(super) fn quit(core: &mut Core, _: &Call<'_>) -> Outcome {
    core.closing = true;
    Ok(Reply::OK)
}

/// `CLIENT ...`. SETINFO is from 7.2, so 7.0 does not know it, and clients expect that.
pub(super) fn client(core: &mut Core, call: &Call<'_>) -> Outcome {
    const TABLE: &[Subcommand<Core>] = &[
        Subcommand { name: "getname", arity: 2, handler: getname },
        Subcommand { name: "id", arity: 2, handler: id },
        Subcommand { name: "setname", arity: 3, handler: setname },
    ];
    run_subcommand(core, call, "client", TABLE)
}

/// `CLIENT ID`: counted from 1 since the server started, in the order in which clients came.
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
    let name = &call.args[2];
    if name.iter().any(|byte| !(b'!'..=b'~').contains(byte)) {
        let text = "ERR Client names cannot contain spaces, newlines or special characters.";
        return Err(Reply::error(text));
    }
    let session = core.session(call.author.session);
    session.name = (!name.is_empty()).then(|| Bytes::copy_from_slice(name));
    Ok(Reply::OK)
}
