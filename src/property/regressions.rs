//! Plans that failed once: kept, and run first the next time.
//!
//! A folder per lock, a file per failure, named by what happened. They are plans and not seeds: a
//! seed means another plan as soon as a strategy changes.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::files;
use crate::plan::Plan;

/// `picklock-regressions` beside the `Cargo.toml` of the crate that is tested. (cargo tells tests
/// where that is.)
pub(super) fn folder() -> PathBuf {
    let crate_folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    crate_folder.join("picklock-regressions")
}

/// The plans saved for this lock, in the order of their names.
pub(super) fn saved(folder: &Path, lock: &str) -> Vec<PathBuf> {
    // A folder that is not there holds nothing.
    let entries = fs::read_dir(folder.join(files::slug(lock))).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_plan = |path: &PathBuf| path.to_string_lossy().ends_with(".plan.json");
    let mut paths: Vec<PathBuf> = paths.filter(is_plan).collect();
    paths.sort();
    paths
}

/// Saves a plan; `None` if that is not possible: the failure matters more than its file.
pub(super) fn save(folder: &Path, lock: &str, name: &str, plan: &Plan) -> Option<PathBuf> {
    let file = folder.join(files::slug(lock)).join(files::slug(name));
    let file = PathBuf::from(format!("{}.plan.json", file.display()));
    files::write_json(&file, plan).ok().map(|()| file)
}
