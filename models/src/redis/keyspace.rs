//! The keys: values, expiry, who stored what, and the facts about watched keys.
//!
//! Every change of a key goes through [`Keyspace::store`], [`Keyspace::edit`], [`Keyspace::retime`]
//! or [`Keyspace::remove`]: there, and nowhere else, the journal and the watchers learn of it.
//!
//! There are sixteen databases; one is selected while a command runs, and all that a command does
//! it does there. Watched keys are those of database 0.
//!
//! Expiry (`src/db.c` `keyIsExpired`, `src/expire.c` `activeExpireCycleTryExpire`): a time is an
//! absolute Unix millisecond of the server's wall clock. An access finds a key gone when
//! `now > when`, the timer removes it when `now >= when`: at `when` itself a read still finds what
//! the timer may already take.
//!
//! Who creates a key owns it, and so does who stores a new value in it. An aggregate that is changed
//! in place stays with its creator: a second hold of a lock that is a hash is no new lock.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Reply;
use super::persist::{Disk, Journal, Persistence};
use super::value::{Aggregate, Value, WRONG_TYPE};
use crate::model::{Change, ChangeKind, Crash, SessionId};
use crate::time::{HostTime, SteadyTime};

mod swap;
mod touched;

pub(super) use touched::{Class, Event, Touch};

/// How many databases SELECT knows (`databases`, `src/config.c`).
pub(super) const DATABASES: usize = 16;

/// So many keys are looked through after each request while the timer rests.
const GLANCE: usize = 16;

/// One database.
pub(super) type Records = BTreeMap<Bytes, Record>;

/// One key's value and what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) value: Value,
    /// Unix milliseconds of the server's wall clock.
    pub(super) expires_at: Option<i64>,
    /// When it was last accessed, in the same milliseconds.
    pub(super) accessed_ms: i64,
    /// Who stored the value, or created it where it was changed in place since.
    owner: SessionId,
    /// Whether its changes are reported; kept here so that most writes need not look it up.
    watched: bool,
}

/// Who changes a key, and when.
#[derive(Clone, Copy)]
pub(super) struct Author {
    pub(super) session: SessionId,
    /// Unix milliseconds of the server's wall clock, frozen for one command or script
    /// (`src/server.c` `commandTimeSnapshot`).
    pub(super) now_ms: i64,
}

/// What a store does to the key's expiry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// As plain SET does.
    Clear,
    /// As KEEPTTL and INCR do.
    Keep,
    /// Unix milliseconds.
    At(i64),
}

/// Why a key is removed.
#[derive(Clone, Copy)]
enum Removal {
    Client(SessionId, Event),
    Expiry,
}

/// All keys of one server.
#[derive(Debug)]
pub(super) struct Keyspace {
    databases: [Records; DATABASES],
    selected: usize,
    watched: BTreeSet<Bytes>,
    journal: Journal,
    changes: Vec<Change>,
    touched: touched::Touched,
    /// No key expires before this, so most ticks and most accesses have nothing to look for.
    next_expiry_ms: i64,
}

impl Keyspace {
    /// What the disk holds. Nothing expires while loading, whatever the clock says
    /// (`src/db.c` `keyIsExpired`).
    pub(super) fn load(
        disk: Disk,
        watched: impl IntoIterator<Item = Bytes>,
        persistence: Persistence,
        now: SteadyTime,
    ) -> Self {
        let watched: BTreeSet<Bytes> = watched.into_iter().collect();
        let mut databases = disk.databases;
        for (key, record) in &mut databases[0] {
            record.watched = watched.contains(key);
        }
        Self {
            databases,
            selected: 0,
            watched,
            journal: Journal::new(persistence, now),
            changes: Vec::new(),
            touched: touched::Touched::default(),
            next_expiry_ms: i64::MIN,
        }
    }

