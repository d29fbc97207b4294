//! picklock with the planted locks. Its name keeps it from being taken for the real one.

use std::process::ExitCode;

fn main() -> ExitCode {
    picklock::cli::main()
}
