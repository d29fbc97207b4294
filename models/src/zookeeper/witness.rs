//! What truly happened to watched nodes, for the checkers: who created them, who changed and deleted them.
//!
//! Not part of ZooKeeper. A session's end is a client's doing if the client closed it, and an expiry if
//! the server did. Of a lock only ephemeral nodes count: what else lies there is the place where they are
//! put, and stands for nobody.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::transaction::{Event, Owner};
use super::tree::Tree;
use crate::model::{Change, ChangeKind, SessionId, is_at_or_below};

/// Notices what happens to some nodes.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// Paths of single nodes.
    nodes: Vec<Bytes>,
    /// Paths at or below which ephemeral nodes count.
    ephemerals: Vec<Bytes>,
    creators: Creators,
}

/// The watched nodes that are there, each with the connection over which it was created, where there was
/// one.
pub(super) type Creators = BTreeMap<String, Option<SessionId>>;

impl Witness {
    /// Notices what happens to these; `creators` is what is known from before.
    pub(super) fn new(nodes: Vec<Bytes>, ephemerals: Vec<Bytes>, creators: Creators) -> Self {
        Self { nodes, ephemerals, creators }
    }

    /// Whether a node that has just been created is one to notice.
    fn watches(&self, tree: &Tree, path: &str) -> bool {
        let ephemeral =
            || tree.node(path).is_ok_and(|node| matches!(node.owner, Owner::Session(_)));
        let path = path.as_bytes();
        self.nodes.iter().any(|node| node == path)
            || (self.ephemerals.iter().any(|root| is_at_or_below(path, root)) && ephemeral())
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
        let (Event::Created(path) | Event::Deleted(path, _) | Event::DataChanged(path)) = event;
        if matches!(event, Event::Created(_)) && self.watches(tree, path) {
            self.creators.insert(path.clone(), by);
            let kind = ChangeKind::Set { number: number(tree, path), ttl_ms: None };
            return Some(Change { key: key(path), by, owner: None, kind });
        }
        let owner = *self.creators.get(path)?;
        let kind = match event {
            Event::Created(_) | Event::DataChanged(_) => {
                ChangeKind::Set { number: number(tree, path), ttl_ms: None }
            }
            Event::Deleted(..) => {
                self.creators.remove(path);
                if by.is_some() { ChangeKind::Deleted } else { ChangeKind::Expired }
            }
        };
        Some(Change { key: key(path), by, owner, kind })
    }

    /// The watched nodes that are there, in the order in which they were created: that is the order of a
    /// queue.
    pub(super) fn loaded(&self, tree: &Tree) -> Vec<Change> {
        let change = |(path, owner): (&String, &Option<SessionId>)| {
            let node = tree.node(path).ok()?;
            let kind = ChangeKind::Loaded { number: number(tree, path), ttl_ms: None };
            Some((node.czxid, Change { key: key(path), by: None, owner: *owner, kind }))
        };
        let mut found: Vec<_> = self.creators.iter().filter_map(change).collect();
        found.sort_by_key(|(czxid, _)| *czxid);
        found.into_iter().map(|(_, change)| change).collect()
    }
}

fn key(path: &str) -> Bytes {
    Bytes::copy_from_slice(path.as_bytes())
}

/// A node's data, where it is an integer.
fn number(tree: &Tree, path: &str) -> Option<i64> {
    ChangeKind::number(tree.node(path).ok()?.data.as_ref()?)
}
