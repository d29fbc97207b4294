//! Where output goes: results to stdout, talk to stderr, files whole or not at all.
#![expect(clippy::print_stderr, reason = "this is the one place that talks to the terminal")]

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use picklock_sim::history;

use super::CliError;
use crate::files;
pub(super) use crate::files::slug;
use crate::logging;
use crate::outcome::Outcome;

/// Where runs are kept.
pub(super) const FOLDER: &str = "target/picklock";

/// Writes a result. A closed pipe (`| head`) is a quiet end, not an error.
pub(super) fn result(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(file_error("stdout", &error))
        }
        _ => Ok(()),
    }
}

/// Writes a result as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::Internal(miette::miette!("results as JSON: {error}")))?;
    result(&(json + "\n"))
}

/// Says something that is no result.
pub(super) fn talk(text: fmt::Arguments<'_>) {
    eprintln!("{text}");
}

/// Does `work` on so many threads; 0: on all cores, or on one while somebody reads the logs.
pub(super) fn on_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, CliError> {
    let threads = if threads == 0 && logging::is_on() { 1 } else { threads };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| CliError::Internal(miette::miette!("threads: {error}")))?;
    Ok(pool.install(work))
}

/// A progress bar on stderr; silent where nobody looks.
pub(super) fn progress(runs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {per_sec}, {eta} left");
    let bar = ProgressBar::new(runs);
    bar.set_style(style.expect("a template that was tested"));
    bar
}

/// Real time, for limits that a person sets.
pub(super) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a person's patience is measured in real time")]
    pub(super) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(super) fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}

/// Writes a file whole or not at all.
pub(super) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CliError> {
    let written = files::write(path, write);
    written.map_err(|error| file_error(&path.display().to_string(), &error))
}

/// Writes a value as JSON that a person can read and edit.
pub(super) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), CliError> {
    let written = files::write_json(path, value);
    written.map_err(|error| file_error(&path.display().to_string(), &error))
}

/// Removes a file that has done its service.
pub(super) fn remove(path: &Path) -> Result<(), CliError> {
    std::fs::remove_file(path).map_err(|error| file_error(&path.display().to_string(), &error))
}

/// Keeps a run: its plan, from which it can be repeated, and its history.
pub(super) fn keep(outcome: &Outcome, stem: &Path) -> Result<PathBuf, CliError> {
    let plan = stem.with_extension("plan.json");
    write_json(&plan, &outcome.plan)?;
    write_file(&stem.with_extension("history.jsonl"), |out| history::write(&outcome.history, out))?;
    Ok(plan)
}

fn file_error(what: &str, error: &io::Error) -> CliError {
    CliError::Internal(miette::miette!("{what}: {error}"))
}
