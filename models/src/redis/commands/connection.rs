//! The connection itself (`src/networking.c`, `src/server.c`).

use super::super::{Core, Reply};
use super::args::int;
use super::{Call, Outcome};

/// `PING [message]`: while subscribed in RESP2 the answer looks like a message.
pub(super) fn ping(core: &mut Core, call: &Call<'_>) -> Outcome {
    let message = call.args.get(1).map(Reply::copied);
    if call.args.len() > 2 {
        return Err(super::wrong_arity("ping"));
    }
    if core.session(call.author.session).is_restricted() {
        let message = message.unwrap_or(Reply::text(""));
        return Ok(Reply::Array(vec![Reply::text("pong"), message]));
    }
    Ok(message.unwrap_or(Reply::Simple("PONG".into())))
}

/// `ECHO message`.
pub(super) fn echo(_: &mut Core, call: &Call<'_>) -> Outcome {
    Ok(Reply::copied(&call.args[1]))
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
pub(super) fn quit(core: &mut Core, call: &Call<'_>) -> Outcome {
    core.closed.push(call.author.session);
    Ok(Reply::OK)
}
