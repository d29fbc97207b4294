//! The command line: parse, do, exit. Everything else is in the library.

use std::process::ExitCode;

/// A run allocates in small pieces and a sweep does nothing else, on every core at once.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    picklock::cli::main()
}
