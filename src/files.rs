//! Files, whole or not at all, and names that fit into them.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file whole or not at all; folders are made as needed.
///
/// # Errors
/// Whatever the disk or `write` fails with; then the file is as it was.
pub fn write(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut out = BufWriter::new(fs::File::create(&unfinished)?);
    write(&mut out)?;
    out.flush()?;
    fs::rename(&unfinished, path)
}

/// Writes a value as JSON that a person can read and edit.
///
/// # Errors
/// As [`write()`].
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> io::Result<()> {
    write(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

/// A text as a part of a file name: letters, digits, `-`, `_` and `.`, whatever else becomes one `-`.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => slug.push(character),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}
