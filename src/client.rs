//! A client connection to a server that speaks RESP; other stores' clients are in modules of their own.
//!
//! As the libraries do: connects when needed, one request at a time, a time limit for each reply;
//! after any trouble the connection is thrown away, so that a late reply is never taken for the
//! answer to the next request. It never re-sends by itself: whether that is safe only the caller
//! knows.

pub mod curator;
pub mod etcd;
pub mod redisson;
pub mod zookeeper;

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::BytesMut;
use picklock_models::redis::{Reply, resp, script};
use picklock_sim::env::Env;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::lock::LockError;

/// There is always room for so much of a reply: more than any that a lock gets.
const READ_BYTES: usize = 1024;

/// A connection to one server.
pub struct Client<E: Env> {
    env: E,
    address: String,
    time_limit: Duration,
    stream: Option<E::Stream>,
    input: BytesMut,
    output: BytesMut,
}

/// A script with the name under which the server may know it already.
pub struct Script {
    text: &'static str,
    /// Worked out when it is first asked for: a script is a `static`, a lock is made for every run.
    sha: OnceLock<String>,
}

impl Script {
    /// A script by its text.
    pub const fn new(text: &'static str) -> Self {
        Self { text, sha: OnceLock::new() }
    }

    /// Its SHA-1.
    fn sha(&self) -> &str {
        self.sha.get_or_init(|| script::sha1_hex(self.text.as_bytes()))
    }
}

impl<E: Env> Client<E> {
    /// A client of the server at `address` (`host:port`); connects with the first request. Each
    /// request may take `time_limit`.
    pub fn new(env: E, address: impl Into<String>, time_limit: Duration) -> Self {
        Self {
            env,
            address: address.into(),
            time_limit,
            stream: None,
            input: BytesMut::new(),
            output: BytesMut::new(),
        }
    }

    /// Sends a command and waits for its reply.
    ///
    /// # Errors
    /// `Definite` if the request was not sent or the server refused it with an error, `Indefinite`
    /// if it was sent and no whole reply came back.
    pub async fn call(&mut self, args: &[&[u8]]) -> Result<Reply, LockError> {
        match self.call_raw(args).await? {
            Reply::Error(text) => Err(LockError::Definite(text.into_owned())),
            reply => Ok(reply),
        }
    }

    /// Runs a script by its SHA-1, and by its text if the server does not know it (scripts do not
    /// survive a restart, so every client must be ready for that).
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn eval(
        &mut self,
        script: &Script,
        keys: &[&str],
        args: &[&[u8]],
    ) -> Result<Reply, LockError> {
        match self.eval_raw(script, keys, args).await? {
            Reply::Error(text) => Err(LockError::Definite(text.into_owned())),
            reply => Ok(reply),
        }
    }

    /// As [`Client::eval`]; an error is a reply like any other.
    async fn eval_raw(
        &mut self,
        script: &Script,
        keys: &[&str],
        args: &[&[u8]],
    ) -> Result<Reply, LockError> {
        let count = keys.len().to_string();
        let mut command: Vec<&[u8]> = vec![b"EVALSHA", script.sha().as_bytes(), count.as_bytes()];
        command.extend(keys.iter().map(|key| key.as_bytes()));
        command.extend(args);
        match self.call_raw(&command).await? {
            Reply::Error(text) if text.starts_with("NOSCRIPT") => {
                command[0] = b"EVAL";
                command[1] = script.text.as_bytes();
                self.call_raw(&command).await
            }
            reply => Ok(reply),
        }
    }

    async fn call_raw(&mut self, args: &[&[u8]]) -> Result<Reply, LockError> {
        let env = self.env.clone();
        let mut sent = false;
        // Given back only with a whole reply: whoever stops waiting, by the time limit or by dropping
        // this call, leaves no connection behind on which an answer is still to come.
        let mut stream = self.stream.take();
        let time_limit = self.time_limit;
        let result = {
            // Pinned here, so that it is not copied from hand to hand.
            let exchange = pin!(self.exchange(&mut stream, args, &mut sent));
            env.timeout(time_limit, exchange).await
        };
        tracing::trace!(address = self.address, ?args, ?result, "request");
        let failure = match result {
            Ok(Ok(reply)) => {
                self.stream = stream;
                return Ok(reply);
            }
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        let text = format!("{}: {failure}", self.address);
        Err(if sent { LockError::Indefinite(text) } else { LockError::Definite(text) })
    }

    async fn exchange(
        &mut self,
        stream: &mut Option<E::Stream>,
        args: &[&[u8]],
        sent: &mut bool,
    ) -> std::io::Result<Reply> {
        let stream = match stream {
            Some(stream) => stream,
            None => {
                self.input.clear();
                stream.insert(self.env.connect(&self.address).await?)
            }
        };
        self.output.clear();
        resp::encode_request(args, &mut self.output);
        // A write that fails may have sent a part, which the server will not execute; but one that
        // is cut off by the time limit may have sent all of it.
        *sent = true;
        stream.write_all(&self.output).await?;
        loop {
            if self.input.capacity() - self.input.len() < READ_BYTES {
                self.input.reserve(4 * READ_BYTES);
            }
            if stream.read_buf(&mut self.input).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match resp::decode_reply(&mut self.input) {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(error) => return Err(std::io::Error::other(error)),
            }
        }
    }
}

/// A reply that the caller's protocol does not know.
pub fn unexpected(reply: &Reply) -> LockError {
    LockError::Indefinite(format!("unexpected reply {reply:?}"))
}
