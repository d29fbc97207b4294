//! C's `long double` on x86-64, for INCRBYFLOAT and HINCRBYFLOAT (`src/t_string.c`
//! `incrbyfloatCommand`): 64 bits of mantissa, so that 3.0 + 0.1 is 3.1 and not 3.10000000000000009,
//! as it would be with Rust's numbers.
//!
//! Only what these commands do: read a text, add, print with `%.17Lf` and without trailing zeros
//! (`src/util.c` `ld2string`). Numbers so small that they lose precision are refused.

use bytes::Bytes;

mod big;

use big::Big;

/// Longest text that is a number (`MAX_LONG_DOUBLE_CHARS`).
const MAX_TEXT: usize = 5 * 1024;
/// A power of ten beyond which nothing fits.
const MAX_POWER: i64 = 4950;
/// What `exponent` may reach.
const MAX_EXPONENT: i32 = 16384 - 64;

/// `mantissa * 2^exponent`; the mantissa's top bit is set unless the number is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extended {
    negative: bool,
    mantissa: u64,
    exponent: i32,
    infinite: bool,
}

impl Extended {
    pub(super) const ZERO: Extended =
        Extended { negative: false, mantissa: 0, exponent: 0, infinite: false };

    /// `src/util.c` `string2ld`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() >= MAX_TEXT {
            return None;
        }
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
            return Some(Self { negative, infinite: true, ..Self::ZERO });
        }
        let mut value = match text {
            [b'0', b'x' | b'X', rest @ ..] => {
                let (digits, power) = scientific(rest, 16)?;
                Self::rounded(&digits, i32::try_from(power).ok()?, false)?
            }
            text => {
                let (digits, power) = scientific(text, 10)?;
                Self::ratio(digits, power)?
            }
        };
        value.negative = negative;
        Some(value)
    }

    /// `digits * 10^power`, rounded.
    fn ratio(mut digits: Big, power: i64) -> Option<Self> {
        if digits.is_zero() {
            return Some(Self::ZERO);
        }
        if power.abs() > MAX_POWER {
            return None;
        }
        if power >= 0 {
            digits.times_power_of_ten(power as usize);
            return Self::rounded(&digits, 0, false);
        }
        let mut divisor = Big::from(1);
        divisor.times_power_of_ten(power.unsigned_abs() as usize);
        // Two more bits than are kept decide how to round.
        let shift = (divisor.bits() + 66).saturating_sub(digits.bits());
        digits.shift_up(shift);
        let (quotient, exact) = digits.divided_by(&divisor);
        Self::rounded(&quotient, -i32::try_from(shift).ok()?, !exact)
    }

    /// `whole * 2^exponent` to the nearest, ties to even; `more` if something was cut off before.
    fn rounded(whole: &Big, exponent: i32, more: bool) -> Option<Self> {
        let bits = whole.bits();
        if bits == 0 {
            return Some(Self::ZERO);
        }
        let (mut mantissa, rest) = whole.top(64);
        let mut exponent = exponent + i32::try_from(bits).ok()? - 64;
        let up = match rest {
            big::Rest::Less => false,
            big::Rest::Half => more || mantissa % 2 == 1,
            big::Rest::More => true,
        };
        if up {
            let (next, overflow) = mantissa.overflowing_add(1);
            mantissa = if overflow { 1 << 63 } else { next };
            exponent += i32::from(overflow);
        }
        (exponent < MAX_EXPONENT).then_some(Self { mantissa, exponent, ..Self::ZERO })
    }

    /// The nearest double, as far as its exponent reaches.
    pub(super) fn to_double(self) -> f64 {
        let size = self.mantissa as f64 * 2_f64.powi(self.exponent);
        if self.negative { -size } else { size }
    }

    pub(super) fn is_infinite(&self) -> bool {
        self.infinite
    }

    /// The sum; `None` if it is no finite number.
    pub(super) fn add(self, other: Self) -> Option<Self> {
        if self.infinite || other.infinite {
            return None;
        }
        // Zero has no place of its own, and a place far away would be a long way to shift.
        let (one, other) = match (self.mantissa, other.mantissa) {
            (0, _) => return Some(other),
            (_, 0) => return Some(self),
            _ => (self, other),
        };
        let exponent = one.exponent.min(other.exponent);
        let aligned = |it: Self| {
            let mut big = Big::from(it.mantissa);
            big.shift_up((it.exponent - exponent) as usize);
            big
        };
        let (mut large, mut small) = (aligned(one), aligned(other));
        let (mut sign, other_sign) = (one.negative, other.negative);
        if large < small {
            std::mem::swap(&mut large, &mut small);
            sign = other_sign;
        }
        match one.negative == other.negative {
            true => large.add(&small),
            false => large.subtract(&small),
        }
        let sum = Self::rounded(&large, exponent, false)?;
        Some(Self { negative: sign && sum.mantissa != 0, ..sum })
    }

    /// `ld2string` in its human mode.
    pub(super) fn print(&self) -> Bytes {
        const PLACES: u128 = 100_000_000_000_000_000;
        let text = if self.exponent >= 0 {
            let mut whole = Big::from(self.mantissa);
            whole.shift_up(self.exponent as usize);
            whole.decimal()
        } else {
            let shift = self.exponent.unsigned_abs();
            let scaled = shifted_down(u128::from(self.mantissa) * PLACES, shift);
            let fraction = format!("{:017}", scaled % PLACES);
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{}{point}{fraction}", scaled / PLACES)
        };
        let sign = if self.negative && text != "0" { "-" } else { "" };
        Bytes::from(format!("{sign}{text}"))
    }
}

