-- What scripts see: the globals that Redis 7.0 offers and nothing else, unable to change them.
--
-- Redis patches its Lua so that a table can be made read-only. Here such a table is an empty one in
-- front of the real one: reads fall through to it, writes fail with Redis' text. pairs, next,
-- rawget, rawset and setmetatable know of this and treat the pair as one table.

local api = ...

local error, type, select, floor = error, type, select, math.floor
local next, pairs, rawget, rawset = next, pairs, rawget, rawset
local getmetatable, setmetatable, setfenv = getmetatable, setmetatable, setfenv
local describe, draw = api.describe, api.draw

local READ_ONLY = 'Attempt to modify a readonly table'

-- From a read-only table to the one behind it.
local behind = setmetatable({}, { __mode = 'k' })

local function read_only(real, metatable)
  local front = {}
  behind[front] = real
  return setmetatable(front, {
    __index = real,
    __newindex = function() error(READ_ONLY, 2) end,
    __metatable = metatable or false,
  })
end

-- An error that a command raised is a table with the field err wherever a script can look at it.
local function visible(problem)
  local text = type(problem) == 'userdata' and describe(problem)
  return text and { err = text } or problem
end

local globals = {
  _VERSION = _VERSION,
  assert = assert,
  collectgarbage = collectgarbage,
  error = error,
  gcinfo = gcinfo,
  getmetatable = getmetatable,
  ipairs = ipairs,
  rawequal = rawequal,
  select = select,
  tonumber = tonumber,
  type = type,
  unpack = unpack,
}

local environment = read_only(globals, read_only({}))
-- cjson and its like are made when they are first named.
local function library(name)
  local members = api.library(name)
  return members and read_only(members)
end

setmetatable(globals, {
  __index = function(_, name)
    local found = library(name)
    if found then
      rawset(globals, name, found)
      return found
    end
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
})
globals._G = environment

function globals.next(t, key) return next(behind[t] or t, key) end

function globals.pairs(t)
  local real = behind[t]
  if not real then return pairs(t) end
  return function(_, key) return next(real, key) end, t, nil
end

function globals.rawget(t, key) return rawget(behind[t] or t, key) end

function globals.rawset(t, key, value)
  if behind[t] then error(READ_ONLY, 0) end
  return rawset(t, key, value)
end

function globals.setmetatable(t, metatable)
  if behind[t] then error(READ_ONLY, 0) end
  return setmetatable(t, metatable)
end

-- An address would differ from run to run, and a history must not.
local native_tostring = tostring
local ADDRESSED = { table = true, ['function'] = true, thread = true, userdata = true }
function globals.tostring(value)
  local kind = type(value)
  if not ADDRESSED[kind] then return native_tostring(value) end
  local metatable = getmetatable(value)
  if type(metatable) == 'table' and metatable.__tostring then return native_tostring(value) end
  return kind .. ': 0x000000000000'
end

-- Loaded code gets the script's globals, not the state's own. Only text: bytecode could break out.
local native_loadstring, native_load = loadstring, load
local function confined(loaded, message)
  if loaded then return setfenv(loaded, environment) end
  return nil, message
end
function globals.loadstring(text, name)
  if type(text) == 'string' and text:sub(1, 1) == '\27' then
    return nil, 'attempt to load chunk with wrong mode'
  end
  return confined(native_loadstring(text, name))
end
function globals.load(reader, name)
  local first = true
  return confined(native_load(function()
    local piece = reader()
    if first and type(piece) == 'string' and piece ~= '' then
      if piece:sub(1, 1) == '\27' then error('attempt to load chunk with wrong mode', 0) end
      first = false
    end
    return piece
  end, name))
end

-- Redis' own pcall hands out the text of an error table instead of the table.
local native_pcall, native_xpcall = pcall, xpcall
local function settled(ok, ...)
  if ok then return true, ... end
  local problem = visible((...))
  if type(problem) == 'table' then
    local kind = type(problem.err)
    if kind == 'string' or kind == 'number' then return false, problem.err end
  end
  return false, problem
end
function globals.pcall(...) return settled(native_pcall(...)) end

function globals.xpcall(f, handler)
  return native_xpcall(f, function(problem) return handler(visible(problem)) end)
end

local function copy(library)
  local copied = {}
  for name, value in pairs(library) do copied[name] = value end
  return copied
end

local own_coroutine = copy(coroutine)
local resume = coroutine.resume
local function resumed(ok, ...)
  if ok then return true, ... end
  return false, visible((...))
end
function own_coroutine.resume(...) return resumed(resume(...)) end

-- redis_math_random: Redis' own generator under Lua's own rules.
local own_math = copy(math)
local function whole(value, index)
  local number = tonumber(value)
  if not number then
    error('bad argument #' .. index .. " to 'random' (number expected, got " .. type(value) .. ')', 3)
  end
  return number < 0 and math.ceil(number) or floor(number)
end
function own_math.random(...)
  local count, fraction = select('#', ...), draw()
  if count == 0 then return fraction end
  if count > 2 then error('wrong number of arguments', 2) end
  local low, high = 1, whole((...), 1)
  if count == 2 then low, high = high, whole(select(2, ...), 2) end
  if low > high then
    error('bad argument #' .. count .. " to 'random' (interval is empty)", 2)
  end
  return floor(fraction * (high - low + 1)) + low
end
own_math.randomseed = api.seed

-- A text finds its methods in its metatable, which leads to the table that scripts see.
globals.string = read_only(copy(string))
local text_metatable = getmetatable('')
text_metatable.__index = globals.string
text_metatable.__metatable = read_only({ __index = globals.string })

local redis = {
  call = api.call,
  pcall = api.pcall,
  sha1hex = api.sha1hex,
  log = api.log,
  setresp = api.setresp,
  -- Outside of the debugger, which is left out, they do nothing.
  breakpoint = function() return false end,
  debug = function() end,
  LOG_DEBUG = 0,
  LOG_VERBOSE = 1,
  LOG_NOTICE = 2,
  LOG_WARNING = 3,
  REDIS_VERSION = '7.0.15',
  REDIS_VERSION_NUM = 0x0007000f,
}

local function one_text(...)
  return select('#', ...) == 1 and type((...)) == 'string'
end

-- luaPushErrorBuff: the first of several words is the error's code; a single word gets ERR.
function redis.error_reply(...)
  if not one_text(...) then return { err = 'ERR wrong number or type of arguments' } end
  local text = (...):gsub('^%-', '')
  if not text:find(' ', 1, true) then text = 'ERR ' .. text end
  return { err = text }
end

function redis.status_reply(...)
  if not one_text(...) then return { err = 'ERR wrong number or type of arguments' } end
  return { ok = (...) }
end

-- Scripts have been replicated by their effects alone since 7.0, so this changes nothing.
function redis.replicate_commands() return true end

globals.coroutine = read_only(own_coroutine)
globals.math = read_only(own_math)
globals.redis = read_only(redis)
globals.table = read_only(copy(table))

-- KEYS and ARGV of the next script. Nearly every lock has one key.
local function one_key(key, ...)
  globals.KEYS, globals.ARGV = { key }, { ... }
end

-- The first `count` words are keys, the others are not.
local function many_keys(count, ...)
  local keys = { ... }
  for index = select('#', ...), count + 1, -1 do keys[index] = nil end
  globals.KEYS, globals.ARGV = keys, { select(count + 1, ...) }
end

return environment, globals, one_key, many_keys
