//! One connection to a real etcd: calls of gRPC over HTTP/2.
#![expect(clippy::disallowed_methods, reason = "real servers are talked to by real tasks")]

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use http::Request as Head;
use picklock::client::etcd::status;
use picklock_models::etcd::rpc::{Method, Request, take_message};
use picklock_models::etcd::{Code, Reply, Status, StreamId};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

/// Where everything goes that comes: on which connection, and what.
pub(super) type Inbox = UnboundedSender<(u64, Reply)>;

/// A connection.
pub(super) struct Wire {
    number: u64,
    sender: SendRequest<Bytes>,
    driver: AbortHandle,
    calls: BTreeMap<StreamId, Calling>,
    inbox: Inbox,
}

/// A call that has begun.
struct Calling {
    requests: SendStream<Bytes>,
    reader: AbortHandle,
}

impl Wire {
    pub(super) async fn open(address: SocketAddr, number: u64, inbox: Inbox) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = h2::client::handshake(stream).await.map_err(io::Error::other)?;
        // Its end is seen by whoever waits for an answer.
        let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Self { number, sender, driver, calls: BTreeMap::new(), inbox })
    }

    /// Sends a message; the first one begins the call, and is the only one of a call that is no stream.
    pub(super) async fn send(&mut self, call: StreamId, request: &Request) -> io::Result<()> {
        let method = request.method();
        if !self.calls.contains_key(&call) {
            let begun = self.begin(call, method).await?;
            self.calls.insert(call, begun);
        }
        let Some(calling) = self.calls.get_mut(&call) else { return Ok(()) };
        let mut bytes = BytesMut::new();
        request.encode(&mut bytes);
        // A call that has ended meanwhile does not mind.
        let _ = calling.requests.send_data(bytes.freeze(), !method.is_stream());
        Ok(())
    }

    async fn begin(&self, call: StreamId, method: Method) -> io::Result<Calling> {
        let head = Head::post(format!("http://etcd{}", method.path()))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .map_err(io::Error::other)?;
        let mut sender = self.sender.clone().ready().await.map_err(io::Error::other)?;
        let (response, requests) = sender.send_request(head, false).map_err(io::Error::other)?;
        let (number, inbox) = (self.number, self.inbox.clone());
        let reader = tokio::spawn(async move {
            // A conversation that is over does not listen any more.
            let tell = |reply| drop(inbox.send((number, reply)));
            let end = match read(response, |bytes| tell(message(call, method, bytes))).await {
                Ok(status) => status,
                Err(error) => Status::new(Code::Unavailable, error.to_string()),
            };
            tell(Reply::End(call, end));
        });
        Ok(Calling { requests, reader: reader.abort_handle() })
    }

    /// The client will say no more on this call.
    pub(super) fn end(&mut self, call: StreamId) {
        if let Some(calling) = self.calls.get_mut(&call) {
            let _ = calling.requests.send_data(Bytes::new(), true);
        }
    }

    /// The client gives this call up.
    pub(super) fn give_up(&mut self, call: StreamId) {
        if let Some(mut calling) = self.calls.remove(&call) {
            calling.reader.abort();
            calling.requests.send_reset(Reason::CANCEL);
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.driver.abort();
        self.calls.values().for_each(|calling| calling.reader.abort());
    }
}

fn message(call: StreamId, method: Method, bytes: Bytes) -> Reply {
    match method.decode_response(bytes) {
        Some(response) => Reply::Message(call, response),
        None => Reply::End(call, Status::new(Code::Internal, "an answer that cannot be read")),
    }
}

/// Reads a call to its end.
async fn read(response: ResponseFuture, mut tell: impl FnMut(Bytes)) -> Result<Status, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        bytes.extend_from_slice(&data);
        while let Ok(Some(message)) = take_message(&mut bytes) {
            tell(message);
        }
    }
    let trailers = body.trailers().await?;
    let status = trailers.as_ref().and_then(status).or_else(|| status(&head.headers));
    Ok(status.unwrap_or_else(|| Status::new(Code::Internal, "an end without a status")))
}
