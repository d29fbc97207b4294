//! Every contender against every fault family, on the same plans.
//!
//! Paired: plan n of a family is the same world for every contender, down to the latencies of each
//! link, so that two rows differ by their algorithm and by nothing else. Beside it what each lock costs when
//! nothing goes wrong ([`crate::costs`]).

use std::collections::BTreeMap;

use picklock_sim::host::HostName;
use picklock_sim::run::WorldError;
use picklock_sim::seed::Seed;
use rayon::prelude::*;
use serde::Serialize;

use crate::contender::Contender;
use crate::costs::{Costs, measure};
use crate::engine::Engine;
use crate::families::Family;
use crate::group::Group;
use crate::outcome::{Outcome, Severity};
use crate::pipeline;
use crate::plan::Plan;
use crate::report::findings;
use crate::scenario::Scenario;
use crate::search::shrink::shrink;
use crate::verdict::Judgement;

/// What came out of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// The scenario that was varied.
    pub scenario: String,
    /// The engine.
    pub engine: Engine,
    /// The first seed.
    pub seed: Seed,
    /// Plans per cell.
    pub plans: u32,
    /// The columns.
    pub families: Vec<Column>,
    /// The rows, family by family.
    pub rows: Vec<Row>,
}

/// A fault family.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// Short code.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
}

/// A contender.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its family of algorithms.
    pub group: Group,
    /// Its name.
    pub contender: Contender,
    /// One cell per family.
    pub cells: Vec<Cell>,
    /// What the lock costs, if it is one.
    pub costs: Option<Costs>,
}

/// One contender under one family.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cell {
    /// Plans that were run.
    pub runs: u32,
    /// Runs in which a claim was broken.
    pub broken: u32,
    /// Runs in which nothing claimed was broken, but something else was seen.
    pub unclaimed: u32,
    /// Runs in which a claim could not be judged.
    pub unknown: u32,
    /// Runs in which at least one fault struck: a cell without any says nothing.
    pub struck: u32,
    /// 95 % Wilson interval of the rate of broken runs.
    pub interval: (f64, f64),
    /// What was found, with the number of runs, in the checkers' order.
    pub findings: Vec<Finding>,
    /// The smallest run that shows the worst of what was found.
    #[serde(skip)]
    pub example: Option<Box<Outcome>>,
}

/// One checker's finding in a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which checker.
    pub checker: String,
    /// Whether the contender had promised that this cannot happen.
    pub claimed: bool,
    /// In how many runs.
    pub runs: u32,
}

