//! picklock.
pub mod checkers;
pub mod terms;
pub mod verdict;
