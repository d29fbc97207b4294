//! Scripts: their names, the cache, and the way from EVAL to Lua and back.
//!
//! A script is compiled once and kept under the SHA-1 of its text (`src/eval.c`). The cache lives
//! in memory only, so it is gone after a restart and clients must be ready for NOSCRIPT. Nothing is
//! evicted: 7.0 keeps every script until SCRIPT FLUSH.
//!
//! Below: `state` is a Lua state, `sandbox` builds what scripts see of it, `api` is what they find in `redis`,
//! `convert` turns replies into Lua values and back, `failure` words errors, `shebang` reads `#!lua`,
//! `random` is Redis' own generator, `libraries` are `cjson`, `cmsgpack`, `struct` and `bit`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use mlua::Function;
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
mod state;

pub(super) use random::Random;
use state::State;

/// A script's name: 40 lower-case hexadecimal digits.
pub(super) type Sha = [u8; 40];

/// A compiled script.
pub(super) struct Script {
    sha: Sha,
    function: Function,
    /// Declared by `#!lua flags=no-writes`.
    read_only: bool,
    /// The state that it was compiled in.
    state: Rc<State>,
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
///
/// In force only while the script's own instructions run: with a limit, whatever Rust asks of Lua is
/// a protected call of its own, which costs ten times what it protects (some 2,300 instructions for
/// a string). What Rust makes for a script is bounded by a request or a reply.
const MEMORY_LIMIT: usize = 256 * 1024 * 1024;
const NO_LIMIT: usize = 0;

/// What the functions in `redis` need to know of the script that calls them.
#[derive(Default)]
struct Host {
    /// The server whose script runs.
    core: RefCell<Option<Rc<RefCell<Core>>>>,
    /// Reused for every `redis.call`.
    request: RefCell<Request>,
    /// `None` outside of a script.
    frame: Cell<Option<Frame>>,
    /// What replies look like to the script at hand (`redis.setresp`).
    protocol: Cell<Protocol>,
    /// Instructions run by the script at hand.
    instructions: Cell<u32>,
}

impl Host {
    /// Works on the server whose script runs.
    fn with_core<T>(&self, work: impl FnOnce(&mut Core) -> T) -> T {
        let core = self.core.borrow();
        work(&mut core.as_ref().expect("only scripts call, and they run for a server").borrow_mut())
    }
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

/// The scripts of one server, and the Lua states that they run in.
///
/// Scripts share nothing with each other but the data and the generator of random numbers (globals
/// cannot be changed), so it is all one to them whose state they run in. To make a state takes longer
/// than ten seconds of a simulated lock's whole traffic; so a server borrows one from its thread
/// ([`state::borrow`]). A script that could see what went on there before, by looking at the memory in
/// use or at what the garbage collector has done, gets a state that is new ([`is_curious`]).
pub(super) struct Engine {
    core: Rc<RefCell<Core>>,
    scripts: BTreeMap<Sha, Rc<Script>>,
    borrowed: Option<Rc<State>>,
    own: Option<Rc<State>>,
}

/// Whether a script's text names anything by which it could tell one state from another, or by which it
/// could name that in turn.
fn is_curious(text: &[u8]) -> bool {
    const WORDS: [&str; 5] = ["collectgarbage", "gcinfo", "setmetatable", "_G", "load"];
    let holds = |word: &str| text.windows(word.len()).any(|part| part == word.as_bytes());
    WORDS.iter().any(|word| holds(word))
}

impl Engine {
    pub(super) fn new(core: Rc<RefCell<Core>>) -> Self {
        Self { core, scripts: BTreeMap::new(), borrowed: None, own: None }
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
        let state = match is_curious(text) {
            true => self.own.get_or_insert_with(|| Rc::new(State::new())),
            false => self.borrowed.get_or_insert_with(|| Rc::new(state::borrow())),
        };
        let function = state.compile(sha, body).map_err(|error| failure::compile_error(&error))?;
        let script = Rc::new(Script { sha, function, read_only, state: Rc::clone(state) });
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
        script.state.run(&self.core, frame, &script.function, call.args, (keys, args))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.scripts.clear();
        // Nobody else has it, unless a script outlives its server.
        if let Some(state) = self.borrowed.take().and_then(Rc::into_inner) {
            state::give_back(state);
        }
    }
}
