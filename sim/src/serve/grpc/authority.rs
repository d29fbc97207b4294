//! Names of servers that are none, made such that `h2` can read them.
//!
//! Some calls of etcd's Go clients name the server by its address with the scheme (`http://127.0.0.1:2379`:
//! `clientv3/maintenance.go`, so `etcdctl endpoint status`), where HTTP/2 wants host and port. The real
//! server does not look at it; nor would this one, but `h2` resets such a call and has no setting for it.
//!
//! So `://` becomes `j--` on its way in. These letters take as many bits in HPACK's Huffman code, so that
//! every length stays what it was, that of the entry in the decoder's table too.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use ::bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What a connection begins with (RFC 9113, 3.4), in bytes.
const PREFACE: usize = 24;
/// What each frame begins with: length, kind, flags, stream.
const FRAME_HEAD: usize = 9;
const HEADERS: u8 = 1;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// Where `:authority` is in HPACK's table (RFC 7541, appendix A).
const AUTHORITY: usize = 1;

/// A connection whose requests name their server by host and port.
pub(super) struct Mended<S> {
    stream: S,
    input: BytesMut,
    /// So much of the input has been looked at.
    ready: usize,
    /// So many bytes more are none of this module's business.
    pass: usize,
}

impl<S> Mended<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, input: BytesMut::new(), ready: 0, pass: PREFACE }
    }

    /// Looks at what has come, up to a frame that must be whole first.
    fn look(&mut self) {
        while self.ready < self.input.len() {
            let rest = &mut self.input[self.ready..];
            if self.pass > 0 {
                let passed = self.pass.min(rest.len());
                self.ready += passed;
                self.pass -= passed;
                continue;
            }
            let Some(&[a, b, c, kind, flags, ..]) = rest.first_chunk::<FRAME_HEAD>() else {
                return;
            };
            let end = FRAME_HEAD + u32::from_be_bytes([0, a, b, c]) as usize;
            // Longer than was announced is an error anyway.
            if kind == HEADERS && end <= FRAME_HEAD + super::FRAME_BYTES as usize {
                let Some(frame) = rest.get_mut(FRAME_HEAD..end) else { return };
                mend(frame, flags);
            }
            self.pass = end;
        }
    }
}

/// Mends the header block of a frame, as far as it is one.
fn mend(frame: &mut [u8], flags: u8) -> Option<()> {
    let before = if flags & PRIORITY == 0 { 0 } else { 5 };
    let (before, padding) = match frame.first() {
        Some(padding) if flags & PADDED != 0 => (before + 1, usize::from(*padding)),
        _ => (before, 0),
    };
    let end = frame.len().checked_sub(padding)?;
    let block = frame.get_mut(before..end)?;
    let mut at = 0;
    while let Some(first) = block.get(at) {
        // What a field begins with says what follows, and how many bits of it are a number (section 6).
        let (bits, literal) = match first {
            0x80.. => (7, false),
            0x40.. => (6, true),
            0x20.. => (5, false),
            _ => (4, true),
        };
        let name;
        (name, at) = integer(block, at, bits)?;
        if literal {
            if name == 0 {
                at = string(block, at)?.2;
            }
            let (huffman, begin, end) = string(block, at)?;
            let value = block.get_mut(begin..end)?;
            if name == AUTHORITY {
                rename(value, huffman);
            }
            at = end;
        }
    }
    Some(())
}

/// A number with a prefix of so many bits, and where it ends (section 5.1).
fn integer(block: &[u8], mut at: usize, bits: u32) -> Option<(usize, usize)> {
    let most = (1 << bits) - 1;
    let mut value = usize::from(*block.get(at)?) & most;
    at += 1;
    if value == most {
        // No length that fits into a frame takes more.
        for shift in [0, 7, 14] {
            let byte = *block.get(at)?;
            at += 1;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some((value, at));
            }
        }
        return None;
    }
    Some((value, at))
}

/// Whether a text is in Huffman code, where it begins and where it ends (section 5.2).
fn string(block: &[u8], at: usize) -> Option<(bool, usize, usize)> {
    let huffman = block.get(at)? & 0x80 != 0;
    let (length, begin) = integer(block, at, 7)?;
    Some((huffman, begin, begin + length))
}

/// Codes one behind the other, in the upper of 48 bits.
const fn coded(codes: [(u64, u32); 7]) -> u64 {
    let (mut all, mut left, mut next) = (0, 48, 0);
    while next < codes.len() {
        left -= codes[next].1;
        all |= codes[next].0 << left;
        next += 1;
    }
    all
}

