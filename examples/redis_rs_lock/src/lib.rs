//! The lock that the application uses: one Redis server, redis-rs, no watchdog.
//!
//! It is written as one writes it: its own client crate, its own timers, its own random tokens. It knows
//! nothing of picklock, and the tests run it as it is.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, ExistenceCheck, RedisResult, Script, SetExpiry, SetOptions};
use uuid::Uuid;

/// A lock by its key.
pub struct RedisLock {
    connection: MultiplexedConnection,
    key: String,
    /// What fencing tokens are counted in.
    fence_key: String,
    lease: Duration,
    retry: Duration,
}

/// The lock is held until the lease is over, whatever its holder thinks.
pub struct Held {
    /// Only this holder knows it.
    secret: String,
    /// Greater than that of every holder before: what the lock guards must refuse smaller ones.
    pub fence: u64,
}

/// Deletes the lock if it is still the caller's.
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end",
    )
});

impl RedisLock {
    /// The lock `key`, leased for so long at a time, asked for again after `retry` while it is taken.
    pub fn new(
        connection: MultiplexedConnection,
        key: &str,
        lease: Duration,
        retry: Duration,
    ) -> Self {
        let (key, fence_key) = (key.to_owned(), format!("{key}-fence"));
        Self { connection, key, fence_key, lease, retry }
    }

    /// Asks until the lock is granted.
    pub async fn lock(&mut self) -> RedisResult<Held> {
        loop {
            if let Some(held) = self.try_lock().await? {
                return Ok(held);
            }
            tokio::time::sleep(self.retry).await;
        }
    }

    /// Asks once. Every attempt is counted, in the same transaction: later grants have larger numbers.
    pub async fn try_lock(&mut self) -> RedisResult<Option<Held>> {
        let secret = Uuid::new_v4().simple().to_string();
        let if_free = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::PX(self.lease.as_millis() as u64));
        let (granted, fence): (bool, u64) = redis::pipe()
            .atomic()
            .set_options(&self.key, &secret, if_free)
            .incr(&self.fence_key, 1)
            .query_async(&mut self.connection)
            .await?;
        Ok(granted.then_some(Held { secret, fence }))
    }

    /// Gives the lock back; false if it was not this holder's any more.
    pub async fn unlock(&mut self, held: Held) -> RedisResult<bool> {
        RELEASE.key(&self.key).arg(held.secret).invoke_async(&mut self.connection).await
    }

    /// Whether the lock is still this holder's: true now need not be true a moment later.
    pub async fn is_held(&mut self, held: &Held) -> RedisResult<bool> {
        let secret: Option<String> = self.connection.get(&self.key).await?;
        Ok(secret.as_ref() == Some(&held.secret))
    }
}
