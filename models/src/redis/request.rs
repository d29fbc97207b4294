//! One command as a client sent it: a list of byte strings.
//!
//! All arguments lie back to back in one allocation, with the ends of the first few inline, because
//! a request is made for every message of a simulation and its arguments are only looked at: what
//! the keyspace keeps, it copies.

use std::fmt;

/// Arguments whose ends are kept without an allocation; the longest command of the usual locks
/// (`SET k v NX PX ms GET`) has seven.
const INLINE: usize = 8;

/// The arguments of one command, the command's name first. May be empty (an empty RESP array or an
/// empty line), which the server ignores.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    bytes: Vec<u8>,
    count: usize,
    inline_ends: [u32; INLINE],
    further_ends: Vec<u32>,
}

impl Request {
    /// The command made of `args`.
    pub fn new<Arg: AsRef<[u8]>>(args: impl IntoIterator<Item = Arg>) -> Self {
        let mut request = Self::default();
        for arg in args {
            request.push(arg.as_ref());
        }
        request
    }

    /// Adds one argument.
    ///
    /// # Panics
    /// When the arguments together reach 4 GiB; a decoded request ends at 1 GiB
    /// (`client-query-buffer-limit`).
    pub fn push(&mut self, arg: &[u8]) {
        self.bytes.extend_from_slice(arg);
        let end = u32::try_from(self.bytes.len()).expect("a request stays below 4 GiB");
        match self.inline_ends.get_mut(self.count) {
            Some(slot) => *slot = end,
            None => self.further_ends.push(end),
        }
        self.count += 1;
    }

    /// Number of arguments, the command's name included.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is not even a name.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The argument at `index` (0 is the name), if there is one.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        (index < self.count).then(|| {
            let start = if index == 0 { 0 } else { self.end(index - 1) };
            &self.bytes[start..self.end(index)]
        })
    }

    /// All arguments in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|index| &self[index])
    }

    /// Empties it and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.further_ends.clear();
        self.count = 0;
        // So that two equal requests compare equal whatever stood there before.
        self.inline_ends = [0; INLINE];
    }

    /// Makes room for `bytes` more bytes of arguments.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve_exact(bytes);
    }

    fn end(&self, index: usize) -> usize {
        let end = match self.inline_ends.get(index) {
            Some(end) => *end,
            None => self.further_ends[index - INLINE],
        };
        end as usize
    }
}

impl std::ops::Index<usize> for Request {
    type Output = [u8];
    fn index(&self, index: usize) -> &[u8] {
        self.get(index).expect("an index below the number of arguments")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[")?;
        for (index, arg) in self.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(formatter, "{space}\"{}\"", arg.escape_ascii())?;
        }
        formatter.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arguments_come_back_as_they_were(args: Vec<Vec<u8>>) {
            let request = Request::new(&args);
            prop_assert_eq!(request.len(), args.len());
            let back: Vec<Vec<u8>> = request.iter().map(<[u8]>::to_vec).collect();
            prop_assert_eq!(back, args.clone());
            prop_assert_eq!(request.get(args.len()), None);
        }
    }

    #[test]
    fn it_shows_itself_readably() {
        let request = Request::new(["SET", "k\n", ""]);
        assert_eq!(format!("{request:?}"), r#"["SET" "k\n" ""]"#);
    }
}
