//! Servers start, answer, survive what is done to them, and leave nothing behind.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use picklock::store::StoreKind;
use picklock_adapters::servers::{self, Running};

use crate::with_servers;

type Tested = Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let redis = &[StoreKind::Redis];
    vec![
        with_servers("servers::redis_leaves_nothing", redis, || leaves_nothing(StoreKind::Redis)),
        with_servers("servers::etcd_leaves_nothing", &[StoreKind::Etcd], || {
            leaves_nothing(StoreKind::Etcd)
        }),
        with_servers("servers::zookeeper_leaves_nothing", &[StoreKind::ZooKeeper], || {
            leaves_nothing(StoreKind::ZooKeeper)
        }),
        with_servers("servers::redis_five_at_once", redis, five_redis),
        with_servers("servers::redis_replica_follows", redis, replica),
        with_servers("servers::etcd_cluster", &[StoreKind::Etcd], etcd_cluster),
        with_servers("servers::zookeeper_ensemble", &[StoreKind::ZooKeeper], zookeeper_ensemble),
        with_servers("servers::redis_wall_clock_can_be_set", redis, wall_clock),
        with_servers("servers::redis_ends_with_a_killed_parent", redis, killed_parent),
        with_servers("servers::a_panic_stops_them", redis, panic_stops),
    ]
}

/// Sends an inline command to a real Redis.
fn redis(server: &Running, command: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    stream.write_all(format!("{command}\r\n").as_bytes()).expect("it reads");
    let mut answer = [0; 512];
    let count = stream.read(&mut answer).expect("it answers");
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

fn process_is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Waits a little for something that happens by itself.
fn soon(what: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    while !what() {
        if begin.elapsed() > Duration::from_secs(15) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn leaves_nothing(store: StoreKind) -> Tested {
    let mut server = servers::start(store)?;
    assert!(server.address().ip().is_loopback());
    assert!(server.version().contains('.'), "{}", server.version());
    server.pause()?;
    server.resume()?;
    let first = server.pid();
    server.kill()?;
    assert!(!process_is_there(first) && TcpStream::connect(server.address()).is_err());
    server.restart()?;
    // A paused server must be stopped too.
    server.pause()?;
    let (pid, folder, address) = (server.pid(), server.folder().to_owned(), server.address());
    assert!(process_is_there(pid) && folder.exists() && pid != first);
    drop(server);
    assert!(!process_is_there(pid), "the process is still there");
    assert!(!folder.exists(), "the folder is still there");
    assert!(TcpStream::connect(address).is_err(), "somebody still listens");
    Ok(())
}

fn five_redis() -> Tested {
    let five = servers::redis::start_independent(5, &servers::redis::Options::default())?;
    for server in &five {
        assert_eq!(redis(server, "SET lock x NX"), "+OK\r\n");
    }
    Ok(())
}

fn replica() -> Tested {
    let [primary, replica] = servers::redis::start_with_replica()?;
    assert_eq!(redis(&primary, "SET lock x"), "+OK\r\n");
    assert!(soon(|| redis(&replica, "GET lock") == "$1\r\nx\r\n"));
    Ok(())
}

/// What one member was told, another knows.
fn etcd_cluster() -> Tested {
    let [a, b, _] = &servers::etcd::start_cluster()?[..] else { return Err("not three".into()) };
    // `a` and `1` in base64, as etcd's HTTP door wants them.
    post(a, "/v3/kv/put", r#"{"key": "YQ==", "value": "MQ=="}"#);
    let answer = post(b, "/v3/kv/range", r#"{"key": "YQ=="}"#);
    assert!(answer.contains(r#""value":"MQ==""#), "{answer}");
    Ok(())
}

fn post(server: &Running, path: &str, body: &str) -> String {
    let head = format!("POST {path} HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n");
    talk(server, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
}

fn zookeeper_ensemble() -> Tested {
    let members = servers::zookeeper::start_ensemble()?;
    let with_mode = |mode: &str| {
        members
            .iter()
            .filter(|member| talk(member, "srvr").contains(&format!("Mode: {mode}")))
            .count()
    };
    assert_eq!((with_mode("leader"), with_mode("follower")), (1, 2));
    Ok(())
}

/// Says something to a server that closes the connection after its answer.
fn talk(server: &Running, said: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    stream.write_all(said.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and closes");
    answer
}

fn wall_clock() -> Tested {
    let options = servers::redis::Options { own_wall_clock: true, ..Default::default() };
    let server = servers::redis::start_with(&options)?;
    assert_eq!(redis(&server, "SET lock x PX 60000"), "+OK\r\n");
    servers::redis::set_wall_clock(&server, 50_000)?;
    let left: i64 = redis(&server, "PTTL lock").trim_start_matches(':').trim().parse()?;
    assert!((5_000..=10_000).contains(&left), "{left} ms left of 60 s after a step by 50 s");
    servers::redis::set_wall_clock(&server, 61_000)?;
    assert_eq!(redis(&server, "GET lock"), "$-1\r\n");
    Ok(())
}

/// The suite's own program starts a server and is killed: the server ends all the same.
fn killed_parent() -> Tested {
    let mut parent = Command::new(env!("CARGO_BIN_EXE_picklock-adapters"))
        .args(["servers", "--hold", "redis"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = [0; 256];
    let count = parent.stdout.as_mut().expect("a pipe").read(&mut line)?;
    let line = String::from_utf8_lossy(&line[..count]).into_owned();
    let pid = line.split("process ").nth(1).and_then(|rest| rest.split(';').next());
    let pid = pid.and_then(|pid| pid.parse().ok());
    let was_there = pid.is_some_and(process_is_there);
    parent.kill()?;
    parent.wait()?;
    let pid = pid.ok_or_else(|| format!("no process in {line:?}"))?;
    assert!(was_there);
    assert!(soon(|| !process_is_there(pid)), "the server outlived its parent");
    Ok(())
}

fn panic_stops() -> Tested {
    let server = servers::redis::start()?;
    let (pid, folder) = (server.pid(), server.folder().to_owned());
    let panicked = std::thread::spawn(move || {
        let _server = server;
        std::panic::resume_unwind(Box::new("as a failed test does"));
    });
    assert!(panicked.join().is_err());
    assert!(!process_is_there(pid) && !folder.exists());
    Ok(())
}
