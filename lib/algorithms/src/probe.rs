//! How a long computation asks whether to stop and says how far it has come.

/// What a long computation talks to while it runs; it may be called from any thread.
pub trait Probe: Sync {
    /// Whether the caller wants the computation to stop.
    fn cancelled(&self) -> bool;

    /// Takes a report of `done` out of `total` units of work, with a short text on what is being done.
    fn progress(&self, done: f64, total: f64, message: &str);

    /// `Err(Cancelled)` once the caller wants the computation to stop; made for `?` inside a loop.
    fn check(&self) -> Result<(), Cancelled> {
        if self.cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// A probe that never cancels and drops every report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silent;

/// The computation stopped because its probe asked for it; there is no partial result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the computation was cancelled")]
pub struct Cancelled;

impl Probe for Silent {
    fn cancelled(&self) -> bool {
        false
    }

    fn progress(&self, _done: f64, _total: f64, _message: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stop;

    impl Probe for Stop {
        fn cancelled(&self) -> bool {
            true
        }

        fn progress(&self, _done: f64, _total: f64, _message: &str) {}
    }

    #[test]
    fn silent_never_cancels() {
        Silent.progress(1.0, 2.0, "half");
        assert_eq!(Silent.check(), Ok(()));
    }

    #[test]
    fn a_probe_that_cancels_stops_the_computation() {
        Stop.progress(0.0, 1.0, "");
        assert_eq!(Stop.check(), Err(Cancelled));
        assert_eq!(Cancelled.to_string(), "the computation was cancelled");
    }
}
