//! A lease that is kept alive for as long as its owner lives (`client/v3/concurrency/session.go`).

use picklock_sim::env::Env;
use picklock_sim::signal::Signal;

use super::{CallError, Client};

/// See the module.
pub struct Session<E: Env> {
    client: Client<E>,
    lease: i64,
    done: Signal,
}

impl<E: Env> Session<E> {
    pub(super) fn new(client: Client<E>, lease: i64, done: Signal) -> Self {
        Self { client, lease, done }
    }

    /// The lease's number.
    pub fn lease(&self) -> i64 {
        self.lease
    }

    /// Set when the lease is not kept alive any more: it has ended, or nobody could be asked about it for
    /// too long, or its owner said so.
    pub fn done(&self) -> &Signal {
        &self.done
    }

    /// Stops keeping the lease alive; it will end by itself.
    pub fn orphan(&self) {
        self.client.lessor.forget(self.lease);
    }

    /// Stops keeping the lease alive and ends it. [`picklock_models::etcd::Code::NotFound`]: it had ended
    /// before.
    ///
    /// # Errors
    /// See [`CallError`]; the lease then ends by itself.
    pub async fn close(&self) -> Result<(), CallError> {
        self.orphan();
        self.client.lease_revoke(self.lease).await.map(|_| ())
    }
}
