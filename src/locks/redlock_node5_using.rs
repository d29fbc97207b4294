//! R13 through `using()`: node-redlock 5 extends the lock while the work goes on, and aborts the work when it cannot.
//!
//! The lock is extended 500 ms before it expires, by `Date.now()`. An extension that fails is repeated at once as
//! long as the lock has not expired; then the routine's signal is set, which is [`Grant::lost`] here. A lock that is
//! over when it is granted (see [`super::redlock_node5`]) is found out at once in this way, and the routine is told.
//! The release waits for an extension that is under way.
//!
//! Source: mike-marcacci/node-redlock `src/index.ts` (`using`, `extend`).

use std::rc::Rc;
use std::time::Duration;

use picklock_sim::env::{Either, Env, race};
use picklock_sim::signal::Signal;

use super::redlock_node5::{Node5, recovery_bound};
use super::renewal::Renewals;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Renewal, Servers};
use crate::terms::Claim;

/// `automaticExtensionThreshold` ([`LockParams::renew_before_ms`] says otherwise).
const DEFAULT_THRESHOLD_MS: u64 = 500;

/// How much longer than the threshold a lease must be.
const LEAST_ABOVE_THRESHOLD_MS: u64 = 100;

/// R13 with `using()`.
pub struct RedlockNode5Using;

impl Algorithm for RedlockNode5Using {
    const NAME: &'static str = "redlock-node5-using";
    const ABOUT: &'static str = "R13: redlock-node5, extended before it expires; a loss is told";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];
    const SERVERS: Servers = Servers::Independent;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let renewals = Renewals::new(Rc::clone(&context.on_renewal));
        Client { lock: Node5::new(context), renewals, extending: Extending::default() }
    }
}

struct Client<E: Env> {
    lock: Node5<E>,
    renewals: Rc<Renewals>,
    extending: Extending,
}

/// The task that extends the present grant.
#[derive(Clone, Default)]
struct Extending {
    stop: Signal,
    ended: Signal,
}

/// How long before it expires the lock is extended. The library throws if the lease is not 100 ms longer; here a
/// lease so short, which comparisons need, is extended at its half.
fn threshold(params: &LockParams) -> Duration {
    let threshold_ms = params.renew_before_ms.unwrap_or(DEFAULT_THRESHOLD_MS);
    match threshold_ms.saturating_add(LEAST_ABOVE_THRESHOLD_MS) > params.ttl_ms {
        true => params.ttl() / 2,
        false => Duration::from_millis(threshold_ms),
    }
}

async fn keep_extending<E: Env>(
    lock: Node5<E>,
    renewals: Rc<Renewals>,
    extending: Extending,
    lost: Signal,
) {
    let env = lock.nodes.context.env.clone();
    let threshold = threshold(&lock.nodes.context.params);
    loop {
        let pause = lock.left().saturating_sub(threshold);
        if race(extending.stop.wait(), env.sleep(pause)).await == Either::Left(()) {
            break;
        }
        renewals.happened(Renewal::Sent);
        let extended = lock.extend().await;
        renewals.happened(match &extended {
            Ok(()) => Renewal::Done,
            Err(LockError::Definite(_)) => Renewal::Refused,
            Err(LockError::Indefinite(_)) => Renewal::Unknown,
        });
        if extended.is_err() && lock.left().is_zero() {
            lost.set();
            break;
        }
    }
    extending.ended.set();
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let grant = self.lock.acquire().await?;
        self.renewals.begin();
        self.extending = Extending::default();
        let (lock, renewals) = (self.lock.clone(), Rc::clone(&self.renewals));
        let task = keep_extending(lock, renewals, self.extending.clone(), grant.lost.clone());
        self.lock.nodes.context.env.spawn(task);
        Ok(grant)
    }

    async fn check(&mut self, grant: &Grant) -> Result<bool, LockError> {
        self.lock.check(grant).await
    }

    async fn release(&mut self, grant: Grant) -> Result<bool, LockError> {
        self.renewals.end();
        self.extending.stop.set();
        self.extending.ended.wait().await;
        self.lock.release(grant).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_the_library_would_refuse_is_extended_at_its_half() {
        let of = |ttl_ms, renew_before_ms| {
            threshold(&LockParams { ttl_ms, renew_before_ms, ..LockParams::default() }).as_millis()
        };
        assert_eq!((of(1000, None), of(600, None), of(599, None)), (500, 500, 299));
        assert_eq!((of(1000, Some(200)), of(1000, Some(901))), (200, 500));
    }
}
