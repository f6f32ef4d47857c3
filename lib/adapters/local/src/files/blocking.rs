//! Runs file operations on threads that may wait.

use mlops_core::{Error, Result};

/// Runs the work on a thread of the runtime that may wait. Work that has begun ends, even when nobody waits for it.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::internal("a file operation was broken off").caused_by(error)),
    }
}
