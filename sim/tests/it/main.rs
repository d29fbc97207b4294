//! What a world promises, tried from outside with a tiny cast: an echo server and its clients.
//!
//! [`both`] holds what every engine must do alike, the other modules what only one can. The cast and
//! the questions one can ask a run stand in [`troupe`].

mod both;
mod event_only;
#[cfg(feature = "turmoil")]
mod foreign;
mod grpc;
#[cfg(feature = "real")]
mod real;
mod troupe;
#[cfg(feature = "turmoil")]
mod turmoil_only;
