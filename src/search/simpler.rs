//! What is simpler than a plan: one pass per way of being simpler, a new way is a function here and
//! its line in [`PASSES`].
//!
//! Each pass lists plans that are one step simpler than the given one, the greatest step first. Every
//! step is strictly downhill (fewer faults, fewer clients, a usual value instead of another, a
//! rounder or smaller number), so that shrinking ends.

use std::collections::{BTreeMap, BTreeSet};

use picklock_sim::fault::{EventTrigger, Fault, StepTrigger, TimedFault, When};
use picklock_sim::host::HostName;
use picklock_sim::plan::{HostPlan, Latency};

use crate::lock::LockParams;
use crate::plan::Plan;
use crate::scenario::WorkloadSpec;

/// One way of being simpler.
pub(super) type Pass = fn(&Plan) -> Vec<Plan>;

/// All of them, in the order in which a reader profits most: what is gone need not be understood. Fewer servers
/// and a shorter run come early because they make all later trials cheaper.
pub(super) const PASSES: &[Pass] = &[
    fewer_faults,
    fewer_servers,
    shorter_run,
    fewer_clients,
    usual_work,
    true_clocks,
    shorter_faults,
    earlier_faults,
];

/// Without all, without half, without one of the faults.
pub(super) fn fewer_faults(plan: &Plan) -> Vec<Plan> {
    let faults = &plan.world.faults;
    let count = faults.len();
    let keep = |keep: &dyn Fn(usize) -> bool| {
        let mut plan = plan.clone();
        let mut index = 0..;
        plan.world.faults.retain(|_| keep(index.next().expect("endless")));
        plan
    };
    let mut plans = Vec::new();
    if count > 0 {
        plans.push(keep(&|_| false));
    }
    if count > 3 {
        plans.extend([keep(&|index| index < count / 2), keep(&|index| index >= count / 2)]);
    }
    if count > 1 {
        plans.extend((0..count).map(|without| keep(&|index| index != without)));
    }
    plans
}

/// With fewer clients, from one on. Those that the faults name keep their order and move to the
/// front, or to the back: who starts first matters.
fn fewer_clients(plan: &Plan) -> Vec<Plan> {
    let clients: Vec<HostName> = plan.clients().collect();
    let named: Vec<HostName> = {
        let of_faults = plan.world.faults.iter().flat_map(TimedFault::hosts);
        let special = plan.world.hosts.iter().filter(|host| is_special(host)).map(|h| h.name);
        let named: BTreeSet<HostName> = of_faults.chain(special).collect();
        named.into_iter().filter(|host| host.is_client()).collect()
    };
    let mut plans = Vec::new();
    for count in named.len().max(1)..clients.len() {
        let back = count - named.len() + 1;
        for first in BTreeSet::from([1, back]) {
            let places = (first..).map(|number| HostName::client(number as u16));
            let renamed: BTreeMap<HostName, HostName> = named.iter().copied().zip(places).collect();
            plans.extend(less_to_do(&with_clients(plan, count, &renamed)));
        }
    }
    plans
}

/// The same, then with so little to do that few clients are done with it. What is sold in a run, who
/// is there to sell it, and the how-manieth sale a fault waits for hang together: one alone can
/// often not be made smaller.
fn less_to_do(plan: &Plan) -> Vec<Plan> {
    let mut plans = vec![plan.clone()];
    for initial in [1, 2, 5, 10].into_iter().filter(|units| *units < plan.workload.initial) {
        plans.push(changed(plan, &|plan| plan.workload.initial = initial));
        plans.push(changed(plan, &|plan| {
            plan.workload.initial = initial;
            for timed in &mut plan.world.faults {
                match &mut timed.when {
                    When::AtMs(_) => {}
                    When::Step(step) => step.nth = 1,
                    When::Event(event) => event.nth = 1,
                }
            }
        }));
    }
    plans
}

fn with_clients(plan: &Plan, count: usize, renamed: &BTreeMap<HostName, HostName>) -> Plan {
    let mut plan = plan.clone();
    let rename = |host: HostName| renamed.get(&host).copied().unwrap_or(host);
    let special: Vec<HostPlan> = (plan.world.hosts.iter().filter(|host| is_special(host)))
        .map(|host| HostPlan { name: rename(host.name), ..*host })
        .collect();
    plan.world.hosts.retain(|host| !host.name.is_client());
    plan.world.hosts.extend((1..=count as u16).map(|number| {
        let name = HostName::client(number);
        let plain = HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 };
        special.iter().find(|host| host.name == name).copied().unwrap_or(plain)
    }));
    for fault in &mut plan.world.faults {
        fault.rename(rename);
    }
    plan
}

