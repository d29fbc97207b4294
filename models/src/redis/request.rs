//! One command as a client sent it: a list of byte strings.
//!
//! All arguments lie in one allocation, which a decoded request fills with a single copy of its whole
//! message; where the first few are stands inline. A request is made for every message of a simulation
//! and its arguments are only looked at: what the keyspace keeps, it copies.

use std::fmt;

/// Arguments whose places are kept without an allocation; the longest command of the usual locks
/// (`SET k v NX PX ms GET`) has seven.
const INLINE: usize = 8;

/// Where an argument lies.
#[derive(Clone, Copy, Default)]
struct Place {
    start: u32,
    end: u32,
}

/// The arguments of one command, the command's name first. May be empty (an empty RESP array or an
/// empty line), which the server ignores.
#[derive(Clone, Default)]
pub struct Request {
    /// The arguments, with whatever may lie between them.
    bytes: Vec<u8>,
    count: usize,
    inline: [Place; INLINE],
    further: Vec<Place>,
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
        let start = self.bytes.len();
        self.bytes.extend_from_slice(arg);
        self.mark(start, arg.len());
    }

    /// Adds the argument that lies at `start` of the message, which comes with [`Request::fill`].
    #[inline]
    pub(crate) fn mark(&mut self, start: usize, length: usize) {
        let short = |number: usize| u32::try_from(number).expect("a request stays below 4 GiB");
        let place = Place { start: short(start), end: short(start + length) };
        match self.inline.get_mut(self.count) {
            Some(slot) => *slot = place,
            None => self.further.push(place),
        }
        self.count += 1;
    }

    /// The message in which all arguments were marked.
    pub(crate) fn fill(&mut self, message: &[u8]) {
        self.bytes = message.to_vec();
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
    #[inline]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        if index >= self.count {
            return None;
        }
        let place = self.inline.get(index).unwrap_or_else(|| &self.further[index - INLINE]);
        Some(&self.bytes[place.start as usize..place.end as usize])
    }

    /// All arguments in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|index| &self[index])
    }

    /// Empties it and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.further.clear();
        self.count = 0;
    }
}

/// Equal arguments, wherever they lie.
impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.iter().eq(other.iter())
    }
}

impl Eq for Request {}

impl std::ops::Index<usize> for Request {
    type Output = [u8];
    #[inline]
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
