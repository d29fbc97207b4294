//! Whole messages, both ways: what a connection carries, frame by frame.
//!
//! A connection begins with a handshake, or with four letters that ask how the server is. After the
//! handshake every request has a header with a number of the client's own, which the reply repeats;
//! watch events have the number -1 and come in between.

use bytes::{Bytes, BytesMut};

use super::answer::Answer;
use super::code::Code;
use super::jute::{Jute, Malformed, put_frame, record, take_frame};
use super::operation::Operation;
use super::records::*;
use super::words;
use crate::transcript::notation::{Note, Noted, Unreadable};

record! {
    /// What a client opens a connection with.
    pub struct ConnectRequest {
        /// Always 0.
        pub protocol_version: i32,
        /// The last transaction that the client knows of.
        pub last_zxid_seen: Zxid,
        /// The timeout that it would like, in milliseconds.
        pub timeout_ms: i32,
        /// The session that it goes on with; 0 begins one.
        pub session: ZkSessionId,
        /// That session's password.
        pub password: Option<Bytes>,
        /// Whether a server without a leader would do; clients before 3.4 do not say.
        pub read_only: ReadOnlyFlag,
    }
}

record! {
    /// What a server answers to that.
    pub struct ConnectResponse {
        /// Always 0.
        pub protocol_version: i32,
        /// The timeout that holds, in milliseconds; 0 if the session is over.
        pub timeout_ms: i32,
        /// The session; 0 if it is over.
        pub session: ZkSessionId,
        /// Its password.
        pub password: Option<Bytes>,
        /// Whether the server has no leader; only said to clients that asked.
        pub read_only: ReadOnlyFlag,
    }
}

/// A flag at the end of a handshake that clients before 3.4 know nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOnlyFlag(pub Option<bool>);

impl Jute for ReadOnlyFlag {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        if input.is_empty() {
            Ok(Self(None))
        } else {
            bool::read(input).map(|flag| Self(Some(flag)))
        }
    }

    fn write(&self, output: &mut BytesMut) {
        self.0.iter().for_each(|flag| flag.write(output));
    }
}

impl Noted for ReadOnlyFlag {
    fn note(&self) -> Note {
        self.0.map_or_else(|| Note::word("unsaid"), Note::word)
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        match note {
            Note::Word(word) if word == "unsaid" => Ok(Self(None)),
            note => bool::from_note(note).map(|flag| Self(Some(flag))),
        }
    }

    /// Clients say it nowadays, and what they say is no.
    fn absent() -> Option<Self> {
        Some(Self(Some(false)))
    }
}

/// A request as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Four letters that ask how the server is.
    Word([u8; 4]),
    /// The handshake.
    Connect(ConnectRequest),
    /// An operation.
    Call {
        /// The client's own number for it.
        xid: i32,
        /// Which operation, as a number.
        opcode: i32,
        /// The operation, if its body can be read.
        operation: Result<Operation, Malformed>,
    },
}

