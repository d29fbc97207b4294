//! What goes wrong, as data.
//!
//! A fault carries its own begin and end, so a plan stays valid when any fault is taken out. Its
//! targets are symbolic and resolved when it strikes. It strikes at a time, at a step of a host, or
//! at an event of the history: the bugs this project exists for sit between a check and the write
//! after it, where no clock time can be aimed at.

use std::fmt;
use std::str::FromStr;

use picklock_models::model::Crash;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::history::{Kind, OpName};
use crate::host::HostName;

/// One fault with its begin and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedFault {
    /// When it strikes.
    pub when: When,
    /// How long it lasts, in milliseconds of true time from the moment it struck. Left out: until
    /// everything is healed; a crash without it never comes back, a wall step never goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting_ms: Option<u64>,
    /// What happens.
    pub fault: Fault,
}

impl TimedFault {
    /// Every host that it names, to strike or to wait for.
    pub fn hosts(&self) -> Vec<HostName> {
        let mut hosts = Vec::new();
        { *self }.rename(|host| {
            hosts.push(host);
            host
        });
        hosts
    }

    /// Gives every host that it names another name.
    pub fn rename(&mut self, mut rename: impl FnMut(HostName) -> HostName) {
        for target in self.fault.targets_mut() {
            if let Target::Host(host) = target {
                *host = rename(*host);
            }
        }
        match &mut self.when {
            When::AtMs(_) => {}
            When::Step(step) => step.host = rename(step.host),
            When::Event(event) => event.process = event.process.map(rename),
        }
    }
}

/// When a fault strikes: once, at the first moment that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// At this many milliseconds of true time; if its target is `holder` and nobody holds then, at
    /// the next moment somebody does.
    AtMs(u64),
    /// Just before a step of a host takes effect.
    Step(StepTrigger),
    /// Just after an event was recorded, before the process that did it takes another step.
    Event(EventTrigger),
}

/// "Just before client 2's 7th send."
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTrigger {
    /// Whose step.
    pub host: HostName,
    /// Which kind of step is counted.
    pub kind: StepKind,
    /// Which of them, from 1.
    pub nth: u32,
}

/// A point at which a process touches the outside world, and so a point at which a pause can fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// Opens a connection.
    Connect,
    /// Writes bytes to a connection.
    Send,
    /// Takes bytes from a connection.
    Receive,
    /// Wakes from a sleep.
    Timer,
}

/// "When the lock is granted the 3rd time": `{ op = "acquire", kind = "ok", nth = 3 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTrigger {
    /// Which operation.
    pub op: OpName,
    /// Which of its events.
    pub kind: Kind,
    /// By whom; left out: by anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<HostName>,
    /// Which of those that fit, from 1.
    pub nth: u32,
    /// Strikes only at or after this many milliseconds of true time; earlier events do not count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after_ms: u64,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The whole process is frozen (GC, SIGSTOP); its clocks go on and its kernel still accepts
    /// and buffers bytes.
    Pause {
        /// Who is frozen.
        host: Target,
    },
    /// The virtual machine is frozen: as a pause, and the steady clock stops and the kernel
    /// answers nobody.
    Suspend {
        /// Whose machine.
        host: Target,
    },
    /// The process dies; it boots again when the fault ends.
    Crash {
        /// Who dies.
        host: Target,
        /// How, which decides what its disk still holds.
        how: Crash,
    },
    /// No bytes pass between two parties.
    Partition {
        /// One side.
        from: Target,
        /// The other side.
        to: Target,
        /// Only bytes from `from` to `to` are stopped.
        #[serde(default)]
        one_way: bool,
        /// What happens to the bytes.
        #[serde(default)]
        cut: Cut,
    },
    /// Bytes take longer.
    Delay {
        /// Sender.
        from: Target,
        /// Receiver.
        to: Target,
        /// Added to the drawn latency, in milliseconds.
        by_ms: u64,
    },
    /// Packets get lost, which a TCP stream shows as retransmission delay.
    Loss {
        /// Sender.
        from: Target,
        /// Receiver.
        to: Target,
        /// Probability that one transmission of a packet is lost, in percent, at most 95.
        percent: u8,
    },
    /// The next bytes on the way are destroyed and their connection is reset: the request was
    /// executed, its reply is lost.
    Reset {
        /// Sender of the bytes that are lost.
        from: Target,
        /// Receiver that sees the reset.
        to: Target,
    },
    /// Every step of the process takes this much longer.
    Slow {
        /// Who is slow.
        host: Target,
        /// Time per step, in milliseconds.
        step_ms: u64,
    },
    /// The wall clock jumps; with an end, it jumps back then.
    WallStep {
        /// Whose clock.
        host: Target,
        /// How far, in milliseconds; negative is backwards.
        by_ms: i64,
    },
    /// Both clocks run at another rate.
    Drift {
        /// Whose clocks.
        host: Target,
        /// Rate error in parts per million: -100000 loses 100 ms per second.
        ppm: i32,
    },
}

