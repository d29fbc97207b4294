//! The world's half of a plan: who is there, over which links, and what breaks when.
//!
//! Complete: nothing is drawn while a run goes on but latencies and the choice among ready tasks,
//! each from a named stream of `seed`. What the hosts *do* is no business of this crate; the root
//! crate's plan wraps this one.

use std::time::Duration;

use picklock_models::time::{HostTime, SteadyTime, WallTime};
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Target, TimedFault, When};
use crate::host::HostName;
use crate::seed::Seed;
use crate::time::SimTime;

/// One world, written down completely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldPlan {
    /// Of what is still drawn while the world runs.
    pub seed: Seed,
    /// Who is there.
    pub hosts: Vec<HostPlan>,
    /// One-way latency of every link.
    pub latency: Latency,
    /// What breaks.
    pub faults: Vec<TimedFault>,
    /// From here on nothing is broken, in milliseconds.
    pub heal_at_ms: u64,
    /// The end of the run, in milliseconds.
    pub end_at_ms: u64,
}

/// One host and its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostPlan {
    /// Its name.
    pub name: HostName,
    /// How far its wall clock is ahead of true time, in milliseconds.
    #[serde(default)]
    pub wall_offset_ms: i64,
    /// Rate error of both its clocks, in parts per million.
    #[serde(default)]
    pub rate_ppm: i32,
}

/// Uniformly distributed one-way latency, drawn per write from the link's own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Shortest, in microseconds.
    pub min_us: u64,
    /// Longest, in microseconds.
    pub max_us: u64,
}

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A fault names a host that is not in the plan.
    #[error("fault {index} ({fault}) names `{host}`, which is not in this world; there are {}", list(.hosts))]
    NoSuchHost {
        /// Its place in the list of faults.
        index: usize,
        /// The fault.
        fault: String,
        /// The missing host.
        host: HostName,
        /// Those that exist.
        hosts: Vec<HostName>,
    },
    /// A number that makes no sense.
    #[error("{0}")]
    Nonsense(String),
}

fn list(hosts: &[HostName]) -> String {
    hosts.iter().map(|host| format!("`{host}`")).collect::<Vec<_>>().join(", ")
}

/// Rates beyond this are refused: at -1000000 ppm a clock stands still, which is what the suspend
/// fault is for, and timers would never fire.
const MAX_RATE_PPM: i32 = 900_000;

/// The longest time that a plan may name, in milliseconds: 30 days. Longer ones are typing errors, and
/// sums of them would overflow.
pub const LONGEST_MS: u64 = 30 * 24 * 3600 * 1000;

/// The most hosts a world can have. Every pair of them has a link, and a thousand already make a
/// million.
const MOST_HOSTS: usize = 1000;

/// What a true wall clock shows at the beginning of a run: 2024-01-01T00:00:00Z, so that wall times
/// in logs look like wall times.
pub const EPOCH_NS: u64 = 1_704_067_200_000_000_000;

impl WorldPlan {
    /// When everything is healed.
    pub fn heal_at(&self) -> SimTime {
        SimTime::from_millis(self.heal_at_ms)
    }

    /// When the run ends.
    pub fn end_at(&self) -> SimTime {
        SimTime::from_millis(self.end_at_ms)
    }

    /// What this host's clocks show at the beginning. The steady clocks of two hosts have nothing
    /// to do with each other, so each starts somewhere else: mixing them up must show.
    pub fn clocks_at_start(&self, host: &HostPlan) -> HostTime {
        let uptime = self.seed.stream(format_args!("uptime {}", host.name)).between(60, 1_000_000);
        HostTime {
            steady: SteadyTime::from_nanos(Duration::from_secs(uptime).as_nanos() as u64),
            wall: WallTime::from_unix_nanos(
                EPOCH_NS.saturating_add_signed(host.wall_offset_ms.saturating_mul(1_000_000)),
            ),
        }
    }

