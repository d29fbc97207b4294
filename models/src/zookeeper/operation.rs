//! What a client can ask for: one table of names, bodies and numbers (`ZooDefs.java`), from which the
//! codec of both directions is made.

use bytes::{Bytes, BytesMut};

use super::jute::{Jute, Malformed};
use super::records::*;

macro_rules! operations {
    ($($(#[$meta:meta])* $name:ident($body:ty) = $opcode:literal,)*) => {
        /// What a client asks for, with what it is asked with.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Operation { $($(#[$meta])* $name($body),)* }

        impl Operation {
            /// Its number on the wire.
            pub fn opcode(&self) -> i32 {
                match self { $(Self::$name(_) => $opcode,)* }
            }

            /// Whether there is an operation with that number.
            pub fn is_known(opcode: i32) -> bool {
                matches!(opcode, $($opcode)|*)
            }

            /// Takes the body of an operation off `input`.
            ///
            /// # Errors
            /// If the number is unknown or the bytes are no such body. What follows the body is left, as
            /// the real server leaves it.
            pub fn read(opcode: i32, input: &mut Bytes) -> Result<Self, Malformed> {
                match opcode {
                    $($opcode => Jute::read(input).map(Self::$name),)*
                    _ => Err(Malformed),
                }
            }

            /// Appends the body to `output`.
            pub fn write(&self, output: &mut BytesMut) {
                match self { $(Self::$name(body) => body.write(output),)* }
            }
        }
    };
}

operations! {
    /// Create a node; answers its path.
    Create(CreateRequest) = 1,
    /// Delete a node.
    Delete(VersionedPath) = 2,
    /// Whether a node exists.
    Exists(WatchedPath) = 3,
    /// A node's data.
    GetData(WatchedPath) = 4,
    /// Set a node's data.
    SetData(SetDataRequest) = 5,
    /// A node's access list.
    GetAcl(OnePath) = 6,
    /// Set a node's access list.
    SetAcl(SetAclRequest) = 7,
    /// The names of a node's children.
    GetChildren(WatchedPath) = 8,
    /// Let this server catch up with its leader.
    Sync(OnePath) = 9,
    /// The session is alive.
    Ping(()) = 11,
    /// As [`Operation::GetChildren`]; answers the node's stat too.
    GetChildren2(WatchedPath) = 12,
    /// In a transaction: a node has this version.
    Check(VersionedPath) = 13,
    /// A transaction.
    Multi(Writes) = 14,
    /// As [`Operation::Create`]; answers the node's stat too.
    Create2(CreateRequest) = 15,
    /// Change the ensemble.
    Reconfig(ReconfigRequest) = 16,
    /// Whether there is a watch.
    CheckWatches(WatchKind) = 17,
    /// Remove a watch.
    RemoveWatches(WatchKind) = 18,
    /// Create a node that goes when its last child has gone.
    CreateContainer(CreateRequest) = 19,
    /// Delete such a node: for the server itself. Its path is not in jute, so a client's never arrives.
    DeleteContainer(()) = 20,
    /// Create a node with a time to live.
    CreateTtl(CreateTtlRequest) = 21,
    /// Several reads at once.
    MultiRead(Reads) = 22,
    /// Show credentials.
    Auth(AuthPacket) = 100,
    /// Set watches again after a reconnect.
    SetWatches(SetWatches) = 101,
    /// Show credentials by SASL.
    Sasl(OneBuffer) = 102,
    /// The ephemeral nodes of this session below a path.
    GetEphemerals(OneOptionalPath) = 103,
    /// How many nodes there are below a path.
    GetAllChildrenNumber(OnePath) = 104,
    /// As [`Operation::SetWatches`], with persistent ones.
    SetWatches2(SetWatches2) = 105,
    /// Add a persistent watch.
    AddWatch(WatchKind) = 106,
    /// Who the client is.
    WhoAmI(()) = 107,
    /// End the session.
    CloseSession(()) = -11,
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
        read_list(input, &[1, 2, 5, 13, 15, 19, 21]).map(Self)
    }

    fn write(&self, output: &mut BytesMut) {
        write_list(&self.0, output);
    }
}

impl Jute for Reads {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        read_list(input, &[4, 8]).map(Self)
    }

    fn write(&self, output: &mut BytesMut) {
        write_list(&self.0, output);
    }
}
