//! What a host's process and the stage say to each other: one JSON line there, one empty line back.
//!
//! A process tells of every event, and of every step that a fault of the plan waits for, and does not go on
//! until the stage has answered. That is how a fault strikes between two steps of a real process: the stage
//! stops it first and answers then. A stopped process finds the answer when it wakes up.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use picklock_models::time::SteadyTime;
use picklock_sim::fault::StepKind;
use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::recorder::Sink;
use picklock_sim::time::SimTime;
use serde::{Deserialize, Serialize};

use super::clock::RunClock;

/// What a host's process says.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Message {
    /// It listens, on this port of loopback.
    Listens {
        /// The port.
        port: u16,
    },
    /// It is about to take a step.
    Step(StepKind),
    /// Something happened.
    Event {
        /// What it is to its operation.
        kind: Kind,
        /// The operation.
        op: Op,
    },
}

/// The process's end of its line to the stage.
pub(super) struct Line {
    me: HostName,
    stream: RefCell<BufReader<UnixStream>>,
}

impl Line {
    /// Calls the stage, and waits until it says when the run began: the run's clock.
    pub(super) fn open(socket: &Path, me: HostName) -> io::Result<(Self, RunClock)> {
        let mut stream = BufReader::new(UnixStream::connect(socket)?);
        let mut origin_ns = String::new();
        stream.read_line(&mut origin_ns)?;
        let origin_ns = origin_ns.trim().parse().map_err(io::Error::other)?;
        Ok((Self { me, stream: RefCell::new(stream) }, RunClock::since(origin_ns)))
    }

    /// Says something and waits until the stage has answered. Without a stage there is nothing left to do
    /// for this process, so it ends.
    pub(super) fn say(&self, message: Message) {
        if self.said(message).is_err() {
            std::process::exit(0);
        }
    }

    fn said(&self, message: Message) -> io::Result<()> {
        let mut stream = self.stream.borrow_mut();
        let mut line = serde_json::to_vec(&message)?;
        line.push(b'\n');
        stream.get_mut().write_all(&line)?;
        let mut answer = String::new();
        match stream.read_line(&mut answer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A recorder that tells the stage.
impl Sink for Line {
    fn record(&self, process: HostName, kind: Kind, op: Op) {
        assert_eq!(process, self.me, "a process tells of itself");
        self.say(Message::Event { kind, op });
    }

    /// All processes read the same clock, which began with the run.
    fn true_time(&self, _: HostName, local: SteadyTime) -> SimTime {
        SimTime::from_nanos(local.as_nanos())
    }
}
