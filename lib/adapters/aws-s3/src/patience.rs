//! Pauses between attempts, and names that nobody else has.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;

/// The pause before the second attempt; it doubles with every further one.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// How long an answer may take to begin: a request without a body, and what a body adds to it at this many bytes a
/// second. A body that stands still is noticed earlier, by the SDK.
const ANSWER: Duration = Duration::from_mins(1);
const SLOWEST: u64 = 256 * 1024;

/// Waits before attempt `attempt + 2`, a random time, so that those that met do not meet again.
pub(crate) async fn pause(attempt: u32) {
    let whole = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    let random = (random() % 1000) as f64 / 1000.0;
    tokio::time::sleep(whole.mul_f64(0.5 + random / 2.0)).await;
}

/// A name that no other write has.
pub(crate) fn unique() -> String {
    format!("{:016x}{:016x}", random(), random())
}

/// The limits of a request with a body of so many bytes. The whole is not limited: a large object takes its time.
pub(crate) fn timeouts(bytes: u64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .read_timeout(ANSWER + Duration::from_secs(bytes / SLOWEST))
        .disable_operation_attempt_timeout()
        .disable_operation_timeout()
        .build()
}

/// The hasher of the standard library begins with random numbers of the operating system, another one each time.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<String> = (0..1000).map(|_| unique()).collect();
        assert_eq!(names.len(), 1000);
        assert!(names.iter().all(|name| name.len() == 32));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_limit() {
        for (attempt, longest) in [(0, 50), (3, 400), (30, 2000)] {
            let begin = tokio::time::Instant::now();
            pause(attempt).await;
            let waited = begin.elapsed().as_millis();
            assert!(waited >= longest / 2 && waited <= longest + 1, "{attempt}: {waited} ms");
        }
    }

    #[test]
    fn large_bodies_have_more_time() {
        assert_eq!(timeouts(0).read_timeout(), Some(ANSWER));
        assert_eq!(timeouts(SLOWEST * 40).read_timeout(), Some(Duration::from_secs(100)));
    }
}
