//! Redis 7.0.15, as far as lock clients need it, as a pure state machine.
//!
//! In reading order:
//! - [`resp`]: bytes to [`Request`]s and [`Reply`]s to bytes, both ways; `request` and `reply` are
//!   these two types;
//! - `commands`: the table of commands, with one file for each group of them;
//! - `value`: what a key holds, with one file for each type;
//! - `keyspace`: expiry by the server's wall clock, owners, databases, the facts about watched keys;
//! - `persist`: what a crash leaves on the disk;
//! - [`script`]: the script cache and Lua.
//!
//! [`Redis::apply`](Model::apply) looks a request up in the table, runs its handler on `Core`, and
//! pushes the reply and the facts. The data lies behind a reference-counted cell because scripts
//! call back into it; so a `Redis` stays on the thread that made it.
//!
//! ```
//! use picklock_models::model::{Model, Outbox, SessionId};
//! use picklock_models::redis::{Config, Disk, Redis, Reply, Request};
//! use picklock_models::time::{HostTime, SteadyTime, WallTime};
//!
//! let now = HostTime { steady: SteadyTime::default(), wall: WallTime::default() };
//! let mut redis = Redis::boot(Config::default(), Disk::default(), now);
//! let mut out = Outbox::default();
//! for (session, token) in [(SessionId(1), "mine"), (SessionId(2), "yours")] {
//!     redis.connect(now, session);
//!     let acquire = Request::new(["SET", "lock", token, "NX", "PX", "1000"]);
//!     redis.apply(now, session, acquire, &mut out);
//! }
//! assert_eq!(out.replies, [(SessionId(1), Reply::OK), (SessionId(2), Reply::Null)]);
//! ```
//!
//! Where a rule is named with a file (`src/expire.c`), the file is Redis' own. What is left out is
//! listed in `docs/MODELS.md`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use crate::model::{Change, Crash, Model, Outbox, SessionId};
use crate::time::{HostTime, SteadyTime};
use commands::Call;
use keyspace::{Author, Keyspace};
use reply::Protocol;
use script::{Engine, Script, Sha};

mod commands;
mod keyspace;
mod number;
mod persist;
mod reply;
mod request;
pub mod resp;
pub mod script;
mod value;

pub use persist::{Disk, Persistence};
pub use reply::{Format, Reply};
pub use request::Request;

/// The version that is modelled.
pub const VERSION: &str = "7.0.15";

/// How a server is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Whether and when data reaches the disk.
    pub persistence: Persistence,
    /// Keys whose changes are reported in [`Outbox::changes`].
    pub watched: Vec<Bytes>,
}

/// One Redis server. See the [module](self).
pub struct Redis {
    core: Rc<RefCell<Core>>,
    /// Made for the first script, because most simulated servers never see one.
    engine: Option<Engine>,
}

/// All that commands work on.
struct Core {
    keyspace: Keyspace,
    persistence: Persistence,
    sessions: BTreeMap<SessionId, Session>,
    last_client_id: i64,
    started: SteadyTime,
    /// How many commands were answered.
    commands: u64,
    /// Whether a session ever selected another database than 0: most servers never see that.
    databases_in_use: bool,
    /// Whether the command at hand ends its connection.
    closing: bool,
}

/// What a server knows of one connection.
#[derive(Default)]
struct Session {
    id: i64,
    name: Option<Bytes>,
    protocol: Protocol,
    database: usize,
}

impl Redis {
    /// A server that starts with what its disk holds; with [`Persistence::None`] it does not look.
    pub fn boot(config: Config, disk: Disk, now: HostTime) -> Redis {
        let Config { persistence, watched } = config;
        let disk = if persistence == Persistence::None { Disk::default() } else { disk };
        let core = Core {
            keyspace: Keyspace::load(disk, watched, persistence, now.steady),
            persistence,
            sessions: BTreeMap::new(),
            last_client_id: 0,
            started: now.steady,
            commands: 0,
            databases_in_use: false,
            closing: false,
        };
        Redis { core: Rc::new(RefCell::new(core)), engine: None }
    }

    /// The facts about watched keys that were found on the disk, in the order of the keys. To be
    /// asked for once, right after [`Redis::boot`].
    pub fn loaded(&self, now: HostTime) -> Vec<Change> {
        self.core.borrow().keyspace.loaded(now.wall.unix_ms())
    }

    fn engine(&mut self) -> &mut Engine {
        let core = &self.core;
        self.engine.get_or_insert_with(|| Engine::new(Rc::clone(core)))
    }

    fn find_script(&self, sha: &Sha) -> Option<Rc<Script>> {
        self.engine.as_ref()?.find(sha)
    }

    fn load_script(&mut self, sha: Sha, text: &[u8]) -> Result<Rc<Script>, Reply> {
        self.engine().load(sha, text)
    }

    fn forget_scripts(&mut self) {
        if let Some(engine) = &mut self.engine {
            engine.forget();
        }
    }
}

impl Core {
    /// The session's state; a session that was never announced gets one now.
    fn session(&mut self, session: SessionId) -> &mut Session {
        self.sessions.entry(session).or_insert_with(|| {
            self.last_client_id += 1;
            Session { id: self.last_client_id, ..Session::default() }
        })
    }

    /// Before a command of `session`: its database is the one to work on.
    fn enter(&mut self, session: SessionId) {
        if self.databases_in_use {
            let database = self.session(session).database;
            self.keyspace.select(database);
        }
    }

    /// After it: SELECT, also one inside a transaction, is remembered.
    fn leave(&mut self, session: SessionId) {
        let database = self.keyspace.selected();
        if self.databases_in_use || database != 0 {
            self.databases_in_use = true;
            self.session(session).database = database;
        }
    }
}

impl Model for Redis {
    type Request = Request;
    type Reply = Reply;
    type Disk = Disk;

    /// `hz 10` (`src/server.c` `serverCron`).
    const TICK: Duration = Duration::from_millis(100);

    fn connect(&mut self, _: HostTime, session: SessionId) {
        self.core.borrow_mut().session(session);
    }

    fn apply(
        &mut self,
        now: HostTime,
        session: SessionId,
        request: Request,
        out: &mut Outbox<Reply>,
    ) {
        // An empty array or line is not a command and gets no reply.
        if request.is_empty() {
            return;
        }
        let author = Author { session, now_ms: now.wall.unix_ms() };
        self.core.borrow_mut().enter(session);
        let mut reply = commands::run(self, &Call { args: &request, now, author });
        let core = &mut *self.core.borrow_mut();
        reply.lower(core.session(session).protocol);
        out.replies.push((session, reply));
        core.commands += 1;
        core.leave(session);
        if mem::take(&mut core.closing) {
            out.closed.push(session);
        }
        core.keyspace.drain_changes(&mut out.changes);
    }

    fn disconnect(&mut self, _: HostTime, session: SessionId, _: &mut Outbox<Reply>) {
        self.core.borrow_mut().sessions.remove(&session);
    }

    fn tick(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        let keyspace = &mut self.core.borrow_mut().keyspace;
        keyspace.tick(now);
        keyspace.drain_changes(&mut out.changes);
    }

    fn disk_after(&self, crash: Crash) -> Disk {
        self.core.borrow().keyspace.disk_after(crash)
    }
}

#[cfg(test)]
mod tests;
