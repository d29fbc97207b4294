//! Anybody may send anything to a real port: it must not hurt others, nor cost memory without end.
#![expect(clippy::disallowed_methods, reason = "a real server runs in real time")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::served::{PATIENCE, Served, ask, request};

/// How long a bystander may have to wait while somebody is a nuisance. Generous: test machines are
/// slow, and what these tests are about would take minutes.
const SOON: Duration = Duration::from_secs(5);

/// Words of requests that are good, or nearly.
const WORDS: &[&str] = &[
    "SET",
    "GET",
    "EVAL",
    "INFO",
    "PX",
    "k",
    "1",
    "return {KEYS, ARGV}",
    "CLIENT",
    "MULTI",
    "EXEC",
    "BLPOP",
    "SUBSCRIBE",
    "HELLO",
    "3",
    "SCAN",
    "LPUSH",
    "ZADD",
    "QUIT",
];

/// Pieces that look like the protocol from afar.
const PIECES: &[&[u8]] = &[
    b"*1\r\n",
    b"*2147483647\r\n",
    b"*-1\r\n",
    b"*99999999999999999999\r\n",
    b"$536870912\r\n",
    b"$536870913\r\n",
    b"$-1\r\n",
    b"$0\r\n\r\n",
    b"$4\r\nPING\r\n",
    b"PING\r\n",
    b"\r\n",
    b"\n",
    b"\0",
    b"\"",
    b"\xff\xfe",
    b"SET \"a\\x0",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
];

/// Whole requests.
fn good_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(vec(select(WORDS), 0..6), 1..8)
        .prop_map(|requests| requests.iter().map(|words| request(words)).collect::<String>().into())
}

fn bad_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![select(PIECES).prop_map(<[u8]>::to_vec), vec(any::<u8>(), 0..40)];
    vec(piece, 1..20).prop_map(|pieces| pieces.concat())
}

/// Sends it; reads what comes until the server has no more to say or closes.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    // A server that has had enough resets the connection while it is written to.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut replies = Vec::new();
    match stream.read_to_end(&mut replies) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            panic!("it neither answers nor closes")
        }
        _ => {}
    }
}

#[test]
fn streams_of_garbage_and_cut_streams() {
    let served = Served::redis();
    let cases = prop_oneof![
        bad_bytes(),
        (good_bytes(), any::<Index>())
            .prop_map(|(bytes, cut)| bytes[..cut.index(bytes.len())].to_vec()),
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..400 {
        let case = cases.new_tree(&mut runner).unwrap().current();
        send(&mut served.connect(), &case);
    }
    served.serves_others(SOON);
    let (status, said) = served.stop("TERM");
    assert!(status.success() && said.is_empty(), "{said}");
}

#[test]
fn huge_lengths_claimed() {
    let served = Served::redis();
    served.serves_others(SOON);
    let before = served.resident_mib();
    let claims: Vec<TcpStream> = (0..300)
        .map(|number| {
            let mut stream = served.connect();
            let claim = [
                "*2147483647\r\n$536870912\r\nx",
                "*1\r\n$536870912\r\nx",
                "*1000000\r\n$0\r\n\r\n",
            ];
            stream.write_all(claim[number % 3].as_bytes()).unwrap();
            stream
        })
        .collect();
    served.serves_others(SOON);
    if let (Some(before), Some(now)) = (before, served.resident_mib()) {
        assert!(now < before + 64, "{before} MiB, then {now} MiB");
    }
    drop(claims);
}

#[test]
fn a_request_without_end() {
    let served = Served::redis();
    let mut nuisance = served.connect();
    nuisance.set_write_timeout(Some(Duration::from_millis(10))).unwrap();
    nuisance.write_all(b"*2147483647\r\n").unwrap();
    let elements = b"$1\r\na\r\n".repeat(1000);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        let _ = nuisance.write(&elements);
    }
    served.serves_others(SOON);
}

#[test]
fn long_scripts_in_a_row() {
    let served = Served::redis();
    let mut nuisances: Vec<TcpStream> = (0..3).map(|_| served.connect()).collect();
    for nuisance in &mut nuisances {
        let long = request(&["EVAL", "for i = 1, 9000000 do end", "0"]);
        nuisance.write_all(long.repeat(300).as_bytes()).unwrap();
    }
    for _ in 0..3 {
        served.serves_others(SOON);
    }
}

/// As on the real server: others are told that it is busy, until somebody kills the script.
#[test]
fn a_script_without_end() {
    let served = Served::redis();
    let (mut nuisance, mut bystander) = (served.connect(), served.connect());
    let patience = request(&["CONFIG", "SET", "busy-reply-threshold", "100"]);
    assert_eq!(ask(&mut bystander, &patience), "+OK\r\n");
    nuisance.write_all(request(&["EVAL", "while true do end", "0"]).as_bytes()).unwrap();
    let begin = Instant::now();
    while !ask(&mut bystander, "PING\r\n").starts_with("-BUSY") {
        assert!(begin.elapsed() < PATIENCE, "the script has not begun");
    }
    assert_eq!(ask(&mut bystander, &request(&["SCRIPT", "KILL"])), "+OK\r\n");
    let killed = ask(&mut nuisance, "");
    assert!(killed.starts_with("-ERR Script killed by user with SCRIPT KILL"), "{killed}");
    served.serves_others(SOON);
}

