//! From a message to its replies: handshakes, and the way of a request through the real server's three
//! stations: it is prepared, applied, answered (`ZooKeeperServer.java`, and the request processors).

use super::ZooKeeper;
use super::acl;
use super::answer::Answer;
use super::code::Code;
use super::jute::Malformed;
use super::message::{ConnectRequest, ConnectResponse, ReadOnlyFlag, Reply};
use super::opcode;
use super::operation::{Operation, Writes};
use super::prepare::Preparation;
use super::read::Reader;
use super::records::{
    AuthPacket, CreateRequest, CreateTtlRequest, Id, WatcherEvent, ZkSessionId, Zxid,
};
use super::sessions::password;
use super::transaction::{Action, Effect, Event, Transaction};
use crate::model::{Outbox, SessionId};
use crate::time::HostTime;

/// What is known of a connection after its handshake.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    pub(super) session: ZkSessionId,
    timeout_ms: i32,
    /// Who the client has shown to be.
    ids: Vec<Id>,
}

type Out = Outbox<Reply>;

impl ZooKeeper {
    /// The first message of a connection (`processConnectRequest`).
    pub(super) fn shake_hands(
        &mut self,
        now: HostTime,
        connection: SessionId,
        request: ConnectRequest,
        out: &mut Out,
    ) {
        if request.last_zxid_seen > self.tree.last_zxid() {
            // What this client has seen did not happen here: it must not go back in time.
            return self.hang_up(connection, out);
        }
        let timeout_ms = self.sessions.negotiate(request.timeout_ms);
        let mut session = request.session;
        let valid = if session.0 == 0 {
            session = self.sessions.next_id();
            self.sessions.track(session, timeout_ms, now.steady);
            let by = Some((connection, &[][..]));
            self.commit(now, session, by, |_| Action::CreateSession { timeout_ms }, out);
            true
        } else {
            // Whoever had the session before is cut off, even if the password turns out to be wrong.
            self.hang_up_session(session, out);
            let known = request.password.as_ref() == Some(&password(session));
            known && self.sessions.touch(session, timeout_ms, now.steady)
        };
        let response = ConnectResponse {
            protocol_version: 0,
            timeout_ms: if valid { timeout_ms } else { 0 },
            session: if valid { session } else { ZkSessionId(0) },
            password: Some(if valid { password(session) } else { vec![0; 16].into() }),
            read_only: ReadOnlyFlag(request.read_only.0.map(|_| false)),
        };
        self.send(connection, Reply::Connected(response), out);
        if valid {
            let guest = Guest { session, timeout_ms, ids: acl::nobody() };
            self.connections.insert(connection, Some(guest));
        } else {
            self.hang_up(connection, out);
        }
    }

    /// Any message after that (`processPacket`).
    pub(super) fn take_call(
        &mut self,
        now: HostTime,
        connection: SessionId,
        (xid, opcode): (i32, i32),
        operation: Result<Operation, Malformed>,
        out: &mut Out,
    ) {
        let Some(Some(guest)) = self.connections.get(&connection) else { return };
        let guest = guest.clone();
        match operation {
            Ok(Operation::Auth(packet)) => self.authenticate(connection, xid, &packet, out),
            // There is no SASL server: what it would have said is null (`processSasl`).
            Ok(Operation::Sasl(_)) => {
                self.answer(connection, xid, Zxid(0), Ok(Answer::Token(None)), out);
            }
            // The session has ended a moment ago: what comes now is dropped (`submitRequestNow`).
            _ if !self.sessions.touch(guest.session, guest.timeout_ms, now.steady) => {}
            _ if !Operation::is_known(opcode) => {
                self.answer(connection, xid, Zxid(-1), Err(Code::Unimplemented), out);
                self.hang_up(connection, out);
            }
            // On its own it makes the real server fail where it looks for a stat to answer with.
            Ok(Operation::Check(_)) => self.hang_up(connection, out),
            operation => {
                // Whoever sent credentials or a SASL token that cannot be read is cut off.
                if matches!(opcode, opcode::AUTH | opcode::SASL) {
                    return self.hang_up(connection, out);
                }
                let answer = self.process(now, connection, &guest, opcode, operation, out);
                let xid = if opcode == opcode::PING { PING_XID } else { xid };
                self.answer(connection, xid, self.tree.last_zxid(), answer, out);
                if opcode == opcode::CLOSE_SESSION {
                    self.hang_up(connection, out);
                }
            }
        }
    }

