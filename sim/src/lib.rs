//! The world in which picklock's locks live: hosts, clocks, links, faults, engines, recorder.
//!
//! In reading order:
//! - what a program sees: [`mod@env`] (all it may know of the outside), [`signal`], [`recorder`];
//! - what a world is made of: [`host`], [`plan`], [`fault`], [`seed`], [`time`], and [`cast`] (who
//!   plays which host);
//! - what comes out: [`history`], [`digest`], [`run`]; [`tap`] and [`trail`] for those who look closer;
//! - what all engines share: [`nemesis`] (when a fault strikes, whom, what ends it), [`conditions`]
//!   (what is broken now), [`clock`], [`serve`] (between sockets and a model), [`trace`];
//! - the worlds: [`event`] (default), `turmoil` (second opinion) and `real` (tokio's sockets), each
//!   of the latter behind a feature of its name; `foreign` (unmodified client crates in the latter two).
//!
//! Never in this crate: a lock algorithm, a verdict.
pub mod cast;
pub mod clock;
pub mod conditions;
pub mod digest;
pub mod env;
pub mod event;
pub mod fault;
#[cfg(feature = "turmoil")]
pub mod foreign;
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
pub mod tap;
pub mod time;
pub mod trace;
pub mod trail;
#[cfg(feature = "turmoil")]
pub mod turmoil;
