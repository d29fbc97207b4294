//! From a request to its replies (`src/server.c` `processCommand`): what is refused, what is queued,
//! what has to wait, and what comes after a command.

use super::commands::{self, Call, Command};
use super::keyspace::Author;
use super::request::Request;
use super::session::Session;
use super::{Core, Persistence, Redis, Reply};
use crate::model::{Outbox, SessionId};
use crate::time::HostTime;

/// CLIENT PAUSE (`src/networking.c` `pauseClients`).
#[derive(Clone, Copy)]
pub(super) struct Pause {
    /// Unix milliseconds of the wall clock.
    pub(super) until: i64,
    /// Every command, not only those that write.
    pub(super) all: bool,
}

impl Redis {
    /// One request, unless it has to wait.
    pub(super) fn take(&mut self, now: HostTime, session: SessionId, request: Request) {
        if !self.core.borrow().listens(session) {
            return self.core.borrow_mut().blocked.postponed.push((session, request));
        }
        self.turn(now, session, &request);
    }

    fn turn(&mut self, now: HostTime, session: SessionId, request: &Request) {
        let author = Author { session, now_ms: now.wall.unix_ms() };
        self.core.borrow_mut().enter(session);
        let reply = self.process(&Call { args: request, now, author, may_block: true });
        let core = &mut *self.core.borrow_mut();
        if core.postponing {
            core.postponing = false;
            return core.blocked.postponed.push((session, request.clone()));
        }
        core.commands += 1;
        core.leave(session);
        if std::mem::take(&mut core.silent) {
            if core.is_waiting(session) {
                return;
            }
            core.end_command(session);
        } else {
            core.answer_and_end(session, reply);
        }
        core.serve_blocked(now);
    }

    fn process(&mut self, call: &Call<'_>) -> Reply {
        let command = match commands::look_up(call.args) {
            Ok(command) => command,
            Err(error) => {
                let core = &mut *self.core.borrow_mut();
                let http = [&b"post"[..], b"host:"];
                if http.iter().any(|name| call.args[0].eq_ignore_ascii_case(name)) {
                    // A browser that was lured here is sent away (`securityWarningCommand`).
                    core.silent = true;
                    core.closed.push(call.author.session);
                    return error;
                }
                // What CLIENT LIST then shows is the command, or none.
                let name = commands::named(call.args).map_or("", |command| command.name);
                core.session(call.author.session).last_command = name;
                return core.refuse(call.author.session, &call.args[0], error);
            }
        };
        let held_up = self.core.borrow_mut().admit(call, command);
        held_up.unwrap_or_else(|| commands::execute(self, command, call))
    }

    /// Runs the requests that had to wait and need not any more, in the order in which they came.
    pub(super) fn run_postponed(&mut self, now: HostTime) {
        loop {
            let next = {
                let core = &mut *self.core.borrow_mut();
                let ready = (0..core.blocked.postponed.len()).find(|at| core.is_due(*at));
                ready.map(|at| core.blocked.postponed.remove(at))
            };
            let Some((session, request)) = next else { return };
            self.turn(now, session, &request);
        }
    }

    /// The end of one round of the event loop (`src/server.c` `beforeSleep`): waits that are overdue
    /// end, what had to wait goes on, and what there is to say goes out.
    pub(super) fn come_round(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        if !self.core.borrow().blocked.is_empty() {
            self.go_on(now);
        }
        self.flush(out);
    }

    /// Ends the waits that are overdue and runs what had to wait. Most servers never do.
    #[cold]
    fn go_on(&mut self, now: HostTime) {
        if self.core.borrow().stall.is_none() {
            self.core.borrow_mut().end_overdue_waits(now.wall.unix_ms());
        }
        self.run_postponed(now);
    }

    /// Passes on all that there is to say.
    fn flush(&mut self, out: &mut Outbox<Reply>) {
        let core = &mut *self.core.borrow_mut();
        if out.replies.is_empty() {
            std::mem::swap(&mut out.replies, &mut core.wire);
        } else {
            out.replies.append(&mut core.wire);
        }
        if !core.closed.is_empty() {
            out.closed.append(&mut core.closed);
        }
        out.alarm = out.alarm.or(core.alarm.take());
        core.keyspace.drain_changes(&mut out.changes);
    }
}

impl Core {
    /// The server's timer (`serverCron`).
    pub(super) fn cron(&mut self, now: HostTime) {
        let now_ms = now.wall.unix_ms();
        if self.pause.is_some_and(|pause| now_ms > pause.until) {
            self.pause = None;
        }
        // A pause is meant to keep the data as it is (`activeExpireCycle`).
        self.keyspace.tick(now, self.active_expire && self.pause.is_none());
        self.settle();
        self.drop_idle(now);
    }

    /// Whether the timer finds nothing to do until somebody calls: nothing to expire, to fsync, to end or
    /// to close.
    pub(super) fn rests(&self) -> bool {
        let at_work = self.stall.is_some() || self.pause.is_some() || self.idle_limit_s > 0;
        !at_work
            && self.persistence != Persistence::AofEverysec
            && self.blocked.is_empty()
            && self.keyspace.is_timeless()
    }

