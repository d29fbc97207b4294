//! Reports show what the judges said; they decide nothing.

pub mod findings;
pub mod page;
pub mod scene;
pub mod svg;
pub mod terminal;
pub mod timeline;
