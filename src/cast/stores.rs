//! The servers of the stores that a plan needs, and what each is told to watch.

use std::io;
use std::rc::Rc;

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::PutRequest;
use picklock_models::etcd::{self, Call, Etcd, StreamId};
use picklock_models::model::Crash;
use picklock_models::redis::{self, Redis, Request};
use picklock_models::zookeeper::records::{Acl, CreateRequest};
use picklock_models::zookeeper::{self, Operation, ZooKeeper};
use picklock_sim::env::Env;
use picklock_sim::history::RecordName;
use picklock_sim::host::Role;
use picklock_sim::recorder::Recorder;
use picklock_sim::serve::Server;

use crate::plan::Plan;
use crate::resource::{STOCK_KEY, STOCK_PATH};
use crate::store::{StoreKind, TICK_MS};
use crate::workload::FENCE_KEY;

/// The servers that a plan needs.
#[derive(Clone, Default)]
pub(super) struct Stores {
    redis: Option<Rc<Server<Redis>>>,
    etcd: Option<Rc<Server<Etcd>>>,
    zookeeper: Option<Rc<Server<ZooKeeper>>>,
}

impl Stores {
    /// The servers of the stores of this plan's contender; `holders` is [`Algorithm::HOLDERS`] of its lock.
    ///
    /// [`Algorithm::HOLDERS`]: crate::lock::Algorithm::HOLDERS
    pub(super) fn of(plan: &Plan, holders: &str) -> Self {
        let mut stores = Self::default();
        for store in plan.contender.stores() {
            match store {
                StoreKind::Redis => stores.redis = Some(Rc::new(redis(plan, holders))),
                StoreKind::Etcd => stores.etcd = Some(Rc::new(etcd(plan, holders))),
                StoreKind::ZooKeeper => stores.zookeeper = Some(Rc::new(zookeeper(plan, holders))),
            }
        }
        stores
    }

    /// Serves until the host goes down.
    pub(super) async fn serve<E: Env>(
        self,
        role: Role,
        env: E,
        recorder: Recorder,
    ) -> io::Result<()> {
        if let (Role::Redis, Some(redis)) = (role, self.redis) {
            return redis.serve(env, recorder, StoreKind::Redis.port()).await;
        }
        if let (Role::Etcd, Some(etcd)) = (role, self.etcd) {
            return etcd.serve(env, recorder, StoreKind::Etcd.port()).await;
        }
        if let (Role::ZooKeeper, Some(zookeeper)) = (role, self.zookeeper) {
            return zookeeper.serve(env, recorder, StoreKind::ZooKeeper.port()).await;
        }
        Ok(())
    }

    /// A host goes down; only a store's keeps anything.
    pub(super) fn crashed(&self, role: Role, how: Crash) {
        match role {
            Role::Redis => self.redis.iter().for_each(|redis| redis.crashed(how)),
            Role::Etcd => self.etcd.iter().for_each(|etcd| etcd.crashed(how)),
            Role::ZooKeeper => self.zookeeper.iter().for_each(|zookeeper| zookeeper.crashed(how)),
            _ => {}
        }
    }
}

fn redis(plan: &Plan, holders: &str) -> Server<Redis> {
    let lock = lock_key(StoreKind::Redis, holders);
    let watched = watched([
        (&lock, RecordName::Lock),
        (FENCE_KEY, RecordName::Fence),
        (STOCK_KEY, RecordName::Stock),
    ]);
    let keys = watched.iter().map(|(key, _)| key.clone()).collect();
    let config =
        redis::Config { persistence: plan.persistence, watched: keys, ..redis::Config::default() };
    let server = Server::new(StoreKind::Redis.host(), config, watched);
    if plan.contender.resource.store() != Some(StoreKind::Redis) {
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
