//! R22: GET, compare in the client, DECR. Oversells under plain concurrency: the baseline that
//! every checker must see, and the inner part of the flash-sale accident (S10).

use picklock_models::redis::Reply;
use picklock_sim::env::Env;
use picklock_sim::history::{Kind, Op};

use super::{Desk, Done};
use crate::client::{Client, unexpected};
use crate::lock::Grant;

/// The record that holds the stock.
pub const STOCK_KEY: &str = "stock";

/// A client's way to the stock.
pub struct GetThenDecr<E: Env> {
    client: Client<E>,
}

impl<E: Env> GetThenDecr<E> {
    pub(super) fn new(client: Client<E>) -> Self {
        Self { client }
    }

    pub(super) async fn work(&mut self, desk: &Desk<E>, grant: &Grant) -> Done {
        let result = async {
            let stock = self.get(desk).await?;
            desk.think(grant).await?;
            if stock <= 0 {
                return Ok(());
            }
            sell(desk, self.client.call(&[b"DECR", STOCK_KEY.as_bytes()])).await
        };
        result.await.map_or_else(|given_up| given_up, |()| Done::Finished)
    }

    async fn get(&mut self, desk: &Desk<E>) -> Result<i64, Done> {
        desk.record(Kind::Invoke, Op::READ);
        let number = match self.client.call(&[b"GET", STOCK_KEY.as_bytes()]).await {
            Ok(Reply::Bulk(bytes)) => {
                str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok())
            }
            // A stock that is not there (lost in a crash) sells nothing.
            Ok(Reply::Null) => Some(0),
            Ok(reply) => return Err(desk.failed(&unexpected(&reply), Op::READ)),
            Err(error) => return Err(desk.failed(&error, Op::READ)),
        };
        desk.record(Kind::Ok, Op::Read { value: number });
        number.ok_or(Done::GivenUp)
    }
}

/// Records a sale: the store answers what is left, or nothing if it was sold out.
pub(super) async fn sell<E: Env>(
    desk: &Desk<E>,
    request: impl Future<Output = Result<Reply, crate::lock::LockError>>,
) -> Result<(), Done> {
    desk.record(Kind::Invoke, Op::SELL);
    match request.await {
        Ok(Reply::Integer(left)) => {
            desk.record(Kind::Ok, Op::Sell { left: Some(left) });
            Ok(())
        }
        Ok(Reply::Null) => {
            desk.record(Kind::Fail, Op::SELL);
            Ok(())
        }
        Ok(reply) => Err(desk.failed(&unexpected(&reply), Op::SELL)),
        Err(error) => Err(desk.failed(&error, Op::SELL)),
    }
}