    /// The facts about watched keys that were on the disk.
    pub(super) fn loaded(&self, now_ms: i64) -> Vec<Change> {
        let watched = self.databases[0].iter().filter(|(_, record)| record.watched);
        watched
            .map(|(key, record)| {
                let kind = ChangeKind::Loaded {
                    number: record.value.to_integer(),
                    ttl_ms: record.expires_at.map(|when| when.saturating_sub(now_ms)),
                };
                Change { key: key.clone(), by: None, owner: Some(record.owner), kind }
            })
            .collect()
    }

    /// Which database commands work on.
    pub(super) fn selected(&self) -> usize {
        self.selected
    }

    /// Has commands work on `database` from now on; false if there is none of that number.
    pub(super) fn select(&mut self, database: usize) -> bool {
        let known = database < DATABASES;
        if known {
            self.selected = database;
        }
        known
    }

    /// Every key of the selected database, those included that have expired unnoticed.
    pub(super) fn records(&self) -> &Records {
        &self.databases[self.selected]
    }

    /// The keys of the selected database whose time is not up (`src/db.c` `keyIsExpired`), in order.
    pub(super) fn live(&self, now_ms: i64) -> impl Iterator<Item = (&Bytes, &Record)> {
        let over = move |record: &Record| record.expires_at.is_some_and(|when| now_ms > when);
        self.records().iter().filter(move |(_, record)| !over(record))
    }

    /// How many keys each database has, and how many of them expire (`src/db.c` `dbsize`).
    pub(super) fn sizes(&self) -> impl Iterator<Item = (usize, usize)> {
        self.databases.iter().map(|records| {
            let expiring = records.values().filter(|record| record.expires_at.is_some());
            (records.len(), expiring.count())
        })
    }

    /// Starts or stops the list of what happens to keys.
    pub(super) fn want_touches(&mut self, wanted: bool) {
        self.touched.wanted = wanted;
    }

    /// What has happened to keys since this was last asked, in order.
    pub(super) fn take_touches(&mut self) -> Vec<Touch> {
        std::mem::take(&mut self.touched.list)
    }

    /// Adds an event to that list. Whoever stores, edits or retimes says so right after; `edit` and
    /// `remove` do it themselves.
    pub(super) fn notify(&mut self, key: &[u8], event: Event) {
        self.touched.add(self.selected, key, event);
    }

    /// Removes `key` if its time is up (`src/db.c` `expireIfNeeded`).
    #[inline]
    fn expire_if_needed(&mut self, key: &[u8], now_ms: i64) {
        if now_ms >= self.next_expiry_ms {
            self.expire_if_over(key, now_ms);
        }
    }

    fn expire_if_over(&mut self, key: &[u8], now_ms: i64) {
        let record = self.databases[self.selected].get(key);
        let when = record.and_then(|record| record.expires_at);
        if when.is_some_and(|when| now_ms > when) {
            self.take(self.selected, key, Removal::Expiry);
        }
    }

    /// What `key` holds, if its time is not up.
    pub(super) fn get(&mut self, key: &[u8], now_ms: i64) -> Option<&Record> {
        self.expire_if_needed(key, now_ms);
        let record = self.databases[self.selected].get_mut(key)?;
        record.accessed_ms = now_ms;
        Some(record)
    }

    /// As [`Keyspace::get`], but no access (`LOOKUP_NOTOUCH`).
    pub(super) fn peek(&mut self, key: &[u8], now_ms: i64) -> Option<&Record> {
        self.expire_if_needed(key, now_ms);
        self.databases[self.selected].get(key)
    }

    /// Whether `key` is still there although its time is up; removes nothing.
    pub(super) fn is_stale(&self, database: usize, key: &[u8], now_ms: i64) -> bool {
        let record = self.databases[database].get(key);
        record.and_then(|record| record.expires_at).is_some_and(|when| now_ms > when)
    }

