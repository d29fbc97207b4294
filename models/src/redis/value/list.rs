//! A list (`src/t_list.c`). Redis keeps it as a chain of packed pieces, which 7.0 calls `quicklist`
//! whatever its length.

use std::collections::VecDeque;

use bytes::Bytes;

/// Which end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Left,
    Right,
}

/// Elements from left to right.
#[derive(Clone, Debug, Default)]
pub(crate) struct List(pub(crate) VecDeque<Bytes>);

impl List {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, end: End, element: Bytes) {
        match end {
            End::Left => self.0.push_front(element),
            End::Right => self.0.push_back(element),
        }
    }

    pub(crate) fn pop(&mut self, end: End) -> Option<Bytes> {
        match end {
            End::Left => self.0.pop_front(),
            End::Right => self.0.pop_back(),
        }
    }

    pub(crate) fn peek(&self, end: End) -> Option<&Bytes> {
        match end {
            End::Left => self.0.front(),
            End::Right => self.0.back(),
        }
    }

    /// The place that `index` means, counted from the right when negative.
    pub(crate) fn place(&self, index: i64) -> Option<usize> {
        let length = self.len() as i64;
        let place = if index < 0 { length.saturating_add(index) } else { index };
        usize::try_from(place).ok().filter(|place| *place < self.len())
    }
}
