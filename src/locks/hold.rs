//! What the Redis locks have in common: a connection, a way to ask again, and the owner's token.

use picklock_models::redis::Reply;
use picklock_models::time::SteadyTime;
use picklock_sim::env::Env;

use crate::client::{Client, Script, unexpected};
use crate::lock::{Grant, Lock, LockContext, LockError};

/// Deletes the record if it is still the caller's; the official documentation's release script.
pub(super) static COMPARE_AND_DELETE: Script = Script::new(
    "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end",
);

/// Prolongs the record if it is still the caller's.
pub(super) static COMPARE_AND_PEXPIRE: Script = Script::new(
    "if redis.call('get',KEYS[1])==ARGV[1] then \
     return redis.call('pexpire',KEYS[1],ARGV[2]) else return 0 end",
);

/// The two hexadecimal digits of every byte.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 0xf]];
        byte += 1;
    }
    pairs
};

/// A connection to the one server of a lock.
pub(super) struct OneServer<E: Env> {
    pub(super) context: LockContext<E>,
    pub(super) client: Client<E>,
    pub(super) ttl_ms: String,
}

impl<E: Env> OneServer<E> {
    pub(super) fn new(context: LockContext<E>) -> Self {
        let client = connect(&context);
        let ttl_ms = context.params.ttl_ms.to_string();
        Self { context, client, ttl_ms }
    }

    /// `SET key value NX PX ttl`; whether it was set.
    pub(super) async fn set_nx_px(&mut self, value: &[u8]) -> Result<bool, LockError> {
        let (key, ttl_ms) = (self.context.key.as_bytes(), self.ttl_ms.as_bytes());
        match self.client.call(&[b"SET", key, value, b"NX", b"PX", ttl_ms]).await? {
            Reply::Simple(_) => Ok(true),
            Reply::Null => Ok(false),
            reply => Err(unexpected(&reply)),
        }
    }

    /// `SETNX key value`; whether it was set.
    pub(super) async fn set_nx(&mut self, value: &[u8]) -> Result<bool, LockError> {
        yes_or_no(self.client.call(&[b"SETNX", self.context.key.as_bytes(), value]).await?)
    }

    /// `DEL key`; whether there was something to delete.
    pub(super) async fn delete(&mut self) -> Result<bool, LockError> {
        yes_or_no(self.client.call(&[b"DEL", self.context.key.as_bytes()]).await?)
    }

    /// Whether the record holds `value`.
    pub(super) async fn holds(&mut self, value: &[u8]) -> Result<bool, LockError> {
        match self.client.call(&[b"GET", self.context.key.as_bytes()]).await? {
            Reply::Bulk(stored) => Ok(stored == value),
            Reply::Null => Ok(false),
            reply => Err(unexpected(&reply)),
        }
    }

    pub(super) async fn pause_before_retry(&self) {
        self.context.params.pause_before_retry(&self.context.env).await;
    }
}

/// A lock record that carries its owner's random token; by itself a complete lock.
pub(super) struct Tokened<E: Env> {
    pub(super) server: OneServer<E>,
    pub(super) token: String,
    /// When the attempt that succeeded was sent: the server's lease ends no earlier than a TTL after
    /// that.
    pub(super) asked_at: SteadyTime,
}

impl<E: Env> Tokened<E> {
    pub(super) fn new(context: LockContext<E>) -> Self {
        let asked_at = context.env.steady();
        Self { server: OneServer::new(context), token: String::new(), asked_at }
    }

    /// A new [`draw_token`] for the next attempts.
    pub(super) fn draw_token(&mut self) {
        draw_token(&self.server.context.env, &mut self.token);
    }
}

impl<E: Env> Lock for Tokened<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        self.draw_token();
        loop {
            self.asked_at = self.server.context.env.steady();
            if self.server.set_nx_px(self.token.as_bytes()).await? {
                return Ok(Grant::default());
            }
            self.server.pause_before_retry().await;
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        Ok(!grant.lost.is_set() && self.server.holds(self.token.as_bytes()).await?)
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        let OneServer { context, client, .. } = &mut self.server;
        let reply =
            client.eval(&COMPARE_AND_DELETE, &[&context.key], &[self.token.as_bytes()]).await?;
        yes_or_no(reply)
    }
}

/// Sets the record and counts the token up, or answers 0. One script, so that no other client's grant
/// can fall between the record and the number (Redisson's RFencedLock does the same).
static SET_AND_COUNT: Script = Script::new(
    "if redis.call('set',KEYS[1],ARGV[1],'NX','PX',ARGV[2]) then \
     return redis.call('incr',KEYS[2]) else return 0 end",
);

/// A [`Tokened`] lock whose grants carry a fencing token.
pub(super) struct Fenced<E: Env> {
    pub(super) lock: Tokened<E>,
}

impl<E: Env> Fenced<E> {
    pub(super) fn new(context: LockContext<E>) -> Self {
        Self { lock: Tokened::new(context) }
    }
}

impl<E: Env> Lock for Fenced<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        self.lock.draw_token();
        loop {
            self.lock.asked_at = self.lock.server.context.env.steady();
            let OneServer { context, client, ttl_ms } = &mut self.lock.server;
            let keys = [&*context.key, &*context.fence_key];
            let args = [self.lock.token.as_bytes(), ttl_ms.as_bytes()];
            match client.eval(&SET_AND_COUNT, &keys, &args).await? {
                Reply::Integer(0) => self.lock.server.pause_before_retry().await,
                Reply::Integer(token) => {
                    return Ok(Grant { token: u64::try_from(token).ok(), ..Grant::default() });
                }
                reply => return Err(unexpected(&reply)),
            }
        }
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.lock.check(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.lock.release(grant).await
    }
}

/// 20 random bytes in hexadecimal, as the official documentation suggests.
pub(super) fn draw_token<E: Env>(env: &E, token: &mut String) {
    let [high, low, last] = [env.random(), env.random(), env.random() << 32];
    let words = [high, low, last].map(|word| word.to_be_bytes().map(|byte| HEX[usize::from(byte)]));
    let digits = &words.as_flattened().as_flattened()[..40];
    token.clear();
    token.push_str(str::from_utf8(digits).expect("digits are ASCII"));
}

/// A further connection to the lock's server, as a watchdog has one.
pub(super) fn connect<E: Env>(context: &LockContext<E>) -> Client<E> {
    let time_limit = context.params.request_timeout();
    Client::new(context.env.clone(), context.servers[0].clone(), time_limit)
}

pub(super) fn yes_or_no(reply: Reply) -> Result<bool, LockError> {
    match reply {
        Reply::Integer(number) => Ok(number != 0),
        reply => Err(unexpected(&reply)),
    }
}
