//! Who takes part: a role and a number, written `client 2` or `redis`.
//!
//! A small value instead of a string, so that an event can name its process without allocating.

use std::fmt;
use std::io;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a host plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Runs the lock client and the work it guards.
    Client,
    /// Runs a Redis server.
    Redis,
    /// Holds the guarded resource.
    Shop,
    /// Injects the faults. No host: it only appears as a process in histories.
    Nemesis,
    /// Runs an etcd server.
    Etcd,
    /// Runs a ZooKeeper server.
    ZooKeeper,
}

/// All roles with the word that stands for each.
const ROLES: [(Role, &str); 6] = [
    (Role::Client, "client"),
    (Role::Redis, "redis"),
    (Role::Shop, "shop"),
    (Role::Nemesis, "nemesis"),
    (Role::Etcd, "etcd"),
    (Role::ZooKeeper, "zookeeper"),
];

/// The name of a host, which is also the name of the process on it. Number 0 marks the only one of
/// its role and is not written: `redis`, `client 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName {
    /// What it plays.
    pub role: Role,
    /// Which of its role, from 1; 0 if there is only one.
    pub number: u16,
}

impl HostName {
    /// The only Redis server.
    pub const REDIS: HostName = HostName { role: Role::Redis, number: 0 };
    /// The only etcd server.
    pub const ETCD: HostName = HostName { role: Role::Etcd, number: 0 };
    /// The only ZooKeeper server.
    pub const ZOOKEEPER: HostName = HostName { role: Role::ZooKeeper, number: 0 };
    /// The guarded resource.
    pub const SHOP: HostName = HostName { role: Role::Shop, number: 0 };
    /// The injector of faults.
    pub const NEMESIS: HostName = HostName { role: Role::Nemesis, number: 0 };

    /// Client `number`, counted from 1.
    pub const fn client(number: u16) -> HostName {
        HostName { role: Role::Client, number }
    }

    /// Its place in a list of one entry per host. Numbers are low, so the list is short, and a look
    /// into it costs less than any search: one is made for every event.
    #[inline]
    pub fn place(self) -> usize {
        usize::from(self.number) * ROLES.len() + self.role as usize
    }

    /// Whether it runs a lock client.
    pub fn is_client(self) -> bool {
        self.role == Role::Client
    }

    /// Whether it runs a store that locks are kept in.
    pub fn is_store(self) -> bool {
        matches!(self.role, Role::Redis | Role::Etcd | Role::ZooKeeper)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, word) = ROLES.iter().find(|(role, _)| *role == self.role).expect("all are listed");
        match self.number {
            0 => f.write_str(word),
            number => write!(f, "{word} {number}"),
        }
    }
}

/// A text that names no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a host; names look like `client 2`, `redis` or `shop`")]
pub struct UnknownHost(String);

impl FromStr for HostName {
    type Err = UnknownHost;

    fn from_str(text: &str) -> Result<Self, UnknownHost> {
        let unknown = || UnknownHost(text.to_owned());
        let (word, number) = match text.split_once(' ') {
            None => (text, 0),
            Some((word, number)) => match number.parse() {
                Ok(number) if number > 0 => (word, number),
                _ => return Err(unknown()),
            },
        };
        let (role, _) = ROLES.iter().find(|(_, known)| *known == word).ok_or_else(unknown)?;
        Ok(HostName { role: *role, number })
    }
}

impl Serialize for HostName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Splits `redis:6379`.
pub(crate) fn parse_address(address: &str) -> io::Result<(HostName, u16)> {
    let parsed = address
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host.parse::<HostName>().ok()?, port.parse::<u16>().ok()?)));
    parsed.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("`{address}` is not host:port"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for text in
            ["client 1", "client 12", "redis", "redis 3", "etcd", "zookeeper", "shop", "nemesis"]
        {
            assert_eq!(text.parse::<HostName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn every_name_has_a_place_of_its_own() {
        let names = |number| ROLES.map(|(role, _)| HostName { role, number });
        let places: Vec<usize> = (0..3).flat_map(names).map(HostName::place).collect();
        assert_eq!(places, (0..3 * ROLES.len()).collect::<Vec<_>>());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "client 0", "client x", "redis  1", "server", "client 99999"] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
    }
}
