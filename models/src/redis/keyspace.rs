//! The keys: values, expiry, who stored what, and the facts about watched keys.
//!
//! Every change of a key goes through [`Keyspace::store`], [`Keyspace::retime`] or
//! [`Keyspace::remove`]: there, and nowhere else, the journal and the watchers learn of it.
//!
//! Expiry (`src/db.c` `keyIsExpired`, `src/expire.c` `activeExpireCycleTryExpire`): a time is an
//! absolute Unix millisecond of the server's wall clock. An access finds a key gone when
//! `now > when`, the timer removes it when `now >= when`: at `when` itself a read still finds what
//! the timer may already take.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::number;
use super::persist::{Disk, Journal, Persistence};
use crate::model::{Change, ChangeKind, Crash, SessionId};
use crate::time::{HostTime, SteadyTime};

/// A string value. Counters stay numbers until somebody reads them (Redis' `OBJ_ENCODING_INT`).
#[derive(Clone, Debug)]
pub(super) enum Value {
    Bytes(Bytes),
    Integer(i64),
}

impl Value {
    /// The value as a client reads it.
    pub(super) fn to_bytes(&self) -> Bytes {
        match self {
            Value::Bytes(bytes) => bytes.clone(),
            Value::Integer(number) => number::format(*number),
        }
    }

    /// The value as a number, if it is one.
    pub(super) fn to_integer(&self) -> Option<i64> {
        match self {
            Value::Bytes(bytes) => number::parse(bytes),
            Value::Integer(number) => Some(*number),
        }
    }
}

/// One key's value and what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) value: Value,
    /// Unix milliseconds of the server's wall clock.
    pub(super) expires_at: Option<i64>,
    /// Who stored the value.
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
    Client(SessionId),
    Expiry,
}

/// All keys of one server.
#[derive(Debug)]
pub(super) struct Keyspace {
    records: BTreeMap<Bytes, Record>,
    watched: BTreeSet<Bytes>,
    journal: Journal,
    changes: Vec<Change>,
    /// No key expires before this, so most ticks have nothing to look for.
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
        let mut records = disk.records;
        for (key, record) in &mut records {
            record.watched = watched.contains(key);
        }
        let journal = Journal::new(persistence, now);
        Self { records, watched, journal, changes: Vec::new(), next_expiry_ms: i64::MIN }
    }

    /// The facts about watched keys that were on the disk.
    pub(super) fn loaded(&self, now_ms: i64) -> Vec<Change> {
        let watched = self.records.iter().filter(|(_, record)| record.watched);
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

    /// How many keys there are, those included that have expired unnoticed (`src/db.c` `dbsize`).
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// How many keys have an expiry.
    pub(super) fn expiring(&self) -> usize {
        self.records.values().filter(|record| record.expires_at.is_some()).count()
    }

    /// What `key` holds; removes it if its time is up (`src/db.c` `expireIfNeeded`).
    pub(super) fn get(&mut self, key: &[u8], now_ms: i64) -> Option<&Record> {
        let when = self.records.get(key)?.expires_at;
        if when.is_some_and(|when| now_ms > when) {
            self.take(key, Removal::Expiry);
            return None;
        }
        self.records.get(key)
    }

    /// Stores `value`; the author owns the record from now on.
    pub(super) fn store(&mut self, key: &[u8], value: Value, expiry: Expiry, author: Author) {
        // An expired value must not lend its expiry to the new one, and its end is a fact.
        self.get(key, author.now_ms);
        let record = self.records.get_mut(key);
        self.journal.touch(key, record.as_deref());
        let expires_at = match expiry {
            Expiry::Clear => None,
            Expiry::Keep => record.as_deref().and_then(|record| record.expires_at),
            Expiry::At(when) => Some(when),
        };
        self.next_expiry_ms = self.next_expiry_ms.min(expires_at.unwrap_or(i64::MAX));
        let watched = match &record {
            Some(record) => record.watched,
            None => !self.watched.is_empty() && self.watched.contains(key),
        };
        if watched {
            let kind = ChangeKind::Set {
                number: value.to_integer(),
                ttl_ms: expires_at.map(|when| when.saturating_sub(author.now_ms)),
            };
            let owner = record.as_deref().map(|record| record.owner);
            self.changes.push(change(key, Some(author.session), owner, kind));
        }
        let stored = Record { value, expires_at, owner: author.session, watched };
        match record {
            Some(record) => *record = stored,
            None => drop(self.records.insert(Bytes::copy_from_slice(key), stored)),
        }
    }

    /// Changes the expiry of a key that is there.
    pub(super) fn retime(&mut self, key: &[u8], expires_at: Option<i64>, author: Author) {
        let Some(record) = self.records.get_mut(key) else { return };
        self.journal.touch(key, Some(record));
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
        let there = self.get(key, author.now_ms).is_some();
        if there {
            self.take(key, Removal::Client(author.session));
        }
        there
    }

    /// Removes everything for a client.
    pub(super) fn remove_all(&mut self, author: Author) {
        let keys: Vec<Bytes> = self.records.keys().cloned().collect();
        for key in keys {
            self.take(&key, Removal::Client(author.session));
        }
    }

    /// The server's timer: fsync, and the active expire cycle. The real cycle samples keys at random
    /// until few of a sample are stale (`src/expire.c` `activeExpireCycle`); this one finds them all.
    pub(super) fn tick(&mut self, now: HostTime) {
        self.journal.tick(now.steady);
        let now_ms = now.wall.unix_ms();
        if now_ms < self.next_expiry_ms {
            return;
        }
        let due = |record: &Record| record.expires_at.is_some_and(|when| now_ms >= when);
        let stale = self.records.iter().filter(|(_, record)| due(record));
        let stale: Vec<Bytes> = stale.map(|(key, _)| key.clone()).collect();
        for key in stale {
            self.take(&key, Removal::Expiry);
        }
        let left = self.records.values().filter_map(|record| record.expires_at);
        self.next_expiry_ms = left.min().unwrap_or(i64::MAX);
    }

    /// What `crash` leaves on the disk.
    pub(super) fn disk_after(&self, crash: Crash) -> Disk {
        self.journal.disk_after(crash, &self.records)
    }

    /// Moves the facts gathered so far to `changes`.
    pub(super) fn drain_changes(&mut self, changes: &mut Vec<Change>) {
        if !self.changes.is_empty() {
            changes.append(&mut self.changes);
        }
    }

    fn take(&mut self, key: &[u8], removal: Removal) {
        let Some((key, record)) = self.records.remove_entry(key) else { return };
        self.journal.touch(&key, Some(&record));
        if record.watched {
            let (by, kind) = match removal {
                Removal::Client(session) => (Some(session), ChangeKind::Deleted),
                Removal::Expiry => (None, ChangeKind::Expired),
            };
            self.changes.push(Change { key, by, owner: Some(record.owner), kind });
        }
    }
}

fn change(key: &[u8], by: Option<SessionId>, owner: Option<SessionId>, kind: ChangeKind) -> Change {
    Change { key: Bytes::copy_from_slice(key), by, owner, kind }
}
