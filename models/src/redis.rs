//! Redis 7.0.15, as far as lock clients need it, as a pure state machine.
//!
//! In reading order:
//! - [`resp`]: bytes to [`Request`]s and [`Reply`]s to bytes, both ways; `request` and `reply` are
//!   these two types;
//! - `turn`: from a request to its replies, by way of everything that may be in between;
//! - `commands`: the table of commands, with one file for each group of them;
//! - `session`: what is known of one connection; `transaction` and `watch`, `channels` and `notify`,
//!   `blocked`, `stall` what a connection can be in; `wire` how replies leave; `settings` CONFIG;
//! - `value`: what a key holds, with one file for each type;
//! - `keyspace`: expiry by the server's wall clock, owners, databases, the facts about watched keys;
//! - `persist`: what a crash leaves on the disk;
//! - [`script`]: the script cache and Lua.
//!
//! [`Redis::apply`](Model::apply) looks a request up in the table, runs its handler on `Core`, and
//! pushes the reply and the facts, for whoever they are. The data lies behind a reference-counted cell because scripts
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
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::model::{Change, Crash, Model, Outbox, SessionId};
use crate::time::{HostTime, SteadyTime, WallTime};
use blocked::Blocked;
use chance::Chance;
use channels::Channels;
use keyspace::Keyspace;
use notify::Letters;
use script::{Engine, Script, Sha};
use session::{Answers, Session};
use settings::Settings;
use stall::Stall;
use turn::Pause;

mod blocked;
mod chance;
mod channels;
mod commands;
mod extended;
mod glob;
mod keyspace;
mod notify;
mod number;
mod persist;
mod reply;
mod request;
pub mod resp;
pub mod script;
mod session;
mod settings;
mod stall;
mod transaction;
mod turn;
mod value;
mod watch;
mod wire;

pub use persist::{Disk, Persistence};
pub use reply::{Format, Reply};
pub use request::Request;

/// The version that is modelled.
pub const VERSION: &str = "7.0.15";

/// The names of all commands that are modelled, sorted; those with subcommands as `client|id`.
pub fn command_names() -> Vec<&'static str> {
    commands::names()
}

/// How a server is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Whether and when data reaches the disk.
    pub persistence: Persistence,
    /// Keys whose changes are reported in [`Outbox::changes`].
    pub watched: Vec<Bytes>,
    /// What stands in its `redis.conf`: names and values, as in CONFIG SET, also of what cannot be
    /// changed later (`enable-debug-command`). Unknown names are passed over.
    pub settings: Vec<(String, String)>,
}

/// The number of the first client: the real server's own script and function clients come before.
const FIRST_CLIENT: i64 = 3;

/// One Redis server. See the [module](self).
pub struct Redis {
    core: Rc<RefCell<Core>>,
    /// Made for the first script, because most simulated servers never see one.
    engine: Option<Engine>,
}

/// All that commands work on.
struct Core {
    keyspace: Keyspace,
    chance: Chance,
    persistence: Persistence,
    settings: Settings,
    /// `requirepass`, if there is one.
    password: Option<Bytes>,
    /// `timeout`, in seconds; 0 is none.
    idle_limit_s: u64,
    /// `notify-keyspace-events`.
    notify: Letters,
    /// Whether the timer removes expired keys (`DEBUG SET-ACTIVE-EXPIRE`).
    active_expire: bool,
    sessions: BTreeMap<SessionId, Session>,
    last_client_id: i64,
    channels: Channels,
    /// Who watches which key of which database.
    watchers: BTreeMap<(usize, Bytes), Vec<SessionId>>,
    blocked: Blocked,
    /// Whether anybody wants to know what happens to keys.
    attentive: bool,
    pause: Option<Pause>,
    stall: Option<Stall>,
    started: SteadyTime,
    saved_at: WallTime,
    /// How many commands were answered.
    commands: u64,
    /// Whether a session ever selected another database than 0: most servers never see that.
    databases_in_use: bool,
    /// Whose command runs.
    current: Option<SessionId>,
    /// Whether the script at hand has called a command that writes.
    script_wrote: bool,
    /// `math.random` of scripts.
    random: script::Random,
    /// Whether the command at hand has said itself what there is to say, or has nothing to say yet.
    silent: bool,
    /// Whether the request at hand has to be tried again later.
    postponing: bool,
    /// What goes out, in the order of the real server's output buffers.
    wire: Vec<(SessionId, Reply)>,
    /// Sessions to be closed after that.
    closed: Vec<SessionId>,
    alarm: Option<SteadyTime>,
}

impl Redis {
    /// A server that starts with what its disk holds; with [`Persistence::None`] it does not look.
    pub fn boot(config: Config, disk: Disk, now: HostTime) -> Redis {
        let Config { persistence, watched, settings } = config;
        let disk = if persistence == Persistence::None { Disk::default() } else { disk };
        let mut core = Core::new(Keyspace::load(disk, watched, persistence, now.steady), now);
        core.persistence = persistence;
        core.preset(&settings);
        Redis { core: Rc::new(RefCell::new(core)), engine: None }
    }

    /// The facts about watched keys that were found on the disk, in the order of the keys. To be
    /// asked for once, right after [`Redis::boot`].
    pub fn loaded(&self, now: HostTime) -> Vec<Change> {
        self.core.borrow().keyspace.loaded(now.wall.unix_ms())
    }

