//! The connection that listens to channels: opened when something is first listened to, and again whenever it
//! breaks, with all that is listened to then. What is published meanwhile is lost.
//!
//! Source: redisson/redisson, `pubsub/PublishSubscribe.java`, `pubsub/LockPubSub.java`,
//! `client/handler/ConnectionWatchdog.java` and `PingConnectionHandler.java`; frames as RESP2 has them
//! (`src/pubsub.c` of Redis).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::rc::Rc;

use bytes::BytesMut;
use picklock_models::redis::{Reply, resp};
use picklock_models::time::SteadyTime;
use picklock_sim::env::{Either, Env, race};
use picklock_sim::signal::{Bell, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Pace;
use crate::lock::LockError;

/// There is always room for so much: more than a message of a lock.
const READ_BYTES: usize = 1024;

/// See the module. Clones share it.
pub(super) struct Subscriber<E: Env> {
    shared: Rc<Shared<E>>,
}

struct Shared<E: Env> {
    env: E,
    address: String,
    pace: Pace,
    started: Cell<bool>,
    /// What is listened to, by name.
    channels: RefCell<BTreeMap<Rc<str>, Ear>>,
    /// What the server has not been told yet.
    orders: RefCell<VecDeque<Order>>,
    ordered: Bell,
}

/// One channel that is listened to.
#[derive(Clone, Default)]
struct Ear {
    confirmed: Signal,
    heard: Bell,
}

/// A change of what is listened to: SUBSCRIBE or UNSUBSCRIBE.
type Order = (&'static str, Rc<str>);

/// A channel is listened to as long as this is there; one at a time for each channel.
pub struct Subscription<E: Env> {
    shared: Rc<Shared<E>>,
    channel: Rc<str>,
    heard: Bell,
}

impl<E: Env> Subscription<E> {
    /// Waits until something has been published since the last time.
    pub async fn message(&self) {
        self.heard.rung().await;
    }
}

impl<E: Env> Drop for Subscription<E> {
    fn drop(&mut self) {
        self.shared.channels.borrow_mut().remove(&self.channel);
        self.shared.order(("UNSUBSCRIBE", Rc::clone(&self.channel)));
    }
}

impl<E: Env> Subscriber<E> {
    pub(super) fn new(env: E, address: String, pace: Pace) -> Self {
        let (channels, orders) = (RefCell::default(), RefCell::default());
        let (started, ordered) = (Cell::new(false), Bell::default());
        Self { shared: Rc::new(Shared { env, address, pace, started, channels, orders, ordered }) }
    }

    pub(super) async fn subscribe(&self, channel: &str) -> Result<Subscription<E>, LockError> {
        let shared = &self.shared;
        let (channel, ear): (Rc<str>, _) = (Rc::from(channel), Ear::default());
        shared.channels.borrow_mut().insert(Rc::clone(&channel), ear.clone());
        let heard = ear.heard;
        // From here on whoever stops waiting unsubscribes.
        let subscription =
            Subscription { shared: Rc::clone(shared), channel: Rc::clone(&channel), heard };
        if shared.started.replace(true) {
            shared.order(("SUBSCRIBE", channel));
        } else {
            shared.env.spawn(Rc::clone(shared).keep_open());
        }
        match shared.env.timeout(shared.pace.subscription(), ear.confirmed.wait()).await {
            Ok(()) => Ok(subscription),
            Err(elapsed) => {
                Err(LockError::Definite(format!("{}: subscription {elapsed}", shared.address)))
            }
        }
    }
}

/// What the task was woken by.
enum Stirred {
    Received,
    Ordered,
    Time,
}

impl<E: Env> Shared<E> {
    fn order(&self, order: Order) {
        self.orders.borrow_mut().push_back(order);
        self.ordered.ring();
    }

    /// One connection after the other.
    async fn keep_open(self: Rc<Self>) {
        let mut failures = 0;
        loop {
            let connecting = self.env.connect(&self.address);
            let Err(ended) = match self.env.timeout(self.pace.reply, connecting).await {
                Ok(Ok(stream)) => {
                    failures = 0;
                    self.listen(stream).await
                }
                Ok(Err(error)) => Err(error),
                Err(elapsed) => Err(io::Error::other(elapsed)),
            };
            tracing::debug!(address = self.address, %ended, "the subscriber's connection ends");
            let pause = self.pace.pause_before_reconnect(failures, self.env.random());
            self.env.sleep(pause).await;
            failures += 1;
        }
    }

    /// One connection from its beginning to its end, which is always an error.
    async fn listen(&self, mut stream: E::Stream) -> io::Result<Infallible> {
        let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
        // What was ordered before is part of what is listened to now, or not of interest any more.
        self.orders.borrow_mut().clear();
        for channel in self.channels.borrow().keys() {
            resp::encode_request(&[b"SUBSCRIBE", channel.as_bytes()], &mut output);
        }
        let mut due = self.env.steady() + self.pace.probe();
        let mut probed = false;
        loop {
            for (verb, channel) in self.orders.borrow_mut().drain(..) {
                resp::encode_request(&[verb.as_bytes(), channel.as_bytes()], &mut output);
            }
            if !output.is_empty() {
                stream.write_all(&output).await?;
                output.clear();
            }
            match self.stir(&mut stream, &mut input, due).await? {
                Stirred::Ordered => {}
                Stirred::Received => {
                    if self.take_frames(&mut input)? {
                        probed = false;
                        due = self.env.steady() + self.pace.probe();
                    }
                }
                Stirred::Time if probed => return Err(io::ErrorKind::TimedOut.into()),
                Stirred::Time => {
                    resp::encode_request(&[b"PING"], &mut output);
                    probed = true;
                    due = self.env.steady() + self.pace.reply;
                }
            }
        }
    }

    async fn stir(
        &self,
        stream: &mut E::Stream,
        input: &mut BytesMut,
        due: SteadyTime,
    ) -> io::Result<Stirred> {
        input.reserve(READ_BYTES);
        let timer = self.env.sleep(due.since(self.env.steady()));
        match race(stream.read_buf(input), race(self.ordered.rung(), timer)).await {
            Either::Left(read) => match read? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(Stirred::Received),
            },
            Either::Right(Either::Left(())) => Ok(Stirred::Ordered),
            Either::Right(Either::Right(())) => Ok(Stirred::Time),
        }
    }

    /// Takes the whole frames that have come in; whether a probe was answered.
    fn take_frames(&self, input: &mut BytesMut) -> io::Result<bool> {
        let mut answered = false;
        while let Some(frame) = resp::decode_reply(input).map_err(io::Error::other)? {
            let words = match &frame {
                Reply::Array(words) => words.as_slice(),
                Reply::Error(text) => return Err(io::Error::other(text.clone().into_owned())),
                // A client that listens to nothing at the moment is answered a probe as any other.
                _ => std::slice::from_ref(&frame),
            };
            let word = |at: usize| match words.get(at) {
                Some(Reply::Bulk(word)) => std::str::from_utf8(word).unwrap_or_default(),
                Some(Reply::Simple(word)) => word.as_ref(),
                _ => "",
            };
            let channels = self.channels.borrow();
            match (word(0), channels.get(word(1))) {
                ("subscribe", Some(ear)) => ear.confirmed.set(),
                ("message", Some(ear)) => ear.heard.ring(),
                (pong, _) if pong.eq_ignore_ascii_case("pong") => answered = true,
                _ => {}
            }
        }
        Ok(answered)
    }
}
