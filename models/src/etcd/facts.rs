//! What checkers want to know of watched keys: who stored them, and what ended them.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::pb::mvccpb::Event;
use super::pb::mvccpb::event::EventType;
use crate::model::{Change, ChangeKind, SessionId};

/// Who owns each watched key.
#[derive(Debug, Default)]
pub(super) struct Facts {
    watched: Vec<Bytes>,
    owners: BTreeMap<Bytes, SessionId>,
}

impl Facts {
    pub(super) fn new(watched: Vec<Bytes>) -> Self {
        Self { watched, owners: BTreeMap::new() }
    }

    pub(super) fn watched(&self) -> &[Bytes] {
        &self.watched
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
                ChangeKind::Set { number: number(&kv.value), ttl_ms }
            }
            EventType::Delete if by.is_none() => ChangeKind::Expired,
            EventType::Delete => ChangeKind::Deleted,
        };
        Some(Change { key: kv.key.clone(), by, owner, kind })
    }
}

/// A value as a checker sees it, where it is an integer.
pub(super) fn number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
