//! A connection with many calls on it: gRPC over HTTP/2, by the `h2` crate.
//!
//! `h2` has no task, no timer and no randomness that shows: the connection lives in the task that polls
//! it, each call is a task of the host's own, and its maps are iterated in the order of insertion. The
//! one clock it reads is how long a reset stream is remembered; that is set to for ever, and the number
//! of those streams is bounded.
//!
//! What a client can cost is bounded: how many calls it has open, how long a message is, how much waits
//! to be read by it.

mod call;
mod lane;

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use picklock_models::etcd::Etcd;
use picklock_models::model::SessionId;

use super::Front;
use crate::env::{Either, Env, race};
pub use lane::Calls;

/// What the real server announces (grpc-go's transport, measured): the frame size is the default of
/// HTTP/2, the number of calls is without a limit.
const FRAME_BYTES: u32 = 16 * 1024;
/// More calls on one connection are turned away, whatever was announced.
const MAX_CALLS: usize = 10_000;
/// How many reset streams are remembered, so that frames still on their way are no error.
const REMEMBERED_RESETS: usize = 100;

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
        .max_concurrent_reset_streams(REMEMBERED_RESETS)
        .reset_stream_duration(Duration::MAX)
        .handshake(stream)
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
        front.env.spawn(call::serve(front.clone(), session, Rc::clone(&calls), request, respond));
    }
}
