//! The critical section on the shop: read the value, think, (check the lock,) write the next value.

use std::borrow::Cow;

use picklock_models::redis::Reply;
use picklock_sim::env::Env;
use picklock_sim::history::{Kind, Op};

use super::{Desk, Done};
use crate::client::{Client, unexpected};
use crate::lock::{Grant, Lock};
use crate::terms::WorkloadKind;

/// A client's way to the shop.
pub struct ShopSection<E: Env> {
    client: Client<E>,
    /// Whether the lock is checked just before each write.
    check: bool,
}

impl<E: Env> ShopSection<E> {
    pub(super) fn new(client: Client<E>, check: bool) -> Self {
        Self { client, check }
    }

    pub(super) async fn work<L: Lock>(
        &mut self,
        desk: &Desk<E>,
        lock: &mut L,
        grant: &Grant,
    ) -> Done {
        let result = async {
            let value = self.read(desk, grant.token).await?;
            desk.think(grant).await?;
            if value == 0 && desk.workload == WorkloadKind::Sale {
                return Ok(());
            }
            if self.check {
                check(desk, lock, grant).await?;
            }
            self.write(desk, value + desk.workload.step(), grant.token).await
        };
        result.await.map_or_else(|given_up| given_up, |()| Done::Finished)
    }

    pub(super) async fn read(&mut self, desk: &Desk<E>, token: Option<u64>) -> Result<i64, Done> {
        desk.record(Kind::Invoke, Op::READ);
        match self.client.call(&[b"READ", token_text(token).as_bytes()]).await {
            Ok(Reply::Integer(value)) => {
                desk.record(Kind::Ok, Op::Read { value: Some(value) });
                Ok(value)
            }
            Ok(reply) => Err(desk.failed(&unexpected(&reply), Op::READ)),
            Err(error) => Err(desk.failed(&error, Op::READ)),
        }
    }

    async fn write(&mut self, desk: &Desk<E>, value: i64, token: Option<u64>) -> Result<(), Done> {
        let op = Op::Write { value, token };
        desk.record(Kind::Invoke, op);
        let (value, token) = (value.to_string(), token_text(token));
        match self.client.call(&[b"WRITE", value.as_bytes(), token.as_bytes()]).await {
            Ok(_) => {
                desk.record(Kind::Ok, op);
                Ok(())
            }
            Err(error) => Err(desk.failed(&error, op)),
        }
    }
}

fn token_text(token: Option<u64>) -> Cow<'static, str> {
    token.map_or(Cow::Borrowed("-"), |token| Cow::Owned(token.to_string()))
}

/// Asks the lock whether it is still held. Whoever learns that it is not, or cannot learn it, must
/// not write.
async fn check<E: Env, L: Lock>(desk: &Desk<E>, lock: &mut L, grant: &Grant) -> Result<(), Done> {
    desk.record(Kind::Invoke, Op::Check);
    match lock.check(grant).await {
        Ok(true) => {
            desk.record(Kind::Ok, Op::Check);
            Ok(())
        }
        Ok(false) => {
            desk.record(Kind::Fail, Op::Check);
            desk.record(Kind::Info, Op::Lost);
            Err(Done::GivenUp)
        }
        Err(error) => Err(desk.failed(&error, Op::Check)),
    }
}