/// Appendix B.
const H: (u64, u32) = (0b10_0111, 6);
const T: (u64, u32) = (0b0_1001, 5);
const P: (u64, u32) = (0b10_1011, 6);
const COLON: (u64, u32) = (0b101_1100, 7);
const SLASH: (u64, u32) = (0b1_1000, 6);
const J: (u64, u32) = (0b111_0100, 7);
const DASH: (u64, u32) = (0b1_0110, 6);

const SCHEME: u64 = coded([H, T, T, P, COLON, SLASH, SLASH]);
const NAME: u64 = coded([H, T, T, P, J, DASH, DASH]);
/// The seven bits behind the seven codes are of the next one.
const NEXT: u64 = 0x7f;

fn rename(value: &mut [u8], huffman: bool) {
    if !huffman {
        if let Some(text) = value.first_chunk_mut::<7>().filter(|text| *text == b"http://") {
            text.copy_from_slice(b"httpj--");
        }
        return;
    }
    let Some(bytes) = value.first_chunk_mut::<6>() else { return };
    let [a, b, c, d, e, f] = *bytes;
    let bits = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    if bits & !NEXT == SCHEME {
        let [_, _, mended @ ..] = (NAME | bits & NEXT).to_be_bytes();
        *bytes = mended;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Mended<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.ready == 0 {
            this.input.reserve(FRAME_HEAD + super::FRAME_BYTES as usize);
            let read = pin!(this.stream.read_buf(&mut this.input));
            if ready!(read.poll(cx))? == 0 {
                // The end; if it is in the middle of a frame, that is for whoever reads it.
                this.ready = this.input.len();
                break;
            }
            this.look();
        }
        let taken = this.ready.min(buffer.remaining());
        buffer.put_slice(&this.input[..taken]);
        this.input.advance(taken);
        this.ready -= taken;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Mended<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame of HEADERS.
    fn frame(flags: u8, block: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 0, block.len() as u8, HEADERS, flags, 0, 0, 0, 1];
        frame.extend_from_slice(block);
        frame
    }

    /// What is read of a connection that sends `frames`, a piece at a time.
    fn read(frames: &[u8], piece: usize) -> Vec<u8> {
        let mut mended = Mended::new(());
        let mut all = vec![b'P'; PREFACE];
        all.extend_from_slice(frames);
        for piece in all.chunks(piece) {
            mended.input.extend_from_slice(piece);
            mended.look();
        }
        assert_eq!(mended.ready, all.len(), "a frame was held back");
        mended.input[PREFACE..].to_vec()
    }

    /// `:method: POST`, a new table size, `te: trailers`, then `:authority` in plain text.
    const PLAIN: &[u8] = b"\x83\x3f\xe1\x1f\x00\x02te\x08trailers\x41\x0bhttp://a:10";
    const MENDED: &[u8] = b"\x83\x3f\xe1\x1f\x00\x02te\x08trailers\x41\x0bhttpj--a:10";

    #[test]
    fn an_address_becomes_a_name_of_the_same_length() {
        for piece in [1, 7, 100] {
            let frames = [frame(4, PLAIN), frame(4, b"\x83\xbe")].concat();
            assert_eq!(read(&frames, piece), [frame(4, MENDED), frame(4, b"\x83\xbe")].concat());
        }
        let padded = |block: &[u8]| [b"\x02\0\0\0\0\x10", block, b"\0\0"].concat();
        assert_eq!(read(&frame(0x2c, &padded(PLAIN)), 5), frame(0x2c, &padded(MENDED)));
    }

    /// As etcdctl 3.4.23 sends it.
    #[test]
    fn so_does_one_in_huffman_code() {
        // http://127.0.0.1:2379
        let sent = b"\x41\x90\x9d\x29\xae\xe3\x0c\x08\x9d\x5c\x0b\x81\x70\xdc\x11\x65\xd7\xff";
        // httpj--127.0.0.1:2379
        let read_as = b"\x41\x90\x9d\x29\xaf\xa2\xcb\x08\x9d\x5c\x0b\x81\x70\xdc\x11\x65\xd7\xff";
        assert_eq!(read(&frame(4, sent), 3), frame(4, read_as));
    }

    #[test]
    fn what_is_not_an_address_stays() {
        for block in [&b"\x41\x0b127.0.0.1:1"[..], b"\x44\x0bhttp://a:10", b"\x41\x04http"] {
            assert_eq!(read(&frame(4, block), 4), frame(4, block));
        }
    }

    proptest! {
        /// Nothing is held back, nothing gets longer or shorter, whatever it is.
        #[test]
        fn any_bytes_pass(block in prop::collection::vec(any::<u8>(), 0..60), flags: u8) {
            let sent = frame(flags, &block);
            prop_assert_eq!(read(&sent, 9).len(), sent.len());
        }
    }
}
