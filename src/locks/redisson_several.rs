//! R16: what Redisson's `MultiLock` and `RedLock` have in common: a plain lock on each of several servers, taken one
//! after another.
//!
//! - A member is Redisson's `RLock`: a hash with a field for the owner that counts re-entries. A lease is given, so
//!   nobody renews it.
//! - `lock(lease)` draws how long to wait and asks with that again and again. Members are first taken for twice
//!   that time; when enough were got each is set to the real lease by a plain `PEXPIRE`, whoever's it is by then.
//!   Nobody looks at the clock: nothing tells how much of the lease is left, or whether any is.
//! - A member that does not answer is asked to unlock, and counts as one that was not got. So many may be
//!   missing (`failedLocksLimit`); with one more everything is given back, and it begins anew.
//! - All times are `System.currentTimeMillis()`: the wall clock.
//!
//! Waiting for a member is by asking again with the pause of all contenders, and when its lease is over, at the latest;
//! the library is woken by a message besides. That changes when it gets a member, not whether.
//!
//! Source: redisson/redisson `RedissonMultiLock.java` (`lockInterruptibly`, `tryLock`, `unlockInner`),
//! `RedissonRedLock.java`, `RedissonLock.java` (`tryLock`, `tryLockInnerAsync`, `unlockInnerAsync`). The scripts
//! are written anew, with the same effect on the hash.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use picklock_models::redis::Reply;
use picklock_sim::env::{Env, Together};

use super::hold::yes_or_no;
use super::redisson_rlock::ACQUIRE;
use crate::client::{Client, Script, unexpected};
use crate::lock::{Grant, Lock, LockContext, LockError, LockParams};

/// Counts one less for the owner, and deletes the lock at none; 0 if it is not the owner's. (Nobody listens here,
/// so nothing is published.)
static UNLOCK: Script = Script::new(
    "if redis.call('hexists',KEYS[1],ARGV[2])==0 then return 0 end \
     if redis.call('hincrby',KEYS[1],ARGV[2],-1)>0 then redis.call('pexpire',KEYS[1],ARGV[1]) \
     else redis.call('del',KEYS[1]) end return 1",
);

/// The shortest time that `lock(lease)` waits in one attempt, whatever the lease.
const SHORTEST_WAIT_MS: u64 = 2000;

/// What `lock(lease)` allows for each member.
const WAIT_PER_MEMBER_MS: u64 = 1500;

/// Which of the two it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// `MultiLock`: every member, each of which may take all the time.
    All,
    /// `RedLock`: more than half, each of which may take its share of the time.
    MoreThanHalf,
}

/// The members of a lock, as one client sees them.
pub(super) struct Members<E: Env> {
    context: LockContext<E>,
    needs: Needs,
    members: Vec<Member<E>>,
    /// The real lease in milliseconds.
    lease_ms: String,
}

struct Member<E: Env> {
    client: Client<E>,
    env: E,
    params: LockParams,
    key: Rc<str>,
    /// The client's id and its thread's.
    owner: Rc<str>,
    /// The lease that its records have until all are got.
    first_lease_ms: Rc<Cell<u64>>,
}

/// How long one attempt of `lock(lease)` waits, from what was drawn.
fn wait_ms(lease_ms: u64, members: u64, random: u64) -> u64 {
    let between = |least: u64, most: u64| least + random % (most - least);
    match lease_ms {
        ..=SHORTEST_WAIT_MS => SHORTEST_WAIT_MS,
        lease if lease <= members * WAIT_PER_MEMBER_MS => between(lease / 2, lease),
        lease => between(members * WAIT_PER_MEMBER_MS, lease),
    }
}

/// After the heal: what was stranded by an attempt lives for twice its wait, if not for a lease; the attempt of
/// who waits for it may be over just before, with an unlock that nobody answers, and the next begins with a poll.
pub(super) fn recovery_bound(params: &LockParams) -> Duration {
    let longest_wait = params.ttl().max(Duration::from_millis(SHORTEST_WAIT_MS));
    3 * longest_wait
        + Duration::from_millis(1)
        + 2 * params.request_timeout()
        + params.longest_retry()
}

