//! Reading a format (`optsize`, `controloptions`, `gettoalign`).

use super::super::{Answer, Arguments};

/// `MAXINTSIZE`.
const MAX_INTEGER: usize = 32;
/// `MAXALIGN`.
const MAX_ALIGN: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Signed,
    Unsigned,
    Float,
    Double,
    /// `c`: as many bytes as it says.
    Characters,
    /// `s`: up to a zero byte.
    Terminated,
    /// `x`.
    Padding,
}

/// One value of a format.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) kind: Kind,
    pub(super) size: usize,
}

/// A format, and what it has switched on so far.
pub(super) struct Format<'a> {
    rest: &'a [u8],
    pub(super) big_endian: bool,
    align: usize,
}

impl<'a> Format<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, big_endian: false, align: 1 }
    }

    /// The next value; what only switches something is dealt with on the way.
    pub(super) fn next(&mut self, args: &Arguments<'_>) -> Answer<Option<Field>> {
        while let Some((option, rest)) = self.rest.split_first() {
            self.rest = rest;
            let (kind, size) = match option {
                b'b' => (Kind::Signed, 1),
                b'B' => (Kind::Unsigned, 1),
                b'h' => (Kind::Signed, 2),
                b'H' => (Kind::Unsigned, 2),
                b'l' => (Kind::Signed, 8),
                b'L' | b'T' => (Kind::Unsigned, 8),
                b'i' => (Kind::Signed, self.integer_size()?),
                b'I' => (Kind::Unsigned, self.integer_size()?),
                b'f' => (Kind::Float, 4),
                b'd' => (Kind::Double, 8),
                b'x' => (Kind::Padding, 1),
                b'c' => (Kind::Characters, self.number()?.unwrap_or(1)),
                b's' => (Kind::Terminated, 0),
                b' ' => continue,
                b'>' | b'<' => {
                    self.big_endian = *option == b'>';
                    continue;
                }
                b'!' => {
                    self.align = self.number()?.unwrap_or(MAX_ALIGN);
                    if !self.align.is_power_of_two() {
                        return Err(format!("alignment {} is not a power of 2", self.align));
                    }
                    continue;
                }
                other => {
                    let other = char::from(*other);
                    return Err(args.wrong(0, &format!("invalid format option '{other}'")));
                }
            };
            return Ok(Some(Field { kind, size }));
        }
        Ok(None)
    }

    fn integer_size(&mut self) -> Answer<usize> {
        let size = self.number()?.unwrap_or(4);
        if size > MAX_INTEGER {
            return Err(format!("integral size {size} is larger than limit of {MAX_INTEGER}"));
        }
        Ok(size)
    }

    fn number(&mut self) -> Answer<Option<usize>> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        if digits == 0 {
            return Ok(None);
        }
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<i32>().ok());
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err("integral size overflow".to_owned()),
        }
    }

    /// How many bytes come before `field` so that it is aligned.
    pub(super) fn gap(&self, at: usize, field: &Field) -> usize {
        let size = field.size.min(self.align);
        if field.kind == Kind::Characters || size <= 1 {
            return 0;
        }
        (size - (at & (size - 1))) & (size - 1)
    }
}
