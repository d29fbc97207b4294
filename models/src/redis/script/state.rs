//! One Lua state, and the states that wait on a thread to be used again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use bstr::BStr;
use mlua::{Function, Lua, Table, Value, Variadic};

use super::{
    Core, Frame, Host, INSTRUCTION_LIMIT, MEMORY_LIMIT, NO_LIMIT, Protocol, Reply, Request, Run,
    STEP, Sha, convert, failure, sandbox,
};

/// So many states wait on one thread: a run rarely has more servers than five.
const SPARE: usize = 8;
/// A state that holds more than this is not kept: what a script left there is garbage by now.
const SPARE_BYTES: usize = 1024 * 1024;
/// So many scripts stay compiled in a state: more than all locks have together.
const COMPILED: usize = 64;
/// So many words reach a script by way of Lua's stack, which is much faster than a table made here; it
/// has room for 8000 (`LUAI_MAXCSTACK`).
const SPREAD: usize = 64;

thread_local! {
    static WAITING: RefCell<Vec<State>> = const { RefCell::new(Vec::new()) };
}

/// A state that was used before, or a new one.
pub(super) fn borrow() -> State {
    WAITING.with_borrow_mut(Vec::pop).unwrap_or_else(State::new)
}

/// Keeps a state for the next server.
pub(super) fn give_back(state: State) {
    state.host.core.take();
    if state.lua.used_memory() > SPARE_BYTES {
        return;
    }
    // While the thread itself ends there is nobody to keep it for.
    let _ = WAITING.try_with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        if waiting.len() < SPARE {
            waiting.push(state);
        }
    });
}

/// A Lua state with its sandbox.
pub(super) struct State {
    pub(super) lua: Lua,
    pub(super) host: Rc<Host>,
    /// Lua's own xpcall, which keeps the stack so that the handler can find the line of an error.
    pub(super) xpcall: Function,
    pub(super) handler: Function,
    /// What scripts see as globals, and cannot change.
    pub(super) environment: Table,
    /// Where KEYS and ARGV are put, behind `environment`.
    pub(super) globals: Table,
    /// Puts its arguments there: the key, then the other words.
    pub(super) one_key: Function,
    /// As `one_key`: the number of keys, then all words.
    pub(super) many_keys: Function,
    /// What was compiled here before.
    pub(super) compiled: RefCell<BTreeMap<Sha, Function>>,
}

impl State {
    pub(super) fn new() -> Self {
        sandbox::build(Rc::default()).expect("the sandbox is part of this program and loads")
    }

    /// A script's function. It keeps nothing between its runs, so the one that an earlier server had
    /// compiled will do.
    pub(super) fn compile(&self, sha: Sha, body: &[u8]) -> mlua::Result<Function> {
        let mut known = self.compiled.borrow_mut();
        if let Some(function) = known.get(&sha) {
            return Ok(function.clone());
        }
        let chunk = self.lua.load(body).set_name("@user_script");
        let chunk = chunk.set_mode(mlua::chunk::ChunkMode::Text);
        let function = chunk.set_environment(self.environment.clone()).into_function()?;
        if known.len() < COMPILED {
            known.insert(sha, function.clone());
        }
        Ok(function)
    }

    /// Runs `function` for the server of `core`.
    pub(super) fn run(
        &self,
        core: &Rc<RefCell<Core>>,
        frame: Frame,
        function: &Function,
        words: &Request,
        ranges: (Range<usize>, Range<usize>),
    ) -> Run {
        let host = &self.host;
        host.core.borrow_mut().get_or_insert_with(|| Rc::clone(core));
        host.frame.set(Some(frame));
        host.instructions.set(0);
        host.protocol.set(Protocol::Resp2);
        let reply = self.call(function, words, ranges);
        host.frame.set(None);
        let endless = host.instructions.get() >= INSTRUCTION_LIMIT;
        // Lua 5.1 does not look for garbage when it runs out of memory: the next script would find none.
        if self.lua.used_memory() > MEMORY_LIMIT / 8 {
            let _ = self.lua.gc_collect();
        }
        Run { reply: reply.unwrap_or_else(|error| failure::engine_error(&error)), endless }
    }

    fn call(
        &self,
        function: &Function,
        words: &Request,
        ranges: (Range<usize>, Range<usize>),
    ) -> mlua::Result<Reply> {
        self.present(words, ranges)?;
        // From nothing, so that an endless script ends at the same instruction whatever ran before it: what
        // has just set KEYS and ARGV was counted by the hook of the script before.
        self.host.instructions.set(0);
        sandbox::count_instructions(&self.lua, &self.host, STEP);
        self.lua.set_memory_limit(MEMORY_LIMIT)?;
        let ended = self.xpcall.call::<(bool, Value)>((function, &self.handler));
        self.lua.set_memory_limit(NO_LIMIT)?;
        match ended? {
            (true, value) => convert::to_reply(value, self.host.protocol.get(), 0),
            (false, error) => Ok(failure::script_error(&error)),
        }
    }

    /// Sets KEYS and ARGV.
    fn present(
        &self,
        words: &Request,
        (keys, args): (Range<usize>, Range<usize>),
    ) -> mlua::Result<()> {
        if args.end - keys.start <= SPREAD {
            let texts = (keys.start..args.end).map(|index| str::from_utf8(&words[index]).ok());
            if let Some(texts) = texts.collect::<Option<Variadic<&str>>>() {
                return match keys.len() {
                    1 => self.one_key.call(texts),
                    count => self.many_keys.call((count, texts)),
                };
            }
        }
        for (name, range) in [("KEYS", keys), ("ARGV", args)] {
            let list =
                self.lua.create_sequence_from(range.map(|index| BStr::new(&words[index])))?;
            self.globals.raw_set(name, list)?;
        }
        Ok(())
    }
}
