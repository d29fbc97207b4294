//! One binary for all integration tests: linking is what costs.

mod bad_input;
mod cli;
mod determinism;
mod published;
mod scenarios;
mod support;
mod tidy;
