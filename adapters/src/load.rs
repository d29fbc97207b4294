//! Many clients on one real server, and the proof that nothing is left of it all.
//!
//! The clients are picklock's own lock code over real sockets, one task each, all after one lock. Nothing is
//! broken on purpose, so two holders at once, or no holder at all, are findings too.
#![expect(clippy::disallowed_methods, reason = "real clients take real time")]

pub mod leftovers;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use picklock::lock::{Algorithm, Lock, LockContext, LockParams};
use picklock::locks::{EtcdMutex, RedisTokenCad, ZkCuratorLost};
use picklock::store::StoreKind;
use picklock::workload::FENCE_KEY;
use picklock_sim::env::{Either, Env, race};
use picklock_sim::real::{self, RealEnv};
use picklock_sim::seed::Seed;
use picklock_sim::signal::Signal;

use crate::servers::{self, ServerError};
use leftovers::{Footprint, Own};

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Clients at once.
    pub clients: u16,
    /// For so long.
    pub duration: Duration,
}

/// No lease ends while its holder works, not even on a busy machine.
const PARAMS: LockParams = LockParams {
    ttl_ms: 10_000,
    retry_ms: 10,
    retry_jitter_ms: 10,
    request_timeout_ms: 5_000,
    margin_ms: 100,
    ..LockParams::OF_RECORD
};
/// How long a holder works; how long a client rests before it asks again.
const HOLD: Duration = Duration::from_millis(1);
const THINK: Duration = Duration::from_millis(5);
/// How long clients have to give back what they hold, when the time is up.
const TO_END: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Clone, Debug)]
pub struct Account {
    store: StoreKind,
    version: String,
    lock: &'static str,
    load: Load,
    tally: Tally,
    /// What was there afterwards and had not been there before.
    pub left: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    /// How long each grant, and each release, took.
    waits: Vec<Duration>,
    releases: Vec<Duration>,
    /// Acquires and releases that failed, and what the first one said.
    errors: u64,
    first_error: Option<String>,
    /// Releases that found the lock gone.
    gone: u64,
    /// Grants while another client held the lock.
    overlaps: u64,
    /// Clients that never had it.
    without: u64,
}

/// Puts the load on a server of this store, which is started and stopped for it.
///
/// # Errors
/// See [`ServerError`].
pub fn run(store: StoreKind, load: Load) -> Result<Account, ServerError> {
    match store {
        StoreKind::Redis => run_lock::<RedisTokenCad>(load),
        StoreKind::Etcd => run_lock::<EtcdMutex>(load),
        StoreKind::ZooKeeper => run_lock::<ZkCuratorLost>(load),
    }
}

fn run_lock<A: Algorithm>(load: Load) -> Result<Account, ServerError> {
    let looking = || ServerError::io("looking for what is there");
    // The first runtime of a process opens a pair of sockets for signals, which tokio never closes.
    real::block_on(async {}).map_err(looking())?;
    let before = Own::look().map_err(looking())?;
    let server = servers::start(A::STORE)?;
    let footprint = Footprint::of(&server).map_err(looking())?;
    let (version, address) = (server.version().to_owned(), server.address().to_string());
    let tally = real::block_on(play::<A>(load, address)).and_then(|ended| ended);
    drop(server);
    let tally = tally.map_err(ServerError::io("putting load on a server"))?;
    let mut left = footprint.left().map_err(looking())?;
    left.extend(before.added().map_err(looking())?);
    Ok(Account { store: A::STORE, version, lock: A::NAME, load, tally, left })
}

/// What all clients share.
#[derive(Default)]
struct Shared {
    /// How many hold the lock.
    inside: Cell<u32>,
    tally: RefCell<Tally>,
    time_is_up: Signal,
    playing: Cell<u16>,
    all_ended: Signal,
}

