//! How often a key may call: a bucket that fills evenly and holds a minute's worth.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

struct Bucket {
    level: f64,
    at: Instant,
}

/// The buckets, one a key.
pub(super) struct Rate {
    per_minute: Option<f64>,
    buckets: Vec<Mutex<Bucket>>,
}

impl Rate {
    pub(super) fn new(per_minute: Option<u32>, keys: usize) -> Self {
        let per_minute = per_minute.map(f64::from);
        let full = || Mutex::new(Bucket { level: per_minute.unwrap_or_default(), at: Instant::now() });
        Self { per_minute, buckets: (0..keys.max(1)).map(|_| full()).collect() }
    }

    /// Takes one request of that key's, or says how long to wait for the next.
    pub(super) fn take(&self, key: usize, now: Instant) -> Result<(), Duration> {
        let (Some(per_minute), Some(bucket)) = (self.per_minute, self.buckets.get(key)) else { return Ok(()) };
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let per_second = per_minute / 60.0;
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() * per_second;
        bucket.level = (bucket.level + gained).min(per_minute);
        bucket.at = now.max(bucket.at);
        if bucket.level < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.level) / per_second));
        }
        bucket.level -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_may_come_at_once_and_then_evenly_for_each_key_alone() {
        let rate = Rate::new(Some(60), 2);
        let start = Instant::now();
        for _ in 0..60 {
            rate.take(0, start).unwrap();
        }
        let wait = rate.take(0, start).unwrap_err();
        assert!(wait <= Duration::from_secs(1) && wait > Duration::from_millis(900), "{wait:?}");
        rate.take(1, start).unwrap();
        rate.take(0, start + Duration::from_millis(1_001)).unwrap();
        rate.take(0, start + Duration::from_millis(1_002)).unwrap_err();
        assert!(Rate::new(None, 1).take(0, start).is_ok());
    }
}
