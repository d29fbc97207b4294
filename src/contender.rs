//! A lock together with the resource it guards: what a scenario judges and a matrix compares.
//!
//! Written `redis-token-cad` (with the plain shop), `redis-token-cad + shop-checked`, or, for a
//! resource that goes without a lock, by its own name: `redis-lua-decr`.

use std::fmt;
use std::str::FromStr;

use picklock_sim::host::HostName;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::group::Group;
use crate::lock::{Algorithm, Servers};
use crate::locks::{ALGORITHMS, AlgorithmInfo};
use crate::resource::{RESOURCES, ResourceKind};
use crate::store::StoreKind;
use crate::terms::{Claim, WorkloadKind};

/// A lock and its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contender {
    /// Name of the lock; a user's own lock has one that is in no list.
    pub lock: &'static str,
    /// What the lock promises.
    lock_claims: &'static [Claim],
    fenced: bool,
    /// Whether its holder may acquire the lock again.
    pub reentrant: bool,
    /// Whether the lock has a shared mode.
    pub shared: bool,
    /// Where the lock is kept; of one without a lock, where the resource is.
    pub store: StoreKind,
    /// On how many of its servers.
    pub servers: Servers,
    /// The resource.
    pub resource: ResourceKind,
}

/// The lock of contenders that have none.
const NO_LOCK: &str = "none";

impl Contender {
    /// A known lock with a resource.
    pub fn new(lock: &'static AlgorithmInfo, resource: ResourceKind) -> Self {
        let AlgorithmInfo { name, claims, fenced, reentrant, shared, store, servers, .. } = *lock;
        Self {
            lock: name,
            lock_claims: claims,
            fenced,
            reentrant,
            shared,
            store,
            servers,
            resource,
        }
    }

    /// Somebody's own lock, which is in no list, with what it is to be held to.
    pub fn own<A: Algorithm>(claims: &'static [Claim], resource: ResourceKind) -> Self {
        let (lock, fenced, store, servers) = (A::NAME, A::FENCED, A::STORE, A::SERVERS);
        let (reentrant, shared) = (A::REENTRANT, A::SHARED);
        Self { lock, lock_claims: claims, fenced, reentrant, shared, store, servers, resource }
    }

    /// The servers that it needs, the lock's first; `independent` is how many there are where a lock wants several.
    /// A resource shares the only server of its lock, but has one of its own beside several.
    pub fn stores(&self, independent: u16) -> Vec<(StoreKind, HostName)> {
        let store = self.store;
        let mut needed: Vec<_> = match self.servers {
            Servers::One => vec![(store, store.host())],
            Servers::Independent => {
                (1..=independent).map(|number| (store, store.server(number))).collect()
            }
        };
        let resource = self.resource.store().map(|store| (store, store.host()));
        needed.extend(resource.filter(|server| !needed.contains(server)));
        needed
    }

    /// With which others reports show it; somebody's own lock with those of its kind.
    pub fn group(&self) -> Group {
        match AlgorithmInfo::find(self.lock) {
            _ if !self.locks() => Group::Unlocked,
            Some(info) => info.group,
            None => Group::of(self.store, self.servers),
        }
    }

    /// Whether clients take a lock at all.
    pub fn locks(&self) -> bool {
        self.lock != NO_LOCK
    }

    /// Everything that the two promise together.
    pub fn claims(&self, workload: WorkloadKind) -> Vec<Claim> {
        let mut claims = vec![Claim::WellFormed];
        claims.extend(self.lock_claims);
        claims.extend(self.resource.claims());
        let exclusive = self.lock_claims.contains(&Claim::ExclusiveBelief);
        if exclusive {
            claims.push(Claim::ExclusiveOperation);
        }
        let fenced = self.fenced && self.resource == ResourceKind::ShopFenced;
        if exclusive || fenced || self.resource.compares_record() {
            claims.push(Claim::NoLostUpdate);
            if workload == WorkloadKind::Sale {
                claims.extend([Claim::NoOversell, Claim::LedgerConserved]);
            }
        }
        claims.sort_unstable();
        claims.dedup();
        claims
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = match self.fenced {
            true => ResourceKind::ShopFenced,
            false => ResourceKind::Shop,
        };
        match (self.locks(), self.resource) {
            (false, resource) => f.write_str(resource.name()),
            (true, resource) if resource == usual => f.write_str(self.lock),
            (true, resource) => write!(f, "{} + {}", self.lock, resource.name()),
        }
    }
}

