//! Which keys a request means: `key` and `range_end` in one.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

/// A set of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: Bytes,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// The start is the only key.
    Alone,
    /// Before this key; if the start is not before it, there are none.
    Before(Bytes),
    /// No end.
    Open,
}

impl Span {
    /// Every key there is.
    pub(super) const ALL: Span = Span { start: Bytes::new(), end: End::Open };

    /// `range_end` empty: that one key; a zero byte: from `key` on (`mkGteRange`).
    pub(super) fn new(key: &Bytes, range_end: &Bytes) -> Span {
        let end = match range_end.as_ref() {
            [] => End::Alone,
            [0] => End::Open,
            _ => End::Before(range_end.clone()),
        };
        Span { start: key.clone(), end }
    }

    /// Whether no key could be in it.
    pub(super) fn is_empty(&self) -> bool {
        matches!(&self.end, End::Before(end) if self.start >= *end)
    }

    pub(super) fn contains(&self, key: &[u8]) -> bool {
        match &self.end {
            End::Alone => self.start == key,
            End::Before(end) => key >= self.start.as_ref() && key < end.as_ref(),
            End::Open => key >= self.start.as_ref(),
        }
    }

    /// The entries of `map` in it, in the order of their keys.
    pub(super) fn of<'a, T>(
        &self,
        map: &'a BTreeMap<Bytes, T>,
    ) -> impl Iterator<Item = (&'a Bytes, &'a T)> + use<'a, T> {
        // A map panics at a range that ends before it begins.
        let nothing = (Bound::Included(self.start.clone()), Bound::Excluded(self.start.clone()));
        let start = Bound::Included(self.start.clone());
        map.range::<Bytes, _>(match &self.end {
            _ if self.is_empty() => nothing,
            End::Alone => (start.clone(), start),
            End::Before(end) => (start, Bound::Excluded(end.clone())),
            End::Open => (start, Bound::Unbounded),
        })
    }
}
