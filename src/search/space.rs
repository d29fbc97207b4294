//! All the plans that a question allows, as a proptest strategy: the mechanism by which sweeps and
//! property tests draw, and from whose trees they shrink.
//!
//! Drawn swarm-wise (Groce et al., ISSTA 2012): most plans have one or two fault families on and all
//! the others off, because faults that strike together hide each other. Half of every plan's shape
//! (clients, times, stock, latency) stays as the scenario says, so that its own case is among them.
//! Everything comes from named streams of the plan's seed: the same seed gives every contender the
//! same world, and a family that is taken out moves nothing else.

use std::fmt::Debug;
use std::ops::{Range, RangeInclusive};

use picklock_sim::fault::TimedFault;
use picklock_sim::host::HostName;
use picklock_sim::plan::HostPlan;
use picklock_sim::seed::{Seed, Stream};
use proptest::prop_oneof;
use proptest::sample::subsequence;
use proptest::strategy::{BoxedStrategy, Just, NewTree, Strategy};
use proptest::test_runner::TestRunner;

use super::tree::PlanTree;
use crate::contender::Contender;
use crate::families::{FAMILIES, Family, sample};
use crate::plan::Plan;
use crate::scenario::{Scenario, SweepSpec};

/// What the scenario's own faults are called among the families.
pub const OWN: &str = "as the scenario says";

/// All the plans of one question.
#[derive(Clone, Debug)]
pub struct Space {
    /// The scenario's plan, without faults.
    base: Plan,
    /// The scenario's own faults: one more family.
    own: Vec<TimedFault>,
    families: Vec<&'static Family>,
    shape: SweepSpec,
}

/// A plan, and where its faults come from.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The plan.
    pub plan: Plan,
    /// The families that are on, each with the places of its faults in the plan's list.
    pub families: Vec<(&'static str, Range<usize>)>,
}

/// Clients, stock, times: what a plan is besides its faults.
#[derive(Clone, Copy, Debug)]
struct Shape {
    clients: u16,
    initial: u64,
    hold_ms: u64,
    think_ms: u64,
    stagger_ms: u64,
    latency_ms: u64,
}

impl Space {
    /// The plans around a scenario, with faults of these families; `None`: of those that the
    /// scenario names for sweeps, else of all.
    pub fn of(
        scenario: &Scenario,
        contender: Contender,
        families: Option<&[&'static Family]>,
    ) -> Self {
        let quiet = Scenario { fault: Vec::new(), family: None, ..scenario.clone() };
        let named = scenario.sweep.families.as_ref();
        let wanted = |family: &&Family| match (families, named) {
            (Some(families), _) => families.iter().any(|wanted| wanted.name == family.name),
            (None, Some(names)) => names.iter().any(|name| name == family.name),
            (None, None) => true,
        };
        // "none" is not a family to be drawn: no family on is.
        let drawable = FAMILIES.iter().filter(|family| family.name != "none");
        Self {
            base: quiet.plan(contender, Seed(0)),
            own: scenario.fault.clone(),
            families: drawable.filter(wanted).collect(),
            shape: scenario.sweep.clone(),
        }
    }

    /// The names of all families that can be on, the scenario's own faults first.
    pub fn families(&self) -> Vec<&'static str> {
        let own = (!self.own.is_empty()).then_some(OWN);
        own.into_iter().chain(self.families.iter().map(|family| family.name)).collect()
    }

    /// The plan of this seed.
    pub fn draw(&self, seed: Seed) -> Drawn {
        let mut plan = self.base.clone();
        plan.world.seed = seed;
        sample(&self.shapes(), &mut seed.stream("shape")).give(&mut plan);

        let on = sample(&swarm(self.families()), &mut seed.stream("swarm"));
        let on_here = |family: &&&Family| on.contains(&family.name);
        for family in self.families.iter().filter(on_here) {
            family.prepare(&mut plan);
        }
        let own = on.contains(&OWN).then(|| (OWN, self.own.clone()));
        let drawn = self.families.iter().filter(on_here).map(|family| {
            let mut faults =
                family.draw(&plan, seed.stream(format_args!("faults {}", family.name)));
            let lasting = seed.stream(format_args!("lasting {}", family.name));
            shorten(&mut faults, self.shape.lasting_ms, lasting);
            (family.name, faults)
        });
        let mut families = Vec::new();
        let mut faults = Vec::new();
        for (name, some) in own.into_iter().chain(drawn) {
            families.push((name, faults.len()..faults.len() + some.len()));
            faults.extend(some);
        }
        plan.world.faults = faults;
        plan.world.end_at_ms =
            plan.world.end_at_ms.max(plan.world.heal_at_ms + plan.to_recover_ms());
        Drawn { plan, families }
    }

