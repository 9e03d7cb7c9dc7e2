//! The program `carepost-hub`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sync_hub::cli::run()
}
