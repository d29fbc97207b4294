//! The real world, over loopback.

use std::time::Duration;

use picklock_sim::env::{Elapsed, Env};
use picklock_sim::real::{self, RealEnv};
use picklock_sim::seed::Seed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn in_the_real_world(work: impl Future<Output = ()>) {
    real::block_on(work).expect("a runtime");
}

#[test]
fn echo_over_loopback() {
    in_the_real_world(async {
        let env = RealEnv::new(Seed(1));
        let mut listener = env.listen(0).await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(address.ip().is_loopback());
        let server = env.clone();
        env.spawn(async move {
            let (mut stream, peer) = server.accept(&mut listener).await.unwrap();
            assert_eq!(peer, None);
            let byte = stream.read_u8().await.unwrap();
            stream.write_u8(byte).await.unwrap();
        });
        let mut stream = env.connect(&address.to_string()).await.unwrap();
        stream.write_u8(42).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 42);
    });
}

/// Elsewhere a machine has only one loopback address.
#[cfg(target_os = "linux")]
#[test]
fn listens_where_it_is_told_and_says_where_that_is() {
    in_the_real_world(async {
        let address = "127.0.0.2".parse().unwrap();
        let env = RealEnv::new(Seed(1)).at(address);
        let listener = env.listen(0).await.unwrap();
        let bound = listener.local_addr().unwrap();
        assert_eq!(bound.ip(), address);
        assert_ne!(bound.port(), 0);
        let taken = env.listen(bound.port()).await.unwrap_err();
        assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    });
}

#[test]
fn sleeps_take_steady_time_and_timeouts_end() {
    in_the_real_world(async {
        let env = RealEnv::new(Seed(1));
        let before = env.clocks();
        env.sleep(Duration::from_millis(5)).await;
        let after = env.clocks();
        assert!(after.steady.as_nanos() - before.steady.as_nanos() >= 5_000_000);
        assert!(after.wall.unix_ms() >= before.wall.unix_ms());
        let never = env.timeout(Duration::from_millis(1), std::future::pending::<()>());
        assert_eq!(never.await, Err(Elapsed));
    });
}
