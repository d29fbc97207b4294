//! A trail as a file: one line of JSON with the checkpoints, then the items, a line each. Only the
//! windows that are asked for are read.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Checkpoint, Trail, WINDOW};
use crate::digest::Digest;

/// The version this build writes and reads.
const TRAIL_VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    picklock_trail: u32,
    items: u64,
    checkpoints: Vec<Checkpoint>,
}

impl Trail {
    /// Writes the trail.
    ///
    /// # Errors
    /// Whatever `out` fails with.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let Trail { items, checkpoints, lines } = self;
        let checkpoints = checkpoints.clone();
        let head = Head { picklock_trail: TRAIL_VERSION, items: *items, checkpoints };
        serde_json::to_writer(&mut out, &head)?;
        out.write_all(b"\n")?;
        out.write_all(lines.as_bytes())
    }
}

/// A trail that was written, read where one looks.
#[derive(Debug)]
pub struct Reader<R> {
    input: BufReader<R>,
    head: Head,
    /// Where the first line after the head begins.
    lines_at: u64,
}

impl<R: Read + Seek> Reader<R> {
    /// Opens a trail and reads its checkpoints.
    ///
    /// # Errors
    /// A file that cannot be read or is no trail of this version.
    pub fn open(input: R) -> io::Result<Self> {
        let mut input = BufReader::new(input);
        let mut first = String::new();
        input.read_line(&mut first)?;
        let head: Head = serde_json::from_str(&first)?;
        if head.picklock_trail != TRAIL_VERSION {
            let version = head.picklock_trail;
            return Err(io::Error::other(format!("is a trail of version {version}")));
        }
        Ok(Self { input, head, lines_at: first.len() as u64 })
    }

    /// How many items there are.
    pub fn items(&self) -> u64 {
        self.head.items
    }

    /// The digest after so many whole windows; `None` if there are fewer.
    pub(super) fn checkpoint(&self, windows: u64) -> Option<Digest> {
        let place = usize::try_from(windows.checked_sub(1)?).ok()?;
        self.head.checkpoints.get(place).map(|Checkpoint(_, digest)| *digest)
    }

    /// How many whole windows there are.
    pub(super) fn windows(&self) -> u64 {
        self.head.checkpoints.len() as u64
    }

    /// The lines of these items, as far as there are any.
    pub(super) fn lines(&mut self, items: Range<u64>) -> io::Result<Vec<String>> {
        let (first, end) = (items.start / WINDOW, items.end.div_ceil(WINDOW));
        let start = self.byte(first);
        let Some(start) = start else { return Ok(Vec::new()) };
        let length = self.byte(end).map_or(u64::MAX, |end| end - start);
        self.input.seek(SeekFrom::Start(self.lines_at + start))?;
        let mut text = String::new();
        self.input.by_ref().take(length).read_to_string(&mut text)?;
        let skipped = (items.start - first * WINDOW) as usize;
        let wanted = items.end.saturating_sub(items.start) as usize;
        Ok(text.lines().skip(skipped).take(wanted).map(str::to_owned).collect())
    }

    /// At which byte of the lines a window begins.
    fn byte(&self, window: u64) -> Option<u64> {
        match window.checked_sub(1) {
            None => Some(0),
            Some(before) => {
                let checkpoint = self.head.checkpoints.get(usize::try_from(before).ok()?);
                checkpoint.map(|Checkpoint(bytes, _)| *bytes)
            }
        }
    }
}
