//! What a CI system wants to know, independent of the command that found it out: named cases, each
//! passed, failed, not judged or skipped, with its story and the command that repeats it.
//!
//! Every writer for CI (JUnit, annotations, Markdown) shows this one value; every command that judges
//! builds one. There are no times in it: two runs of one command must give the same bytes.

use std::path::{Path, PathBuf};

use super::{findings, terminal};
use crate::cli::ContenderResult;
use crate::engine::Engine;
use crate::verdict::{Judgement, Verdict};

/// The cases of one command, in the order in which they were asked for.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// What the cases are cases of: `picklock run`.
    pub name: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One question and its answer.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it belongs to: its scenario.
    pub group: String,
    /// Its name, unique within the group: the contender.
    pub name: String,
    /// What came of it.
    pub status: Status,
    /// What was found, in a few words: `clean`, or the checkers that found something.
    pub found: String,
    /// How many runs were made.
    pub runs: usize,
    /// Where it is asked for.
    pub place: Option<Place>,
    /// The plan of the run that is told.
    pub plan: Option<PathBuf>,
    /// The command that repeats this run.
    pub repeat: Option<String>,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub enum Status {
    /// Everything as expected.
    Passed,
    /// A verdict that was not expected.
    Failed(Trouble),
    /// A claim could not be judged; never a pass.
    Errored(Trouble),
    /// It was not asked.
    Skipped {
        /// Why not.
        why: String,
    },
}

/// What is wrong with a case.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What is not as expected: a line per surprise.
    pub message: String,
    /// The stories, line by line, for a person.
    pub details: Vec<String>,
    /// How bad it is among its like: 0 is the worst.
    pub damage: usize,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As expected.
    pub passed: usize,
    /// Not as expected.
    pub failed: usize,
    /// Not judged.
    pub errored: usize,
    /// Not asked.
    pub skipped: usize,
}

impl Suite {
    /// A suite without cases.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), cases: Vec::new() }
    }

    /// Adds a case.
    pub fn push(&mut self, case: Case) {
        self.cases.push(case);
    }

    /// The results of `picklock run`.
    pub(crate) fn of_run(engine: Engine, results: &[ContenderResult]) -> Self {
        let name = match engine {
            Engine::Event => "picklock run".to_owned(),
            other => format!("picklock run, {other} engine"),
        };
        Self { name, cases: results.iter().map(Case::of_run).collect() }
    }

    /// How many cases came out how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in &self.cases {
            *match case.status {
                Status::Passed => &mut counts.passed,
                Status::Failed(_) => &mut counts.failed,
                Status::Errored(_) => &mut counts.errored,
                Status::Skipped { .. } => &mut counts.skipped,
            } += 1;
        }
        counts
    }

    /// The cases, the worst first: failed (by damage), not judged, skipped, passed.
    pub fn worst_first(&self) -> Vec<&Case> {
        let mut cases: Vec<_> = self.cases.iter().collect();
        cases.sort_by_key(|case| match &case.status {
            Status::Failed(trouble) => (0, trouble.damage),
            Status::Errored(trouble) => (1, trouble.damage),
            Status::Skipped { .. } => (2, 0),
            Status::Passed => (3, 0),
        });
        cases
    }

    /// The counts as a line.
    pub fn tally(&self) -> String {
        let Counts { passed, failed, errored, skipped } = self.counts();
        let mut line = format!("{passed} as expected, {failed} not as expected");
        if errored > 0 {
            line.push_str(&format!(", {errored} not judged"));
        }
        if skipped > 0 {
            line.push_str(&format!(", {skipped} skipped"));
        }
        line
    }
}

impl Case {
    /// A case of which nothing more is known yet; fill in what is.
    pub fn new(group: impl Into<String>, name: impl Into<String>, status: Status) -> Self {
        Self {
            group: group.into(),
            name: name.into(),
            status,
            found: String::new(),
            runs: 0,
            place: None,
            plan: None,
            repeat: None,
        }
    }

    /// With the line where it is asked for.
    pub fn at(mut self, file: &Path, line: usize) -> Self {
        self.place = Some(Place { file: file.to_owned(), line });
        self
    }

    /// With the plan of the run that is told, and the command that repeats it.
    pub fn repeated_by(mut self, plan: &Path) -> Self {
        let file = quoted(&plan.display().to_string());
        self.repeat = Some(format!("cargo picklock replay {file}"));
        self.plan = Some(plan.to_owned());
        self
    }

    fn of_run(result: &ContenderResult) -> Self {
        let surprises: Vec<_> = result.surprises.iter().map(ToString::to_string).collect();
        let checkers: Vec<_> = result.surprises.iter().map(|surprise| surprise.checker).collect();
        let trouble = || Trouble::told(surprises.join("\n"), &result.judgements, &checkers);
        let status = match &result.skipped {
            Some(why) => Status::Skipped { why: why.clone() },
            None if surprises.is_empty() => Status::Passed,
            None if result.surprises.iter().all(|surprise| surprise.unjudged) => {
                Status::Errored(trouble())
            }
            None => Status::Failed(trouble()),
        };
        let case = Self {
            found: found(&result.judgements),
            runs: result.runs,
            ..Self::new(&result.scenario, &result.contender, status)
        };
        let case = case.at(&result.file, result.line);
        match &result.plan {
            Some(plan) => case.repeated_by(plan),
            None => case,
        }
    }
}

impl Trouble {
    /// Trouble with the stories that these judgements tell: how it began and what it came to, first
    /// as the checkers saw it that the trouble is about (if any are named), then as all did.
    pub fn told(message: impl Into<String>, judgements: &[Judgement], about: &[&str]) -> Self {
        let named = |judgement: &&Judgement| about.contains(&judgement.checker.as_str());
        let named: Vec<Judgement> = judgements.iter().filter(named).cloned().collect();
        let mut details = Vec::new();
        for judgement in &named {
            if let Verdict::Unknown { reason } = &judgement.verdict {
                details.push(format!("{}: {reason}", judgement.checker));
            }
        }
        let mut told = terminal::told_violations(&named);
        let damage = told.iter().map(|(judgement, _)| findings::damage(&judgement.checker)).min();
        for other in terminal::told_violations(judgements) {
            if !told.contains(&other) {
                told.push(other);
            }
        }
        for (judgement, violation) in told {
            let promised = if judgement.claimed { "" } else { " (not promised)" };
            let words = findings::of(&judgement.checker);
            details.push(format!("{}{promised}: {}", judgement.checker, words.meaning));
            details.extend(violation.story.iter().map(|line| format!("  {line}")));
        }
        let damage = damage.unwrap_or(findings::WORDS.len());
        Self { message: message.into(), details, damage }
    }

    /// All of it: what surprises, and below an empty line the stories.
    pub fn text(&self) -> String {
        match self.details.is_empty() {
            true => self.message.clone(),
            false => format!("{}\n\n{}", self.message, self.details.join("\n")),
        }
    }
}

/// A word as a shell takes it: a command is there to be copied, whatever a file is called.
fn quoted(word: &str) -> String {
    let plain = |one: char| one.is_alphanumeric() || "/._-+=@:".contains(one);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// What judges found, in a few words; nothing if nobody judged.
pub fn found(judgements: &[Judgement]) -> String {
    let words: Vec<_> = judgements.iter().filter_map(terminal::finding).collect();
    match words.is_empty() {
        true if judgements.is_empty() => String::new(),
        true => "clean".to_owned(),
        false => words.join(", "),
    }
}

#[cfg(test)]
pub(super) mod tests;
