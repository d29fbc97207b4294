//! The records of the protocol, field by field (`zookeeper-jute/src/main/resources/zookeeper.jute`).

use bytes::{Bytes, BytesMut};

use super::jute::{Jute, Malformed, record};
use crate::transcript::notation::{Note, Noted, Unreadable};

/// A transaction's number: the order of everything that happened to the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zxid(pub i64);

/// A session of ZooKeeper's own, which outlives its connections. Not to be mixed up with
/// [`SessionId`](crate::model::SessionId), which numbers connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZkSessionId(pub i64);

macro_rules! number {
    ($name:ident) => {
        impl Jute for $name {
            fn read(input: &mut Bytes) -> Result<Self, Malformed> {
                i64::read(input).map(Self)
            }

            fn write(&self, output: &mut BytesMut) {
                self.0.write(output);
            }
        }

        impl Noted for $name {
            fn note(&self) -> Note {
                Note::word(self.0)
            }

            fn from_note(note: &Note) -> Result<Self, Unreadable> {
                <i64 as Noted>::from_note(note).map(Self)
            }

            fn absent() -> Option<Self> {
                Some(Self(0))
            }
        }
    };
}
number!(Zxid);
number!(ZkSessionId);

record! {
    /// What is known of a node besides its data.
    #[derive(Copy, Default)]
    pub struct Stat {
        /// The transaction that created it.
        pub czxid: Zxid,
        /// The transaction that last changed its data.
        pub mzxid: Zxid,
        /// When it was created: Unix milliseconds of the server's wall clock.
        pub ctime_ms: i64,
        /// When its data last changed: as `ctime_ms`.
        pub mtime_ms: i64,
        /// How often its data changed.
        pub version: i32,
        /// How often its children changed.
        pub cversion: i32,
        /// How often its access list changed.
        pub aversion: i32,
        /// The session that it ends with; 0 if with none.
        pub ephemeral_owner: i64,
        /// The length of its data, in bytes.
        pub data_length: i32,
        /// How many children it has.
        pub num_children: i32,
        /// The transaction that last changed its children.
        pub pzxid: Zxid,
    }
}

/// Somebody, as access lists know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// How they show who they are: `world`, `digest`, `ip`, `auth`.
    pub scheme: String,
    /// Who they are.
    pub id: String,
}

/// A null is read as an empty text: the scheme `auth` needs no id, and kazoo writes none.
impl Jute for Id {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        let mut text = || Ok(Option::<String>::read(input)?.unwrap_or_default());
        Ok(Self { scheme: text()?, id: text()? })
    }

    fn write(&self, output: &mut BytesMut) {
        self.scheme.write(output);
        self.id.write(output);
    }
}

/// An entry of an access list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// What is allowed: the sum of READ 1, WRITE 2, CREATE 4, DELETE 8, ADMIN 16.
    pub perms: i32,
    /// To whom.
    pub id: Id,
}

impl Jute for Acl {
    fn read(input: &mut Bytes) -> Result<Self, Malformed> {
        Ok(Self { perms: Jute::read(input)?, id: Jute::read(input)? })
    }

    fn write(&self, output: &mut BytesMut) {
        self.perms.write(output);
        self.id.write(output);
    }
}

/// In transcripts: `31 world:anyone`.
impl Noted for Acl {
    fn note(&self) -> Note {
        let Id { scheme, id } = &self.id;
        format!("{} {scheme}:{id}", self.perms).note()
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        let text = String::from_note(note)?;
        let parsed = text.split_once(' ').and_then(|(perms, id)| {
            let (scheme, id) = id.split_once(':')?;
            let id = Id { scheme: scheme.to_owned(), id: id.to_owned() };
            Some(Self { perms: perms.parse().ok()?, id })
        });
        parsed.ok_or_else(|| Unreadable(format!("{note} is no entry of an access list")))
    }
}

record! {
    /// A path.
    pub struct OnePath {
        /// The path.
        pub path: String,
    }
}

record! {
    /// A path, and whether to watch it.
    pub struct WatchedPath {
        /// The path.
        pub path: String,
        /// Leave a watch.
        pub watch: bool,
    }
}

record! {
    /// A path, and the version that it must have.
    pub struct VersionedPath {
        /// The path.
        pub path: String,
        /// The version; -1 is any.
        pub version: i32,
    }
}

