//! The suite for real servers: what picklock says of its models, and of locks, held against reality.
//!
//! - [`servers`] starts real Redis, etcd and ZooKeeper servers on loopback, and stops exactly those.
//! - [`conformance`] compares the models with real servers, command by command.
//! - [`confirm`] carries plans out on real processes: does the counterexample happen?
//! - [`load`] puts many clients on each, and proves that nothing is left of it.
//!
//! Nothing here repeats byte for byte, and nothing else in picklock needs it: the other crates never
//! depend on this one. Real clocks, threads and processes are used freely; what they say is only as exact
//! as they are.

pub mod cli;
pub mod confirm;
pub mod conformance;
mod keeper;
pub mod load;
pub mod servers;
