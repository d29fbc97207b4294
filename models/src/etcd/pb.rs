//! etcd's messages, as `build.rs` makes them from `proto/`: the names and numbers are etcd's own.
//!
//! Only what is modelled is there; fields that are not are skipped when read, as protobuf has it.
#![allow(missing_docs, unreachable_pub, clippy::all)]

/// What etcd keeps: keys with their values, and what happened to them.
pub mod mvccpb {
    include!(concat!(env!("OUT_DIR"), "/mvccpb.rs"));
}

/// Requests and responses.
pub mod etcdserverpb {
    include!(concat!(env!("OUT_DIR"), "/etcdserverpb.rs"));
}
