//! One binary for all integration tests: linking is what costs.

mod bad_input;
mod cli;
mod determinism;
mod engines;
mod etcd_client;
mod etcd_locks;
#[cfg(all(feature = "real", unix))]
mod hostile;
mod hostile_etcd;
mod plans;
mod published;
#[cfg(feature = "real")]
mod real;
mod redisson;
mod reports;
mod scenarios;
mod search;
#[cfg(all(feature = "real", unix))]
mod serve;
#[cfg(all(feature = "real", unix))]
mod serve_zookeeper;
#[cfg(all(feature = "real", unix))]
mod served;
mod stage;
mod support;
mod sweeps;
mod tidy;
mod verify;
mod zookeeper_client;
mod zookeeper_lab;
mod zookeeper_locks;
