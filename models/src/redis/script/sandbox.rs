//! The Lua state that scripts run in: `sandbox.lua` with the functions of `api`, and the limit on
//! instructions.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, StdLib, Table, Value, VmState};

use super::{Host, INSTRUCTION_LIMIT, State, api, failure};

/// The chunk name of the sandbox's own Lua, by which errors are not blamed on it.
pub(super) const SOURCE: &str = "=sandbox";

/// A fresh Lua state. Only the base (in Lua 5.1 with coroutines), string, table and math libraries
/// are loaded: where `os`, `io` and `package` never were, nothing can be found of them.
pub(super) fn build(host: Rc<Host>) -> mlua::Result<State> {
    let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    let xpcall: Function = lua.globals().raw_get("xpcall")?;
    let sandbox = compiled(&lua)?;
    let (environment, globals, one_key, many_keys) =
        sandbox.call::<(Table, Table, Function, Function)>(api::functions(&lua, &host)?)?;
    let shared = Rc::clone(&host);
    let handler = move |lua: &Lua, error: Value| {
        let text = failure::handle(lua, &shared, &error);
        lua.create_string(text)
    };
    let handler = lua.create_function(handler)?;
    let compiled = RefCell::default();
    Ok(State { lua, host, xpcall, handler, environment, globals, one_key, many_keys, compiled })
}

/// `sandbox.lua`, compiled once per process: every simulated server needs it, and to compile it takes
/// longer than all the rest of a state.
fn compiled(lua: &Lua) -> mlua::Result<Function> {
    static BYTECODE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytecode = BYTECODE.get_or_init(|| {
        let text = include_str!("sandbox.lua");
        let compiled = lua.load(text).set_name(SOURCE).into_function();
        compiled.expect("the sandbox is part of this program and compiles").dump(false)
    });
    lua.load(bytecode.as_slice()).set_name(SOURCE).set_mode(ChunkMode::Binary).into_function()
}

/// Has every `step` instructions counted, and the script ended when it has used its share. The hook
/// is global because coroutines inherit that one.
pub(super) fn count_instructions(lua: &Lua, host: &Rc<Host>, step: u32) {
    let host = Rc::clone(host);
    let hook = move |lua: &Lua, _: &mlua::debug::Debug<'_>| {
        let used = host.instructions.get().saturating_add(step);
        host.instructions.set(used);
        if used < INSTRUCTION_LIMIT {
            return Ok(VmState::Continue);
        }
        // A script may catch this error; from now on every further instruction fails too, as after
        // SCRIPT KILL (`src/script_lua.c` `luaMaskCountHook`).
        if step > 1 {
            count_instructions(lua, &host, 1);
        }
        let text = "ERR Script killed by user with SCRIPT KILL...";
        Err(mlua::Error::RuntimeError(text.to_owned()))
    };
    let triggers = HookTriggers::new().every_nth_instruction(step);
    lua.set_global_hook(triggers, hook).expect("Lua 5.1 has hooks");
}