/// With one server of several, else with three: an even number survives no more than the odd one below it. Those
/// that the faults name move to the front.
fn fewer_servers(plan: &Plan) -> Vec<Plan> {
    let servers = plan.lock_servers();
    let of_faults = plan.world.faults.iter().flat_map(TimedFault::hosts);
    let special = plan.world.hosts.iter().filter(|host| is_special(host)).map(|host| host.name);
    let named: BTreeSet<HostName> = of_faults.chain(special).collect();
    let (first, rest): (Vec<HostName>, Vec<HostName>) =
        servers.iter().partition(|server| named.contains(server));
    let order: Vec<HostName> = first.iter().chain(&rest).copied().collect();
    let renamed: BTreeMap<HostName, HostName> = order.into_iter().zip(servers.clone()).collect();
    let fewer = [1, 3].into_iter().filter(|count| (first.len()..servers.len()).contains(count));
    fewer.map(|count| with_servers(plan, &servers[count..], &renamed)).collect()
}

fn with_servers(plan: &Plan, gone: &[HostName], renamed: &BTreeMap<HostName, HostName>) -> Plan {
    let rename = |host: HostName| renamed.get(&host).copied().unwrap_or(host);
    let mut plan = plan.clone();
    for host in &mut plan.world.hosts {
        host.name = rename(host.name);
    }
    plan.world.hosts.retain(|host| !gone.contains(&host.name));
    // The lock's servers stand first in every plan; the order of the others is kept.
    plan.world.hosts.sort_by_key(|host| match renamed.contains_key(&host.name) {
        true => host.name.number,
        false => u16::MAX,
    });
    for fault in &mut plan.world.faults {
        fault.rename(rename);
    }
    plan
}

fn is_special(host: &HostPlan) -> bool {
    (host.wall_offset_ms, host.rate_ppm) != (0, 0)
}

/// What the clients and the links do: as usual, or at least in round numbers.
fn usual_work(plan: &Plan) -> Vec<Plan> {
    let (work, lock) = (WorkloadSpec::default(), LockParams::default());
    let usual_latency = Latency { min_us: 1_000, max_us: 10_000 };
    let mut plans = Vec::new();
    let mut usual = |differs: bool, change: &dyn Fn(&mut Plan)| {
        if differs {
            plans.push(changed(plan, change));
        }
    };
    usual(plan.world.latency != usual_latency, &|plan| plan.world.latency = usual_latency);
    usual(plan.persistence != Default::default(), &|plan| plan.persistence = Default::default());
    let mut times = |value_ms: u64, usual_ms: u64, set: &dyn Fn(&mut Plan, u64)| {
        for simpler in simpler_numbers(value_ms, usual_ms) {
            plans.push(changed(plan, &|plan| set(plan, simpler)));
        }
    };
    times(plan.lock.request_timeout_ms, lock.request_timeout_ms, &|plan, ms| {
        plan.lock.request_timeout_ms = ms;
    });
    times(plan.lock.retry_jitter_ms, 0, &|plan, ms| plan.lock.retry_jitter_ms = ms);
    times(plan.workload.hold_ms, work.hold_ms, &|plan, ms| plan.workload.hold_ms = ms);
    times(plan.workload.think_ms, work.think_ms, &|plan, ms| plan.workload.think_ms = ms);
    times(plan.workload.stagger_ms, 0, &|plan, ms| plan.workload.stagger_ms = ms);
    let short = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
    times(plan.workload.reentries.into(), 0, &|plan, times| plan.workload.reentries = short(times));
    times(plan.workload.shared_every.into(), 0, &|plan, n| plan.workload.shared_every = short(n));
    if let Ok(initial) = u64::try_from(plan.workload.initial) {
        times(initial, 1, &|plan, units| plan.workload.initial = units as i64);
    }
    plans
}

/// Hosts whose clocks are true from the beginning.
fn true_clocks(plan: &Plan) -> Vec<Plan> {
    let special = |(_, host): &(usize, &HostPlan)| is_special(host);
    let hosts = plan.world.hosts.iter().enumerate().filter(special);
    hosts
        .map(|(index, host)| {
            changed(plan, &|plan| {
                let name = host.name;
                plan.world.hosts[index] = HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 };
            })
        })
        .collect()
}

/// Faults that last shorter and do less, in round numbers.
fn shorter_faults(plan: &Plan) -> Vec<Plan> {
    each_fault(plan, |timed| {
        let mut simpler = Vec::new();
        if let Some(lasting_ms) = timed.lasting_ms {
            simpler.extend(simpler_numbers(lasting_ms, 1).map(|ms| {
                let lasting_ms = Some(ms);
                TimedFault { lasting_ms, ..*timed }
            }));
        }
        let milder = milder(&timed.fault).into_iter();
        simpler.extend(milder.map(|fault| TimedFault { fault, ..*timed }));
        simpler
    })
}

