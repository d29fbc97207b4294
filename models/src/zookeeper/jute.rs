//! Jute, ZooKeeper's serialisation: big-endian numbers, and texts, buffers and lists that say first how
//! long they are, -1 being null.
//!
//! One trait for both directions, and one macro that makes a record of a list of fields: what is read
//! and what is written cannot differ. Reading never takes more memory than the bytes that came, whatever
//! length they claim (`jute/BinaryInputArchive.java`).

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The largest frame, in bytes (`jute.maxbuffer`).
pub const MAX_FRAME: usize = 0xf_ffff;

/// The bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed jute")]
pub struct Malformed;

/// What can be written as jute and read back.
pub trait Jute: Sized {
    /// Takes one value off the front of `input`.
    ///
    /// # Errors
    /// If the bytes end too early or cannot be such a value.
    fn read(input: &mut Bytes) -> Result<Self, Malformed>;

    /// Appends the value to `output`.
    fn write(&self, output: &mut BytesMut);
}

/// A record: its fields one after the other. Transcripts have them by their names.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $crate::zookeeper::jute::Jute for $name {
            fn read(
                input: &mut bytes::Bytes,
            ) -> Result<Self, $crate::zookeeper::jute::Malformed> {
                // Fields are evaluated in the order in which they are written here.
                Ok(Self { $($field: $crate::zookeeper::jute::Jute::read(input)?,)* })
            }

            fn write(&self, output: &mut bytes::BytesMut) {
                $($crate::zookeeper::jute::Jute::write(&self.$field, output);)*
            }
        }

        $crate::transcript::notation::noted! { $name { $($field),* } }
    };
}
pub(super) use record;

/// Takes one frame off `input`, without its length; `None` if it is not whole yet.
///
/// # Errors
/// If the length is negative or beyond [`MAX_FRAME`] (`server/NIOServerCnxn.java` `readLength`).
pub fn take_frame(input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
    let Some(prefix) = input.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(i32::from_be_bytes(*prefix)).map_err(|_| Malformed)?;
    if length > MAX_FRAME {
        return Err(Malformed);
    }
    if input.len() < 4 + length {
        return Ok(None);
    }
    input.advance(4);
    Ok(Some(input.split_to(length).freeze()))
}

/// Appends one frame: its length and what `fill` writes.
pub fn put_frame(output: &mut BytesMut, fill: impl FnOnce(&mut BytesMut)) {
    let start = output.len();
    output.put_i32(0);
    fill(output);
    let length = (output.len() - start - 4) as i32;
    output[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

impl Jute for () {
    fn read(_: &mut Bytes) -> Result<Self, Malformed> {
        Ok(())
    }

    fn write(&self, _: &mut BytesMut) {}
}

impl Jute for bool {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        input.try_get_u8().map(|byte| byte != 0).map_err(|_| Malformed)
    }

    fn write(&self, output: &mut BytesMut) {
        output.put_u8((*self).into());
    }
}

impl Jute for i32 {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        input.try_get_i32().map_err(|_| Malformed)
    }

    fn write(&self, output: &mut BytesMut) {
        output.put_i32(*self);
    }
}

impl Jute for i64 {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        input.try_get_i64().map_err(|_| Malformed)
    }

    fn write(&self, output: &mut BytesMut) {
        output.put_i64(*self);
    }
}

/// A buffer that may be null.
impl Jute for Option<Bytes> {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        let length = i32::read(input)?;
        if length == -1 {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        if length > input.len() {
            return Err(Malformed);
        }
        Ok(Some(input.split_to(length)))
    }

    fn write(&self, output: &mut BytesMut) {
        match self {
            None => output.put_i32(-1),
            Some(bytes) => {
                output.put_i32(bytes.len() as i32);
                output.put_slice(bytes);
            }
        }
    }
}

/// A text that may be null. Bytes that are not UTF-8 are replaced, as Java does.
impl Jute for Option<String> {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        let bytes = Option::<Bytes>::read(input)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn write(&self, output: &mut BytesMut) {
        match self {
            None => output.put_i32(-1),
            Some(text) => text.write(output),
        }
    }
}

/// A text that must be there: where the real server meets a null, it fails as it does with bytes that
/// it cannot read.
impl Jute for String {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        Option::<String>::read(input)?.ok_or(Malformed)
    }

    fn write(&self, output: &mut BytesMut) {
        output.put_i32(self.len() as i32);
        output.put_slice(self.as_bytes());
    }
}

/// A list; null and negative counts are read as an empty one.
impl<T: Jute> Jute for Vec<T> {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        let count = i32::read(input)?;
        let mut items = Vec::new();
        // Every item takes bytes, so a count that lies ends with the bytes.
        for _ in 0..count {
            items.push(T::read(input)?);
        }
        Ok(items)
    }

    fn write(&self, output: &mut BytesMut) {
        output.put_i32(self.len() as i32);
        self.iter().for_each(|item| item.write(output));
    }
}
