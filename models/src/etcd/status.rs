//! How a call ends: gRPC's codes with etcd's own texts (`api/v3rpc/rpctypes/error.go`).

use std::borrow::Cow;

/// A gRPC status code, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "gRPC's own words")]
pub enum Code {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

impl Code {
    /// The code of that number; one that is not modelled is [`Code::Unknown`], as gRPC has it for numbers
    /// that nobody knows.
    pub fn from_number(number: u16) -> Code {
        let known = [
            Code::Ok,
            Code::Cancelled,
            Code::InvalidArgument,
            Code::DeadlineExceeded,
            Code::NotFound,
            Code::ResourceExhausted,
            Code::FailedPrecondition,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::Internal,
            Code::Unavailable,
        ];
        known.into_iter().find(|code| *code as u16 == number).unwrap_or(Code::Unknown)
    }
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What became of it.
    pub code: Code,
    /// The text for people; empty if all is well.
    pub message: Cow<'static, str>,
}

impl Status {
    /// All is well.
    pub const OK: Status = Status::fixed(Code::Ok, "");
    pub(super) const EMPTY_KEY: Status =
        Status::fixed(Code::InvalidArgument, "etcdserver: key is not provided");
    pub(super) const KEY_NOT_FOUND: Status =
        Status::fixed(Code::InvalidArgument, "etcdserver: key not found");
    pub(super) const VALUE_PROVIDED: Status =
        Status::fixed(Code::InvalidArgument, "etcdserver: value is provided");
    pub(super) const LEASE_PROVIDED: Status =
        Status::fixed(Code::InvalidArgument, "etcdserver: lease is provided");
    pub(super) const TOO_MANY_OPS: Status =
        Status::fixed(Code::InvalidArgument, "etcdserver: too many operations in txn request");
    pub(super) const DUPLICATE_KEY: Status =
        Status::fixed(Code::InvalidArgument, "etcdserver: duplicate key given in txn request");
    pub(super) const INVALID_SORT: Status =
        Status::fixed(Code::InvalidArgument, "etcdserver: invalid sort option");
    pub(super) const REQUEST_TOO_LARGE: Status =
        Status::fixed(Code::InvalidArgument, "etcdserver: request is too large");
    pub(super) const COMPACTED: Status =
        Status::fixed(Code::OutOfRange, "etcdserver: mvcc: required revision has been compacted");
    pub(super) const FUTURE_REVISION: Status =
        Status::fixed(Code::OutOfRange, "etcdserver: mvcc: required revision is a future revision");
    pub(super) const LEASE_NOT_FOUND: Status =
        Status::fixed(Code::NotFound, "etcdserver: requested lease not found");
    pub(super) const LEASE_EXISTS: Status =
        Status::fixed(Code::FailedPrecondition, "etcdserver: lease already exists");
    pub(super) const TTL_TOO_LARGE: Status =
        Status::fixed(Code::OutOfRange, "etcdserver: too large lease TTL");
    pub(super) const AUTH_NOT_ENABLED: Status =
        Status::fixed(Code::FailedPrecondition, "etcdserver: authentication is not enabled");
    /// The services of `v3election` have words of their own, and no code for them.
    pub(super) const NO_LEADER: Status = Status::fixed(Code::Unknown, "election: no leader");
    pub(super) const NOT_LEADER: Status = Status::fixed(Code::Unknown, "election: not leader");
    pub(super) const NO_LEADER_KEY: Status =
        Status::fixed(Code::Unknown, "\"leader\" field must be provided");

    const fn fixed(code: Code, message: &'static str) -> Status {
        Status { code, message: Cow::Borrowed(message) }
    }

    /// A status with a text of its own.
    pub fn new(code: Code, message: impl Into<String>) -> Status {
        Status { code, message: Cow::Owned(message.into()) }
    }

    /// The text as the `grpc-message` trailer carries it: whatever is not printable ASCII, and `%`,
    /// is percent-encoded (gRPC over HTTP/2, "Responses").
    pub fn encoded_message(&self) -> String {
        let mut text = String::with_capacity(self.message.len());
        for byte in self.message.bytes() {
            match byte {
                b' '..=b'~' if byte != b'%' => text.push(char::from(byte)),
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known_by_their_numbers() {
        assert_eq!(Code::from_number(14), Code::Unavailable);
        assert_eq!(Code::from_number(0), Code::Ok);
        assert_eq!(Code::from_number(16), Code::Unknown, "no users, so nobody is unauthenticated");
    }

    #[test]
    fn texts_are_percent_encoded() {
        let status = Status::new(Code::Unknown, "50% ü\n");
        assert_eq!(status.encoded_message(), "50%25 %C3%BC%0A");
        assert_eq!(Status::EMPTY_KEY.encoded_message(), "etcdserver: key is not provided");
    }
}
