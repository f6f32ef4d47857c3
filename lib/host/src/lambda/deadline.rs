//! How long an invocation may work, so that its answer leaves before Lambda ends it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most time that is kept for the answer.
const LONGEST_MARGIN: Duration = Duration::from_secs(2);
/// A deadline before this is no point in time: `cargo lambda watch` gives every invocation 600,000 milliseconds since 1970.
const FIRST_POINT: Duration = Duration::from_hours(24);

/// The times of one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// How long the work may take; it looks at the clock itself and stops in order.
    pub(super) work: Duration,
    /// How long it is waited for when it does not look at the clock.
    pub(super) wait: Duration,
}

/// The times until a deadline in milliseconds since 1970. A tenth of the time that is left, at most two seconds, is kept
/// for stopping and answering.
pub(super) fn times(deadline: u64, now: SystemTime) -> Times {
    let since_1970 = Duration::from_millis(deadline);
    let left = if since_1970 < FIRST_POINT {
        since_1970
    } else {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        since_1970.saturating_sub(now)
    };
    let margin = (left / 10).min(LONGEST_MARGIN);
    Times { work: left.saturating_sub(margin), wait: left.saturating_sub(margin / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_and_at_most_two_seconds_are_kept() {
        let now = UNIX_EPOCH + Duration::from_hours(500_000);
        let in_time = |left: u64| times(1_800_000_000_000 + left, now);
        let expect = |work, wait| Times { work: Duration::from_millis(work), wait: Duration::from_millis(wait) };
        assert_eq!(in_time(900_000), expect(898_000, 899_000));
        assert_eq!(in_time(3_000), expect(2_700, 2_850));
        assert_eq!(times(1_799_999_999_000, now), expect(0, 0), "the time is over");
        assert_eq!(times(600_000, now), expect(598_000, 599_000), "what cargo lambda watch gives");
    }
}
