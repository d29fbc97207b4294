//! redis-rs: requests that share a connection, transactions, scripts, messages, and what it does when a
//! connection or a reply is lost.
//!
//! Its `ConnectionManager` connects by itself, over tokio's own sockets, and can be given no stream. What it
//! does after an error, a new connection, is done here by hand.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use libtest_mimic::Failed;
use picklock::store::StoreKind;
use picklock_sim::env::Env;
use picklock_sim::foreign::Task;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{
    AsyncCommands, AsyncConnectionConfig, ErrorKind, ExistenceCheck, ProtocolVersion, PushKind,
    RedisConnectionInfo, RedisResult, Script, ServerErrorKind, SetExpiry, SetOptions, Value,
};

use super::{Play, Stage, Tested};

#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Multiplexed,
    Transactions,
    Scripts,
    Expiry,
    Locks,
    Pubsub,
    Pushes,
    Reconnects,
    Timeouts,
}

impl Part {
    pub(super) const ALL: &[Part] = &[
        Part::Multiplexed,
        Part::Transactions,
        Part::Scripts,
        Part::Expiry,
        Part::Locks,
        Part::Pubsub,
        Part::Pushes,
        Part::Reconnects,
        Part::Timeouts,
    ];
}

impl Play for Part {
    const CRATE: &'static str = "redis_rs";
    const STORE: StoreKind = StoreKind::Redis;

    async fn play<E: Env>(self, stage: Stage<E>) -> Tested {
        match self {
            Part::Multiplexed => multiplexed(stage).await,
            Part::Transactions => transactions(stage).await,
            Part::Scripts => scripts(stage).await,
            Part::Expiry => expiry(stage).await,
            Part::Locks => locks(stage).await,
            Part::Pubsub => pubsub(stage).await,
            Part::Pushes => pushes(stage).await,
            Part::Reconnects => reconnects(stage).await,
            Part::Timeouts => timeouts(stage).await,
        }
    }
}

impl<E: Env> Stage<E> {
    async fn connect(&self) -> RedisResult<(MultiplexedConnection, Task)> {
        self.connect_with(RedisConnectionInfo::default(), AsyncConnectionConfig::new()).await
    }

    /// As redis-rs connects, but over a stream of this world and with the driver where pauses stop it.
    async fn connect_with(
        &self,
        info: RedisConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> RedisResult<(MultiplexedConnection, Task)> {
        let stream = self.foreign.connect(&self.address).await?;
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&info, stream, config).await?;
        Ok((connection, self.foreign.spawn(driver)))
    }
}

/// Many requests at once over one connection: each gets its own reply.
async fn multiplexed<E: Env>(stage: Stage<E>) -> Tested {
    let (connection, _driver) = stage.connect().await?;
    let asks = (0..50_i64).map(|number| {
        let mut connection = connection.clone();
        async move {
            let key = format!("key-{number}");
            connection.set::<_, _, ()>(&key, number).await?;
            let count: i64 = connection.incr("count", 1).await?;
            let own: i64 = connection.get(&key).await?;
            assert_eq!(own, number);
            RedisResult::Ok(count)
        }
    });
    let mut counts = join_all(asks).await.into_iter().collect::<RedisResult<Vec<i64>>>()?;
    stage.saw(counts[0]);
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<_>>());
    Ok(())
}

async fn transactions<E: Env>(stage: Stage<E>) -> Tested {
    let (mut connection, _driver) = stage.connect().await?;
    let (set, counted, text): (bool, i64, String) = redis::pipe()
        .atomic()
        .set("a", "text")
        .incr("n", 5)
        .get("a")
        .query_async(&mut connection)
        .await?;
    assert_eq!((set, counted, &*text), (true, 5, "text"));

    // One command fails, the others have happened.
    let failed: RedisResult<(Value, i64)> =
        redis::pipe().atomic().incr("a", 1).incr("n", 1).query_async(&mut connection).await;
    let error = failed.unwrap_err().to_string();
    assert!(error.contains("value is not an integer or out of range"), "{error}");
    assert_eq!(connection.get::<_, i64>("n").await?, 6);

    // A pipeline that is no transaction goes on behind an error too.
    let replies: RedisResult<Vec<Value>> =
        redis::pipe().lpush("a", 1).incr("n", 1).query_async(&mut connection).await;
    let error = replies.unwrap_err().to_string();
    assert!(error.contains("WRONGTYPE"), "{error}");
    assert_eq!(connection.get::<_, i64>("n").await?, 7);
    Ok(())
}