/// `number / 2^shift` to the nearest, ties to even.
fn shifted_down(number: u128, shift: u32) -> u128 {
    if shift > 127 {
        return 0;
    }
    let (whole, rest, half) = (number >> shift, number & ((1 << shift) - 1), 1 << (shift - 1));
    whole + u128::from(rest > half || (rest == half && whole % 2 == 1))
}

/// The digits of a number as a whole number, and the power to multiply it by: of ten, or, for
/// hexadecimal digits, of two.
fn scientific(text: &[u8], base: u32) -> Option<(Big, i64)> {
    let mark = if base == 10 { b'e' } else { b'p' };
    let exponent_at = text.iter().position(|byte| byte.eq_ignore_ascii_case(&mark));
    let (digits, power) = match exponent_at {
        None => (text, 0),
        Some(at) => (&text[..at], exponent(&text[at + 1..])?),
    };
    let mut whole = Big::from(0);
    let (mut seen, mut places, mut after_point) = (false, 0, false);
    for byte in digits {
        if *byte == b'.' && !after_point {
            after_point = true;
            continue;
        }
        whole.times_plus(base, char::from(*byte).to_digit(base)?);
        seen = true;
        places += i64::from(after_point);
    }
    let places = if base == 10 { places } else { 4 * places };
    seen.then_some((whole, power - places))
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let far = i64::from(i32::MAX);
    let value =
        digits.iter().fold(0, |value, digit| (value * 10 + i64::from(digit - b'0')).min(far));
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(one: &str, other: &str) -> String {
        let parse = |text: &str| Extended::parse(text.as_bytes()).expect("a number");
        let sum = parse(one).add(parse(other)).expect("finite");
        String::from_utf8(sum.print().to_vec()).expect("digits")
    }

    /// What INCRBYFLOAT of a real 7.0.15 answers.
    #[test]
    fn sums_are_those_of_the_real_server() {
        assert_eq!(sum("3.0", "0.1"), "3.1");
        assert_eq!(sum("10.50", "0.1"), "10.6");
        assert_eq!(sum("5.0e3", "2.0e2"), "5200");
        assert_eq!(sum("0", "-0"), "0");
        assert_eq!(sum("1", "-1"), "0");
        assert_eq!(sum("0.1", "0.2"), "0.3");
        assert_eq!(sum("-1.5", "0.25"), "-1.25");
        assert_eq!(sum("1e-20", "0"), "0");
        assert_eq!(sum("0x10", "0x.8"), "16.5");
        assert_eq!(sum("17179869184", "1e20"), "100000000017179869184");
    }

    #[test]
    fn only_numbers_are_read() {
        for refused in ["", "-", ".", "1e", "e1", "1 ", " 1", "nan", "1.2.3", "1e99999"] {
            assert_eq!(Extended::parse(refused.as_bytes()), None, "{refused:?}");
        }
        for read in ["1", "+1", ".5", "5.", "1e5", "-inf", "Infinity", "0e99999", "0x1.8p1"] {
            assert!(Extended::parse(read.as_bytes()).is_some(), "{read:?}");
        }
    }
}
