//! Who plays which host.
//!
//! The root crate gives a world its cast: for each host a program, started at the beginning and
//! after each crash. What survives a crash is the cast's business: it is told of the crash before
//! the program is dropped, keeps what a disk would keep, and gives it to the next boot.

use std::future::Future;
use std::pin::Pin;

use picklock_models::model::Crash;

use crate::env::Env;
use crate::host::HostName;
use crate::recorder::Recorder;

/// A program on its way; it lives on one thread.
pub type Program = Pin<Box<dyn Future<Output = ()>>>;

/// The programs of a world's hosts.
pub trait Cast {
    /// The program of this host, from its start.
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program;

    /// This host goes down now.
    fn crashed(&self, host: HostName, how: Crash);
}
