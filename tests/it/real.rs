//! The real world: the same lock code and the same Redis model, over real sockets on loopback.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use picklock::lock::{Algorithm, Lock, LockContext, LockParams};
use picklock::locks::{RedisTokenCad, RedisWatchdogFenced};
use picklock_models::redis::{Config, Redis};
use picklock_sim::env::Env;
use picklock_sim::history::RecordName;
use picklock_sim::host::HostName;
use picklock_sim::real::{self, RealEnv};
use picklock_sim::seed::Seed;
use picklock_sim::serve::Server;

/// Serves the model on a free port, and gives `test` the way to it.
fn with_redis<F: Future<Output = ()>>(test: impl FnOnce(LockContext<RealEnv>) -> F) {
    real::block_on(async {
        let env = RealEnv::new(Seed(1));
        let listener = env.listen(0).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let watched = vec![(Bytes::from_static(b"lock"), RecordName::Lock)];
        let redis = Rc::new(Server::<Redis>::new(HostName::REDIS, Config::default(), watched));
        let serving = redis.serve_on(env.clone(), real::unheard(), listener);
        env.spawn(async move { serving.await.expect("it serves until it is dropped") });
        test(LockContext {
            env,
            servers: Rc::from([format!("127.0.0.1:{port}")]),
            key: Rc::from("lock"),
            fence_key: Rc::from("fence"),
            params: LockParams { ttl_ms: 300, retry_ms: 5, ..LockParams::default() },
            on_renewal: Rc::new(|_| {}),
        })
        .await;
    })
    .expect("a runtime");
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
