//! What comes out of a world.

use crate::digest::Digest;
use crate::history::Event;
use crate::host::HostName;
use crate::plan::PlanError;
use crate::time::SimTime;
use crate::trail::Trail;

/// What happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The events, in their total order.
    pub events: Vec<Event>,
    /// Digest of everything, network and timers included.
    pub digest: Digest,
    /// How often a program wrote something that was put on a wire: its requests and replies,
    /// without what the network itself sends to open and close connections.
    pub messages: u64,
    /// What the digest was fed with, of a run that was asked for it.
    pub trail: Option<Box<Trail>>,
}

/// Why a world could not be run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// The plan makes no sense.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// This engine has no means to do this.
    #[error(
        "the {engine} engine cannot express fault {index} ({fault}): {why}; run it on the event \
         engine"
    )]
    CannotExpress {
        /// Which engine.
        engine: &'static str,
        /// The fault's place in the plan, from 1.
        index: usize,
        /// The fault.
        fault: String,
        /// What the engine lacks.
        why: &'static str,
    },
    /// A program panicked: a bug in the lock or workload under test, or in picklock.
    #[error("the program on {host} panicked at {at}: {message}")]
    Panicked {
        /// On which host.
        host: HostName,
        /// When.
        at: SimTime,
        /// The panic's text.
        message: String,
    },
    /// Tasks of a host wake each other for ever without waiting for time or network.
    #[error("the program on {host} spins at {at}: its tasks never wait for time or network")]
    Livelock {
        /// On which host.
        host: HostName,
        /// When.
        at: SimTime,
    },
    /// The engine itself failed.
    #[error("the {engine} engine failed: {message}")]
    Engine {
        /// Which engine.
        engine: &'static str,
        /// What it said.
        message: String,
    },
}
