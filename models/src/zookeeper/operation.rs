//! What a client can ask for: one table of names, bodies and numbers (`ZooDefs.java`), from which the
//! codec of both directions is made.

use bytes::{Bytes, BytesMut};

use super::jute::{Jute, Malformed};
use super::opcode;
use super::records::*;
use crate::transcript::notation::{Note, Noted, Unreadable};

macro_rules! operations {
    ($($(#[$meta:meta])* $name:ident($body:ty) = $opcode:ident,)*) => {
        /// What a client asks for, with what it is asked with.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Operation { $($(#[$meta])* $name($body),)* }

        impl Operation {
            /// Its number on the wire.
            pub fn opcode(&self) -> i32 {
                match self { $(Self::$name(_) => opcode::$opcode,)* }
            }

            /// Whether there is an operation with that number.
            pub fn is_known(opcode: i32) -> bool {
                matches!(opcode, $(opcode::$opcode)|*)
            }

            /// Takes the body of an operation off `input`.
            ///
            /// # Errors
            /// If the number is unknown or the bytes are no such body. What follows the body is left, as
            /// the real server leaves it.
            pub fn read(opcode: i32, input: &mut Bytes) -> Result<Self, Malformed> {
                match opcode {
                    $(opcode::$opcode => Jute::read(input).map(Self::$name),)*
                    _ => Err(Malformed),
                }
            }

            /// Appends the body to `output`.
            pub fn write(&self, output: &mut BytesMut) {
                match self { $(Self::$name(body) => body.write(output),)* }
            }

            /// The names of all there are, as transcripts have them.
            pub fn names() -> &'static [&'static str] {
                &[$(stringify!($name)),*]
            }
        }

        impl Noted for Operation {
            fn note(&self) -> Note {
                match self { $(Self::$name(body) => body.note().named(stringify!($name)),)* }
            }

            fn from_note(note: &Note) -> Result<Self, Unreadable> {
                match note.fields()?.0 {
                    $(stringify!($name) => body(note).map(Self::$name),)*
                    other => Err(Unreadable(format!("there is no operation {other}"))),
                }
            }
        }
    };
}

operations! {
    /// Create a node; answers its path.
    Create(CreateRequest) = CREATE,
    /// Delete a node.
    Delete(VersionedPath) = DELETE,
    /// Whether a node exists.
    Exists(WatchedPath) = EXISTS,
    /// A node's data.
    GetData(WatchedPath) = GET_DATA,
    /// Set a node's data.
    SetData(SetDataRequest) = SET_DATA,
    /// A node's access list.
    GetAcl(OnePath) = GET_ACL,
    /// Set a node's access list.
    SetAcl(SetAclRequest) = SET_ACL,
    /// The names of a node's children.
    GetChildren(WatchedPath) = GET_CHILDREN,
    /// Let this server catch up with its leader.
    Sync(OnePath) = SYNC,
    /// The session is alive.
    Ping(()) = PING,
    /// As [`Operation::GetChildren`]; answers the node's stat too.
    GetChildren2(WatchedPath) = GET_CHILDREN2,
    /// In a transaction: a node has this version.
    Check(VersionedPath) = CHECK,
    /// A transaction.
    Multi(Writes) = MULTI,
    /// As [`Operation::Create`]; answers the node's stat too.
    Create2(CreateRequest) = CREATE2,
    /// Change the ensemble.
    Reconfig(ReconfigRequest) = RECONFIG,
    /// Whether there is a watch.
    CheckWatches(WatchKind) = CHECK_WATCHES,
    /// Remove a watch.
    RemoveWatches(WatchKind) = REMOVE_WATCHES,
    /// Create a node that goes when its last child has gone.
    CreateContainer(CreateRequest) = CREATE_CONTAINER,
    /// Delete such a node: for the server itself. Its path is not in jute, so a client's never arrives.
    DeleteContainer(()) = DELETE_CONTAINER,
    /// Create a node with a time to live.
    CreateTtl(CreateTtlRequest) = CREATE_TTL,
    /// Several reads at once.
    MultiRead(Reads) = MULTI_READ,
    /// Show credentials.
    Auth(AuthPacket) = AUTH,
    /// Set watches again after a reconnect.
    SetWatches(SetWatches) = SET_WATCHES,
    /// Show credentials by SASL.
    Sasl(OneBuffer) = SASL,
    /// The ephemeral nodes of this session below a path.
    GetEphemerals(OneOptionalPath) = GET_EPHEMERALS,
    /// How many nodes there are below a path.
    GetAllChildrenNumber(OnePath) = GET_ALL_CHILDREN_NUMBER,
    /// As [`Operation::SetWatches`], with persistent ones.
    SetWatches2(SetWatches2) = SET_WATCHES2,
    /// Add a persistent watch.
    AddWatch(WatchKind) = ADD_WATCH,
    /// Who the client is.
    WhoAmI(()) = WHO_AM_I,
    /// End the session.
    CloseSession(()) = CLOSE_SESSION,
}

/// The body of an operation: its fields, or the one value that it is.
fn body<T: Noted>(note: &Note) -> Result<T, Unreadable> {
    match (note.field("value"), note.fields()?.1) {
        (Some(value), _) => T::from_note(value),
        (None, []) => T::absent().map_or_else(|| T::from_note(note), Ok),
        (None, _) => T::from_note(note),
    }
}

/// A buffer.
pub type OneBuffer = Option<Bytes>;
/// A path that may be null.
pub type OneOptionalPath = Option<String>;

/// The operations of a transaction: what creates, deletes, sets data and checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writes(pub Vec<Operation>);

/// Several reads: of data and of children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reads(pub Vec<Operation>);

/// A list of operations, as transcripts have it.
macro_rules! noted_list {
    ($($name:ident),*) => {$(
        impl Noted for $name {
            fn note(&self) -> Note {
                self.0.note()
            }

            fn from_note(note: &Note) -> Result<Self, Unreadable> {
                Noted::from_note(note).map(Self)
            }
        }
    )*};
}
noted_list! { Writes, Reads }

/// A list of operations of some kinds, each behind a header (`MultiOperationRecord.java`).
fn read_list(input: &mut Bytes, kinds: &[i32]) -> Result<Vec<Operation>, Malformed> {
    let mut operations = Vec::new();
    loop {
        let header = MultiHeader::read(input)?;
        if header.done {
            return Ok(operations);
        }
        if !kinds.contains(&header.opcode) {
            return Err(Malformed);
        }
        operations.push(Operation::read(header.opcode, input)?);
    }
}

fn write_list(operations: &[Operation], output: &mut BytesMut) {
    for operation in operations {
        MultiHeader { opcode: operation.opcode(), done: false, error: -1 }.write(output);
        operation.write(output);
    }
    MultiHeader { opcode: -1, done: true, error: -1 }.write(output);
}

impl Jute for Writes {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        read_list(input, opcode::IN_MULTI).map(Self)
    }

    fn write(&self, output: &mut BytesMut) {
        write_list(&self.0, output);
    }
}

impl Jute for Reads {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        read_list(input, opcode::IN_MULTI_READ).map(Self)
    }

    fn write(&self, output: &mut BytesMut) {
        write_list(&self.0, output);
    }
}
