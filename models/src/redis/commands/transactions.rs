//! MULTI and what belongs to it (`src/multi.c`).

use super::super::session::{Answers, Transaction};
use super::super::transaction::Exec;
use super::super::{Core, Redis, Reply};
use super::{Call, Outcome, execute, look_up};
use crate::model::SessionId;
use crate::redis::keyspace::Author;
use crate::time::HostTime;

/// `MULTI`.
pub(super) fn multi(core: &mut Core, call: &Call<'_>) -> Outcome {
    let transaction = &mut core.session(call.author.session).transaction;
    if transaction.is_some() {
        return Err(Reply::error("ERR MULTI calls can not be nested"));
    }
    *transaction = Some(Transaction::default());
    Ok(Reply::OK)
}

/// `DISCARD`.
pub(super) fn discard(core: &mut Core, call: &Call<'_>) -> Outcome {
    match core.discard(call.author.session) {
        true => Ok(Reply::OK),
        false => Err(Reply::error("ERR DISCARD without MULTI")),
    }
}

/// `WATCH key...`.
pub(super) fn watch(core: &mut Core, call: &Call<'_>) -> Outcome {
    let session = call.author.session;
    if core.session(session).transaction.is_some() {
        return Err(Reply::error("ERR WATCH inside MULTI is not allowed"));
    }
    // `CLIENT_DIRTY_CAS` is set already: no key needs to be watched any more.
    if !core.session(session).dirty {
        call.args.iter().skip(1).for_each(|key| core.watch(session, key, call.author.now_ms));
    }
    Ok(Reply::OK)
}

/// `UNWATCH`.
pub(super) fn unwatch(core: &mut Core, call: &Call<'_>) -> Outcome {
    core.unwatch(call.author.session);
    Ok(Reply::OK)
}

impl Core {
    /// Ends a transaction without running it; false if there is none (`discardTransaction`).
    pub(in crate::redis) fn discard(&mut self, session: SessionId) -> bool {
        let was_open = self.session(session).transaction.take().is_some();
        if was_open {
            self.unwatch(session);
        }
        was_open
    }
}

/// `EXEC`: all commands, each with its own answer, errors included.
pub(super) fn exec(redis: &mut Redis, call: &Call<'_>) -> Outcome {
    let session = call.author.session;
    let (queue, announced) = {
        let core = &mut *redis.core.borrow_mut();
        let changed = core.has_changed(session, call.author.now_ms);
        let Some(transaction) = core.session(session).transaction.take() else {
            return Err(Reply::error("ERR EXEC without MULTI"));
        };
        core.unwatch(session);
        if transaction.broken {
            let text = "EXECABORT Transaction discarded because of previous errors.";
            return Err(Reply::error(text));
        }
        if changed {
            return Ok(Reply::NullArray);
        }
        let state = core.session(session);
        state.executing = Some(transaction.queue.len());
        let answers = state.answers;
        (transaction.queue, !matches!(answers, Answers::Off | Answers::Skip))
    };
    run_queue(redis, call.now, session, Exec::new(queue, announced));
    redis.core.borrow_mut().silent = true;
    Ok(Reply::Null)
}

/// Runs what is left of a transaction, unless a command holds the server up.
fn run_queue(redis: &mut Redis, now: HostTime, session: SessionId, mut exec: Exec) {
    let author = Author { session, now_ms: now.wall.unix_ms() };
    while let Some(request) = exec.left.pop_front() {
        let start = redis.core.borrow().wire.len();
        let call = Call { args: &request, now, author, may_block: false };
        let reply = match look_up(&request) {
            Ok(command) => execute(redis, command, &call),
            Err(error) => error,
        };
        let core = &mut *redis.core.borrow_mut();
        if !std::mem::take(&mut core.silent) {
            core.answer(session, reply);
        }
        exec.collect(core, session, start);
        if let Some(stall) = &mut core.stall {
            return stall.suspend(exec);
        }
    }
    let core = &mut *redis.core.borrow_mut();
    if let Some(state) = core.sessions.get_mut(&session) {
        state.executing = None;
    }
    exec.send(core, session);
}

/// Goes on with a transaction after the command that held the server up has ended with `reply`.
pub(in crate::redis) fn resume(
    redis: &mut Redis,
    now: HostTime,
    session: SessionId,
    mut exec: Exec,
    reply: Reply,
) {
    {
        let core = &mut *redis.core.borrow_mut();
        let start = core.wire.len();
        core.answer(session, reply);
        exec.collect(core, session, start);
    }
    redis.core.borrow_mut().enter(session);
    run_queue(redis, now, session, exec);
    redis.core.borrow_mut().leave(session);
}
