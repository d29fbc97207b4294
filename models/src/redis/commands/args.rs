//! Arguments as numbers, ranges and choices, with the errors that Redis has for wrong ones
//! (`src/object.c` `getLongFromObjectOrReply` and its kin).

use std::ops::Range;

use super::super::extended::Extended;
use super::super::number;
use super::super::request::Request;
use super::{NOT_AN_INTEGER, Reply, SYNTAX_ERROR, error};

/// The integer that an argument is.
pub(super) fn integer(arg: &[u8]) -> Result<i64, Reply> {
    // Not `ok_or`: that makes the error first, and nearly always throws it away.
    let Some(number) = number::parse(arg) else { return Err(NOT_AN_INTEGER) };
    Ok(number)
}

/// An integer that C keeps in an `int` (`getIntFromObjectOrReply`).
pub(super) fn int(arg: &[u8]) -> Result<i64, Reply> {
    bounded(arg, i64::from(i32::MIN), i64::from(i32::MAX))
}

/// An integer between two bounds; anything else is `wrong` (`getRangeLongFromObjectOrReply` with a
/// text).
pub(super) fn within(arg: &[u8], min: i64, max: i64, wrong: Reply) -> Result<i64, Reply> {
    number::parse(arg).filter(|number| (min..=max).contains(number)).ok_or(wrong)
}

/// As [`within`] without a text: what is no integer has another error than what is out of bounds.
pub(super) fn bounded(arg: &[u8], min: i64, max: i64) -> Result<i64, Reply> {
    let number = integer(arg)?;
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    Err(error(format!("ERR value is out of range, value must between {min} and {max}")))
}

/// How many, by `getPositiveLongFromObjectOrReply`.
pub(super) fn count(arg: &[u8]) -> Result<usize, Reply> {
    let wrong = Reply::error("ERR value is out of range, must be positive");
    within(arg, 0, i64::MAX, wrong).map(|number| number as usize)
}

/// A number with a fraction (`getLongDoubleFromObjectOrReply`). Infinity is one, and no sum.
pub(super) fn float(arg: &[u8]) -> Result<Extended, Reply> {
    Extended::parse(arg).ok_or(Reply::error("ERR value is not a valid float"))
}

/// A score (`getDoubleFromObjectOrReply`).
pub(super) fn double(arg: &[u8]) -> Result<f64, Reply> {
    double_or(arg, Reply::error("ERR value is not a valid float"))
}

/// A score, with another error for what is none.
pub(super) fn double_or(arg: &[u8], wrong: Reply) -> Result<f64, Reply> {
    let number =
        number::parse_double(arg).filter(|number| !number.is_nan()).ok_or(wrong.clone())?;
    let names_infinity = || arg.iter().any(|byte| matches!(byte, b'i' | b'I'));
    let names_zero = || !arg.iter().any(|byte| matches!(byte, b'1'..=b'9'));
    // What C's strtod calls out of range: too large, or too small to be told from 0.
    let fits = (number.is_finite() || names_infinity()) && (number != 0.0 || names_zero());
    if fits { Ok(number) } else { Err(wrong) }
}

/// The error of INCRBYFLOAT and HINCRBYFLOAT for a sum that is no number.
pub(super) const NOT_FINITE: Reply = Reply::error("ERR increment would produce NaN or Infinity");

/// The places from `start` to `stop` in a sequence of `length`, both counted from the end when
/// negative, `stop` included.
pub(super) fn window(start: i64, stop: i64, length: usize) -> Range<usize> {
    let length = length as i64;
    let counted = |index: i64| if index < 0 { length.saturating_add(index) } else { index };
    let start = counted(start).max(0);
    let stop = counted(stop).min(length - 1);
    if start > stop { 0..0 } else { start as usize..stop as usize + 1 }
}

/// Whether the argument at `index` is the option `name`.
pub(super) fn is(args: &Request, index: usize, name: &str) -> bool {
    args.get(index).is_some_and(|arg| arg.eq_ignore_ascii_case(name.as_bytes()))
}

/// The keys after the number of keys at `at`, as the many-key commands write them, and where the
/// argument after them stands. At least `behind` arguments must follow.
pub(super) fn counted_keys(
    args: &Request,
    at: usize,
    behind: usize,
) -> Result<(Range<usize>, usize), Reply> {
    let wrong = Reply::error("ERR numkeys should be greater than 0");
    let count = within(&args[at], 1, i64::MAX, wrong)?;
    let first = at + 1;
    let end = usize::try_from(count).ok().and_then(|count| first.checked_add(count));
    let end = end.filter(|end| end.saturating_add(behind) <= args.len()).ok_or(SYNTAX_ERROR)?;
    Ok((first..end, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_stays_inside() {
        assert_eq!(window(0, -1, 3), 0..3);
        assert_eq!(window(-2, 10, 3), 1..3);
        assert_eq!(window(2, 1, 3), 0..0);
        assert_eq!(window(3, 5, 3), 0..0);
        assert_eq!(window(i64::MIN, i64::MAX, 3), 0..3);
        assert_eq!(window(0, -4, 3), 0..0);
        assert_eq!(window(0, 0, 0), 0..0);
    }
}