/// What a partition does to bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// They wait and are delivered after the heal, as TCP's retransmission does.
    #[default]
    Stall,
    /// Connections are reset and refused, as a firewall with `reject` does.
    Reset,
}

/// Who is hit; resolved at the moment the fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// This host.
    Host(HostName),
    /// The client that was granted the lock last and has not given it back.
    Holder,
    /// The client whose the lock record is at the server, whether it knows already or not.
    Owner,
    /// Every client.
    Clients,
    /// Every client but the holder.
    Waiters,
    /// Every lock server.
    Servers,
    /// Every host.
    Everyone,
}

/// The words for targets that are not a host's name.
const WORDS: [(&str, Target); 6] = [
    ("holder", Target::Holder),
    ("owner", Target::Owner),
    ("clients", Target::Clients),
    ("waiters", Target::Waiters),
    ("servers", Target::Servers),
    ("everyone", Target::Everyone),
];

impl Fault {
    /// Its kind as written in files.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::Pause { .. } => "pause",
            Fault::Suspend { .. } => "suspend",
            Fault::Crash { .. } => "crash",
            Fault::Partition { .. } => "partition",
            Fault::Delay { .. } => "delay",
            Fault::Loss { .. } => "loss",
            Fault::Reset { .. } => "reset",
            Fault::Slow { .. } => "slow",
            Fault::WallStep { .. } => "wall-step",
            Fault::Drift { .. } => "drift",
        }
    }

    /// Everybody it names, for checking that they exist.
    pub fn targets(&self) -> Vec<Target> {
        { *self }.targets_mut().into_iter().map(|target| *target).collect()
    }

    fn targets_mut(&mut self) -> Vec<&mut Target> {
        match self {
            Fault::Pause { host }
            | Fault::Suspend { host }
            | Fault::Crash { host, .. }
            | Fault::Slow { host, .. }
            | Fault::WallStep { host, .. }
            | Fault::Drift { host, .. } => vec![host],
            Fault::Partition { from, to, .. }
            | Fault::Delay { from, to, .. }
            | Fault::Loss { from, to, .. }
            | Fault::Reset { from, to } => vec![from, to],
        }
    }
}

/// One line for stories and reports: `pause of holder`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Fault::Pause { host } => write!(f, "process pause of {host}"),
            Fault::Suspend { host } => write!(f, "VM suspend of {host}"),
            Fault::Crash { host, how: Crash::ProcessKill } => write!(f, "process kill of {host}"),
            Fault::Crash { host, how: Crash::PowerLoss } => write!(f, "power loss of {host}"),
            Fault::Partition { from, to, one_way, cut } => {
                let arrow = if one_way { "to" } else { "and" };
                let how = if cut == Cut::Reset { " (reset)" } else { "" };
                write!(f, "partition of {from} {arrow} {to}{how}")
            }
            Fault::Delay { from, to, by_ms } => {
                write!(f, "delay of {by_ms} ms from {from} to {to}")
            }
            Fault::Loss { from, to, percent } => write!(f, "{percent} % loss from {from} to {to}"),
            Fault::Reset { from, to } => write!(f, "reset instead of bytes from {from} to {to}"),
            Fault::Slow { host, step_ms } => write!(f, "{host} slowed by {step_ms} ms per step"),
            Fault::WallStep { host, by_ms } => write!(f, "wall clock of {host} {by_ms:+} ms"),
            Fault::Drift { host, ppm } => write!(f, "clock drift of {host} {ppm:+} ppm"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Host(host) => host.fmt(f),
            word => {
                let (text, _) = WORDS.iter().find(|(_, t)| t == word).expect("all are listed");
                f.write_str(text)
            }
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, target)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*target);
        }
        text.parse().map(Target::Host).map_err(|_| {
            let words: Vec<_> = WORDS.iter().map(|(word, _)| format!("`{word}`")).collect();
            format!(
                "`{text}` is no target; valid are {} and the name of a host, such as `client 2` \
                 or `redis`",
                words.join(", ")
            )
        })
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
