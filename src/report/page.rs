//! page stub replaced by merge.
use crate::compare::Matrix;
/// slug
pub fn slug(a: &str, b: &str) -> String {
    format!("{a}-{b}").replace([' ', '+'], "-")
}
/// render
pub fn render(_: &Matrix) -> String {
    String::new()
}
