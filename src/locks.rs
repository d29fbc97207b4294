//! The lock algorithms: a new one is a new file here and its line in the list.

mod curator;
mod etcd_hold;
mod hold;
#[cfg(feature = "planted")]
mod planted;
mod redisson;
mod redisson_several;
mod redlock;
mod renewal;
mod zk_hold;

use crate::group::Group;
use crate::lock::{Algorithm, Servers};
use crate::store::StoreKind;
use crate::terms::Claim;

/// Turns the list below into modules, a table and a dispatcher by name.
macro_rules! algorithms {
    ($($(#[$when:meta])* $file:ident :: $algorithm:ident,)*) => {
        $($(#[$when])* mod $file; $(#[$when])* pub use $file::$algorithm;)*

        /// All algorithms, in the order in which reports show them.
        pub const ALGORITHMS: &[AlgorithmInfo] =
            &[$($(#[$when])* AlgorithmInfo::of::<$algorithm>(),)*];

        /// Calls `visitor` with the algorithm of that name; `None` if there is none.
        pub fn visit<V: Visitor>(name: &str, visitor: V) -> Option<V::Output> {
            match name {
                $(
                    $(#[$when])*
                    <$algorithm as Algorithm>::NAME => Some(visitor.visit::<$algorithm>()),
                )*
                _ => None,
            }
        }
    };
}

algorithms! {
    no_lock::NoLock,
    redis_setnx_bare::RedisSetNxBare,
    redis_setnx_expire::RedisSetNxExpire,
    redis_ts_getset::RedisTsGetset,
    redis_setpx_del::RedisSetPxDel,
    redis_token_cad::RedisTokenCad,
    redis_token_fenced::RedisTokenFenced,
    redis_token_deadline::RedisTokenDeadline,
    redis_watchdog::RedisWatchdog,
    redis_watchdog_silent::RedisWatchdogSilent,
    redis_watchdog_fenced::RedisWatchdogFenced,
    redislock_lua::RedislockLua,
    redlock_spec::RedlockSpec,
    redlock_spec_extend::RedlockSpecExtend,
    redlock_node5::RedlockNode5,
    redlock_node5_using::RedlockNode5Using,
    redlock_redsync::RedlockRedsync,
    redlock_redsync_setnx::RedlockRedsyncSetnx,
    redlock_redsync_failfast::RedlockRedsyncFailfast,
    redlock_rslock::RedlockRslock,
    redisson_redlock::RedissonRedlock,
    redisson_multilock::RedissonMultilock,
    redisson_rlock::RedissonRLock,
    redisson_rlock_7272::RedissonRLock7272,
    redisson_fenced::RedissonFenced,
    redisson_fair::RedissonFair,
    redisson_fair_3004::RedissonFair3004,
    redisson_rw::RedissonRw,
    etcd_get_then_put::EtcdGetThenPut,
    etcd_txn_lease::EtcdTxnLease,
    etcd_mutex::EtcdMutex,
    etcd_mutex_silent::EtcdMutexSilent,
    etcd_mutex_343::EtcdMutex343,
    etcd_mutex_343_silent::EtcdMutex343Silent,
    etcd_election::EtcdElection,
    etcd_mutex_fenced::EtcdMutexFenced,
    etcd_v3lock::EtcdV3Lock,
    etcd_rwmutex::EtcdRwMutex,
    etcd_cas_observed::EtcdCasObserved,
    zk_naive_ephemeral::ZkNaiveEphemeral,
    zk_seq::ZkSeq,
    zk_curator_ignore::ZkCuratorIgnore,
    zk_curator_suspended::ZkCuratorSuspended,
    zk_curator_lost::ZkCuratorLost,
    zk_curator_498::ZkCurator498,
    zk_rwlock::ZkRwlock,
    zk_semaphore::ZkSemaphore,
    zk_fenced::ZkFenced,
    zk_fenced_sequence::ZkFencedSequence,
    // Three that do not repeat, so that tests can prove that this is noticed.
    #[cfg(feature = "planted")]
    planted_hash_order::PlantedHashOrder,
    #[cfg(feature = "planted")]
    planted_wall_clock::PlantedWallClock,
    #[cfg(feature = "planted")]
    planted_select::PlantedSelect,
}

/// Something to be done with an algorithm whose name is only known while the program runs.
pub trait Visitor {
    /// What comes out of it.
    type Output;
    /// Does it.
    fn visit<A: Algorithm>(self) -> Self::Output;
}

/// What lists and reports show of an algorithm.
#[derive(Clone, Copy, Debug)]
pub struct AlgorithmInfo {
    /// Its name.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// What it promises.
    pub claims: &'static [Claim],
    /// Where it is kept.
    pub store: StoreKind,
    /// With which others reports show it.
    pub group: Group,
    /// On how many of its servers.
    pub servers: Servers,
    /// Whether it hands out fencing tokens.
    pub fenced: bool,
    /// Whether its grants name the holder's record.
    pub shows_record: bool,
    /// Whether its holder may acquire it again.
    pub reentrant: bool,
    /// Whether it has a shared mode.
    pub shared: bool,
    /// The same lock with fencing tokens.
    pub fenced_twin: Option<&'static str>,
}

impl AlgorithmInfo {
    const fn of<A: Algorithm>() -> Self {
        Self {
            name: A::NAME,
            about: A::ABOUT,
            claims: A::CLAIMS,
            store: A::STORE,
            group: A::GROUP,
            servers: A::SERVERS,
            fenced: A::FENCED,
            shows_record: A::SHOWS_RECORD,
            reentrant: A::REENTRANT,
            shared: A::SHARED,
            fenced_twin: A::FENCED_TWIN,
        }
    }

    /// The algorithm of that name.
    pub fn find(name: &str) -> Option<&'static AlgorithmInfo> {
        ALGORITHMS.iter().find(|info| info.name == name)
    }

    /// The names of those that are like this, for a sentence.
    pub fn those(like_this: fn(&AlgorithmInfo) -> bool) -> String {
        let names = ALGORITHMS.iter().filter(|info| like_this(info)).map(|info| info.name);
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}
