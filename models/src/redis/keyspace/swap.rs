//! SWAPDB (`src/db.c` `dbSwapDatabases`): every key of both databases changes at once, without an
//! event of its own.

use bytes::Bytes;

use super::{Author, Event, Keyspace, change};
use crate::model::ChangeKind;

impl Keyspace {
    /// Has two databases change places.
    pub(in crate::redis) fn swap(&mut self, one: usize, other: usize, author: Author) {
        if one == other {
            return;
        }
        let selected = self.selected;
        for (database, counterpart) in [(one, other), (other, one)] {
            let there = self.databases[counterpart].keys();
            let mut keys: Vec<Bytes> =
                self.databases[database].keys().chain(there).cloned().collect();
            keys.sort();
            keys.dedup();
            self.selected = database;
            for key in keys {
                self.journal.touch(database, &key, self.databases[database].get(&key));
                self.notify(&key, Event::SILENT);
            }
        }
        self.selected = selected;
        if one == 0 || other == 0 {
            self.tell_of_swap(one.max(other), author);
        }
        self.databases.swap(one, other);
    }

    /// To those who watch database 0, what was there is deleted and what comes is stored.
    fn tell_of_swap(&mut self, coming: usize, author: Author) {
        let by = Some(author.session);
        for key in &self.watched {
            if let Some(record) = self.databases[0].get_mut(key) {
                record.watched = false;
                self.changes.push(change(key, by, Some(record.owner), ChangeKind::Deleted));
            }
            if let Some(record) = self.databases[coming].get_mut(key) {
                record.watched = true;
                record.owner = author.session;
                let ttl_ms = record.expires_at.map(|when| when.saturating_sub(author.now_ms));
                let kind = ChangeKind::Set { number: record.value.to_integer(), ttl_ms };
                self.changes.push(change(key, by, None, kind));
            }
        }
    }
}
