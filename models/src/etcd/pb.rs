//! etcd's messages, made from `proto/` by `models/generate`: the names and numbers are etcd's own.
//!
//! Only what is modelled is there; fields that are not are skipped when read, as protobuf has it.
#![allow(missing_docs, unreachable_pub, clippy::all)]

/// Requests and responses.
#[rustfmt::skip]
pub mod etcdserverpb;
/// What etcd keeps: keys with their values, and what happened to them.
#[rustfmt::skip]
pub mod mvccpb;
/// Elections that the server holds.
#[rustfmt::skip]
pub mod v3electionpb;
/// Locks that the server takes.
#[rustfmt::skip]
pub mod v3lockpb;
