//! `motetd`: parses, and calls [`motet_server::run`].

use std::{io::Write, process::ExitCode};

use clap::Parser;
use motet_server::{
    auth::admin::{AdminAction, AdminArgs, AdminError, Task, ask_password, create_admin},
    clock::now_ms,
    config::{Config, Flags, LogFormat},
    run::{Listeners, RunError, open_store, run, runtime},
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// An edit takes and gives back a dozen small pieces of memory. With mimalloc it costs about a sixth less processor time than with
/// the system's allocator; an idle server keeps about 20 MB more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut flags = Flags::parse();
    let task = flags.task.take();
    let config = match flags.resolve() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("motetd: {error}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = start_logging(&config) {
        eprintln!("motetd: the log filter {:?} is wrong: {error}", config.log);
        return ExitCode::from(2);
    }
    let ended = match task {
        None => serve(config).map_err(|error| error.to_string()),
        Some(Task::Admin(AdminArgs { action })) => administer(&config, action).map_err(|error| error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("motetd: {error}");
            ExitCode::FAILURE
        }
    }
}

fn administer(config: &Config, action: AdminAction) -> Result<(), AdminError> {
    let AdminAction::Create { name } = action;
    let store = open_store(config)?;
    let name = create_admin(&store, &name, &ask_password()?, now_ms())?;
    // Whoever made the account may not be listening for this line.
    let _ = writeln!(std::io::stdout(), "made the admin account {name}");
    Ok(())
}

fn serve(config: Config) -> Result<(), RunError> {
    runtime(config.threads)?.block_on(async {
        let listeners = Listeners::bind(&config).await?;
        let ready = format!("motetd ready http={} tcp={}", listeners.http.local_addr()?, listeners.tcp.local_addr()?);
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let store = {
            let config = config.clone();
            let opened = tokio::task::spawn_blocking(move || open_store(&config)).await;
            opened.map_err(std::io::Error::other)??
        };
        // Whoever started the server may not be listening for this line; that is no reason not to serve.
        let _ = writeln!(std::io::stdout(), "{ready}");
        let shutdown = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        // On a thread of the runtime, whose parks write to connections; this one's do not.
        let served = tokio::spawn(async move { run(config, store, listeners, shutdown).await });
        served.await.map_err(std::io::Error::other)?
    })
}

fn start_logging(config: &Config) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(&config.log)?;
    let to_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.with_ansi(to_terminal).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
