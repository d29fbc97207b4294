//! One binary for all integration tests: linking is what costs.

mod bad_input;
mod cli;
mod determinism;
mod plans;
mod published;
#[cfg(feature = "real")]
mod real;
mod reports;
mod scenarios;
mod search;
mod support;
mod tidy;
