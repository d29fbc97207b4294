//! Names this build by its sources, so that accounts which different code has made are never added up.
//!
//! A commit would not do (a change that is not committed is another build), nor would the binary's own
//! bytes (compilers on two machines may differ, and the runs are still the same).

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// All that a run depends on.
const SOURCES: [&str; 4] = ["src", "sim/src", "models/src", "Cargo.lock"];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for source in SOURCES.map(Path::new).into_iter().filter(|source| source.exists()) {
        println!("cargo::rerun-if-changed={}", source.display());
        collect(source, &mut files)?;
    }
    files.sort();
    // FNV-1a: nobody attacks it.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for file in files {
        for byte in fs::read(file)? {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=PICKLOCK_BUILD={version}-{hash:016x}");
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    fs::read_dir(path)?.try_for_each(|entry| collect(&entry?.path(), files))
}
