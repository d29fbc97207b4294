//! The etcd-client crate: keys, transactions, leases kept alive, watches, the server's locks and elections.
//!
//! tonic takes a connector for its streams and an executor for its tasks, so all of it lives in the world.

use std::io;

use etcd_client::{
    Client, Compare, CompareOp, DeleteOptions, Error, EventType, GetOptions, LockOptions,
    PutOptions, SortOrder, SortTarget, Txn, TxnOp, TxnOpResponse, WatchOptions,
};
use hyper_util::rt::TokioIo;
use libtest_mimic::Failed;
use picklock::store::StoreKind;
use picklock_sim::env::Env;
use picklock_sim::foreign::Foreign;
use tonic::Code;
use tonic::transport::Endpoint;
use tower::service_fn;

use super::{Play, Stage, Tested};

#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Keys,
    Transactions,
    Leases,
    Watches,
    Compacted,
    Locks,
    Elections,
}

impl Part {
    pub(super) const ALL: &[Part] = &[
        Part::Keys,
        Part::Transactions,
        Part::Leases,
        Part::Watches,
        Part::Compacted,
        Part::Locks,
        Part::Elections,
    ];
}

impl Play for Part {
    const CRATE: &'static str = "etcd_client";
    const STORE: StoreKind = StoreKind::Etcd;

    async fn play<E: Env>(self, stage: Stage<E>) -> Tested {
        let client = connect(&stage.foreign, &stage.address).await?;
        match self {
            Part::Keys => keys(client).await,
            Part::Transactions => transactions(client).await,
            Part::Leases => leases(stage, client).await,
            Part::Watches => watches(stage, client).await,
            Part::Compacted => compacted(client).await,
            Part::Locks => locks(stage, client).await,
            Part::Elections => elections(stage, client).await,
        }
    }
}

/// A client over one connection of this world, which tonic makes anew when it breaks.
pub(super) async fn connect<E: Env>(foreign: &Foreign<E>, address: &str) -> Result<Client, Failed> {
    let (own, to) = (foreign.clone(), address.to_owned());
    let connector = service_fn(move |_| {
        let stream = own.connect(&to);
        async move { io::Result::Ok(TokioIo::new(stream.await?)) }
    });
    let endpoint =
        Endpoint::from_shared(format!("http://{address}"))?.executor(Executor(foreign.clone()));
    let channel = endpoint.connect_with_connector(connector).await?;
    Ok(Client::from_channel(etcd_client::Channel::Tonic(channel), None).await?)
}

/// Gives tonic's tasks to the world.
struct Executor<E: Env>(Foreign<E>);

impl<E: Env, F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Executor<E> {
    fn execute(&self, task: F) {
        self.0.spawn(task).detach();
    }
}

/// The code of an error that the server sent.
pub(super) fn code(error: &Error) -> Option<Code> {
    match error {
        Error::GRpcStatus(status) => Some(status.code()),
        _ => None,
    }
}

async fn keys(mut client: Client) -> Tested {
    for (key, value) in [("a/1", "one"), ("a/2", "two"), ("b", "other"), ("a/1", "new")] {
        client.put(key, value, None).await?;
    }
    let options = GetOptions::new().with_prefix();
    let options = options.with_sort(SortTarget::Mod, SortOrder::Descend).with_limit(5);
    let found = client.get("a/", Some(options)).await?;
    let pairs: Vec<_> = found.kvs().iter().map(|kv| (kv.key_str(), kv.value_str())).collect();
    let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| (key.ok(), value.ok())).collect();
    assert_eq!(pairs, [(Some("a/1"), Some("new")), (Some("a/2"), Some("two"))]);
    assert_eq!((found.kvs()[0].version(), found.count(), found.more()), (2, 2, false));

    let replaced = client.put("b", "x", Some(PutOptions::new().with_prev_key())).await?;
    assert_eq!(replaced.prev_key().ok_or("no previous key")?.value(), b"other");
    let options = DeleteOptions::new().with_prefix().with_prev_key();
    let deleted = client.delete("a/", Some(options)).await?;
    assert_eq!((deleted.deleted(), deleted.prev_kvs().len()), (2, 2));
    assert_eq!(client.get("a/1", None).await?.count(), 0);
    Ok(())
}

