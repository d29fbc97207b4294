//! picklock.
