//! The stores that locks are kept in, and what each makes of a lease that a client asks for.

use std::time::Duration;

use picklock_sim::host::HostName;

use crate::lock::LockParams;

/// A store that locks are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreKind {
    /// Redis 7.0, one server, or several that know nothing of each other.
    Redis,
    /// etcd 3.4, one member.
    Etcd,
    /// ZooKeeper 3.8, one server.
    ZooKeeper,
}

/// ZooKeeper's `tickTime` in every run, in milliseconds. Half of what its sample configuration says, so that a
/// session (at least two ticks) can be as short as etcd's shortest lease and locks of all stores meet the
/// same plans.
pub const TICK_MS: u32 = 1000;

/// etcd gives no lease below this (`minTTL` in `server/etcdserver/server.go`: one and a half times the
/// election timeout of 1 s, in whole seconds).
const ETCD_SHORTEST: Duration = Duration::from_secs(2);
/// How often etcd looks for leases that are over (`expiredLeaseRetryInterval`, `server/lease/lessor.go`).
const ETCD_EXPIRY_LOOP: Duration = Duration::from_millis(500);

impl StoreKind {
    /// Its name, which is also that of its host when it has one server.
    pub fn name(self) -> &'static str {
        match self {
            StoreKind::Redis => "redis",
            StoreKind::Etcd => "etcd",
            StoreKind::ZooKeeper => "zookeeper",
        }
    }

    /// Its only server.
    pub fn host(self) -> HostName {
        match self {
            StoreKind::Redis => HostName::REDIS,
            StoreKind::Etcd => HostName::ETCD,
            StoreKind::ZooKeeper => HostName::ZOOKEEPER,
        }
    }

    /// Where its server listens.
    pub fn port(self) -> u16 {
        match self {
            StoreKind::Redis => 6379,
            StoreKind::Etcd => 2379,
            StoreKind::ZooKeeper => 2181,
        }
    }

    /// One of several servers that know nothing of each other, from 1.
    pub fn server(self, number: u16) -> HostName {
        HostName { number, ..self.host() }
    }

    /// Its only server as `host:port`.
    pub fn address(self) -> String {
        self.address_of(self.host())
    }

    /// One of its servers as `host:port`.
    pub fn address_of(self, server: HostName) -> String {
        format!("{server}:{}", self.port())
    }

    /// The record that is the lock; or below which every contender has its own.
    pub fn lock_key(self) -> &'static str {
        match self {
            StoreKind::Redis | StoreKind::Etcd => "lock",
            StoreKind::ZooKeeper => "/lock",
        }
    }

    /// The lease that the server really gives: whole seconds and at least 2 of them (etcd), 2 to 20 ticks
    /// (ZooKeeper, `minSessionTimeout` and `maxSessionTimeout`).
    pub fn lease(self, params: &LockParams) -> Duration {
        let asked = params.ttl();
        match self {
            StoreKind::Redis => asked,
            StoreKind::Etcd => Duration::from_secs(params.ttl_ms.div_ceil(1000)).max(ETCD_SHORTEST),
            StoreKind::ZooKeeper => {
                let tick = Duration::from_millis(u64::from(TICK_MS));
                asked.clamp(2 * tick, 20 * tick)
            }
        }
    }

    /// How long after its lease is over a record may still be there: Redis compares strictly and so keeps it
    /// for one more millisecond, the others look now and then.
    pub fn expiry_delay(self) -> Duration {
        match self {
            StoreKind::Redis => Duration::from_millis(1),
            StoreKind::Etcd => ETCD_EXPIRY_LOOP,
            StoreKind::ZooKeeper => Duration::from_millis(u64::from(TICK_MS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_store_makes_its_own_of_a_lease() {
        let lease_ms = |store: StoreKind, ttl_ms| {
            store.lease(&LockParams { ttl_ms, ..LockParams::default() }).as_millis()
        };
        assert_eq!(lease_ms(StoreKind::Redis, 700), 700);
        assert_eq!(
            [700, 2000, 2001, 60_000].map(|ttl_ms| lease_ms(StoreKind::Etcd, ttl_ms)),
            [2000, 2000, 3000, 60_000]
        );
        assert_eq!(
            [700, 2001, 60_000].map(|ttl_ms| lease_ms(StoreKind::ZooKeeper, ttl_ms)),
            [2000, 2001, 20_000]
        );
    }
}
