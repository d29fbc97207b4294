//! The few shapes that nearly every message of a lock is made of, written and read in one go: short
//! byte strings, integers, the status line, null.
//!
//! What does not have exactly such a shape is left to the general readers beside this file, which also
//! find the words for what is wrong.

use bytes::BytesMut;

use super::number;
use crate::redis::reply::Reply;

/// The most that a byte string is longer on the wire: its mark, the digits of any length, two line ends.
const AROUND: usize = 1 + 20 + 2 + 2;

/// Appends a list of byte strings: `*1\r\n$5\r\nhello\r\n`.
pub(super) fn write_bulks(words: &[&[u8]], output: &mut BytesMut) {
    // Room for the longest headers is made and the rest taken back: to count their digits beforehand
    // takes as long as to write them.
    let most = words.iter().fold(AROUND, |most, word| most + AROUND + word.len());
    let end = output.len() + most;
    output.resize(end, 0);
    let mut rest = put_header(b'*', words.len(), &mut output[end - most..]);
    for word in words {
        rest = put_bulk(word, rest);
    }
    let unused = rest.len();
    output.truncate(end - unused);
}

/// Appends `$5\r\nhello\r\n`.
pub(super) fn write_bulk(bytes: &[u8], output: &mut BytesMut) {
    let start = output.len();
    output.resize(start + header_size(bytes.len()) + bytes.len() + 2, 0);
    put_bulk(bytes, &mut output[start..]);
}

/// Puts a byte string at the start of `out`; what is left of that. A call for each word of a request
/// would cost as much as the word.
#[inline(always)]
fn put_bulk<'a>(bytes: &[u8], out: &'a mut [u8]) -> &'a mut [u8] {
    let (body, rest) = put_header(b'$', bytes.len(), out).split_at_mut(bytes.len());
    copy(bytes, body);
    let (end, rest) = rest.split_at_mut(2);
    end.copy_from_slice(b"\r\n");
    rest
}

/// Words of locks are mostly so short (`SET`, `NX`, `lock`) that a call costs more than to copy them.
#[inline]
fn copy(from: &[u8], to: &mut [u8]) {
    match (from, &mut *to) {
        ([a, b], [x, y]) => (*x, *y) = (*a, *b),
        ([a, b, c], [x, y, z]) => (*x, *y, *z) = (*a, *b, *c),
        ([a, b, c, d], [w, x, y, z]) => (*w, *x, *y, *z) = (*a, *b, *c, *d),
        _ => to.copy_from_slice(from),
    }
}

/// The size of a line that announces a length.
#[inline]
fn header_size(length: usize) -> usize {
    match length {
        0..=9 => 4,
        10..=99 => 5,
        _ => 4 + length.ilog10() as usize,
    }
}

#[inline]
fn put_header(mark: u8, length: usize, out: &mut [u8]) -> &mut [u8] {
    let digit = |number: usize| b'0' + number as u8;
    match length {
        0..=9 => put_line([mark, digit(length), b'\r', b'\n'], out),
        10..=99 => put_line([mark, digit(length / 10), digit(length % 10), b'\r', b'\n'], out),
        _ => long_header(mark, length, out),
    }
}

#[inline]
fn put_line<const SIZE: usize>(line: [u8; SIZE], out: &mut [u8]) -> &mut [u8] {
    let (start, rest) = out.split_first_chunk_mut().expect("as large as was counted");
    *start = line;
    rest
}

#[inline(never)]
fn long_header(mark: u8, length: usize, out: &mut [u8]) -> &mut [u8] {
    let (line, rest) = out.split_at_mut(header_size(length));
    line[0] = mark;
    let size = line.len();
    let (number, end) = line[1..].split_at_mut(size - 3);
    end.copy_from_slice(b"\r\n");
    let mut left = length;
    for digit in number.iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
    }
    rest
}

/// Appends `+OK\r\n`.
pub(super) fn write_status(text: &str, output: &mut BytesMut) {
    if text == "OK" {
        return output.extend_from_slice(b"+OK\r\n");
    }
    output.extend_from_slice(b"+");
    output.extend_from_slice(text.as_bytes());
    output.extend_from_slice(b"\r\n");
}

/// Appends `mark`, the digits of `number` and the end of the line. (The crate takes the length of a
/// number from its logarithm, which is one too long for 99999999999999998 and the like, and fills the
/// gap with a zero byte.)
pub(super) fn write_number(mark: u8, number: i64, output: &mut BytesMut) {
    let mut line = [0; 23];
    if let digit @ 0..=9 = number {
        line[..4].copy_from_slice(&[mark, b'0' + digit as u8, b'\r', b'\n']);
        return output.extend_from_slice(&line[..4]);
    }
    let mut digits = [0; 20];
    let length = number::write(number, &mut digits);
    line[0] = mark;
    line[1..=length].copy_from_slice(&digits[20 - length..]);
    line[length + 1..length + 3].copy_from_slice(b"\r\n");
    output.extend_from_slice(&line[..length + 3]);
}

/// The number of at most three digits in the line at the start of `input` behind its first byte, and how
/// long the line is; Redis looks at its `\r` only and takes one more byte for granted. (No word of a lock
/// is longer, and no limit on byte strings is met: the smallest, for strangers, is 16 KiB.)
#[inline(always)]
pub(super) fn length(input: &[u8]) -> Option<(usize, usize)> {
    let digit = |byte: u8| usize::from(byte - b'0');
    // A zero in front is not how a length is spelled.
    match *input {
        [_, one @ b'0'..=b'9', b'\r', _, ..] => Some((digit(one), 4)),
        [_, ten @ b'1'..=b'9', one @ b'0'..=b'9', b'\r', _, ..] => {
            Some((10 * digit(ten) + digit(one), 5))
        }
        [_, hundred @ b'1'..=b'9', ten @ b'0'..=b'9', one @ b'0'..=b'9', b'\r', _, ..] => {
            Some((100 * digit(hundred) + 10 * digit(ten) + digit(one), 6))
        }
        _ => None,
    }
}

/// The longest integer: a sign and 19 digits.
const DIGITS: usize = 20;

/// The integer in the line at the start of `input` behind its mark, and how long the line is.
fn integer(input: &[u8]) -> Option<(i64, usize)> {
    let line = &input[1..input.len().min(DIGITS + 3)];
    let end = line.iter().position(|byte| *byte == b'\r')?;
    let number = number::parse(&line[..end])?;
    (*line.get(end + 1)? == b'\n').then_some((number, end + 3))
}

/// The reply at the start of `input` and its length in bytes, if it is whole and has one of the shapes.
pub(super) fn reply(input: &[u8]) -> Option<(Reply, usize)> {
    match input.first()? {
        b'$' if input.starts_with(b"$-1\r\n") => Some((Reply::Null, 5)),
        b'$' => {
            let (length, start) = length(input)?;
            let end = start + length;
            let whole = input[start - 1] == b'\n' && input.get(end..end + 2)? == b"\r\n";
            whole.then(|| (Reply::copied(&input[start..end]), end + 2))
        }
        b'+' => input.starts_with(b"+OK\r\n").then_some((Reply::OK, 5)),
        b':' => integer(input).map(|(number, length)| (Reply::Integer(number), length)),
        _ => None,
    }
}
