//! The cast of these tests, plans for it, and questions about what it did.
//!
//! What the words of the history stand for here: `renew` is a connect, `check` a ping and its echo
//! (`ok`, `fail` for an error, `info` for a timeout), `sell` a ping that the server received, `read`
//! and `write` what a sleeper's steady and wall clocks show.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use picklock_models::model::Crash;
use picklock_sim::cast::{Cast, Program};
use picklock_sim::env::Env;
use picklock_sim::event;
use picklock_sim::fault::{Cut, Fault, Target, TimedFault, When};
use picklock_sim::history::{Event, Kind, Op, OpName};
use picklock_sim::host::{HostName, Role};
use picklock_sim::plan::{HostPlan, Latency, WorldPlan};
use picklock_sim::recorder::Recorder;
use picklock_sim::run::{Run, WorldError};
use picklock_sim::seed::Seed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) const CLIENT: HostName = HostName::client(1);
pub(crate) const REDIS: HostName = HostName::REDIS;
const PORT: u16 = 6379;

/// What the clients do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// Ping every 20 ms of their own time, giving up after this many milliseconds.
    Ping { patience_ms: u64 },
    /// Connect to this port once, giving up after five seconds.
    Connect { port: u16 },
    /// Open this many connections at once and keep them.
    Flood { connections: u16 },
    /// Sleep again and again, this many milliseconds of their own time.
    Sleep { ms: u64 },
    /// Wake themselves for ever.
    Spin,
    /// Panic after 50 ms.
    Panic,
}

/// What the server does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Server {
    Echoes,
    NeverAccepts,
}

/// The programs of these tests.
pub(crate) struct Troupe {
    pub(crate) part: Part,
    pub(crate) server: Server,
    /// How many crashes it was told of.
    pub(crate) crashes: Rc<Cell<u32>>,
}

impl Cast for Troupe {
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program {
        let actor = Actor { host, env, recorder };
        let (part, server) = (self.part, self.server);
        match host.role {
            Role::Redis => Box::pin(actor.serve(server)),
            _ => Box::pin(actor.act(part)),
        }
    }

    fn crashed(&self, _: HostName, _: Crash) {
        self.crashes.set(self.crashes.get() + 1);
    }
}

#[derive(Clone)]
struct Actor<E> {
    host: HostName,
    env: E,
    recorder: Recorder,
}

impl<E: Env> Actor<E> {
    fn record(&self, kind: Kind, op: Op) {
        self.recorder.record(self.host, kind, op);
    }

