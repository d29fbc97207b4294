//! One call: the headers with which it begins, what is sent on it, what the server has to say.
//!
//! Dropping both halves before the end gives the call up, as a cancelled context does in Go: the server
//! sees a reset of this call and of no other.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method as Verb, Request, StatusCode, Uri, header};
use picklock_models::etcd::rpc::{self, Method};
use picklock_models::etcd::{Code, Status};
use prost::Message;

use super::CallError;

/// Which headers a call needs besides those that all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One message there, one back, within this time.
    Unary(Option<Duration>),
    /// Messages in both directions for as long as it takes.
    Stream,
    /// The same, to be ended by the server if it has no leader (`WithRequireLeader`).
    StreamWithLeader,
}

/// The headers of a call, as etcdctl 3.4 sends them.
pub(super) fn head(authority: Authority, method: Method, kind: Kind) -> Request<()> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    parts.path_and_query = Some(PathAndQuery::from_static(method.path()));
    let mut request = Request::new(());
    *request.method_mut() = Verb::POST;
    *request.uri_mut() = Uri::from_parts(parts).expect("all three parts are there");
    let headers = request.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(header::CONTENT_TYPE, fixed("application/grpc"));
    headers.insert(header::TE, fixed("trailers"));
    headers.insert(HeaderName::from_static("client-api-version"), fixed("3.4"));
    match kind {
        Kind::Unary(Some(limit)) => {
            let text = HeaderValue::try_from(timeout_text(limit)).expect("digits and a letter");
            headers.insert(HeaderName::from_static("grpc-timeout"), text);
        }
        Kind::StreamWithLeader => {
            headers.insert(HeaderName::from_static("hasleader"), fixed("true"));
        }
        Kind::Unary(None) | Kind::Stream => {}
    }
    request
}

/// A time as `grpc-timeout` has it: in the finest unit in which it has at most eight digits.
fn timeout_text(limit: Duration) -> String {
    let fits = |count: &u128| *count < 100_000_000;
    let units = [(limit.as_nanos(), "n"), (limit.as_micros(), "u"), (limit.as_millis(), "m")];
    let fine = units.into_iter().find(|(count, _)| fits(count));
    let (count, unit) = fine.unwrap_or((u128::from(limit.as_secs()).min(99_999_999), "S"));
    format!("{count}{unit}")
}

/// The way to the server.
pub(super) struct Requests {
    stream: SendStream<Bytes>,
}

impl Requests {
    pub(super) fn new(stream: SendStream<Bytes>) -> Self {
        Self { stream }
    }

    /// Sends a message. It never waits: messages to etcd are far smaller than any window.
    pub(super) fn send(&mut self, message: &impl Message) -> Result<(), CallError> {
        self.stream.send_data(framed(message), false).map_err(broken)
    }

    /// Sends the only message.
    pub(super) fn send_last(&mut self, message: &impl Message) -> Result<(), CallError> {
        self.stream.send_data(framed(message), true).map_err(broken)
    }
}

fn framed(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(5 + message.encoded_len());
    rpc::frame(message, &mut bytes);
    bytes.freeze()
}

/// The way from the server.
pub(super) struct Answers {
    /// The headers, until they are there.
    response: Option<ResponseFuture>,
    /// What follows them, from then on.
    body: Option<RecvStream>,
    bytes: BytesMut,
}

/// What a server says on a call.
pub(super) enum Told {
    /// A message.
    Message(Bytes),
    /// The end.
    End(Status),
}

impl Answers {
    pub(super) fn new(response: ResponseFuture) -> Self {
        Self { response: Some(response), body: None, bytes: BytesMut::new() }
    }

    /// The next message, or the end.
    pub(super) async fn next(&mut self) -> Result<Told, CallError> {
        if let Some(response) = &mut self.response {
            let (head, body) = response.await.map_err(broken)?.into_parts();
            self.response = None;
            if head.status != StatusCode::OK {
                return Err(CallError::Unanswered(format!("HTTP status {}", head.status)));
            }
            // An end without a message has its status among the headers.
            if let Some(status) = status(&head.headers) {
                return Ok(Told::End(status));
            }
            self.body = Some(body);
        }
        let Some(body) = &mut self.body else {
            return Err(CallError::Unanswered("the call is over".to_owned()));
        };
        loop {
            let whole = rpc::take_message(&mut self.bytes);
            match whole.map_err(|status| CallError::Unanswered(status.message.into_owned()))? {
                Some(message) => return Ok(Told::Message(message)),
                None => match body.data().await {
                    Some(data) => {
                        let data = data.map_err(broken)?;
                        body.flow_control().release_capacity(data.len()).map_err(broken)?;
                        self.bytes.extend_from_slice(&data);
                    }
                    None => {
                        let trailers = body.trailers().await.map_err(broken)?;
                        let nothing =
                            || CallError::Unanswered("an end without a status".to_owned());
                        let status = trailers.as_ref().and_then(status);
                        return status.map(Told::End).ok_or_else(nothing);
                    }
                },
            }
        }
    }
}

/// How a call ended, if these headers say so (gRPC over HTTP/2: `grpc-status` and `grpc-message`).
pub fn status(headers: &HeaderMap) -> Option<Status> {
    let number = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    let text = headers.get("grpc-message").and_then(|text| text.to_str().ok()).unwrap_or_default();
    Some(match Code::from_number(number) {
        Code::Ok => Status::OK,
        code => Status::new(code, text),
    })
}

/// Reads a message.
pub(super) fn decode<A: Message + Default>(bytes: Bytes) -> Result<A, CallError> {
    A::decode(bytes).map_err(|error| CallError::Unanswered(error.to_string()))
}

/// A call that HTTP/2 has ended. A stream that is refused was never looked at (RFC 9113, 8.7).
fn broken(error: h2::Error) -> CallError {
    match error.reason() {
        Some(Reason::REFUSED_STREAM) => CallError::NotSent(error.to_string()),
        _ => CallError::Unanswered(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limit_is_written_as_it_is_read() {
        for (limit, text) in [
            (Duration::from_millis(500), "500000u"),
            (Duration::from_millis(50), "50000000n"),
            (Duration::from_secs(200), "200000m"),
            (Duration::from_secs(200_000), "200000S"),
        ] {
            assert_eq!(timeout_text(limit), text);
            assert_eq!(rpc::parse_timeout(text), Some(limit));
        }
    }

    #[test]
    fn an_end_is_found_among_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(status(&headers), None);
        headers.insert("grpc-status", HeaderValue::from_static("5"));
        headers.insert(
            "grpc-message",
            HeaderValue::from_static("etcdserver: requested lease not found"),
        );
        let status = status(&headers).unwrap();
        assert_eq!(status.code, Code::NotFound);
        assert_eq!(status.message, "etcdserver: requested lease not found");
    }
}
