//! Transcripts: commands in, RESP bytes out, through both codecs and the model.
//!
//! A line `> ` is a command with the quoting of an inline command; the lines `< ` after it are the
//! reply's bytes, escaped. A line `@ 1500` lets both clocks of the server run for that many
//! milliseconds, with its timer ticking. `#` starts a comment. Each file starts with an empty server
//! at a fixed time. All rows were recorded from a real 7.0.15, except in `model.txt`, which says for
//! each row why it differs.

use std::time::Duration;

use bytes::BytesMut;
use picklock_models::model::{Model, Outbox, SessionId};
use picklock_models::redis::resp::{decode_request, encode_reply, encode_request};
use picklock_models::redis::{Config, Disk, Redis, Reply};
use picklock_models::time::{HostTime, SteadyTime, WallTime};

struct Server {
    redis: Redis,
    now_ns: u64,
    out: Outbox<Reply>,
}

impl Server {
    fn start() -> Self {
        let mut server = Self {
            redis: Redis::boot(Config::default(), Disk::default(), at(0)),
            now_ns: 0,
            out: Outbox::default(),
        };
        server.redis.connect(at(0), SessionId(1));
        server
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.now_ns + duration.as_nanos() as u64;
        let tick = Redis::TICK.as_nanos() as u64;
        loop {
            let next = (self.now_ns / tick + 1) * tick;
            if next > end {
                break;
            }
            self.now_ns = next;
            self.redis.tick(at(next), &mut self.out);
        }
        self.now_ns = end;
    }

    fn answer(&mut self, command: &str) -> String {
        let mut line = BytesMut::from(format!("{command}\r\n").as_bytes());
        let words = decode_request(&mut line).expect("a well-formed row").expect("a whole row");
        let words: Vec<&[u8]> = words.iter().collect();
        let mut bytes = BytesMut::new();
        encode_request(&words, &mut bytes);
        let request = decode_request(&mut bytes).expect("RESP").expect("whole");
        self.out.clear();
        self.redis.apply(at(self.now_ns), SessionId(1), request, &mut self.out);
        for (_, reply) in &self.out.replies {
            encode_reply(reply, &mut bytes);
        }
        bytes.escape_ascii().to_string()
    }
}

/// A server time: `ns` after some morning in 2026.
fn at(ns: u64) -> HostTime {
    let wall = WallTime::from_unix_nanos(1_780_000_000_000_000_000 + ns);
    HostTime { steady: SteadyTime::from_nanos(ns), wall }
}

fn replay(name: &str, transcript: &str) {
    let mut server = Server::start();
    let mut command = "";
    let mut wrong = Vec::new();
    for (index, line) in transcript.lines().enumerate() {
        match line.split_once(' ') {
            Some((">", row)) => command = row,
            Some(("<", expected)) => {
                let answer = server.answer(command);
                if answer != expected {
                    wrong
                        .push(format!("{name}:{}: {command}\n  {expected}\n  {answer}", index + 1));
                }
            }
            Some(("@", ms)) => {
                let ms = ms.parse().expect("milliseconds");
                server.run_for(Duration::from_millis(ms));
            }
            _ => assert!(line.is_empty() || line.starts_with('#'), "{name}:{}: {line}", index + 1),
        }
    }
    assert!(
        wrong.is_empty(),
        "command, real server's answer, model's answer:\n{}",
        wrong.join("\n")
    );
}

macro_rules! transcripts {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let name = concat!(stringify!($name), ".txt");
            replay(name, include_str!(concat!("transcripts/", stringify!($name), ".txt")));
        }
    )*};
}

transcripts! {
    strings keys connection locks scripts random lists hashes sets sorted_sets databases
    libraries model
}
