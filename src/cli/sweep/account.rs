//! Accounts of parts of a sweep as files: checkpoints, and what a shard found.
//!
//! One format for both. A file says which build wrote it, and the digest of its content: what was cut
//! off or edited is refused, because nobody could see it in the sum.

use std::fs;
use std::path::{Path, PathBuf};

use picklock_sim::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::cli::{CliError, output};
use crate::search::sweep::{Partial, Shard};

/// The version of the format that this build writes and reads.
const FORMAT: u32 = 1;

/// This build: its version and its sources.
const BUILD: &str = env!("PICKLOCK_BUILD");

/// How the file of a shard ends; its beginning says which shard it is.
const ENDING: &str = ".shard.json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<P> {
    picklock_sweep: u32,
    build: String,
    digest: Digest,
    account: P,
}

/// Where the account of a shard goes, and of the whole while it is in the making.
pub(super) fn path(folder: &Path, shard: Shard) -> PathBuf {
    match shard {
        Shard::WHOLE => folder.join("checkpoint.json"),
        shard => folder.join(output::slug(&shard.to_string().replace('/', "-of-")) + ENDING),
    }
}

/// Writes an account, whole or not at all.
pub(super) fn write(path: &Path, account: &Partial) -> Result<(), CliError> {
    let digest = digest(account).map_err(CliError::Internal)?;
    let file = File { picklock_sweep: FORMAT, build: BUILD.to_owned(), digest, account };
    output::write_json(path, &file)
}

/// Reads an account.
///
/// # Errors
/// A file that is none, that another build wrote, or that was changed.
pub(super) fn read(path: &Path) -> Result<Partial, CliError> {
    #[derive(Deserialize)]
    struct Head {
        picklock_sweep: u32,
        build: String,
    }
    let wrong = |what: String, help: &str| {
        CliError::Input(miette::miette!(help = help.to_owned(), "{}: {what}", path.display()))
    };
    let text = fs::read_to_string(path)
        .map_err(|error| wrong(format!("cannot be read: {error}"), "name a file of a shard"))?;
    let head: Head = serde_json::from_str(&text).map_err(|error| {
        wrong(format!("is no account of a sweep: {error}"), "`sweep --shard` writes such files")
    })?;
    if (head.picklock_sweep, head.build.as_str()) != (FORMAT, BUILD) {
        let what = format!("was written by picklock {}; this is {BUILD}", head.build);
        return Err(wrong(what, "other code may find other things: sweep again with this build"));
    }
    let damaged = |what: String| wrong(format!("is damaged: {what}"), "sweep this part again");
    let file: File<Partial> =
        serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    match digest(&file.account) {
        Ok(digest) if digest == file.digest => Ok(file.account),
        _ => Err(damaged("its content does not fit to its digest".to_owned())),
    }
}

fn digest(account: &Partial) -> Result<Digest, miette::Report> {
    let json = serde_json::to_vec(account)
        .map_err(|error| miette::miette!("the account as JSON: {error}"))?;
    let mut digest = Digest::default();
    digest.bytes(&json);
    Ok(digest)
}

/// The files named, and those of shards in the folders named and below.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        collect(path, &mut files).map_err(|error| {
            let help = "name the files of the shards, or a folder in which they are";
            CliError::Input(miette::miette!(
                help = help,
                "{}: cannot be read: {error}",
                path.display()
            ))
        })?;
        if files.len() == before {
            let help = "`sweep --shard` writes them";
            return Err(CliError::Input(miette::miette!(
                help = help,
                "{}: holds no account of a shard (no `*{ENDING}`)",
                path.display()
            )));
        }
    }
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() || path.to_string_lossy().ends_with(ENDING) {
            collect(&path, files)?;
        }
    }
    Ok(())
}
