//! The rules of etcd's API, each named after what it says.

use super::pb::etcdserverpb::{
    CompactionRequest, DeleteRangeRequest, LeaseGrantRequest, LeaseKeepAliveRequest,
    LeaseRevokeRequest, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse, PutRequest, RangeRequest,
    RangeResponse,
};
use super::rpc::{Request, Response};
use super::*;
use crate::time::WallTime;

mod calls;
mod changes;
mod elections;
mod keys;
mod leases;
mod locks;
mod naive;
mod transactions;
mod watches;

const SESSION: SessionId = SessionId(1);

/// One server under test.
struct Server {
    etcd: Etcd,
    /// Milliseconds since the start.
    now_ms: u64,
    streams: u32,
    out: Outbox<Reply>,
}

impl Server {
    fn start() -> Self {
        Self::restart(Disk::default(), 0)
    }

    fn restart(disk: Disk, now_ms: u64) -> Self {
        let config = Config { watched: vec![Bytes::from_static(b"lock")], ..Config::default() };
        let etcd = Etcd::boot(config, disk, at(now_ms));
        Self { etcd, now_ms, streams: 0, out: Outbox::default() }
    }

    /// Lets the server's own loop run until millisecond `ms`, as a front end does; what it says is kept
    /// in `out`.
    fn until(&mut self, ms: u64) -> &mut Self {
        self.out.clear();
        let tick = EXPIRY_LOOP.as_millis() as u64;
        while (self.now_ms / tick + 1) * tick <= ms {
            self.now_ms = (self.now_ms / tick + 1) * tick;
            self.etcd.tick(at(self.now_ms), &mut self.out);
        }
        self.now_ms = ms;
        self
    }

    /// A call with one message.
    fn call(&mut self, request: Request) -> Result<Response, Status> {
        let stream = self.ask(request);
        self.ended(stream).expect("a call that ends at once")
    }

    /// A call with one message that may wait; its stream.
    fn ask(&mut self, request: Request) -> StreamId {
        self.streams += 1;
        self.out.clear();
        self.send(StreamId(self.streams), request);
        StreamId(self.streams)
    }

    /// How a call has ended, if that is among what the server said last.
    fn ended(&self, stream: StreamId) -> Option<Result<Response, Status>> {
        let mine = self.out.replies.iter().filter_map(|(_, reply)| match reply {
            Reply::Message(of, response) if *of == stream => Some(Ok(response.clone())),
            Reply::End(of, status) if *of == stream => Some(Err(status.clone())),
            _ => None,
        });
        match &mine.collect::<Vec<_>>()[..] {
            [] => None,
            [Ok(response), Err(end)] if *end == Status::OK => Some(Ok(response.clone())),
            [Err(status)] => Some(Err(status.clone())),
            other => panic!("not the end of a call: {other:?}"),
        }
    }

    /// The client gives a call up.
    fn give_up(&mut self, stream: StreamId) {
        self.out.clear();
        let call = Call { stream, event: CallEvent::Gone };
        self.etcd.apply(at(self.now_ms), SESSION, call, &mut self.out);
    }

    /// A message on a stream; what the server says is added to `out`.
    fn send(&mut self, stream: StreamId, request: Request) {
        let call = Call::message(stream, request);
        self.etcd.apply(at(self.now_ms), SESSION, call, &mut self.out);
    }

    fn put(&mut self, key: &str, value: &str) -> i64 {
        self.put_with_lease(key, value, 0)
    }

    fn put_with_lease(&mut self, key: &str, value: &str, lease: i64) -> i64 {
        let put = put(key, value);
        let response = self.call(Request::Put(PutRequest { lease, ..put }));
        revision(&mut response.expect("a put that may be"))
    }

    fn delete(&mut self, key: &str) -> i64 {
        let delete = DeleteRangeRequest { key: bytes(key), ..Default::default() };
        match self.call(Request::DeleteRange(delete)) {
            Ok(Response::DeleteRange(response)) => response.deleted,
            other => panic!("{other:?}"),
        }
    }

    fn range(&mut self, request: RangeRequest) -> Result<RangeResponse, Status> {
        match self.call(Request::Range(request))? {
            Response::Range(response) => Ok(response),
            other => panic!("{other:?}"),
        }
    }

    /// The keys that a range finds.
    fn found(&mut self, request: RangeRequest) -> String {
        let response = self.range(request).expect("a range that may be");
        let keys = response.kvs.iter().map(|kv| String::from_utf8_lossy(&kv.key).into_owned());
        keys.collect::<Vec<_>>().join(" ")
    }

    fn value(&mut self, key: &str) -> Option<String> {
        let found = self.range(RangeRequest { key: bytes(key), ..Default::default() });
        let kvs = found.expect("a range that may be").kvs;
        kvs.first().map(|kv| String::from_utf8_lossy(&kv.value).into_owned())
    }

    fn compact(&mut self, revision: i64) -> Result<Response, Status> {
        self.call(Request::Compact(CompactionRequest { revision, physical: false }))
    }

    /// Id and time to live of a new lease.
    fn grant(&mut self, id: i64, ttl: i64) -> Result<(i64, i64), Status> {
        match self.call(Request::LeaseGrant(LeaseGrantRequest { ttl, id }))? {
            Response::LeaseGrant(response) => Ok((response.id, response.ttl)),
            other => panic!("{other:?}"),
        }
    }

    fn revoke(&mut self, id: i64) -> Result<Response, Status> {
        self.call(Request::LeaseRevoke(LeaseRevokeRequest { id }))
    }

    fn time_to_live(&mut self, id: i64) -> LeaseTimeToLiveResponse {
        match self.call(Request::LeaseTimeToLive(LeaseTimeToLiveRequest { id, keys: true })) {
            Ok(Response::LeaseTimeToLive(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    /// The times to live that the server answers on a keep-alive stream, now.
    fn keep_alive(&mut self, stream: u32, id: i64) -> Vec<i64> {
        self.out.clear();
        self.send(StreamId(stream), Request::LeaseKeepAlive(LeaseKeepAliveRequest { id }));
        self.kept()
    }

    /// .. and what it has said since.
    fn kept(&self) -> Vec<i64> {
        let ttl = |(_, reply): &(SessionId, Reply)| match reply {
            Reply::Message(_, Response::LeaseKeepAlive(response)) => Some(response.ttl),
            _ => None,
        };
        self.out.replies.iter().filter_map(ttl).collect()
    }
}

fn at(ms: u64) -> HostTime {
    let ns = ms * 1_000_000;
    HostTime { steady: SteadyTime::from_nanos(ns), wall: WallTime::from_unix_nanos(ns) }
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn put(key: &str, value: &str) -> PutRequest {
    PutRequest { key: bytes(key), value: bytes(value), ..Default::default() }
}

fn all() -> RangeRequest {
    RangeRequest { key: bytes("\0"), range_end: bytes("\0"), ..Default::default() }
}

fn revision(response: &mut Response) -> i64 {
    response.header().revision
}
