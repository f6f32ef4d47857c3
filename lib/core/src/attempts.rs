//! What failed for a moment is tried again.

use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Call, Result};

/// How long is waited before the second and the third attempt: a service that counts calls by the second takes the next
/// one then.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1_500)];

/// Does the work at most three times, with a pause after an error that can pass
/// ([`ErrorKind::is_transient`](crate::ErrorKind::is_transient)), and gives how often it was done with what the last
/// attempt gave. When the call is over there is no further attempt.
pub async fn attempts<T, F>(call: &Call, mut once: impl FnMut() -> F) -> (u32, Result<T>)
where
    F: Future<Output = Result<T>> + Send,
{
    let mut done = 0;
    for pause in PAUSES {
        let result = once().await;
        done += 1;
        if !result.as_ref().is_err_and(|error| error.kind.is_transient()) || call.pause(pause).await.is_err() {
            return (done, result);
        }
    }
    (done + 1, once().await)
}

impl Call {
    /// Waits, but not longer than the call lasts; an error when it is over.
    pub async fn pause(&self, time: Duration) -> Result<()> {
        self.compute(move |call| {
            let end = Instant::now() + time;
            loop {
                call.check()?;
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(());
                }
                thread::sleep(left.min(Duration::from_millis(25)));
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::executor::block_on;

    use super::*;
    use crate::Error;

    fn failing(times: u32, error: fn() -> Error) -> (u32, Result<u32>) {
        let asked = Cell::new(0);
        let once = || {
            asked.set(asked.get() + 1);
            let result = if asked.get() > times { Ok(asked.get()) } else { Err(error()) };
            async move { result }
        };
        let given = block_on(attempts(&Call::new("r"), once));
        assert_eq!(given.0, asked.get());
        given
    }

    #[test]
    fn what_can_pass_is_tried_three_times_and_nothing_else() {
        assert_eq!(failing(0, || Error::internal("x")).1.unwrap(), 1);
        let (times, result) = failing(1, || Error::throttled("x"));
        assert_eq!((times, result.unwrap()), (2, 2));
        let (times, result) = failing(9, || Error::unavailable("x"));
        assert!(times == 3 && result.is_err());
        let (times, result) = failing(9, || Error::forbidden("x"));
        assert!(times == 1 && result.is_err());
    }

    #[test]
    fn nobody_waits_for_a_call_that_is_over() {
        let call = Call::new("r").within(Duration::from_millis(50));
        let start = Instant::now();
        let (times, result) = block_on(attempts(&call, || async { Err::<(), _>(Error::throttled("x")) }));
        assert!(times == 1 && result.is_err() && start.elapsed() < Duration::from_millis(280));
    }
}
