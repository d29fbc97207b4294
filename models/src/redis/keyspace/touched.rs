//! What the commands did to which key, in Redis' own order and words (`src/notify.c`
//! `notifyKeyspaceEvent`).
//!
//! Three things live on this list: WATCH (every entry that [`Class::is_modification`] says changes a
//! key), keyspace notifications (every entry with a class that has a letter), and clients blocked on
//! a key ([`Class::New`]: an empty list does not exist, so whoever waits for one waits for a key to
//! appear). It is empty and costs nothing until somebody asks for it.

use bytes::Bytes;

/// The classes of `notify-keyspace-events`, and two without a letter there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redis) enum Class {
    /// `g`
    Generic,
    /// `$`
    String,
    /// `l`
    List,
    /// `s`
    Set,
    /// `h`
    Hash,
    /// `z`
    SortedSet,
    /// `x`
    Expired,
    /// `n`: a key appeared. Comes before the event of the command that made it.
    New,
    /// Changes a key without an event of its own, as FLUSHALL does.
    Silent,
}

impl Class {
    /// Whether it counts as a change for WATCH (`src/db.c` `signalModifiedKey`).
    pub(in crate::redis) fn is_modification(self) -> bool {
        self != Class::New
    }
}

/// What happened, by the name that a notification has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redis) struct Event {
    pub(in crate::redis) class: Class,
    pub(in crate::redis) name: &'static str,
}

impl Event {
    pub(in crate::redis) const DEL: Event = Event::generic("del");
    pub(in crate::redis) const EXPIRE: Event = Event::generic("expire");
    pub(in crate::redis) const NEW: Event = Event { class: Class::New, name: "new" };
    pub(in crate::redis) const EXPIRED: Event = Event { class: Class::Expired, name: "expired" };
    pub(in crate::redis) const SILENT: Event = Event { class: Class::Silent, name: "" };

    pub(in crate::redis) const fn generic(name: &'static str) -> Self {
        Self { class: Class::Generic, name }
    }

    pub(in crate::redis) const fn string(name: &'static str) -> Self {
        Self { class: Class::String, name }
    }

    pub(in crate::redis) const fn list(name: &'static str) -> Self {
        Self { class: Class::List, name }
    }

    pub(in crate::redis) const fn set(name: &'static str) -> Self {
        Self { class: Class::Set, name }
    }

    pub(in crate::redis) const fn hash(name: &'static str) -> Self {
        Self { class: Class::Hash, name }
    }

    pub(in crate::redis) const fn sorted_set(name: &'static str) -> Self {
        Self { class: Class::SortedSet, name }
    }
}

/// One event and the key it befell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::redis) struct Touch {
    pub(in crate::redis) database: usize,
    pub(in crate::redis) key: Bytes,
    pub(in crate::redis) event: Event,
}

/// The list, while somebody wants it.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) wanted: bool,
    pub(super) list: Vec<Touch>,
}

impl Touched {
    pub(super) fn add(&mut self, database: usize, key: &[u8], event: Event) {
        if self.wanted {
            self.list.push(Touch { database, key: Bytes::copy_from_slice(key), event });
        }
    }
}