    /// Checks everything that a parser cannot.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), PlanError> {
        let nonsense = |text: String| Err(PlanError::Nonsense(text));
        if self.end_at_ms == 0 || self.heal_at_ms > self.end_at_ms {
            return nonsense(format!(
                "the run must heal before it ends: heal_at_ms is {}, end_at_ms is {}",
                self.heal_at_ms, self.end_at_ms
            ));
        }
        if self.hosts.len() > MOST_HOSTS {
            return nonsense(format!(
                "{} hosts: at most {MOST_HOSTS} can be simulated",
                self.hosts.len()
            ));
        }
        check_ms("end_at_ms", self.end_at_ms)?;
        check_ms("latency_ms", self.latency.max_us / 1000)?;
        for host in &self.hosts {
            check_ms("wall_offset_ms", host.wall_offset_ms.unsigned_abs())?;
        }
        if self.latency.min_us > self.latency.max_us {
            return nonsense(format!(
                "latency: min_us {} is above max_us {}",
                self.latency.min_us, self.latency.max_us
            ));
        }
        if let Some(host) = self.hosts.iter().find(|host| host.rate_ppm.abs() > MAX_RATE_PPM) {
            return nonsense(format!(
                "the clock rate of {} is {} ppm; at most +-{MAX_RATE_PPM} can be simulated",
                host.name, host.rate_ppm
            ));
        }
        for (index, fault) in self.faults.iter().enumerate() {
            self.check_fault(index, fault)?;
        }
        Ok(())
    }

    fn check_fault(&self, index: usize, timed: &TimedFault) -> Result<(), PlanError> {
        let hosts = || self.hosts.iter().map(|host| host.name).collect::<Vec<_>>();
        let exists = |host: HostName| match hosts().contains(&host) {
            true => Ok(()),
            false => Err(PlanError::NoSuchHost {
                index: index + 1,
                fault: timed.fault.to_string(),
                host,
                hosts: hosts(),
            }),
        };
        for target in timed.fault.targets() {
            if let Target::Host(host) = target {
                exists(host)?;
            }
        }
        check_ms("lasting_ms", timed.lasting_ms.unwrap_or(0))?;
        match timed.fault {
            Fault::Delay { by_ms, .. } => check_ms("by_ms", by_ms)?,
            Fault::Slow { step_ms, .. } => check_ms("step_ms", step_ms)?,
            Fault::WallStep { by_ms, .. } => check_ms("by_ms", by_ms.unsigned_abs())?,
            _ => {}
        }
        let nth = match timed.when {
            When::AtMs(at_ms) => {
                check_ms("at_ms", at_ms)?;
                1
            }
            When::Step(step) => {
                exists(step.host)?;
                step.nth
            }
            When::Event(event) => {
                event.process.map_or(Ok(()), exists)?;
                event.nth
            }
        };
        let problem = match timed.fault {
            _ if nth == 0 => Some("`nth` counts from 1".to_owned()),
            Fault::Loss { percent, .. } if percent > 95 => {
                Some(format!("{percent} % loss: at most 95 % lets a stream get through at all"))
            }
            Fault::Drift { ppm, .. } if ppm.abs() > MAX_RATE_PPM => {
                Some(format!("a drift of {ppm} ppm: at most +-{MAX_RATE_PPM} can be simulated"))
            }
            _ => None,
        };
        match problem {
            Some(problem) => Err(PlanError::Nonsense(format!(
                "fault {} ({}): {problem}",
                index + 1,
                timed.fault
            ))),
            None => Ok(()),
        }
    }
}

/// Refuses a time that is longer than any run can be.
///
/// # Errors
/// [`PlanError::Nonsense`], which names the key.
pub fn check_ms(key: &str, value_ms: u64) -> Result<(), PlanError> {
    match value_ms <= LONGEST_MS {
        true => Ok(()),
        false => Err(PlanError::Nonsense(format!(
            "{key}: {value_ms} ms is longer than 30 days, the longest time that can be simulated"
        ))),
    }
}
