//! What truly happened to watched nodes, for the checkers: who created them, who changed and deleted them.
//!
//! Not part of ZooKeeper. A session's end is a client's doing if the client closed it, and an expiry if
//! the server did.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::transaction::Event;
use super::tree::Tree;
use crate::model::{Change, ChangeKind, SessionId};

/// Notices what happens to some nodes.
#[derive(Debug, Default)]
pub(super) struct Witness {
    watched: BTreeSet<Bytes>,
    creators: Creators,
}

/// Over which connection a node was created, where there was one.
pub(super) type Creators = BTreeMap<String, Option<SessionId>>;

impl Witness {
    /// Notices what happens to `watched` paths; `creators` is what is known from before.
    pub(super) fn new(watched: Vec<Bytes>, creators: Creators) -> Self {
        Self { watched: watched.into_iter().collect(), creators }
    }

    /// What is to be kept on the disk.
    pub(super) fn creators(&self) -> Creators {
        self.creators.clone()
    }

    /// The fact about this event, if the node is watched. `by`: over which connection it was asked for.
    pub(super) fn notice(
        &mut self,
        event: &Event,
        tree: &Tree,
        by: Option<SessionId>,
    ) -> Option<Change> {
        let (Event::Created(path) | Event::Deleted(path) | Event::DataChanged(path)) = event;
        if !self.watched.contains(path.as_bytes()) {
            return None;
        }
        let owner = self.creators.get(path).copied().flatten();
        let kind = match event {
            Event::Created(_) => {
                self.creators.insert(path.clone(), by);
                ChangeKind::Set { number: number(tree, path), ttl_ms: None }
            }
            Event::DataChanged(_) => ChangeKind::Set { number: number(tree, path), ttl_ms: None },
            Event::Deleted(_) => {
                self.creators.remove(path);
                if by.is_some() { ChangeKind::Deleted } else { ChangeKind::Expired }
            }
        };
        Some(Change { key: Bytes::copy_from_slice(path.as_bytes()), by, owner, kind })
    }

    /// The watched nodes that are there, in the order of their paths.
    pub(super) fn loaded(&self, tree: &Tree) -> Vec<Change> {
        let found = |key: &Bytes| {
            let path = std::str::from_utf8(key).ok()?;
            tree.node(path).ok()?;
            let owner = self.creators.get(path).copied().flatten();
            let kind = ChangeKind::Loaded { number: number(tree, path), ttl_ms: None };
            Some(Change { key: key.clone(), by: None, owner, kind })
        };
        self.watched.iter().filter_map(found).collect()
    }
}

/// A node's data, where it is an integer.
fn number(tree: &Tree, path: &str) -> Option<i64> {
    ChangeKind::number(tree.node(path).ok()?.data.as_ref()?)
}
