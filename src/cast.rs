//! Who plays which host of a plan: the models, the shop, the clients.

use std::rc::Rc;

use bytes::Bytes;
use picklock_models::etcd::{self, Etcd};
use picklock_models::model::Crash;
use picklock_models::redis::{Config, Redis, Request};
use picklock_sim::cast::{Cast, Program};
use picklock_sim::env::Env;
use picklock_sim::history::RecordName;
use picklock_sim::host::{HostName, Role};
use picklock_sim::recorder::Recorder;
use picklock_sim::serve::Server;

use crate::lock::Algorithm;
use crate::plan::Plan;
use crate::resource::{STOCK_KEY, ShopServer};
use crate::workload::{FENCE_KEY, LOCK_KEY, REDIS_PORT, run_client};

/// Where an etcd server listens for clients.
const ETCD_PORT: u16 = 2379;

/// The cast of a plan whose lock is `A`.
pub struct PlanCast<A> {
    plan: Rc<Plan>,
    redis: Rc<Server<Redis>>,
    etcd: Rc<Server<Etcd>>,
    shop: Rc<ShopServer>,
    algorithm: std::marker::PhantomData<A>,
}

impl<A: Algorithm> PlanCast<A> {
    /// The cast of this plan.
    pub fn new(plan: &Plan) -> Self {
        let watched = [
            (LOCK_KEY, RecordName::Lock),
            (FENCE_KEY, RecordName::Fence),
            (STOCK_KEY, RecordName::Stock),
        ];
        let watched = watched.map(|(key, name)| (Bytes::from_static(key.as_bytes()), name));
        let keys = watched.iter().map(|(key, _)| key.clone()).collect();
        let config = Config { persistence: plan.persistence, watched: keys, ..Config::default() };
        let mut redis = Server::new(HostName::REDIS, config, watched.to_vec());
        if !plan.contender.resource.is_shop() {
            let stock = plan.workload.initial.to_string();
            redis = redis.preload(vec![Request::new(["SET", STOCK_KEY, &stock])]);
        }
        Self {
            redis: Rc::new(redis),
            etcd: Rc::new(Server::new(HostName::ETCD, etcd::Config::default(), Vec::new())),
            shop: Rc::new(ShopServer::new(plan.workload.initial, plan.contender.resource)),
            plan: Rc::new(plan.clone()),
            algorithm: std::marker::PhantomData,
        }
    }
}

impl<A: Algorithm> Cast for PlanCast<A> {
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program {
        let (plan, shop) = (Rc::clone(&self.plan), Rc::clone(&self.shop));
        let (redis, etcd) = (Rc::clone(&self.redis), Rc::clone(&self.etcd));
        Box::pin(async move {
            let ended = match host.role {
                Role::Client => {
                    run_client::<A, E>(plan, host, env, recorder).await;
                    Ok(())
                }
                Role::Redis => redis.serve(env, recorder, REDIS_PORT).await,
                Role::Etcd => etcd.serve(env, recorder, ETCD_PORT).await,
                Role::Shop => shop.serve(env, recorder).await,
                Role::Nemesis => Ok(()),
            };
            if let Err(error) = ended {
                tracing::warn!("the program on {host} ended: {error}");
            }
        })
    }

    fn crashed(&self, host: HostName, how: Crash) {
        match host.role {
            Role::Redis => self.redis.crashed(how),
            Role::Etcd => self.etcd.crashed(how),
            Role::Client | Role::Shop | Role::Nemesis => {}
        }
    }
}