    /// Prepares, applies and answers.
    fn process(
        &mut self,
        now: HostTime,
        connection: SessionId,
        guest: &Guest,
        opcode: i32,
        operation: Result<Operation, Malformed>,
        out: &mut Out,
    ) -> Result<Answer, Code> {
        let session = guest.session;
        if opcode == opcode::CLOSE_SESSION {
            self.sessions.remove(session);
        }
        if opcode::WRITES.contains(&opcode) {
            let operation = operation.map(|operation| match operation {
                Operation::Multi(Writes(parts)) => {
                    Operation::Multi(Writes(parts.into_iter().map(by_its_flags).collect()))
                }
                operation => operation,
            });
            let opcodes = opcodes(opcode, operation.as_ref().ok());
            let prepare = |preparation: &mut Preparation<'_>| match operation {
                Ok(operation) => preparation.prepare(operation),
                Err(Malformed) => Action::Refuse(Code::MarshallingError),
            };
            let by = Some((connection, &guest.ids[..]));
            let effect = self.commit(now, session, by, prepare, out);
            return answer_to(opcode, &opcodes, effect);
        }
        let operation = operation.map_err(|Malformed| Code::MarshallingError)?;
        let mut reader = Reader {
            tree: &self.tree,
            watches: &mut self.watches,
            connection,
            session,
            ids: &guest.ids,
            events: Vec::new(),
        };
        let answer = reader.answer(operation);
        for (kind, path) in reader.events {
            self.send(connection, Reply::Event(WatcherEvent::new(kind, &path)), out);
        }
        answer
    }

    /// Makes a transaction of a request, applies it, and tells the watchers: `by` whose connection it
    /// was, or the server itself.
    pub(super) fn commit(
        &mut self,
        now: HostTime,
        session: ZkSessionId,
        by: Option<(SessionId, &[Id])>,
        prepare: impl FnOnce(&mut Preparation<'_>) -> Action,
        out: &mut Out,
    ) -> Effect {
        let zxid = Zxid(self.tree.last_zxid().0 + 1);
        let action = prepare(&mut Preparation {
            tree: &self.tree,
            pending: &mut self.pending,
            zxid,
            session,
            ids: by.map_or(&[][..], |(_, ids)| ids),
            extended_types: self.config.extended_types,
        });
        let mut events = Vec::new();
        let transaction = Transaction { zxid, session, time_ms: now.wall.unix_ms(), action };
        let effect = self.tree.apply(transaction, &mut events);
        self.pending.settle(zxid);
        for (at, event) in events.iter().enumerate() {
            let by = by.map(|(connection, _)| connection);
            out.changes.extend(self.witness.notice(event, &self.tree, by));
            for (watcher, kind, path) in self.watches.go_off(event) {
                if self.may_hear(watcher, &path, &events[at..]) {
                    self.send(watcher, Reply::Event(WatcherEvent::new(kind, &path)), out);
                }
            }
        }
        effect
    }

    /// A watcher hears only of nodes that it may read (CVE-2024-23944). A node that has gone meanwhile is
    /// among `since`, with the list that it had.
    fn may_hear(&self, watcher: SessionId, path: &str, since: &[Event]) -> bool {
        let Some(Some(guest)) = self.connections.get(&watcher) else { return false };
        let gone = since.iter().find_map(|event| match event {
            Event::Deleted(deleted, acl) if deleted == path => Some(acl),
            _ => None,
        });
        let acl = gone.or_else(|| Some(&self.tree.node(path).ok()?.acl));
        acl.is_some_and(|acl| acl::check(&guest.ids, acl, acl::READ).is_ok())
    }

    /// Shows credentials; they hold for the connection. It does not keep the session alive.
    fn authenticate(
        &mut self,
        connection: SessionId,
        xid: i32,
        packet: &AuthPacket,
        out: &mut Out,
    ) {
        match acl::authenticate(&packet.scheme, packet.auth.as_ref()) {
            Ok(id) => {
                if let Some(Some(guest)) = self.connections.get_mut(&connection)
                    && !guest.ids.contains(&id)
                {
                    guest.ids.push(id);
                }
                self.answer(connection, xid, Zxid(0), Ok(Answer::Done), out);
            }
            Err(code) => {
                self.answer(connection, xid, Zxid(0), Err(code), out);
                self.hang_up(connection, out);
            }
        }
    }

    fn answer(
        &mut self,
        connection: SessionId,
        xid: i32,
        zxid: Zxid,
        answer: Result<Answer, Code>,
        out: &mut Out,
    ) {
        self.send(connection, Reply::Answer { xid, zxid, answer }, out);
    }

    pub(super) fn send(&mut self, connection: SessionId, reply: Reply, out: &mut Out) {
        self.sent += 1;
        out.replies.push((connection, reply));
    }

    /// Closes a connection after what was sent on it. The session, if there is one, lives on.
    pub(super) fn hang_up(&mut self, connection: SessionId, out: &mut Out) {
        self.forget(connection);
        out.closed.push(connection);
    }

    /// Closes the connections of a session.
    pub(super) fn hang_up_session(&mut self, session: ZkSessionId, out: &mut Out) {
        let is_its = |guest: &Option<Guest>| guest.as_ref().is_some_and(|g| g.session == session);
        let its = self.connections.iter().filter(|(_, guest)| is_its(guest));
        let its: Vec<SessionId> = its.map(|(connection, _)| *connection).collect();
        for connection in its {
            self.hang_up(connection, out);
        }
    }

    /// A connection is gone, and its watches with it.
    pub(super) fn forget(&mut self, connection: SessionId) {
        self.connections.remove(&connection);
        self.watches.forget(connection);
    }
}

