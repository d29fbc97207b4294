//! What SCAN, HSCAN, SSCAN and ZSCAN share (`src/db.c` `scanGenericCommand`).
//!
//! A table is walked in the order of a hash of its elements, and a cursor is the hash at which to go
//! on. So whatever is there during the whole walk is met exactly once, whatever comes and goes
//! meanwhile, and no state is kept; the real server promises "at least once" and has its own order.
//! What is packed (a small hash, a set of integers) comes all at once, there and here.

use bytes::Bytes;

use super::super::{Reply, glob};
use super::args::{integer, is};
use super::{Call, SYNTAX_ERROR};

/// The options of one command.
pub(super) struct Scan<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
    /// TYPE, which SCAN alone has.
    pub(super) kind: Option<&'a [u8]>,
}

/// The cursor at `index` (`parseScanCursorOrReply`), read as C's `strtoul` does: nothing at all is 0,
/// and a sign is allowed.
pub(super) fn cursor(call: &Call<'_>, index: usize) -> Result<u64, Reply> {
    let (negative, digits) = match &call.args[index] {
        [] => return Ok(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'));
    let number = digits.and_then(|digits| digits.parse::<u64>().ok());
    let number = number.ok_or(Reply::error("ERR invalid cursor"))?;
    Ok(if negative { number.wrapping_neg() } else { number })
}

/// The answer for a key that is not there.
pub(super) fn nothing() -> Reply {
    Reply::Array(vec![Reply::text("0"), Reply::Array(Vec::new())])
}

impl<'a> Scan<'a> {
    /// The options from `index` on.
    pub(super) fn parse(call: &Call<'a>, index: usize, of_keys: bool) -> Result<Self, Reply> {
        let mut scan = Self { count: 10, pattern: None, kind: None };
        let mut index = index;
        while index < call.args.len() {
            let given = call.args.get(index + 1).ok_or(SYNTAX_ERROR)?;
            if is(call.args, index, "count") {
                let count = integer(given)?;
                scan.count = usize::try_from(count).ok().filter(|n| *n > 0).ok_or(SYNTAX_ERROR)?;
            } else if is(call.args, index, "match") {
                scan.pattern = Some(given);
            } else if of_keys && is(call.args, index, "type") {
                scan.kind = Some(given);
            } else {
                return Err(SYNTAX_ERROR);
            }
            index += 2;
        }
        Ok(scan)
    }

    /// One page of a table: its elements from `cursor` on, and the cursor of the next page.
    pub(super) fn page<T>(
        &self,
        elements: impl Iterator<Item = (Bytes, T)>,
        cursor: u64,
    ) -> (Vec<(Bytes, T)>, u64) {
        let placed = elements.map(|element| (place(&element.0), element));
        let mut ahead: Vec<_> = placed.filter(|(place, _)| *place >= cursor).collect();
        ahead.sort_by(|(one, a), (other, b)| (one, &a.0).cmp(&(other, &b.0)));
        let mut end = self.count.min(ahead.len());
        // A cursor cannot tell apart two elements with the same hash.
        while end < ahead.len() && ahead[end].0 == ahead[end - 1].0 {
            end += 1;
        }
        let next = ahead.get(end).map_or(0, |(place, _)| *place);
        ahead.truncate(end);
        (ahead.into_iter().map(|(_, element)| element).collect(), next)
    }

    /// Whether MATCH lets an element through.
    pub(super) fn shows(&self, element: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, element))
    }

    /// The reply: the next cursor, and of the page what MATCH lets through.
    pub(super) fn reply<T>(
        &self,
        (page, next): (Vec<(Bytes, T)>, u64),
        mut show: impl FnMut((Bytes, T), &mut Vec<Reply>),
    ) -> Reply {
        let mut shown = Vec::new();
        for element in page.into_iter().filter(|(key, _)| self.shows(key)) {
            show(element, &mut shown);
        }
        let cursor = Bytes::from(next.to_string());
        Reply::Array(vec![Reply::Bulk(cursor), Reply::Array(shown)])
    }
}

/// Where an element stands in the walk: FNV-1a, of which 48 bits are enough and survive a client that
/// keeps cursors in a floating-point number. Never 0, which means the start and the end.
fn place(element: &[u8]) -> u64 {
    let hash = element.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)
    });
    (hash >> 16).max(1)
}
