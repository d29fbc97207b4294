//! The command line of the suite: parse, do, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    picklock_adapters::cli::main()
}