impl<E: Env> Lock for Members<E> {
    /// `lock(lease)`.
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let lease_ms = self.context.params.ttl_ms;
        let members = self.members.len() as u64;
        loop {
            let wait_ms = wait_ms(lease_ms, members, self.context.env.random());
            if let Some(got) = self.try_lock(wait_ms).await {
                return self.set_lease(&got).await;
            }
        }
    }

    /// Asks every member whether it is this client's, which the members' own `isHeldByCurrentThread` can tell:
    /// whether as many are as the lock needs.
    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        let needed = self.members.len() - self.failed_limit();
        let mut answers = Together::new(self.members.iter_mut().map(Member::is_held));
        let (mut yes, mut unknown) = (0, None);
        while let Some((_, answer)) = answers.next().await {
            match answer {
                Ok(held) => yes += usize::from(held),
                Err(error) => unknown = Some(error),
            }
        }
        match unknown {
            Some(error) if yes < needed => Err(error),
            _ => Ok(yes >= needed),
        }
    }

    /// `unlock()`: every member, also those that were not got.
    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        let needed = self.members.len() - self.failed_limit();
        let every: Vec<usize> = (0..self.members.len()).collect();
        let answers = self.unlock(&every).await;
        let unlocked = answers.iter().filter(|answer| **answer == Ok(true)).count();
        match answers.into_iter().find_map(Result::err) {
            _ if unlocked >= needed => Ok(true),
            Some(error) => Err(error),
            None => Ok(false),
        }
    }
}

impl<E: Env> Members<E> {
    pub(super) fn new(context: LockContext<E>, needs: Needs) -> Self {
        let (env, params) = (context.env.clone(), context.params);
        let owner: Rc<str> = format!("{:016x}{:016x}:1", env.random(), env.random()).into();
        let first_lease_ms = Rc::new(Cell::new(params.ttl_ms));
        let members = context.servers.iter().map(|address| Member {
            client: Client::new(env.clone(), address.as_str(), params.request_timeout()),
            env: env.clone(),
            params,
            key: Rc::clone(&context.key),
            owner: Rc::clone(&owner),
            first_lease_ms: Rc::clone(&first_lease_ms),
        });
        let members = members.collect();
        Self { needs, members, lease_ms: params.ttl_ms.to_string(), context }
    }

    /// How many members may be missing.
    fn failed_limit(&self) -> usize {
        match self.needs {
            Needs::All => 0,
            Needs::MoreThanHalf => self.members.len() - (self.members.len() / 2 + 1),
        }
    }

    /// `tryLock(wait, lease)` up to where enough members were got: which ones, or `None` if the time was up.
    async fn try_lock(&mut self, wait_ms: u64) -> Option<Vec<usize>> {
        let env = self.context.env.clone();
        let now_ms = move || env.wall().unix_ms();
        self.first_lease_ms_is(wait_ms * 2);
        let (count, limit) = (self.members.len(), self.failed_limit());
        let member_wait_ms = match self.needs {
            Needs::All => wait_ms,
            Needs::MoreThanHalf => (wait_ms / count as u64).max(1),
        };
        let until_ms = now_ms().saturating_add(wait_ms as i64);
        let (mut got, mut failed, mut next) = (Vec::new(), 0, 0);
        while next < count {
            let left_ms = u64::try_from(until_ms - now_ms()).unwrap_or(0);
            let place = next;
            next += 1;
            if self.members[place].try_lock(member_wait_ms.min(left_ms)).await {
                got.push(place);
            } else if count - got.len() == limit {
                break;
            } else if failed == limit {
                self.unlock(&got).await;
                (failed, next) = (0, 0);
                got.clear();
            } else {
                failed += 1;
            }
            if now_ms() >= until_ms {
                self.unlock(&got).await;
                return None;
            }
        }
        Some(got)
    }

