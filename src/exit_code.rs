//! Exit codes: the contract with scripts and CI.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything came out as expected.
    AsExpected = 0,
    /// A verdict that was not expected.
    Unexpected = 1,
    /// Input that cannot be used.
    BadInput = 2,
    /// A run that did not repeat.
    NotRepeated = 3,
    /// picklock itself failed.
    Internal = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
