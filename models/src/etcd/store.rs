//! Keys with all their versions (`server/mvcc`, 3.5; the same in 3.4).
//!
//! The store has one revision for each transaction that changed something. A transaction is open from
//! its first change to [`Store::commit`]; what it has changed so far is visible to whoever reads in
//! between, so that later operations of a transaction see earlier ones.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::pb::mvccpb::{Event, KeyValue, event::EventType};
use super::span::Span;
use super::status::Status;

/// The store's clock: one for each transaction that changed something. The empty store is at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub i64);

impl Revision {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Revision {
        Revision(self.0.saturating_add(1))
    }

    /// The one before it.
    #[must_use]
    pub const fn previous(self) -> Revision {
        Revision(self.0.saturating_sub(1))
    }
}

/// A revision with the place of one change within its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    main: Revision,
    sub: u32,
}

/// One version of a key.
#[derive(Clone, Debug)]
struct Entry {
    at: Stamp,
    /// `None`: a tombstone.
    kv: Option<KeyValue>,
}

/// Keys with all versions since the last compaction.
#[derive(Clone, Debug)]
pub(super) struct Store {
    /// The versions of each key, oldest first; never an empty list.
    keys: BTreeMap<Bytes, Vec<Entry>>,
    /// The newest version of each key that is there: what nearly everybody asks for, and much less than all keys
    /// that ever were.
    live: BTreeMap<Bytes, KeyValue>,
    /// Which key each change was about: what watchers catch up by.
    log: BTreeMap<Stamp, Bytes>,
    committed: Revision,
    /// -1: never compacted, as in the real store.
    compacted: Revision,
    /// The changes of the open transaction.
    open: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            keys: BTreeMap::new(),
            live: BTreeMap::new(),
            log: BTreeMap::new(),
            committed: Revision(1),
            compacted: Revision(-1),
            open: 0,
        }
    }
}

impl Store {
    /// The revision as whoever reads now sees it: within a transaction that has changed something, its
    /// own.
    pub(super) fn revision(&self) -> Revision {
        if self.open > 0 { self.committed.next() } else { self.committed }
    }

    /// Up to where old versions are gone; -1 if they never were.
    pub(super) fn compacted(&self) -> Revision {
        self.compacted
    }

    /// The revision to read at, if `asked` (0 or less: the newest) can still or already be read
    /// (`kvstore_txn.go` `rangeKeys`).
    pub(super) fn readable(&self, asked: i64) -> Result<Revision, Status> {
        let now = self.revision();
        let at = if asked <= 0 { now } else { Revision(asked) };
        match at {
            _ if at > now => Err(Status::FUTURE_REVISION),
            _ if at < self.compacted => Err(Status::COMPACTED),
            _ => Ok(at),
        }
    }

    /// Whether a transaction may read at `asked`: only 0 is the newest there. Before the first compaction
    /// the store counts as compacted at -1 (`apply.go` `checkRequestRange`).
    pub(super) fn readable_in_txn(&self, asked: i64) -> Result<(), Status> {
        let compacted = if self.compacted == Revision(0) { -1 } else { self.compacted.0 };
        if asked < 0 && asked < compacted {
            return Err(Status::COMPACTED);
        }
        self.readable(asked).map(|_| ())
    }

    /// What `key` was at a revision.
    pub(super) fn get(&self, key: &[u8], at: Revision) -> Option<&KeyValue> {
        if at >= self.revision() {
            return self.live.get(key);
        }
        version(self.keys.get(key)?, at)
    }

    /// What was in `span` at a revision, in the order of the keys.
    pub(super) fn range(&self, span: &Span, at: Revision) -> impl Iterator<Item = &KeyValue> {
        let newest = at >= self.revision();
        let live = newest.then(|| span.of(&self.live)).into_iter().flatten();
        let all = (!newest).then(|| span.of(&self.keys)).into_iter().flatten();
        live.map(|(_, kv)| kv).chain(all.filter_map(move |(_, entries)| version(entries, at)))
    }

    /// Stores a value; the version and the revisions follow from what was there.
    pub(super) fn put(&mut self, key: &Bytes, value: Bytes, lease: i64) {
        let now = self.committed.next();
        let before = self.get(key, now);
        let create_revision = before.map_or(now.0, |kv| kv.create_revision);
        let version = before.map_or(0, |kv| kv.version) + 1;
        let kv = KeyValue {
            key: key.clone(),
            create_revision,
            mod_revision: now.0,
            version,
            value,
            lease,
        };
        self.change(key, Some(kv));
    }

