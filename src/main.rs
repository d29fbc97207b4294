//! picklock.
fn main() {}
