//! The options of SET and GETEX (`src/t_string.c` `parseExtendedStringArgumentsOrReply`,
//! `getExpireMillisecondsOrReply`).
//!
//! Options that exclude one another are a syntax error, repeating one is not, and the last repeated
//! expiry counts.

use super::super::super::Reply;
use super::super::super::keyspace::Expiry;
use super::super::super::request::Request;
use super::super::args::integer;
use super::super::{SYNTAX_ERROR, error};

/// What must hold of the key for a SET to happen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// NX.
    Absent,
    /// XX.
    Present,
}

/// How an expiry is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Timing {
    /// EX.
    InSeconds,
    /// PX.
    InMilliseconds,
    /// EXAT.
    AtSecond,
    /// PXAT.
    AtMillisecond,
}

/// The options of one command.
#[derive(Default)]
pub(super) struct Options<'a> {
    pub(super) presence: Option<Presence>,
    pub(super) get: bool,
    pub(super) persist: bool,
    keep: bool,
    timing: Option<(Timing, &'a [u8])>,
}

impl<'a> Options<'a> {
    /// `SET key value ...`.
    pub(super) fn of_set(args: &'a Request) -> Result<Self, Reply> {
        Self::parse(args, 3, true)
    }

    /// `GETEX key ...`.
    pub(super) fn of_getex(args: &'a Request) -> Result<Self, Reply> {
        Self::parse(args, 2, false)
    }

    fn parse(args: &'a Request, first: usize, of_set: bool) -> Result<Self, Reply> {
        let mut options = Self::default();
        let mut index = first;
        while let Some(word) = args.get(index) {
            index += 1;
            match Word::of(word) {
                Some(Word::Timing(timing)) => {
                    let Some(given) = args.get(index) else { return Err(SYNTAX_ERROR) };
                    options.set_timing(timing, given)?;
                    index += 1;
                }
                Some(Word::Presence(presence))
                    if of_set && options.presence.is_none_or(|before| before == presence) =>
                {
                    options.presence = Some(presence);
                }
                Some(Word::Get) if of_set => options.get = true,
                Some(Word::KeepTtl) if of_set && options.timing.is_none() => options.keep = true,
                Some(Word::Persist) if !of_set && options.timing.is_none() => {
                    options.persist = true;
                }
                _ => return Err(SYNTAX_ERROR),
            }
        }
        Ok(options)
    }

    fn set_timing(&mut self, timing: Timing, given: &'a [u8]) -> Result<(), Reply> {
        let another = self.timing.is_some_and(|(before, _)| before != timing);
        if another || self.keep || self.persist {
            return Err(SYNTAX_ERROR);
        }
        self.timing = Some((timing, given));
        Ok(())
    }

    /// What becomes of the key's expiry.
    pub(super) fn expiry(&self, command: &str, now_ms: i64) -> Result<Expiry, Reply> {
        match self.timing {
            Some((timing, given)) => Ok(Expiry::At(timing.deadline(given, command, now_ms)?)),
            None if self.keep => Ok(Expiry::Keep),
            None => Ok(Expiry::Clear),
        }
    }
}

/// One option by its name.
enum Word {
    Presence(Presence),
    Timing(Timing),
    Get,
    KeepTtl,
    Persist,
}

impl Word {
    fn of(word: &[u8]) -> Option<Self> {
        Some(match word {
            [b'N' | b'n', b'X' | b'x'] => Self::Presence(Presence::Absent),
            [b'X' | b'x', b'X' | b'x'] => Self::Presence(Presence::Present),
            [b'P' | b'p', b'X' | b'x'] => Self::Timing(Timing::InMilliseconds),
            [b'E' | b'e', b'X' | b'x'] => Self::Timing(Timing::InSeconds),
            _ if word.eq_ignore_ascii_case(b"PXAT") => Self::Timing(Timing::AtMillisecond),
            _ if word.eq_ignore_ascii_case(b"EXAT") => Self::Timing(Timing::AtSecond),
            _ if word.eq_ignore_ascii_case(b"GET") => Self::Get,
            _ if word.eq_ignore_ascii_case(b"KEEPTTL") => Self::KeepTtl,
            _ if word.eq_ignore_ascii_case(b"PERSIST") => Self::Persist,
            _ => return None,
        })
    }
}

impl Timing {
    /// The absolute Unix millisecond that `given` means. Zero, less, and what does not fit are
    /// refused; an instant in the past is not.
    pub(super) fn deadline(self, given: &[u8], command: &str, now_ms: i64) -> Result<i64, Reply> {
        let number = integer(given)?;
        let scale = match self {
            Self::InSeconds | Self::AtSecond => 1000,
            Self::InMilliseconds | Self::AtMillisecond => 1,
        };
        let start = match self {
            Self::InSeconds | Self::InMilliseconds => now_ms,
            Self::AtSecond | Self::AtMillisecond => 0,
        };
        let scaled = if number > 0 { number.checked_mul(scale) } else { None };
        let when = scaled.and_then(|scaled| scaled.checked_add(start));
        when.ok_or_else(|| error(format!("ERR invalid expire time in '{command}' command")))
    }
}
