//! Reading what a person wrote: scenarios and plans. Every mistake gets one clear error with its
//! place and the valid choices.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use miette::{Diagnostic, NamedSource, SourceSpan};

use picklock_sim::history;
use picklock_sim::plan::check_ms;

use super::{Scenario, SweepSpec};
use crate::checkers;
use crate::contender::Contender;
use crate::families::{FAMILIES, Family};
use crate::plan::{LARGEST_INITIAL, PLAN_VERSION, Plan};
use crate::terms::History;

/// Input that cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub struct InputError {
    message: String,
    #[source_code]
    source_code: Arc<NamedSource<String>>,
    #[label("here")]
    at: Option<SourceSpan>,
    #[help]
    help: Option<String>,
}

impl InputError {
    /// An error about a whole file.
    pub fn about_file(path: &Path, message: impl Into<String>) -> Self {
        Self::new(path, String::new(), None, format!("{}: {}", path.display(), message.into()))
    }

    fn new(path: &Path, text: String, at: Option<std::ops::Range<usize>>, message: String) -> Self {
        let source_code = Arc::new(NamedSource::new(path.display().to_string(), text));
        Self { message, source_code, at: at.map(SourceSpan::from), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Reads a scenario.
///
/// # Errors
/// See [`InputError`]; it names the file and the line.
pub fn load(path: &Path) -> Result<Scenario, InputError> {
    let text = read(path)?;
    let mut scenario: Scenario = toml::from_str(&text).map_err(|error| {
        InputError::new(path, text.clone(), error.span(), error.message().to_owned())
    })?;
    scenario.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    scenario.file = path.to_owned();
    for (spec, line) in scenario.contender.iter_mut().zip(contender_lines(&text)) {
        spec.line = line;
    }
    check(&scenario).map_err(|problem| {
        let at = problem.find.and_then(|wanted| place_of(&text, &wanted));
        let error = InputError::new(path, text.clone(), at, problem.message);
        match problem.help {
            Some(help) => error.help(help),
            None => error,
        }
    })?;
    Ok(scenario)
}

/// On which line each contender stands, so that a report can point at it.
fn contender_lines(text: &str) -> Vec<usize> {
    #[derive(serde::Deserialize)]
    struct Places {
        contender: Vec<toml::Spanned<serde::de::IgnoredAny>>,
    }
    let places = toml::from_str(text).map_or(Vec::new(), |places: Places| places.contender);
    let line =
        |start: usize| text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
    places.iter().map(|place| line(place.span().start)).collect()
}

/// Reads a plan.
///
/// # Errors
/// See [`InputError`].
pub fn load_plan(path: &Path) -> Result<Plan, InputError> {
    let plan: Plan = parse_plan(path)?;
    plan.check().map_err(|error| InputError::about_file(path, error.to_string()))?;
    Ok(plan)
}

/// Reads a plan of a contender that is in no list: somebody's own lock.
///
/// # Errors
/// See [`InputError`]; also a plan of another contender.
pub fn load_plan_of(path: &Path, contender: Contender) -> Result<Plan, InputError> {
    let plan: Plan<String> = parse_plan(path)?;
    if plan.contender != contender.to_string() {
        let message = format!("is a plan of `{}`, not of `{contender}`", plan.contender);
        return Err(InputError::about_file(path, message));
    }
    let plan = plan.with_contender(contender);
    plan.check().map_err(|error| InputError::about_file(path, error.to_string()))?;
    Ok(plan)
}

fn parse_plan<C: serde::de::DeserializeOwned>(path: &Path) -> Result<Plan<C>, InputError> {
    #[derive(serde::Deserialize)]
    struct VersionOnly {
        picklock_plan: Option<u32>,
    }
    let text = read(path)?;
    let at_line = |error: serde_json::Error| {
        let offset = text.lines().take(error.line().saturating_sub(1)).map(|line| line.len() + 1);
        let start = (offset.sum::<usize>() + error.column().saturating_sub(1)).min(text.len());
        InputError::new(path, text.clone(), Some(start..start), error.to_string())
    };
    let version: VersionOnly = serde_json::from_str(&text).map_err(at_line)?;
    match version.picklock_plan {
        Some(PLAN_VERSION) => {}
        Some(other) => {
            let message = format!("is a plan of version {other}; this build reads {PLAN_VERSION}");
            return Err(InputError::about_file(path, message).help(
                "replay it with the picklock that wrote it, or make it anew from its scenario",
            ));
        }
        None => {
            return Err(InputError::about_file(path, "is no plan: `picklock_plan` is missing")
                .help("`picklock run` writes a plan for each run that breaks a claim"));
        }
    }
    serde_json::from_str(&text).map_err(at_line)
}

/// Reads a history.
///
/// # Errors
/// See [`InputError`]; a history that was cut off anywhere is refused.
pub fn load_history(path: &Path) -> Result<History, InputError> {
    let file = fs::File::open(path)
        .map_err(|error| InputError::about_file(path, format!("cannot be read: {error}")))?;
    history::read(io::BufReader::new(file))
        .map_err(|error| InputError::about_file(path, error.to_string()))
}

fn read(path: &Path) -> Result<String, InputError> {
    fs::read_to_string(path)
        .map_err(|error| InputError::about_file(path, format!("cannot be read: {error}")))
}

/// Something that the parser could not see; `find` is a text near which it stands.
struct Problem {
    message: String,
    find: Option<String>,
    help: Option<String>,
}

fn check(scenario: &Scenario) -> Result<(), Problem> {
    let problem =
        |message: String, find: &str| Problem { message, find: Some(find.to_owned()), help: None };
    if scenario.contender.is_empty() {
        return Err(problem("nobody is judged: `contender` is empty".to_owned(), "contender"));
    }
    if scenario.run.runs == 0 {
        return Err(problem("`runs` must be at least 1".to_owned(), "runs"));
    }
    if let Some(name) = &scenario.family {
        if Family::find(name).is_none() {
            let names = FAMILIES.iter().map(|family| family.name);
            return Err(Problem {
                help: Some(format!("there are {}", list(names))),
                ..problem(format!("there is no fault family `{name}`"), name)
            });
        }
        if !scenario.fault.is_empty() {
            let message = "`family` draws the faults; there can be no `[[fault]]` besides";
            return Err(problem(message.to_owned(), "family"));
        }
    }
    check_sweep(&scenario.sweep)?;
    let known = checkers::names();
    for spec in &scenario.contender {
        let named = spec.always.iter().chain(&spec.sometimes).chain(&spec.may);
        if let Some(unknown) = named.into_iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Problem {
                help: Some(format!("there are {}", list(known.iter().copied()))),
                ..problem(format!("there is no checker `{unknown}`"), unknown)
            });
        }
        let unbroken = Scenario { family: None, ..scenario.clone() };
        let plan = unbroken.plan(spec.name, picklock_sim::seed::Seed(scenario.run.seed));
        plan.check().map_err(|error| {
            let find = match &error {
                picklock_sim::plan::PlanError::NoSuchHost { host, .. } => host.to_string(),
                picklock_sim::plan::PlanError::Nonsense(text) => {
                    key_named_in(text).unwrap_or_else(|| spec.name.to_string())
                }
            };
            problem(error.to_string(), &find)
        })?;
    }
    Ok(())
}

fn check_sweep(sweep: &SweepSpec) -> Result<(), Problem> {
    for name in sweep.families.iter().flatten() {
        if Family::find(name).is_none() {
            let names = FAMILIES.iter().map(|family| family.name);
            return Err(Problem {
                message: format!("there is no fault family `{name}`"),
                find: Some(name.clone()),
                help: Some(format!("there are {}", list(names))),
            });
        }
    }
    let clients = sweep.clients.map(|(low, high)| (u64::from(low), u64::from(high)));
    for (key, bounds) in [
        ("clients", clients),
        ("initial", sweep.initial),
        ("hold_ms", sweep.hold_ms),
        ("think_ms", sweep.think_ms),
        ("stagger_ms", sweep.stagger_ms),
        ("latency_ms", sweep.latency_ms),
        ("lasting_ms", sweep.lasting_ms),
    ] {
        let problem = match bounds {
            Some((low, high)) if low > high => format!("`{key}` begins above its end"),
            Some((0, _)) if key == "clients" => "a run needs at least one client".to_owned(),
            Some((_, high)) if key == "clients" && high > 500 => {
                format!("`{key}`: at most 500 clients can be swept")
            }
            Some((_, high)) if key.ends_with("_ms") && check_ms(key, high).is_err() => {
                format!("`{key}`: {high} ms is longer than any run can be")
            }
            Some((_, high)) if key == "initial" && high > LARGEST_INITIAL => {
                format!("`{key}`: at most {LARGEST_INITIAL} will do")
            }
            _ => continue,
        };
        return Err(Problem { message: problem, find: Some(key.to_owned()), help: None });
    }
    Ok(())
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The first key that a message names; keys of numbers end in their unit.
fn key_named_in(message: &str) -> Option<String> {
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let key = words.find(|word| {
        let without_unit = ["initial", "reentries", "shared_every"].contains(word);
        without_unit || word.ends_with("_ms") || word.ends_with("_ppm")
    })?;
    Some(key.to_owned())
}

/// Where a quoted text or a key stands in the file.
fn place_of(text: &str, wanted: &str) -> Option<std::ops::Range<usize>> {
    let quoted = format!("\"{wanted}\"");
    let start = text.find(&quoted).map(|at| at + 1).or_else(|| text.find(wanted))?;
    Some(start..start + wanted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contenders_are_found_however_they_are_written() {
        let tables = "about = 'a'\n\n[[contender]]\nname = 'a'\n\n# b\n[[contender]]\nname = 'b'\n";
        assert_eq!(contender_lines(tables), [3, 7]);
        let inline = "contender = [\n  { name = 'a' },\n  { name = 'b' },\n]\n";
        assert_eq!(contender_lines(inline), [2, 3]);
        assert!(contender_lines("no toml").is_empty());
    }
}
