//! R10: Redisson's read-write lock, one hash with a mode.
//!
//! Source: redisson/redisson, `RedissonReadLock.java`, `RedissonWriteLock.java`, `renewal/ReadLockTask.java`. A
//! reader has a field and, for each of its holds, a key with a time to live of its own; the hash lives as long as
//! the longest of them. A writer has a field of another name, so who writes may read as well, and goes on reading
//! when it gives the writing back (downgrade). Nobody is queued: readers that follow one another keep a writer
//! waiting.
//!
//! A hold for reading that is given back takes one off the watchdog of the write lock, too
//! (`RedissonReadLock.cancelExpirationRenewal` calls that of its superclass): who reads while it writes, and
//! stops reading, writes on with a lease that nobody prolongs.

use std::time::Duration;

use picklock_models::time::WallTime;
use picklock_sim::env::Env;

use super::redisson::{Call, Latch, Names, Protocol, Side, owner, recovery_bound};
use super::redisson_rlock::{Plain, UNLOCKED, lease_and_owner};
use crate::client::Script;
use crate::client::redisson::Redisson;
use crate::group::Group;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// R10.
pub struct RedissonRw;

impl Algorithm for RedissonRw {
    const NAME: &'static str = "redisson-rw";
    const ABOUT: &'static str = "R10: Redisson's RReadWriteLock: a hash with a mode, a lease for each reader";
    const CLAIMS: &'static [Claim] = &[
        Claim::ExclusiveBelief,
        Claim::ReleaseSafe,
        Claim::Recovers,
        Claim::Reentrant,
        Claim::ReadersWriter,
    ];
    const GROUP: Group = Group::Redisson;
    const REENTRANT: bool = true;
    const SHARED: bool = true;
    const FENCED_TWIN: Option<&'static str> = Some("redisson-fenced");

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        Some(recovery_bound(params))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        let client = Redisson::new(&context);
        let reader = owner(&client);
        let writer = format!("{reader}{WRITING}");
        ReadWrite {
            read: Side::of(context.clone(), client.clone(), reader, Read),
            write: Side::of(context, client, writer, Write),
            held: Vec::new(),
        }
    }
}

/// What a writer's field ends with (`RedissonWriteLock.getLockName`).
const WRITING: &str = ":write";
/// What is published to waiters of all kinds (`LockPubSub.READ_UNLOCK_MESSAGE`).
const WRITER_LEFT: &str = "1";

#[derive(Clone, Copy)]
enum Mode {
    Read,
    Write,
}

struct ReadWrite<E: Env> {
    read: Side<E, Read>,
    write: Side<E, Write>,
    /// The holds, the latest last.
    held: Vec<Mode>,
}

impl<E: Env> Lock for ReadWrite<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let grant = self.write.acquire().await?;
        self.held.push(Mode::Write);
        Ok(grant)
    }

    async fn acquire_shared(&mut self) -> Result<Grant, LockError> {
        let grant = self.read.acquire().await?;
        self.held.push(Mode::Read);
        Ok(grant)
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        match self.held.last() {
            Some(Mode::Write) => self.write.holds().await,
            Some(Mode::Read) => self.read.holds().await,
            None => Ok(false),
        }
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        match self.held.pop() {
            Some(Mode::Write) => self.write.release().await,
            Some(Mode::Read) => {
                let freed = self.read.release().await;
                self.write.watchdog.remove();
                freed
            }
            None => Ok(false),
        }
    }
}

/// Takes it for writing if nobody has it; a writer's further holds add a lease each to what is left.
static ACQUIRE_WRITE: Script = Script::new(
    "local mode=redis.call('hget',KEYS[1],'mode') \
     if not mode then \
       redis.call('hset',KEYS[1],'mode','write') \
       redis.call('hset',KEYS[1],ARGV[2],1) \
       redis.call('pexpire',KEYS[1],ARGV[1]) \
       return false \
     end \
     local left=redis.call('pttl',KEYS[1]) \
     if mode~='write' or redis.call('hexists',KEYS[1],ARGV[2])==0 then return left end \
     redis.call('hincrby',KEYS[1],ARGV[2],1) \
     redis.call('pexpire',KEYS[1],left+tonumber(ARGV[1])) \
     return false",
);

/// Takes it for reading if nobody else writes.
static ACQUIRE_READ: Script = Script::new(
    "local mode=redis.call('hget',KEYS[1],'mode') \
     if mode=='write' and redis.call('hexists',KEYS[1],ARGV[3])==0 then \
       return redis.call('pttl',KEYS[1]) end \
     if not mode then redis.call('hset',KEYS[1],'mode','read') end \
     local hold=redis.call('hincrby',KEYS[1],ARGV[2],1) \
     redis.call('set',KEYS[2]..':'..hold,1,'PX',ARGV[1]) \
     local left=redis.call('pttl',KEYS[1]) \
     redis.call('pexpire',KEYS[1],math.max(left,tonumber(ARGV[1]))) \
     return false",
);