    /// The shapes that plans can have.
    fn shapes(&self) -> BoxedStrategy<Shape> {
        let (base, spec) = (&self.base, &self.shape);
        let (work, ttl_ms) = (base.workload, base.lease_ms());
        let latency_ms = base.world.latency.max_us / 1000;
        let slower_ms = (4 * latency_ms).min(ttl_ms / 20).max(1);
        (
            self.clients(),
            initial(work.initial.unsigned_abs(), spec.initial),
            hold_ms(work.hold_ms, spec.hold_ms, ttl_ms),
            around(work.think_ms, spec.think_ms, (0, ttl_ms / 5)),
            around(work.stagger_ms, spec.stagger_ms, (0, ttl_ms / 2)),
            around(latency_ms, spec.latency_ms, (latency_ms.min(1), slower_ms)),
        )
            .prop_map(|(clients, initial, hold_ms, think_ms, stagger_ms, latency_ms)| Shape {
                clients,
                initial,
                hold_ms,
                think_ms,
                stagger_ms,
                latency_ms,
            })
            .boxed()
    }

    /// How many clients. The scenario's own faults name some: there cannot be fewer.
    fn clients(&self) -> BoxedStrategy<u16> {
        let named = self.own.iter().flat_map(TimedFault::hosts).filter(|host| host.is_client());
        let named = named.map(|host| host.number).max();
        let least = named.unwrap_or(1).max(1);
        let own = self.base.clients().count() as u16;
        let at_least = |(low, high): (u16, u16)| (low.max(least), high.max(least));
        around(own, self.shape.clients.map(at_least), at_least((own.min(2), own.max(3) + 2)))
    }
}

/// Has faults that would last longer than these bounds last within them.
fn shorten(faults: &mut [TimedFault], bounds: Option<(u64, u64)>, mut random: Stream) {
    let Some((least, most)) = bounds else { return };
    for lasting_ms in faults.iter_mut().filter_map(|fault| fault.lasting_ms.as_mut()) {
        if *lasting_ms > most {
            *lasting_ms = random.between(least, most);
        }
    }
}

/// The scenario's own value, unless it lies outside the bounds that the scenario sets for sweeps, or
/// another one.
fn around<T>(own: T, bounds: Option<(T, T)>, usual: (T, T)) -> BoxedStrategy<T>
where
    T: Copy + PartialOrd + Debug + 'static,
    RangeInclusive<T>: Strategy<Value = T>,
{
    let (low, high) = bounds.unwrap_or(usual);
    match bounds {
        Some((low, high)) if !(low..=high).contains(&own) => (low..=high).boxed(),
        _ => prop_oneof![Just(own), low..=high].boxed(),
    }
}

/// A stock that is sold out in the run, or so large that every write matters to the end.
fn initial(own: u64, bounds: Option<(u64, u64)>) -> BoxedStrategy<u64> {
    match bounds {
        None => prop_oneof![2 => Just(own), 1 => 1..=100_u64, 1 => Just(1_000_000)].boxed(),
        bounds => around(own, bounds, (0, 0)),
    }
}

/// Work that outlasts the lease needs no fault to break a lock that does not renew: worth a look now
/// and then, but not more.
fn hold_ms(own: u64, bounds: Option<(u64, u64)>, ttl_ms: u64) -> BoxedStrategy<u64> {
    match bounds {
        None => {
            prop_oneof![6 => Just(own), 5 => 0..=ttl_ms * 6 / 10, 1 => ttl_ms..=ttl_ms * 3].boxed()
        }
        bounds => around(own, bounds, (0, 0)),
    }
}

impl Shape {
    fn give(self, plan: &mut Plan) {
        plan.workload.initial = self.initial as i64;
        plan.workload.hold_ms = self.hold_ms;
        plan.workload.think_ms = self.think_ms;
        plan.workload.stagger_ms = self.stagger_ms;
        plan.world.latency.max_us = self.latency_ms * 1000;
        plan.world.latency.min_us = plan.world.latency.min_us.min(plan.world.latency.max_us);
        let hosts = &mut plan.world.hosts;
        hosts.retain(|host| !host.name.is_client() || host.name.number <= self.clients);
        let there = hosts.iter().filter(|host| host.name.is_client()).count() as u16;
        hosts.extend((there + 1..=self.clients).map(|number| {
            let name = HostName::client(number);
            HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 }
        }));
    }
}

