//! Anybody may send anything to a real port of etcd's model: it must not hurt others, nor cost memory
//! without end. The frames are made by hand: no library sends such.
#![expect(clippy::disallowed_methods, reason = "a real server runs in real time")]

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use picklock_models::etcd::pb::etcdserverpb::watch_request::RequestUnion;
use picklock_models::etcd::pb::etcdserverpb::{
    PutRequest, RangeRequest, WatchCreateRequest, WatchRequest,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use prost::Message;

use crate::served::Served;

/// How long a bystander may have to wait while somebody is a nuisance: test machines are slow.
const SOON: Duration = Duration::from_secs(5);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
/// Flags: nothing more comes on this stream; the headers are whole.
const END: u8 = 1;
const WHOLE: u8 = 4;

const PUT: &str = "/etcdserverpb.KV/Put";
const RANGE: &str = "/etcdserverpb.KV/Range";
const WATCH: &str = "/etcdserverpb.Watch/Watch";
const LOCK: &str = "/v3lockpb.Lock/Lock";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// What a client begins with: HTTP/2's preface, settings of nothing.
fn hello() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(4, 0, 0, b"")[..]].concat()
}

/// The headers of a call.
fn headers(path: &str) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    // POST and http are in HPACK's table; so are the names of path and content type.
    let mut block = b"\x83\x86\x04".to_vec();
    block.extend(text(path));
    block.extend(b"\x0f\x10");
    block.extend(text("application/grpc"));
    block.push(0);
    block.extend([text("te"), text("trailers")].concat());
    block
}

fn framed(message: &impl Message) -> Vec<u8> {
    [&[0], &(message.encoded_len() as u32).to_be_bytes()[..], &message.encode_to_vec()].concat()
}

/// A call with one short message.
fn call(stream: u32, path: &str, message: &impl Message) -> Vec<u8> {
    let head = frame(HEADERS, WHOLE, stream, &headers(path));
    [head, frame(DATA, END, stream, &framed(message))].concat()
}

fn put(key: &'static str, bytes: usize) -> PutRequest {
    PutRequest { key: key.into(), value: vec![b'x'; bytes].into(), ..PutRequest::default() }
}

fn everything() -> RangeRequest {
    let all = Bytes::from_static(b"\0");
    RangeRequest { key: all.clone(), range_end: all, ..RangeRequest::default() }
}

/// A client that does things right.
struct Client {
    stream: TcpStream,
    input: BytesMut,
    calls: u32,
    /// How many bytes it may still send: on the connection, on each stream that was heard of.
    windows: BTreeMap<u32, u32>,
}

/// What each of them is in the beginning.
const WINDOW: u32 = 65_535;
const WINDOW_UPDATE: u8 = 8;

impl Client {
    fn connect(served: &Served) -> Self {
        let (input, windows) = (BytesMut::new(), BTreeMap::new());
        let mut client = Self { stream: served.connect(), input, calls: 0, windows };
        client.stream.set_nodelay(true).expect("a setting");
        client.send(&hello());
        // Room for everything that is sent to it.
        client.send(&frame(WINDOW_UPDATE, 0, 0, &0x7000_0000_u32.to_be_bytes()));
        client
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("it reads");
    }

    /// Makes a call and waits for its end.
    fn call(&mut self, path: &str, message: &impl Message) {
        self.calls += 1;
        let stream = self.calls * 2 - 1;
        self.send(&frame(HEADERS, WHOLE, stream, &headers(path)));
        self.pour(stream, &framed(message)).expect("it reads");
        self.send(&frame(DATA, END, stream, b""));
        loop {
            let (kind, flags, of) = self.next();
            assert_ne!((kind, of), (RESET, stream), "the call was reset");
            if kind == HEADERS && flags & END != 0 && of == stream {
                return;
            }
        }
    }

    /// Sends data as fast as there is room for it.
    fn pour(&mut self, stream: u32, data: &[u8]) -> std::io::Result<()> {
        for part in data.chunks(16 * 1024) {
            let length = part.len() as u32;
            for of in [0, stream] {
                while *self.windows.entry(of).or_insert(WINDOW) < length {
                    let (kind, _, of) = self.next();
                    if kind == RESET && of == stream {
                        return Err(ErrorKind::ConnectionReset.into());
                    }
                }
            }
            for of in [0, stream] {
                *self.windows.entry(of).or_insert(WINDOW) -= length;
            }
            self.stream.write_all(&frame(DATA, 0, stream, part))?;
        }
        Ok(())
    }

