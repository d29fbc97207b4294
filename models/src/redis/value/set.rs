//! A set (`src/t_set.c`): in order of value while all members are integers and few, in order of
//! arrival afterwards. The real server shows the latter in the random order of a hash table.

use bytes::Bytes;

use super::ordered::Ordered;
use crate::redis::number;

/// `set-max-intset-entries`.
const SMALL: usize = 512;

/// Members, in one of the two encodings of 7.0.
#[derive(Clone, Debug)]
pub(crate) enum Set {
    /// `intset`.
    Integers(std::collections::BTreeSet<i64>),
    /// `hashtable`; once a table, always a table.
    Table(Ordered<()>),
}

impl Default for Set {
    fn default() -> Self {
        Set::Integers(std::collections::BTreeSet::new())
    }
}

impl Set {
    pub(crate) fn len(&self) -> usize {
        match self {
            Set::Integers(members) => members.len(),
            Set::Table(members) => members.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn contains(&self, member: &[u8]) -> bool {
        match self {
            Set::Integers(members) => {
                number::parse(member).is_some_and(|number| members.contains(&number))
            }
            Set::Table(members) => members.contains(member),
        }
    }

    /// Adds a member; false if it was there (`setTypeAdd`).
    pub(crate) fn add(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Table(members) => members.insert(member, ()).is_none(),
            Set::Integers(members) => {
                let Some(number) = number::parse(member) else {
                    self.become_table();
                    return self.add(member);
                };
                let new = members.insert(number);
                if members.len() > SMALL {
                    self.become_table();
                }
                new
            }
        }
    }

    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Integers(members) => {
                number::parse(member).is_some_and(|number| members.remove(&number))
            }
            Set::Table(members) => members.remove(member).is_some(),
        }
    }

    /// All members, in the set's order.
    pub(crate) fn members(&self) -> Vec<Bytes> {
        match self {
            Set::Integers(members) => members.iter().copied().map(number::format).collect(),
            Set::Table(members) => members.iter().map(|(member, ())| member.clone()).collect(),
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(self, Set::Table(_))
    }

    pub(crate) fn encoding(&self) -> &'static str {
        if self.is_table() { "hashtable" } else { "intset" }
    }

    fn become_table(&mut self) {
        let mut table = Ordered::default();
        for member in self.members() {
            table.insert(&member, ());
        }
        *self = Set::Table(table);
    }
}
