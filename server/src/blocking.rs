//! Work that waits for the disk or computes for long, kept off the runtime's threads.

use motet_protocol::error::ErrorCode;

use crate::refusal::Refusal;

/// Runs `work` on the runtime's blocking pool and waits for it: see [`offload`], with the error of the work turned into a
/// refusal. Where the original error is needed (to be logged, say), call [`offload`].
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Refusal>
where
    T: Send + 'static,
    E: Into<Refusal> + Send + 'static,
{
    offload(work).await?.map_err(Into::into)
}

/// Runs `work` on the runtime's blocking pool and waits for it. Dropping the future does not stop `work`.
///
/// # Errors
///
/// [`ErrorCode::Internal`] if `work` panicked; the panic hook has logged where.
pub async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Refusal::new(ErrorCode::Internal, "the server failed at this; its log says where"))
}
