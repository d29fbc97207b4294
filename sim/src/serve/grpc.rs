//! A connection with many calls on it: gRPC over HTTP/2, by the `h2` crate.
//!
//! Why its runs repeat (read in the source of `h2` 0.4.20):
//! - It starts no task and sets no timer: the connection lives in the task that polls it, each call is a
//!   task of the host's own.
//! - It reads one clock, for how long a stream that it reset itself is remembered. Here none is
//!   remembered, so that clock is never read. A frame that is still on its way to such a stream is
//!   answered with another reset, which clients pass over; the connection goes on.
//! - Its one map of streams (`indexmap`) is walked by position, which follows from what was put in and
//!   taken out; headers (`http`) are sent in the order of insertion. Both have keys of their own for
//!   hashing, so that equal places of different runs may cost differently, and look the same.
//! - Of tokio it turns on `io-util` and `sync`, neither of which knows a runtime.
//!
//! What a client can cost is bounded: how many calls it has open, how long a message is, how much waits
//! to be read by it or to become whole, how much time its calls take in one go.

mod authority;
mod call;
mod lane;
mod turn;

use std::future::poll_fn;
use std::io;
use std::rc::Rc;

use picklock_models::etcd::{Etcd, StreamId};
use picklock_models::model::SessionId;

use super::Front;
use crate::env::{Either, Env, race};
use authority::Mended;
pub use lane::Calls;

/// What the real server announces (grpc-go's transport, measured): the frame size is the default of
/// HTTP/2, the number of calls is without a limit.
const FRAME_BYTES: u32 = 16 * 1024;
/// More calls on one connection are turned away, whatever was announced.
const MAX_CALLS: usize = 10_000;
/// What of a message waits inside `h2`, for each call: a frame.
const SEND_BUFFER_BYTES: usize = FRAME_BYTES as usize;

/// Takes calls until the connection ends.
pub(super) async fn talk<E: Env>(
    front: &Front<Etcd, E>,
    stream: E::Stream,
    session: SessionId,
    calls: Rc<Calls>,
) -> io::Result<()> {
    let mut connection = h2::server::Builder::new()
        .max_frame_size(FRAME_BYTES)
        .max_concurrent_streams(u32::MAX)
        .max_concurrent_reset_streams(0)
        .max_send_buffer_size(SEND_BUFFER_BYTES)
        .handshake(Mended::new(stream))
        .await
        .map_err(io::Error::other)?;
    loop {
        let accepted = match race(connection.accept(), calls.closing.wait()).await {
            Either::Left(accepted) => accepted,
            Either::Right(()) => {
                connection.graceful_shutdown();
                return poll_fn(|cx| connection.poll_closed(cx)).await.map_err(io::Error::other);
            }
        };
        let Some(accepted) = accepted else { return Ok(()) };
        let (request, mut respond) = accepted.map_err(io::Error::other)?;
        if calls.count() >= MAX_CALLS {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
            continue;
        }
        let stream = StreamId(u32::from(respond.stream_id()));
        let lane = calls.open(stream);
        let call =
            call::Talk { front: front.clone(), session, calls: Rc::clone(&calls), stream, lane };
        front.env.spawn(call.serve(request, respond));
    }
}
