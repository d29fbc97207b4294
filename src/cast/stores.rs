//! The servers of the stores that a plan needs, and what each is told to watch.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::PutRequest;
use picklock_models::etcd::{self, Call, Etcd, StreamId};
use picklock_models::model::Crash;
use picklock_models::redis::{self, Redis, Request};
use picklock_models::zookeeper::records::{Acl, CreateRequest};
use picklock_models::zookeeper::{self, Operation, ZooKeeper};
use picklock_sim::env::Env;
use picklock_sim::history::RecordName;
use picklock_sim::host::{HostName, Role};
use picklock_sim::recorder::Recorder;
use picklock_sim::serve::Server;

use crate::plan::Plan;
use crate::resource::{STOCK_KEY, STOCK_PATH};
use crate::store::{StoreKind, TICK_MS};
use crate::workload::FENCE_KEY;

/// The servers that a plan needs.
#[derive(Clone, Default)]
pub(super) struct Stores {
    redis: BTreeMap<HostName, Rc<Server<Redis>>>,
    etcd: Option<Rc<Server<Etcd>>>,
    zookeeper: Option<Rc<Server<ZooKeeper>>>,
    /// How long a Redis server that comes back stays out, and which have been down.
    rejoin_after_ms: Option<u64>,
    been_down: Rc<RefCell<BTreeSet<HostName>>>,
}

impl Stores {
    /// The servers of the stores of this plan's contender; `holders` is [`Algorithm::HOLDERS`] of its lock.
    ///
    /// [`Algorithm::HOLDERS`]: crate::lock::Algorithm::HOLDERS
    pub(super) fn of(plan: &Plan, holders: &str) -> Self {
        let mut stores = Self { rejoin_after_ms: plan.rejoin_after_ms, ..Self::default() };
        for (store, host) in plan.contender.stores(plan.lock_servers().len() as u16) {
            match store {
                StoreKind::Redis => {
                    stores.redis.insert(host, Rc::new(redis(plan, host, holders)));
                }
                StoreKind::Etcd => stores.etcd = Some(Rc::new(etcd(plan, holders))),
                StoreKind::ZooKeeper => stores.zookeeper = Some(Rc::new(zookeeper(plan, holders))),
            }
        }
        stores
    }

    /// Serves until the host goes down.
    pub(super) async fn serve<E: Env>(
        self,
        host: HostName,
        env: E,
        recorder: Recorder,
    ) -> io::Result<()> {
        if let Some(redis) = self.redis.get(&host) {
            if self.been_down.borrow().contains(&host) {
                stay_out(&env, self.rejoin_after_ms.unwrap_or(0)).await;
            }
            return Rc::clone(redis).serve(env, recorder, StoreKind::Redis.port()).await;
        }
        if let (Role::Etcd, Some(etcd)) = (host.role, self.etcd) {
            return etcd.serve(env, recorder, StoreKind::Etcd.port()).await;
        }
        if let (Role::ZooKeeper, Some(zookeeper)) = (host.role, self.zookeeper) {
            return zookeeper.serve(env, recorder, StoreKind::ZooKeeper.port()).await;
        }
        Ok(())
    }

    /// A host goes down; only a store's keeps anything.
    pub(super) fn crashed(&self, host: HostName, how: Crash) {
        self.been_down.borrow_mut().insert(host);
        self.redis.get(&host).iter().for_each(|redis| redis.crashed(how));
        match host.role {
            Role::Etcd => self.etcd.iter().for_each(|etcd| etcd.crashed(how)),
            Role::ZooKeeper => self.zookeeper.iter().for_each(|zookeeper| zookeeper.crashed(how)),
            _ => {}
        }
    }
}

/// Waits until the wall clock has advanced by so much, as a start script does that compares the time of day with
/// a note of when it began: a clock that is set forward meanwhile cuts the wait short (Kleppmann 2016).
async fn stay_out<E: Env>(env: &E, after_ms: u64) {
    /// How often such a script looks; short against any lease.
    const LOOK: Duration = Duration::from_millis(10);
    let until_ms = env.wall().unix_ms().saturating_add_unsigned(after_ms);
    while env.wall().unix_ms() < until_ms {
        env.sleep(LOOK).await;
    }
}

fn redis(plan: &Plan, host: HostName, holders: &str) -> Server<Redis> {
    let lock = lock_key(StoreKind::Redis, holders);
    // Where Redisson's fair lock keeps who waits (`RedissonFairLock.java`, `prefixName`).
    let queue = format!("redisson_lock_queue:{{{}}}", StoreKind::Redis.lock_key());
    let watched = watched([
        (&lock, RecordName::Lock),
        (&queue, RecordName::Queue),
        (FENCE_KEY, RecordName::Fence),
        (STOCK_KEY, RecordName::Stock),
    ]);
    let keys = watched.iter().map(|(key, _)| key.clone()).collect();
    let config =
        redis::Config { persistence: plan.persistence, watched: keys, ..redis::Config::default() };
    let server = Server::new(host, config, watched);
    let keeps_stock = plan.contender.resource.store() == Some(StoreKind::Redis);
    if !keeps_stock || host != StoreKind::Redis.host() {
        return server;
    }
    let stock = plan.workload.initial.to_string();
    server.preload(vec![Request::new(["SET", STOCK_KEY, &stock])])
}

fn etcd(plan: &Plan, holders: &str) -> Server<Etcd> {
    let lock = lock_key(StoreKind::Etcd, holders);
    let watched = watched([(&lock, RecordName::Lock), (STOCK_KEY, RecordName::Stock)]);
    let keys = watched.iter().map(|(key, _)| key.clone()).collect();
    let config = etcd::Config { watched: keys, ..etcd::Config::default() };
    let server = Server::new(StoreKind::Etcd.host(), config, watched);
    if plan.contender.resource.store() != Some(StoreKind::Etcd) {
        return server;
    }
    let (key, value) = (STOCK_KEY.into(), plan.workload.initial.to_string().into());
    let stock = PutRequest { key, value, ..PutRequest::default() };
    server.preload(vec![Call::message(StreamId(1), etcd::rpc::Request::Put(stock))])
}

fn zookeeper(plan: &Plan, holders: &str) -> Server<ZooKeeper> {
    let lock = lock_key(StoreKind::ZooKeeper, holders);
    let lock = (lock.as_str(), RecordName::Lock);
    let stock = (STOCK_PATH, RecordName::Stock);
    let paths = |record| watched([record]).into_iter().map(|(path, _)| path).collect();
    let config = zookeeper::Config {
        tick_ms: TICK_MS,
        watched: paths(stock),
        watched_ephemerals: paths(lock),
        ..zookeeper::Config::default()
    };
    let server = Server::new(StoreKind::ZooKeeper.host(), config, watched([lock, stock]));
    if plan.contender.resource.store() != Some(StoreKind::ZooKeeper) {
        return server;
    }
    let (path, data) = (STOCK_PATH.to_owned(), Some(plan.workload.initial.to_string().into()));
    let stock = CreateRequest { path, data, acl: vec![Acl::open()], flags: 0 };
    server.preload(vec![
        zookeeper::Request::begin_session(0),
        zookeeper::Request::call(1, Operation::Create(stock)),
        zookeeper::Request::call(2, Operation::CloseSession(())),
    ])
}

fn lock_key(store: StoreKind, holders: &str) -> String {
    format!("{}{holders}", store.lock_key())
}

fn watched<const N: usize>(records: [(&str, RecordName); N]) -> Vec<(Bytes, RecordName)> {
    records.map(|(key, name)| (Bytes::copy_from_slice(key.as_bytes()), name)).to_vec()
}
