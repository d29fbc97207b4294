//! The rules that a transcript cannot show: exact instants, facts about watched keys, crashes.

use bytes::Bytes;

use super::*;
use crate::model::ChangeKind;
use crate::time::WallTime;

mod aggregates;
mod changes;
mod crashes;
mod expiry;
mod states;
mod touches;

/// A morning in 2026, in Unix milliseconds: what the wall clock shows at millisecond 0 of a test.
const START_MS: i64 = 1_780_000_000_000;

/// One server under test, with a client at each session number that is used.
struct Server {
    redis: Redis,
    /// Milliseconds since the start, on both clocks.
    now: u64,
    /// How far the wall clock was stepped, in milliseconds.
    step: i64,
    out: Outbox<Reply>,
}

impl Server {
    fn start(persistence: Persistence) -> Self {
        Self::restart(persistence, Disk::default(), 0)
    }

    fn restart(persistence: Persistence, disk: Disk, now: u64) -> Self {
        let watched = vec![Bytes::from_static(b"lock"), Bytes::from_static(b"stock")];
        let redis =
            Redis::boot(Config { persistence, watched, ..Config::default() }, disk, at(now, 0));
        Self { redis, now, step: 0, out: Outbox::default() }
    }

    fn host_time(&self) -> HostTime {
        at(self.now, self.step)
    }

    /// The reply to the words of `command`, sent by `session` at millisecond `now`.
    fn run(&mut self, now: u64, session: u64, command: &str) -> Reply {
        self.send(now, session, Request::new(command.split_ascii_whitespace()))
    }

    /// As [`Server::run`], for an EVAL whose text has spaces.
    fn eval(&mut self, now: u64, session: u64, script: &str, rest: &str) -> Reply {
        let words = ["EVAL", script].into_iter().chain(rest.split_ascii_whitespace());
        self.send(now, session, Request::new(words))
    }

    fn send(&mut self, now: u64, session: u64, request: Request) -> Reply {
        self.now = now;
        self.out.clear();
        let time = self.host_time();
        self.redis.apply(time, SessionId(session), request, &mut self.out);
        let (to, reply) = self.out.replies.pop().expect("a reply");
        assert_eq!(to, SessionId(session));
        reply
    }

    fn tick(&mut self, now: u64) {
        self.now = now;
        self.out.clear();
        let time = self.host_time();
        self.redis.tick(time, &mut self.out);
    }

    fn crash(self, crash: Crash, persistence: Persistence) -> Self {
        let disk = self.redis.disk_after(crash);
        Self::restart(persistence, disk, self.now)
    }

    /// The facts that the last request or tick brought.
    fn changes(&self) -> Vec<(Option<u64>, Option<u64>, ChangeKind)> {
        self.out.changes.iter().map(short).collect()
    }
}

fn short(change: &Change) -> (Option<u64>, Option<u64>, ChangeKind) {
    let number = |session: Option<SessionId>| session.map(|session| session.0);
    (number(change.by), number(change.owner), change.kind)
}

fn at(ms: u64, step: i64) -> HostTime {
    let wall = u64::try_from(START_MS + step).expect("after 1970") + ms;
    HostTime {
        steady: SteadyTime::from_nanos(ms * 1_000_000),
        wall: WallTime::from_unix_nanos(wall * 1_000_000),
    }
}

fn bulk(text: &'static str) -> Reply {
    Reply::text(text)
}

#[test]
fn quit_answers_and_then_closes() {
    let mut server = Server::start(Persistence::None);
    assert_eq!(server.run(0, 7, "QUIT"), Reply::OK);
    assert_eq!(server.out.closed, [SessionId(7)]);
    server.run(0, 7, "PING");
    assert_eq!(server.out.closed, []);
}

#[test]
fn an_empty_request_gets_no_reply() {
    let mut server = Server::start(Persistence::None);
    server.redis.apply(at(0, 0), SessionId(1), Request::default(), &mut server.out);
    assert!(server.out.replies.is_empty());
}

#[test]
fn clients_are_numbered_in_the_order_in_which_they_came() {
    let mut server = Server::start(Persistence::None);
    for session in [30, 10, 20] {
        server.redis.connect(at(0, 0), SessionId(session));
    }
    assert_eq!(server.run(0, 10, "CLIENT ID"), Reply::Integer(4));
    server.redis.disconnect(at(0, 0), SessionId(10), &mut Outbox::default());
    server.redis.connect(at(0, 0), SessionId(40));
    assert_eq!(server.run(0, 40, "CLIENT ID"), Reply::Integer(6));
}

/// What ioredis' ready check and Redisson's topology scan read.
#[test]
fn info_says_what_clients_look_for() {
    let mut server = Server::start(Persistence::None);
    let Reply::Bulk(info) = server.run(0, 1, "INFO") else { panic!("a text") };
    let info = String::from_utf8(info.to_vec()).expect("text");
    for line in ["redis_version:7.0.15", "loading:0", "role:master", "connected_slaves:0"] {
        assert!(info.split("\r\n").any(|found| found == line), "{line} in {info}");
    }
}

/// Nobody is answered for five seconds, then everybody that the server is busy.
#[test]
fn an_endless_script_holds_the_server_up_until_it_is_killed() {
    let mut server = Server::start(Persistence::None);
    let request = |script: &str| Request::new(["EVAL", script, "0"]);
    let endless = request("while true do pcall(function() while true do end end) end");
    server.redis.apply(at(0, 0), SessionId(1), endless, &mut server.out);
    assert!(server.out.replies.is_empty());
    assert_eq!(server.out.alarm, Some(at(5000, 0).steady));
    assert!(!server.redis.listens(SessionId(1)) && !server.redis.listens(SessionId(2)));
    server.redis.wake(at(5000, 0), &mut server.out);
    assert!(!server.redis.listens(SessionId(1)) && server.redis.listens(SessionId(2)));
    let busy = server.run(5001, 2, "GET k");
    assert!(matches!(&busy, Reply::Error(text) if text.starts_with("BUSY ")));
    assert_eq!(server.run(5001, 2, "SCRIPT KILL"), Reply::OK);
    assert!(matches!(&server.out.replies[..], [(SessionId(1), Reply::Error(_))]));
    let counting = "local n = 0 for i = 1, 2000000 do n = n + 1 end return n";
    assert_eq!(server.eval(5001, 1, counting, "0"), Reply::Integer(2_000_000));
    assert_eq!(server.eval(5001, 1, counting, "0"), Reply::Integer(2_000_000));
}

#[test]
fn a_deeply_nested_result_ends_in_an_error() {
    let mut server = Server::start(Persistence::None);
    let script = "local t = {} for i = 1, 100000 do t = {t} end return t";
    let mut reply = server.eval(0, 1, script, "0");
    let mut depth = 0;
    while let Reply::Array(mut elements) = reply {
        depth += 1;
        reply = elements.pop().expect("one element");
    }
    assert_eq!((depth, reply), (resp::MAX_DEPTH, Reply::error("ERR reached lua stack limit")));
}
