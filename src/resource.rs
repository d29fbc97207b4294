//! What the lock guards: a new resource is a new file here and its line in the list.
//!
//! A resource is both ends: the server side that holds the truth, and what a client does with it
//! inside the critical section.

mod etcd_owner_txn;
mod redis_get_then_decr;
mod redis_lua_decr;
mod shop;
mod shop_server;
mod zk_check_multi;

use std::time::Duration;

use picklock_sim::env::{Either, Env, race};
use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::recorder::Recorder;
use serde::{Deserialize, Serialize};

pub use redis_get_then_decr::STOCK_KEY;
pub use shop_server::{SHOP_PORT, ShopServer};
pub(crate) use zk_check_multi::STOCK_PATH;

use crate::client::{self, Client};
use crate::lock::{Grant, Lock, LockError};
use crate::store::StoreKind;
use crate::terms::{Claim, WorkloadKind};

/// A guarded resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// A value on a host of its own that anybody may write.
    Shop,
    /// The same; clients ask the lock just before they write.
    ShopChecked,
    /// The same; it refuses reads and writes with a stale fencing token.
    ShopFenced,
    /// The same; it looks at the token of writes only.
    ShopFencedWrites,
    /// A stock in the lock's own Redis: GET, compare, DECR (R22).
    RedisGetThenDecr,
    /// A stock in the lock's own Redis: check and decrement in one script (R21).
    RedisLuaDecr,
    /// A value in the lock's own etcd; each write compares the holder's record (E4b).
    EtcdOwnerTxn,
    /// A value in the lock's own ZooKeeper; each write checks the holder's node (Z6c).
    ZkCheckMulti,
}

/// All resources: kind, name in scenario files, one line about it.
pub const RESOURCES: &[(ResourceKind, &str, &str)] = &[
    (ResourceKind::Shop, "shop", "a stock on its own host, written without any check"),
    (ResourceKind::ShopChecked, "shop-checked", "the same, the lock is checked before the write"),
    (ResourceKind::ShopFenced, "shop-fenced", "the same, stale fencing tokens are refused"),
    (
        ResourceKind::ShopFencedWrites,
        "shop-fenced-writes",
        "the same, but only writes are compared: a stale holder can still write between the \
         reading and the writing of the next one",
    ),
    (ResourceKind::RedisGetThenDecr, "redis-get-then-decr", "R22: GET, compare, DECR in Redis"),
    (ResourceKind::RedisLuaDecr, "redis-lua-decr", "R21: check and decrement in one Lua script"),
    (
        ResourceKind::EtcdOwnerTxn,
        "etcd-owner-txn",
        "E4b: a stock in etcd, written in a transaction that compares the holder's record",
    ),
    (
        ResourceKind::ZkCheckMulti,
        "zk-check-multi",
        "Z6c: a stock in ZooKeeper, written in a transaction that checks the holder's node",
    ),
];

impl ResourceKind {
    /// Its name in scenario files.
    pub fn name(self) -> &'static str {
        let (_, name, _) = RESOURCES.iter().find(|(kind, ..)| *kind == self).expect("all listed");
        name
    }

    /// The resource of that name.
    pub fn find(name: &str) -> Option<ResourceKind> {
        RESOURCES.iter().find(|(_, known, _)| *known == name).map(|(kind, ..)| *kind)
    }

    /// Whether it lives on the shop's host.
    pub fn is_shop(self) -> bool {
        self.store().is_none()
    }

    /// The store that it is kept in, where it has no host of its own.
    pub fn store(self) -> Option<StoreKind> {
        match self {
            Self::RedisGetThenDecr | Self::RedisLuaDecr => Some(StoreKind::Redis),
            Self::EtcdOwnerTxn => Some(StoreKind::Etcd),
            Self::ZkCheckMulti => Some(StoreKind::ZooKeeper),
            Self::Shop | Self::ShopChecked | Self::ShopFenced | Self::ShopFencedWrites => None,
        }
    }

    /// Whether it compares fencing tokens.
    pub fn is_fenced(self) -> bool {
        matches!(self, Self::ShopFenced | Self::ShopFencedWrites)
    }

    /// Whether it compares the holder's record, so that the lock must show it and be in the same store.
    pub fn compares_record(self) -> bool {
        matches!(self, Self::EtcdOwnerTxn | Self::ZkCheckMulti)
    }

    /// Whether it can do nothing but count down.
    pub fn only_sells(self) -> bool {
        matches!(self, Self::RedisGetThenDecr | Self::RedisLuaDecr)
    }

    /// What it promises by itself, whatever the lock does.
    pub fn claims(self) -> &'static [Claim] {
        match self {
            // People use both without a lock and believe that it cannot oversell; R22 is wrong.
            Self::RedisGetThenDecr | Self::RedisLuaDecr => {
                &[Claim::NoOversell, Claim::LedgerConserved]
            }
            // What the lock's record adds is promised by the two together.
            Self::Shop
            | Self::ShopChecked
            | Self::ShopFenced
            | Self::ShopFencedWrites
            | Self::EtcdOwnerTxn
            | Self::ZkCheckMulti => &[],
        }
    }
}

