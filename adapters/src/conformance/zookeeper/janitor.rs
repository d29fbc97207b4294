//! Cleans a ZooKeeper up between two conversations: no sessions, no nodes but its own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use picklock_models::zookeeper::jute::Malformed;
use picklock_models::zookeeper::records::{AuthPacket, VersionedPath, WatchedPath, Zxid};
use picklock_models::zookeeper::{
    Answer, Code, ConnectRequest, ConnectResponse, Operation, ReadOnlyFlag, Reply, Request,
};

use super::wire::Wire;
use super::{CREDENTIALS, ROOT};

/// Whoever does not answer a janitor by then never will.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than any cleaning takes; the server makes less of it if it wants to.
const SESSION_MS: i32 = 40_000;

/// A client that may do everything.
pub(super) struct Janitor {
    wire: Wire,
}

impl Janitor {
    pub(super) fn enter(address: SocketAddr) -> io::Result<Self> {
        let (mut janitor, _) = Self::connect(address, Request::begin_session(SESSION_MS))?;
        let auth = Some(CREDENTIALS.into());
        let packet = AuthPacket { kind: 0, scheme: "digest".into(), auth };
        janitor.ask(Operation::Auth(packet))?.1.map_err(refused)?;
        Ok(janitor)
    }

    fn connect(address: SocketAddr, request: Request) -> io::Result<(Self, ConnectResponse)> {
        let mut wire = Wire::open(address)?;
        wire.send(&request);
        match wire.next(PATIENCE)? {
            Some(Reply::Connected(response)) => Ok((Self { wire }, response)),
            _ => Err(io::Error::other("no answer to a handshake")),
        }
    }

    /// Deletes what a conversation has left. The last transaction before the next one.
    pub(super) fn clean(mut self) -> io::Result<Zxid> {
        self.delete(ROOT)?;
        Ok(self.ask(Operation::CloseSession(()))?.0)
    }

    fn delete(&mut self, path: &str) -> io::Result<()> {
        let children = WatchedPath { path: path.to_owned(), watch: false };
        match self.ask(Operation::GetChildren(children))?.1 {
            Ok(Answer::Names(names)) => {
                for name in names {
                    self.delete(&format!("{path}/{name}"))?;
                }
            }
            Err(Code::NoNode) => return Ok(()),
            other => return Err(io::Error::other(format!("children of {path}: {other:?}"))),
        }
        let delete = VersionedPath { path: path.to_owned(), version: -1 };
        match self.ask(Operation::Delete(delete))?.1 {
            // An ephemeral node may have gone meanwhile.
            Ok(_) | Err(Code::NoNode) => Ok(()),
            Err(code) => Err(io::Error::other(format!("{path} cannot be deleted: {code:?}"))),
        }
    }

    /// Ends sessions that may be open still: an end by itself would be a transaction of the next conversation.
    pub(super) fn end(
        address: SocketAddr,
        sessions: impl Iterator<Item = ConnectResponse>,
    ) -> io::Result<()> {
        for ConnectResponse { timeout_ms, session, password, .. } in sessions {
            let (protocol_version, last_zxid_seen) = (0, Zxid(0));
            let read_only = ReadOnlyFlag(Some(false));
            let request = ConnectRequest {
                protocol_version,
                last_zxid_seen,
                timeout_ms,
                session,
                password,
                read_only,
            };
            let (mut janitor, response) = Self::connect(address, Request::Connect(request))?;
            if response.session == session {
                janitor.ask(Operation::CloseSession(()))?.1.map_err(refused)?;
            }
        }
        Ok(())
    }

    fn ask(&mut self, operation: Operation) -> io::Result<(Zxid, Result<Answer, Code>)> {
        let xid = self.wire.next_xid;
        self.wire.next_xid += 1;
        self.wire.send(&Request::call(xid, operation));
        loop {
            match self.wire.next(PATIENCE)? {
                Some(Reply::Answer { zxid, answer, .. }) => return Ok((zxid, answer)),
                Some(_) => {}
                None => return Err(io::Error::other(Malformed)),
            }
        }
    }
}

fn refused(code: Code) -> io::Error {
    io::Error::other(format!("a janitor was refused: {code:?}"))
}