impl FromStr for Contender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (lock, resource) = match text.split_once('+') {
            Some((lock, resource)) => (lock.trim(), Some(resource.trim())),
            None => (text.trim(), None),
        };
        if let (Some(kind), None) = (ResourceKind::find(lock), resource) {
            return match AlgorithmInfo::find(NO_LOCK) {
                Some(none) if !kind.is_shop() && !kind.compares_record() => {
                    Ok(Self::new(none, kind))
                }
                _ => Err(format!("`{lock}` needs a lock: write `LOCK + {lock}`")),
            };
        }
        let locks = || list(ALGORITHMS.iter().map(|info| info.name).filter(|n| *n != NO_LOCK));
        let resources = || list(RESOURCES.iter().map(|(_, name, _)| *name));
        let info = AlgorithmInfo::find(lock)
            .filter(|info| info.name != NO_LOCK)
            .ok_or_else(|| format!("there is no lock `{lock}`; there are {}", locks()))?;
        let usual = if info.fenced { ResourceKind::ShopFenced } else { ResourceKind::Shop };
        let resource = match resource {
            None => usual,
            Some(name) => ResourceKind::find(name).ok_or_else(|| {
                format!("there is no resource `{name}`; there are {}", resources())
            })?,
        };
        if resource.is_fenced() && !info.fenced {
            return Err(format!(
                "`{lock}` hands out no fencing tokens, and `{}` would refuse every write",
                resource.name()
            ));
        }
        if resource.compares_record()
            && !(info.shows_record && resource.store() == Some(info.store))
        {
            return Err(format!(
                "`{lock}` shows no record in the store of `{}`, which would refuse every write",
                resource.name()
            ));
        }
        Ok(Self::new(info, resource))
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Serialize for Contender {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Contender {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for text in [
            "redis-token-cad",
            "redis-token-cad + shop-checked",
            "redis-watchdog-fenced",
            "redis-watchdog-fenced + shop",
            "redis-setpx-del + redis-get-then-decr",
            "redis-lua-decr",
            "etcd-mutex + etcd-owner-txn",
            "zk-curator-lost + zk-check-multi",
        ] {
            assert_eq!(text.parse::<Contender>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_choices() {
        let error = |text: &str| text.parse::<Contender>().unwrap_err();
        assert!(error("redis-tokn").contains("`redis-token-cad`"));
        assert!(error("redis-token-cad + till").contains("`shop-checked`"));
        assert!(error("redis-token-cad + shop-fenced").contains("no fencing tokens"));
        assert!(error("redis-token-cad + etcd-owner-txn").contains("shows no record"));
        assert!(error("etcd-cas-observed + etcd-owner-txn").contains("shows no record"));
        assert!(error("etcd-owner-txn").contains("needs a lock"));
        assert!(error("redis-token-cad + zk-check-multi").contains("shows no record"));
        assert!(error("zk-check-multi").contains("needs a lock"));
        assert!(error("shop").contains("needs a lock"));
        assert!(error("none").contains("there is no lock"));
    }

    #[test]
    fn a_resource_shares_an_only_server_and_has_its_own_beside_several() {
        let hosts = |contender: &Contender| {
            let stores = contender.stores(3).into_iter();
            stores.map(|(_, host)| host.to_string()).collect::<Vec<_>>().join(", ")
        };
        let mut contender: Contender = "redis-setpx-del + redis-lua-decr".parse().unwrap();
        assert_eq!(hosts(&contender), "redis");
        contender.servers = Servers::Independent;
        assert_eq!(hosts(&contender), "redis 1, redis 2, redis 3, redis");
    }

    #[test]
    fn a_fenced_lock_promises_the_resource_and_not_exclusion() {
        let claims = |text: &str| text.parse::<Contender>().unwrap().claims(WorkloadKind::Sale);
        assert!(claims("redis-watchdog-fenced").contains(&Claim::NoOversell));
        assert!(!claims("redis-watchdog-fenced").contains(&Claim::ExclusiveBelief));
        assert!(!claims("redis-watchdog-fenced + shop").contains(&Claim::NoOversell));
        assert!(claims("redis-lua-decr").contains(&Claim::NoOversell));
    }
}
