//! The lock algorithms: a new one is a new file here and its line in the list.

mod curator;
mod etcd_hold;
mod hold;
#[cfg(feature = "planted")]
mod planted;
mod zk_hold;

use crate::lock::Algorithm;
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
    redis_setpx_del::RedisSetPxDel,
    redis_token_cad::RedisTokenCad,
    redis_token_fenced::RedisTokenFenced,
    redis_token_deadline::RedisTokenDeadline,
    redis_watchdog::RedisWatchdog,
    redis_watchdog_silent::RedisWatchdogSilent,
    redis_watchdog_fenced::RedisWatchdogFenced,
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
    /// Whether it hands out fencing tokens.
    pub fenced: bool,
    /// Whether its grants name the holder's record.
    pub shows_record: bool,
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
            fenced: A::FENCED,
            shows_record: A::SHOWS_RECORD,
            fenced_twin: A::FENCED_TWIN,
        }
    }

    /// The algorithm of that name.
    pub fn find(name: &str) -> Option<&'static AlgorithmInfo> {
        ALGORITHMS.iter().find(|info| info.name == name)
    }
}