    async fn serve(self, server: Server) {
        let mut listener = self.env.listen(PORT).await.expect("the port is free");
        if server == Server::NeverAccepts {
            self.env.sleep(Duration::from_secs(3600)).await;
        }
        while let Ok((mut stream, peer)) = self.env.accept(&mut listener).await {
            assert_eq!(peer.map(|peer| peer.role), Some(Role::Client));
            let own = self.clone();
            self.env.spawn(async move {
                while let Ok(byte) = stream.read_u8().await {
                    own.record(Kind::Ok, Op::Sell { left: Some(byte.into()) });
                    if stream.write_u8(byte).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    async fn act(self, part: Part) {
        match part {
            Part::Ping { patience_ms } => self.ping(Duration::from_millis(patience_ms)).await,
            Part::Connect { port } => drop(self.connect(port, Duration::from_secs(5)).await),
            Part::Flood { connections } => {
                for _ in 0..connections {
                    let own = self.clone();
                    self.env.spawn(async move {
                        let _kept = own.connect(PORT, Duration::from_secs(3600)).await;
                        own.env.sleep(Duration::from_secs(3600)).await;
                    });
                }
            }
            Part::Sleep { ms } => self.sleep(Duration::from_millis(ms)).await,
            Part::Spin => std::future::poll_fn(spin).await,
            Part::Panic => {
                self.env.sleep(Duration::from_millis(50)).await;
                panic!("as the test wants it");
            }
        }
    }

    async fn connect(&self, port: u16, patience: Duration) -> Option<E::Stream> {
        let address = format!("redis:{port}");
        let connected = self.env.timeout(patience, self.env.connect(&address)).await;
        let (kind, stream) = match connected {
            Ok(Ok(stream)) => (Kind::Ok, Some(stream)),
            Ok(Err(_)) => (Kind::Fail, None),
            Err(_) => (Kind::Info, None),
        };
        self.record(kind, Op::RENEW);
        stream
    }

    async fn ping(&self, patience: Duration) {
        let mut number = 0;
        loop {
            if let Some(mut stream) = self.connect(PORT, patience).await {
                loop {
                    number += 1;
                    self.record(Kind::Invoke, Op::Check);
                    let echo = self.env.timeout(patience, echo(&mut stream, number)).await;
                    let kind = match echo {
                        Ok(Ok(())) => Kind::Ok,
                        Ok(Err(_)) => Kind::Fail,
                        Err(_) => Kind::Info,
                    };
                    self.record(kind, Op::Check);
                    if kind != Kind::Ok {
                        break;
                    }
                    self.env.sleep(Duration::from_millis(20)).await;
                }
            }
            self.env.sleep(Duration::from_millis(20)).await;
        }
    }

    async fn sleep(&self, duration: Duration) {
        let origin = self.env.clocks();
        loop {
            self.env.sleep(duration).await;
            let shown = self.env.clocks();
            let steady = (shown.steady.as_nanos() - origin.steady.as_nanos()) / 1_000_000;
            let wall = shown.wall.unix_ms() - origin.wall.unix_ms();
            self.record(Kind::Ok, Op::Read { value: Some(steady as i64) });
            self.record(Kind::Ok, Op::Write { value: wall, token: None });
        }
    }
}

fn spin(cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
    cx.waker().wake_by_ref();
    std::task::Poll::Pending
}

async fn echo(
    stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin),
    number: u8,
) -> std::io::Result<()> {
    stream.write_u8(number).await?;
    assert_eq!(stream.read_u8().await?, number);
    Ok(())
}

/// Runs a world to its end.
pub(crate) type Engine = fn(&WorldPlan, Troupe) -> Result<Run, WorldError>;

pub(crate) fn on_event(plan: &WorldPlan, troupe: Troupe) -> Result<Run, WorldError> {
    event::run(plan, &troupe)
}

/// Every engine of this build, with its name.
pub(crate) const ENGINES: &[(&str, Engine)] = &[
    ("event", on_event),
    #[cfg(feature = "turmoil")]
    ("turmoil", picklock_sim::turmoil::run),
];

/// A second of one client and one server.
pub(crate) fn plan(faults: impl IntoIterator<Item = TimedFault>) -> WorldPlan {
    let host = |name| HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 };
    WorldPlan {
        seed: Seed(7),
        hosts: vec![host(REDIS), host(CLIENT)],
        latency: Latency { min_us: 1000, max_us: 5000 },
        faults: faults.into_iter().collect(),
        heal_at_ms: 2000,
        end_at_ms: 2000,
    }
}

pub(crate) fn at(ms: u64, lasting_ms: impl Into<Option<u64>>, fault: Fault) -> TimedFault {
    TimedFault { when: When::AtMs(ms), lasting_ms: lasting_ms.into(), fault }
}

pub(crate) fn partition(one_way: bool, cut: Cut) -> Fault {
    let (from, to) = (Target::Host(CLIENT), Target::Host(REDIS));
    Fault::Partition { from, to, one_way, cut }
}

pub(crate) fn troupe(part: Part) -> Troupe {
    Troupe { part, server: Server::Echoes, crashes: Rc::default() }
}

/// Patient enough for every fault here.
pub(crate) fn pings() -> Troupe {
    troupe(Part::Ping { patience_ms: 10_000 })
}

/// When something happened, in whole milliseconds.
pub(crate) fn times(run: &Run, process: HostName, kind: Kind, op: OpName) -> Vec<u64> {
    found(run, process, kind, op).map(ms).collect()
}

/// The only time at which a fact was recorded.
pub(crate) fn once(run: &Run, process: HostName, op: OpName) -> u64 {
    match times(run, process, Kind::Info, op)[..] {
        [at] => at,
        ref all => panic!("{op:?} of {process} at {all:?}"),
    }
}

/// What a sleeper's clock showed at the end: `OpName::Read` for steady, `OpName::Write` for wall.
pub(crate) fn shown(run: &Run, op: OpName) -> Vec<(u64, i64)> {
    let value = |event: &Event| match event.op {
        Op::Read { value: Some(value) } | Op::Write { value, .. } => value,
        _ => unreachable!("a sleeper shows its clocks"),
    };
    found(run, CLIENT, Kind::Ok, op).map(|event| (ms(event), value(event))).collect()
}

fn found(run: &Run, process: HostName, kind: Kind, op: OpName) -> impl Iterator<Item = &Event> {
    let fits =
        move |event: &&Event| (event.process, event.kind, event.op.name()) == (process, kind, op);
    run.events.iter().filter(fits)
}

fn ms(event: &Event) -> u64 {
    event.at.as_nanos() / 1_000_000
}
