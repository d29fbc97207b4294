//! R21: check and decrement in one script, no lock needed: Redis runs one script at a time.
//!
//! Source: redis-doc `interact/programmability/eval-intro.md` (atomicity). Only a loss of data at
//! the server can oversell it. A request without an answer is not sent again, because it may have
//! sold.

use picklock_sim::env::Env;

use super::redis_get_then_decr::{STOCK_KEY, sell};
use super::{Desk, Done};
use crate::client::{Client, Script};

/// Takes one if there is one, and answers what is left; nothing if there was none.
static CHECK_AND_DECREMENT: Script = Script::new(
    "local stock = tonumber(redis.call('get',KEYS[1]) or 0) \
     if stock and stock > 0 then return redis.call('decr',KEYS[1]) else return false end",
);

/// A client's way to the stock.
pub struct LuaDecr<E: Env> {
    client: Client<E>,
}

impl<E: Env> LuaDecr<E> {
    pub(super) fn new(client: Client<E>) -> Self {
        Self { client }
    }

    pub(super) async fn work(&mut self, desk: &Desk<E>) -> Done {
        desk.env.sleep(desk.hold).await;
        let request = self.client.eval(&CHECK_AND_DECREMENT, &[STOCK_KEY], &[]);
        sell(desk, request).await.map_or_else(|given_up| given_up, |()| Done::Finished)
    }
}