async fn play<A: Algorithm>(load: Load, address: String) -> io::Result<Tally> {
    let shared = Rc::new(Shared::default());
    shared.playing.set(load.clients);
    for number in 0..load.clients {
        // Of its own seed, because random tokens tell clients apart.
        let env = RealEnv::new(Seed(number.into()));
        let context = LockContext {
            servers: Rc::from([address.clone()]),
            key: Rc::from(A::STORE.lock_key()),
            fence_key: Rc::from(FENCE_KEY),
            params: PARAMS,
            on_renewal: Rc::new(|_| {}),
            env: env.clone(),
        };
        let (shared, own) = (Rc::clone(&shared), env.clone());
        env.spawn(async move {
            shared.client(A::client(context), &own).await;
            shared.playing.set(shared.playing.get() - 1);
            if shared.playing.get() == 0 {
                shared.all_ended.set();
            }
        });
    }
    let env = RealEnv::new(Seed(0));
    env.sleep(load.duration).await;
    shared.time_is_up.set();
    let ended = env.timeout(TO_END, shared.all_ended.wait()).await;
    ended.map_err(|_| io::Error::other("a client did not end"))?;
    Ok(shared.tally.take())
}

impl Shared {
    async fn client(&self, mut lock: impl Lock, env: &RealEnv) {
        let mut had_it = false;
        while !self.time_is_up.is_set() {
            let asked = Instant::now();
            let grant = match race(lock.acquire(), self.time_is_up.wait()).await {
                Either::Left(Ok(grant)) => grant,
                Either::Left(Err(error)) => {
                    self.failed(&error);
                    PARAMS.pause_before_retry(env).await;
                    continue;
                }
                Either::Right(()) => break,
            };
            had_it = true;
            self.hold(asked, env).await;
            let begun = Instant::now();
            match lock.release(grant).await {
                Ok(true) => self.tally.borrow_mut().releases.push(begun.elapsed()),
                Ok(false) => self.tally.borrow_mut().gone += 1,
                Err(error) => self.failed(&error),
            }
            env.sleep(THINK).await;
        }
        self.tally.borrow_mut().without += u64::from(!had_it);
    }

    async fn hold(&self, asked: Instant, env: &RealEnv) {
        {
            let mut tally = self.tally.borrow_mut();
            tally.waits.push(asked.elapsed());
            tally.overlaps += u64::from(self.inside.get() > 0);
        }
        self.inside.set(self.inside.get() + 1);
        env.sleep(HOLD).await;
        self.inside.set(self.inside.get() - 1);
    }

    fn failed(&self, error: &dyn fmt::Display) {
        let mut tally = self.tally.borrow_mut();
        tally.errors += 1;
        tally.first_error.get_or_insert_with(|| error.to_string());
    }
}

impl Account {
    /// Whether the lock was granted, to one client at a time, and nothing is left.
    pub fn is_good(&self) -> bool {
        self.left.is_empty() && self.tally.overlaps == 0 && !self.tally.waits.is_empty()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, version, lock, load, tally, left } = self;
        let (store, seconds) = (store.name(), load.duration.as_secs_f64());
        writeln!(f, "{store} {version}, {lock}: {} clients for {seconds} s", load.clients)?;
        let (grants, per_s) = (tally.waits.len(), tally.waits.len() as f64 / seconds);
        write!(f, "  {grants} grants ({per_s:.0}/s), {} errors", tally.errors)?;
        writeln!(f, ", {} at once, {} found gone", tally.overlaps, tally.gone)?;
        if let Some(error) = &tally.first_error {
            writeln!(f, "  the first error: {error}")?;
        }
        if tally.without > 0 {
            writeln!(f, "  {} clients never had it", tally.without)?;
        }
        writeln!(f, "  to be granted it: {}", Latencies(&tally.waits))?;
        writeln!(f, "  to give it back:  {}", Latencies(&tally.releases))?;
        match left.is_empty() {
            true => writeln!(f, "  left: no process, no port, no file, no descriptor"),
            false => left.iter().try_for_each(|left| writeln!(f, "  LEFT: {left}")),
        }
    }
}

/// In words.
struct Latencies<'a>(&'a [Duration]);

impl fmt::Display for Latencies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.to_vec();
        sorted.sort_unstable();
        let Some(longest) = sorted.last() else { return f.write_str("never happened") };
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let at = |percent: usize| ms(sorted[(sorted.len() - 1) * percent / 100]);
        write!(f, "median {:.1} ms, 99 % {:.1} ms, longest {:.1} ms", at(50), at(99), ms(*longest))
    }
}
