//! Histories as files: JSON lines, versioned, and closed by a line that proves them whole.
//!
//! First line: version and header. Then one event a line. Last line: how many there were and the
//! run's digest; so a history that was cut off anywhere is recognised and never judged.

use std::io::{self, BufRead, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Event, History};
use crate::digest::Digest;

/// The version this build writes and reads. Raised when a reader of the old format would
/// misunderstand the new one.
pub const HISTORY_VERSION: u32 = 1;

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file could not be read at all.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A line is not what it should be.
    #[error("line {line}: {problem}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Another version wrote it.
    #[error("is a history of version {found}; this build reads version {HISTORY_VERSION}")]
    Version {
        /// The version it says.
        found: u32,
    },
    /// It ends too early.
    #[error(
        "is truncated: it ends after {events} events without its closing line; a run that was \
         interrupted leaves such a file, run its plan again"
    )]
    Truncated {
        /// How many whole events there were.
        events: usize,
    },
}

#[derive(Serialize, Deserialize)]
struct FirstLine<H> {
    picklock_history: u32,
    header: H,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LastLine {
    events: usize,
    digest: Digest,
}

/// Writes a history. `out` should be buffered.
///
/// # Errors
/// Whatever `out` fails with.
pub fn write<H: Serialize>(history: &History<H>, mut out: impl Write) -> io::Result<()> {
    let mut line = |value: &dyn erased::Line| -> io::Result<()> {
        value.write_to(&mut out)?;
        out.write_all(b"\n")
    };
    line(&FirstLine { picklock_history: HISTORY_VERSION, header: &history.header })?;
    for event in &history.events {
        line(event)?;
    }
    line(&LastLine { events: history.events.len(), digest: history.digest })?;
    out.flush()
}

/// The one thing asked of a line: that it can be written as JSON.
mod erased {
    use std::io::{self, Write};

    pub(super) trait Line {
        fn write_to(&self, out: &mut dyn Write) -> io::Result<()>;
    }

    impl<T: serde::Serialize> Line for T {
        fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
            serde_json::to_writer(out, self).map_err(io::Error::from)
        }
    }
}

/// Reads a history back.
///
/// # Errors
/// See [`HistoryError`]; each names the line.
pub fn read<H: DeserializeOwned>(input: impl BufRead) -> Result<History<H>, HistoryError> {
    let mut lines = input.lines().enumerate();
    let Some((_, first)) = lines.next() else {
        return Err(HistoryError::Truncated { events: 0 });
    };
    let first = first?;
    let bad_line = |line: usize| {
        move |error: serde_json::Error| HistoryError::Line { line, problem: error.to_string() }
    };
    #[derive(Deserialize)]
    struct VersionOnly {
        picklock_history: u32,
    }
    let version: VersionOnly = serde_json::from_str(&first).map_err(bad_line(1))?;
    if version.picklock_history != HISTORY_VERSION {
        return Err(HistoryError::Version { found: version.picklock_history });
    }
    let first: FirstLine<H> = serde_json::from_str(&first).map_err(bad_line(1))?;

    let mut events: Vec<Event> = Vec::new();
    for (number, text) in lines {
        let text = text?;
        if let Ok(last) = serde_json::from_str::<LastLine>(&text) {
            if last.events != events.len() {
                let problem =
                    format!("says {} events, but {} are there", last.events, events.len());
                return Err(HistoryError::Line { line: number + 1, problem });
            }
            return Ok(History { header: first.header, events, digest: last.digest });
        }
        match serde_json::from_str(&text) {
            Ok(event) => events.push(event),
            // Half a line at the very end is what an interrupted writer leaves.
            Err(error) if error.is_eof() => break,
            Err(error) => return Err(bad_line(number + 1)(error)),
        }
    }
    Err(HistoryError::Truncated { events: events.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Kind, Op};
    use crate::host::HostName;
    use crate::time::SimTime;

    fn sample() -> History<String> {
        let event = |index, op| Event {
            index,
            at: SimTime::from_millis(u64::from(index)),
            process: HostName::client(1),
            kind: Kind::Ok,
            op,
        };
        History {
            header: "about".to_owned(),
            events: vec![
                event(0, Op::Acquire { token: Some(33), until: None, shared: false }),
                event(1, Op::Write { value: 9, token: Some(33) }),
                event(2, Op::Release),
                event(3, Op::ACQUIRE_SHARED),
                event(4, Op::Reenter),
                event(5, Op::Leave),
            ],
            digest: Digest::default(),
        }
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&sample(), &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_history_survives_the_round_trip() {
        assert_eq!(read::<String>(written().as_slice()).unwrap(), sample());
    }

    #[test]
    fn what_is_not_used_leaves_no_mark() {
        let text = String::from_utf8(written()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].ends_with(r#""op":"acquire","token":33}"#), "{}", lines[1]);
        assert!(lines[4].ends_with(r#""op":"acquire","shared":true}"#), "{}", lines[4]);
        assert!(lines[5].ends_with(r#""op":"reenter"}"#), "{}", lines[5]);
    }

    #[test]
    fn a_history_cut_anywhere_is_refused() {
        let bytes = written();
        // The final newline may be missing; everything else is needed.
        for length in 0..bytes.len() - 1 {
            assert!(read::<String>(&bytes[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn another_version_is_named() {
        let text = String::from_utf8(written())
            .unwrap()
            .replace("\"picklock_history\":1", "\"picklock_history\":9");
        let error = read::<String>(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("version 9"), "{error}");
    }

    #[test]
    fn a_bad_line_is_named() {
        let text = String::from_utf8(written()).unwrap().replace("\"release\"", "\"relaese\"");
        let error = read::<String>(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("line 4:"), "{error}");
    }
}
