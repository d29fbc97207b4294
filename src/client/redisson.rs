//! Redisson's client, as far as its locks feel it: commands over a pool of connections, which it may send
//! again by itself, and one more connection that listens to channels (`subscriber`).
//!
//! Source: redisson/redisson, `command/RedisExecutor.java` (what is sent again, and when),
//! `command/CommandAsyncService.java` (`syncedEval` and `syncedEvalNoRetry`: a single server is asked for no
//! WAIT), `client/handler/CommandsQueue.java`, `config/BaseConfig.java`.
//!
//! A run gives the time limit for a reply, so that contenders compare alike; the library's other times are
//! kept in proportion to it ([`Pace`]). With a lease of a second, pauses of two would make another lock of
//! it. Left out: the pool's bounds, and the PING on connections for commands, which finds out a dead one in
//! the background; here the next command finds it out.

mod pace;
mod subscriber;

use std::cell::RefCell;
use std::rc::Rc;

use picklock_models::redis::Reply;
use picklock_sim::env::Env;

pub use pace::Pace;
use subscriber::Subscriber;
pub use subscriber::Subscription;

use super::{Client, Script};
use crate::lock::{LockContext, LockError};

/// Whether a command is sent again if no answer came. One that could not be sent is tried again anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// As most commands are (`syncedEval`, `writeAsync`).
    Allowed,
    /// Not one that must not happen twice (`syncedEvalNoRetry`).
    Never,
}

/// A client. Clones share it.
pub struct Redisson<E: Env> {
    inner: Rc<Inner<E>>,
}

impl<E: Env> Clone for Redisson<E> {
    fn clone(&self) -> Self {
        Self { inner: Rc::clone(&self.inner) }
    }
}

struct Inner<E: Env> {
    env: E,
    address: String,
    pace: Pace,
    /// Connections with nothing to do; the one that was used last is used first.
    idle: RefCell<Vec<Client<E>>>,
    subscriber: Subscriber<E>,
}

/// With which words the server says that it cannot answer just now: asked again, whatever the command
/// (`RedisExecutor.checkAttemptPromise`).
const PASSING: [&str; 4] = ["LOADING", "TRYAGAIN", "CLUSTERDOWN", "BUSY"];

impl<E: Env> Redisson<E> {
    /// A client of the lock's one server; connects with the first command.
    pub fn new(context: &LockContext<E>) -> Self {
        let (env, address) = (context.env.clone(), context.servers[0].clone());
        let pace = Pace::of(&context.params);
        let subscriber = Subscriber::new(env.clone(), address.clone(), pace);
        let idle = RefCell::default();
        Self { inner: Rc::new(Inner { env, address, pace, idle, subscriber }) }
    }

    /// Its times.
    pub fn pace(&self) -> Pace {
        self.inner.pace
    }

    /// Sends a command and waits for its reply.
    ///
    /// # Errors
    /// `Definite` if it was never sent or the server refused it with an error, `Indefinite` if it was sent, even
    /// once, and no whole reply ever came back.
    pub async fn call(&self, resend: Resend, args: &[&[u8]]) -> Result<Reply, LockError> {
        self.insist(resend, async |client: &mut Client<E>| client.call_raw(args).await).await
    }

    /// Runs a script.
    ///
    /// # Errors
    /// As [`Redisson::call`].
    pub async fn eval(
        &self,
        resend: Resend,
        script: &Script,
        keys: &[&str],
        args: &[&[u8]],
    ) -> Result<Reply, LockError> {
        let run = async |client: &mut Client<E>| client.eval_raw(script, keys, args).await;
        self.insist(resend, run).await
    }

    /// Listens to a channel until the subscription is dropped.
    ///
    /// # Errors
    /// `Definite` if the server did not confirm it in time.
    pub async fn subscribe(&self, channel: &str) -> Result<Subscription<E>, LockError> {
        self.inner.subscriber.subscribe(channel).await
    }

    /// A random name in the form of a UUID; clients have one, and requests that must be told apart.
    pub fn draw_id(&self) -> String {
        let [high, low] = [self.inner.env.random(), self.inner.env.random()];
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// One attempt after the other.
    async fn insist(
        &self,
        resend: Resend,
        mut attempt: impl AsyncFnMut(&mut Client<E>) -> Result<Reply, LockError>,
    ) -> Result<Reply, LockError> {
        let Inner { env, pace, .. } = &*self.inner;
        // Once it may have been carried out, no later refusal proves that it was not.
        let mut sent = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let text = match self.borrow(&mut attempt).await {
                Ok(Reply::Error(text)) if !PASSING.iter().any(|word| text.starts_with(word)) => {
                    return Err(failure(text.into_owned(), sent));
                }
                Ok(Reply::Error(text)) => text.into_owned(),
                Ok(reply) => return Ok(reply),
                Err(LockError::Definite(text)) => text,
                Err(LockError::Indefinite(text)) if resend == Resend::Never => {
                    return Err(LockError::Indefinite(text));
                }
                Err(LockError::Indefinite(text)) => {
                    sent = true;
                    text
                }
            };
            if tries > pace.retries {
                return Err(failure(text, sent));
            }
            env.sleep(pace.pause_before_resend(env.random())).await;
        }
    }

    /// One attempt on a connection of the pool. A connection that breaks while a reply is due tells nobody:
    /// the command waits for its time limit (`CommandsQueue.channelInactive`).
    async fn borrow(
        &self,
        attempt: &mut impl AsyncFnMut(&mut Client<E>) -> Result<Reply, LockError>,
    ) -> Result<Reply, LockError> {
        let Inner { env, address, pace, idle, .. } = &*self.inner;
        let pooled = idle.borrow_mut().pop();
        let mut client =
            pooled.unwrap_or_else(|| Client::new(env.clone(), address.clone(), pace.reply));
        let until = env.steady() + pace.reply;
        let result = attempt(&mut client).await;
        if let Err(LockError::Indefinite(_)) = result {
            env.sleep(until.since(env.steady())).await;
        }
        idle.borrow_mut().push(client);
        result
    }
}

fn failure(text: String, sent: bool) -> LockError {
    if sent { LockError::Indefinite(text) } else { LockError::Definite(text) }
}
