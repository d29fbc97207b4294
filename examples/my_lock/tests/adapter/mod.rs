//! The lock in picklock's world: its connection over the simulated network, and what it promises.

use std::time::Duration;

use my_lock::{MyLock, Redis};
use picklock::prelude::*;

/// The lock as picklock sees it.
pub struct UnderTest;

impl Algorithm for UnderTest {
    const NAME: &'static str = "my-lock";
    const ABOUT: &'static str = "SET NX PX with a fencing token from the same script";
    const CLAIMS: &'static [Claim] = &[Claim::FenceMonotonic, Claim::ReleaseSafe, Claim::Recovers];
    const FENCED: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let time_limit = context.params.request_timeout();
        let client = Client::new(context.env.clone(), &*context.servers[0], time_limit);
        let lock = MyLock::new(Connection(client), context.params.ttl_ms);
        Handle { lock, context }
    }
}

struct Connection<E: Env>(Client<E>);

impl<E: Env> Redis for Connection<E> {
    type Error = LockError;

    async fn eval(
        &mut self,
        script: &'static str,
        keys: &[&str],
        args: &[&str],
    ) -> Result<i64, LockError> {
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        match self.0.eval(&Script::new(script), keys, &args).await? {
            Reply::Integer(number) => Ok(number),
            reply => Err(unexpected(&reply)),
        }
    }
}

struct Handle<E: Env> {
    lock: MyLock<Connection<E>>,
    context: LockContext<E>,
}

impl<E: Env> Lock for Handle<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let env = &self.context.env;
        loop {
            let token = format!("{:016x}{:016x}", env.random(), env.random());
            if let Some(fence) = self.lock.try_acquire(token).await? {
                return Ok(Grant { token: Some(fence), ..Grant::default() });
            }
            self.context.params.pause_before_retry(env).await;
        }
    }

    /// The application never asks again before it writes; if yours does, do it here.
    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        Ok(true)
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        self.lock.release().await
    }
}