/// A client's way to a resource.
pub enum Section<E: Env> {
    /// On the shop's host.
    Shop(shop::ShopSection<E>),
    /// R22.
    GetThenDecr(redis_get_then_decr::GetThenDecr<E>),
    /// R21.
    LuaDecr(redis_lua_decr::LuaDecr<E>),
    /// E4b.
    OwnerTxn(etcd_owner_txn::OwnerTxn<E>),
    /// Z6c.
    CheckMulti(zk_check_multi::CheckMulti<E>),
}

impl<E: Env> Section<E> {
    /// A way to a resource of this kind.
    pub fn new(kind: ResourceKind, env: &E, time_limit: Duration) -> Self {
        let client = |address: &str| Client::new(env.clone(), address, time_limit);
        let shop = || client(&format!("{}:{SHOP_PORT}", HostName::SHOP));
        let redis = || client(&StoreKind::Redis.address());
        match kind {
            ResourceKind::Shop | ResourceKind::ShopFenced | ResourceKind::ShopFencedWrites => {
                Section::Shop(shop::ShopSection::new(shop(), false))
            }
            ResourceKind::ShopChecked => Section::Shop(shop::ShopSection::new(shop(), true)),
            ResourceKind::RedisGetThenDecr => {
                Section::GetThenDecr(redis_get_then_decr::GetThenDecr::new(redis()))
            }
            ResourceKind::RedisLuaDecr => Section::LuaDecr(redis_lua_decr::LuaDecr::new(redis())),
            ResourceKind::EtcdOwnerTxn => {
                let address = StoreKind::Etcd.address();
                let client = client::etcd::Client::new(env.clone(), &address, time_limit);
                Section::OwnerTxn(etcd_owner_txn::OwnerTxn::new(client))
            }
            ResourceKind::ZkCheckMulti => {
                Section::CheckMulti(zk_check_multi::CheckMulti::new(env, time_limit))
            }
        }
    }

    /// One critical section: read, think, write.
    pub async fn work<L: Lock>(&mut self, desk: &Desk<E>, lock: &mut L, grant: &Grant) -> Done {
        match self {
            Section::Shop(shop) => shop.work(desk, lock, grant).await,
            Section::GetThenDecr(section) => section.work(desk, grant).await,
            Section::LuaDecr(section) => section.work(desk).await,
            Section::OwnerTxn(section) => section.work(desk, grant).await,
            Section::CheckMulti(section) => section.work(desk, grant).await,
        }
    }

    /// A section of one who shares the lock: read, think, read. What only sells cannot be read.
    pub async fn look(&mut self, desk: &Desk<E>, grant: &Grant) -> Done {
        let result = async {
            self.read(desk, grant).await?;
            desk.think(grant).await?;
            self.read(desk, grant).await
        };
        result.await.map_or_else(|given_up| given_up, |()| Done::Finished)
    }

    async fn read(&mut self, desk: &Desk<E>, grant: &Grant) -> Result<(), Done> {
        match self {
            Section::Shop(shop) => shop.read(desk, grant.token).await.map(drop),
            Section::OwnerTxn(section) => section.read(desk).await.map(drop),
            Section::CheckMulti(section) => section.read(desk).await.map(drop),
            Section::GetThenDecr(_) | Section::LuaDecr(_) => Ok(()),
        }
    }
}

/// How a critical section ended. Every way is recorded; this is for the reader of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was carried out, or there was nothing to do.
    Finished,
    /// It was given up: the lock was lost, or the resource did not answer.
    GivenUp,
}

/// What a worker has at hand in its critical section.
pub struct Desk<E: Env> {
    /// Its world.
    pub env: E,
    /// Its name.
    pub me: HostName,
    /// The history.
    pub recorder: Recorder,
    /// What it does.
    pub workload: WorkloadKind,
    /// How long it thinks between reading and writing.
    pub hold: Duration,
}

impl<E: Env> Desk<E> {
    /// Records an event of this client.
    pub fn record(&self, kind: Kind, op: Op) {
        self.recorder.record(self.me, kind, op);
    }

    /// Thinks; `Err` if meanwhile it became known that the lock is lost.
    pub(crate) async fn think(&self, grant: &Grant) -> Result<(), Done> {
        let told = race(grant.lost.wait(), self.env.sleep(self.hold)).await;
        if told == Either::Left(()) || !grant.is_believed(&self.env) {
            self.record(Kind::Info, Op::Lost);
            return Err(Done::GivenUp);
        }
        Ok(())
    }

    /// Records how an operation failed.
    pub(crate) fn failed(&self, error: &LockError, op: Op) -> Done {
        let kind = match error {
            LockError::Definite(_) => Kind::Fail,
            LockError::Indefinite(_) => Kind::Info,
        };
        tracing::debug!("{op}: {error}");
        self.record(kind, op);
        Done::GivenUp
    }
}
