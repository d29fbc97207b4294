//! What Redisson's locks have in common: how they are asked for, waited for, kept and given back.
//!
//! Source: redisson/redisson, `RedissonLock.java`, `RedissonBaseLock.java`, `pubsub/LockPubSub.java`;
//! the watchdog is in `watchdog`. What tells one lock from another is its scripts: a [`Protocol`]. Ours are
//! written anew and have the same effect.
//!
//! - An attempt is one script and is never sent twice by the client. A busy lock answers what is left of its
//!   lease; a waiter sleeps for that long, or until its channel says that the lock was given back.
//! - Who holds it, and how often, only the server counts: `acquire` while holding is one more hold.
//! - Each request for release has a name of its own, under which the server remembers for a while that it was
//!   carried out (the latch). It was made for requests that are sent again; the present library sends them
//!   again only if replicas were not in time (`ServiceManager.execute`), so on one server never.
//! - A holder is never told that it has lost the lock (redisson#4698).

mod watchdog;

use std::rc::Rc;
use std::time::Duration;

use picklock_models::redis::Reply;
use picklock_models::time::WallTime;
use picklock_sim::env::{Env, race};

use crate::client::redisson::{Pace, Redisson, Resend};
use crate::client::{Script, unexpected};
use crate::lock::{Grant, LockContext, LockError, LockParams};
pub(super) use watchdog::Watchdog;

/// A script and what it is run with.
pub(super) struct Call {
    pub(super) script: &'static Script,
    pub(super) keys: Vec<String>,
    pub(super) args: Vec<String>,
}

/// What a client's requests are made of.
pub(super) struct Names {
    /// The lock's key.
    pub(super) lock: String,
    /// The client and its thread: the field of the hash that makes it a holder.
    pub(super) owner: String,
    /// The watchdog's timeout, in milliseconds.
    pub(super) lease_ms: String,
}

impl Names {
    /// A key that goes with the lock's (`RedissonObject.prefixName`).
    pub(super) fn prefixed(&self, prefix: &str) -> String {
        format!("{prefix}:{{{}}}", self.lock)
    }
}

/// A request for release: its latch, and how long that is kept in milliseconds.
pub(super) struct Latch {
    pub(super) key: String,
    pub(super) ms: String,
}

/// What one of the locks does in its own way.
pub(super) trait Protocol {
    /// Asks for the lock; `now` is what the client's wall clock shows.
    fn acquire(&self, names: &Names, now: WallTime) -> Call;

    /// Gives one hold back.
    fn release(&self, names: &Names, latch: &Latch, now: WallTime) -> Call;

    /// Prolongs the lease if it is still the client's.
    fn renew(&self, names: &Names) -> Call;

    /// Where waiters hear that the lock was given back.
    fn channel(&self, names: &Names) -> String {
        names.prefixed("redisson_lock__channel")
    }

    /// What the answer to an attempt means: nothing is yes.
    fn answer(reply: &Reply) -> Result<Answer, LockError> {
        match reply {
            Reply::Null => Ok(Answer::Granted { token: None }),
            Reply::Integer(left_ms) => Ok(Answer::Busy { left_ms: *left_ms }),
            reply => Err(unexpected(reply)),
        }
    }
}

/// The answer to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Granted {
        token: Option<u64>,
    },
    /// How long to wait, unless the channel says something; negative: for nothing but the channel.
    Busy {
        left_ms: i64,
    },
}

/// A client's side of one lock.
pub(super) struct Side<E: Env, P> {
    pub(super) context: LockContext<E>,
    pub(super) client: Redisson<E>,
    pub(super) names: Rc<Names>,
    pub(super) protocol: P,
    pub(super) watchdog: Rc<Watchdog<E>>,
}

impl<E: Env, P: Protocol> Side<E, P> {
    pub(super) fn new(context: LockContext<E>, protocol: P) -> Self {
        let client = Redisson::new(&context);
        let owner = owner(&client);
        Self::of(context, client, owner, protocol)
    }

    /// One of several sides that a client has, under this name.
    pub(super) fn of(
        context: LockContext<E>,
        client: Redisson<E>,
        owner: String,
        protocol: P,
    ) -> Self {
        let lease_ms = context.params.ttl_ms.to_string();
        let names = Rc::new(Names { lock: context.key.to_string(), owner, lease_ms });
        let watchdog = Watchdog::new(&context, client.clone(), protocol.renew(&names));
        Self { context, client, names, protocol, watchdog }
    }

