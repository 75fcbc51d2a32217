//! How a load is stopped before its time.

use std::future::Future;

use crate::cli::Failure;

/// Waits until somebody presses Ctrl-C. The first time this is asked, the process no longer ends by that itself.
pub(super) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Where it cannot be heard the process ends by it, as any other.
        std::future::pending::<()>().await;
    }
}

/// Does something until it is done, or it is to be stopped.
pub(super) async fn until<T>(
    stop: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        () = stop => Err(Failure::Failed("stopped before its time".to_owned())),
    }
}
