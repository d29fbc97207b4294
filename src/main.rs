//! The command line: parse, do, exit. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    picklock::cli::main()
}
