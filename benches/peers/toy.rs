//! What both peers share and no simulator has a say in: the two servers as plain values behind a line
//! protocol, the arguments, the counting, the line that is printed.
//!
//! Each peer takes it in as a module (`#[path]`), so that nothing but the simulator differs.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a run is.
pub const RUN: Duration = Duration::from_secs(30);
/// How often Redis looks for expired keys by itself.
pub const SERVER_TIMER: Duration = Duration::from_millis(100);
/// How long the lock is kept without release.
pub const LEASE_MS: u64 = 1000;
/// Between two attempts to get the lock.
pub const RETRY: Duration = Duration::from_millis(50);
/// How long a client waits for one reply.
pub const REQUEST_LIMIT: Duration = Duration::from_millis(500);
/// Between reading and writing the stock.
pub const HOLD: Duration = Duration::from_millis(20);
/// More than can be sold in a run.
pub const STOCK: i64 = 1_000_000;

/// A server that answers one line with another.
pub trait Answer {
    /// Appends the reply to one request, with its line's end, to `reply`; `now` is the time since
    /// the server's start.
    fn answer(&mut self, request: &str, now: Duration, reply: &mut String);
}

/// Keys with values that expire.
#[derive(Default)]
pub struct Redis {
    keys: BTreeMap<String, (String, Duration)>,
}

impl Redis {
    /// Drops what has expired; a look at a key also does so for that key.
    pub fn expire(&mut self, now: Duration) {
        self.keys.retain(|_, (_, until)| *until > now);
    }
}

impl Answer for Redis {
    fn answer(&mut self, request: &str, now: Duration, reply: &mut String) {
        let words: Vec<&str> = request.split_ascii_whitespace().collect();
        if let [_, key, ..] = words[..]
            && self.keys.get(key).is_some_and(|(_, until)| *until <= now)
        {
            self.keys.remove(key);
        }
        reply.push_str(match words[..] {
            ["SET", key, value, "NX", "PX", lease_ms] => match lease_ms.parse() {
                Ok(_) if self.keys.contains_key(key) => "NIL\n",
                Ok(lease_ms) => {
                    let until = now + Duration::from_millis(lease_ms);
                    self.keys.insert(key.to_owned(), (value.to_owned(), until));
                    "OK\n"
                }
                Err(_) => "ERR\n",
            },
            ["CAD", key, value] => match self.keys.get(key) {
                Some((stored, _)) if stored == value => {
                    self.keys.remove(key);
                    "1\n"
                }
                _ => "0\n",
            },
            _ => "ERR\n",
        });
    }
}

/// One number that anybody may read and write.
pub struct Shop {
    stock: i64,
}

impl Default for Shop {
    fn default() -> Self {
        Self { stock: STOCK }
    }
}

impl Answer for Shop {
    fn answer(&mut self, request: &str, _: Duration, reply: &mut String) {
        match request.split_ascii_whitespace().collect::<Vec<_>>()[..] {
            ["READ"] => _ = writeln!(reply, "{}", self.stock),
            ["WRITE", value] => match value.parse() {
                Ok(value) => {
                    self.stock = value;
                    reply.push_str("OK\n");
                }
                Err(_) => reply.push_str("ERR\n"),
            },
            _ => reply.push_str("ERR\n"),
        }
    }
}

/// What is counted in a run.
#[derive(Clone, Default)]
pub struct Counts(Arc<[AtomicU64; 2]>);

impl Counts {
    /// A client was granted the lock.
    pub fn grant(&self) {
        self.0[0].fetch_add(1, Relaxed);
    }

    /// A request or a reply was written.
    pub fn message(&self) {
        self.0[1].fetch_add(1, Relaxed);
    }
}

/// What to run.
pub struct Args {
    pub clients: u16,
    pub think: Duration,
    pub seeds: Range<u64>,
}

impl Args {
    /// `--clients N --think-ms M --seeds A..B`
    fn parse() -> Option<Self> {
        let mut args = Self { clients: 4, think: Duration::from_millis(30), seeds: 0..10 };
        let mut words = std::env::args().skip(1);
        while let Some(name) = words.next() {
            let value = words.next()?;
            match name.as_str() {
                "--clients" => args.clients = value.parse().ok()?,
                "--think-ms" => args.think = Duration::from_millis(value.parse().ok()?),
                "--seeds" => {
                    let (first, end) = value.split_once("..")?;
                    args.seeds = first.parse().ok()?..end.parse().ok()?;
                }
                _ => return None,
            }
        }
        Some(args)
    }
}

/// Runs every seed and prints what came of it as one line of JSON. The clock is read outside of any
/// simulation, where it is the real one.
pub fn measure(engine: &str, run: impl Fn(&Args, u64, Counts)) {
    let Some(args) = Args::parse() else {
        eprintln!("usage: peer-{engine} [--clients N] [--think-ms M] [--seeds A..B]");
        std::process::exit(2);
    };
    let (mut grants, mut messages, mut digest) = (0, 0, Fnv::default());
    let start = Instant::now();
    for seed in args.seeds.clone() {
        let counts = Counts::default();
        run(&args, seed, counts.clone());
        let [granted, sent] = [0, 1].map(|place: usize| counts.0[place].load(Relaxed));
        grants += granted;
        messages += sent;
        digest.add(granted);
        digest.add(sent);
    }
    let elapsed_s = start.elapsed().as_secs_f64();
    let runs = args.seeds.end.saturating_sub(args.seeds.start);
    let simulated_s = runs * RUN.as_secs();
    println!(
        "{{\"engine\":\"{engine}\",\"runs\":{runs},\"simulated_s\":{simulated_s},\
         \"grants\":{grants},\"messages\":{messages},\"digest\":\"{:016x}\",\
         \"elapsed_s\":{elapsed_s:.6}}}",
        digest.0
    );
}

/// FNV-1a over the counts of each run: the same seeds must give the same number again.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, number: u64) {
        for byte in number.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