/// `Script` sends EVALSHA, loads the script when the server does not know it, and asks again.
async fn scripts<E: Env>(stage: Stage<E>) -> Tested {
    let (mut connection, _driver) = stage.connect().await?;
    let release = Script::new(
        "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end",
    );
    for flush in [false, true] {
        if flush {
            redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await?;
        }
        connection.set::<_, _, ()>("lock", "mine").await?;
        let release = |secret: &'static str| {
            let (release, mut connection) = (&release, connection.clone());
            async move { release.key("lock").arg(secret).invoke_async::<i64>(&mut connection).await }
        };
        assert_eq!(release("not mine").await?, 0);
        assert_eq!(release("mine").await?, 1);
    }
    let failing = Script::new("return redis.call('incr', KEYS[1])");
    connection.set::<_, _, ()>("text", "x").await?;
    let error = failing.key("text").invoke_async::<i64>(&mut connection).await.unwrap_err();
    assert!(error.to_string().contains("value is not an integer"), "{error}");
    Ok(())
}

async fn expiry<E: Env>(stage: Stage<E>) -> Tested {
    let (mut connection, _driver) = stage.connect().await?;
    connection.pset_ex::<_, _, ()>("key", "value", 400).await?;
    let left: i64 = connection.pttl("key").await?;
    assert!((100..=400).contains(&left), "{left}");
    stage.sleep_ms(100).await;
    assert!(connection.exists::<_, bool>("key").await?);
    assert!(connection.pexpire::<_, bool>("key", 1000).await?);
    stage.sleep_ms(600).await;
    assert!(connection.exists::<_, bool>("key").await?, "it was prolonged");
    stage.sleep_ms(700).await;
    assert!(!connection.exists::<_, bool>("key").await?);
    assert_eq!(connection.pttl::<_, i64>("key").await?, -2);
    Ok(())
}

/// SET NX PX by two clients: the second one has it when the first one's lease is over.
async fn locks<E: Env>(stage: Stage<E>) -> Tested {
    let (mut one, _driver) = stage.connect().await?;
    let (mut two, _driver) = stage.connect().await?;
    let lease = || {
        SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::PX(500))
    };
    assert!(one.set_options::<_, _, bool>("lock", "one", lease()).await?);
    assert!(!two.set_options::<_, _, bool>("lock", "two", lease()).await?);
    let mut tries = 1;
    while !two.set_options::<_, _, bool>("lock", "two", lease()).await? {
        tries += 1;
        stage.sleep_ms(20).await;
    }
    stage.saw(tries);
    assert!((5..=26).contains(&tries), "{tries} tries, 20 ms apart, under a lease of 500 ms");
    assert_eq!(one.get::<_, String>("lock").await?, "two");
    Ok(())
}

/// A connection for messages alone (RESP2). redis-rs starts its task by itself.
async fn pubsub<E: Env>(stage: Stage<E>) -> Tested {
    let (mut connection, _driver) = stage.connect().await?;
    let stream = stage.foreign.connect(&stage.address).await?;
    let mut subscriber = PubSub::new(&RedisConnectionInfo::default(), stream).await?;
    subscriber.subscribe("released").await?;
    subscriber.psubscribe("news.*").await?;
    for (channel, text) in [("released", "lock"), ("other", "unheard"), ("news.today", "none")] {
        let heard: i64 = connection.publish(channel, text).await?;
        assert_eq!(heard, i64::from(channel != "other"));
    }
    let mut messages = subscriber.on_message();
    let mut next = async || {
        let message = messages.next().await.ok_or("the messages have ended")?;
        let pattern = message.get_pattern::<Option<String>>()?;
        Ok::<_, Failed>((message.get_channel_name().to_owned(), message.get_payload()?, pattern))
    };
    let (plain, by_pattern) = (next().await?, next().await?);
    assert_eq!(plain, ("released".to_owned(), "lock".to_owned(), None));
    let pattern = Some("news.*".to_owned());
    assert_eq!(by_pattern, ("news.today".to_owned(), "none".to_owned(), pattern));
    drop(messages);
    subscriber.unsubscribe("released").await?;
    assert_eq!(connection.publish::<_, _, i64>("released", "lock").await?, 0);
    Ok(())
}

