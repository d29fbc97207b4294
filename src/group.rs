//! Families of lock algorithms, as reports show them together.

use serde::Serialize;

use crate::lock::Servers;
use crate::store::StoreKind;

/// A family of algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// One record on one Redis server.
    Redis,
    /// Redisson's locks on one Redis server: a hash with a count, a watchdog, wake-up by publish and subscribe.
    Redisson,
    /// A majority of several Redis servers that know nothing of each other.
    Redlock,
    /// Leases and revisions of etcd.
    Etcd,
    /// Sessions and ephemeral nodes of ZooKeeper.
    ZooKeeper,
    /// No lock at all: the store decides about each write.
    Unlocked,
}

impl Group {
    /// Where a lock belongs if it says nothing else.
    pub const fn of(store: StoreKind, servers: Servers) -> Self {
        match (store, servers) {
            (StoreKind::Redis, Servers::One) => Group::Redis,
            (StoreKind::Redis, Servers::Independent) => Group::Redlock,
            (StoreKind::Etcd, _) => Group::Etcd,
            (StoreKind::ZooKeeper, _) => Group::ZooKeeper,
        }
    }

    /// Its name in reports.
    pub fn title(self) -> &'static str {
        match self {
            Group::Redis => "one Redis server",
            Group::Redisson => "Redisson",
            Group::Redlock => "several Redis servers",
            Group::Etcd => "etcd",
            Group::ZooKeeper => "ZooKeeper",
            Group::Unlocked => "without a lock",
        }
    }
}
