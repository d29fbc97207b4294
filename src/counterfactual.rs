//! What would have happened, had one thing been different: plans that differ from a plan by one
//! fault, or by fencing tokens.
//!
//! Possible because a fault carries its own end (a plan without it is still a plan) and because each
//! link draws from its own stream (taking a fault out shifts nothing else): what differs between the
//! two runs follows from that one thing.

use std::fmt;

use picklock_sim::plan::LONGEST_MS;

use crate::contender::Contender;
use crate::locks::AlgorithmInfo;
use crate::plan::Plan;
use crate::resource::ResourceKind;

/// A plan that differs from another by one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// By what.
    pub what: What,
    /// The plan.
    pub plan: Plan,
}

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// One fault never strikes.
    Without {
        /// Its place in the plan.
        fault: usize,
        /// In words.
        told: String,
    },
    /// The lock hands out fencing tokens and the resource compares them.
    Fenced(Contender),
}

/// A plan with more faults than this was written by a machine; nobody reads so many what-ifs.
const MOST_FAULTS: usize = 12;

/// The plan with each single fault taken out, and with fencing, where that is another plan. They run on
/// until every judge can tell, because a shrunk plan ends with what it shows.
pub fn variants(plan: &Plan) -> Vec<Variant> {
    let mut plan = Plan { recorded: None, ..plan.clone() };
    let judged_at_ms = plan.world.heal_at_ms.saturating_add(plan.to_recover_ms());
    plan.world.end_at_ms = plan.world.end_at_ms.max(judged_at_ms.min(LONGEST_MS));
    let faults = plan.world.faults.iter().enumerate().take(MOST_FAULTS);
    let without = faults.map(|(fault, timed)| {
        let mut plan = plan.clone();
        plan.world.faults.remove(fault);
        Variant { what: What::Without { fault, told: timed.fault.to_string() }, plan }
    });
    let fenced = fenced(&plan.contender).map(|contender| Variant {
        what: What::Fenced(contender),
        plan: Plan { contender, ..plan.clone() },
    });
    without.chain(fenced).collect()
}

/// The same lock with fencing tokens and the shop that compares them. None for a lock without a
/// fenced twin, for a stock that no token could guard, and for what is fenced already.
fn fenced(contender: &Contender) -> Option<Contender> {
    let guardable = matches!(contender.resource, ResourceKind::Shop | ResourceKind::ShopChecked);
    let lock = AlgorithmInfo::find(contender.lock).filter(|_| guardable)?;
    let twin = if lock.fenced { lock } else { AlgorithmInfo::find(lock.fenced_twin?)? };
    Some(Contender::new(twin, ResourceKind::ShopFenced))
}

/// `without the process pause of client 1`, `with fencing tokens (redis-token-fenced)`.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Without { told, .. } => write!(f, "without the {told}"),
            What::Fenced(contender) => write!(f, "with fencing tokens ({contender})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use picklock_sim::seed::Seed;

    use super::*;
    use crate::locks::ALGORITHMS;
    use crate::scenario::Scenario;

    fn plan(contender: &str) -> Plan {
        let text = format!(
            "about = 'x'\n[run]\nheal_at_ms = 3000\nend_at_ms = 6000\n\
             [[fault]]\nwhen = {{ at_ms = 100 }}\nfault = {{ kind = 'pause', host = 'holder' }}\n\
             [[fault]]\nwhen = {{ at_ms = 200 }}\nfault = {{ kind = 'pause', host = 'redis' }}\n\
             [[contender]]\nname = '{contender}'\n"
        );
        let scenario: Scenario = toml::from_str(&text).unwrap();
        scenario.plan(scenario.contender[0].name, Seed(7))
    }

    fn told(contender: &str) -> Vec<String> {
        variants(&plan(contender)).iter().map(|variant| variant.what.to_string()).collect()
    }

    #[test]
    fn each_variant_differs_by_one_thing() {
        let plan = plan("redis-token-cad");
        let [no_first, no_second, fenced] = &variants(&plan)[..] else { panic!("three variants") };
        assert_eq!(no_first.plan.world.faults, plan.world.faults[1..]);
        assert_eq!(no_second.plan.world.faults, plan.world.faults[..1]);
        assert_eq!(no_second.plan.contender, plan.contender);
        assert_eq!(fenced.plan.world.faults, plan.world.faults);
        for variant in [no_first, no_second, fenced] {
            variant.plan.check().unwrap();
            assert_eq!(variant.plan.recorded, None);
        }
    }

    #[test]
    fn they_run_on_until_every_judge_can_tell() {
        let mut plan = plan("etcd-mutex");
        plan.world.end_at_ms = plan.world.heal_at_ms + 1;
        for variant in variants(&plan) {
            let (heal_at_ms, end_at_ms) =
                (variant.plan.world.heal_at_ms, variant.plan.world.end_at_ms);
            assert_eq!(heal_at_ms, plan.world.heal_at_ms);
            assert_eq!(end_at_ms, heal_at_ms + plan.to_recover_ms());
        }
    }

    #[test]
    fn they_are_told_in_words() {
        assert_eq!(
            told("redis-token-cad"),
            [
                "without the process pause of holder",
                "without the process pause of redis",
                "with fencing tokens (redis-token-fenced)"
            ]
        );
    }

    #[test]
    fn only_what_can_be_fenced_is_fenced() {
        let fenced = |contender: &str| told(contender).get(2).cloned();
        let with = |twin: &str| Some(format!("with fencing tokens ({twin})"));
        assert_eq!(fenced("redis-watchdog"), with("redis-watchdog-fenced"));
        assert_eq!(fenced("redis-token-cad + shop-checked"), with("redis-token-fenced"));
        assert_eq!(fenced("redis-watchdog-fenced + shop"), with("redis-watchdog-fenced"));
        for none in ["redis-watchdog-fenced", "redis-lua-decr", "redis-setnx-bare"] {
            assert_eq!(fenced(none), None, "{none}");
        }
    }

    #[test]
    fn every_twin_exists_and_is_fenced() {
        for twin in ALGORITHMS.iter().filter_map(|lock| lock.fenced_twin) {
            assert!(AlgorithmInfo::find(twin).is_some_and(|lock| lock.fenced), "{twin}");
        }
    }
}
