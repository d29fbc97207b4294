//! Lua states are used again by later servers of a thread; no script may be able to tell.

use super::*;

/// Scripts that look at as much of their state as scripts can, each with its own way.
const CURIOUS: &[&str] = &[
    "return math.random(1000)",
    "return {KEYS[1], ARGV[1], #KEYS, #ARGV, KEYS[2] == nil}",
    "KEYS[1] = 'other' KEYS.x = 1 ARGV = nil return KEYS[1]",
    "return tostring(KEYS) .. tostring(redis.call)",
    "local names = {} for name in pairs({a = 1, b = 2, c = 3, d = 4}) do names[#names + 1] = name end \
     return names",
    "return cjson.encode({1, {a = 'b'}})",
    "return collectgarbage('count')",
    "return select(2, pcall(redis.call, 'nosuch'))",
    "return redis.setresp(3)",
    "return nosuch",
    "return {redis.call('SET', KEYS[1], ARGV[1], 'PX', '5'), redis.call('GET', KEYS[1])}",
    "local co = coroutine.wrap(function() return 7 end) return co()",
    "return string.rep('x', 100)",
    // Ended by the limit on instructions, in the middle of whatever it does then.
    "local function f(n) if n == 0 then return 0 end return f(n - 1) end while true do f(5) end",
];

fn answers(session: u64) -> Vec<String> {
    let mut answers = Vec::new();
    for script in CURIOUS {
        let mut server = Server::start(Persistence::None);
        server.redis.apply(
            server.host_time(),
            SessionId(session),
            Request::new(["EVAL", script, "1", "key", "argument"]),
            &mut server.out,
        );
        let mut replies = std::mem::take(&mut server.out.replies);
        // One that never ends is killed by somebody else.
        server.now = 6000;
        server.redis.wake(server.host_time(), &mut server.out);
        let kill = Request::new(["SCRIPT", "KILL"]);
        server.redis.apply(server.host_time(), SessionId(session + 1), kill, &mut server.out);
        replies.append(&mut server.out.replies);
        answers.push(format!("{script}: {replies:?}"));
    }
    answers
}

#[test]
fn a_script_cannot_tell_what_ran_before_it_in_another_server() {
    let fresh = answers(1);
    // The last server's state is in use again: other scripts, garbage, errors, half-used counters.
    let mut server = Server::start(Persistence::None);
    for script in [
        "local t = {} for i = 1, 7777 do t[i] = {i} end return #t",
        "math.randomseed(7) return math.random()",
        "error('x')",
        "redis.setresp(3) return redis.call('SET', 'other', 'value')",
        "for i = 1, 123 do redis.call('INCR', 'count') end",
    ] {
        server.eval(0, 1, script, "0");
    }
    drop(server);
    assert_eq!(answers(1), fresh);
}
