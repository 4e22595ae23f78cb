//! The binary: reads the command line and does what it says.

use std::{io::Write as _, process::ExitCode};

use bobbin::app::cli::Cli;
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(code) => code,
        Err(error) => {
            // Standard error may be closed; the exit code says it all the same.
            let _written = writeln!(std::io::stderr(), "bobbin: {error:#}").is_ok();
            ExitCode::FAILURE
        }
    }
}
