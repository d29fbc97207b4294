//! The lock in picklock's world: its connection over the simulated network, and what it promises.

use std::time::Duration;

use picklock::foreign::{Foreign, Task};
use picklock::prelude::*;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError};
use redis_rs_lock::{Held, RedisLock};

/// The lock as picklock sees it.
pub struct UnderTest;

impl Algorithm for UnderTest {
    const NAME: &'static str = "redis-rs-lock";
    const ABOUT: &'static str =
        "SET NX PX over redis-rs, with a fencing token from the same transaction";
    const CLAIMS: &'static [Claim] = &[Claim::FenceMonotonic, Claim::ReleaseSafe, Claim::Recovers];
    const FENCED: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(params.polled_ttl_bound())
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client { context, connected: None, held: None }
    }
}

struct Client<E: Env> {
    context: LockContext<E>,
    /// The lock over a connection, and the task that moves the connection's bytes.
    connected: Option<(RedisLock, Task)>,
    held: Option<Held>,
}

impl<E: Env> Client<E> {
    /// Connects if there is no connection, as the application does when it starts and after each error.
    async fn connected(&mut self) -> Result<&mut RedisLock, LockError> {
        if self.connected.is_none() {
            let LockContext { env, servers, key, params, .. } = &self.context;
            let connecting = connect(env, &servers[0], params.request_timeout());
            let (connection, driver) = env
                .timeout(params.request_timeout(), connecting)
                .await
                .map_err(|late| LockError::Definite(late.to_string()))?
                .map_err(|error| LockError::Definite(error.to_string()))?;
            let retry = Duration::from_millis(params.retry_ms);
            let lock = RedisLock::new(connection, key, params.ttl(), retry);
            self.connected = Some((lock, driver));
        }
        Ok(&mut self.connected.as_mut().expect("it was just set").0)
    }

    /// After an error the connection is not used any more; a request on it may have been carried out.
    fn failed(&mut self, error: RedisError) -> LockError {
        self.connected = None;
        LockError::Indefinite(error.to_string())
    }
}

/// A connection of redis-rs over the simulated network; its driver is spawned where pauses stop it.
async fn connect<E: Env>(
    env: &E,
    server: &str,
    time_limit: Duration,
) -> Result<(MultiplexedConnection, Task), RedisError> {
    let foreign = Foreign::new(env);
    let stream = foreign.connect(server).await?;
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(time_limit));
    let info = RedisConnectionInfo::default();
    let (connection, driver) =
        MultiplexedConnection::new_with_config(&info, stream, config).await?;
    Ok((connection, foreign.spawn(driver)))
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let granted = self.connected().await?.lock().await;
        let held = granted.map_err(|error| self.failed(error))?;
        let token = Some(held.fence);
        self.held = Some(held);
        Ok(Grant { token, ..Grant::default() })
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        let Some(held) = self.held.take() else { return Ok(false) };
        let still = self.connected().await?.is_held(&held).await;
        self.held = Some(held);
        still.map_err(|error| self.failed(error))
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        let Some(held) = self.held.take() else { return Ok(false) };
        let released = self.connected().await?.unlock(held).await;
        released.map_err(|error| self.failed(error))
    }
}
