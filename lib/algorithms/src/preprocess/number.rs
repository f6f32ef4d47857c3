//! A column of numbers: clip, fill, scale.

use serde::{Deserialize, Serialize};

use super::statistics::Summary;
use super::{MissingValues, Outliers, PreprocessConfig, Scaler};
use crate::table::ColumnKind;

/// What was learnt about a column of numbers. A value `x` becomes `(clip(x) - center) / scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberColumn {
    /// What a missing value becomes before it is scaled; `None` when rows with missing values are dropped.
    pub fill: Option<f64>,
    /// The lower and upper limit for outliers; `None` when nothing is clipped.
    pub limits: Option<(f64, f64)>,
    /// The mean, the minimum or the median; 0 without scaling.
    pub center: f64,
    /// The standard deviation, the range or the distance between the quartiles; 1 when that is zero or without scaling.
    pub scale: f64,
}

impl NumberColumn {
    /// Learns from the training values; `NaN` is missing and no value is infinite.
    pub(super) fn fit(values: &[f64], kind: ColumnKind, config: &PreprocessConfig) -> Self {
        let mut summary = Summary::of(values.iter().copied().filter(|value| !value.is_nan()).collect());
        let limits = if kind == ColumnKind::Boolean { None } else { limits(&summary, config.outliers) };
        if let Some((low, high)) = limits {
            summary = Summary::of(values.iter().filter(|value| !value.is_nan()).map(|v| v.clamp(low, high)).collect());
        }
        let fill = match config.handle_missing {
            MissingValues::Drop => None,
            MissingValues::Mean => summary.mean(),
            MissingValues::Median => summary.quantile(0.5),
            MissingValues::Mode => summary.mode(),
        };
        let missing = values.len() - summary.count();
        if let Some(fill) = fill.filter(|_| missing > 0 && config.normalize) {
            summary = summary.with(fill, missing);
        }
        let (center, scale) = if config.normalize { scale(&summary, config.scaler) } else { (0.0, 1.0) };
        Self { fill, limits, center, scale }
    }

    /// The feature of one value; `None` when it is missing and there is nothing to fill it with.
    pub(super) fn apply(&self, value: f64) -> Option<f64> {
        let value = if value.is_nan() { self.fill? } else { value };
        let value = self.limits.map_or(value, |(low, high)| value.clamp(low, high));
        let scaled = (value - self.center) / self.scale;
        if scaled.is_finite() {
            return Some(scaled);
        }
        // The difference, or the quotient by a tiny scale, is beyond what a number can hold.
        let scaled = value / self.scale - self.center / self.scale;
        Some(if scaled.is_nan() { 0.0 } else { scaled.clamp(f64::MIN, f64::MAX) })
    }

    /// Whether the value would be moved to a limit.
    pub(super) fn clips(&self, value: f64) -> bool {
        self.limits.is_some_and(|(low, high)| value < low || value > high)
    }

    /// What is wrong with the parameters, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let (low, high) = self.limits.unwrap_or_default();
        let numbers = [self.fill.unwrap_or_default(), low, high, self.center, self.scale];
        match () {
            () if numbers.iter().any(|number| !number.is_finite()) => Some("a parameter is not a finite number"),
            () if self.scale <= 0.0 => Some("the scale is not above 0"),
            () if low > high => Some("the lower limit is above the upper limit"),
            () => None,
        }
    }
}

fn limits(summary: &Summary, outliers: Outliers) -> Option<(f64, f64)> {
    let (low, high) = match outliers {
        Outliers::None => return None,
        Outliers::ClipIqr => {
            let (first, third) = (summary.quantile(0.25)?, summary.quantile(0.75)?);
            let reach = 1.5 * (third - first);
            if reach == 0.0 {
                return None;
            }
            (first - reach, third + reach)
        }
        Outliers::ClipQuantile => (summary.quantile(0.01)?, summary.quantile(0.99)?),
    };
    (low < high && low.is_finite() && high.is_finite()).then_some((low, high))
}

/// The center and the scale as scikit-learn's `StandardScaler`, `MinMaxScaler` and `RobustScaler` have them.
fn scale(summary: &Summary, scaler: Scaler) -> (f64, f64) {
    let statistics = || {
        Some(match scaler {
            Scaler::Standard => {
                let (deviation, constant) = summary.deviation()?;
                (summary.mean()?, if constant { 1.0 } else { deviation })
            }
            Scaler::MinMax => (summary.min()?, unless_zero(summary.max()? - summary.min()?)),
            Scaler::Robust => (summary.quantile(0.5)?, unless_zero(summary.quantile(0.75)? - summary.quantile(0.25)?)),
        })
    };
    let (center, scale) = statistics().unwrap_or((0.0, 1.0));
    (center, scale.min(f64::MAX))
}

/// 1 for a spread that is zero up to rounding.
fn unless_zero(spread: f64) -> f64 {
    if spread < 10.0 * f64::EPSILON { 1.0 } else { spread }
}
