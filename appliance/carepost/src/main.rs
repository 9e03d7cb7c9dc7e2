//! The program `carepost`.

use std::process::ExitCode;

fn main() -> ExitCode {
    carepost::cli::run()
}
