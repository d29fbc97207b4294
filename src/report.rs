//! Reports show what the judges said; they decide nothing.

mod costs;
pub mod findings;
pub mod github;
pub mod junit;
pub mod markdown;
pub mod page;
pub mod scene;
pub mod suite;
pub mod svg;
pub mod sweep;
pub mod terminal;
pub mod timeline;
mod told;
pub(crate) mod verify;
