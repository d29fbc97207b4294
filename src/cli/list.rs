//! `picklock list`: what there is.

use std::path::Path;

use super::output;
use super::{CliError, CliResult};
use crate::checkers;
use crate::exit_code::Exit;
use crate::families::FAMILIES;
use crate::locks::ALGORITHMS;
use crate::report::terminal::{self, Section};
use crate::resource::RESOURCES;
use crate::scenario;

#[derive(clap::Args)]
pub(super) struct Args {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> CliResult {
    let text = |text: &str| text.to_owned();
    let mut sections = vec![
        Section {
            title: "locks",
            entries: ALGORITHMS.iter().map(|lock| (text(lock.name), text(lock.about))).collect(),
        },
        Section {
            title: "resources",
            entries: RESOURCES.iter().map(|(_, name, about)| (text(name), text(about))).collect(),
        },
        Section {
            title: "fault families",
            entries: FAMILIES
                .iter()
                .map(|family| (text(family.name), format!("{}: {}", family.code, family.about)))
                .collect(),
        },
        Section {
            title: "checkers",
            entries: checkers::CHECKERS
                .iter()
                .map(|checker| (text(checker.name()), format!("judges {}", checker.claim())))
                .collect(),
        },
    ];
    let folder = Path::new("scenarios");
    if folder.is_dir() {
        sections.push(Section { title: "scenarios", entries: scenarios(folder)? });
    }
    if args.json {
        let value: serde_json::Map<_, _> = sections
            .iter()
            .map(|section| (section.title.to_owned(), serde_json::json!(section.entries)))
            .collect();
        output::json(&value)?;
    } else {
        output::result(&terminal::sections(&sections))?;
    }
    Ok(Exit::AsExpected)
}

fn scenarios(folder: &Path) -> Result<Vec<(String, String)>, CliError> {
    let mut files = Vec::new();
    super::run::collect(folder, &mut files)
        .map_err(|error| CliError::Internal(miette::miette!("scenarios: {error}")))?;
    files.sort();
    let mut entries = Vec::new();
    for file in files {
        let about = scenario::load(&file)?.about;
        let first_line = about.lines().next().unwrap_or_default().to_owned();
        entries.push((file.display().to_string(), first_line));
    }
    Ok(entries)
}
