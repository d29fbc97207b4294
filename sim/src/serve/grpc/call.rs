//! One call, from its headers to its trailers.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use picklock_models::etcd::rpc::{self, Method};
use picklock_models::etcd::{Call, CallEvent, Code, Etcd, Status, StreamId};
use picklock_models::model::{Model, SessionId};

use super::lane::{Calls, Lane, Next, Share};
use crate::env::{Either, Env, race};
use crate::serve::Front;

/// A call.
pub(super) struct Talk<E> {
    pub(super) front: Front<Etcd, E>,
    pub(super) session: SessionId,
    pub(super) calls: Rc<Calls>,
    pub(super) stream: StreamId,
    pub(super) lane: Rc<Lane>,
}

/// How a call came to its end.
enum End {
    /// The server has said its last word.
    Server(Status),
    /// The client has given it up, or is gone.
    Client,
    /// The client does not read, or has too much to say at once.
    TooMuch,
}

/// What a call asks for.
struct Asked {
    method: Method,
    timeout: Option<Duration>,
    /// How its messages are compressed, if they are.
    encoding: Option<String>,
}

impl Asked {
    /// Reads the head of a request; `None` if it is no call.
    fn read(head: &Parts) -> Option<Result<Asked, Status>> {
        let content_type = head.headers.get(header::CONTENT_TYPE)?.as_bytes();
        if !content_type.starts_with(b"application/grpc") {
            return None;
        }
        let text = |name| head.headers.get(name).and_then(|text| text.to_str().ok());
        let timeout = text("grpc-timeout").and_then(rpc::parse_timeout);
        let encoding = text("grpc-encoding").map(str::to_owned);
        Some(Method::of(head.uri.path()).map(|method| Asked { method, timeout, encoding }))
    }
}

impl<E: Env> Talk<E> {
    /// The call's task.
    pub(super) async fn serve(self, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
        let (head, body) = request.into_parts();
        let asked = Asked::read(&head);
        // It may be long, and the call may be, too.
        drop(head);
        let mut exit = Exit::Closed(respond);
        match asked {
            None => exit.not_grpc(),
            Some(Err(status)) => exit.end(&status),
            Some(Ok(asked)) => {
                self.lane.single.set(!asked.method.is_stream());
                let Asked { method, timeout, encoding } = asked;
                let (bytes, share) = (BytesMut::new(), self.calls.share(false));
                let entrance = Entrance { body, encoding, bytes, share, ended: false };
                self.answer((method, timeout), entrance, exit).await;
            }
        }
        self.calls.close(self.stream);
    }

    async fn answer(
        &self,
        (method, timeout): (Method, Option<Duration>),
        entrance: Entrance,
        mut exit: Exit,
    ) {
        let work = self.run(method, entrance, &mut exit);
        let end = match timeout {
            None => work.await,
            Some(limit) => self.front.env.timeout(limit, work).await.unwrap_or_else(|_| {
                let text = "context deadline exceeded";
                End::Server(Status::new(Code::DeadlineExceeded, text))
            }),
        };
        self.calls.close(self.stream);
        self.tell(CallEvent::Gone);
        match end {
            End::Server(status) => exit.end(&status),
            End::TooMuch => exit.reset(Reason::ENHANCE_YOUR_CALM),
            End::Client => {}
        }
    }

