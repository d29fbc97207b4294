//! Looking for plans that break a lock, and for the smallest one that still does.
//!
//! - [`space`]: all the plans that a question allows, as a proptest strategy;
//! - [`tree`] and `simpler`: ever simpler forms of one plan, as a proptest value tree;
//! - [`mod@shrink`]: walks down the tree while the failure stays the same;
//! - [`cause`]: which faults a failure needs, in words that tell failures apart;
//! - [`mod@sweep`]: many plans, many contenders, one account of what was found.
//!
//! Nothing here knows how a plan is run: whoever searches hands in a [`Runner`].

use picklock_sim::run::WorldError;

use crate::outcome::Outcome;
use crate::plan::Plan;

pub mod cause;
pub mod shrink;
mod simpler;
pub mod space;
pub mod sweep;
pub mod tree;

/// Runs one plan and judges it: the spine with everything but the plan chosen.
pub type Runner<'a> = &'a (dyn Fn(&Plan) -> Result<Outcome, WorldError> + Sync);
