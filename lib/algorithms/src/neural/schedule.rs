//! How the learning rate changes while a network is trained.

use std::f64::consts::PI;

/// The share of the steps in which [`Schedule::OneCycle`] warms up, and the parts of the highest rate at both ends.
const WARM_UP: f64 = 0.3;
const FIRST_PART: f64 = 1.0 / 25.0;
const LAST_PART: f64 = 1e-4;

/// A learning-rate schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The first rate throughout.
    Constant,
    /// The first rate divided by a power of the number of rows seen so far, changed once an epoch.
    InverseScaling {
        /// The exponent.
        power: f64,
    },
    /// Divided by 5 whenever the loss has stopped falling; training ends once it is 1e-6 or less.
    Adaptive,
    /// Multiplied by `factor` after every `epochs` epochs.
    Step {
        /// How many epochs a rate holds.
        epochs: usize,
        /// The factor.
        factor: f64,
    },
    /// From the first rate down to 0 along half a cosine (Loshchilov and Hutter, 2017, without restarts).
    Cosine,
    /// Up from a 25th of the rate over the first 30 % of the steps, then down to a 10,000th of it, along cosines (Smith
    /// and Topin, 2018).
    OneCycle,
}

impl Schedule {
    /// The factor of the learning rate at a step. Steps and epochs count from 0; `total` is the most steps there can be.
    pub fn factor(self, epoch: usize, step: u64, total: u64, rows_seen: u64) -> f64 {
        let part = step as f64 / (total as f64).max(1.0);
        let cosine = |from: f64, to: f64, part: f64| to + (from - to) * 0.5 * (1.0 + (PI * part).cos());
        match self {
            Self::Constant | Self::Adaptive => 1.0,
            Self::InverseScaling { power } => (rows_seen as f64 + 1.0).powf(-power),
            Self::Step { epochs, factor } => factor.powf((epoch / epochs.max(1)) as f64),
            Self::Cosine => cosine(1.0, 0.0, part),
            Self::OneCycle if part < WARM_UP => cosine(FIRST_PART, 1.0, part / WARM_UP),
            Self::OneCycle => cosine(1.0, LAST_PART, (part - WARM_UP) / (1.0 - WARM_UP)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_start_and_end_where_they_should() {
        let near = |schedule: Schedule, step, expected: f64| {
            let factor = schedule.factor(step as usize / 10, step, 100, step * 10);
            assert!((factor - expected).abs() < 1e-9, "{schedule:?} at {step}: {factor}");
        };
        near(Schedule::Constant, 70, 1.0);
        near(Schedule::Cosine, 0, 1.0);
        near(Schedule::Cosine, 50, 0.5);
        near(Schedule::Cosine, 100, 0.0);
        near(Schedule::OneCycle, 0, 0.04);
        near(Schedule::OneCycle, 30, 1.0);
        near(Schedule::OneCycle, 100, 1e-4);
        near(Schedule::Step { epochs: 3, factor: 0.1 }, 20, 1.0);
        near(Schedule::Step { epochs: 3, factor: 0.1 }, 65, 0.01);
        near(Schedule::InverseScaling { power: 0.5 }, 0, 1.0);
        near(Schedule::InverseScaling { power: 0.5 }, 10, 101_f64.powf(-0.5));
    }
}