    /// Closes what has been idle for longer than `timeout` (`clientsCronHandleTimeout`); who waits or
    /// is subscribed may be.
    fn drop_idle(&mut self, now: HostTime) {
        let limit = self.idle_limit_s;
        if limit == 0 {
            return;
        }
        let idle = |state: &Session| now.steady.since(state.active_at).as_secs() > limit;
        let mut stale: Vec<SessionId> = (self.sessions.iter())
            .filter(|(_, state)| idle(state) && !state.is_subscribed())
            .map(|(session, _)| *session)
            .collect();
        stale.retain(|session| !self.blocked.holds(*session));
        for session in stale {
            self.forget(session);
            self.closed.push(session);
        }
    }

    /// What is answered instead of running `command` now, if it may not run.
    fn admit(&mut self, call: &Call<'_>, command: &Command) -> Option<Reply> {
        let session = call.author.session;
        if !self.begin_command(session, command, call.now) {
            return None;
        }
        if let Some(error) = self.refusal(session, command) {
            return Some(self.refuse(session, &call.args[0], error));
        }
        if self.is_paused(session, command) {
            self.postponing = true;
            return Some(Reply::Null);
        }
        let transaction = &mut self.session(session).transaction;
        let transaction = transaction.as_mut().filter(|_| command.is_queued())?;
        transaction.queue.push_back(call.args.clone());
        Some(Reply::Simple("QUEUED".into()))
    }

    /// Notes the command, and says whether anything about the session or the server is unusual, so
    /// that the usual case is done with one look.
    fn begin_command(&mut self, session: SessionId, command: &Command, now: HostTime) -> bool {
        let unusual_server = self.stall.is_some() || self.pause.is_some();
        let secret = self.password.is_some();
        let state = self.session(session);
        state.last_command = command.name;
        state.active_at = now.steady;
        unusual_server
            || (secret && !state.authenticated)
            || state.transaction.is_some()
            || state.is_restricted()
            || command.is_guarded()
    }

    /// Why `command` may not run now, in the real server's order of reasons.
    fn refusal(&mut self, session: SessionId, command: &Command) -> Option<Reply> {
        if command.is_guarded() && self.settings.get("enable-debug-command") == "no" {
            let text = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \
                        \"local\", you can run it from a local connection, otherwise you need to \
                        set this option in the configuration file, and then restart the server.";
            return Some(Reply::error(text));
        }
        let secret = self.password.is_some();
        let busy = self.stall.is_some();
        let state = self.session(session);
        if secret && !state.authenticated && !command.without_password() {
            return Some(Reply::error("NOAUTH Authentication required."));
        }
        if state.transaction.is_some() && command.never_in_transaction() {
            return Some(Reply::error("ERR Command not allowed inside a transaction"));
        }
        if state.is_restricted() && !command.while_subscribed() {
            let name = command.name;
            return Some(commands::error(format!(
                "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context"
            )));
        }
        if busy && !command.while_busy() {
            let text = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or \
                        SHUTDOWN NOSAVE.";
            return Some(Reply::error(text));
        }
        None
    }

    /// `rejectCommand`: a refused command spoils the transaction it was meant for; a refused EXEC
    /// ends it.
    fn refuse(&mut self, session: SessionId, name: &[u8], error: Reply) -> Reply {
        let Reply::Error(text) = &error else { return error };
        if name.eq_ignore_ascii_case(b"exec") {
            self.discard(session);
            let reason = text.strip_prefix("ERR ").unwrap_or(text);
            let text = format!("EXECABORT Transaction discarded because of: {reason}");
            return commands::error(text);
        }
        if let Some(transaction) = &mut self.session(session).transaction {
            transaction.broken = true;
        }
        error
    }

    fn is_paused(&mut self, session: SessionId, command: &Command) -> bool {
        let Some(pause) = self.pause else { return false };
        let queued = &self.session(session).transaction;
        let writes = |command: &Command| command.writes || command.may_replicate();
        pause.all
            || writes(command)
            || (command.name == "exec"
                && queued
                    .iter()
                    .flat_map(|transaction| &transaction.queue)
                    .any(|request| commands::look_up(request).is_ok_and(writes)))
    }

    /// Whether the next request of `session` is taken off its connection now.
    pub(super) fn listens(&self, session: SessionId) -> bool {
        let stalled = match &self.stall {
            None => false,
            Some(stall) => !stall.is_busy() || stall.session == session,
        };
        !stalled && (self.blocked.is_empty() || !self.blocked.holds(session))
    }

    fn is_waiting(&self, session: SessionId) -> bool {
        self.blocked.holds(session)
            || self.stall.as_ref().is_some_and(|stall| stall.session == session)
    }

    /// Whether the postponed request at `at` may be tried again.
    fn is_due(&mut self, at: usize) -> bool {
        let session = self.blocked.postponed[at].0;
        let first = self.blocked.postponed.iter().position(|(other, _)| *other == session);
        let stalled =
            self.stall.as_ref().is_some_and(|stall| !stall.is_busy() || stall.session == session);
        if stalled || first != Some(at) || self.blocked.waits(session) {
            return false;
        }
        let command = commands::look_up(&self.blocked.postponed[at].1);
        !command.is_ok_and(|command| self.is_paused(session, command))
    }

    /// The end of one command.
    pub(super) fn end_command(&mut self, session: SessionId) {
        if let Some(state) = self.sessions.get_mut(&session) {
            state.command_ended();
        }
    }

    /// Forgets all about a session.
    pub(super) fn forget(&mut self, session: SessionId) {
        if !self.sessions.contains_key(&session) {
            return;
        }
        self.unsubscribe_silently(session);
        self.unwatch(session);
        self.forget_blocked(session);
        self.sessions.remove(&session);
    }
}
