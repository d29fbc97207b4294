//! WATCH: which sessions want to know whether a key changes (`src/multi.c`).

use bytes::Bytes;

use super::Core;
use super::keyspace::{Class, Touch};
use super::session::Watch;
use crate::model::SessionId;

impl Core {
    /// `watchForKey`.
    pub(super) fn watch(&mut self, session: SessionId, key: &[u8], now_ms: i64) {
        let database = self.keyspace.selected();
        let state = self.session(session);
        if state.watching.iter().any(|watch| watch.database == database && watch.key == key) {
            return;
        }
        let key = Bytes::copy_from_slice(key);
        let expired = self.keyspace.is_stale(database, &key, now_ms);
        self.watchers.entry((database, key.clone())).or_default().push(session);
        self.session(session).watching.push(Watch { database, key, expired });
        self.want_touches();
    }

    /// `unwatchAllKeys`, and forgets whether any had changed.
    pub(super) fn unwatch(&mut self, session: SessionId) {
        let state = self.session(session);
        state.dirty = false;
        for watch in std::mem::take(&mut state.watching) {
            let key = (watch.database, watch.key);
            if let Some(watchers) = self.watchers.get_mut(&key) {
                watchers.retain(|watcher| *watcher != session);
                if watchers.is_empty() {
                    self.watchers.remove(&key);
                }
            }
        }
        self.want_touches();
    }

    /// Whether EXEC must not run: a watched key has changed, or its time is up
    /// (`isWatchedKeyExpired`).
    pub(super) fn has_changed(&mut self, session: SessionId, now_ms: i64) -> bool {
        let state = self.session(session);
        if state.dirty {
            return true;
        }
        let watching = std::mem::take(&mut state.watching);
        let gone = |watch: &Watch| {
            !watch.expired && self.keyspace.is_stale(watch.database, &watch.key, now_ms)
        };
        let changed = watching.iter().any(gone);
        self.session(session).watching = watching;
        changed
    }

    /// `touchWatchedKey`: a key that had expired before it was watched may go without a change.
    pub(super) fn tell_watchers(&mut self, touch: &Touch) {
        let key = (touch.database, touch.key.clone());
        let Some(watchers) = self.watchers.get(&key) else { return };
        let goes = matches!(touch.event.class, Class::Expired | Class::Silent);
        for session in watchers {
            let Some(state) = self.sessions.get_mut(session) else { continue };
            let watched = state
                .watching
                .iter_mut()
                .find(|watch| watch.database == touch.database && watch.key == touch.key);
            match watched {
                Some(watch) if watch.expired && goes => watch.expired = false,
                _ => state.dirty = true,
            }
        }
    }
}