fn milder(fault: &Fault) -> Vec<Fault> {
    let signed = |size: u64, like: i64| like.signum() * size as i64;
    match *fault {
        Fault::Delay { from, to, by_ms } => {
            simpler_numbers(by_ms, 1).map(|by_ms| Fault::Delay { from, to, by_ms }).collect()
        }
        Fault::Slow { host, step_ms } => {
            simpler_numbers(step_ms, 1).map(|step_ms| Fault::Slow { host, step_ms }).collect()
        }
        Fault::WallStep { host, by_ms } => simpler_numbers(by_ms.unsigned_abs(), 1)
            .map(|size| Fault::WallStep { host, by_ms: signed(size, by_ms) })
            .collect(),
        Fault::Drift { host, ppm } => simpler_numbers(u64::from(ppm.unsigned_abs()), 1)
            .map(|size| Fault::Drift { host, ppm: signed(size, i64::from(ppm)) as i32 })
            .collect(),
        Fault::Loss { from, to, percent } => simpler_numbers(u64::from(percent), 1)
            .map(|size| Fault::Loss { from, to, percent: size as u8 })
            .collect(),
        Fault::Pause { .. }
        | Fault::Suspend { .. }
        | Fault::Crash { .. }
        | Fault::Partition { .. }
        | Fault::Reset { .. } => Vec::new(),
    }
}

/// Faults that strike at the first occasion, or at a rounder time.
fn earlier_faults(plan: &Plan) -> Vec<Plan> {
    each_fault(plan, |timed| {
        let whens: Vec<When> = match timed.when {
            When::AtMs(at_ms) => rounder_times(at_ms).into_iter().map(When::AtMs).collect(),
            When::Step(step) => {
                (1..step.nth).map(|nth| When::Step(StepTrigger { nth, ..step })).collect()
            }
            When::Event(event) => {
                let earlier = (1..event.nth).map(|nth| EventTrigger { nth, ..event });
                let sooner = if event.after_ms == 0 {
                    Vec::new()
                } else {
                    let mut sooner = vec![0];
                    sooner.extend(rounder_times(event.after_ms));
                    sooner
                };
                let sooner = sooner.into_iter().map(|after_ms| EventTrigger { after_ms, ..event });
                earlier.chain(sooner).map(When::Event).collect()
            }
        };
        whens.into_iter().map(|when| TimedFault { when, ..*timed }).collect()
    })
}

/// A run that heals and ends sooner.
fn shorter_run(plan: &Plan) -> Vec<Plan> {
    let heal_at_ms = plan.world.heal_at_ms;
    let after_ms = plan.world.end_at_ms - heal_at_ms;
    let healing =
        simpler_numbers(heal_at_ms, 100).filter(|ms| *ms < heal_at_ms).map(|heal_at_ms| {
            changed(plan, &|plan| {
                plan.world.heal_at_ms = heal_at_ms;
                plan.world.end_at_ms = heal_at_ms + after_ms;
            })
        });
    let ending = simpler_numbers(after_ms, 100).filter(|ms| *ms < after_ms).map(|after_ms| {
        changed(plan, &|plan| plan.world.end_at_ms = plan.world.heal_at_ms + after_ms)
    });
    healing.chain(ending).collect()
}

fn changed(plan: &Plan, change: &dyn Fn(&mut Plan)) -> Plan {
    let mut plan = plan.clone();
    change(&mut plan);
    plan
}

/// The plan with one of its faults replaced, for each of them and each of its simpler forms.
fn each_fault(plan: &Plan, simpler: impl Fn(&TimedFault) -> Vec<TimedFault>) -> Vec<Plan> {
    let faults = plan.world.faults.iter().enumerate();
    let replaced = faults.flat_map(|(index, timed)| {
        let simpler = simpler(timed).into_iter();
        simpler.map(move |fault| changed(plan, &|plan| plan.world.faults[index] = fault))
    });
    replaced.collect()
}

/// Leading digits of numbers that people call round: two decades in five even steps or so.
const ROUND: [u64; 5] = [10, 15, 20, 30, 50];

/// Numbers that are simpler than this one, the simplest first: the usual one, then round ones in
/// growing order. A number that is not round may grow to the next round one.
fn simpler_numbers(value: u64, usual: u64) -> impl Iterator<Item = u64> {
    let decades = (0..15).map(|power| 10_u64.pow(power));
    let round = decades.flat_map(|decade| ROUND.map(|digits| digits * decade / 10));
    let is_round = value == usual || round.clone().any(|number| number == value);
    let limit = if is_round { value } else { value.saturating_mul(2) };
    let below = round.take_while(move |number| *number < limit);
    let simpler = std::iter::once(usual).chain(below.filter(move |number| *number > usual));
    simpler.take(if value == usual { 0 } else { usize::MAX })
}

/// This time on a coarser grid, the coarsest first; none coarser than what it already fits.
fn rounder_times(at_ms: u64) -> Vec<u64> {
    let grids =
        [1000, 500, 100, 50, 10].into_iter().take_while(|grid| !at_ms.is_multiple_of(*grid));
    let mut times: Vec<u64> = Vec::new();
    for grid in grids {
        times.extend([at_ms / grid * grid, at_ms.next_multiple_of(grid)]);
    }
    times
}

#[cfg(test)]
mod tests;