record! {
    /// A path, and what kind of watch is meant.
    pub struct WatchKind {
        /// The path.
        pub path: String,
        /// For addWatch: 0 persistent, 1 persistent and recursive. For removeWatches and checkWatches: 1
        /// children, 2 data, 3 any.
        pub kind: i32,
    }
}

record! {
    /// What create, create2 and createContainer are asked for.
    pub struct CreateRequest {
        /// The path; a sequence number may be added.
        pub path: String,
        /// The data.
        pub data: Option<Bytes>,
        /// The access list.
        pub acl: Vec<Acl>,
        /// 0 persistent, 1 ephemeral, 2 and 3 the same with a sequence number, 4 container, 5 and 6 with
        /// a time to live.
        pub flags: i32,
    }
}

record! {
    /// What createTTL is asked for.
    pub struct CreateTtlRequest {
        /// As in [`CreateRequest`].
        pub path: String,
        /// As in [`CreateRequest`].
        pub data: Option<Bytes>,
        /// As in [`CreateRequest`].
        pub acl: Vec<Acl>,
        /// As in [`CreateRequest`].
        pub flags: i32,
        /// Time to live without children and changes, in milliseconds of the wall clock.
        pub ttl_ms: i64,
    }
}

record! {
    /// What setData is asked for.
    pub struct SetDataRequest {
        /// The path.
        pub path: String,
        /// The data.
        pub data: Option<Bytes>,
        /// The version that it must have; -1 is any.
        pub version: i32,
    }
}

record! {
    /// What setACL is asked for.
    pub struct SetAclRequest {
        /// The path.
        pub path: String,
        /// The access list.
        pub acl: Vec<Acl>,
        /// The version that the list must have; -1 is any.
        pub version: i32,
    }
}

record! {
    /// Credentials.
    pub struct AuthPacket {
        /// Unused.
        pub kind: i32,
        /// How they are to be understood.
        pub scheme: String,
        /// The credentials themselves.
        pub auth: Option<Bytes>,
    }
}

record! {
    /// The watches that a client had, which it sets again after a reconnect.
    pub struct SetWatches {
        /// The last transaction that the client knows of.
        pub relative_zxid: Zxid,
        /// Nodes whose data is watched.
        pub data: Vec<String>,
        /// Nodes that are waited for.
        pub exist: Vec<String>,
        /// Nodes whose children are watched.
        pub child: Vec<String>,
    }
}

record! {
    /// As [`SetWatches`], for a client that also has persistent ones.
    pub struct SetWatches2 {
        /// The one-shot watches.
        pub once: SetWatches,
        /// Nodes with a persistent watch.
        pub persistent: Vec<String>,
        /// Nodes with a persistent watch on all below them.
        pub recursive: Vec<String>,
    }
}

record! {
    /// A change of the ensemble.
    pub struct ReconfigRequest {
        /// Servers that join.
        pub joining: Option<String>,
        /// Servers that leave.
        pub leaving: Option<String>,
        /// All members from now on.
        pub members: Option<String>,
        /// The version of the configuration that is changed.
        pub config_id: i64,
    }
}

record! {
    /// What a server tells a watcher.
    pub struct WatcherEvent {
        /// What happened: see [`EventKind`].
        pub kind: i32,
        /// The state of the session; 3 is connected.
        pub state: i32,
        /// Where it happened.
        pub path: String,
    }
}

/// What happened to a watched node, as numbers on the wire (`Watcher.java`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum EventKind {
    /// It was created.
    Created = 1,
    /// It was deleted.
    Deleted = 2,
    /// Its data changed.
    DataChanged = 3,
    /// Its children changed.
    ChildrenChanged = 4,
}

impl WatcherEvent {
    /// `kind` happened at `path`, told to a client that is connected.
    pub fn new(kind: EventKind, path: &str) -> Self {
        const SYNC_CONNECTED: i32 = 3;
        Self { kind: kind as i32, state: SYNC_CONNECTED, path: path.to_owned() }
    }
}

record! {
    /// The header of each operation in a transaction, and of its result.
    pub struct MultiHeader {
        /// The operation; -1 in the last one, and for an error.
        pub opcode: i32,
        /// There are no more.
        pub done: bool,
        /// The error of a result.
        pub error: i32,
    }
}

impl Acl {
    /// Everybody may do everything (`ZooDefs.Ids.OPEN_ACL_UNSAFE`).
    pub fn open() -> Self {
        Self::world(31)
    }

    /// Everybody has `perms`.
    pub fn world(perms: i32) -> Self {
        Self { perms, id: Id { scheme: "world".into(), id: "anyone".into() } }
    }
}
