//! A hash (`src/t_hash.c`): fields in order of arrival, as the real server shows those of a small
//! one. A large one shows its fields there in the random order of a hash table.

use bytes::Bytes;

use super::ordered::Ordered;

/// `hash-max-listpack-entries` and `hash-max-listpack-value`.
const SMALL: usize = 512;
const SHORT: usize = 64;

/// Fields and their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hash {
    fields: Ordered<Bytes>,
    /// Once a table, always a table.
    table: bool,
}

impl Hash {
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<&Bytes> {
        self.fields.get(field)
    }

    /// Stores a value; true if the field is new.
    pub(crate) fn set(&mut self, field: &[u8], value: Bytes) -> bool {
        self.table |= field.len() > SHORT || value.len() > SHORT;
        let new = self.fields.insert(field, value).is_none();
        self.table |= self.len() > SMALL;
        new
    }

    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        self.fields.remove(field).is_some()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.fields.iter()
    }

    pub(crate) fn is_table(&self) -> bool {
        self.table
    }

    pub(crate) fn encoding(&self) -> &'static str {
        if self.table { "hashtable" } else { "listpack" }
    }
}