    /// Kind, flags and stream of the next frame.
    fn next(&mut self) -> (u8, u8, u32) {
        loop {
            if let Some(head) = self.input.first_chunk::<9>() {
                let [a, b, c, kind, flags, stream @ ..] = *head;
                let length = 9 + u32::from_be_bytes([0, a, b, c]) as usize;
                if self.input.len() >= length {
                    let (frame, stream) = (self.input.split_to(length), u32::from_be_bytes(stream));
                    if let (WINDOW_UPDATE, Some(more)) = (kind, frame[9..].first_chunk()) {
                        *self.windows.entry(stream).or_insert(WINDOW) += u32::from_be_bytes(*more);
                    }
                    return (kind, flags, stream);
                }
            }
            let mut buffer = [0; 16 * 1024];
            let read = self.stream.read(&mut buffer).expect("it answers");
            assert!(read > 0, "closed");
            self.input.extend_from_slice(&buffer[..read]);
        }
    }
}

/// Fails if a bystander is not served, or not soon.
fn serves_others(served: &Served) {
    let begin = Instant::now();
    Client::connect(served).call(PUT, &put("bystander", 1));
    let took = begin.elapsed();
    assert!(took < SOON, "a bystander waited {took:?}");
}

fn holds_less_than(served: &Served, mib: u64) {
    if let Some(now) = served.resident_mib() {
        assert!(now < mib, "{now} MiB");
    }
}

/// Sends it, and nothing more; reads until the server closes.
fn send(served: &Served, bytes: &[u8]) {
    let mut stream = served.connect();
    // A server that has had enough resets the connection while it is written to.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    match stream.read_to_end(&mut Vec::new()) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("it does not close"),
        _ => {}
    }
}

/// Frames that are good, or nearly.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let stream = select(&[0_u32, 1, 1, 1, 2, 3, 5, 0x7fff_ffff, 0xffff_ffff][..]);
    let path = select(&[PUT, RANGE, WATCH, LOCK, "/no.Service/Such", "/", "", "*"][..]);
    let message = prop_oneof![
        Just(framed(&put("k", 10))),
        Just(framed(&everything())),
        Just(vec![0, 0xff, 0xff, 0xff, 0xff, 1]),
        Just(vec![1, 0, 0, 0, 0]),
        Just(vec![0, 0, 0, 0, 3, 8, 0xff, 0xff]),
        vec(any::<u8>(), 0..20),
    ];
    prop_oneof![
        4 => (stream.clone(), path, select(&[WHOLE, WHOLE | END, 0, 0x2c][..]))
            .prop_map(|(stream, path, flags)| frame(HEADERS, flags, stream, &headers(path))),
        4 => (stream.clone(), message, select(&[0, END, 8][..]))
            .prop_map(|(stream, message, flags)| frame(DATA, flags, stream, &message)),
        2 => (0..12_u8, any::<u8>(), stream.clone(), vec(any::<u8>(), 0..20))
            .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload)),
        1 => (stream, vec(any::<u8>(), 0..20))
            .prop_map(|(stream, block)| frame(HEADERS, WHOLE, stream, &block)),
        1 => Just(vec![0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1]),
        1 => vec(any::<u8>(), 0..30),
    ]
}