    /// Puts a tombstone where a key is; whether it was there.
    pub(super) fn delete(&mut self, key: &Bytes) -> bool {
        let exists = self.get(key, self.committed.next()).is_some();
        if exists {
            self.change(key, None);
        }
        exists
    }

    fn change(&mut self, key: &Bytes, kv: Option<KeyValue>) {
        let at = Stamp { main: self.committed.next(), sub: self.open };
        self.open += 1;
        match &kv {
            Some(kv) => self.live.insert(key.clone(), kv.clone()),
            None => self.live.remove(key),
        };
        self.keys.entry(key.clone()).or_default().push(Entry { at, kv });
        self.log.insert(at, key.clone());
    }

    /// Ends the transaction: the revision moves on if it changed anything. What it changed, in order.
    pub(super) fn commit(&mut self) -> Vec<Event> {
        if self.open == 0 {
            return Vec::new();
        }
        self.committed = self.committed.next();
        self.open = 0;
        self.events_since(self.committed)
    }

    /// What happened from a revision on, in order.
    pub(super) fn events_since(&self, start: Revision) -> Vec<Event> {
        let start = Stamp { main: start, sub: 0 };
        self.log.range(start..).filter_map(|(at, key)| self.event(*at, key)).collect()
    }

    fn event(&self, at: Stamp, key: &Bytes) -> Option<Event> {
        let entry = self.keys.get(key)?.iter().rfind(|entry| entry.at == at)?;
        Some(match &entry.kv {
            Some(kv) => {
                Event { r#type: EventType::Put.into(), kv: Some(kv.clone()), prev_kv: None }
            }
            None => {
                let kv =
                    KeyValue { key: key.clone(), mod_revision: at.main.0, ..KeyValue::default() };
                Event { r#type: EventType::Delete.into(), kv: Some(kv), prev_kv: None }
            }
        })
    }

    /// Forgets what nobody can read from `at` on (`kvstore.go` `updateCompactRev`, `key_index.go`
    /// `compact`): of each key what came before its version at `at`, and that too if it is a tombstone.
    pub(super) fn compact(&mut self, at: Revision) -> Result<(), Status> {
        if at <= self.compacted {
            return Err(Status::COMPACTED);
        }
        if at > self.committed {
            return Err(Status::FUTURE_REVISION);
        }
        self.compacted = at;
        let log = &mut self.log;
        self.keys.retain(|_, entries| {
            let old = entries.partition_point(|entry| entry.at.main <= at);
            let kept = old > 0 && entries[old - 1].kv.is_some();
            for gone in entries.drain(..old - usize::from(kept)) {
                log.remove(&gone.at);
            }
            !entries.is_empty()
        });
        Ok(())
    }

    /// A digest of all versions up to a revision; members that hold the same agree on it.
    pub(super) fn hash(&self, at: Revision) -> u32 {
        // FNV-1a: the real one is a CRC of its disk pages, which nobody else can compute.
        let mut hash = 0x811c_9dc5_u32;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
            }
        };
        for (stamp, key) in self.log.range(..=Stamp { main: at, sub: u32::MAX }) {
            add(&stamp.main.0.to_be_bytes());
            add(key);
            if let Some(Event { kv: Some(kv), .. }) = self.event(*stamp, key) {
                add(&kv.value);
                add(&kv.lease.to_be_bytes());
            }
        }
        hash
    }
}

/// The newest version up to a revision, unless that is a tombstone.
fn version(entries: &[Entry], at: Revision) -> Option<&KeyValue> {
    let newer = entries.partition_point(|entry| entry.at.main <= at);
    entries[..newer].last()?.kv.as_ref()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Put(u8),
        Delete(u8),
        Commit,
        Compact(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4u8).prop_map(Step::Put),
            3 => (0..4u8).prop_map(Step::Delete),
            3 => Just(Step::Commit),
            1 => (1..20i64).prop_map(Step::Compact),
        ]
    }

    proptest! {
        /// Within transactions too, which the tests of whole requests hardly reach.
        #[test]
        fn the_newest_keys_are_what_the_versions_say(steps in prop::collection::vec(step(), 1..60)) {
            let mut store = Store::default();
            for step in steps {
                match step {
                    Step::Put(key) => store.put(&Bytes::from(vec![key]), Bytes::new(), 0),
                    Step::Delete(key) => drop(store.delete(&Bytes::from(vec![key]))),
                    Step::Commit => drop(store.commit()),
                    // A compaction comes between transactions.
                    Step::Compact(at) => {
                        store.commit();
                        let _ = store.compact(Revision(at));
                    }
                }
                let now = store.revision();
                let said = store.keys.values().filter_map(|entries| version(entries, now));
                prop_assert!(said.eq(store.live.values()));
            }
        }
    }
}
