//! A call as the probe of a long computation.

use mlops_algorithms::probe::Probe;
use mlops_core::Call;

/// Lets a long computation ask a call whether to stop, and report to it how far it is.
#[derive(Debug, Clone, Copy)]
pub struct CallProbe<'a>(pub &'a Call);

impl Probe for CallProbe<'_> {
    fn cancelled(&self) -> bool {
        self.0.is_over()
    }

    fn progress(&self, done: f64, total: f64, message: &str) {
        self.0.progress(done, Some(total), message);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_probe_stops_with_its_call_and_reports_to_it() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        let call = Call::new("r").reporting_to(move |progress| keep.lock().unwrap().push(progress));
        CallProbe(&call).progress(1.0, 4.0, "trees");
        assert_eq!(seen.lock().unwrap()[0].total, Some(4.0));
        assert!(CallProbe(&call).check().is_ok());
        call.cancellation.cancel();
        assert!(CallProbe(&call).check().is_err());
    }
}