/// Gives one hold for writing back. Who has holds for reading as well keeps those.
static RELEASE_WRITE: Script = Script::new(
    "local done=redis.call('get',KEYS[3]) \
     if done then return tonumber(done) end \
     local mode=redis.call('hget',KEYS[1],'mode') \
     if not mode then \
       redis.call('publish',KEYS[2],ARGV[3]) \
       redis.call('set',KEYS[3],1,'PX',ARGV[4]) \
     end \
     if mode~='write' or redis.call('hexists',KEYS[1],ARGV[2])==0 then return false end \
     local freed=1 \
     if redis.call('hincrby',KEYS[1],ARGV[2],-1)>0 then \
       redis.call('pexpire',KEYS[1],ARGV[1]) \
       freed=0 \
     else \
       redis.call('hdel',KEYS[1],ARGV[2]) \
       if redis.call('hlen',KEYS[1])>1 then \
         redis.call('hset',KEYS[1],'mode','read') \
       else \
         redis.call('del',KEYS[1]) \
         redis.call('publish',KEYS[2],ARGV[3]) \
       end \
     end \
     redis.call('set',KEYS[3],freed,'PX',ARGV[4]) \
     return freed",
);

/// Gives one hold for reading back. The hash then lives as long as the longest hold that is left.
static RELEASE_READ: Script = Script::new(
    "local done=redis.call('get',KEYS[5]) \
     if done then return tonumber(done) end \
     local mode=redis.call('hget',KEYS[1],'mode') \
     if not mode then \
       redis.call('publish',KEYS[2],ARGV[2]) \
       redis.call('set',KEYS[5],1,'PX',ARGV[3]) \
     end \
     if redis.call('hexists',KEYS[1],ARGV[1])==0 then return false end \
     local holds=redis.call('hincrby',KEYS[1],ARGV[1],-1) \
     if holds==0 then redis.call('hdel',KEYS[1],ARGV[1]) end \
     redis.call('del',KEYS[3]..':'..(holds+1)) \
     local freed=1 \
     if redis.call('hlen',KEYS[1])>1 then \
       local longest=-3 \
       for _,field in ipairs(redis.call('hkeys',KEYS[1])) do \
         local count=tonumber(redis.call('hget',KEYS[1],field)) or 0 \
         for hold=count,1,-1 do \
           local key=KEYS[4]..':'..field..':rwlock_timeout:'..hold \
           longest=math.max(longest,redis.call('pttl',key)) \
         end \
       end \
       if longest>0 then redis.call('pexpire',KEYS[1],longest) end \
       if longest>0 or mode=='write' then freed=0 end \
     end \
     if freed==1 then \
       redis.call('del',KEYS[1]) \
       redis.call('publish',KEYS[2],ARGV[2]) \
     end \
     redis.call('set',KEYS[5],freed,'PX',ARGV[3]) \
     return freed",
);

/// Prolongs a reader's holds and the hash.
static RENEW_READ: Script = Script::new(
    "local holds=redis.call('hget',KEYS[1],ARGV[2]) \
     if not holds then return 0 end \
     for hold=tonumber(holds),1,-1 do redis.call('pexpire',KEYS[2]..':'..hold,ARGV[1]) end \
     return redis.call('pexpire',KEYS[1],ARGV[1])",
);

fn channel(names: &Names) -> String {
    names.prefixed("redisson_rwlock")
}

/// The lock for writing.
struct Write;

impl Protocol for Write {
    fn acquire(&self, names: &Names, _: WallTime) -> Call {
        Call { script: &ACQUIRE_WRITE, keys: vec![names.lock.clone()], args: lease_and_owner(names) }
    }

    fn release(&self, names: &Names, latch: &Latch, _: WallTime) -> Call {
        let keys = vec![names.lock.clone(), channel(names), latch.key.clone()];
        let mut args = lease_and_owner(names);
        args.extend([WRITER_LEFT.to_owned(), latch.ms.clone()]);
        Call { script: &RELEASE_WRITE, keys, args }
    }

    fn renew(&self, names: &Names) -> Call {
        Plain.renew(names)
    }

    fn channel(&self, names: &Names) -> String {
        channel(names)
    }
}

/// The lock for reading.
struct Read;

impl Read {
    /// What a lock's keys for holds begin with.
    fn prefix(names: &Names) -> String {
        format!("{{{}}}", names.lock)
    }

    /// What a reader's keys begin with; the number of the hold follows.
    fn holds(names: &Names) -> String {
        format!("{}:{}:rwlock_timeout", Self::prefix(names), names.owner)
    }
}

impl Protocol for Read {
    fn acquire(&self, names: &Names, _: WallTime) -> Call {
        let keys = vec![names.lock.clone(), Self::holds(names)];
        let mut args = lease_and_owner(names);
        args.push(format!("{}{WRITING}", names.owner));
        Call { script: &ACQUIRE_READ, keys, args }
    }

    fn release(&self, names: &Names, latch: &Latch, _: WallTime) -> Call {
        let of_holds = [Self::holds(names), Self::prefix(names)];
        let mut keys = vec![names.lock.clone(), channel(names)];
        keys.extend(of_holds);
        keys.push(latch.key.clone());
        let args = vec![names.owner.clone(), UNLOCKED.to_owned(), latch.ms.clone()];
        Call { script: &RELEASE_READ, keys, args }
    }

    fn renew(&self, names: &Names) -> Call {
        let keys = vec![names.lock.clone(), Self::holds(names)];
        Call { script: &RENEW_READ, keys, args: lease_and_owner(names) }
    }

    fn channel(&self, names: &Names) -> String {
        channel(names)
    }
}
