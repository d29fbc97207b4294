//! Z6c: a value in the lock's own ZooKeeper, written in a transaction that first checks that the holder's
//! node is there.
//!
//! `multi[check(own path), setData(/stock)]`, as the guarded client of zookeeper-client-rust's `LockClient`
//! does it. Two may believe at once, but only one of them has its node, so the other's write changes
//! nothing. Reads need no guard: whose node is there when it writes has had it all the time, and nobody else
//! has written since it read. A check can compare the version of a node's data and not which node it is; so
//! it needs a lock that never uses a path twice, as Curator's random ids see to it. Behind the one path of
//! `zk-naive-ephemeral` another one's node looks the same.

use std::rc::Rc;
use std::time::Duration;

use picklock_models::zookeeper::Code;
use picklock_sim::env::Env;
use picklock_sim::history::{Kind, Op};

use super::{Desk, Done};
use crate::client::zookeeper::{Setup, ZkError, ZkHandle};
use crate::lock::{Grant, LockError};
use crate::store::{StoreKind, TICK_MS};
use crate::terms::WorkloadKind;

/// The node that holds the value.
pub(crate) const STOCK_PATH: &str = "/stock";

/// Of a client that only reads and writes: nothing depends on when its session ends. Ten ticks, so that
/// pauses for which locks are tried do not cost it its connection as well.
const SESSION_TIMEOUT_MS: u32 = 10 * TICK_MS;

/// A client's way to the value.
pub struct CheckMulti<E: Env> {
    env: E,
    zk: ZkHandle,
    time_limit: Duration,
}

impl<E: Env> CheckMulti<E> {
    pub(super) fn new(env: &E, time_limit: Duration) -> Self {
        Self { env: env.clone(), zk: begin_session(env), time_limit }
    }

    pub(super) async fn work(&mut self, desk: &Desk<E>, grant: &Grant) -> Done {
        let result = async {
            let value = self.read(desk).await?;
            desk.think(grant).await?;
            if value == 0 && desk.workload == WorkloadKind::Sale {
                return Ok(());
            }
            self.write(desk, value + desk.workload.step(), grant).await
        };
        result.await.map_or_else(|given_up| given_up, |()| Done::Finished)
    }

    /// Begins anew where the last session is over: whoever works or looks reads first.
    pub(super) async fn read(&mut self, desk: &Desk<E>) -> Result<i64, Done> {
        if self.zk.is_over() {
            self.zk = begin_session(&self.env);
        }
        desk.record(Kind::Invoke, Op::READ);
        let number = self.in_time(self.zk.data(STOCK_PATH, None)).await.and_then(|data| {
            let number = str::from_utf8(&data).ok().and_then(|text| text.parse().ok());
            number.ok_or_else(|| LockError::Definite("the stock is no number".to_owned()))
        });
        match number {
            Ok(value) => {
                desk.record(Kind::Ok, Op::Read { value: Some(value) });
                Ok(value)
            }
            Err(error) => Err(desk.failed(&error, Op::READ)),
        }
    }

    async fn write(&self, desk: &Desk<E>, value: i64, grant: &Grant) -> Result<(), Done> {
        let op = Op::Write { value, token: None };
        desk.record(Kind::Invoke, op);
        let own = grant.record.as_ref().map_or("", |own| &own.key);
        let write = self.zk.set_data_if_there(STOCK_PATH, value.to_string().into(), own);
        match self.in_time(write).await {
            Ok(()) => {
                desk.record(Kind::Ok, op);
                Ok(())
            }
            Err(error) => Err(desk.failed(&error, op)),
        }
    }

    /// A request that is not answered in time may have been carried out.
    async fn in_time<T>(
        &self,
        request: impl Future<Output = Result<T, ZkError>>,
    ) -> Result<T, LockError> {
        match self.env.timeout(self.time_limit, request).await {
            Ok(Err(ZkError::Refused(Code::NoNode))) => {
                Err(LockError::Definite("the node is gone".to_owned()))
            }
            Ok(result) => Ok(result?),
            Err(elapsed) => Err(LockError::Indefinite(elapsed.to_string())),
        }
    }
}

fn begin_session<E: Env>(env: &E) -> ZkHandle {
    let setup = Setup {
        address: Rc::from(StoreKind::ZooKeeper.address()),
        timeout_ms: SESSION_TIMEOUT_MS,
        on_event: Rc::new(|_| {}),
        on_ping: Rc::new(|_| {}),
    };
    ZkHandle::start(env, setup)
}
