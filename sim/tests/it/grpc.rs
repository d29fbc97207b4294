//! The gRPC front of etcd, in a simulated world, spoken to by an HTTP/2 client.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use picklock_models::etcd::pb::etcdserverpb::{
    DeleteRangeRequest, LeaseGrantRequest, PutRequest, PutResponse, RangeRequest, RangeResponse,
    WatchCreateRequest, WatchRequest, WatchResponse, watch_request::RequestUnion,
};
use picklock_models::etcd::pb::v3lockpb::LockRequest;
use picklock_models::etcd::{Config, Etcd, rpc};
use picklock_models::model::Crash;
use picklock_sim::cast::{Cast, Program};
use picklock_sim::digest::Digest;
use picklock_sim::env::Env;
use picklock_sim::event;
use picklock_sim::host::{HostName, Role};
use picklock_sim::plan::{HostPlan, Latency, WorldPlan};
use picklock_sim::recorder::Recorder;
use picklock_sim::seed::Seed;
use picklock_sim::serve::Server;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a client does, told in a few lines of what it saw.
trait Script: Copy + 'static {
    fn play<E: Env>(self, env: E) -> impl Future<Output = Vec<String>>;
}

/// One etcd and one client.
struct Stage<S> {
    etcd: Rc<Server<Etcd>>,
    script: S,
    seen: Rc<RefCell<Vec<String>>>,
}

impl<S: Script> Cast for Stage<S> {
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program {
        let (etcd, script, seen) = (Rc::clone(&self.etcd), self.script, Rc::clone(&self.seen));
        Box::pin(async move {
            match host.role {
                Role::Redis => etcd.serve(env, recorder, 2379).await.expect("the port is free"),
                _ => *seen.borrow_mut() = script.play(env).await,
            }
        })
    }

    fn crashed(&self, _: HostName, how: Crash) {
        self.etcd.crashed(how);
    }
}

/// What the client saw, and the digest of the run.
fn run(script: impl Script) -> (Vec<String>, Digest) {
    let host = |name| HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 };
    let plan = WorldPlan {
        seed: Seed(7),
        hosts: vec![host(HostName::REDIS), host(HostName::client(1))],
        latency: Latency { min_us: 1000, max_us: 5000 },
        faults: Vec::new(),
        heal_at_ms: 20_000,
        end_at_ms: 20_000,
    };
    let seen = Rc::default();
    let etcd = Rc::new(Server::new(HostName::REDIS, Config::default(), Vec::new()));
    let stage = Stage { etcd, script, seen: Rc::clone(&seen) };
    let run = event::run(&plan, &stage).expect("a world that runs");
    (seen.take(), run.digest)
}

/// A connection to the server.
struct Client<E> {
    env: E,
    connection: SendRequest<Bytes>,
}

impl<E: Env> Client<E> {
    async fn connect(env: E) -> Self {
        let stream = env.connect("redis:2379").await.expect("it listens");
        let (connection, driver) = h2::client::handshake(stream).await.expect("HTTP/2");
        env.spawn(async move {
            // It ends with the client.
            let _ = driver.await;
        });
        Self { env, connection }
    }

