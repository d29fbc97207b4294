//! What the planted locks have in common: the documented lock, with a chore before a client's first
//! attempt that the plan does not determine.
//!
//! Once per client, and with few ways to go, so that two runs are often the same by luck: what always
//! shows would be found by anything.

use picklock_sim::env::Env;

use super::hold::Tokened;
use crate::lock::{Grant, Lock, LockContext, LockError};

/// What a client does before its first attempt.
pub(super) trait Chore {
    async fn run<E: Env>(lock: &mut Tokened<E>) -> Result<(), LockError>;
}

/// A client of the documented lock with a chore.
pub(super) struct Planted<C, E: Env> {
    lock: Tokened<E>,
    chore: Option<C>,
}

impl<C: Chore, E: Env> Planted<C, E> {
    pub(super) fn new(context: LockContext<E>, chore: C) -> Self {
        Self { lock: Tokened::new(context), chore: Some(chore) }
    }
}

impl<C: Chore, E: Env> Lock for Planted<C, E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        if self.chore.take().is_some() {
            C::run(&mut self.lock).await?;
        }
        self.lock.acquire().await
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.lock.check(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.lock.release(grant).await
    }
}
