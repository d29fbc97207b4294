//! A map that keeps the order of arrival, as Redis' small hashes and sets do (`src/listpack.c`): what
//! is there already keeps its place when it gets a new value.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Keys with their values, in order of arrival.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<V> {
    entries: BTreeMap<u64, (Bytes, V)>,
    places: BTreeMap<Bytes, u64>,
    next: u64,
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), places: BTreeMap::new(), next: 0 }
    }
}

impl<V> Ordered<V> {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&V> {
        let place = self.places.get(key)?;
        self.entries.get(place).map(|(_, value)| value)
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.places.contains_key(key)
    }

    /// Stores `value` and hands back what stood there.
    pub(crate) fn insert(&mut self, key: &[u8], value: V) -> Option<V> {
        if let Some(place) = self.places.get(key) {
            let (_, slot) = self.entries.get_mut(place)?;
            return Some(std::mem::replace(slot, value));
        }
        let key = Bytes::copy_from_slice(key);
        self.places.insert(key.clone(), self.next);
        self.entries.insert(self.next, (key, value));
        self.next += 1;
        None
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<V> {
        let place = self.places.remove(key)?;
        self.entries.remove(&place).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &V)> {
        self.entries.values().map(|(key, value)| (key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_value_keeps_its_place_and_a_returning_key_goes_last() {
        let mut map = Ordered::default();
        for (key, value) in [("b", 1), ("a", 2), ("c", 3)] {
            map.insert(key.as_bytes(), value);
        }
        assert_eq!(map.insert(b"b", 4), Some(1));
        assert_eq!(map.remove(b"a"), Some(2));
        map.insert(b"a", 5);
        let seen: Vec<(&[u8], i32)> = map.iter().map(|(key, value)| (&key[..], *value)).collect();
        assert_eq!(seen, [(&b"b"[..], 4), (b"c", 3), (b"a", 5)]);
    }
}