    /// Takes one request of `session` off `input`, under the limits that hold for it now.
    ///
    /// # Errors
    /// As [`resp::decode_request`]. Who has switched answers off (CLIENT REPLY) is not told of it, and because the real
    /// server ends such a connection only after its last words, it stays open, and unread (measured).
    pub fn decode(
        &self,
        session: SessionId,
        input: &mut BytesMut,
    ) -> Result<Option<Request>, resp::ProtocolError> {
        let core = self.core.borrow();
        let decoded = resp::decode_request_within(input, core.limits(session));
        let mute = |state: &Session| matches!(state.answers, Answers::Off | Answers::Skip);
        match decoded {
            Err(_) if core.sessions.get(&session).is_some_and(mute) => Ok(None),
            decoded => decoded,
        }
    }

    /// How many bytes may wait to be read by `session` before it is cut off: for a subscriber the hard
    /// limit of `client-output-buffer-limit` (`src/networking.c` `checkClientOutputBufferLimits`).
    pub fn output_limit(&self, session: SessionId) -> u64 {
        let core = self.core.borrow();
        let subscribed = core.sessions.get(&session).is_some_and(Session::is_subscribed);
        match core.settings.output_limit(subscribed) {
            0 => u64::MAX,
            limit => limit,
        }
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
    fn new(keyspace: Keyspace, now: HostTime) -> Self {
        Self {
            keyspace,
            chance: Chance::default(),
            persistence: Persistence::None,
            settings: Settings::default(),
            password: None,
            idle_limit_s: 0,
            notify: Letters::default(),
            active_expire: true,
            sessions: BTreeMap::new(),
            last_client_id: FIRST_CLIENT - 1,
            channels: Channels::default(),
            watchers: BTreeMap::new(),
            blocked: Blocked::default(),
            attentive: false,
            pause: None,
            stall: None,
            started: now.steady,
            saved_at: now.wall,
            commands: 0,
            databases_in_use: false,
            current: None,
            script_wrote: false,
            random: script::Random::default(),
            silent: false,
            postponing: false,
            wire: Vec::new(),
            closed: Vec::new(),
            alarm: None,
        }
    }

    /// Sets what the server was started with.
    fn preset(&mut self, settings: &[(String, String)]) {
        let (appendonly, appendfsync) = match self.persistence {
            Persistence::None => ("no", "everysec"),
            Persistence::AofEverysec => ("yes", "everysec"),
            Persistence::AofAlways => ("yes", "always"),
        };
        let own = [("appendonly", appendonly), ("appendfsync", appendfsync)];
        let given = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in given.chain(own) {
            self.settings.preset(name, value);
        }
        self.setting_changed("requirepass");
        self.setting_changed("timeout");
        self.setting_changed("notify-keyspace-events");
    }

    /// What is believed of a request of `session`.
    fn limits(&self, session: SessionId) -> resp::Limits {
        if self.password.is_none() && !self.settings.limits_were_set() {
            return resp::Limits::default();
        }
        let known = self.sessions.get(&session).is_some_and(|state| state.authenticated);
        resp::Limits {
            bulk: self.settings.number("proto-max-bulk-len"),
            request: self.settings.number("client-query-buffer-limit"),
            stranger: self.password.is_some() && !known,
        }
    }

    /// The session's state; a session that was never announced gets one now.
    fn session(&mut self, session: SessionId) -> &mut Session {
        self.sessions.entry(session).or_insert_with(|| {
            self.last_client_id += 1;
            let authenticated = self.password.is_none();
            Session { id: self.last_client_id, authenticated, ..Session::default() }
        })
    }

    /// Before a command of `session`: its database is the one to work on.
    fn enter(&mut self, session: SessionId) {
        self.current = Some(session);
        if self.databases_in_use {
            let database = self.session(session).database;
            self.keyspace.select(database);
        }
    }

    /// After it: SELECT, also one inside a transaction, is remembered.
    fn leave(&mut self, session: SessionId) {
        self.current = None;
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

    fn connect(&mut self, now: HostTime, session: SessionId) {
        let core = &mut *self.core.borrow_mut();
        let state = core.session(session);
        state.connected_at = now.steady;
        state.active_at = now.steady;
    }

    fn apply(
        &mut self,
        now: HostTime,
        session: SessionId,
        request: Request,
        out: &mut Outbox<Reply>,
    ) {
        // An empty array or line is not a command and gets no reply; to CLIENT REPLY SKIP it is one.
        if request.is_empty() {
            return self.core.borrow_mut().end_command(session);
        }
        self.look_at_stall(now);
        self.take(now, session, request);
        self.come_round(now, out);
    }

    fn disconnect(&mut self, now: HostTime, session: SessionId, out: &mut Outbox<Reply>) {
        self.core.borrow_mut().forget(session);
        self.come_round(now, out);
    }

    fn tick(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        self.look_at_stall(now);
        if self.core.borrow().stall.is_none() {
            self.core.borrow_mut().cron(now);
        }
        self.come_round(now, out);
    }

    fn wake(&mut self, now: HostTime, out: &mut Outbox<Reply>) {
        self.look_at_stall(now);
        self.core.borrow_mut().serve_blocked(now);
        self.come_round(now, out);
    }

    fn rests(&self) -> bool {
        self.core.borrow().rests()
    }

    fn listens(&self, session: SessionId) -> bool {
        self.core.borrow().listens(session)
    }

    fn disk_after(&self, crash: Crash) -> Disk {
        self.core.borrow().keyspace.disk_after(crash)
    }
}

#[cfg(test)]
mod tests;
