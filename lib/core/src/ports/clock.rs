//! What time it is.

use jiff::Timestamp;

/// Gives the time.
pub trait Clock: Send + Sync {
    /// The time now, which never goes back by more than the system's clock is set back.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
