//! The calls: by which path each is asked for, and their messages from and to bytes.

use bytes::{Bytes, BytesMut};
use prost::Message;

use super::pb::etcdserverpb::{
    AlarmRequest, AlarmResponse, AuthenticateRequest, CompactionRequest, CompactionResponse,
    DeleteRangeRequest, DeleteRangeResponse, HashKvRequest, HashKvResponse, HashRequest,
    HashResponse, LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest,
    LeaseKeepAliveResponse, LeaseLeasesRequest, LeaseLeasesResponse, LeaseRevokeRequest,
    LeaseRevokeResponse, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse, MemberListRequest,
    MemberListResponse, PutRequest, PutResponse, RangeRequest, RangeResponse, ResponseHeader,
    StatusRequest, StatusResponse, TxnRequest, TxnResponse, WatchRequest, WatchResponse,
};
use super::pb::v3electionpb::{
    CampaignRequest, CampaignResponse, LeaderRequest, LeaderResponse, ProclaimRequest,
    ProclaimResponse, ResignRequest, ResignResponse,
};
use super::pb::v3lockpb::{LockRequest, LockResponse, UnlockRequest, UnlockResponse};
use super::status::{Code, Status};
use crate::transcript::notation::{Note, Noted, Unreadable};

macro_rules! requests {
    ($($name:ident($message:ty) $path:literal),* $(,)?) => {
        /// One message from a client.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "named as the calls")]
        pub enum Request {
            $($name($message),)*
        }

        /// Which call it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "named as the requests")]
        pub enum Method {
            $($name,)*
        }

        impl Request {
            /// Which call it belongs to.
            pub fn method(&self) -> Method {
                match self {
                    $(Request::$name(_) => Method::$name,)*
                }
            }

            /// Appends it to `output`, see [`frame`].
            pub fn encode(&self, output: &mut BytesMut) {
                match self {
                    $(Request::$name(message) => frame(message, output),)*
                }
            }
        }

        impl Noted for Request {
            fn note(&self) -> Note {
                match self {
                    $(Request::$name(message) => message.note().named(stringify!($name)),)*
                }
            }

            fn from_note(note: &Note) -> Result<Self, Unreadable> {
                match note.fields()?.0 {
                    $(stringify!($name) => Noted::from_note(note).map(Request::$name),)*
                    other => Err(Unreadable(format!("there is no call {other}"))),
                }
            }
        }

        impl Method {
            fn find(path: &str) -> Option<Method> {
                match path {
                    $($path => Some(Method::$name),)*
                    _ => None,
                }
            }

            /// All there are.
            pub const ALL: &'static [Method] = &[$(Method::$name),*];

            fn all_paths() -> &'static [&'static str] {
                &[$($path),*]
            }

            /// Its name, as transcripts have it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Method::$name => stringify!($name),)*
                }
            }

            /// The path by which a client asks for it.
            pub fn path(self) -> &'static str {
                match self {
                    $(Method::$name => $path,)*
                }
            }

            /// Reads one message of this call.
            ///
            /// # Errors
            /// If the bytes are no such message.
            pub fn decode(self, bytes: Bytes) -> Result<Request, Status> {
                match self {
                    $(Method::$name => <$message>::decode(bytes).map(Request::$name),)*
                }
                .map_err(|error| {
                    let what = if matches!(self, Method::Watch | Method::LeaseKeepAlive) {
                        "failed to unmarshal the received message"
                    } else {
                        "error unmarshalling request:"
                    };
                    Status::new(Code::Internal, format!("grpc: {what} {error}"))
                })
            }
        }
    };
}