impl Request {
    /// The handshake of a client that begins a session and would like this timeout.
    pub fn begin_session(timeout_ms: i32) -> Self {
        Self::Connect(ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid(0),
            timeout_ms,
            session: ZkSessionId(0),
            password: Some(Bytes::from_static(&[0; 16])),
            read_only: ReadOnlyFlag(Some(false)),
        })
    }

    /// An operation.
    pub fn call(xid: i32, operation: Operation) -> Self {
        Self::Call { xid, opcode: operation.opcode(), operation: Ok(operation) }
    }

    /// Takes one request off `input`; `None` if it is not whole yet. `connected`: after the handshake.
    ///
    /// # Errors
    /// If the length, the handshake or the header cannot be: the real server closes the connection.
    pub fn decode(connected: bool, input: &mut BytesMut) -> Result<Option<Self>, Malformed> {
        if !connected {
            let word = input.first_chunk::<4>().copied();
            if let Some(word) = word.filter(words::is_known) {
                input.clear();
                return Ok(Some(Self::Word(word)));
            }
        }
        let Some(mut frame) = take_frame(input)? else { return Ok(None) };
        if !connected {
            return ConnectRequest::read(&mut frame).map(|request| Some(Self::Connect(request)));
        }
        let (xid, opcode) = (i32::read(&mut frame)?, i32::read(&mut frame)?);
        let operation = Operation::read(opcode, &mut frame);
        Ok(Some(Self::Call { xid, opcode, operation }))
    }

    /// Appends the request to `output`, as a client sends it. An operation that could not be read has
    /// no body.
    pub fn encode(&self, output: &mut BytesMut) {
        match self {
            Self::Word(word) => output.extend_from_slice(word),
            Self::Connect(request) => put_frame(output, |frame| request.write(frame)),
            Self::Call { xid, opcode, operation } => put_frame(output, |frame| {
                xid.write(frame);
                opcode.write(frame);
                if let Ok(operation) = operation {
                    operation.write(frame);
                }
            }),
        }
    }
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The answer to four letters: no frame, just text.
    Text(String),
    /// The answer to the handshake.
    Connected(ConnectResponse),
    /// A watch has gone off.
    Event(WatcherEvent),
    /// The answer to an operation.
    Answer {
        /// The client's own number for it.
        xid: i32,
        /// The last transaction that the server knows of.
        zxid: Zxid,
        /// The answer.
        answer: Result<Answer, Code>,
    },
}

/// The number of replies that are watch events.
const EVENT_XID: i32 = -1;

impl Reply {
    /// Appends the reply to `output`.
    pub fn encode(&self, output: &mut BytesMut) {
        match self {
            Self::Text(text) => output.extend_from_slice(text.as_bytes()),
            Self::Connected(response) => put_frame(output, |frame| response.write(frame)),
            Self::Event(event) => put_frame(output, |frame| {
                write_header(EVENT_XID, Zxid(-1), Code::Ok, frame);
                event.write(frame);
            }),
            Self::Answer { xid, zxid, answer } => put_frame(output, |frame| match answer {
                Ok(answer) => {
                    write_header(*xid, *zxid, Code::Ok, frame);
                    answer.write(frame);
                }
                Err(code) => write_header(*xid, *zxid, *code, frame),
            }),
        }
    }

    /// Takes one reply off `input`, as a client does; `None` if it is not whole yet. `opcode_of` says
    /// which operation had that number.
    ///
    /// # Errors
    /// If the bytes are no reply to that operation.
    pub fn decode(
        input: &mut BytesMut,
        opcode_of: impl FnOnce(i32) -> i32,
    ) -> Result<Option<Self>, Malformed> {
        let Some(mut frame) = take_frame(input)? else { return Ok(None) };
        let (xid, zxid) = (i32::read(&mut frame)?, Zxid::read(&mut frame)?);
        let code = Code::from_number(i32::read(&mut frame)?);
        if xid == EVENT_XID {
            return WatcherEvent::read(&mut frame).map(|event| Some(Self::Event(event)));
        }
        let answer = match code {
            Code::Ok => Ok(Answer::read(opcode_of(xid), &mut frame)?),
            code => Err(code),
        };
        Ok(Some(Self::Answer { xid, zxid, answer }))
    }

    /// Takes the answer to the handshake off `input`; `None` if it is not whole yet.
    ///
    /// # Errors
    /// If the bytes are no such answer.
    pub fn decode_connected(input: &mut BytesMut) -> Result<Option<ConnectResponse>, Malformed> {
        let Some(mut frame) = take_frame(input)? else { return Ok(None) };
        ConnectResponse::read(&mut frame).map(Some)
    }
}

fn write_header(xid: i32, zxid: Zxid, code: Code, frame: &mut BytesMut) {
    xid.write(frame);
    zxid.write(frame);
    code.number().write(frame);
}
