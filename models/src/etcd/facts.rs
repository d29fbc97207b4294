//! What checkers want to know of watched keys: who stored them, and what ended them.
//!
//! A key on a lease is told without a time to live: it is there until the server takes it away, and what
//! keep-alives do to the lease is no change of the key.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::pb::mvccpb::event::EventType;
use super::pb::mvccpb::{Event, KeyValue};
use crate::model::{Change, ChangeKind, SessionId, is_at_or_below};

/// Who owns each watched key.
#[derive(Debug, Default)]
pub(super) struct Facts {
    watched: Vec<Bytes>,
    owners: Owners,
}

/// Over which connection a key was stored, where there was one.
pub(super) type Owners = BTreeMap<Bytes, SessionId>;

impl Facts {
    /// Facts about `watched` keys and those below them; `owners` is what is known from before.
    pub(super) fn new(watched: Vec<Bytes>, owners: Owners) -> Self {
        Self { watched, owners }
    }

    fn watches(&self, key: &[u8]) -> bool {
        self.watched.iter().any(|root| is_at_or_below(key, root))
    }

    /// What is to be kept on the disk.
    pub(super) fn owners(&self) -> Owners {
        self.owners.clone()
    }

    /// The watched ones among these pairs, in the order in which they were created: that is the order of a
    /// queue.
    pub(super) fn loaded<'a>(&self, pairs: impl Iterator<Item = &'a KeyValue>) -> Vec<Change> {
        let mut found: Vec<_> = pairs.filter(|kv| self.watches(&kv.key)).collect();
        found.sort_by_key(|kv| kv.create_revision);
        let change = |kv: &KeyValue| {
            let owner = self.owners.get(&kv.key).copied();
            let kind = ChangeKind::Loaded { number: ChangeKind::number(&kv.value), ttl_ms: None };
            Change { key: kv.key.clone(), by: None, owner, kind }
        };
        found.into_iter().map(change).collect()
    }

    /// What an event means for a watched key. A key that goes without a client's request has expired.
    pub(super) fn of(&mut self, event: &Event, by: Option<SessionId>) -> Option<Change> {
        let kv = event.kv.as_ref().filter(|kv| self.watches(&kv.key))?;
        let owner = self.owners.remove(&kv.key);
        let kind = match event.r#type() {
            EventType::Put => {
                self.owners.extend(by.map(|by| (kv.key.clone(), by)));
                ChangeKind::Set { number: ChangeKind::number(&kv.value), ttl_ms: None }
            }
            EventType::Delete if by.is_none() => ChangeKind::Expired,
            EventType::Delete => ChangeKind::Deleted,
        };
        Some(Change { key: kv.key.clone(), by, owner, kind })
    }
}