/// Runs a comparison; `progress` is called after each run.
///
/// # Errors
/// The first run that could not be carried out.
pub fn compare(
    scenario: &Scenario,
    contenders: &[Contender],
    families: &[&'static Family],
    plans: u32,
    engine: Engine,
    progress: &(dyn Fn() + Sync),
) -> Result<Matrix, WorldError> {
    // In the scenario's order within a family of algorithms.
    let mut contenders = contenders.to_vec();
    contenders.sort_by_key(Contender::group);
    let column =
        |family: &&Family| Column { code: family.code, name: family.name, about: family.about };
    let pairs: Vec<_> = contenders
        .iter()
        .flat_map(|contender| families.iter().map(|family| (*contender, *family)))
        .collect();
    // A cell per job, put together in order: the result does not depend on the number of threads.
    let cells: Result<Vec<Cell>, WorldError> = pairs
        .into_par_iter()
        .map(|(contender, family)| run_cell(scenario, contender, family, plans, engine, progress))
        .collect();
    let mut cells = cells?;
    // Side by side: few long searches, and many short runs that fill the gaps.
    let (made, costs) = rayon::join(
        || make_small(&mut cells, families.len(), engine),
        || contenders.par_iter().map(|contender| measure(scenario, *contender, engine)).collect(),
    );
    let costs: Result<Vec<_>, WorldError> = costs;
    made?;
    let mut cells = cells.into_iter();
    let rows = contenders.iter().zip(costs?).map(|(contender, costs)| Row {
        group: contender.group(),
        contender: *contender,
        cells: cells.by_ref().take(families.len()).collect(),
        costs,
    });
    Ok(Matrix {
        scenario: scenario.name.clone(),
        engine,
        seed: Seed(scenario.run.seed),
        plans,
        families: families.iter().map(column).collect(),
        rows: rows.collect(),
    })
}

fn run_cell(
    scenario: &Scenario,
    contender: Contender,
    family: &Family,
    plans: u32,
    engine: Engine,
    progress: &(dyn Fn() + Sync),
) -> Result<Cell, WorldError> {
    let mut cell = Cell::default();
    for number in 0..u64::from(plans) {
        let seed = Seed(scenario.run.seed).derive(format_args!("{} {number}", family.name));
        let plan = scenario.plan_with(contender, seed, Some(family));
        cell.add(pipeline::run_until_judged(&plan, engine)?);
        progress();
    }
    cell.interval = wilson(cell.broken, cell.runs);
    Ok(cell)
}

/// Replaces each example by the smallest run that shows the worst of it.
///
/// What breaks one lock mostly breaks its neighbour: within a column and among locks with the same servers the search
/// begins at what was found for the rows above. That saves time, and lets examples be compared.
fn make_small(cells: &mut [Cell], columns: usize, engine: Engine) -> Result<(), WorldError> {
    let mut alike: BTreeMap<(usize, Vec<HostName>), Vec<&mut Cell>> = BTreeMap::new();
    for (number, cell) in cells.iter_mut().enumerate() {
        if let Some(example) = &cell.example {
            let hosts = example.plan.world.hosts.iter().map(|host| host.name);
            alike.entry((number % columns, hosts.collect())).or_default().push(cell);
        }
    }
    let jobs: Vec<_> = alike.into_values().collect();
    jobs.into_par_iter().try_for_each(|cells| {
        let mut found: Vec<Plan> = Vec::new();
        for cell in cells {
            let Some(example) = cell.example.take() else { continue };
            let small = smallest(*example, &found, engine)?;
            if !found.iter().any(|plan| plan.world.faults == small.plan.world.faults) {
                found.push(small.plan.clone());
            }
            cell.example = Some(Box::new(small));
        }
        Ok(())
    })
}

/// The smallest run that shows the worst of what this one shows, looked for from the first of these plans that
/// shows it too.
fn smallest(example: Outcome, known: &[Plan], engine: Engine) -> Result<Outcome, WorldError> {
    let rank = |(judgement, _): &(&Judgement, _)| {
        (!judgement.claimed, findings::damage(&judgement.checker))
    };
    let Some((worst, _)) = example.violations().min_by_key(rank) else { return Ok(example) };
    let (checker, claimed) = (worst.checker.clone(), worst.claimed);
    let shows = |outcome: &Outcome| {
        let mut found = outcome.violations();
        found.any(|(one, _)| one.checker == checker && one.claimed == claimed)
    };
    let run = |plan: &Plan| pipeline::run(plan, engine);
    let mut start = None;
    for plan in known {
        let plan = plan.clone().with_contender(example.plan.contender);
        if shows(&run(&plan)?) {
            start = Some(plan);
            break;
        }
    }
    shrink(&start.unwrap_or(example.plan), &run, shows).map(|shrunk| shrunk.outcome)
}

impl Matrix {
    /// The rows with their places, family by family.
    pub fn groups(&self) -> impl Iterator<Item = (Group, impl Iterator<Item = (usize, &Row)>)> {
        let mut from = 0;
        self.rows.chunk_by(|a, b| a.group == b.group).map(move |rows| {
            let first = from;
            from += rows.len();
            let places = rows.iter().enumerate().map(move |(place, row)| (first + place, row));
            (rows[0].group, places)
        })
    }
}

impl Cell {
    /// How bad the worst run was.
    pub fn severity(&self) -> Severity {
        match self {
            Cell { broken: 1.., .. } => Severity::Broken,
            Cell { unknown: 1.., .. } => Severity::Unknown,
            Cell { unclaimed: 1.., .. } => Severity::Unclaimed,
            _ => Severity::Clean,
        }
    }

    fn add(&mut self, outcome: Outcome) {
        self.runs += 1;
        match outcome.severity() {
            Severity::Broken => self.broken += 1,
            Severity::Unknown => self.unknown += 1,
            Severity::Unclaimed => self.unclaimed += 1,
            Severity::Clean => {}
        }
        self.struck += u32::from(outcome.faults_struck() > 0);
        for (judgement, _) in outcome.violations() {
            match self.findings.iter_mut().find(|finding| finding.checker == judgement.checker) {
                Some(finding) => finding.runs += 1,
                None => self.findings.push(Finding {
                    checker: judgement.checker.clone(),
                    claimed: judgement.claimed,
                    runs: 1,
                }),
            }
        }
        let order = crate::checkers::names();
        self.findings.sort_by_key(|finding| order.iter().position(|name| *name == finding.checker));
        self.keep_if_better(outcome);
    }

    /// The example is the worst, then the earliest: the least there is to read before it happens.
    fn keep_if_better(&mut self, outcome: Outcome) {
        let rank = |outcome: &Outcome| {
            let first = outcome.violations().map(|(_, violation)| violation.at).min();
            (std::cmp::Reverse(outcome.severity()), first)
        };
        if outcome.violations().next().is_none() {
            return;
        }
        if self.example.as_ref().is_none_or(|best| rank(&outcome) < rank(best)) {
            self.example = Some(Box::new(outcome));
        }
    }
}

/// The 95 % Wilson score interval of `hits` out of `runs` (Wilson, 1927).
pub fn wilson(hits: u32, runs: u32) -> (f64, f64) {
    if runs == 0 {
        return (0.0, 1.0);
    }
    const Z: f64 = 1.96;
    let (n, p) = (f64::from(runs), f64::from(hits) / f64::from(runs));
    let denominator = 1.0 + Z * Z / n;
    let center = (p + Z * Z / (2.0 * n)) / denominator;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / denominator;
    ((center - half).max(0.0), (center + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_gives_the_textbook_values() {
        let rounded = |(low, high): (f64, f64)| ((low * 1000.0).round(), (high * 1000.0).round());
        assert_eq!(rounded(wilson(0, 20)), (0.0, 161.0));
        assert_eq!(rounded(wilson(10, 20)), (299.0, 701.0));
        assert_eq!(rounded(wilson(20, 20)), (839.0, 1000.0));
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}
