//! What is written to the log: a request after all decisions were made. Applied to the same tree it
//! always gives the same tree, on whichever server; that is what a leader would send its followers.

use bytes::Bytes;

use super::code::Code;
use super::records::{Acl, Stat, ZkSessionId, Zxid};

/// A transaction (`server/Request.java`: its header and its body).
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    /// Its number.
    pub(super) zxid: Zxid,
    /// Whose request it was.
    pub(super) session: ZkSessionId,
    /// When it was prepared: Unix milliseconds of the preparing server's wall clock.
    pub(super) time_ms: i64,
    /// What it does.
    pub(super) action: Action,
}

/// What a transaction does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Create {
        path: String,
        data: Option<Bytes>,
        acl: Vec<Acl>,
        owner: Owner,
        parent_cversion: i32,
    },
    Delete {
        path: String,
    },
    SetData {
        path: String,
        data: Option<Bytes>,
        version: i32,
    },
    SetAcl {
        path: String,
        acl: Vec<Acl>,
        version: i32,
    },
    Check,
    CreateSession {
        timeout_ms: i32,
    },
    CloseSession {
        paths: Vec<String>,
    },
    Multi(Vec<Action>),
    /// Nothing: the request was refused. It takes a number all the same.
    Refuse(Code),
}

/// What a node's life hangs on (`server/EphemeralType.java`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nothing.
    #[default]
    Nobody,
    /// A session.
    Session(ZkSessionId),
    /// Its children: it goes when the last one has gone.
    Children,
    /// Its children, and the time since its data changed.
    Ttl(i64),
}

/// The longest time to live, in milliseconds: what fits beside the mark.
pub(super) const MAX_TTL_MS: i64 = 0xff_ffff_ffff;

impl Owner {
    /// As `ephemeralOwner` shows it: the marks of the others are kept to the server (measured).
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Session(session) => session.0,
            Self::Nobody | Self::Children | Self::Ttl(_) => 0,
        }
    }
}

/// What came of an action.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// A node was created.
    Created(String, Stat),
    /// A node changed.
    Changed(Stat),
    /// There is nothing to say.
    Done,
    /// The request was refused.
    Refused(Code),
    /// Those of a transaction's actions.
    Multi(Vec<Effect>),
}

/// What happened to a node, for whoever watches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Created(String),
    /// With the access list that it had.
    Deleted(String, Vec<Acl>),
    DataChanged(String),
}
