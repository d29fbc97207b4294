//! One connection to a real ZooKeeper: transcript lines to bytes, bytes to transcript lines.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use picklock_models::zookeeper::{Reply, Request};

/// A connection.
pub(super) struct Wire {
    stream: TcpStream,
    input: BytesMut,
    /// Which operation had that number.
    opcodes: BTreeMap<i32, i32>,
    stage: Stage,
    /// The number of the next operation.
    pub(super) next_xid: i32,
}

/// What the next bytes are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Handshake,
    Text,
    Calls,
    Ended,
}

impl Wire {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let (input, opcodes) = (BytesMut::new(), BTreeMap::new());
        Ok(Self { stream, input, opcodes, stage: Stage::Handshake, next_xid: 1 })
    }

    pub(super) fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// Sends a request. A server that has just closed the connection does not mind.
    pub(super) fn send(&mut self, request: &Request) {
        match request {
            Request::Word(_) => self.stage = Stage::Text,
            Request::Call { xid, opcode, .. } => {
                self.opcodes.insert(*xid, *opcode);
            }
            Request::Connect(_) => {}
        }
        let mut bytes = BytesMut::new();
        request.encode(&mut bytes);
        // That it has is what is read next.
        let _ = self.stream.write_all(&bytes);
    }

    /// The next thing that the server says, or does: `None` is the end of the connection.
    ///
    /// # Errors
    /// Nothing within this time, or nothing that can be read.
    pub(super) fn next(&mut self, limit: Duration) -> io::Result<Option<Reply>> {
        loop {
            if self.stage == Stage::Ended {
                return Err(ErrorKind::NotConnected.into());
            }
            if let Some(reply) = self.take()? {
                return Ok(Some(reply));
            }
            if !self.read(limit)? {
                let text = self.stage == Stage::Text && !self.input.is_empty();
                if !text {
                    self.stage = Stage::Ended;
                    return Ok(None);
                }
                let text = String::from_utf8_lossy(&self.input.split()).into_owned();
                return Ok(Some(Reply::Text(text)));
            }
        }
    }

    /// Whether more came; if not, the connection has ended.
    fn read(&mut self, limit: Duration) -> io::Result<bool> {
        self.stream.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.input.extend_from_slice(&piece[..count]);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What has come already.
    fn take(&mut self) -> io::Result<Option<Reply>> {
        let malformed = |_| io::Error::new(ErrorKind::InvalidData, "an answer that cannot be read");
        match self.stage {
            Stage::Handshake => {
                let answer = Reply::decode_connected(&mut self.input).map_err(malformed)?;
                if answer.is_some() {
                    self.stage = Stage::Calls;
                }
                Ok(answer.map(Reply::Connected))
            }
            Stage::Calls => {
                let opcodes = &self.opcodes;
                let opcode_of = |xid: i32| opcodes.get(&xid).copied().unwrap_or_default();
                Reply::decode(&mut self.input, opcode_of).map_err(malformed)
            }
            Stage::Text | Stage::Ended => Ok(None),
        }
    }
}
