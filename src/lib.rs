//! picklock.
pub mod cast;
pub mod checkers;
pub mod client;
pub mod compare;
pub mod contender;
pub mod engine;
pub mod families;
pub mod lock;
pub mod locks;
pub mod outcome;
pub mod pipeline;
pub mod plan;
pub mod resource;
pub mod scenario;
pub mod terms;
pub mod verdict;
pub mod workload;
