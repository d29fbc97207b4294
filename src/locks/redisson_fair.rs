//! R8: Redisson's fair lock: R7 with a queue of those who wait and a deadline for each.
//!
//! Source: redisson/redisson, `RedissonFairLock.java`, `config/Config.java` (`fairLockWaitTimeout`). Every
//! script first drops the heads of the queue whose deadline is over, by the wall clock of the client that runs
//! it: a client that is ahead drops who is alive, a client that was ahead and died is waited for. Who is dropped
//! and still waits is queued again, at the end, when it asks the next time. On release only the head of the
//! queue is told.
//!
//! Who is queued asks again after what is left of the holder's lease, which is no time at all once the lock is
//! free: behind a dead head everybody asks as fast as the server answers.

use std::time::Duration;

use picklock_models::time::WallTime;
use picklock_sim::env::Env;

use super::redisson::{Call, Latch, Names, Protocol, Side, recovery_bound};
use super::redisson_rlock::{Plain, UNLOCKED};
use crate::client::Script;
use crate::group::Group;
use crate::lock::{Algorithm, Lock, LockContext, LockParams};
use crate::terms::Claim;

/// R8.
pub struct RedissonFair;

impl Algorithm for RedissonFair {
    const NAME: &'static str = "redisson-fair";
    const ABOUT: &'static str = "R8: Redisson's fair RLock: a queue with deadlines by the clients' clocks";
    const CLAIMS: &'static [Claim] = CLAIMS;
    const GROUP: Group = Group::Redisson;
    const REENTRANT: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("redisson-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(fair_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let place_ms = place_ms(&context.params);
        Side::new(context, Fair { acquire: &ACQUIRE, place_ms })
    }
}

/// Whoever waits is served in time, because whoever came later is behind it.
pub(super) const CLAIMS: &[Claim] = &[
    Claim::ExclusiveBelief,
    Claim::ReleaseSafe,
    Claim::Recovers,
    Claim::NoStarvation,
    Claim::Reentrant,
    Claim::FairQueue,
];

/// How long a waiter keeps its place, in milliseconds (`fairLockWaitTimeout`; 5 minutes).
const PLACE_MS: u64 = 300_000;

pub(super) fn place_ms(params: &LockParams) -> u64 {
    params.place_ms.unwrap_or(PLACE_MS)
}

/// That of the plain lock, and the place of one who died waiting and stood at the head. Its deadline was set when
/// it came: to the end of the lease at that time, and the time for its own place.
pub(super) fn fair_bound(params: &LockParams) -> Duration {
    recovery_bound(params) + Duration::from_millis(place_ms(params))
}

/// Drops heads of the queue that are overdue.
macro_rules! drop_overdue {
    () => {
        "while true do \
           local head=redis.call('lindex',KEYS[2],0) \
           local deadline=head and redis.call('zscore',KEYS[3],head) \
           if not deadline or tonumber(deadline)>tonumber(ARGV[1]) then break end \
           redis.call('zrem',KEYS[3],head) \
           redis.call('lpop',KEYS[2]) \
         end "
    };
}

/// Takes the lock if it is free and nobody is before the caller, whose waiting then is taken off the deadlines of
/// those behind it; or if it is its own.
macro_rules! take {
    () => {
        "if redis.call('exists',KEYS[1])==0 and (redis.call('exists',KEYS[2])==0 \
           or redis.call('lindex',KEYS[2],0)==ARGV[2]) then \
           redis.call('lpop',KEYS[2]) \
           redis.call('zrem',KEYS[3],ARGV[2]) \
           for _,other in ipairs(redis.call('zrange',KEYS[3],0,-1)) do \
             redis.call('zincrby',KEYS[3],-tonumber(ARGV[4]),other) \
           end \
           redis.call('hset',KEYS[1],ARGV[2],1) \
           redis.call('pexpire',KEYS[1],ARGV[3]) \
           return false \
         end \
         if redis.call('hexists',KEYS[1],ARGV[2])==1 then \
           redis.call('hincrby',KEYS[1],ARGV[2],1) \
           redis.call('pexpire',KEYS[1],ARGV[3]) \
           return false \
         end "
    };
}

/// Queues the caller, with the deadline of the last one in the queue, or the end of the lease, and the time for
/// its own place; answers how long the first of that is.
macro_rules! enqueue {
    () => {
        "local last=redis.call('lindex',KEYS[2],-1) \
         local before=last and last~=ARGV[2] and redis.call('zscore',KEYS[3],last) \
         local left \
         if before then left=tonumber(before)-tonumber(ARGV[1]) \
         else left=redis.call('pttl',KEYS[1]) end \
         local deadline=left+tonumber(ARGV[4])+tonumber(ARGV[1]) \
         if redis.call('zadd',KEYS[3],deadline,ARGV[2])==1 then \
           redis.call('rpush',KEYS[2],ARGV[2]) \
         end \
         return left"
    };
}
pub(super) use {drop_overdue, enqueue, take};

/// Who is in the queue already is answered what is left of the holder's lease.
static ACQUIRE: Script = Script::new(concat!(
    drop_overdue!(),
    take!(),
    "if redis.call('zscore',KEYS[3],ARGV[2]) then \
       return math.max(0,redis.call('pttl',KEYS[1])) end ",
    enqueue!(),
));

/// As that of the plain lock, but only the head of the queue is told.
static RELEASE: Script = Script::new(concat!(
    "local done=redis.call('get',KEYS[5]) \
     if done then return tonumber(done) end ",
    drop_overdue!(),
    "local held=redis.call('exists',KEYS[1])==1 \
     if held and redis.call('hexists',KEYS[1],ARGV[2])==0 then return false end \
     if held and redis.call('hincrby',KEYS[1],ARGV[2],-1)>0 then \
       redis.call('pexpire',KEYS[1],ARGV[3]) \
       redis.call('set',KEYS[5],0,'PX',ARGV[5]) \
       return 0 \
     end \
     redis.call('del',KEYS[1]) \
     local head=redis.call('lindex',KEYS[2],0) \
     if head then redis.call('publish',KEYS[4]..':'..head,ARGV[4]) end \
     redis.call('set',KEYS[5],1,'PX',ARGV[5]) \
     return 1",
));

/// The scripts of the fair lock.
pub(super) struct Fair {
    pub(super) acquire: &'static Script,
    /// How long a waiter keeps its place.
    pub(super) place_ms: u64,
}

fn keys(names: &Names) -> Vec<String> {
    let others = ["redisson_lock_queue", "redisson_lock_timeout"].map(|name| names.prefixed(name));
    [names.lock.clone()].into_iter().chain(others).collect()
}

/// What every script begins with.
fn args(names: &Names, now: WallTime) -> Vec<String> {
    vec![now.unix_ms().to_string(), names.owner.clone(), names.lease_ms.clone()]
}

impl Protocol for Fair {
    fn acquire(&self, names: &Names, now: WallTime) -> Call {
        let mut args = args(names, now);
        args.push(self.place_ms.to_string());
        Call { script: self.acquire, keys: keys(names), args }
    }

    fn release(&self, names: &Names, latch: &Latch, now: WallTime) -> Call {
        let mut keys = keys(names);
        keys.extend([Plain.channel(names), latch.key.clone()]);
        let mut args = args(names, now);
        args.extend([UNLOCKED.to_owned(), latch.ms.clone()]);
        Call { script: &RELEASE, keys, args }
    }

    fn renew(&self, names: &Names) -> Call {
        Plain.renew(names)
    }

    /// Each waiter has its own.
    fn channel(&self, names: &Names) -> String {
        format!("{}:{}", Plain.channel(names), names.owner)
    }
}