requests! {
    Range(RangeRequest) "/etcdserverpb.KV/Range",
    Put(PutRequest) "/etcdserverpb.KV/Put",
    DeleteRange(DeleteRangeRequest) "/etcdserverpb.KV/DeleteRange",
    Txn(TxnRequest) "/etcdserverpb.KV/Txn",
    Compact(CompactionRequest) "/etcdserverpb.KV/Compact",
    Watch(WatchRequest) "/etcdserverpb.Watch/Watch",
    LeaseGrant(LeaseGrantRequest) "/etcdserverpb.Lease/LeaseGrant",
    LeaseRevoke(LeaseRevokeRequest) "/etcdserverpb.Lease/LeaseRevoke",
    LeaseKeepAlive(LeaseKeepAliveRequest) "/etcdserverpb.Lease/LeaseKeepAlive",
    LeaseTimeToLive(LeaseTimeToLiveRequest) "/etcdserverpb.Lease/LeaseTimeToLive",
    LeaseLeases(LeaseLeasesRequest) "/etcdserverpb.Lease/LeaseLeases",
    MemberList(MemberListRequest) "/etcdserverpb.Cluster/MemberList",
    Status(StatusRequest) "/etcdserverpb.Maintenance/Status",
    Alarm(AlarmRequest) "/etcdserverpb.Maintenance/Alarm",
    Hash(HashRequest) "/etcdserverpb.Maintenance/Hash",
    HashKv(HashKvRequest) "/etcdserverpb.Maintenance/HashKV",
    Authenticate(AuthenticateRequest) "/etcdserverpb.Auth/Authenticate",
    Lock(LockRequest) "/v3lockpb.Lock/Lock",
    Unlock(UnlockRequest) "/v3lockpb.Lock/Unlock",
    Campaign(CampaignRequest) "/v3electionpb.Election/Campaign",
    Proclaim(ProclaimRequest) "/v3electionpb.Election/Proclaim",
    Leader(LeaderRequest) "/v3electionpb.Election/Leader",
    Observe(LeaderRequest) "/v3electionpb.Election/Observe",
    Resign(ResignRequest) "/v3electionpb.Election/Resign",
}

macro_rules! responses {
    ($($name:ident($message:ty)),* $(,)?) => {
        /// One message to a client.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "named as the requests that they answer")]
        pub enum Response {
            $($name($message),)*
        }

        impl Method {
            /// Reads one message that answers this call; `None` if the bytes are none.
            pub fn decode_response(self, bytes: Bytes) -> Option<Response> {
                match self {
                    $(Method::$name => <$message>::decode(bytes).map(Response::$name).ok(),)*
                    // The only answer there is, is an error.
                    Method::Authenticate => None,
                }
            }
        }

        impl Response {
            /// Its header; every response has one.
            pub(super) fn header(&mut self) -> &mut ResponseHeader {
                match self {
                    $(Response::$name(message) => message.header.get_or_insert_default(),)*
                }
            }

            /// The note of it, as transcripts have it.
            pub fn note(&self) -> Note {
                match self {
                    $(Response::$name(message) => message.note().named(stringify!($name)),)*
                }
            }

            /// Appends it to `output`, see [`frame`].
            pub fn encode(&self, output: &mut BytesMut) {
                match self {
                    $(Response::$name(message) => frame(message, output),)*
                }
            }
        }
    };
}

responses! {
    Range(RangeResponse),
    Put(PutResponse),
    DeleteRange(DeleteRangeResponse),
    Txn(TxnResponse),
    Compact(CompactionResponse),
    Watch(WatchResponse),
    LeaseGrant(LeaseGrantResponse),
    LeaseRevoke(LeaseRevokeResponse),
    LeaseKeepAlive(LeaseKeepAliveResponse),
    LeaseTimeToLive(LeaseTimeToLiveResponse),
    LeaseLeases(LeaseLeasesResponse),
    MemberList(MemberListResponse),
    Status(StatusResponse),
    Alarm(AlarmResponse),
    Hash(HashResponse),
    HashKv(HashKvResponse),
    Lock(LockResponse),
    Unlock(UnlockResponse),
    Campaign(CampaignResponse),
    Proclaim(ProclaimResponse),
    Leader(LeaderResponse),
    Observe(LeaderResponse),
    Resign(ResignResponse),
}