/// Which families are on: now and then none, mostly one or two.
fn swarm(families: Vec<&'static str>) -> BoxedStrategy<Vec<&'static str>> {
    let some = |count: usize| subsequence(families.clone(), count.min(families.len()));
    prop_oneof![1 => some(0), 8 => some(1), 5 => some(2), 2 => some(3), 1 => some(5)].boxed()
}

impl Strategy for Space {
    type Tree = PlanTree;
    type Value = Plan;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        use proptest::prelude::Rng;
        let seed = Seed(runner.rng().next_u64());
        Ok(PlanTree::new(self.draw(seed).plan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    fn s1(change: impl FnOnce(&mut Scenario)) -> Space {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut scenario = load(&top.join("scenarios/published/s1-gc-pause.toml")).unwrap();
        change(&mut scenario);
        Space::of(&scenario, scenario.contender[0].name, None)
    }

    #[test]
    fn bounds_hold_and_the_own_value_is_drawn_only_within_them() {
        let space = s1(|scenario| {
            scenario.sweep.clients = Some((3, 5));
            scenario.sweep.think_ms = Some((7, 9));
        });
        let plans: Vec<Plan> = (0..200).map(|seed| space.draw(Seed(seed)).plan).collect();
        let clients = |plan: &Plan| plan.clients().count();
        assert!(plans.iter().all(|plan| (3..=5).contains(&clients(plan))), "the scenario has 2");
        assert!(plans.iter().all(|plan| (7..=9).contains(&plan.workload.think_ms)));
        assert!((3..=5).all(|count| plans.iter().any(|plan| clients(plan) == count)));
    }

    #[test]
    fn faults_that_would_last_longer_last_within_the_bounds() {
        let names = ["partition", "lost-grant", "clock-forward"].map(str::to_owned).to_vec();
        let space = s1(|scenario| {
            scenario.sweep.families = Some(names.clone());
            scenario.sweep.lasting_ms = Some((100, 300));
        });
        let unbounded = s1(|scenario| scenario.sweep.families = Some(names.clone()));
        let mut drawn = std::collections::BTreeSet::new();
        for seed in (0..300).map(Seed) {
            let (short, long) = (space.draw(seed), unbounded.draw(seed));
            for (name, place) in short.families {
                let faults = &short.plan.world.faults[place.clone()];
                for (fault, longer) in faults.iter().zip(&long.plan.world.faults[place]) {
                    match name {
                        "partition" => drawn.extend(fault.lasting_ms),
                        // The scenario's own pause, a reset that is over at once, a step that stays.
                        _ => assert_eq!(fault, longer, "{name}"),
                    }
                }
            }
        }
        assert!(drawn.len() > 50 && drawn.iter().all(|ms| (100..=300).contains(ms)), "{drawn:?}");
    }

    #[test]
    fn the_scenario_s_own_case_is_among_its_plans() {
        let (space, own) = (s1(|_| {}), s1(|_| {}).own);
        let mut plans = (0..500).map(|seed| space.draw(Seed(seed)));
        let as_written = plans.any(|Drawn { plan, families }| {
            families.iter().any(|(name, _)| *name == OWN)
                && plan.world.faults == own
                && plan.workload.initial == 1
                && plan.clients().count() == 2
        });
        assert!(as_written);
    }

    #[test]
    fn a_family_that_is_taken_out_moves_nothing_else() {
        let all = s1(|_| {});
        let names: Vec<String> = all.families.iter().map(|family| family.name.to_owned()).collect();
        let without = s1(|scenario| scenario.sweep.families = Some(names[1..].to_vec()));
        for seed in (0..200).map(Seed) {
            let (one, other) = (all.draw(seed).plan, without.draw(seed).plan);
            assert_eq!(one.workload.initial, other.workload.initial);
            assert_eq!(one.world.hosts, other.world.hosts);
            assert_eq!(one.world.latency, other.world.latency);
        }
    }

    #[test]
    fn a_scenario_that_pins_everything_is_swept_as_it_is() {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/bench");
        for name in ["record.toml", "record-16.toml", "record-idle.toml"] {
            let scenario = load(&top.join(name)).unwrap();
            let contender = scenario.contender[0].name;
            let space = Space::of(&scenario, contender, None);
            assert_eq!(space.families(), Vec::<&str>::new());
            for seed in (0..50).map(Seed) {
                assert_eq!(space.draw(seed).plan, scenario.plan(contender, seed), "{name}");
            }
        }
    }
}
