//! The servers' word in a real run: what became of the watched records, and whose doing it was.
//!
//! A simulated server tells its recorder. A real one has to be watched: Redis tells everything to whoever
//! asks (`redis.rs`). Of etcd's and ZooKeeper's records nobody says who wrote them, so no witness is kept, and
//! a checker that needs one says unknown.

pub(super) mod redis;
