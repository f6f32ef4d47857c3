//! Measures of how good predictions are, with what is uncertain about them.
//!
//! Classes are codes `0..n_classes`, probabilities are rows × classes. No result holds a number that is not finite: what
//! is not defined is absent, with the reason beside it. Definitions follow scikit-learn where it has one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod bootstrap;
pub mod calibration;
pub mod classification;
pub mod classifier;
pub mod clustering;
pub mod confusion;
pub mod curves;
pub mod delong;
mod distributions;
mod error;
mod input;
pub mod intervals;
pub mod multiclass_roc;
pub mod paired;
pub mod precision_recall;
pub mod probability;
mod quantile;
pub mod regression;
pub mod regressor;
mod resampled;
pub mod residuals;
pub mod roc;
pub mod slices;
pub mod threshold;

pub use error::{MetricError, Result};

/// A number, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// The value; null when it is not defined for this data.
    pub value: Option<f64>,
    /// Why there is no value; null when there is one.
    pub reason: Option<String>,
}

impl Measure {
    /// A defined value. One that is not finite becomes an undefined measure.
    pub fn of(value: f64) -> Self {
        if value.is_finite() {
            Self { value: Some(value), reason: None }
        } else {
            Self::undefined("the value is outside the range of floating point numbers")
        }
    }

    /// No value, and why.
    pub fn undefined(reason: impl Into<String>) -> Self {
        Self { value: None, reason: Some(reason.into()) }
    }
}

/// The range that holds the true value of a measure with the stated confidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// The confidence level, between 0 and 1.
    pub confidence: f64,
    /// How the interval was computed.
    pub method: IntervalMethod,
}

/// How a confidence interval was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Wilson's score interval for a proportion.
    Wilson,
    /// `DeLong`'s variance of an area under the ROC curve, with the normal distribution.
    Delong,
    /// Percentiles of the measure over resampled rows.
    PercentileBootstrap,
    /// Student's t distribution of a mean.
    StudentT,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_finite_or_says_why_not() {
        assert_eq!(Measure::of(0.5).value, Some(0.5));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let measure = Measure::of(value);
            assert_eq!(measure.value, None);
            assert!(measure.reason.is_some());
        }
    }
}
