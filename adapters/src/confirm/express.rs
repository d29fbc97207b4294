//! What of a plan can be done to real processes on one machine, and what cannot, and why.
//!
//! Pure. A plan that cannot be carried out exactly is refused with reasons; nothing is left out silently.

use picklock::plan::Plan;
use picklock::store::StoreKind;
use picklock_models::model::Crash;
use picklock_models::redis::Persistence;
use picklock_sim::fault::{Fault, Target};
use picklock_sim::host::{HostName, Role};

/// Everything that stands in the way of a plan; nothing: it can be carried out.
pub fn obstacles(plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    for (index, timed) in plan.world.faults.iter().enumerate() {
        if let Err(why) = expressible(plan, &timed.fault) {
            found.push(format!("fault {} ({}): {why}", index + 1, timed.fault));
        }
    }
    for host in &plan.world.hosts {
        let own_clock = host.wall_offset_ms != 0 || host.rate_ppm != 0;
        if own_clock && let Err(why) = has_own_clock(host.name) {
            found.push(format!("the clock of {}: {why}", host.name));
        }
    }
    if plan.rejoin_after_ms.is_some() {
        found.push("a real server that comes back is started at once".to_owned());
    }
    match plan.contender.resource.store() {
        Some(StoreKind::Etcd | StoreKind::ZooKeeper) => found.push(format!(
            "the resource `{}` lies in the store itself, and of {}'s records no witness is kept",
            plan.contender.resource.name(),
            plan.contender.store.name(),
        )),
        Some(StoreKind::Redis) | None => {}
    }
    found
}

fn expressible(plan: &Plan, fault: &Fault) -> Result<(), &'static str> {
    match *fault {
        Fault::Crash { host, .. } if hosts(plan, host).contains(&HostName::SHOP) => {
            Err("the shop's shelf is the memory of its process")
        }
        // SIGSTOP, SIGKILL; the proxies.
        Fault::Pause { .. }
        | Fault::Crash { how: Crash::ProcessKill, .. }
        | Fault::Partition { .. }
        | Fault::Delay { .. }
        | Fault::Reset { .. } => Ok(()),
        Fault::Crash { how: Crash::PowerLoss, host } => power_loss(plan, host),
        Fault::WallStep { host, .. } | Fault::Drift { host, .. } => {
            hosts(plan, host).into_iter().try_for_each(has_own_clock)
        }
        Fault::Suspend { .. } => {
            Err("a stopped process's monotonic clock goes on, that of a suspended machine does not")
        }
        Fault::Loss { .. } => Err("a proxy passes streams on and cannot lose a packet of one"),
        Fault::Slow { .. } => Err("nothing makes each step of a real process take longer"),
    }
}

/// A kill leaves what the page cache has; a power loss only what was synced. The two differ for a server
/// that answers before it syncs.
fn power_loss(plan: &Plan, target: Target) -> Result<(), &'static str> {
    let strikes_redis = hosts(plan, target).iter().any(|host| host.role == Role::Redis);
    match plan.persistence {
        Persistence::AofEverysec if strikes_redis => {
            Err("a killed process leaves its last second in the machine's page cache")
        }
        _ => Ok(()),
    }
}

/// `faketime` stands between a program and libc, so it reaches Redis alone.
fn has_own_clock(host: HostName) -> Result<(), &'static str> {
    match host.role {
        Role::Redis => Ok(()),
        Role::Etcd => {
            Err("etcd asks the kernel for the time itself, which nothing can come between")
        }
        Role::ZooKeeper => Err("ZooKeeper's sessions run on its monotonic clock"),
        _ => Err("all clients share this machine's clock"),
    }
}

/// Whom a target may mean.
fn hosts(plan: &Plan, target: Target) -> Vec<HostName> {
    let names = plan.world.hosts.iter().map(|host| host.name);
    let fits = |name: &HostName| match target {
        Target::Host(host) => *name == host,
        Target::Holder | Target::Owner | Target::Clients | Target::Waiters => name.is_client(),
        Target::Servers => name.is_store(),
        Target::Everyone => true,
    };
    names.filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use picklock::scenario;
    use picklock_sim::fault::{TimedFault, When};
    use picklock_sim::seed::Seed;

    use super::*;

    fn plan_with(fault: Fault) -> Plan {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let scenario = scenario::load(&top.join("scenarios/published/s1-gc-pause.toml"));
        let scenario = scenario.expect("a scenario");
        let mut plan = scenario.plan(scenario.contender[0].name, Seed(1));
        plan.world.faults = vec![TimedFault { when: When::AtMs(1), lasting_ms: Some(1), fault }];
        plan
    }

    #[test]
    fn what_signals_and_proxies_can_do_is_done() {
        let (from, to) = (Target::Clients, Target::Servers);
        for fault in [
            Fault::Pause { host: Target::Everyone },
            Fault::Crash { host: Target::Servers, how: Crash::PowerLoss },
            Fault::Delay { from, to, by_ms: 5 },
            Fault::Reset { from, to },
            Fault::WallStep { host: Target::Servers, by_ms: 500 },
        ] {
            assert_eq!(obstacles(&plan_with(fault)), Vec::<String>::new());
        }
    }

    #[test]
    fn what_they_cannot_is_refused_with_its_place_and_reason() {
        for (fault, word) in [
            (Fault::Suspend { host: Target::Holder }, "monotonic"),
            (Fault::Loss { from: Target::Clients, to: Target::Servers, percent: 5 }, "packet"),
            (Fault::Drift { host: Target::Clients, ppm: 100 }, "share"),
            (Fault::Slow { host: Target::Holder, step_ms: 5 }, "step"),
        ] {
            let found = obstacles(&plan_with(fault));
            assert!(found.len() == 1 && found[0].starts_with("fault 1 ("), "{found:?}");
            assert!(found[0].contains(word), "{found:?}");
        }
    }

    #[test]
    fn a_power_loss_is_no_kill_where_redis_syncs_later_than_it_answers() {
        let mut plan = plan_with(Fault::Crash { host: Target::Servers, how: Crash::PowerLoss });
        plan.persistence = Persistence::AofEverysec;
        assert_eq!(obstacles(&plan).len(), 1);
        plan.persistence = Persistence::AofAlways;
        assert_eq!(obstacles(&plan).len(), 0);
    }
}