/// Whatever number a ping had, its answer has this one.
const PING_XID: i32 = -2;

/// Which operations the results are of.
fn opcodes(opcode: i32, operation: Option<&Operation>) -> Vec<i32> {
    match operation {
        Some(Operation::Multi(operations)) => operations.0.iter().map(Operation::opcode).collect(),
        _ => vec![opcode],
    }
}

/// By which number the result of an operation in a transaction goes (measured).
fn opcode_in_multi(opcode: i32) -> i32 {
    match opcode {
        opcode::CREATE_CONTAINER | opcode::CREATE_TTL => opcode::CREATE2,
        opcode => opcode,
    }
}

/// Within a transaction the flags alone say what is created (`Op.create`).
fn by_its_flags(operation: Operation) -> Operation {
    match operation {
        Operation::Create(it) | Operation::Create2(it) | Operation::CreateContainer(it) => {
            if it.flags == 4 { Operation::CreateContainer(it) } else { Operation::Create(it) }
        }
        Operation::CreateTtl(it) if !matches!(it.flags, 5 | 6) => {
            let CreateTtlRequest { path, data, acl, flags, .. } = it;
            by_its_flags(Operation::Create(CreateRequest { path, data, acl, flags }))
        }
        operation => operation,
    }
}

/// What a client is told of an effect. A transaction that failed is answered without an error in the
/// header: the results say it.
fn answer_to(opcode: i32, opcodes: &[i32], effect: Effect) -> Result<Answer, Code> {
    match effect {
        Effect::Multi(effects) => {
            let results = opcodes.iter().zip(effects);
            let answer = |(opcode, effect): (&i32, _)| {
                let opcode = opcode_in_multi(*opcode);
                (opcode, answer_to(opcode, &[], effect))
            };
            Ok(Answer::Multi(results.map(answer).collect()))
        }
        Effect::Refused(code) => Err(code),
        Effect::Created(path, _) if opcode == opcode::CREATE => Ok(Answer::Path(Some(path))),
        Effect::Created(path, stat) => Ok(Answer::Created(path, stat)),
        Effect::Changed(stat) => Ok(Answer::Stat(stat)),
        Effect::Done => Ok(Answer::Done),
    }
}
