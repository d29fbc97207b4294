//! Numbers as Redis writes and reads them.
//!
//! Redis decides "is this an integer" by its own parser (`src/util.c` `string2ll`), which refuses
//! what Rust's accepts (`+1`, leading zeros, `-0`): a lock token such as `007` must stay a string.

use bytes::Bytes;

use super::extended::Extended;

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
    // Nineteen digits always fit.
    let mut size: u64 = 0;
    for digit in digits {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        size = size * 10 + u64::from(digit);
    }
    match negative {
        true => 0_i64.checked_sub_unsigned(size),
        false => i64::try_from(size).ok(),
    }
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

/// The number that C's `strtod` reads if all of `text` is one, infinities and NaN included.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    let unsigned = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    if let [b'0', b'x' | b'X', ..] = unsigned {
        return Extended::parse(text).map(|number| number.to_double());
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The number that `text` begins with and how long it is, as C's `strtod` finds them.
pub(crate) fn double_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let letters = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
    let most = text.iter().take(400).take_while(|byte| letters(byte)).count();
    let candidates = (1..=most).rev().map(|length| (&text[..length], length));
    candidates.filter_map(|(part, length)| Some((parse_double(part)?, length))).next()
}

/// C's `%.17g`, by which 7.0 prints doubles, in replies and for commands of scripts (7.2 prints the
/// shortest form instead).
pub(crate) fn print(number: f64) -> String {
    print_digits(number, 17)
}

/// C's `%.{digits}g`.
pub(crate) fn print_digits(number: f64, digits: i32) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let places = usize::try_from(digits - 1).unwrap_or(0);
    let scientific = format!("{number:.places$e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("a number in that form");
    let exponent: i32 = exponent.parse().expect("an exponent in that form");
    if (-4..digits).contains(&exponent) {
        let places = usize::try_from(digits - 1 - exponent).expect("few places");
        return without_trailing_zeros(&format!("{number:.places$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let mantissa = without_trailing_zeros(mantissa);
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

fn without_trailing_zeros(text: &str) -> &str {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
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

    /// What a real 7.0.15 stores for `redis.call('set', k, number)`.
    #[test]
    fn numbers_are_printed_as_the_real_server_prints_them() {
        let rows = [
            (0.1, "0.10000000000000001"),
            (3.5, "3.5"),
            (1e17, "1e+17"),
            (1e300, "1.0000000000000001e+300"),
            (1.5e-7, "1.4999999999999999e-07"),
            (1_700_000_000_000.0, "1700000000000"),
            (f64::INFINITY, "inf"),
            (-0.0, "-0"),
        ];
        for (number, printed) in rows {
            assert_eq!(print(number), printed);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(number: i64) {
            prop_assert_eq!(format(number), number.to_string());
            prop_assert_eq!(parse(&format(number)), Some(number));
        }
    }
}
