//! The world in which picklock's locks live: hosts, clocks, links, faults, engines, recorder.
//!
//! In reading order: [`mod@env`] (all that a program may know of the outside), [`cast`] (who plays
//! which host), [`plan`] and [`fault`] (one world written down), [`history`] and [`recorder`]
//! (what happened), then the worlds themselves.
//!
//! Never in this crate: a lock algorithm, a verdict.
pub mod cast;
pub mod clock;
pub mod conditions;
pub mod digest;
pub mod env;
pub mod event;
pub mod fault;
pub mod history;
pub mod host;
mod log;
pub mod nemesis;
mod panic;
pub mod plan;
#[cfg(feature = "real")]
pub mod real;
pub mod recorder;
pub mod run;
pub mod seed;
pub mod serve;
pub mod signal;
pub mod time;
pub mod trace;
#[cfg(feature = "turmoil")]
pub mod turmoil;
