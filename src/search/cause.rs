//! What a failure needs, in words: the kinds of faults without which it does not happen.
//!
//! Two failures with the same checker and the same cause are one finding, however many plans show
//! it. The words leave out numbers and times on purpose: a pause of 1.2 and one of 2.9 leases are the
//! same story.

use std::collections::BTreeSet;
use std::fmt;

use picklock_models::model::Crash;
use picklock_models::redis::Persistence;
use picklock_sim::fault::{Cut, Fault, Target};
use picklock_sim::host::Role;
use serde::{Serialize, Serializer};

use crate::plan::Plan;
use crate::store::StoreKind;

/// The kinds of faults in a plan; of a plan with the fewest faults, what the failure needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause(BTreeSet<String>);

impl Cause {
    /// The kinds of faults in this plan.
    pub fn of(plan: &Plan) -> Self {
        let faults = plan.world.faults.iter();
        Self(faults.map(|timed| kind(&timed.fault, plan)).collect())
    }

    /// Whether it takes no fault at all.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it takes nothing but what `other` takes, and less than that.
    pub fn is_part_of(&self, other: &Cause) -> bool {
        self != other && self.0.is_subset(&other.0)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("no fault at all");
        }
        for (index, kind) in self.0.iter().enumerate() {
            let and = if index == 0 { "" } else { " + " };
            write!(f, "{and}{kind}")?;
        }
        Ok(())
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A fault without its numbers: `process pause of a client`.
pub fn kind(fault: &Fault, plan: &Plan) -> String {
    match *fault {
        Fault::Pause { host } => format!("process pause of {}", who(host)),
        Fault::Suspend { host } => format!("VM suspend of {}", who(host)),
        Fault::Crash { host, how } => {
            let how = match how {
                Crash::ProcessKill => "kill",
                Crash::PowerLoss => "power loss",
            };
            match is_redis(host, plan.contender.store) {
                true => format!("{how} of {} ({})", who(host), kept(plan.persistence)),
                false => format!("{how} of {}", who(host)),
            }
        }
        Fault::Partition { from, to, one_way, cut } => {
            let arrow = if one_way { "to" } else { "and" };
            let how = if cut == Cut::Reset { " (reset)" } else { "" };
            format!("partition of {} {arrow} {}{how}", who(from), who(to))
        }
        Fault::Delay { from, to, .. } => format!("late bytes from {} to {}", who(from), who(to)),
        Fault::Loss { from, to, .. } => format!("packet loss from {} to {}", who(from), who(to)),
        Fault::Reset { from, to } => format!("lost reply from {} to {}", who(from), who(to)),
        Fault::Slow { host, .. } => format!("slow process of {}", who(host)),
        Fault::WallStep { host, by_ms } => {
            let way = if by_ms < 0 { "back" } else { "forward" };
            format!("wall clock of {} jumps {way}", who(host))
        }
        Fault::Drift { host, ppm } => {
            let way = if ppm < 0 { "slow" } else { "fast" };
            format!("{way} clock of {}", who(host))
        }
    }
}

fn who(target: Target) -> &'static str {
    match target {
        Target::Host(host) => match host.role {
            Role::Client => "a client",
            Role::Redis => "redis",
            Role::Etcd => "etcd",
            Role::ZooKeeper => "zookeeper",
            Role::Shop => "the shop",
            Role::Nemesis => "nobody",
        },
        Target::Holder | Target::Owner => "a client",
        Target::Clients => "clients",
        Target::Waiters => "waiting clients",
        Target::Servers => "the servers",
        Target::Everyone => "everyone",
    }
}

/// Whether what Redis keeps on its disk matters.
fn is_redis(target: Target, store: StoreKind) -> bool {
    match target {
        Target::Host(host) => host.role == Role::Redis,
        Target::Servers | Target::Everyone => store == StoreKind::Redis,
        _ => false,
    }
}

fn kept(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::None => "keeps nothing",
        Persistence::AofEverysec => "AOF everysec",
        Persistence::AofAlways => "AOF always",
    }
}
