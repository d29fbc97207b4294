//! The guarded resource as a host of its own: one value, and the ground truth about every write.
//!
//! It speaks RESP: `READ token` answers the value, `WRITE value token` stores it (`-` for no token).
//! A fenced shop refuses a token below the highest it has seen (Kleppmann, 2016). It must see the
//! token of reads too: otherwise a stale holder can write between the next holder's reading and
//! writing, and the next holder, whose token is fine, overwrites that unseen.

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

use super::ResourceKind;

/// Where the shop listens.
pub const SHOP_PORT: u16 = 7000;

/// There is always room for so much of a request: more than any that the shop knows.
const READ_BYTES: usize = 1024;

/// The shop: its value outlives crashes, as on a disk that is always synced.
pub struct ShopServer {
    kind: ResourceKind,
    state: RefCell<State>,
}

#[derive(Clone, Copy)]
struct State {
    value: i64,
    highest_token: u64,
}

impl ShopServer {
    /// A shop with this value.
    pub fn new(value: i64, kind: ResourceKind) -> Self {
        Self { kind, state: RefCell::new(State { value, highest_token: 0 }) }
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
            if input.capacity() - input.len() < READ_BYTES {
                input.reserve(4 * READ_BYTES);
            }
            if stream.read_buf(&mut input).await? == 0 {
                return Ok(());
            }
        }
    }

    fn answer(&self, request: &Request, peer: Option<HostName>, recorder: &Recorder) -> Reply {
        let text = |index| str::from_utf8(request.get(index)?).ok();
        let token = |index| text(index)?.parse().ok();
        match (request.get(0), request.len()) {
            (Some(b"READ"), 2) => self.read(token(1)),
            (Some(b"WRITE"), 3) => match text(1).and_then(|value| value.parse().ok()) {
                Some(value) => self.write(value, token(2), peer, recorder),
                None => Reply::Error("ERR value is not an integer".into()),
            },
            _ => Reply::Error("ERR the shop knows READ token and WRITE value token".into()),
        }
    }

    fn read(&self, token: Option<u64>) -> Reply {
        if self.kind == ResourceKind::ShopFenced && !self.is_current(token) {
            return Reply::Error("STALE token".into());
        }
        Reply::Integer(self.state.borrow().value)
    }

    /// Whether no higher token was seen; remembers it.
    fn is_current(&self, token: Option<u64>) -> bool {
        let highest = &mut self.state.borrow_mut().highest_token;
        let current = token.is_some_and(|token| token >= *highest);
        *highest = (*highest).max(token.unwrap_or(0));
        current
    }

    fn write(
        &self,
        value: i64,
        token: Option<u64>,
        peer: Option<HostName>,
        recorder: &Recorder,
    ) -> Reply {
        let accepted = !self.kind.is_fenced() || self.is_current(token);
        let before = self.state.borrow().value;
        let after = if accepted { value } else { before };
        self.state.borrow_mut().value = after;
        let by = peer.unwrap_or(HostName::NEMESIS);
        let op = Op::Applied { by, before, after, token, accepted };
        recorder.record(HostName::SHOP, Kind::Info, op);
        match accepted {
            true => Reply::OK,
            false => Reply::Error("STALE token".into()),
        }
    }
}