async fn transactions(mut client: Client) -> Tested {
    let create = |value: &str| {
        Txn::new()
            .when([Compare::create_revision("lock", CompareOp::Equal, 0)])
            .and_then([TxnOp::put("lock", value, None)])
            .or_else([TxnOp::get("lock", None)])
    };
    assert!(client.txn(create("mine")).await?.succeeded());
    let refused = client.txn(create("yours")).await?;
    assert!(!refused.succeeded());
    let responses = refused.op_responses();
    let [TxnOpResponse::Get(holder)] = &responses[..] else { return Err("no range".into()) };
    assert_eq!(holder.kvs()[0].value(), b"mine");

    let twice = Txn::new().and_then([TxnOp::put("k", "1", None), TxnOp::put("k", "2", None)]);
    let error = client.txn(twice).await.unwrap_err();
    assert_eq!(code(&error), Some(Code::InvalidArgument));
    assert!(error.to_string().contains("duplicate key given in txn request"), "{error}");
    let error = client.put("k", "v", Some(PutOptions::new().with_lease(7))).await.unwrap_err();
    assert_eq!(code(&error), Some(Code::NotFound));
    assert!(error.to_string().contains("requested lease not found"), "{error}");
    Ok(())
}

/// A lease that is kept alive outlives its TTL; one that is not takes its key along.
async fn leases<E: Env>(stage: Stage<E>, mut client: Client) -> Tested {
    let lease = client.lease_grant(2, None).await?;
    assert_eq!(lease.ttl(), 2);
    client.put("lock", "mine", Some(PutOptions::new().with_lease(lease.id()))).await?;
    let (mut keeper, mut kept) = client.lease_keep_alive(lease.id()).await?;
    for _ in 0..5 {
        stage.sleep_ms(700).await;
        keeper.keep_alive().await?;
        assert_eq!(kept.message().await?.ok_or("the stream has ended")?.ttl(), 2);
    }
    let left = client.lease_time_to_live(lease.id(), None).await?;
    assert!(left.granted_ttl() == 2 && (0..=2).contains(&left.ttl()), "{left:?}");
    assert_eq!(client.get("lock", None).await?.count(), 1, "3.5 s after a grant of 2 s");
    // etcd looks every half second for leases that are over.
    stage.sleep_ms(3500).await;
    assert_eq!(client.get("lock", None).await?.count(), 0);
    assert_eq!(client.lease_time_to_live(lease.id(), None).await?.ttl(), -1);
    keeper.keep_alive().await?;
    assert_eq!(kept.message().await?.ok_or("the stream has ended")?.ttl(), 0);

    let lease = client.lease_grant(60, None).await?;
    client.put("other", "x", Some(PutOptions::new().with_lease(lease.id()))).await?;
    client.lease_revoke(lease.id()).await?;
    assert_eq!(client.get("other", None).await?.count(), 0);
    let error = client.lease_revoke(lease.id()).await.unwrap_err();
    assert_eq!(code(&error), Some(Code::NotFound));
    Ok(())
}

async fn watches<E: Env>(stage: Stage<E>, mut client: Client) -> Tested {
    let first = client.put("a/1", "old", None).await?.header().ok_or("no header")?.revision();
    let options = WatchOptions::new().with_prefix().with_start_revision(first).with_prev_key();
    let mut watch = client.watch("a/", Some(options)).await?;
    client.put("a/2", "x", None).await?;
    client.put("b", "unseen", None).await?;
    client.delete("a/1", None).await?;
    let mut events = Vec::new();
    while events.len() < 3 {
        let message = watch.message().await?.ok_or("the stream has ended")?;
        for event in message.events() {
            let kv = event.kv().ok_or("no key")?;
            let before = event.prev_kv().map(|kv| kv.value().to_owned());
            stage.saw(kv.mod_revision());
            events.push((event.event_type(), kv.key_str()?.to_owned(), before));
        }
    }
    let put = |key: &str| (EventType::Put, key.to_owned(), None);
    let deleted = (EventType::Delete, "a/1".to_owned(), Some(b"old".to_vec()));
    assert_eq!(events, [put("a/1"), put("a/2"), deleted]);

    // A second watch on the same stream, then the end of the first.
    watch.watch("b", None).await?;
    let created = watch.message().await?.ok_or("the stream has ended")?;
    assert!(created.created());
    watch.cancel(0).await?;
    let canceled = watch.message().await?.ok_or("the stream has ended")?;
    assert!(canceled.canceled() && canceled.watch_id() == 0, "{canceled:?}");
    client.put("a/3", "unseen", None).await?;
    client.put("b", "seen", None).await?;
    let seen = watch.message().await?.ok_or("the stream has ended")?;
    assert_eq!((seen.watch_id(), seen.events().len()), (created.watch_id(), 1));
    Ok(())
}