    async fn run(&self, method: Method, mut entrance: Entrance, exit: &mut Exit) -> End {
        let mut spoken = false;
        loop {
            while let Some(next) = self.lane.take() {
                match next {
                    Next::Message(bytes, share) => {
                        match race(exit.send(bytes), self.lane.cut.wait()).await {
                            Either::Left(Ok(())) => drop(share),
                            Either::Left(Err(_)) => return End::Client,
                            Either::Right(()) => return End::TooMuch,
                        }
                    }
                    Next::End(status) => return End::Server(status),
                }
            }
            if self.lane.cut.is_set() {
                return End::TooMuch;
            }
            match entrance.whole_message() {
                // Nobody listens to a second one where there is one.
                Ok(Some(_)) if spoken && self.lane.single.get() => entrance.forget(),
                Ok(Some(_)) => {
                    spoken = true;
                    if let Err(status) = self.hear(method, &mut entrance).await {
                        return End::Server(status);
                    }
                }
                Err(status) => return End::Server(status),
                Ok(None) => {
                    let stirred = poll_fn(|cx| entrance.poll_more(cx, exit));
                    match race(stirred, self.lane.bell.rung()).await {
                        Either::Left(More::Bytes) | Either::Right(()) => {}
                        Either::Left(More::Gone) => return End::Client,
                        Either::Left(More::TooMuch) => return End::TooMuch,
                        Either::Left(More::Ended) if spoken => self.tell(CallEvent::HalfClosed),
                        Either::Left(More::Ended) => {
                            if let Some(status) = unspoken(method) {
                                return End::Server(status);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Hears a message that is whole, when it is its connection's turn.
    async fn hear(&self, method: Method, entrance: &mut Entrance) -> Result<(), Status> {
        if self.lane.single.get() {
            self.calls.room().await;
        }
        self.calls.turns.wait().await;
        if let Some(bytes) = entrance.take_message()? {
            self.tell(CallEvent::Message(Box::new(method.decode(bytes)?)));
        }
        Ok(())
    }

    fn tell(&self, event: CallEvent) {
        let Talk { front, calls, .. } = self;
        let begin = front.env.steady();
        let (session, call) = (self.session, Call { stream: self.stream, event });
        front.with_model(|model, now, outbox| model.apply(now, session, call, outbox));
        calls.turns.spent(&front.env, front.env.steady().since(begin));
    }
}

/// The end of a call whose client has nothing to say, if that is one.
fn unspoken(method: Method) -> Option<Status> {
    match method {
        Method::Watch => None,
        Method::LeaseKeepAlive => Some(Status::OK),
        _ => Some(Status::new(Code::Unknown, "EOF")),
    }
}

/// What comes from the client.
struct Entrance {
    body: RecvStream,
    encoding: Option<String>,
    /// A message that is not whole yet.
    bytes: BytesMut,
    share: Share,
    ended: bool,
}

/// What more there is of a call.
enum More {
    Bytes,
    Ended,
    Gone,
    TooMuch,
}

impl Entrance {
    fn whole_message(&self) -> Result<Option<usize>, Status> {
        rpc::whole_message(&self.bytes, self.encoding.as_deref())
    }

    fn take_message(&mut self) -> Result<Option<Bytes>, Status> {
        let taken = rpc::take_message(&mut self.bytes);
        self.share.set(self.bytes.len());
        taken
    }

    fn forget(&mut self) {
        self.bytes.clear();
        self.share.set(0);
    }

    fn poll_more(&mut self, cx: &mut Context<'_>, exit: &mut Exit) -> Poll<More> {
        if exit.poll_reset(cx).is_ready() {
            return Poll::Ready(More::Gone);
        }
        if self.ended {
            return Poll::Pending;
        }
        self.body.poll_data(cx).map(|data| match data {
            Some(Ok(data)) => {
                self.bytes.extend_from_slice(&data);
                self.share.set(self.bytes.len());
                // The window is opened again at once: a message has a limit of its own.
                match self.body.flow_control().release_capacity(data.len()) {
                    Ok(()) if self.share.is_too_much() => More::TooMuch,
                    Ok(()) => More::Bytes,
                    Err(_) => More::Gone,
                }
            }
            Some(Err(_)) => More::Gone,
            None => {
                self.ended = true;
                More::Ended
            }
        })
    }
}

/// The way to the client: headers go out with the first message, so that an error without one is a
/// single frame, as gRPC wants it.
enum Exit {
    Closed(SendResponse<Bytes>),
    Open(SendStream<Bytes>),
}

impl Exit {
    fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reason, h2::Error>> {
        match self {
            Exit::Closed(respond) => respond.poll_reset(cx),
            Exit::Open(stream) => stream.poll_reset(cx),
        }
    }

    /// Sends a message, as fast as the client makes room for it.
    async fn send(&mut self, mut bytes: Bytes) -> Result<(), h2::Error> {
        if let Exit::Closed(respond) = self {
            *self = Exit::Open(respond.send_response(head(HeaderMap::new()), false)?);
        }
        let Exit::Open(stream) = self else { return Ok(()) };
        while !bytes.is_empty() {
            stream.reserve_capacity(bytes.len());
            let room = poll_fn(|cx| match stream.poll_reset(cx) {
                Poll::Ready(Ok(reason)) => Poll::Ready(Some(Err(reason.into()))),
                Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
                Poll::Pending => stream.poll_capacity(cx),
            });
            let Some(room) = room.await else { return Err(Reason::CANCEL.into()) };
            stream.send_data(bytes.split_to(room?.min(bytes.len())), false)?;
        }
        Ok(())
    }

    /// Sends the trailers. It does not matter if the client is gone.
    fn end(&mut self, status: &Status) {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from(status.code as u16));
        if let Ok(message) = HeaderValue::from_str(&status.encoded_message()) {
            trailers.insert("grpc-message", message);
        }
        let sent = match self {
            Exit::Closed(respond) => respond.send_response(head(trailers), true).map(|_| ()),
            Exit::Open(stream) => stream.send_trailers(trailers),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the end of a call could not be told");
        }
    }

    /// Turns away what is no gRPC (grpc-go answers so too).
    fn not_grpc(&mut self) {
        if let Exit::Closed(respond) = self {
            let mut response = Response::new(());
            *response.status_mut() = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
            if let Err(error) = respond.send_response(response, true) {
                tracing::debug!(%error, "a request that is no call could not be refused");
            }
        }
    }

    fn reset(&mut self, reason: Reason) {
        match self {
            Exit::Closed(respond) => respond.send_reset(reason),
            Exit::Open(stream) => stream.send_reset(reason),
        }
    }
}

/// The headers that begin every answer, `more` behind them.
fn head(more: HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.extend(more);
    response
}