/// Appends a message of either side to `output` as gRPC frames it: not compressed, its length, itself.
pub fn frame(message: &impl Message, output: &mut BytesMut) {
    output.extend_from_slice(&[0]);
    output.extend_from_slice(&(message.encoded_len() as u32).to_be_bytes());
    message.encode(output).expect("a buffer that grows has room");
}

impl Method {
    /// The call at a path, `/package.Service/Method`.
    ///
    /// # Errors
    /// If it is not modelled: what grpc-go says to a call that it does not know.
    pub fn of(path: &str) -> Result<Method, Status> {
        if let Some(method) = Method::find(path) {
            return Ok(method);
        }
        let Some((service, method)) = path.strip_prefix('/').and_then(|path| path.rsplit_once('/'))
        else {
            return Err(Status::new(
                Code::ResourceExhausted,
                format!("malformed method name: {path:?}"),
            ));
        };
        let known =
            Method::all_paths().iter().any(|path| path[1..].starts_with(&format!("{service}/")));
        let text = if known {
            format!("unknown method {method} for service {service}")
        } else {
            format!("unknown service {service}")
        };
        Err(Status::new(Code::Unimplemented, text))
    }

    /// Whether more than one message may come of it, either way.
    pub fn is_stream(self) -> bool {
        matches!(self, Method::Watch | Method::LeaseKeepAlive | Method::Observe)
    }
}

/// What a message to the server may be long: 512 KiB more than a command (`grpcOverheadBytes`).
pub const MAX_MESSAGE_BYTES: usize = 2 * 1024 * 1024;

/// Takes one framed message off `input`; `None` if it is not whole yet.
///
/// # Errors
/// As [`whole_message`].
pub fn take_message(input: &mut BytesMut) -> Result<Option<Bytes>, Status> {
    let taken = whole_message(input, None)?.map(|length| input.split_to(5 + length));
    Ok(taken.map(|bytes| bytes.freeze().slice(5..)))
}

/// The length of the first message, its frame left out; `None` if it is not whole yet. `encoding` is
/// what its sender says of how messages are compressed.
///
/// # Errors
/// If it is compressed, which nobody was told that they may do, or too long.
pub fn whole_message(input: &[u8], encoding: Option<&str>) -> Result<Option<usize>, Status> {
    let Some((head, rest)) = input.split_first_chunk::<5>() else { return Ok(None) };
    let [compressed, length @ ..] = *head;
    let length = u32::from_be_bytes(length) as usize;
    if compressed > 1 {
        let text = format!("grpc: received unexpected payload format {compressed}");
        return Err(Status::new(Code::Internal, text));
    }
    if compressed == 1 {
        return Err(match encoding.filter(|encoding| *encoding != "identity") {
            Some(encoding) => Status::new(
                Code::Unimplemented,
                format!("grpc: Decompressor is not installed for grpc-encoding {encoding:?}"),
            ),
            None => {
                let text = "grpc: compressed flag set with identity or empty encoding";
                Status::new(Code::Internal, text)
            }
        });
    }
    if length > MAX_MESSAGE_BYTES {
        let text =
            format!("grpc: received message larger than max ({length} vs. {MAX_MESSAGE_BYTES})");
        return Err(Status::new(Code::ResourceExhausted, text));
    }
    Ok((rest.len() >= length).then_some(length))
}

/// A `grpc-timeout`: up to eight digits and a unit. `None` if it is none.
pub fn parse_timeout(text: &str) -> Option<std::time::Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    let unit_ns: u64 = match unit {
        "H" => 3_600_000_000_000,
        "M" => 60_000_000_000,
        "S" => 1_000_000_000,
        "m" => 1_000_000,
        "u" => 1_000,
        "n" => 1,
        _ => return None,
    };
    Some(std::time::Duration::from_nanos(count.saturating_mul(unit_ns)))
}
