//! What a test of somebody's own lock needs, in one line: `use picklock::prelude::*;`.

pub use picklock_models::redis::Reply;
pub use picklock_sim::env::Env;

pub use crate::client::{Client, Script, unexpected};
pub use crate::engine::Engine;
pub use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams, Renewal};
pub use crate::property;
pub use crate::resource::ResourceKind;
pub use crate::scenario::{SweepSpec, WorkloadSpec};
pub use crate::terms::Claim;
