//! Who plays which host of a plan: the stores, the shop, the clients.

mod stores;

use std::rc::Rc;

use picklock_models::model::Crash;
use picklock_sim::cast::{Cast, Program};
use picklock_sim::env::Env;
use picklock_sim::host::{HostName, Role};
use picklock_sim::recorder::Recorder;

use crate::lock::Algorithm;
use crate::plan::Plan;
use crate::resource::ShopServer;
use crate::workload::run_client;
use stores::Stores;

/// The cast of a plan whose lock is `A`.
pub struct PlanCast<A> {
    plan: Rc<Plan>,
    stores: Stores,
    shop: Rc<ShopServer>,
    algorithm: std::marker::PhantomData<A>,
}

impl<A: Algorithm> PlanCast<A> {
    /// The cast of this plan.
    pub fn new(plan: &Plan) -> Self {
        Self {
            stores: Stores::of(plan, A::HOLDERS),
            shop: Rc::new(ShopServer::new(plan.workload.initial, plan.contender.resource)),
            plan: Rc::new(plan.clone()),
            algorithm: std::marker::PhantomData,
        }
    }
}

impl<A: Algorithm> Cast for PlanCast<A> {
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program {
        let (plan, stores, shop) =
            (Rc::clone(&self.plan), self.stores.clone(), Rc::clone(&self.shop));
        Box::pin(async move {
            let ended = match host.role {
                Role::Client => {
                    run_client::<A, E>(plan, host, env, recorder).await;
                    Ok(())
                }
                Role::Redis | Role::Etcd | Role::ZooKeeper => {
                    stores.serve(host, env, recorder).await
                }
                Role::Shop => shop.serve(env, recorder).await,
                Role::Nemesis => Ok(()),
            };
            if let Err(error) = ended {
                tracing::warn!("the program on {host} ended: {error}");
            }
        })
    }

    fn crashed(&self, host: HostName, how: Crash) {
        self.stores.crashed(host, how);
    }
}