    fn first_lease_ms_is(&self, ms: u64) {
        self.members[0].first_lease_ms.set(ms);
    }

    /// Sets the members that were got to the real lease, whoever has them now. An error is the caller's, and
    /// what was got stays.
    async fn set_lease(&mut self, got: &[usize]) -> Result<Grant, LockError> {
        let (key, lease_ms) = (Rc::clone(&self.context.key), self.lease_ms.clone());
        let command: [&[u8]; 3] = [b"PEXPIRE", key.as_bytes(), lease_ms.as_bytes()];
        let members = self.members.iter_mut().enumerate().filter(|(place, _)| got.contains(place));
        let mut answers = Together::new(members.map(|(_, member)| member.client.call(&command)));
        while let Some((_, answer)) = answers.next().await {
            answer?;
        }
        Ok(Grant::default())
    }

    /// Unlocks these members at once, and waits for all answers: what each said.
    async fn unlock(&mut self, which: &[usize]) -> Vec<Result<bool, LockError>> {
        let members = self.members.iter_mut().enumerate();
        let members = members.filter(|(place, _)| which.contains(place));
        let mut answers = Together::new(members.map(|(_, member)| member.unlock()));
        let mut all = Vec::new();
        while let Some((_, answer)) = answers.next().await {
            all.push(answer);
        }
        all
    }
}

impl<E: Env> Member<E> {
    /// `tryLock(wait, lease)` of one member; an error is as if it was not got.
    async fn try_lock(&mut self, wait_ms: u64) -> bool {
        let until_ms = self.env.wall().unix_ms().saturating_add(wait_ms as i64);
        loop {
            let lease_ms = match self.ask_for_lock().await {
                Ok(None) => return true,
                Ok(Some(lease_ms)) => lease_ms,
                Err(LockError::Definite(_)) => return false,
                // A response timeout; it may have been got.
                Err(LockError::Indefinite(_)) => {
                    let _ = self.unlock().await;
                    return false;
                }
            };
            let left_ms = until_ms - self.env.wall().unix_ms();
            if left_ms <= 0 {
                return false;
            }
            let pause = self.params.pause_before_retry(&self.env);
            let longest = Duration::from_millis(lease_ms.min(left_ms).max(0) as u64);
            let _ = self.env.timeout(longest, pause).await;
        }
    }

    /// `None` if it was got, otherwise how long another has it at most.
    async fn ask_for_lock(&mut self) -> Result<Option<i64>, LockError> {
        match self.run(&ACQUIRE).await? {
            Reply::Null => Ok(None),
            Reply::Integer(lease_ms) => Ok(Some(lease_ms)),
            reply => Err(unexpected(&reply)),
        }
    }

    async fn unlock(&mut self) -> Result<bool, LockError> {
        yes_or_no(self.run(&UNLOCK).await?)
    }

    async fn is_held(&mut self) -> Result<bool, LockError> {
        let command: [&[u8]; 3] = [b"HEXISTS", self.key.as_bytes(), self.owner.as_bytes()];
        yes_or_no(self.client.call(&command).await?)
    }

    async fn run(&mut self, script: &Script) -> Result<Reply, LockError> {
        let lease_ms = self.first_lease_ms.get().to_string();
        let args = [lease_ms.as_bytes(), self.owner.as_bytes()];
        self.client.eval(script, &[&self.key], &args).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_the_lease_and_the_number_of_members() {
        assert_eq!(wait_ms(1000, 5, 7), 2000);
        assert_eq!(wait_ms(2000, 5, 7), 2000);
        assert_eq!([wait_ms(4000, 5, 0), wait_ms(4000, 5, 1999)], [2000, 3999]);
        assert_eq!([wait_ms(10_000, 5, 0), wait_ms(10_000, 5, 2499)], [7500, 9999]);
        assert_eq!([wait_ms(7500, 5, 0), wait_ms(7501, 5, 9)], [3750, 7500]);
    }
}
