//! Reports for CI: the options that every judging command shares, and where their files go.
//!
//! Annotations go to stderr: the runner of GitHub reads both streams, and stdout stays the result,
//! which may be JSON or go into a file. They are never switched on by the environment, because a
//! command must say the same wherever it runs.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{CliError, output};
use crate::report::suite::Suite;
use crate::report::{github, junit, markdown};

/// Flattened into the arguments of every command that judges.
#[derive(clap::Args)]
pub(super) struct Reports {
    /// Write the results as JUnit XML, for GitLab, Jenkins and others.
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,
    /// Write a summary as Markdown; the file that `$GITHUB_STEP_SUMMARY` names is appended to.
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    markdown: Option<PathBuf>,
    /// Annotate the lines of the scenario files, in the syntax of GitHub Actions (on stderr).
    #[arg(long, help_heading = "Reports")]
    github: bool,
}

impl Reports {
    /// Whether the files can be written, as far as one can know before the work is done.
    ///
    /// # Errors
    /// A file that is a folder; one file for two reports.
    pub(super) fn check(&self) -> Result<(), CliError> {
        for (option, file) in [("--junit", &self.junit), ("--markdown", &self.markdown)] {
            if let Some(file) = file {
                check(option, file)?;
            }
        }
        if self.junit.is_some() && self.junit == self.markdown {
            let message = "--junit and --markdown name the same file";
            return Err(CliError::Input(miette::miette!(help = "give each its own", "{message}")));
        }
        Ok(())
    }

    /// Writes what was asked for.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn write(&self, suite: &Suite) -> Result<(), CliError> {
        if let Some(file) = &self.junit {
            let xml = junit::render(suite)
                .map_err(|error| CliError::Internal(miette::miette!("results as XML: {error}")))?;
            write("--junit", file, &xml)?;
        }
        if let Some(file) = &self.markdown {
            let page = |budget| markdown::render(suite, budget);
            write_markdown(file, page)?;
        }
        if self.github {
            let commands = github::render(suite, &folder());
            if !commands.is_empty() {
                output::talk(format_args!("{}", commands.trim_end()));
            }
        }
        Ok(())
    }
}

/// Whether a report can be written there, as far as one can know before the work is done.
pub(super) fn check(option: &str, file: &Path) -> Result<(), CliError> {
    let wrong = match file.file_name() {
        _ if file.is_dir() => "is a folder",
        None => "names no file",
        Some(_) => return Ok(()),
    };
    let message = format!("{option} {}: {wrong}", file.display());
    Err(CliError::Input(miette::miette!(help = "name the file that is to be written", "{message}")))
}

/// Writes a page that can be cut to so many bytes.
///
/// The file that GitHub calls the step's summary belongs to the step and not to this command: what
/// others said in it stays, and the page gets what room is left. A page that has room for it says so with two
/// comments ([`ROOM`]): what is between them is replaced. Any other file is written anew.
pub(super) fn write_markdown(
    file: &Path,
    page: impl FnOnce(usize) -> String,
) -> Result<(), CliError> {
    let summary = env::var_os("GITHUB_STEP_SUMMARY").filter(|name| !name.is_empty());
    if summary.as_deref() != Some(file.as_os_str()) {
        let page = page(markdown::BUDGET);
        let around = fs::read_to_string(file).ok();
        let text = around.and_then(|around| between(&around, &page)).unwrap_or(page);
        return write("--markdown", file, &text);
    }
    let said =
        fs::metadata(file).map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX));
    let page = page(markdown::BUDGET.saturating_sub(said));
    let append =
        || OpenOptions::new().append(true).create(true).open(file)?.write_all(page.as_bytes());
    append()
        .map_err(|error| CliError::Input(miette::miette!("--markdown {}: {error}", file.display())))
}

/// Between these two lines of a page, such as a README, a report of its own is kept up to date.
const ROOM: [&str; 2] = ["<!-- picklock: from here -->\n", "<!-- picklock: to here -->\n"];

/// The page with another text in its [`ROOM`], if it has any.
fn between(around: &str, text: &str) -> Option<String> {
    let (before, rest) = around.split_once(ROOM[0])?;
    let (_, after) = rest.split_once(ROOM[1])?;
    let [from, to] = ROOM;
    Some(format!("{before}{from}\n{}\n\n{to}{after}", text.trim()))
}

/// Writes a report whole or not at all; the name is the user's, and so is the mistake.
pub(super) fn write(option: &str, file: &Path, text: &str) -> Result<(), CliError> {
    output::write_file(file, |out| out.write_all(text.as_bytes())).map_err(|error| match error {
        CliError::Internal(report) | CliError::Input(report) => {
            CliError::Input(miette::miette!("{option} {report}"))
        }
        other => other,
    })
}

/// Where this command runs, as seen from the top of the checkout.
fn folder() -> PathBuf {
    let below_top = || {
        let top = env::var_os("GITHUB_WORKSPACE")?;
        Some(env::current_dir().ok()?.strip_prefix(top).ok()?.to_owned())
    };
    below_top().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_with_room_keeps_what_is_around_it() {
        let [from, to] = ROOM;
        let page = format!("# Mine\n\n{from}old\n{to}\nthe end\n");
        let renewed = between(&page, "new\n").unwrap();
        assert_eq!(renewed, format!("# Mine\n\n{from}\nnew\n\n{to}\nthe end\n"));
        assert_eq!(between(&renewed, "new").unwrap(), renewed, "twice is once");
        assert_eq!(between("# Mine\n", "new"), None);
    }
}