    pub(super) async fn acquire(&self) -> Result<Grant, LockError> {
        // Nobody listens before it knows that it has to wait, and once it does it asks again at once: the lock
        // may have been given back in between.
        if let Answer::Granted { token } = self.attempt().await? {
            return Ok(Grant { token, ..Grant::default() });
        }
        let channel = self.protocol.channel(&self.names);
        let subscription = self.client.subscribe(&channel).await?;
        loop {
            match self.attempt().await? {
                Answer::Granted { token } => return Ok(Grant { token, ..Grant::default() }),
                Answer::Busy { left_ms } => match u64::try_from(left_ms) {
                    Ok(left_ms) => {
                        let left = self.context.env.sleep(Duration::from_millis(left_ms));
                        race(subscription.message(), left).await;
                    }
                    Err(_) => subscription.message().await,
                },
            }
        }
    }

    /// Asks once; who is granted the lock has its watchdog set before anybody learns of it.
    pub(super) async fn attempt(&self) -> Result<Answer, LockError> {
        let call = self.protocol.acquire(&self.names, self.context.env.wall());
        let answer = P::answer(&run(&self.client, Resend::Never, &call).await?)?;
        if let Answer::Granted { .. } = answer {
            self.watchdog.add();
        }
        Ok(answer)
    }

    /// `isHeldByCurrentThread`.
    pub(super) async fn holds(&self) -> Result<bool, LockError> {
        let Names { lock, owner, .. } = &*self.names;
        let command = [b"HEXISTS", lock.as_bytes(), owner.as_bytes()];
        match self.client.call(Resend::Allowed, &command).await? {
            Reply::Integer(there) => Ok(there == 1),
            reply => Err(unexpected(&reply)),
        }
    }

    /// `unlock`; `false` where the library throws an `IllegalMonitorStateException`.
    pub(super) async fn release(&self) -> Result<bool, LockError> {
        let Self { client, names, context, .. } = self;
        let prefix = names.prefixed("redisson_unlock_latch");
        let key = format!("{prefix}:{}", client.draw_id());
        let ms = client.pace().latch(context.env.random()).as_millis();
        let latch = Latch { key, ms: ms.to_string() };
        let call = self.protocol.release(names, &latch, context.env.wall());
        let reply = run(client, Resend::Never, &call).await;
        // Whatever came of it (`unlockAsync0`).
        self.watchdog.remove();
        let freed = match reply? {
            Reply::Integer(_) => true,
            Reply::Null => false,
            reply => return Err(unexpected(&reply)),
        };
        self.forget(latch);
        Ok(freed)
    }

    /// Removes the latch, for which nobody waits.
    fn forget(&self, latch: Latch) {
        let client = self.client.clone();
        self.context.env.spawn(async move {
            // What stays is gone when its time is up.
            let _ = client.call(Resend::Allowed, &[b"DEL", latch.key.as_bytes()]).await;
        });
    }
}

/// The name of a client with one thread (`RedissonBaseLock.getLockName`).
pub(super) fn owner<E: Env>(client: &Redisson<E>) -> String {
    format!("{}:1", client.draw_id())
}

async fn run<E: Env>(
    client: &Redisson<E>,
    resend: Resend,
    call: &Call,
) -> Result<Reply, LockError> {
    let keys: Vec<&str> = call.keys.iter().map(String::as_str).collect();
    let args: Vec<&[u8]> = call.args.iter().map(String::as_bytes).collect();
    client.eval(resend, call.script, &keys, &args).await
}

/// The bound of a lock without a queue. The record of a dead holder goes with its lease, which a message that
/// was held up by the fault may still prolong once, and with the millisecond of Redis' strict comparison; by
/// then whoever waits has asked again: at worst after a reply that never came and a pause, or after a
/// subscription that was not confirmed and the pause of its caller.
pub(super) fn recovery_bound(params: &LockParams) -> Duration {
    let pace = Pace::of(params);
    let back = pace.longest_pause().max(pace.subscription() + params.longest_retry());
    params.ttl() + Duration::from_millis(1) + pace.reply + back
}
