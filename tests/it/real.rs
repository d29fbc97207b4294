//! The real world: the same lock code and the same Redis model, over real sockets on loopback.

#![expect(clippy::disallowed_methods, reason = "a real client waits in real time")]

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
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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

/// Sends bytes as they are and compares what comes back.
async fn talk(stream: &mut TcpStream, sent: &[u8], expected: &[u8]) {
    stream.write_all(sent).await.unwrap();
    let mut got = vec![0; expected.len()];
    let read = stream.read_exact(&mut got);
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("an answer").unwrap();
    assert_eq!(got.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

/// What a client sends while it waits stays unread until the wait ends.
#[test]
fn requests_behind_a_blocked_one_wait_for_it() {
    with_redis(|context| async move {
        let mut waiting = TcpStream::connect(&*context.servers[0]).await.unwrap();
        let mut other = TcpStream::connect(&*context.servers[0]).await.unwrap();
        waiting.write_all(b"BLPOP list 0\r\nPING\r\n").await.unwrap();
        talk(&mut other, b"PING\r\n", b"+PONG\r\n").await;
        talk(&mut other, b"RPUSH list a\r\n", b":1\r\n").await;
        talk(&mut waiting, b"", b"*2\r\n$4\r\nlist\r\n$1\r\na\r\n+PONG\r\n").await;
        talk(&mut waiting, b"BLPOP list 0.01\r\n", b"*-1\r\n").await;
        waiting.write_all(b"BLPOP list 0\r\n").await.unwrap();
        drop(waiting);
        context.env.sleep(Duration::from_millis(20)).await;
        talk(&mut other, b"RPUSH list b\r\nLLEN list\r\n", b":1\r\n:1\r\n").await;
    });
}

#[test]
fn a_message_reaches_its_subscriber() {
    with_redis(|context| async move {
        let mut subscriber = TcpStream::connect(&*context.servers[0]).await.unwrap();
        let mut other = TcpStream::connect(&*context.servers[0]).await.unwrap();
        let subscribed = b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
        talk(&mut subscriber, b"SUBSCRIBE c\r\n", subscribed).await;
        talk(&mut other, b"PUBLISH c m\r\n", b":1\r\n").await;
        talk(&mut subscriber, b"", b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n").await;
    });
}

/// The server says that it is busy when `busy-reply-threshold` has passed, not before and not at the
/// next tick.
#[test]
fn a_script_that_never_ends_holds_everybody_up_until_it_is_killed() {
    with_redis(|context| async move {
        let mut first = TcpStream::connect(&*context.servers[0]).await.unwrap();
        let mut other = TcpStream::connect(&*context.servers[0]).await.unwrap();
        talk(&mut other, b"CONFIG SET busy-reply-threshold 30\r\n", b"+OK\r\n").await;
        first.write_all(b"EVAL \"while true do end\" 0\r\nPING\r\n").await.unwrap();
        context.env.sleep(Duration::from_millis(20)).await;
        talk(&mut other, b"PING\r\n", b"-BUSY Redis is busy running a script.").await;
        talk(&mut other, b"", b" You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n").await;
        talk(&mut other, b"SCRIPT KILL\r\n", b"+OK\r\n").await;
        talk(&mut first, b"", b"-ERR Script killed by user with SCRIPT KILL... script: ").await;
        let rest = b"694a5fe1ddb97a4c6a1bf299d9537c7d3d0f84e7, on @user_script:1.\r\n+PONG\r\n";
        talk(&mut first, b"", rest).await;
    });
}

/// `client-output-buffer-limit`: who does not read is cut off, and the others are not.
#[test]
fn a_subscriber_that_does_not_read_is_cut_off() {
    with_redis(|context| async move {
        let mut slow = TcpStream::connect(&*context.servers[0]).await.unwrap();
        let mut other = TcpStream::connect(&*context.servers[0]).await.unwrap();
        let limit = b"CONFIG SET client-output-buffer-limit \"pubsub 1mb 1mb 0\"\r\n";
        talk(&mut other, limit, b"+OK\r\n").await;
        talk(&mut slow, b"SUBSCRIBE c\r\n", b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n").await;
        let message =
            [&b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$100000\r\n"[..], &[b'x'; 100_000], b"\r\n"];
        let message = message.concat();
        let mut receivers = [b'1'];
        for _ in 0..500 {
            other.write_all(&message).await.unwrap();
            let mut answer = [0; 4];
            other.read_exact(&mut answer).await.unwrap();
            receivers = [answer[1]];
            if receivers == [b'0'] {
                break;
            }
        }
        assert_eq!(receivers, [b'0'], "50 MB were more than enough");
        talk(&mut other, b"PING\r\n", b"+PONG\r\n").await;
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
        // The attempt may have been cut off between a request and its reply.
        let mut second = RedisTokenCad::client(context.clone());
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
