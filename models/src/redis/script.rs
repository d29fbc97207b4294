//! Scripts: their names, the cache, and the way from EVAL to Lua and back.
//!
//! A script is compiled once and kept under the SHA-1 of its text (`src/eval.c`). The cache lives
//! in memory only, so it is gone after a restart and clients must be ready for NOSCRIPT. Nothing is
//! evicted: 7.0 keeps every script until SCRIPT FLUSH.
//!
//! Below: `sandbox` builds the Lua state that scripts see, `api` is what they find in `redis`,
//! `convert` turns replies into Lua values and back, `failure` words errors, `shebang` reads `#!lua`,
//! `random` is Redis' own generator, `libraries` are `cjson`, `cmsgpack`, `struct` and `bit`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use mlua::{Function, Lua, Table};
use sha1::{Digest, Sha1};

use super::commands::Call;
use super::reply::{Protocol, Reply};
use super::request::Request;
use super::{Core, keyspace};
use crate::time::HostTime;

mod api;
mod convert;
mod failure;
mod libraries;
mod random;
mod sandbox;
mod shebang;

use random::Random;

/// A script's name: 40 lower-case hexadecimal digits.
pub(super) type Sha = [u8; 40];

/// A compiled script.
pub(super) struct Script {
    sha: Sha,
    function: Function,
    /// Declared by `#!lua flags=no-writes`.
    read_only: bool,
}

/// The lower-case hexadecimal SHA-1 of `script`, by which EVALSHA knows it.
pub fn sha1_hex(script: &[u8]) -> String {
    sha1(script).iter().map(|digit| char::from(*digit)).collect()
}

pub(super) fn sha1(script: &[u8]) -> Sha {
    let mut hex = [0; 40];
    for (index, byte) in Sha1::digest(script).iter().enumerate() {
        hex[2 * index] = b"0123456789abcdef"[usize::from(byte >> 4)];
        hex[2 * index + 1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    hex
}

/// A script's name as a client spells it, in any case; `None` if it has not 40 characters.
pub(super) fn parse_sha(text: &[u8]) -> Option<Sha> {
    let mut sha: Sha = text.try_into().ok()?;
    sha.make_ascii_lowercase();
    Some(sha)
}

/// A script that has run this many Lua instructions is taken for one that never ends; they are
/// counted in steps of ten thousand.
///
/// The real server lets a script run for ever and answers BUSY to others after 5 s, until SCRIPT
/// KILL (`src/script.c` `scriptInterrupt`). Simulated time stands still during a script, so here it
/// is stopped, and the server is held up from then on as the real one would be (see `stall`).
pub const INSTRUCTION_LIMIT: u32 = 10_000_000;
const STEP: u32 = 10_000;
/// A script that wants more memory than this gets Lua's error for it. The real server goes on until
/// the machine has none left, and dies of it.
const MEMORY_LIMIT: usize = 256 * 1024 * 1024;

/// What the functions in `redis` need to know of the script that calls them.
struct Host {
    core: Rc<RefCell<Core>>,
    /// Reused for every `redis.call`.
    request: RefCell<Request>,
    /// `None` outside of a script.
    frame: Cell<Option<Frame>>,
    random: RefCell<Random>,
    /// What replies look like to the script at hand (`redis.setresp`).
    protocol: Cell<Protocol>,
    /// Instructions run by the script at hand.
    instructions: Cell<u32>,
}

/// One run of a script: whose it is, its frozen time, and what it may do.
#[derive(Clone, Copy)]
struct Frame {
    author: keyspace::Author,
    now: HostTime,
    read_only: bool,
    sha: Sha,
}

/// How a script ended.
pub(super) struct Run {
    /// Its result, or its error; what SCRIPT KILL makes its caller get, if it never ends.
    pub(super) reply: Reply,
    pub(super) endless: bool,
}

/// The Lua state of one server with its scripts.
pub(super) struct Engine {
    lua: Lua,
    host: Rc<Host>,
    /// Lua's own xpcall, which keeps the stack so that the handler can find the line of an error.
    xpcall: Function,
    handler: Function,
    /// What scripts see as globals, and cannot change.
    environment: Table,
    /// Where KEYS and ARGV are put, behind `environment`.
    globals: Table,
    scripts: BTreeMap<Sha, Rc<Script>>,
}

impl Engine {
    pub(super) fn new(core: Rc<RefCell<Core>>) -> Self {
        let host = Rc::new(Host {
            core,
            request: RefCell::default(),
            frame: Cell::default(),
            random: RefCell::default(),
            protocol: Cell::default(),
            instructions: Cell::new(0),
        });
        sandbox::build(host).expect("the sandbox is part of this program and loads")
    }

    pub(super) fn find(&self, sha: &Sha) -> Option<Rc<Script>> {
        self.scripts.get(sha).cloned()
    }

    pub(super) fn forget(&mut self) {
        self.scripts.clear();
    }

    /// Compiles `text` and keeps it under `sha`.
    pub(super) fn load(&mut self, sha: Sha, text: &[u8]) -> Result<Rc<Script>, Reply> {
        let (read_only, body) = shebang::parse(text)?;
        let chunk =
            self.lua.load(body).set_name("@user_script").set_mode(mlua::chunk::ChunkMode::Text);
        let function = chunk
            .set_environment(self.environment.clone())
            .into_function()
            .map_err(|error| failure::compile_error(&error))?;
        let script = Rc::new(Script { sha, function, read_only });
        self.scripts.insert(sha, Rc::clone(&script));
        Ok(script)
    }

    /// Runs `script` for `call`, whose arguments at `keys` and `args` become KEYS and ARGV.
    pub(super) fn run(
        &self,
        script: &Script,
        call: &Call<'_>,
        keys: Range<usize>,
        args: Range<usize>,
        read_only: bool,
    ) -> Run {
        let read_only = read_only || script.read_only;
        let frame = Frame { author: call.author, now: call.now, read_only, sha: script.sha };
        self.host.frame.set(Some(frame));
        self.host.instructions.set(0);
        self.host.protocol.set(Protocol::Resp2);
        let reply = self.call(script, call, keys, args);
        self.host.frame.set(None);
        let endless = self.host.instructions.get() >= INSTRUCTION_LIMIT;
        if endless {
            sandbox::count_instructions(&self.lua, &self.host, STEP);
        }
        // Lua 5.1 does not look for garbage when it runs out of memory: the next script would find none.
        if self.lua.used_memory() > MEMORY_LIMIT / 8 {
            let _ = self.lua.gc_collect();
        }
        Run { reply: reply.unwrap_or_else(|error| failure::engine_error(&error)), endless }
    }

    fn call(
        &self,
        script: &Script,
        call: &Call<'_>,
        keys: Range<usize>,
        args: Range<usize>,
    ) -> mlua::Result<Reply> {
        self.globals.raw_set("KEYS", self.list(call.args, keys)?)?;
        self.globals.raw_set("ARGV", self.list(call.args, args)?)?;
        match self.xpcall.call((&script.function, &self.handler))? {
            (true, value) => convert::to_reply(value, self.host.protocol.get(), 0),
            (false, error) => Ok(failure::script_error(&error)),
        }
    }

    fn list(&self, args: &Request, range: Range<usize>) -> mlua::Result<Table> {
        let list = self.lua.create_table_with_capacity(range.len(), 0)?;
        for index in range {
            list.raw_push(self.lua.create_string(&args[index])?)?;
        }
        Ok(list)
    }
}
