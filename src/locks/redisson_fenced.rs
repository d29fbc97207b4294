//! R9: Redisson's fenced lock, R7 whose script also counts up a token, with every hold.
//!
//! Source: redisson/redisson, `RedissonFencedLock.java` `tryLockInnerAsync`, as `lockAndGetToken` runs it. The
//! token is an ordinary key: a server that loses it begins again at 1.

use std::time::Duration;

use picklock_models::redis::Reply;
use picklock_models::time::WallTime;
use picklock_sim::env::Env;

use super::redisson::{Answer, Call, Latch, Names, Protocol, Side, recovery_bound};
use super::redisson_rlock::{Plain, lease_and_owner};
use crate::client::{Script, unexpected};
use crate::group::Group;
use crate::lock::{Algorithm, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R9.
pub struct RedissonFenced;

impl Algorithm for RedissonFenced {
    const NAME: &'static str = "redisson-fenced";
    const ABOUT: &'static str = "R9: Redisson's RFencedLock: redisson-rlock with an INCR token for each hold";
    /// Not exclusion: a fenced lock promises that the resource survives an overlap.
    const CLAIMS: &'static [Claim] =
        &[Claim::FenceMonotonic, Claim::ReleaseSafe, Claim::Recovers, Claim::Reentrant];
    const FENCED: bool = true;
    const GROUP: Group = Group::Redisson;
    const REENTRANT: bool = true;

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let fence = context.fence_key.to_string();
        Side::new(context, Fenced { fence })
    }
}

/// Answers -1 and the token, or what is left of the lease and -1.
static ACQUIRE: Script = Script::new(
    "if redis.call('exists',KEYS[1])==1 and redis.call('hexists',KEYS[1],ARGV[2])==0 then \
     return {redis.call('pttl',KEYS[1]),-1} end \
     local token=redis.call('incr',KEYS[2]) \
     redis.call('hincrby',KEYS[1],ARGV[2],1) \
     redis.call('pexpire',KEYS[1],ARGV[1]) \
     return {-1,token}",
);

struct Fenced {
    /// Where tokens are counted.
    fence: String,
}

impl Protocol for Fenced {
    fn acquire(&self, names: &Names, _: WallTime) -> Call {
        let keys = vec![names.lock.clone(), self.fence.clone()];
        Call { script: &ACQUIRE, keys, args: lease_and_owner(names) }
    }

    fn release(&self, names: &Names, latch: &Latch, now: WallTime) -> Call {
        Plain.release(names, latch, now)
    }

    fn renew(&self, names: &Names) -> Call {
        Plain.renew(names)
    }

    fn answer(reply: &Reply) -> Result<Answer, LockError> {
        match reply {
            Reply::Array(pair) => match pair[..] {
                [Reply::Integer(-1), Reply::Integer(token)] => {
                    Ok(Answer::Granted { token: u64::try_from(token).ok() })
                }
                [Reply::Integer(left_ms), Reply::Integer(-1)] => Ok(Answer::Busy { left_ms }),
                _ => Err(unexpected(reply)),
            },
            _ => Err(unexpected(reply)),
        }
    }
}
