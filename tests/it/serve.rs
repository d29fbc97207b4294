//! `picklock serve` as a user meets it.
#![expect(clippy::disallowed_methods, reason = "a real server runs in real time")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::served::{Served, ask, read_line, request};
use crate::support::{Folder, picklock, stderr};

#[test]
fn says_where_it_is_and_stops_when_asked() {
    for signal in ["INT", "TERM"] {
        let served = Served::redis();
        let expected =
            format!("picklock serves Redis 7.0.15 (model) on 127.0.0.1:{}\n", served.port);
        assert_eq!(served.ready_line, expected);
        assert_eq!(ask(&mut served.connect(), "PING\r\n"), "+PONG\r\n");
        let (status, said) = served.stop(signal);
        assert_eq!(status.code(), Some(0), "{signal}: {said}");
        assert_eq!(said, "");
    }
}

#[test]
fn etcd_begins_with_its_settings_as_http_2_wants_it() {
    let served = Served::etcd();
    assert!(served.ready_line.starts_with("picklock serves etcd 3.4.23 (model) on 127.0.0.1:"));
    let mut stream = served.connect();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").expect("it reads");
    let mut frame = [0; 21];
    stream.read_exact(&mut frame).expect("a frame");
    // Two settings: calls without a limit, frames of 16 KiB.
    let expected = b"\0\0\x0c\x04\0\0\0\0\0\0\x03\xff\xff\xff\xff\0\x05\0\0\x40\0";
    assert_eq!(&frame, expected);
    let (status, said) = served.stop("TERM");
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_lock_in_real_time() {
    let served = Served::redis();
    let (mut holder, mut waiter) = (served.connect(), served.connect());
    let acquire = request(&["SET", "lock", "me", "NX", "PX", "150"]);
    let begin = Instant::now();
    assert_eq!(ask(&mut holder, &acquire), "+OK\r\n");
    assert_eq!(ask(&mut waiter, &acquire), "$-1\r\n");
    while ask(&mut waiter, &acquire) == "$-1\r\n" {
        sleep(Duration::from_millis(5));
    }
    let waited = begin.elapsed();
    assert!(waited >= Duration::from_millis(149), "{waited:?}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    assert_eq!(ask(&mut waiter, &request(&["GET", "lock"])), "$2\r\n");
    assert_eq!(read_line(&mut waiter), "me\r\n");
}

#[test]
fn connections_are_logged() {
    let served = Served::redis_with(&["--log", "debug"]);
    let mut stream = served.connect();
    let peer = stream.local_addr().unwrap().to_string();
    assert_eq!(ask(&mut stream, "QUIT\r\n"), "+OK\r\n");
    sleep(Duration::from_millis(100));
    let (_, said) = served.stop("TERM");
    for words in [peer.as_str(), "connection begins", "connection ends"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn waits_end_in_real_time() {
    let served = Served::redis();
    let (mut waiter, mut other) = (served.connect(), served.connect());
    let begin = Instant::now();
    assert_eq!(ask(&mut waiter, &request(&["BLPOP", "queue", "0.25"])), "*-1\r\n");
    let waited = begin.elapsed();
    assert!(waited >= Duration::from_millis(250), "{waited:?}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");

    waiter.write_all(request(&["BLPOP", "queue", "0"]).as_bytes()).unwrap();
    sleep(Duration::from_millis(50));
    assert_eq!(ask(&mut other, &request(&["LPUSH", "queue", "job"])), ":1\r\n");
    let popped: Vec<String> = (0..5).map(|_| read_line(&mut waiter)).collect();
    assert_eq!(popped.concat(), request(&["queue", "job"]));
}

#[test]
fn a_password() {
    let served = Served::redis_with(&["--requirepass", "open sesame"]);
    let mut stream = served.connect();
    assert!(ask(&mut stream, "PING\r\n").starts_with("-NOAUTH"));
    assert!(ask(&mut stream, &request(&["AUTH", "sesame"])).starts_with("-WRONGPASS"));
    assert_eq!(ask(&mut stream, &request(&["AUTH", "open sesame"])), "+OK\r\n");
    assert_eq!(ask(&mut stream, "PING\r\n"), "+PONG\r\n");
}

#[test]
fn what_it_says_of_persistence() {
    let served = Served::redis_with(&["--persistence", "aof-always"]);
    let mut stream = served.connect();
    stream.write_all(request(&["CONFIG", "GET", "appendfsync"]).as_bytes()).unwrap();
    let lines: Vec<String> = (0..5).map(|_| read_line(&mut stream)).collect();
    assert_eq!(lines.concat(), request(&["appendfsync", "always"]));
}

/// What it says to arguments that it cannot serve with.
fn complaint(args: &[&str]) -> String {
    let folder = Folder::new();
    let output = picklock(folder.path(), &[&["serve", "redis"], args].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    stderr(&output)
}

#[test]
fn a_taken_port() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = complaint(&["--listen", &address]);
    assert!(said.contains(&format!("--listen {address}: Address already in use")), "{said}");
    assert!(said.contains("choose another port"), "{said}");
}

#[test]
fn an_address_that_others_can_reach() {
    insta::assert_snapshot!(complaint(&["--listen", "0.0.0.0:6379"]), @"
    × --listen 0.0.0.0:6379: other machines can reach this address
    help: listen on 127.0.0.1 or [::1]; or add --allow-remote if other machines
          are meant to use it
    ");
}

#[test]
fn an_address_that_is_none() {
    insta::assert_snapshot!(complaint(&["--listen", "6379"]), @"
    error: invalid value '6379' for '--listen <ADDRESS:PORT>': write an IP address and a port, such as 127.0.0.1:6379, [::1]:6379 or 127.0.0.1:0

    For more information, try '--help'.
    ");
    let said = complaint(&["--listen", "192.0.2.1:0", "--allow-remote"]);
    assert!(said.contains("127.0.0.1 is always there"), "{said}");
}
