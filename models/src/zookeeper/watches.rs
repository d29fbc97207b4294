//! Who wants to know what happens to which node (`server/watch/WatchManager.java`).
//!
//! Two tables, as in the real server: watches of data (of existence, too) and of children. A watch goes
//! off once, unless it is persistent; a recursive one stands for all nodes below its path. Watches belong
//! to connections: they end with them.

use std::collections::BTreeMap;

use super::path;
use super::records::EventKind;
use super::transaction::Event;
use crate::model::SessionId;

/// How long a watch stays, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Once,
    Persistent,
    Recursive,
}

/// What removeWatches and checkWatches mean (`Watcher.WatcherType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Children,
    Data,
    Any,
}

/// Both tables.
#[derive(Debug, Default)]
pub(super) struct Watches {
    pub(super) data: Table,
    pub(super) child: Table,
}

/// Watchers by path. A watcher has one watch on a path: setting it anew in another way replaces it, also
/// a persistent one by a one-shot one (ZOOKEEPER-4466, repaired in 3.9).
#[derive(Debug, Default)]
pub(super) struct Table {
    watchers: BTreeMap<String, BTreeMap<SessionId, Mode>>,
    /// How many of them are recursive; while there are none, parents need not be looked at.
    recursive: usize,
}

impl Watches {
    /// Whom to tell what about this event, in the order in which it is written.
    pub(super) fn go_off(&mut self, event: &Event) -> Vec<(SessionId, EventKind, String)> {
        let mut told = Vec::new();
        match event {
            Event::DataChanged(path) => self.data.trigger(path, EventKind::DataChanged, &mut told),
            Event::Created(path) => {
                self.data.trigger(path, EventKind::Created, &mut told);
                self.child.trigger(parent(path), EventKind::ChildrenChanged, &mut told);
            }
            Event::Deleted(path, _) => {
                self.data.trigger(path, EventKind::Deleted, &mut told);
                // Who watches both is told once.
                let mut again = Vec::new();
                self.child.trigger(path, EventKind::Deleted, &mut again);
                again.retain(|(who, ..)| !told.iter().any(|(other, ..)| other == who));
                told.append(&mut again);
                self.child.trigger(parent(path), EventKind::ChildrenChanged, &mut told);
            }
        }
        told
    }

    /// Adds a watch to both tables (`DataTree.addWatch`).
    pub(super) fn add_both(&mut self, path: &str, watcher: SessionId, mode: Mode) {
        self.data.add(path, watcher, mode);
        self.child.add(path, watcher, mode);
    }

    /// Removes watches; whether there was one.
    pub(super) fn remove(&mut self, path: &str, watcher: SessionId, which: Which) -> bool {
        let child = which != Which::Data && self.child.remove(path, watcher);
        let data = which != Which::Children && self.data.remove(path, watcher);
        child || data
    }

    /// Whether there is a watch on that very path: anybody's, as the real server has it
    /// (`containsWatcher`).
    pub(super) fn contain(&self, path: &str, which: Which) -> bool {
        (which != Which::Data && self.child.watchers.contains_key(path))
            || (which != Which::Children && self.data.watchers.contains_key(path))
    }

    /// The watcher's connection has ended.
    pub(super) fn forget(&mut self, watcher: SessionId) {
        self.data.forget(watcher);
        self.child.forget(watcher);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        let count = |table: &Table| table.watchers.values().map(BTreeMap::len).sum::<usize>();
        count(&self.data) + count(&self.child)
    }
}

impl Table {
    pub(super) fn add(&mut self, path: &str, watcher: SessionId, mode: Mode) {
        let before = self.watchers.entry(path.to_owned()).or_default().insert(watcher, mode);
        self.recursive -= usize::from(before == Some(Mode::Recursive));
        self.recursive += usize::from(mode == Mode::Recursive);
    }

    fn trigger(
        &mut self,
        path: &str,
        kind: EventKind,
        told: &mut Vec<(SessionId, EventKind, String)>,
    ) {
        let mut watchers = Vec::new();
        if let Some(here) = self.watchers.get_mut(path) {
            let hears = |mode| mode != Mode::Recursive || kind != EventKind::ChildrenChanged;
            watchers.extend(here.iter().filter(|(_, mode)| hears(**mode)).map(|(who, _)| *who));
            here.retain(|_, mode| *mode != Mode::Once);
            if here.is_empty() {
                self.watchers.remove(path);
            }
        }
        if self.recursive > 0 && kind != EventKind::ChildrenChanged {
            for above in ancestors(path) {
                let there = self.watchers.get(above).into_iter().flatten();
                let recursive = there.filter(|(_, mode)| **mode == Mode::Recursive);
                watchers.extend(recursive.map(|(who, _)| *who));
            }
        }
        watchers.sort_unstable();
        watchers.dedup();
        told.extend(watchers.into_iter().map(|who| (who, kind, path.to_owned())));
    }

    fn remove(&mut self, path: &str, watcher: SessionId) -> bool {
        let Some(here) = self.watchers.get_mut(path) else { return false };
        let removed = here.remove(&watcher);
        if here.is_empty() {
            self.watchers.remove(path);
        }
        self.recursive -= usize::from(removed == Some(Mode::Recursive));
        removed.is_some()
    }

    fn forget(&mut self, watcher: SessionId) {
        let recursive = &mut self.recursive;
        self.watchers.retain(|_, here| {
            *recursive -= usize::from(here.remove(&watcher) == Some(Mode::Recursive));
            !here.is_empty()
        });
    }
}

/// The parent's path; of a path without a slash, which is never a node's, the root.
fn parent(path: &str) -> &str {
    path::split(path).map_or("/", |(parent, _)| parent)
}

/// The paths above `path`, nearest first, up to the root.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| (*path != "/").then(|| parent(path))).skip(1)
}
