//! Plans that failed once: kept, and run first the next time.
//!
//! A folder per contender (a lock is another one with another resource), a file per failure, named by
//! what happened. They are plans and not seeds: a
//! seed means another plan as soon as a strategy changes.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::exhibit::gather_by;
use crate::files;
use crate::lock::Algorithm;
use crate::outcome::Outcome;
use crate::pipeline::run_lock_tapped;
use crate::plan::Plan;
use crate::report::page;

/// `picklock-regressions` beside the `Cargo.toml` of the crate that is tested. (cargo tells tests
/// where that is.)
pub(super) fn folder() -> PathBuf {
    crate_folder().join("picklock-regressions")
}

fn crate_folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default()
}

/// The plans saved for this contender, in the order of their names.
pub(super) fn saved(folder: &Path, contender: &str) -> Vec<PathBuf> {
    // A folder that is not there holds nothing.
    let entries = fs::read_dir(folder.join(files::slug(contender))).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_plan = |path: &PathBuf| path.to_string_lossy().ends_with(".plan.json");
    let mut paths: Vec<PathBuf> = paths.filter(is_plan).collect();
    paths.sort();
    paths
}

/// Saves a plan; `None` if that is not possible: the failure matters more than its file.
pub(super) fn save(folder: &Path, contender: &str, name: &str, plan: &Plan) -> Option<PathBuf> {
    let file = folder.join(files::slug(contender)).join(files::slug(name));
    let file = PathBuf::from(format!("{}.plan.json", file.display()));
    files::write_json(&file, plan).ok().map(|()| file)
}

/// Draws a run as a page below the crate's `target` folder; `None` if that is not possible.
pub(super) fn draw<A: Algorithm>(
    contender: &str,
    name: &str,
    outcome: &Outcome,
) -> Option<PathBuf> {
    let exhibit = gather_by(outcome, run_lock_tapped::<A>).ok()?;
    let folder = crate_folder().join("target/picklock/property").join(files::slug(contender));
    let file = folder.join(format!("{}.html", files::slug(name)));
    let html = page::render_run(&exhibit, name);
    files::write(&file, |out| out.write_all(html.as_bytes())).ok().map(|()| file)
}
