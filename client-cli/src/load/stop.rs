//! How a load is stopped before its time.

use std::future::Future;

use crate::cli::Failure;

/// Waits for SIGINT (Ctrl-C) or SIGTERM. From the first call on, these signals no longer end the process by themselves.
pub(super) async fn interrupted() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the signal ends the process as usual.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut signals) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    signals.recv().await;
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// Runs `work` until it ends or `stop` does.
pub(super) async fn until<T>(
    stop: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        () = stop => Err(Failure::Failed("stopped before its time".to_owned())),
    }
}
