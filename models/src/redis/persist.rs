//! What a crash leaves on the disk.
//!
//! The append-only file is not kept as a file: replaying it gives the keyspace as it was when its
//! last surviving byte was written, so that keyspace is what is kept. With `everysec` only the keys
//! that changed since the last fsync are remembered, with what they were then.
//!
//! Rules (`src/aof.c` `flushAppendOnlyFile`, `src/server.c` `beforeSleep`): a command's record is
//! written to the page cache before its reply leaves, so killing the process loses nothing that was
//! answered. `always` fsyncs before the reply too. `everysec` fsyncs once a second, so losing power
//! loses what came after the last fsync; a script's writes are one record and survive together.

use std::array;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::keyspace::{DATABASES, Record, Records};
use crate::model::Crash;
use crate::time::SteadyTime;

/// How often `appendfsync everysec` fsyncs. Real servers may be up to a second later when the disk
/// is slow (`src/aof.c` postpones a write by at most 2 s); that is left to the faults.
const FSYNC_EVERY: Duration = Duration::from_secs(1);

/// Whether and when Redis writes its data to the disk (`appendonly`, `appendfsync`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Persistence {
    /// `appendonly no`, no snapshots: a restarted server is empty.
    #[default]
    None,
    /// `appendonly yes`, `appendfsync everysec`.
    AofEverysec,
    /// `appendonly yes`, `appendfsync always`.
    AofAlways,
}

/// What is on a server's disk; hand it to [`Redis::boot`](super::Redis::boot).
#[derive(Clone, Default, Debug)]
pub struct Disk {
    pub(super) databases: [Records; DATABASES],
}

/// Knows what the disk holds that the keyspace does not, and the other way round.
#[derive(Debug)]
pub(super) struct Journal {
    persistence: Persistence,
    synced_at: SteadyTime,
    /// What the keys written since the last fsync held then.
    unsynced: [BTreeMap<Bytes, Option<Record>>; DATABASES],
}

impl Journal {
    pub(super) fn new(persistence: Persistence, now: SteadyTime) -> Self {
        Self { persistence, synced_at: now, unsynced: array::from_fn(|_| BTreeMap::new()) }
    }

    /// From now on the file is written that way; switching it on writes all that there is.
    pub(super) fn persist(&mut self, persistence: Persistence) {
        self.persistence = persistence;
        self.unsynced.iter_mut().for_each(BTreeMap::clear);
    }

    /// `key` is about to change; `before` is what it holds.
    pub(super) fn touch(&mut self, database: usize, key: &[u8], before: Option<&Record>) {
        if self.persistence != Persistence::AofEverysec {
            return;
        }
        let unsynced = &mut self.unsynced[database];
        if !unsynced.contains_key(key) {
            unsynced.insert(Bytes::copy_from_slice(key), before.cloned());
        }
    }

    /// The server's timer ran: fsync if a second has passed.
    pub(super) fn tick(&mut self, now: SteadyTime) {
        if now.since(self.synced_at) >= FSYNC_EVERY {
            self.synced_at = now;
            self.unsynced.iter_mut().for_each(BTreeMap::clear);
        }
    }

    /// What `crash` leaves of `databases`.
    pub(super) fn disk_after(&self, crash: Crash, databases: &[Records; DATABASES]) -> Disk {
        if self.persistence == Persistence::None {
            return Disk::default();
        }
        let mut databases = databases.clone();
        if crash == Crash::PowerLoss {
            for (records, unsynced) in databases.iter_mut().zip(&self.unsynced) {
                for (key, before) in unsynced {
                    match before {
                        Some(record) => records.insert(key.clone(), record.clone()),
                        None => records.remove(key),
                    };
                }
            }
        }
        Disk { databases }
    }
}
