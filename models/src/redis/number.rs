//! Numbers as Redis writes and reads them.
//!
//! Redis decides "is this an integer" by its own parser (`src/util.c` `string2ll`), which refuses
//! what Rust's accepts (`+1`, leading zeros, `-0`): a lock token such as `007` must stay a string.

use bytes::Bytes;

/// The integer that `text` is the one canonical spelling of (`src/util.c` `string2ll`).
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut value: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        value = value.checked_mul(10)?;
        // Counted downwards when negative, because i64::MIN has no positive counterpart.
        value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
    }
    Some(value)
}

/// The decimal digits of `number`.
pub(crate) fn format(number: i64) -> Bytes {
    let mut digits = [0; 20];
    let length = write(number, &mut digits);
    Bytes::copy_from_slice(&digits[20 - length..])
}

/// Writes `number` to the end of `buffer`; returns how many bytes it took.
pub(crate) fn write(number: i64, buffer: &mut [u8; 20]) -> usize {
    let mut rest = number.unsigned_abs();
    let mut start = buffer.len();
    loop {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    buffer.len() - start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_an_integer() {
        for refused in ["", "-", "+1", "01", "-0", "00", "1 ", " 1", "1.0", "9223372036854775808"] {
            assert_eq!(parse(refused.as_bytes()), None, "{refused:?}");
        }
        assert_eq!(parse(b"0"), Some(0));
        assert_eq!(parse(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse(b"-9223372036854775809"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(number: i64) {
            prop_assert_eq!(format(number), number.to_string());
            prop_assert_eq!(parse(&format(number)), Some(number));
        }
    }
}
