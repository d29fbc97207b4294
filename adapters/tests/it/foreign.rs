//! Foreign client crates, unmodified: whatever passes on a real server over TCP passes on the model inside
//! the simulation too, and the other way round.
//!
//! A test is one async function over [`Stage`]; it never learns in which of the two worlds it plays. On the
//! model it plays twice, and both runs must come to the same digest.

mod etcd_client;
mod etcd_lock;
mod redis_rs;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use picklock::store::StoreKind;
use picklock_adapters::servers;
use picklock_models::etcd::{self, Etcd};
use picklock_models::model::Crash;
use picklock_models::redis::{self, Redis};
use picklock_sim::cast::{Cast, Program};
use picklock_sim::digest::Digest;
use picklock_sim::env::Env;
use picklock_sim::foreign::Foreign;
use picklock_sim::history::{Kind, Op};
use picklock_sim::host::{HostName, Role};
use picklock_sim::plan::{HostPlan, Latency, WorldPlan};
use picklock_sim::real::{self, RealEnv};
use picklock_sim::recorder::Recorder;
use picklock_sim::seed::Seed;
use picklock_sim::serve::Server;
use picklock_sim::turmoil;

use crate::with_servers;

type Tested = Result<(), Failed>;

const CLIENT: HostName = HostName::client(1);

/// Longer than any test takes, in either world.
const TIME_LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn trials() -> Vec<Trial> {
    let redis_rs = redis_rs::Part::ALL.iter().flat_map(|part| both(*part));
    let etcd_client = etcd_client::Part::ALL.iter().flat_map(|part| both(*part));
    redis_rs.chain(etcd_client).chain(etcd_lock::trials()).collect()
}

/// A test for both worlds.
trait Play: Copy + std::fmt::Debug + Send + 'static {
    const CRATE: &'static str;
    const STORE: StoreKind;

    /// Plays it; the server is empty.
    fn play<E: Env>(self, stage: Stage<E>) -> impl Future<Output = Tested>;
}

/// What a test is given.
struct Stage<E: Env> {
    env: E,
    foreign: Foreign<E>,
    /// Of the server, as `host:port`.
    address: String,
    recorder: Recorder,
}

impl<E: Env> Stage<E> {
    fn new(env: E, address: String, recorder: Recorder) -> Self {
        Self { foreign: Foreign::new(&env), env, address, recorder }
    }

    /// Notes something seen, so that the digest of a simulated run depends on it.
    fn saw(&self, value: i64) {
        self.recorder.record(CLIENT, Kind::Ok, Op::Read { value: Some(value) });
    }

    async fn sleep_ms(&self, ms: u64) {
        self.env.sleep(Duration::from_millis(ms)).await;
    }
}

fn both<P: Play>(part: P) -> [Trial; 2] {
    let name = format!("foreign::{}::{part:?}", P::CRATE).to_lowercase();
    let stores: &'static [StoreKind] = match P::STORE {
        StoreKind::Redis => &[StoreKind::Redis],
        StoreKind::Etcd => &[StoreKind::Etcd],
        StoreKind::ZooKeeper => &[StoreKind::ZooKeeper],
    };
    [
        Trial::test(format!("{name}_on_the_model"), move || on_the_model(part)),
        with_servers(format!("{name}_on_the_server"), stores, move || on_the_server(part)),
    ]
}

fn on_the_server<P: Play>(part: P) -> Tested {
    let server = servers::start(P::STORE)?;
    real::block_on(async {
        let env = RealEnv::new(Seed(1));
        let stage = Stage::new(env.clone(), server.address().to_string(), real::unheard());
        env.timeout(TIME_LIMIT, part.play(stage)).await.map_err(|late| late.to_string())?
    })?
}

fn on_the_model<P: Play>(part: P) -> Tested {
    let first = simulate(part)?;
    let second = simulate(part)?;
    match first == second {
        true => Ok(()),
        false => Err(format!("two runs of one plan: digests {first} and {second}").into()),
    }
}

fn simulate<P: Play>(part: P) -> Result<Digest, Failed> {
    let host = |name| HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 };
    let end_at_ms = TIME_LIMIT.as_millis() as u64;
    let plan = WorldPlan {
        seed: Seed(1),
        hosts: vec![host(P::STORE.host()), host(CLIENT)],
        latency: Latency { min_us: 1000, max_us: 5000 },
        faults: Vec::new(),
        heal_at_ms: end_at_ms,
        end_at_ms,
    };
    let ended = Rc::default();
    let run = turmoil::run(&plan, Theatre { part, ended: Rc::clone(&ended) })?;
    let ended = ended.take();
    ended.unwrap_or_else(|| Err("it did not end within a simulated minute".into()))?;
    Ok(run.digest)
}

/// The model of the store, and the test as its client.
struct Theatre<P> {
    part: P,
    ended: Rc<RefCell<Option<Tested>>>,
}

impl<P: Play> Cast for Theatre<P> {
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program {
        let (part, ended, port) = (self.part, Rc::clone(&self.ended), P::STORE.port());
        Box::pin(async move {
            let served = match host.role {
                Role::Redis => {
                    let redis = Server::<Redis>::new(host, redis::Config::default(), vec![]);
                    Rc::new(redis).serve(env, recorder, port).await
                }
                Role::Etcd => {
                    let etcd = Server::<Etcd>::new(host, etcd::Config::default(), vec![]);
                    Rc::new(etcd).serve(env, recorder, port).await
                }
                _ => {
                    let stage = Stage::new(env, P::STORE.address(), recorder.clone());
                    let result = part.play(stage).await;
                    recorder.record(host, Kind::Ok, Op::Release);
                    *ended.borrow_mut() = Some(result);
                    Ok(())
                }
            };
            served.expect("it serves until the end");
        })
    }

    fn crashed(&self, _: HostName, _: Crash) {}
}
