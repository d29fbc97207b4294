//! The lock that the application uses. It knows nothing of picklock: all it needs of the outside is
//! a way to run a script on Redis, so that tests can hand it a simulated one.

use std::future::Future;

/// A connection to Redis, whatever client the application uses.
pub trait Redis {
    /// What goes wrong.
    type Error;

    /// Runs a script that answers with a number.
    fn eval(
        &mut self,
        script: &'static str,
        keys: &[&str],
        args: &[&str],
    ) -> impl Future<Output = Result<i64, Self::Error>>;
}

/// One client's handle to the lock.
pub struct MyLock<R> {
    redis: R,
    /// Unique to this client and this attempt.
    token: String,
    ttl_ms: String,
}

/// Takes the lock if it is free, and counts up the fencing token.
const ACQUIRE: &str = "if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return redis.call('incr', KEYS[2]) else return 0 end";

/// Gives the lock back if it is still the caller's.
const RELEASE: &str = "if redis.call('get', KEYS[1]) == ARGV[1] then
    return redis.call('del', KEYS[1]) else return 0 end";

impl<R: Redis> MyLock<R> {
    /// A handle over this connection; the lease lasts `ttl_ms`.
    pub fn new(redis: R, ttl_ms: u64) -> Self {
        Self { redis, token: String::new(), ttl_ms: ttl_ms.to_string() }
    }

    /// Tries once; the fencing token if the lock was free. `token` must be new.
    pub async fn try_acquire(&mut self, token: String) -> Result<Option<u64>, R::Error> {
        self.token = token;
        let args = [self.token.as_str(), self.ttl_ms.as_str()];
        let fence = self.redis.eval(ACQUIRE, &["lock", "fence"], &args).await?;
        Ok(u64::try_from(fence).ok().filter(|fence| *fence > 0))
    }

    /// Gives the lock back; false if it was not this client's any more.
    pub async fn release(&mut self) -> Result<bool, R::Error> {
        Ok(self.redis.eval(RELEASE, &["lock"], &[self.token.as_str()]).await? == 1)
    }
}
