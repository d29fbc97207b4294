//! The stores that locks are built on, as pure state machines, and their wire codecs.
//!
//! In reading order: [`time`] (time as one machine shows it), [`model`] (what every store is: a
//! function from a request and the server's own clocks to replies and changes), [`redis`], [`etcd`],
//! [`zookeeper`]; then [`transcript`] (recorded conversations, and the same with a model).
//!
//! Never in this crate: async, sockets, a clock, randomness, hash order, a lock algorithm. A model
//! is told the time and told who asks; so a test can put it into any situation in a few lines, and
//! the same model serves the simulation and a real port.
pub mod etcd;
pub mod model;
pub mod redis;
pub mod time;
pub mod transcript;
pub mod zookeeper;
