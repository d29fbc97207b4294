//! E4b: a stock in the lock's own etcd, written in a transaction that first compares the holder's record.
//!
//! Source: `Mutex.IsOwner` of etcd's `client/v3/concurrency/mutex.go`, which is meant for this; Jepsen's
//! workload `lock-etcd-set` does the same. Two may believe at once, but only one of them has the record, so
//! the other's write changes nothing. Reads need no guard: who still has the record when it writes has had it
//! all the time, and nobody else has written since it read.

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::request_op::Request;
use picklock_sim::env::Env;
use picklock_sim::history::{Kind, Op};

use super::redis_get_then_decr::STOCK_KEY;
use super::{Desk, Done};
use crate::client::etcd::{Client, request};
use crate::lock::{Grant, LockError};
use crate::terms::WorkloadKind;

/// A client's way to the stock.
pub struct OwnerTxn<E: Env> {
    client: Client<E>,
    stock: Bytes,
}

impl<E: Env> OwnerTxn<E> {
    pub(super) fn new(client: Client<E>) -> Self {
        Self { client, stock: Bytes::from_static(STOCK_KEY.as_bytes()) }
    }

    pub(super) async fn work(&mut self, desk: &Desk<E>, grant: &Grant) -> Done {
        let result = async {
            let value = self.read(desk).await?;
            desk.think(grant).await?;
            if value == 0 && desk.workload == WorkloadKind::Sale {
                return Ok(());
            }
            let op = Op::Write { value: value + desk.workload.step(), token: None };
            desk.record(Kind::Invoke, op);
            match self.write(value + desk.workload.step(), grant).await {
                Ok(()) => {
                    desk.record(Kind::Ok, op);
                    Ok(())
                }
                Err(error) => Err(desk.failed(&error, op)),
            }
        };
        result.await.map_or_else(|given_up| given_up, |()| Done::Finished)
    }

    pub(super) async fn read(&self, desk: &Desk<E>) -> Result<i64, Done> {
        desk.record(Kind::Invoke, Op::READ);
        match self.stock().await {
            Ok(value) => {
                desk.record(Kind::Ok, Op::Read { value: Some(value) });
                Ok(value)
            }
            Err(error) => Err(desk.failed(&error, Op::READ)),
        }
    }

    async fn stock(&self) -> Result<i64, LockError> {
        let found = self.client.range(&request::get(&self.stock)).await?;
        let text = found.kvs.first().and_then(|kv| str::from_utf8(&kv.value).ok());
        let nonsense = || LockError::Definite("the stock is no number".to_owned());
        text.and_then(|text| text.parse().ok()).ok_or_else(nonsense)
    }

    async fn write(&self, value: i64, grant: &Grant) -> Result<(), LockError> {
        let Some(own) = &grant.record else {
            return Err(LockError::Definite("the lock shows no record".to_owned()));
        };
        let is_owner =
            request::created_at(&Bytes::copy_from_slice(own.key.as_bytes()), own.created);
        let put = Request::RequestPut(request::put(&self.stock, value.to_string(), 0));
        match self.client.txn(&request::txn(is_owner, [put], [])).await?.succeeded {
            true => Ok(()),
            false => Err(LockError::Definite("the holder's record is gone".to_owned())),
        }
    }
}
