//! One run of a plan on real processes, from the servers' start to the judges.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use picklock::checkers::judge;
use picklock::client::zookeeper::{Mode, Setup, ZkHandle};
use picklock::engine::Engine;
use picklock::lock::Algorithm;
use picklock::locks::{self, Visitor};
use picklock::plan::Plan;
use picklock::resource::STOCK_KEY;
use picklock::store::StoreKind;
use picklock::terms::{History, REAL, Terms};
use picklock::verdict::Judgement;
use picklock::workload::FENCE_KEY;
use picklock_sim::env::Env;
use picklock_sim::history::{Op, RecordName};
use picklock_sim::host::{HostName, Role};
use picklock_sim::real::{self, RealEnv};
use picklock_sim::seed::Seed;

use super::actors::{Actor, Program};
use super::links::{Links, Target};
use super::proxy::Network;
use super::stage::{Happening, Stage, StageError};
use super::witness;
use crate::servers::{self, Running, ServerError};

/// So many sessions are begun and ended before a run on ZooKeeper; after five, the next takes 2 ms.
const WARM_UP_SESSIONS: usize = 10;

/// What one run on real processes came to.
#[derive(Clone, Debug)]
pub struct Try {
    /// Which try it was, from 1.
    pub attempt: u32,
    /// What happened.
    pub history: History,
    /// What each checker said.
    pub judgements: Vec<Judgement>,
}

impl Try {
    /// How many faults of the plan have struck.
    pub fn faults_struck(&self) -> usize {
        let begun = self.history.events.iter().filter_map(|event| match event.op {
            Op::FaultBegins { fault, .. } => Some(fault),
            _ => None,
        });
        begun.collect::<BTreeSet<_>>().len()
    }
}

/// Carries a plan out once. `program` is this suite's, which plays the hosts.
///
/// # Errors
/// A server that is not installed or does not start; a process that ends by itself.
pub fn run(plan: &Plan, program: &Path, attempt: u32) -> Result<Try, StageError> {
    let (told, heard) = mpsc::channel();
    let seed = plan.world.seed.derive(format_args!("real {attempt}"));
    let links = Arc::new(Links::default());
    let network = Network::new(Arc::clone(&links), plan.world.latency, seed);
    let network = network.map_err(ServerError::io("making the proxies"))?;

    let mut actors = BTreeMap::new();
    for (store, host) in plan.contender.stores(plan.lock_servers().len() as u16) {
        let server = start_store(plan, store, host, &links, &told)?;
        actors.insert(host, Actor::Server(server));
    }
    let programs = plan.world.hosts.iter().map(|host| host.name).filter(|host| !host.is_store());
    for host in programs {
        let part = Part { plan, host, program, seed: seed.derive(host) };
        actors.insert(host, Actor::Program(part.start(&network, told.clone())?));
    }
    drop(told);
    let (events, digest) = Stage::new(&plan.world, actors, links).play(&heard)?;
    let history = History { header: terms(plan), events, digest };
    Ok(Try { attempt, judgements: judge(&history), history })
}

/// Starts a store's server, watched where it can be, with the stock if the stock lies in it.
fn start_store(
    plan: &Plan,
    store: StoreKind,
    host: HostName,
    links: &Arc<Links>,
    told: &Sender<Happening>,
) -> Result<Running, StageError> {
    let server = match store {
        StoreKind::Redis => {
            let own_wall_clock = plan.world.hosts.iter().any(|host| {
                host.name.role == Role::Redis && (host.wall_offset_ms != 0 || host.rate_ppm != 0)
            }) || plan
                .world
                .faults
                .iter()
                .any(|timed| matches!(timed.fault.kind(), "wall-step" | "drift"));
            let persistence = plan.persistence;
            servers::redis::start_with(&servers::redis::Options {
                persistence,
                own_wall_clock,
                ..Default::default()
            })?
        }
        StoreKind::Etcd | StoreKind::ZooKeeper => servers::start(store)?,
    };
    let address = server.address();
    links.lead_to(host, Target { port: address.port(), introduced: false });
    if store == StoreKind::ZooKeeper {
        warm_up(address).map_err(ServerError::io("warming ZooKeeper up"))?;
    }
    if store == StoreKind::Redis {
        let watching =
            witness::redis::Watched { host, server: address, records: watched_on_redis() };
        let watching = witness::redis::watch(watching, Arc::downgrade(links), told.clone());
        watching.map_err(ServerError::io("watching Redis"))?;
        if plan.contender.resource.store() == Some(store) && host == store.host() {
            stock_up(address, plan.workload.initial)
                .map_err(ServerError::io("filling the stock"))?;
        }
    }
    Ok(server)
}