#[test]
fn frames_of_garbage_and_cut_streams() {
    let served = Served::etcd();
    let begun =
        prop_oneof![6 => Just(hello()), 1 => Just(Vec::new()), 1 => vec(any::<u8>(), 0..40)];
    let cases = (begun, vec(frames(), 0..10), any::<Index>(), any::<bool>());
    let cases = cases.prop_map(|(begun, frames, cut, whole)| {
        let mut bytes = [begun, frames.concat()].concat();
        if !whole && !bytes.is_empty() {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    });
    let mut runner = TestRunner::deterministic();
    for _ in 0..600 {
        send(&served, &cases.new_tree(&mut runner).expect("a case").current());
    }
    serves_others(&served);
    let (status, said) = served.stop("TERM");
    assert!(status.success() && said.is_empty(), "{said}");
}

#[test]
fn half_a_handshake_and_half_a_call() {
    let served = Served::etcd();
    serves_others(&served);
    let whole = [hello(), call(1, PUT, &put("k", 100))].concat();
    let halves: Vec<TcpStream> = (1..whole.len().min(400))
        .map(|cut| {
            let mut stream = served.connect();
            stream.write_all(&whole[..cut]).expect("it reads");
            stream
        })
        .collect();
    serves_others(&served);
    holds_less_than(&served, 100);
    drop(halves);
}

#[test]
fn messages_that_never_become_whole() {
    let served = Served::etcd();
    let mut nuisance = Client::connect(&served);
    // 400 messages of 1.5 MiB, each but for its last bytes.
    let message = framed(&put("k", 3 * 512 * 1024));
    let mut whole = 0;
    for number in 0..400 {
        let stream = number * 2 + 1;
        nuisance.send(&frame(HEADERS, WHOLE, stream, &headers(PUT)));
        whole += u32::from(nuisance.pour(stream, &message[..message.len() - 10]).is_ok());
    }
    assert!((20..100).contains(&whole), "{whole} were read to the end");
    serves_others(&served);
    holds_less_than(&served, 200);
}

#[test]
fn answers_that_nobody_reads() {
    let served = Served::etcd();
    Client::connect(&served).call(PUT, &put("large", 1024 * 1024));
    let deaf: Vec<Client> = (0..10)
        .map(|_| {
            let mut client = Client::connect(&served);
            // 10 GB of answers are asked for.
            for number in 0..1000 {
                client.send(&call(number * 2 + 1, RANGE, &everything()));
            }
            client
        })
        .collect();
    serves_others(&served);
    std::thread::sleep(Duration::from_millis(500));
    serves_others(&served);
    holds_less_than(&served, 250);
    drop(deaf);
}

#[test]
fn a_watch_that_nobody_reads() {
    let served = Served::etcd();
    let (mut deaf, mut speaker) = (Client::connect(&served), Client::connect(&served));
    let create = WatchCreateRequest { key: "news".into(), ..WatchCreateRequest::default() };
    let watch = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
    deaf.send(&frame(HEADERS, WHOLE, 1, &headers(WATCH)));
    deaf.send(&frame(DATA, 0, 1, &framed(&watch)));
    for _ in 0..200 {
        speaker.call(PUT, &put("news", 1024 * 1024));
    }
    // The store keeps 200 MiB; the watch, once it is cut, nothing.
    holds_less_than(&served, 400);
    while deaf.next() != (RESET, 0, 1) {}
    serves_others(&served);
}

#[test]
fn calls_by_the_thousand() {
    let served = Served::etcd();
    let mut speaker = Client::connect(&served);
    for _ in 0..20 {
        speaker.call(PUT, &put("k", 1024));
    }
    let mut nuisances: Vec<Client> = (0..3).map(|_| Client::connect(&served)).collect();
    for nuisance in &mut nuisances {
        nuisance.stream.set_write_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        // Waits of which none ends; more than it may have.
        for number in 0..12_000 {
            let bytes = frame(HEADERS, WHOLE, number * 2 + 1, &headers(LOCK));
            if nuisance.stream.write_all(&bytes).is_err() {
                break;
            }
        }
    }
    serves_others(&served);
    holds_less_than(&served, 300);
}

/// One connection asks for everything again and again; another one has a small question.
#[test]
fn long_answers_in_a_row() {
    let served = Served::etcd();
    let mut speaker = Client::connect(&served);
    let keys: Vec<_> = (0..100_000).map(|number| format!("key {number}")).collect();
    for key in keys.chunks(100) {
        let ops = key.iter().map(|key| {
            use picklock_models::etcd::pb::etcdserverpb::{RequestOp, request_op::Request};
            let put = PutRequest { key: key.clone().into(), ..PutRequest::default() };
            RequestOp { request: Some(Request::RequestPut(put)) }
        });
        let success = ops.collect();
        let txn =
            picklock_models::etcd::pb::etcdserverpb::TxnRequest { success, ..Default::default() };
        speaker.call("/etcdserverpb.KV/Txn", &txn);
    }
    let mut nuisance = Client::connect(&served);
    let count = RangeRequest { count_only: true, ..everything() };
    for number in 0..3000 {
        nuisance.send(&call(number * 2 + 1, RANGE, &count));
    }
    for _ in 0..3 {
        serves_others(&served);
    }
}

#[test]
fn floods() {
    let served = Served::etcd();
    let small: [(&str, Vec<u8>); 4] = [
        ("pings", frame(PING, 0, 0, b"12345678")),
        ("settings", frame(4, 0, 0, b"")),
        ("empty data", frame(DATA, 0, 1, b"")),
        ("headers without end", frame(CONTINUATION, 0, 1, &[0x83; 100])),
    ];
    for (name, piece) in small {
        let mut nuisance = Client::connect(&served);
        nuisance.stream.set_write_timeout(Some(Duration::from_millis(10))).expect("a timeout");
        let flags = if piece[3] == CONTINUATION { 0 } else { WHOLE };
        nuisance.send(&frame(HEADERS, flags, 1, &headers(WATCH)));
        let many = piece.repeat(1000);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(700) {
            // It may have had enough.
            let _ = nuisance.stream.write(&many);
        }
        serves_others(&served);
        if let Some(now) = served.resident_mib() {
            assert!(now < 150, "{now} MiB after {name}");
        }
    }
}

/// Calls that are reset as soon as they are made.
#[test]
fn calls_that_are_reset_at_once() {
    let served = Served::etcd();
    let mut nuisance = Client::connect(&served);
    for number in 0..30_000 {
        let stream = number * 2 + 1;
        let open = frame(HEADERS, WHOLE, stream, &headers(LOCK));
        let reset = frame(RESET, 0, stream, &8_u32.to_be_bytes());
        if nuisance.stream.write_all(&[open, reset].concat()).is_err() {
            break;
        }
    }
    serves_others(&served);
    holds_less_than(&served, 150);
}

#[test]
fn a_thousand_connections_at_once() {
    let served = Served::etcd();
    let mut crowd: Vec<Client> = (0..1000).map(|_| Client::connect(&served)).collect();
    for client in &mut crowd {
        client.call(PUT, &put("k", 10));
    }
    serves_others(&served);
    holds_less_than(&served, 250);
}