#[test]
fn a_script_that_wants_all_memory() {
    let served = Served::redis();
    let greedy = "local t, s = {}, string.rep('a', 1000000) for i = 1, 100000 do t[i] = s .. i end";
    let reply = ask(&mut served.connect(), &request(&["EVAL", greedy, "0"]));
    assert!(reply.contains("not enough memory"), "{reply}");
    let modest = request(&["EVAL", "return #string.rep('a', 20000000)", "0"]);
    assert_eq!(ask(&mut served.connect(), &modest), ":20000000\r\n");
    served.serves_others(SOON);
    if let Some(now) = served.resident_mib() {
        assert!(now < 600, "{now} MiB");
    }
}

#[test]
fn a_subscriber_that_does_not_read() {
    let served = Served::redis();
    let (mut deaf, mut speaker) = (served.connect(), served.connect());
    assert_eq!(ask(&mut deaf, &request(&["SUBSCRIBE", "news"])), "*3\r\n");
    let large = request(&["PUBLISH", "news", &"x".repeat(1024 * 1024)]);
    let heard = (0..500).take_while(|_| ask(&mut speaker, &large) == ":1\r\n").count();
    assert!((30..100).contains(&heard), "cut off after {heard} MiB");
    served.serves_others(SOON);
    if let Some(now) = served.resident_mib() {
        assert!(now < 200, "{now} MiB");
    }
}

#[test]
fn replies_that_nobody_reads() {
    let served = Served::redis();
    let large = "x".repeat(1024 * 1024);
    assert_eq!(ask(&mut served.connect(), &request(&["SET", "large", &large])), "+OK\r\n");
    let deaf: Vec<TcpStream> = (0..10)
        .map(|_| {
            let mut stream = served.connect();
            // 10 GB of replies are asked for.
            stream.write_all(request(&["GET", "large"]).repeat(1000).as_bytes()).unwrap();
            stream
        })
        .collect();
    served.serves_others(SOON);
    std::thread::sleep(Duration::from_millis(500));
    served.serves_others(SOON);
    if let Some(now) = served.resident_mib() {
        assert!(now < 200, "{now} MiB");
    }
    drop(deaf);
}

#[test]
fn who_reads_late_gets_everything() {
    let served = Served::redis();
    let large = "x".repeat(1024 * 1024);
    let mut late = served.connect();
    assert_eq!(ask(&mut late, &request(&["SET", "large", &large])), "+OK\r\n");
    late.write_all(request(&["GET", "large"]).repeat(100).as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let reply = format!("$1048576\r\n{large}\r\n").into_bytes();
    for _ in 0..100 {
        let mut read = vec![0; reply.len()];
        late.read_exact(&mut read).unwrap();
        assert!(read == reply);
    }
}

#[test]
fn a_large_request_is_given_back() {
    let served = Served::redis();
    let mut stream = served.connect();
    for _ in 0..3 {
        let large = request(&["SET", "large", &"x".repeat(64 * 1024 * 1024)]);
        assert_eq!(ask(&mut stream, &large), "+OK\r\n");
    }
    assert_eq!(ask(&mut stream, &request(&["DEL", "large"])), ":1\r\n");
    served.serves_others(SOON);
    if let Some(now) = served.resident_mib() {
        assert!(now < 100, "{now} MiB");
    }
}

#[test]
fn a_thousand_connections_at_once() {
    let served = Served::redis();
    let mut crowd: Vec<TcpStream> = (0..1000).map(|_| served.connect()).collect();
    for stream in &mut crowd {
        stream.write_all(request(&["INCR", "n"]).as_bytes()).unwrap();
    }
    let mut seen: Vec<u32> = crowd
        .iter_mut()
        .map(|stream| ask(stream, "")[1..].trim_end().parse().expect("a number"))
        .collect();
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(1..=1000));
    served.serves_others(SOON);
    if let Some(now) = served.resident_mib() {
        assert!(now < 200, "{now} MiB");
    }
}

#[test]
fn no_file_descriptor_left() {
    let mut command = Command::new("sh");
    let binary = env!("CARGO_BIN_EXE_picklock");
    let script =
        format!("ulimit -n 40; exec '{binary}' serve redis --listen 127.0.0.1:0 --log warn");
    let served = Served::start(command.args(["-c", &script]));
    // More than it can have; they connect, as the machine accepts them for it.
    let crowd: Vec<TcpStream> = (0..80).map(|_| served.connect()).collect();
    std::thread::sleep(Duration::from_millis(300));
    drop(crowd);
    served.serves_others(PATIENCE);
    let (_, said) = served.stop("TERM");
    assert!(said.contains("a connection could not be accepted; trying again"), "{said}");
}