    async fn open(&self, path: &str, timeout: Option<&str>) -> (ResponseFuture, SendStream<Bytes>) {
        let mut request = Request::post(format!("http://etcd{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let mut connection = self.connection.clone().ready().await.expect("a connection");
        connection.send_request(request.body(()).expect("a request"), false).expect("a call")
    }

    /// A call with one message: the answer, and how the call ended.
    async fn call(&self, path: &str, message: &impl Message) -> (Option<Bytes>, String) {
        let (response, mut body) = self.open(path, None).await;
        body.send_data(framed(message), true).expect("an open call");
        let response = response.await.expect("an answer");
        let headers = response.headers().clone();
        let mut body = response.into_body();
        let answer = next(&mut body, &mut BytesMut::new()).await;
        let trailers = body.trailers().await.expect("a whole call").unwrap_or(headers);
        (answer, ended(&trailers))
    }

    async fn put(&self, key: &'static str, lease: i64) -> i64 {
        let request = PutRequest { key: key.into(), lease, ..Default::default() };
        let (answer, end) = self.call("/etcdserverpb.KV/Put", &request).await;
        assert_eq!(end, "0 ");
        let answer = PutResponse::decode(answer.expect("a message")).expect("a response");
        answer.header.expect("a header").revision
    }
}

fn framed(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::from(&[0][..]);
    bytes.extend_from_slice(&(message.encoded_len() as u32).to_be_bytes());
    message.encode(&mut bytes).expect("room");
    bytes.freeze()
}

/// The next message on a call, if there is one.
async fn next(body: &mut RecvStream, bytes: &mut BytesMut) -> Option<Bytes> {
    loop {
        if let Some(message) = rpc::take_message(bytes).expect("a framed message") {
            return Some(message);
        }
        let data = body.data().await?.expect("a call that goes on");
        body.flow_control().release_capacity(data.len()).expect("what was taken");
        bytes.extend_from_slice(&data);
    }
}

fn ended(trailers: &HeaderMap) -> String {
    let text = |name| trailers.get(name).and_then(|value| value.to_str().ok()).expect("a trailer");
    format!("{} {}", text("grpc-status"), text("grpc-message"))
}

#[derive(Clone, Copy)]
struct WaitsForTheHolder;

impl Script for WaitsForTheHolder {
    /// One connection waits for a key that another one holds, and never keeps alive.
    async fn play<E: Env>(self, env: E) -> Vec<String> {
        let holder = Client::connect(env.clone()).await;
        let grant = LeaseGrantRequest { ttl: 2, id: 7 };
        let (_, end) = holder.call("/etcdserverpb.Lease/LeaseGrant", &grant).await;
        let mut seen = vec![end, holder.put("lock", 7).await.to_string()];

        let begin = env.steady();
        let waiter = Client::connect(env).await;
        let (response, mut requests) = waiter.open("/etcdserverpb.Watch/Watch", None).await;
        let create = WatchCreateRequest { key: "lock".into(), ..Default::default() };
        let create = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
        requests.send_data(framed(&create), false).expect("an open call");
        let mut body = response.await.expect("an answer").into_body();
        let mut bytes = BytesMut::new();
        for _ in 0..2 {
            let message = next(&mut body, &mut bytes).await.expect("a message");
            let told = WatchResponse::decode(message).expect("a response");
            let now_s = waiter.env.steady().since(begin).as_secs();
            let kinds: Vec<_> = told.events.iter().map(|event| event.r#type()).collect();
            seen.push(format!("{now_s} s: created {}, {kinds:?}", told.created));
        }
        seen
    }
}

#[test]
fn who_waits_is_told_when_the_lease_has_ended_and_the_run_repeats() {
    let (seen, digest) = run(WaitsForTheHolder);
    assert_eq!(seen, ["0 ", "2", "0 s: created true, []", "2 s: created false, [Delete]"]);
    assert_eq!(run(WaitsForTheHolder), (seen, digest));
}

#[derive(Clone, Copy)]
struct MakesMistakes;

impl Script for MakesMistakes {
    async fn play<E: Env>(self, env: E) -> Vec<String> {
        let client = Client::connect(env.clone()).await;
        let mut seen = Vec::new();
        let nothing = RangeRequest::default();
        for path in ["/etcdserverpb.KV/Range", "/etcdserverpb.KV/Nosuch", "/some.Other/Call"] {
            let (answer, end) = client.call(path, &nothing).await;
            assert_eq!(answer, None);
            seen.push(end);
        }

        let (response, _requests) = client.open("/etcdserverpb.Watch/Watch", Some("50m")).await;
        let response = response.await.expect("an answer");
        seen.push(ended(response.headers()));

        let long =
            PutRequest { key: "k".into(), value: vec![0; 3 << 20].into(), ..Default::default() };
        let (response, mut body) = client.open("/etcdserverpb.KV/Put", None).await;
        let mut late = 0;
        for part in 0..20 {
            // The server ends the call at the first part; the next ones are on their way by then, until
            // the client has heard of it.
            let bytes = framed(&long).slice(part * 100..(part + 1) * 100);
            late += usize::from(body.send_data(bytes, false).is_ok());
            env.sleep(Duration::from_millis(1)).await;
        }
        assert!((3..20).contains(&late), "{late} parts were sent");
        seen.push(ended(response.await.expect("an answer").headers()));

        let mut broken = env.connect("redis:2379").await.expect("it listens");
        broken.write_all(b"GET / HTTP/1.1\r\nhost: etcd\r\n\r\n").await.expect("a connection");
        let mut answer = Vec::new();
        let closed = env.timeout(Duration::from_secs(5), broken.read_to_end(&mut answer)).await;
        seen.push(format!("closed {}", closed.is_ok()));
        seen.push(client.put("k", 0).await.to_string());
        seen
    }
}

#[test]
fn a_mistake_ends_a_call_and_a_broken_connection_ends_alone() {
    let (seen, _) = run(MakesMistakes);
    let expected = [
        "3 etcdserver: key is not provided",
        "12 unknown method Nosuch for service etcdserverpb.KV",
        "12 unknown service some.Other",
        "4 context deadline exceeded",
        "8 grpc: received message larger than max (3145736 vs. 2097152)",
        "closed true",
        "2",
    ];
    assert_eq!(seen, expected);
}

#[derive(Clone, Copy)]
struct GivesUp;

impl Script for GivesUp {
    /// A hundred watches, each given up; then the connection is as good as new.
    async fn play<E: Env>(self, env: E) -> Vec<String> {
        let client = Client::connect(env).await;
        for _ in 0..100 {
            let (response, mut requests) = client.open("/etcdserverpb.Watch/Watch", None).await;
            let create = WatchCreateRequest { key: "k".into(), ..Default::default() };
            let create = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
            requests.send_data(framed(&create), false).expect("an open call");
            response.await.expect("an answer");
            requests.send_reset(h2::Reason::CANCEL);
        }
        vec![client.put("k", 0).await.to_string()]
    }
}

#[test]
fn calls_that_are_given_up_cost_nothing() {
    assert_eq!(run(GivesUp).0, ["2"]);
}

#[derive(Clone, Copy)]
struct StopsWaiting;

impl StopsWaiting {
    /// Who is in line for the lock.
    async fn line<E: Env>(client: &Client<E>) -> String {
        let (key, range_end) = ("lock/".into(), "lock0".into());
        let all = RangeRequest { key, range_end, ..RangeRequest::default() };
        let (answer, _) = client.call("/etcdserverpb.KV/Range", &all).await;
        let found = RangeResponse::decode(answer.expect("a message")).expect("a response");
        let keys = found.kvs.iter().map(|kv| String::from_utf8_lossy(&kv.key).into_owned());
        keys.collect::<Vec<_>>().join(" ")
    }

    /// Asks for the lock under a lease of its own.
    async fn ask<E: Env>(
        client: &Client<E>,
        lease: i64,
        timeout: Option<&str>,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let grant = LeaseGrantRequest { ttl: 60, id: lease };
        client.call("/etcdserverpb.Lease/LeaseGrant", &grant).await;
        let (response, mut body) = client.open("/v3lockpb.Lock/Lock", timeout).await;
        let lock = LockRequest { name: "lock".into(), lease };
        body.send_data(framed(&lock), true).expect("an open call");
        (response, body)
    }
}

impl Script for StopsWaiting {
    /// One holds the lock that the server takes; others wait, and give up in all the ways there are.
    async fn play<E: Env>(self, env: E) -> Vec<String> {
        let soon = Duration::from_millis(100);
        let holder = Client::connect(env.clone()).await;
        let (taken, _) = Self::ask(&holder, 1, None).await;
        taken.await.expect("an answer");

        let late = Self::ask(&holder, 2, Some("50m")).await;
        let reset = Self::ask(&holder, 3, None).await;
        let gone = Client::connect(env.clone()).await;
        let with_it = Self::ask(&gone, 4, None).await;
        let patient = Self::ask(&holder, 5, None).await;
        env.sleep(Duration::from_millis(20)).await;
        let mut seen = vec![Self::line(&holder).await];

        seen.push(ended(late.0.await.expect("an answer").headers()));
        drop(reset);
        drop((gone, with_it));
        env.sleep(soon).await;
        seen.push(Self::line(&holder).await);

        let delete = DeleteRangeRequest { key: "lock/1".into(), ..Default::default() };
        holder.call("/etcdserverpb.KV/DeleteRange", &delete).await;
        let answered = env.timeout(soon, patient.0).await.expect("its turn").expect("an answer");
        seen.push(answered.status().as_u16().to_string());
        seen
    }
}

#[test]
fn whoever_stops_waiting_for_a_lock_leaves_the_line() {
    let expected = [
        "lock/1 lock/2 lock/3 lock/4 lock/5",
        "4 context deadline exceeded",
        "lock/1 lock/5",
        "200",
    ];
    assert_eq!(run(StopsWaiting).0, expected);
}
