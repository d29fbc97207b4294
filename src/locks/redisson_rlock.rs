//! R7: Redisson's reentrant lock, a hash with the holder's name and how often it holds.
//!
//! Source: redisson/redisson, `RedissonLock.java` `tryLockInnerAsync`, `unlockInnerAsync`. Known hazards: an
//! attempt whose reply is lost may have been granted, and asking again is then one hold too many
//! (redisson#4822); a lost renewal is only logged (redisson#4698).

use std::time::Duration;

use picklock_models::time::WallTime;
use picklock_sim::env::Env;

use super::redisson::{Call, Latch, Names, Protocol, Side, recovery_bound};
use crate::client::Script;
use crate::group::Group;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R7.
pub struct RedissonRLock;

impl Algorithm for RedissonRLock {
    const NAME: &'static str = "redisson-rlock";
    const ABOUT: &'static str = "R7: Redisson's RLock: reentrant, woken by pub/sub, with a watchdog";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers, Claim::Reentrant];
    const GROUP: Group = Group::Redisson;
    const REENTRANT: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("redisson-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Side::new(context, Plain)
    }
}

/// Takes it if it is free or one's own, or answers what is left of the lease in milliseconds.
pub(super) static ACQUIRE: Script = Script::new(
    "if redis.call('exists',KEYS[1])==1 and redis.call('hexists',KEYS[1],ARGV[2])==0 then \
     return redis.call('pttl',KEYS[1]) end \
     redis.call('hincrby',KEYS[1],ARGV[2],1) \
     redis.call('pexpire',KEYS[1],ARGV[1]) \
     return false",
);

/// Gives one hold back: 1 if that was the last, 0 if not, nothing if there was none.
static RELEASE: Script = Script::new(
    "local done=redis.call('get',KEYS[3]) \
     if done then return tonumber(done) end \
     if redis.call('hexists',KEYS[1],ARGV[2])==0 then return false end \
     local freed=0 \
     if redis.call('hincrby',KEYS[1],ARGV[2],-1)>0 then \
       redis.call('pexpire',KEYS[1],ARGV[1]) \
     else \
       redis.call('del',KEYS[1]) \
       redis.call('publish',KEYS[2],ARGV[3]) \
       freed=1 \
     end \
     redis.call('set',KEYS[3],freed,'PX',ARGV[4]) \
     return freed",
);

/// Prolongs the lease if there is still a hold.
static RENEW: Script = Script::new(
    "if redis.call('hexists',KEYS[1],ARGV[2])==0 then return 0 end \
     return redis.call('pexpire',KEYS[1],ARGV[1])",
);

/// What is published when the lock is free (`LockPubSub.UNLOCK_MESSAGE`).
pub(super) const UNLOCKED: &str = "0";

/// The scripts of the plain lock, which others of the family share.
pub(super) struct Plain;

impl Protocol for Plain {
    fn acquire(&self, names: &Names, _: WallTime) -> Call {
        Call { script: &ACQUIRE, keys: vec![names.lock.clone()], args: lease_and_owner(names) }
    }

    fn release(&self, names: &Names, latch: &Latch, _: WallTime) -> Call {
        let keys = vec![names.lock.clone(), self.channel(names), latch.key.clone()];
        let mut args = lease_and_owner(names);
        args.extend([UNLOCKED.to_owned(), latch.ms.clone()]);
        Call { script: &RELEASE, keys, args }
    }

    fn renew(&self, names: &Names) -> Call {
        Call { script: &RENEW, keys: vec![names.lock.clone()], args: lease_and_owner(names) }
    }
}

pub(super) fn lease_and_owner(names: &Names) -> Vec<String> {
    vec![names.lease_ms.clone(), names.owner.clone()]
}

impl<E: Env, P: Protocol + 'static> Lock for Side<E, P> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        Side::acquire(self).await
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        self.holds().await
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        Side::release(self).await
    }
}
