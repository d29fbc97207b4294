//! The guarded resource as a host of its own: one value, and the ground truth about every write.
//!
//! It speaks RESP: `READ` answers the value, `WRITE value token` stores it (`-` for no token). A
//! fenced shop refuses a token below the highest it has seen (Kleppmann, 2016); it knows nothing
//! else of locks.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use bytes::BytesMut;
use picklock_models::redis::{Reply, Request, resp};
use picklock_sim::env::Env;
use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::recorder::Recorder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Where the shop listens.
pub const SHOP_PORT: u16 = 7000;

/// The shop: its value outlives crashes, as on a disk that is always synced.
pub struct ShopServer {
    fenced: bool,
    state: RefCell<State>,
}

#[derive(Clone, Copy)]
struct State {
    value: i64,
    highest_token: u64,
}

impl ShopServer {
    /// A shop with this value.
    pub fn new(value: i64, fenced: bool) -> Self {
        Self { fenced, state: RefCell::new(State { value, highest_token: 0 }) }
    }

    /// Serves until the host goes down.
    ///
    /// # Errors
    /// If the port cannot be listened on.
    pub async fn serve<E: Env>(self: Rc<Self>, env: E, recorder: Recorder) -> io::Result<()> {
        let mut listener = env.listen(SHOP_PORT).await?;
        loop {
            let (stream, peer) = env.accept(&mut listener).await?;
            let (shop, recorder) = (Rc::clone(&self), recorder.clone());
            env.spawn(async move {
                let ended = shop.talk(stream, peer, &recorder).await;
                tracing::trace!(?ended, "connection ended");
            });
        }
    }

    async fn talk<S>(
        &self,
        mut stream: S,
        peer: Option<HostName>,
        recorder: &Recorder,
    ) -> io::Result<()>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
        loop {
            while let Some(request) = resp::decode_request(&mut input).map_err(io::Error::other)? {
                let reply = self.answer(&request, peer, recorder);
                resp::encode_reply(&reply, &mut output);
            }
            if !output.is_empty() {
                stream.write_all(&output).await?;
                output.clear();
            }
            input.reserve(1024);
            if stream.read_buf(&mut input).await? == 0 {
                return Ok(());
            }
        }
    }

    fn answer(&self, request: &Request, peer: Option<HostName>, recorder: &Recorder) -> Reply {
        let words: Vec<&str> =
            request.iter().map(|word| str::from_utf8(word).unwrap_or_default()).collect();
        match words.as_slice() {
            ["READ"] => Reply::Integer(self.state.borrow().value),
            ["WRITE", value, token] => match (value.parse(), token.parse().ok()) {
                (Ok(value), token) => self.write(value, token, peer, recorder),
                _ => Reply::Error("ERR value is not an integer".into()),
            },
            _ => Reply::Error("ERR the shop knows READ and WRITE value token".into()),
        }
    }

    fn write(
        &self,
        value: i64,
        token: Option<u64>,
        peer: Option<HostName>,
        recorder: &Recorder,
    ) -> Reply {
        let mut state = self.state.borrow_mut();
        let before = state.value;
        let accepted = !self.fenced || token.is_some_and(|token| token >= state.highest_token);
        if accepted {
            state.value = value;
            state.highest_token = state.highest_token.max(token.unwrap_or(0));
        }
        let by = peer.unwrap_or(HostName::NEMESIS);
        let op = Op::Applied { by, before, after: state.value, token, accepted };
        drop(state);
        recorder.record(HostName::SHOP, Kind::Info, op);
        match accepted {
            true => Reply::OK,
            false => Reply::Error("STALE token".into()),
        }
    }
}
