//! A connection as a stream of requests and a stream of replies, each request whole before it is
//! answered.
//!
//! Before it takes a request it asks whether the model listens to that session; while it does not, the
//! bytes stay where they are, as in a real server's query buffer. Bounded are the memory for replies
//! that a client does not read, and the time that it is served in one go.

use std::io;
use std::time::Duration;

use ::bytes::BytesMut;
use picklock_models::model::SessionId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::line::ByteLine;
use super::{Front, Store, TURN};
use crate::env::{Either, Env, race};

/// A store that speaks so, with its wire format.
pub trait ByteStore: Store<Line = ByteLine> {
    /// How many bytes a session may send ahead while it is not listened to.
    const INPUT_LIMIT: u64;

    /// Takes one request of `session` off `input`; `None` if it is not whole yet. An error is what
    /// is written before the connection is closed.
    ///
    /// # Errors
    /// If the bytes are not of this protocol.
    fn decode(
        &self,
        session: SessionId,
        input: &mut BytesMut,
    ) -> Result<Option<Self::Request>, Self::Reply>;

    /// Appends a reply to `output`.
    fn encode(reply: &Self::Reply, output: &mut BytesMut);

    /// How many bytes may wait for `session` to read them before it is cut off. Asked for only when
    /// 64 KiB wait already.
    fn output_limit(&self, session: SessionId) -> u64 {
        let _ = session;
        u64::MAX
    }
}

/// Bytes read at once: as Redis' own query buffer (PROTO_IOBUF_LEN, 16 KiB).
const READ_BYTES: usize = 16 * 1024;
/// A connection that owes its client so much is answered no further until the client has read it.
const UNREAD_REPLIES: usize = 1024 * 1024;
/// A buffer that has grown beyond this is given back once it is empty.
const KEPT_BUFFER: usize = 64 * 1024;
/// What one go at a connection's requests came to.
#[derive(Default)]
struct Turn {
    /// There may be a whole request left.
    more: bool,
    /// The time it took: what the connection owes the others.
    took: Duration,
}

/// Frees a buffer that has been used up and is large, so that one large request does not cost memory
/// for as long as its connection lives.
fn give_back(buffer: &mut BytesMut, wanted: usize) {
    if buffer.is_empty() && buffer.capacity() > KEPT_BUFFER {
        *buffer = BytesMut::with_capacity(wanted);
    }
}

/// Room for the next read; a small request needs none to be made.
fn make_room(input: &mut BytesMut) {
    give_back(input, READ_BYTES);
    if input.capacity() - input.len() < READ_BYTES / 2 {
        input.reserve(READ_BYTES);
    }
}

impl<S: ByteStore, E: Env> Front<S, E> {
    /// Talks until the connection ends.
    pub(super) async fn talk_bytes(
        &self,
        stream: &mut E::Stream,
        session: SessionId,
        line: &ByteLine,
    ) -> io::Result<()> {
        let mut input = BytesMut::with_capacity(READ_BYTES);
        let mut output = BytesMut::new();
        let mut turn = Turn::default();
        loop {
            std::mem::swap(&mut *line.bytes.borrow_mut(), &mut output);
            if !output.is_empty() {
                match race(stream.write_all(&output), line.cut.wait()).await {
                    Either::Left(written) => written?,
                    Either::Right(()) => return Err(io::ErrorKind::ConnectionAborted.into()),
                }
                output.clear();
                give_back(&mut output, 0);
                continue;
            }
            if line.closing.get() {
                return Ok(());
            }
            if turn.took >= TURN {
                self.env.sleep(std::mem::take(&mut turn.took)).await;
                continue;
            }
            // What came while the model did not listen: it may do so again.
            let unparked = !input.is_empty() && self.listens_again(session);
            if turn.more || unparked {
                turn = self.answer(&mut input, session, line);
                continue;
            }
            make_room(&mut input);
            line.resting.set(true);
            let stirred = race(stream.read_buf(&mut input), line.bell.rung()).await;
            line.resting.set(false);
            match stirred {
                Either::Left(read) => match read? {
                    0 => return Ok(()),
                    _ => turn.more = true,
                },
                Either::Right(()) => {}
            }
        }
    }

    /// Applies the whole requests in `input`, as many as the bounds allow.
    fn answer(&self, input: &mut BytesMut, session: SessionId, line: &ByteLine) -> Turn {
        let begin = self.env.steady();
        loop {
            let Some(decoded) = self.decode(input, session, line) else {
                return Turn { more: false, took: self.env.steady().since(begin) };
            };
            let more = match decoded {
                Ok(Some(request)) => {
                    self.with_model(|model, now, outbox| {
                        model.apply(now, session, request, outbox);
                    });
                    !input.is_empty()
                }
                Ok(None) => false,
                Err(last_words) => {
                    S::encode(&last_words, &mut line.bytes.borrow_mut());
                    line.closing.set(true);
                    false
                }
            };
            let took = self.env.steady().since(begin);
            let unread = line.bytes.borrow().len();
            if !more || line.closing.get() || unread >= UNREAD_REPLIES || took >= TURN {
                return Turn { more, took };
            }
        }
    }

    /// Takes a request off `input`, unless the model does not listen to this session now.
    fn decode(
        &self,
        input: &mut BytesMut,
        session: SessionId,
        line: &ByteLine,
    ) -> Option<Result<Option<S::Request>, S::Reply>> {
        let core = &mut *self.core.borrow_mut();
        if core.model.listens(session) {
            core.parked.remove(&session);
            return Some(core.model.decode(session, input));
        }
        core.parked.insert(session);
        if input.len() as u64 > S::INPUT_LIMIT {
            line.closing.set(true);
        }
        None
    }

    fn listens_again(&self, session: SessionId) -> bool {
        let core = self.core.borrow();
        core.parked.contains(&session) && core.model.listens(session)
    }
}