/// A lock of Redis is the key itself, whoever holds it.
fn watched_on_redis() -> BTreeMap<String, RecordName> {
    let lock = StoreKind::Redis.lock_key();
    let records =
        [(lock, RecordName::Lock), (FENCE_KEY, RecordName::Fence), (STOCK_KEY, RecordName::Stock)];
    records.map(|(key, name)| (key.to_owned(), name)).into()
}

/// Writes what the stock shows at the beginning.
fn stock_up(redis: SocketAddr, initial: i64) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(redis)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("SET {STOCK_KEY} {initial}\r\n").as_bytes())?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    match &answer {
        b"+OK\r\n" => Ok(()),
        other => Err(std::io::Error::other(String::from_utf8_lossy(other).into_owned())),
    }
}

/// A process that is to play a host's part.
struct Part<'a> {
    plan: &'a Plan,
    host: HostName,
    program: &'a Path,
    seed: Seed,
}

impl Part<'_> {
    /// Starts it; clients reach every server.
    fn start(self, network: &Network, told: Sender<Happening>) -> Result<Program, StageError> {
        let Part { plan, host, program, seed } = self;
        let mut reach = BTreeMap::new();
        let others = plan.world.hosts.iter().map(|other| other.name);
        for server in others.filter(|other| host.is_client() && !other.is_client()) {
            let port = network.path(host, server).map_err(ServerError::io("making a proxy"))?;
            reach.insert(server, port);
        }
        let text = serde_json::to_string(plan).map_err(std::io::Error::from);
        let text = text.map_err(ServerError::io("writing a plan"))?;
        Ok(Program::start(program, host, &text, seed.0, &reach, told)?)
    }
}

/// A Java machine that has just begun takes a tenth of a second for its first session: the first client would
/// lose every race. So it is asked a few things before the run begins.
fn warm_up(zookeeper: SocketAddr) -> std::io::Result<()> {
    let address = Rc::from(zookeeper.to_string());
    real::block_on(async move {
        let env = RealEnv::new(Seed(0));
        for _ in 0..WARM_UP_SESSIONS {
            let (on_event, on_ping) = (Rc::new(|_| ()), Rc::new(|_| ()));
            let setup = Setup { address: Rc::clone(&address), timeout_ms: 4000, on_event, on_ping };
            let session = ZkHandle::start(&env, setup);
            let asked = async {
                // It is gone with its session; a failure shows in the run itself.
                let _ = session.create("/warm-up".to_owned(), Mode::Ephemeral).await;
                session.close().await;
            };
            let _ = env.timeout(Duration::from_secs(5), asked).await;
        }
    })
}

/// The header of the history, as a simulation would write it, but for the world.
fn terms(plan: &Plan) -> Terms {
    struct Bound<'a>(&'a Plan);
    impl Visitor for Bound<'_> {
        type Output = Option<u64>;
        fn visit<A: Algorithm>(self) -> Option<u64> {
            let bound = A::recovery_bound(&self.0.lock)?;
            Some(bound.as_millis() as u64 + self.0.working_ms())
        }
    }
    let bound = locks::visit(plan.contender.lock, Bound(plan)).flatten();
    Terms { engine: REAL.to_owned(), ..plan.terms(Engine::Event, bound) }
}
