//! Times in which the server does nothing else: DEBUG SLEEP, and a script that never ends.
//!
//! Time stands still while a command runs, so a script that reaches its limit of instructions is
//! taken for one that never ends, from then on: its session hangs, and nobody is answered. After
//! `busy-reply-threshold` the server looks at its connections again, and everything but a few
//! commands is refused with BUSY (`src/script.c` `scriptInterrupt`, `src/server.c`
//! `processCommand`), until SCRIPT KILL; what the script wrote up to its limit stays, and then it
//! cannot be killed.

use std::time::Duration;

use super::commands::{Outcome, resume};
use super::transaction::Exec;
use super::{Core, Redis, Reply};
use crate::model::SessionId;
use crate::time::{HostTime, SteadyTime};

/// What the server is held up by.
pub(super) struct Stall {
    /// Whose command it is.
    pub(super) session: SessionId,
    kind: Kind,
    /// What that command answers when it is over.
    reply: Reply,
    /// The transaction that it is part of, if any.
    exec: Option<Exec>,
}

enum Kind {
    Sleep {
        until: SteadyTime,
    },
    /// `busy`: whether `busy-reply-threshold` has passed.
    Script {
        busy_at: SteadyTime,
        busy: bool,
        wrote: bool,
    },
}

impl Stall {
    pub(super) fn sleep(session: SessionId, until: SteadyTime) -> Self {
        Self { session, kind: Kind::Sleep { until }, reply: Reply::OK, exec: None }
    }

    /// `reply` is what the script's caller gets if the script is killed.
    pub(super) fn script(
        session: SessionId,
        busy_at: SteadyTime,
        wrote: bool,
        reply: Reply,
    ) -> Self {
        Self { session, kind: Kind::Script { busy_at, busy: false, wrote }, reply, exec: None }
    }

    /// When the server has something to do again.
    pub(super) fn wakes_at(&self) -> SteadyTime {
        match self.kind {
            Kind::Sleep { until } => until,
            Kind::Script { busy_at, .. } => busy_at,
        }
    }

    /// Whether requests are looked at, if only to refuse them.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.kind, Kind::Script { busy: true, .. })
    }

    /// The rest of the transaction that waits for the end of this.
    pub(super) fn suspend(&mut self, exec: Exec) {
        self.exec = Some(exec);
    }
}

impl Core {
    /// Holds the server up from now on.
    pub(super) fn stall(&mut self, stall: Stall) {
        self.alarm = Some(stall.wakes_at());
        self.stall = Some(stall);
        self.silent = true;
    }

    /// How long a script may run before others are told that the server is busy.
    pub(super) fn busy_after(&self) -> Duration {
        Duration::from_millis(self.settings.number("busy-reply-threshold"))
    }
}

impl Redis {
    /// The clock has moved on: is the sleep over, or is it time to say that the server is busy?
    pub(super) fn look_at_stall(&mut self, now: HostTime) {
        let over = {
            let core = &mut *self.core.borrow_mut();
            match &mut core.stall {
                None => return,
                Some(Stall { kind: Kind::Sleep { until }, .. }) => now.steady >= *until,
                Some(Stall { kind: Kind::Script { busy_at, busy, .. }, .. }) => {
                    *busy |= now.steady >= *busy_at;
                    false
                }
            }
        };
        if over {
            self.end_stall(now);
        }
    }

    /// `SCRIPT KILL` (`src/script.c` `scriptKill`).
    pub(super) fn kill_script(&mut self, now: HostTime) -> Outcome {
        match &self.core.borrow().stall {
            Some(Stall { kind: Kind::Script { wrote: false, .. }, .. }) => {}
            Some(Stall { kind: Kind::Script { .. }, .. }) => {
                let text = "UNKILLABLE Sorry the script already executed write commands against the \
                            dataset. You can either wait the script termination or kill the server \
                            in a hard way using the SHUTDOWN NOSAVE command.";
                return Err(Reply::error(text));
            }
            _ => return Err(Reply::error("NOTBUSY No scripts in execution right now.")),
        }
        self.end_stall(now);
        Ok(Reply::OK)
    }

    fn end_stall(&mut self, now: HostTime) {
        let Some(stall) = self.core.borrow_mut().stall.take() else { return };
        let session = stall.session;
        let gone = !self.core.borrow().sessions.contains_key(&session);
        match stall.exec {
            None => self.core.borrow_mut().answer(session, stall.reply),
            Some(exec) => resume(self, now, session, exec, stall.reply),
        }
        let core = &mut *self.core.borrow_mut();
        if core.stall.is_none() {
            core.silent = false;
            core.end_command(session);
        }
        if gone {
            // The rest of a transaction runs for a client that has left; nothing of it stays.
            core.forget(session);
        }
    }
}
