//! `motet`: parses, and calls the command.

use std::process::ExitCode;

use clap::Parser;
use motet_cli::arguments::{Cli, not_a_command, run};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("MOTET_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .log_internal_errors(false)
        .init();
    match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => not_a_command(&error),
    }
}
