//! What becomes of a fault at "the lock's server" when the lock is kept on several.
//!
//! Families know one server, so that all contenders of a comparison meet the same draws. The catalogue's
//! canonical injections for Redlock then are: what happens to a server happens to one of them, because losing one
//! is what it is there to survive; what happens between a client and the lock happens on the way to all.

use picklock_sim::fault::{Fault, Target, TimedFault, When};
use picklock_sim::host::HostName;
use picklock_sim::seed::Stream;

use crate::plan::Plan;

/// The same faults, aimed at the servers that this plan's lock is kept on.
pub(super) fn aimed(faults: Vec<TimedFault>, plan: &Plan, stream: &mut Stream) -> Vec<TimedFault> {
    let (only, servers) = (plan.contender.store.host(), plan.lock_servers());
    let each_of = |mut timed: TimedFault| {
        let one = servers[stream.below(servers.len() as u64) as usize];
        if let When::Event(trigger) = &mut timed.when
            && trigger.process == Some(only)
        {
            // A grant is one record at each server, and the first of them is where the client's fortune turns.
            trigger.process = None;
            trigger.nth = (trigger.nth - 1) * servers.len() as u32 + 1;
            // Whatever strikes "just now" must last until the others have answered, too.
            let answered_ms = 1 + plan.world.latency.max_us.div_ceil(1000);
            timed.lasting_ms = timed.lasting_ms.map(|ms| ms.max(answered_ms));
        }
        match &mut timed.fault {
            Fault::Pause { host }
            | Fault::Suspend { host }
            | Fault::Crash { host, .. }
            | Fault::Slow { host, .. }
            | Fault::WallStep { host, .. }
            | Fault::Drift { host, .. } => aim(host, only, Target::Host(one)),
            Fault::Partition { from, to, .. }
            | Fault::Delay { from, to, .. }
            | Fault::Loss { from, to, .. }
            | Fault::Reset { from, to } => {
                aim(from, only, Target::Servers);
                aim(to, only, Target::Servers);
            }
        }
        timed
    };
    faults.into_iter().map(each_of).collect()
}

fn aim(target: &mut Target, only: HostName, at: Target) {
    if *target == Target::Host(only) {
        *target = at;
    }
}

#[cfg(test)]
mod tests {
    use picklock_sim::fault::EventTrigger;
    use picklock_sim::history::{Kind, OpName};
    use picklock_sim::seed::Seed;

    use super::*;
    use crate::families::Family;
    use crate::lock::Servers;
    use crate::scenario::load;

    fn plan_on(servers: u16) -> Plan {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut scenario = load(&top.join("scenarios/published/s1-gc-pause.toml")).unwrap();
        scenario.redis.servers = servers;
        let mut contender = scenario.contender[0].name;
        contender.servers = Servers::Independent;
        scenario.plan(contender, Seed(1))
    }

    #[test]
    fn what_happens_to_a_server_happens_to_one_and_on_the_way_to_all() {
        let plan = plan_on(5);
        plan.check().expect("it has what it needs");
        let faults = |family: &str| {
            let family = Family::find(family).unwrap();
            let draw = |seed| family.draw(&plan, Seed(seed).stream("faults"));
            (0..50).flat_map(draw).map(|timed| timed.fault).collect::<Vec<_>>()
        };
        let struck: std::collections::BTreeSet<Target> =
            faults("restart-empty").iter().flat_map(Fault::targets).collect();
        let servers = plan.lock_servers().into_iter().map(Target::Host);
        assert_eq!(struck, servers.collect(), "each of the five, and nobody else");
        for fault in faults("partition") {
            assert!(fault.targets().contains(&Target::Servers), "{fault}");
        }
    }

    #[test]
    fn a_fault_at_a_grant_strikes_at_its_first_record_and_lasts_until_all_have_answered() {
        let plan = plan_on(3);
        let family = Family::find("lost-grant").unwrap();
        for seed in 0..20 {
            let [fault] = family.draw(&plan, Seed(seed).stream("faults"))[..] else { panic!() };
            let When::Event(EventTrigger { op, kind, process, nth, .. }) = fault.when else {
                panic!()
            };
            assert_eq!((op, kind, process, nth % 3), (OpName::Granted, Kind::Info, None, 1));
            assert_eq!(fault.lasting_ms, Some(11), "the longest latency is 10 ms");
        }
    }
}
