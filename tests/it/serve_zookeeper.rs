//! `picklock serve zookeeper` as a user meets it, and as somebody who means it harm.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use bytes::{Bytes, BytesMut};
use picklock_models::zookeeper::records::{
    Acl, CreateRequest, SetDataRequest, WatchKind, WatchedPath, Zxid,
};
use picklock_models::zookeeper::{Answer, Operation, Reply, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::served::Served;

#[test]
fn says_where_it_is_and_stops_when_asked() {
    let served = Served::zookeeper();
    let expected =
        format!("picklock serves ZooKeeper 3.8.0 (model) on 127.0.0.1:{}\n", served.port);
    assert_eq!(served.ready_line, expected);
    assert_eq!(ask(&served, b"ruok"), b"imok");
    let (status, said) = served.stop("TERM");
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_lock_in_real_time() {
    let served = Served::zookeeper();
    let mut holder = Client::connect(&served);
    let mut waiter = Client::connect(&served);
    let (path, data, acl) = ("/lock".to_owned(), Some(Bytes::new()), vec![Acl::open()]);
    let create = Operation::Create(CreateRequest { path: path.clone(), data, acl, flags: 1 });
    assert_eq!(holder.call(create), created(&path));
    let watch = Operation::Exists(WatchedPath { path, watch: true });
    assert!(matches!(waiter.call(watch), Reply::Answer { answer: Ok(Answer::Stat(_)), .. }));
    holder.call(Operation::CloseSession(()));
    let Reply::Event(event) = waiter.next(0) else { panic!("no event") };
    assert_eq!((event.kind, event.path.as_str()), (2, "/lock"));
}

/// Whatever arrives, others are served.
#[test]
fn bytes_that_make_no_sense_hurt_nobody_else() {
    let served = Served::zookeeper();
    let mut runner = TestRunner::deterministic();
    let piece = prop_oneof![
        vec(any::<u8>(), 0..40),
        Just(b"stat".to_vec()),
        Just(vec![0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 11]),
        Just(vec![0x7f, 0xff, 0xff, 0xff]),
        Just(hello().to_vec()),
    ];
    let case = vec(piece, 1..8).prop_map(|pieces| pieces.concat());
    for _ in 0..60 {
        let case = case.new_tree(&mut runner).expect("a case").current();
        ask(&served, &case);
    }
    // Half a handshake, kept open.
    let mut half = served.connect();
    half.write_all(&hello()[..20]).expect("it listens");
    Client::connect(&served);
    let (status, said) = served.stop("TERM");
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn lengths_that_are_only_claimed() {
    let served = Served::zookeeper();
    let claims: Vec<TcpStream> = (0..300)
        .map(|number| {
            let mut stream = served.connect();
            let begun = if number % 2 == 0 { BytesMut::new() } else { hello() };
            stream.write_all(&begun).expect("it listens");
            let _ =
                stream.write_all(&[[0, 0x0f, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff]][number % 2]);
            stream
        })
        .collect();
    Client::connect(&served);
    holds_less_than(&served, 100);
    drop(claims);
}

#[test]
fn answers_that_nobody_reads() {
    let served = Served::zookeeper();
    let mut speaker = Client::connect(&served);
    speaker.create("/large", 1000 * 1000);
    let deaf: Vec<Client> = (0..10)
        .map(|_| {
            let mut client = Client::connect(&served);
            let mut bytes = BytesMut::new();
            for _ in 0..1000 {
                let read = WatchedPath { path: "/large".into(), watch: false };
                Request::call(1, Operation::GetData(read)).encode(&mut bytes);
            }
            client.stream.write_all(&bytes).expect("it listens");
            client
        })
        .collect();
    Client::connect(&served);
    holds_less_than(&served, 200);
    drop(deaf);
}

#[test]
fn events_that_nobody_reads() {
    let served = Served::zookeeper();
    let (mut deaf, mut speaker) = (Client::connect(&served), Client::connect(&served));
    // What is told of a node is its path.
    let path = format!("/{}", "x".repeat(500 * 1000));
    speaker.create(&path, 0);
    let watch = WatchKind { path: path.clone(), kind: 0 };
    deaf.call(Operation::AddWatch(watch));
    for _ in 0..600 {
        let data = SetDataRequest { path: path.clone(), data: None, version: -1 };
        speaker.call(Operation::SetData(data));
    }
    holds_less_than(&served, 200);
    let mut read = 0;
    while let Ok(more @ 1..) = deaf.stream.read(&mut [0; 1 << 16]) {
        read += more;
    }
    assert!(read < 100 << 20, "{read} bytes were kept");
    Client::connect(&served);
}

fn holds_less_than(served: &Served, mib: u64) {
    if let Some(now) = served.resident_mib() {
        assert!(now < mib, "{now} MiB");
    }
}

/// The answer to the third transaction: two sessions were before it.
fn created(path: &str) -> Reply {
    Reply::Answer { xid: 1, zxid: Zxid(3), answer: Ok(Answer::Path(Some(path.to_owned()))) }
}

fn hello() -> BytesMut {
    let mut bytes = BytesMut::new();
    Request::begin_session(10_000).encode(&mut bytes);
    bytes
}

/// Sends it, and nothing more; what comes back until the server closes.
fn ask(served: &Served, bytes: &[u8]) -> Vec<u8> {
    let mut stream = served.connect();
    // A server that has had enough resets the connection while it is written to.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => answer,
    }
}

struct Client {
    stream: TcpStream,
    input: BytesMut,
}

impl Client {
    fn connect(served: &Served) -> Self {
        let mut client = Self { stream: served.connect(), input: BytesMut::new() };
        client.stream.write_all(&hello()).expect("it listens");
        loop {
            if let Some(hello) = Reply::decode_connected(&mut client.input).expect("a handshake") {
                assert_eq!(hello.timeout_ms, 10_000);
                return client;
            }
            client.read();
        }
    }

    fn create(&mut self, path: &str, bytes: usize) {
        let data = Some(Bytes::from(vec![b'x'; bytes]));
        let (path, acl) = (path.to_owned(), vec![Acl::open()]);
        self.call(Operation::Create(CreateRequest { path, data, acl, flags: 0 }));
    }

    fn call(&mut self, operation: Operation) -> Reply {
        let (opcode, mut bytes) = (operation.opcode(), BytesMut::new());
        Request::call(1, operation).encode(&mut bytes);
        self.stream.write_all(&bytes).expect("it listens");
        self.next(opcode)
    }

    /// The next reply, the answer to an operation with that number or an event.
    fn next(&mut self, opcode: i32) -> Reply {
        loop {
            if let Some(reply) = Reply::decode(&mut self.input, |_| opcode).expect("a reply") {
                return reply;
            }
            self.read();
        }
    }

    fn read(&mut self) {
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer).expect("it answers");
        assert!(read > 0, "closed");
        self.input.extend_from_slice(&buffer[..read]);
    }
}
