//! What is known about a finding: which scenario of ours shows it, who published it, and whether it was seen on
//! real servers.
//!
//! A scenario knows a finding if it expects the same checker to fail for the same lock, and if it breaks at least what
//! the smallest counterexample needs. That is read from its file, not run: `picklock run` sees to it that scenarios
//! do what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use picklock_sim::seed::Seed;

use crate::outcome::Outcome;
use crate::scenario::{ContenderSpec, Scenario};
use crate::search::cause::Cause;

/// Scenarios, and what came of carrying them out on real servers.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// In the order in which they were named.
    pub scenarios: Vec<Scenario>,
    /// The answer for a scenario's contender: `confirmed`, or why not.
    confirmed: BTreeMap<(String, String), String>,
}

impl Catalogue {
    /// These scenarios, and the table that `picklock-adapters confirm --report` wrote; what is no row of it says
    /// nothing.
    pub fn new(scenarios: Vec<Scenario>, confirmed: &str) -> Self {
        let rows = confirmed.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let mut name = || Some(cells.next()?.trim_matches('`').to_owned());
            let place = (name()?, name()?);
            let answer = cells.nth(1)?.replace("**", "");
            Some((place, answer.split(':').next().unwrap_or_default().to_owned()))
        });
        Self { scenarios, confirmed: rows.collect() }
    }

    /// How many answers of real servers the table had.
    pub fn answers(&self) -> usize {
        self.confirmed.len()
    }

    /// The scenarios that know this finding of this lock, or else of another one with the same kind of server; those
    /// that need least first.
    pub fn knowing(&self, example: &Outcome, checker: &str) -> Known<'_> {
        let contender = example.plan.contender;
        let own = self
            .expecting(example, |spec| spec.name == contender && expects(spec).contains(checker));
        if !own.is_empty() {
            return Known::Of(own);
        }
        Known::OfOthers(self.expecting(example, |spec| {
            spec.name.store == contender.store && expects(spec).contains(checker)
        }))
    }

    /// The scenarios that expect such a thing, of those that break what the example needs.
    fn expecting(
        &self,
        example: &Outcome,
        such: impl Fn(&ContenderSpec) -> bool,
    ) -> Vec<&Scenario> {
        let cause = Cause::of(&example.plan);
        let mut known: Vec<&Scenario> = Vec::new();
        for scenario in &self.scenarios {
            let Some(spec) = scenario.contender.iter().find(|spec| such(spec)) else { continue };
            let broken = Cause::of(&scenario.plan(spec.name, Seed(scenario.run.seed)));
            let less = !cause.is_none() && cause.is_part_of(&broken);
            if cause == broken || less {
                known.push(scenario);
            }
        }
        // The sort is stable: of two that need the same, the one that was named first.
        known.sort_by_key(|scenario| scenario.fault.len());
        known
    }

    /// What came of it on real servers, if it was tried.
    pub fn on_real_servers(&self, scenario: &Scenario, contender: &str) -> Option<&str> {
        let place = (scenario.name.clone(), contender.to_owned());
        self.confirmed.get(&place).map(String::as_str)
    }
}

/// Scenarios that show a finding.
#[derive(Debug)]
pub enum Known<'a> {
    /// Of this very lock.
    Of(Vec<&'a Scenario>),
    /// Not of this lock, but of others like it; maybe none.
    OfOthers(Vec<&'a Scenario>),
}

/// The checkers that find something in a scenario, in each run or in some.
pub fn expects(spec: &ContenderSpec) -> BTreeSet<&str> {
    spec.always.iter().chain(&spec.sometimes).map(String::as_str).collect()
}

/// Who published what a scenario shows; none if it is a finding of our own.
pub fn published(scenario: &Scenario) -> Option<&str> {
    scenario.source.as_deref().filter(|source| !source.starts_with("own finding"))
}

/// A scenario's file as it is written in a command, from the top of the checkout.
pub fn file(scenario: &Scenario) -> PathBuf {
    let parts: Vec<_> = scenario.file.components().collect();
    let top = parts.iter().rposition(|part| part.as_os_str() == "scenarios").unwrap_or(0);
    parts[top..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::pipeline;
    use crate::scenario;

    fn scenario(name: &str) -> Scenario {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        scenario::load(&top.join("scenarios/published").join(name)).unwrap()
    }

    const CONFIRMED: &str = "# Title\n\n| scenario | contender | simulated | real | tries |\n|---|---|---|---|---:|\n\
        | `s1-gc-pause` | `redis-token-cad` | oversold | **confirmed** | 1 |\n\
        | `s1-gc-pause` | `redis-watchdog` | oversold | cannot be expressed: too bad | 0 |\n";

    #[test]
    fn a_scenario_knows_what_it_shows_and_nothing_else() {
        let pause = scenario("s1-gc-pause.toml");
        let contender = pause.contender[0].name;
        let outcome = pipeline::run(&pause.plan(contender, Seed(1)), Engine::Event).unwrap();
        let catalogue = Catalogue::new(vec![scenario("s2-late-packet.toml"), pause], CONFIRMED);
        let names = |known: &[&Scenario]| -> Vec<String> {
            known.iter().map(|scenario| scenario.name.clone()).collect()
        };
        let knowing = |checker| match catalogue.knowing(&outcome, checker) {
            Known::Of(known) => (true, names(&known)),
            Known::OfOthers(known) => (false, names(&known)),
        };
        assert_eq!(knowing("oversold"), (true, vec!["s1-gc-pause".to_owned()]));
        assert_eq!(knowing("fence-order"), (false, Vec::new()), "nobody expects that");
        let mut other = outcome.clone();
        other.plan.contender = "redis-setpx-del".parse().unwrap();
        let Known::OfOthers(others) = catalogue.knowing(&other, "oversold") else { panic!() };
        assert_eq!(names(&others), ["s1-gc-pause"]);

        let mut less = outcome.clone();
        less.plan.world.faults.clear();
        let Known::OfOthers(none) = catalogue.knowing(&less, "oversold") else { panic!() };
        assert!(none.is_empty(), "the pause is what it shows");
    }

    #[test]
    fn answers_of_real_servers_are_read_from_the_table() {
        let pause = scenario("s1-gc-pause.toml");
        let catalogue = Catalogue::new(Vec::new(), CONFIRMED);
        assert_eq!(catalogue.answers(), 2, "a title and a head are no answers");
        assert_eq!(catalogue.on_real_servers(&pause, "redis-token-cad"), Some("confirmed"));
        assert_eq!(
            catalogue.on_real_servers(&pause, "redis-watchdog"),
            Some("cannot be expressed")
        );
        assert_eq!(catalogue.on_real_servers(&pause, "redis-lua-decr"), None);
    }

    #[test]
    fn a_file_is_named_from_the_top() {
        assert_eq!(
            file(&scenario("s1-gc-pause.toml")),
            PathBuf::from("scenarios/published/s1-gc-pause.toml")
        );
        assert!(published(&scenario("s1-gc-pause.toml")).unwrap().contains("Kleppmann"));
    }
}
