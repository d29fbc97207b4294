//! What a run's digest was fed with, item by item: by it two runs that should have been the same are
//! compared.
//!
//! A digest tells that two runs differ, not where; and a run that its plan does not determine may
//! not differ there a second time. So a run that might have to be compared leaves its trail while it
//! runs: a line for each item, with the rolling digest after it, the true time, and what it was.
//! Ordinary runs leave none. A trail only looks on: the digest is the same with and without it.
//!
//! Two digests that once differ stay different, so the first difference is found by binary search:
//! over the checkpoints, one every [`WINDOW`] items, and then within the one window that is read.

mod compare;
mod file;

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

pub use compare::{Difference, first_difference};
pub use file::Reader;

use crate::digest::Digest;
use crate::time::SimTime;

/// From one checkpoint to the next, in items.
pub const WINDOW: u64 = 256;

/// How many of the bytes of one packet are shown.
const BYTES_SHOWN: usize = 64;

/// The trail of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trail {
    items: u64,
    checkpoints: Vec<Checkpoint>,
    lines: String,
}

/// How many bytes of lines there were after a whole number of windows, and the digest then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Checkpoint(u64, Digest);

impl Trail {
    /// Something was mixed into the digest, which is now `digest`.
    pub(crate) fn add(&mut self, at: SimTime, what: impl fmt::Display, digest: Digest) {
        let (seconds, nanos) = (at.as_nanos() / 1_000_000_000, at.as_nanos() % 1_000_000_000);
        let _ = writeln!(self.lines, "{digest} {seconds}.{nanos:09} s  {what}");
        self.items += 1;
        if self.items.is_multiple_of(WINDOW) {
            self.checkpoints.push(Checkpoint(self.lines.len() as u64, digest));
        }
    }

    /// How many items there are.
    pub fn items(&self) -> u64 {
        self.items
    }
}

/// The bytes of a packet, for a person: how many, and how they begin.
pub(crate) fn bytes_in_words(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(BYTES_SHOWN)];
    let more = if shown.len() < bytes.len() { ".." } else { "" };
    format!("{} bytes \"{}\"{more}", bytes.len(), shown.escape_ascii())
}