    /// The aggregate at `key`, if there is one; anything else there is an error.
    pub(super) fn find<T: Aggregate>(
        &mut self,
        key: &[u8],
        now_ms: i64,
    ) -> Result<Option<&T>, Reply> {
        match self.get(key, now_ms) {
            None => Ok(None),
            Some(record) => T::of(&record.value).map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// Stores `value`; the author owns the record from now on.
    pub(super) fn store(&mut self, key: &[u8], value: Value, expiry: Expiry, author: Author) {
        // An expired value must not lend its expiry to the new one, and its end is a fact.
        self.expire_if_needed(key, author.now_ms);
        let record = self.databases[self.selected].get_mut(key);
        self.journal.touch(self.selected, key, record.as_deref());
        let expires_at = match expiry {
            Expiry::Clear => None,
            Expiry::Keep => record.as_deref().and_then(|record| record.expires_at),
            Expiry::At(when) => Some(when),
        };
        self.next_expiry_ms = self.next_expiry_ms.min(expires_at.unwrap_or(i64::MAX));
        let watched = match &record {
            Some(record) => record.watched,
            None => self.selected == 0 && !self.watched.is_empty() && self.watched.contains(key),
        };
        if watched {
            let kind = ChangeKind::Set {
                number: value.to_integer(),
                ttl_ms: expires_at.map(|when| when.saturating_sub(author.now_ms)),
            };
            let owner = record.as_deref().map(|record| record.owner);
            self.changes.push(change(key, Some(author.session), owner, kind));
        }
        let owner = author.session;
        let stored = Record { value, expires_at, accessed_ms: author.now_ms, owner, watched };
        match record {
            Some(record) => *record = stored,
            None => {
                self.databases[self.selected].insert(Bytes::copy_from_slice(key), stored);
                self.notify(key, Event::NEW);
            }
        }
    }

    /// Changes the aggregate at `key` in place by `edit`, which says whether it changed anything.
    /// `None` without a key; an aggregate that is empty afterwards goes, with its expiry.
    pub(super) fn edit<T: Aggregate, R>(
        &mut self,
        key: &[u8],
        author: Author,
        event: Event,
        edit: impl FnOnce(&mut T) -> (bool, R),
    ) -> Result<Option<R>, Reply> {
        self.expire_if_needed(key, author.now_ms);
        let record = self.databases[self.selected].get_mut(key);
        let Some(record) = record else { return Ok(None) };
        T::of(&record.value).ok_or(WRONG_TYPE)?;
        record.accessed_ms = author.now_ms;
        self.journal.touch(self.selected, key, Some(record));
        let (changed, result) = edit(T::of_mut(&mut record.value).ok_or(WRONG_TYPE)?);
        if !changed {
            return Ok(Some(result));
        }
        self.touched.add(self.selected, key, event);
        if record.value.is_drained() {
            self.take(self.selected, key, Removal::Client(author.session, Event::DEL));
        } else if record.watched {
            let ttl_ms = record.expires_at.map(|when| when.saturating_sub(author.now_ms));
            let kind = ChangeKind::Edited { ttl_ms };
            self.changes.push(change(key, Some(author.session), Some(record.owner), kind));
        }
        Ok(Some(result))
    }

    /// As [`Keyspace::edit`], for a key that is made if it is not there.
    pub(super) fn edit_or_create<T: Aggregate, R>(
        &mut self,
        key: &[u8],
        author: Author,
        event: Event,
        edit: impl FnOnce(&mut T) -> (bool, R),
    ) -> Result<R, Reply> {
        if self.get(key, author.now_ms).is_some() {
            let edited = self.edit(key, author, event, edit)?;
            return edited.ok_or(Reply::error("ERR no such key"));
        }
        let mut made = T::default();
        let (changed, result) = edit(&mut made);
        if changed {
            self.store(key, made.into_value(), Expiry::Clear, author);
            self.notify(key, event);
        }
        Ok(result)
    }

    /// Changes the expiry of a key that is there.
    pub(super) fn retime(&mut self, key: &[u8], expires_at: Option<i64>, author: Author) {
        let Some(record) = self.databases[self.selected].get_mut(key) else { return };
        self.journal.touch(self.selected, key, Some(record));
        record.expires_at = expires_at;
        self.next_expiry_ms = self.next_expiry_ms.min(expires_at.unwrap_or(i64::MAX));
        if record.watched {
            let ttl_ms = expires_at.map(|when| when.saturating_sub(author.now_ms));
            let kind = ChangeKind::Retimed { ttl_ms };
            self.changes.push(change(key, Some(author.session), Some(record.owner), kind));
        }
    }

    /// Removes `key` for a client; false if it was not there, or had expired.
    pub(super) fn remove(&mut self, key: &[u8], author: Author) -> bool {
        self.remove_as(key, author, Event::DEL)
    }

    /// As [`Keyspace::remove`], with another event than `del`.
    pub(super) fn remove_as(&mut self, key: &[u8], author: Author, event: Event) -> bool {
        self.expire_if_needed(key, author.now_ms);
        self.take(self.selected, key, Removal::Client(author.session, event))
    }

    /// Removes everything of the selected database for a client.
    pub(super) fn remove_all(&mut self, author: Author) {
        let keys: Vec<Bytes> = self.records().keys().cloned().collect();
        for key in keys {
            let removal = Removal::Client(author.session, Event::SILENT);
            self.take(self.selected, &key, removal);
        }
    }

    /// The server's timer: fsync, and the active expire cycle. The real cycle samples keys at random
    /// until few of a sample are stale (`src/expire.c` `activeExpireCycle`); this one finds them all.
    pub(super) fn tick(&mut self, now: HostTime, expire: bool) {
        self.journal.tick(now.steady);
        if !expire {
            return;
        }
        let now_ms = now.wall.unix_ms();
        if now_ms < self.next_expiry_ms {
            return;
        }
        let due = |record: &Record| record.expires_at.is_some_and(|when| now_ms >= when);
        for database in 0..DATABASES {
            let stale = self.databases[database].iter().filter(|(_, record)| due(record));
            let stale: Vec<Bytes> = stale.map(|(key, _)| key.clone()).collect();
            for key in stale {
                self.take(database, &key, Removal::Expiry);
            }
        }
        let left = self.databases.iter().flat_map(Records::values);
        self.next_expiry_ms = left.filter_map(|record| record.expires_at).min().unwrap_or(i64::MAX);
    }

    /// Whether no key has a time to live. With more keys than are looked through at a glance it is said
    /// that some may.
    pub(super) fn is_timeless(&self) -> bool {
        let count: usize = self.databases.iter().map(Records::len).sum();
        let mut records = self.databases.iter().flat_map(Records::values);
        count <= GLANCE && records.all(|record| record.expires_at.is_none())
    }

    /// What `crash` leaves on the disk.
    pub(super) fn disk_after(&self, crash: Crash) -> Disk {
        self.journal.disk_after(crash, &self.databases)
    }

    /// From now on data reaches the disk that way (`CONFIG SET appendonly`).
    pub(super) fn persist(&mut self, persistence: Persistence) {
        self.journal.persist(persistence);
    }

    /// Moves the facts gathered so far to `changes`.
    pub(super) fn drain_changes(&mut self, changes: &mut Vec<Change>) {
        if !self.changes.is_empty() {
            changes.append(&mut self.changes);
        }
    }

    /// Removes a key for whatever reason; false if it was not there.
    fn take(&mut self, database: usize, key: &[u8], removal: Removal) -> bool {
        let Some((key, record)) = self.databases[database].remove_entry(key) else { return false };
        self.journal.touch(database, &key, Some(&record));
        let (by, kind, event) = match removal {
            Removal::Client(session, event) => (Some(session), ChangeKind::Deleted, event),
            Removal::Expiry => (None, ChangeKind::Expired, Event::EXPIRED),
        };
        self.touched.add(database, &key, event);
        if record.watched {
            self.changes.push(Change { key, by, owner: Some(record.owner), kind });
        }
        true
    }
}

fn change(key: &[u8], by: Option<SessionId>, owner: Option<SessionId>, kind: ChangeKind) -> Change {
    Change { key: Bytes::copy_from_slice(key), by, owner, kind }
}
