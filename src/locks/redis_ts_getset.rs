//! R3: the historic lock of the Redis documentation, whose record says when it ends.
//!
//! `SETNX key stamp`, where the stamp is the client's own calendar time + lease + 1. Whoever finds a stamp
//! that has passed takes the lock over with `GETSET`, and has it only if the stamp that this returns had
//! passed too: of several who saw the same stale stamp one wins. (See it stale, `DEL`, `SETNX` would let two
//! win.) A loser has overwritten the winner's stamp with a slightly later one, which the documentation
//! accepts; so the record does not say whose it is, and no promise is made of that. A holder deletes the
//! record only if its own stamp has not passed. All of it stands on clients' clocks that agree.
//!
//! Source: redis-doc `commands/setnx.md`, design pattern. It counts in seconds; here it is milliseconds, so
//! that all locks of a comparison have the same lease.

use std::time::Duration;

use picklock_models::redis::Reply;
use picklock_sim::env::Env;

use super::hold::OneServer;
use crate::client::unexpected;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R3.
pub struct RedisTsGetset;

impl Algorithm for RedisTsGetset {
    const NAME: &'static str = "redis-ts-getset";
    const ABOUT: &'static str = "R3: SETNX of the time it ends, taken over by GETSET, historic";
    const CLAIMS: &'static [Claim] = &[Claim::ExclusiveBelief, Claim::Recovers];

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        // The millisecond that is added to the lease.
        Some(params.polled_ttl_bound() + Duration::from_millis(1))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client { server: OneServer::new(context), stamp_ms: 0 }
    }
}

struct Client<E: Env> {
    server: OneServer<E>,
    /// When the present grant ends, by this client's calendar clock.
    stamp_ms: i64,
}

impl<E: Env> Client<E> {
    fn now_ms(&self) -> i64 {
        self.server.context.env.wall().unix_ms()
    }

    /// What this client writes now.
    fn draw_stamp(&mut self) -> String {
        let lease_ms = i64::try_from(self.server.context.params.ttl_ms).unwrap_or(i64::MAX);
        self.stamp_ms = self.now_ms().saturating_add(lease_ms).saturating_add(1);
        self.stamp_ms.to_string()
    }

    /// Asks a command that answers with the stored stamp; whether nobody holds the lock by it.
    async fn is_free(&mut self, command: &[&[u8]]) -> Result<bool, LockError> {
        match self.server.client.call(command).await? {
            Reply::Null => Ok(true),
            Reply::Bulk(stored) => match str::from_utf8(&stored).map(str::parse::<i64>) {
                Ok(Ok(stamp_ms)) => Ok(stamp_ms < self.now_ms()),
                _ => Err(LockError::Indefinite("the record is no time".to_owned())),
            },
            reply => Err(unexpected(&reply)),
        }
    }
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let key = self.server.context.key.clone();
        loop {
            let stamp = self.draw_stamp();
            if self.server.set_nx(stamp.as_bytes()).await? {
                return Ok(Grant::default());
            }
            if self.is_free(&[b"GET", key.as_bytes()]).await? {
                let stamp = self.draw_stamp();
                if self.is_free(&[b"GETSET", key.as_bytes(), stamp.as_bytes()]).await? {
                    return Ok(Grant::default());
                }
            }
            self.server.pause_before_retry().await;
        }
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        Ok(self.now_ms() < self.stamp_ms)
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        if self.now_ms() >= self.stamp_ms {
            return Ok(false);
        }
        self.server.delete().await
    }
}
