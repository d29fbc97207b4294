//! What checkers want to know of watched keys: who stored them, and what ended them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::pb::mvccpb::event::EventType;
use super::pb::mvccpb::{Event, KeyValue};
use crate::model::{Change, ChangeKind, SessionId};

/// Who owns each watched key.
#[derive(Debug, Default)]
pub(super) struct Facts {
    watched: BTreeSet<Bytes>,
    owners: Owners,
}

/// Over which connection a key was stored, where there was one.
pub(super) type Owners = BTreeMap<Bytes, SessionId>;

impl Facts {
    /// Facts about `watched` keys; `owners` is what is known from before.
    pub(super) fn new(watched: Vec<Bytes>, owners: Owners) -> Self {
        Self { watched: watched.into_iter().collect(), owners }
    }

    /// What is to be kept on the disk.
    pub(super) fn owners(&self) -> Owners {
        self.owners.clone()
    }

    /// The watched keys that `find` finds, with what their leases have left, in the order of the keys.
    pub(super) fn loaded<'a>(
        &self,
        find: impl Fn(&Bytes) -> Option<(&'a KeyValue, Option<i64>)>,
    ) -> Vec<Change> {
        let change = |key: &Bytes| {
            let (kv, ttl_ms) = find(key)?;
            let kind = ChangeKind::Loaded { number: ChangeKind::number(&kv.value), ttl_ms };
            Some(Change { key: key.clone(), by: None, owner: self.owners.get(key).copied(), kind })
        };
        self.watched.iter().filter_map(change).collect()
    }

    /// What an event means for a watched key; `ttl_ms` is what its lease has left. A key that goes
    /// without a client's request has expired.
    pub(super) fn of(
        &mut self,
        event: &Event,
        by: Option<SessionId>,
        ttl_ms: Option<i64>,
    ) -> Option<Change> {
        let kv = event.kv.as_ref().filter(|kv| self.watched.contains(&kv.key))?;
        let owner = self.owners.remove(&kv.key);
        let kind = match event.r#type() {
            EventType::Put => {
                self.owners.extend(by.map(|by| (kv.key.clone(), by)));
                ChangeKind::Set { number: ChangeKind::number(&kv.value), ttl_ms }
            }
            EventType::Delete if by.is_none() => ChangeKind::Expired,
            EventType::Delete => ChangeKind::Deleted,
        };
        Some(Change { key: kv.key.clone(), by, owner, kind })
    }
}
