//! The real world: the same lock code and the same Redis model, over real sockets on loopback.

use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use picklock::lock::{Algorithm, Lock, LockContext, LockParams};
use picklock::locks::{RedisTokenCad, RedisWatchdogFenced};
use picklock_models::redis::{Config, Redis};
use picklock_models::time::SteadyTime;
use picklock_sim::env::Env;
use picklock_sim::history::{Kind, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::real::RealEnv;
use picklock_sim::recorder::{Recorder, Sink};
use picklock_sim::seed::Seed;
use picklock_sim::serve::Server;
use picklock_sim::time::SimTime;

/// Nobody judges here.
struct Unheard;

impl Sink for Unheard {
    fn record(&self, _: HostName, _: Kind, _: Op) {}

    fn true_time(&self, _: HostName, local: SteadyTime) -> SimTime {
        SimTime::from_nanos(local.as_nanos())
    }
}

/// Serves the model on a free port, and gives `test` the way to it.
fn with_redis<F: Future<Output = ()>>(test: impl FnOnce(LockContext<RealEnv>) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let env = RealEnv::new(Seed(1));
        let watched = vec![(Bytes::from_static(b"lock"), RecordName::Lock)];
        let redis = Rc::new(Server::<Redis>::new(HostName::REDIS, Config::default(), watched));
        let recorder = Recorder::new(Rc::new(Unheard));
        let serving = redis.serve(env.clone(), recorder, port);
        env.spawn(async move { serving.await.expect("the port is free") });
        env.sleep(Duration::from_millis(10)).await;
        test(LockContext {
            env,
            servers: Rc::from([format!("127.0.0.1:{port}")]),
            key: Rc::from("lock"),
            fence_key: Rc::from("fence"),
            params: LockParams { ttl_ms: 300, retry_ms: 5, ..LockParams::default() },
            on_renewal: Rc::new(|_| {}),
        })
        .await;
    });
}

#[test]
fn a_lock_excludes_over_real_sockets() {
    with_redis(|context| async move {
        let mut first = RedisTokenCad::client(context.clone());
        let mut second = RedisTokenCad::client(context.clone());
        let grant = first.acquire().await.unwrap();
        assert!(first.check(&grant).await.unwrap());
        let waiting = context.env.timeout(Duration::from_millis(50), second.acquire()).await;
        assert!(waiting.is_err(), "the first still holds it");
        assert!(first.release(grant).await.unwrap());
        let grant = second.acquire().await.unwrap();
        assert!(second.release(grant).await.unwrap());
    });
}

#[test]
fn a_lease_ends_and_a_watchdog_keeps_it() {
    with_redis(|context| async move {
        let mut watched = RedisWatchdogFenced::client(context.clone());
        let grant = watched.acquire().await.unwrap();
        let token = grant.token;
        context.env.sleep(Duration::from_millis(700)).await;
        assert!(watched.check(&grant).await.unwrap(), "renewed past two leases");
        assert!(watched.release(grant).await.unwrap());

        let mut plain = RedisTokenCad::client(context.clone());
        let grant = plain.acquire().await.unwrap();
        context.env.sleep(Duration::from_millis(700)).await;
        assert!(!plain.check(&grant).await.unwrap(), "nobody renewed it");
        assert!(!plain.release(grant).await.unwrap(), "and it is not released twice");
        let next = watched.acquire().await.unwrap();
        assert!(next.token > token);
    });
}
