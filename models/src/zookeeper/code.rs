//! Why a request was refused, as numbers on the wire (`KeeperException.java`).

/// An error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// No error. In a failed transaction: comes before the operation that failed.
    Ok,
    /// In a failed transaction: comes after the operation that failed.
    RuntimeInconsistency,
    /// The request could not be read.
    MarshallingError,
    /// No such operation, or it is switched off.
    Unimplemented,
    /// A path or an argument that cannot be.
    BadArguments,
    /// The node does not exist.
    NoNode,
    /// The access list does not allow it.
    NoAuth,
    /// The version is another one.
    BadVersion,
    /// An ephemeral node has no children.
    NoChildrenForEphemerals,
    /// The node exists already.
    NodeExists,
    /// The node has children.
    NotEmpty,
    /// The session is over.
    SessionExpired,
    /// An access list that cannot be.
    InvalidAcl,
    /// The credentials are not accepted.
    AuthFailed,
    /// The session is used over another server by now.
    SessionMoved,
    /// There is no such watch.
    NoWatcher,
    /// Reconfiguration is switched off.
    ReconfigDisabled,
    /// Any other number.
    Other(i32),
}

/// Codes that have a name, with their numbers.
const NUMBERS: &[(Code, i32)] = &[
    (Code::Ok, 0),
    (Code::RuntimeInconsistency, -2),
    (Code::MarshallingError, -5),
    (Code::Unimplemented, -6),
    (Code::BadArguments, -8),
    (Code::NoNode, -101),
    (Code::NoAuth, -102),
    (Code::BadVersion, -103),
    (Code::NoChildrenForEphemerals, -108),
    (Code::NodeExists, -110),
    (Code::NotEmpty, -111),
    (Code::SessionExpired, -112),
    (Code::InvalidAcl, -114),
    (Code::AuthFailed, -115),
    (Code::SessionMoved, -118),
    (Code::NoWatcher, -121),
    (Code::ReconfigDisabled, -123),
];

impl Code {
    /// The number on the wire.
    pub fn number(self) -> i32 {
        match self {
            Code::Other(number) => number,
            code => {
                NUMBERS.iter().find(|(known, _)| *known == code).map_or(0, |(_, number)| *number)
            }
        }
    }

    /// What a number on the wire means.
    pub fn from_number(number: i32) -> Code {
        let known = NUMBERS.iter().find(|(_, known)| *known == number);
        known.map_or(Code::Other(number), |(code, _)| *code)
    }
}