/// A watch from a revision that is no more.
async fn compacted(mut client: Client) -> Tested {
    let mut revision = 0;
    for value in ["1", "2", "3"] {
        revision = client.put("k", value, None).await?.header().ok_or("no header")?.revision();
    }
    client.compact(revision, None).await?;
    let options = WatchOptions::new().with_start_revision(revision - 1);
    let mut watch = client.watch("k", Some(options)).await?;
    let mut message = watch.message().await?.ok_or("the stream has ended")?;
    if !message.canceled() {
        message = watch.message().await?.ok_or("the stream has ended")?;
    }
    assert!(message.canceled());
    assert_eq!(message.compact_revision(), revision);
    let error = client.get("k", Some(GetOptions::new().with_revision(revision - 1))).await;
    assert_eq!(code(&error.unwrap_err()), Some(Code::OutOfRange));
    Ok(())
}

/// The server's own lock: the second client waits until the first gives it back, or is gone.
async fn locks<E: Env>(stage: Stage<E>, mut one: Client) -> Tested {
    let mut two = connect(&stage.foreign, &stage.address).await?;
    let mut three = two.clone();
    let held = one.lock("lock", None).await?;
    assert!(held.key().starts_with(b"lock/"));
    let lease = two.lease_grant(2, None).await?.id();
    let (waited, unlocked) =
        futures_util::join!(two.lock("lock", Some(LockOptions::new().with_lease(lease))), async {
            stage.sleep_ms(300).await;
            assert_eq!(three.get("lock/", Some(GetOptions::new().with_prefix())).await?.count(), 2);
            one.unlock(held.key()).await
        },);
    unlocked?;
    let held = waited?;
    stage.saw(held.header().ok_or("no header")?.revision());
    // Nobody keeps its lease alive: the next one has the lock when it is over.
    let begin = stage.env.steady();
    let next = one.lock("lock", None).await?;
    let waited_ms = (stage.env.steady().as_nanos() - begin.as_nanos()) / 1_000_000;
    assert!((900..4500).contains(&waited_ms), "{waited_ms} ms under a lease of 2 s");
    assert_ne!(next.key(), held.key());
    one.unlock(next.key()).await?;
    Ok(())
}

async fn elections<E: Env>(stage: Stage<E>, mut one: Client) -> Tested {
    let mut two = connect(&stage.foreign, &stage.address).await?;
    let (first, second) =
        (one.lease_grant(60, None).await?.id(), two.lease_grant(60, None).await?.id());
    let won = one.campaign("chair", "one", first).await?;
    let leader = won.leader().ok_or("no leader")?.clone();
    // Before there is a leader the server answers nothing at all, no headers either.
    let mut observer = two.observe("chair").await?;
    let seen = async |observer: &mut etcd_client::ObserveStream| {
        let seen = observer.message().await?.ok_or("the stream has ended")?;
        Ok::<_, Failed>(seen.kv().ok_or("no key")?.value_str()?.to_owned())
    };
    assert_eq!(seen(&mut observer).await?, "one");
    let options = etcd_client::ProclaimOptions::new().with_leader(leader.clone());
    one.proclaim("one again", Some(options)).await?;
    assert_eq!(seen(&mut observer).await?, "one again");
    let (next, resigned) = futures_util::join!(two.campaign("chair", "two", second), async {
        stage.sleep_ms(200).await;
        one.resign(Some(etcd_client::ResignOptions::new().with_leader(leader))).await
    });
    resigned?;
    stage.saw(next?.leader().ok_or("no leader")?.rev());
    assert_eq!(seen(&mut observer).await?, "two");
    let leader = one.leader("chair").await?;
    assert_eq!(leader.kv().ok_or("no key")?.value(), b"two");
    Ok(())
}