/// Messages and requests over one connection (RESP3), and the news that a key has expired.
async fn pushes<E: Env>(stage: Stage<E>) -> Tested {
    let (sender, mut pushed) = tokio::sync::mpsc::unbounded_channel();
    let info = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    let config = AsyncConnectionConfig::new().set_push_sender(sender);
    let (mut connection, _driver) = stage.connect_with(info, config).await?;
    redis::cmd("CONFIG")
        .arg(&["SET", "notify-keyspace-events", "Ex"])
        .exec_async(&mut connection)
        .await?;
    connection.subscribe("__keyevent@0__:expired").await?;
    connection.pset_ex::<_, _, ()>("lock", "mine", 300).await?;
    assert_eq!(connection.get::<_, String>("lock").await?, "mine", "requests go on");
    loop {
        let push = pushed.recv().await.ok_or("the connection has ended")?;
        if push.kind == PushKind::Message {
            let texts: Vec<String> = redis::from_redis_value(Value::Array(push.data))?;
            assert_eq!(texts, ["__keyevent@0__:expired", "lock"]);
            break;
        }
    }
    assert!(!connection.exists::<_, bool>("lock").await?);
    Ok(())
}

/// A connection that the server ends: the request fails as dropped, a new connection works.
async fn reconnects<E: Env>(stage: Stage<E>) -> Tested {
    let (mut victim, _driver) = stage.connect().await?;
    let (mut other, _driver) = stage.connect().await?;
    let id: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut victim).await?;
    stage.saw(id);
    let (waiting, killed) = futures_util::join!(
        async { victim.blpop::<_, Option<(String, String)>>("list", 0.4).await },
        async {
            stage.sleep_ms(100).await;
            redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).query_async::<i64>(&mut other).await
        },
    );
    assert_eq!(killed?, 1);
    let error = waiting.unwrap_err();
    assert!(error.is_connection_dropped() && !error.is_timeout(), "{error}");
    let error = victim.get::<_, Option<String>>("key").await.unwrap_err();
    assert!(error.is_connection_dropped() && error.is_unrecoverable_error(), "{error}");

    let (mut victim, _driver) = stage.connect().await?;
    assert_eq!(victim.get::<_, Option<String>>("key").await?, None);
    Ok(())
}

/// A reply that comes after redis-rs has given up is not taken for the answer to the next request.
async fn timeouts<E: Env>(stage: Stage<E>) -> Tested {
    let config =
        AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_millis(200)));
    let (mut impatient, _driver) =
        stage.connect_with(RedisConnectionInfo::default(), config).await?;
    let (mut other, _driver) = stage.connect().await?;
    impatient.set::<_, _, ()>("key", "own").await?;
    let begin = stage.env.steady();
    let error = impatient.blpop::<_, Option<(String, String)>>("list", 0.0).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let waited_ms = (stage.env.steady().as_nanos() - begin.as_nanos()) / 1_000_000;
    assert!((199..1000).contains(&waited_ms), "{waited_ms} ms");
    // The server still waits on the client's behalf; what it pops is lost.
    other.rpush::<_, _, ()>("list", "lost").await?;
    assert_eq!(impatient.get::<_, String>("key").await?, "own");
    assert_eq!(impatient.llen::<_, i64>("list").await?, 0);
    assert_eq!(
        impatient.incr::<_, _, i64>("key", 1).await.unwrap_err().kind(),
        ErrorKind::Server(ServerErrorKind::ResponseError)
    );
    Ok(())
}
