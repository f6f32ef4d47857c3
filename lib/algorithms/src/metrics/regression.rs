//! Measures of how far predicted numbers are from true ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measure, Result, input, quantile};

/// True and predicted numbers of the same rows, checked once. Each measure is a method.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    truth: &'a [f64],
    predicted: &'a [f64],
    weights: Option<&'a [f64]>,
}

/// The mean absolute percentage error, and what was left out of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PercentageError {
    /// The mean of `|truth − predicted| / |truth|` as a fraction (0.1 is 10 %); null when every true value is 0.
    pub value: Option<f64>,
    /// The number of rows left out because the true value is 0.
    pub excluded_zero_targets: u64,
    /// Why there is no value; null when there is one.
    pub reason: Option<String>,
}

impl<'a> Predictions<'a> {
    /// Takes true and predicted values, one each row, and sample weights.
    ///
    /// Fails for no rows, different lengths, values that are not finite or above 1e150, or unusable weights.
    pub fn new(truth: &'a [f64], predicted: &'a [f64], weights: Option<&'a [f64]>) -> Result<Self> {
        input::not_empty("truth", truth.len())?;
        input::same_length("predicted", predicted.len(), "truth", truth.len())?;
        input::finite("truth", truth)?;
        input::finite("predicted", predicted)?;
        input::weights(weights, truth.len())?;
        Ok(Self { truth, predicted, weights })
    }

    /// Takes values that were checked.
    pub(super) fn checked(truth: &'a [f64], predicted: &'a [f64], weights: Option<&'a [f64]>) -> Self {
        Self { truth, predicted, weights }
    }

    /// The number of rows.
    pub fn n(&self) -> u64 {
        self.truth.len() as u64
    }

    /// The residuals: truth minus predicted, in the unit of the target.
    pub fn residuals(&self) -> impl Iterator<Item = f64> + use<'a> {
        self.truth.iter().zip(self.predicted).map(|(truth, predicted)| truth - predicted)
    }

    /// The root of the mean squared error, in the unit of the target.
    pub fn root_mean_squared_error(&self) -> f64 {
        self.mean(self.residuals().map(|residual| residual * residual)).sqrt()
    }

    /// The mean absolute error, in the unit of the target.
    pub fn mean_absolute_error(&self) -> f64 {
        self.mean(self.residuals().map(f64::abs))
    }

    /// The median absolute error, in the unit of the target; with weights the averaged weighted median.
    pub fn median_absolute_error(&self) -> f64 {
        match self.weights {
            None => {
                let sorted = quantile::sorted(self.residuals().map(f64::abs));
                quantile::of_sorted(&sorted, 0.5).unwrap_or(0.0)
            }
            Some(weights) => weighted_median(self.residuals().map(f64::abs).zip(weights.iter().copied())),
        }
    }

    /// The largest absolute error of any row, in the unit of the target. Weights do not count.
    pub fn max_error(&self) -> f64 {
        self.residuals().map(f64::abs).fold(0.0, f64::max)
    }

    /// The mean of predicted minus truth, in the unit of the target: positive when predictions are too high.
    pub fn mean_bias(&self) -> f64 {
        -self.mean(self.residuals())
    }

    /// The coefficient of determination, `1 − Σ(truth − predicted)² / Σ(truth − mean)²`.
    ///
    /// Undefined for one row. For a constant target it is 1 when every prediction is right and else 0, as
    /// `sklearn.metrics.r2_score`.
    pub fn r2(&self) -> Measure {
        if self.truth.len() < 2 {
            return Measure::undefined("R² needs at least 2 rows");
        }
        let errors = self.mean(self.residuals().map(|residual| residual * residual));
        self.explained(errors)
    }

    /// The share of the target's variance that the predictions explain; like R², but a constant bias costs nothing.
    pub fn explained_variance(&self) -> Measure {
        let bias = self.mean(self.residuals());
        let errors = self.mean(self.residuals().map(|residual| (residual - bias) * (residual - bias)));
        self.explained(errors)
    }

    /// Whether all true values are equal.
    pub fn has_constant_target(&self) -> bool {
        self.truth.iter().all(|&value| value == self.truth[0])
    }

    /// The mean absolute percentage error as a fraction. Rows whose true value is 0 are left out and counted, where
    /// `sklearn.metrics.mean_absolute_percentage_error` divides by the machine's ε; other true values are divided
    /// by at least ε, as there.
    pub fn mean_absolute_percentage_error(&self) -> PercentageError {
        let (mut sum, mut total, mut excluded_zero_targets) = (0.0, 0.0, 0);
        for (row, (&truth, &predicted)) in self.truth.iter().zip(self.predicted).enumerate() {
            if truth == 0.0 {
                excluded_zero_targets += 1;
                continue;
            }
            let weight = self.weights.map_or(1.0, |weights| weights[row]);
            sum += weight * (truth - predicted).abs() / truth.abs().max(f64::EPSILON);
            total += weight;
        }
        let measure = if total > 0.0 {
            Measure::of(sum / total)
        } else {
            Measure::undefined("every true value is 0, and a percentage of 0 is not defined")
        };
        PercentageError { value: measure.value, excluded_zero_targets, reason: measure.reason }
    }

    /// The symmetric mean absolute percentage error as a fraction from 0 to 2: the mean of
    /// `2·|truth − predicted| / (|truth| + |predicted|)`, where 0 against 0 counts as 0.
    pub fn symmetric_mean_absolute_percentage_error(&self) -> f64 {
        let share = |(truth, predicted): (&f64, &f64)| {
            let size = truth.abs() + predicted.abs();
            if size == 0.0 { 0.0 } else { 2.0 * ((truth - predicted).abs() / size) }
        };
        self.mean(self.truth.iter().zip(self.predicted).map(share))
    }

    /// The mean pinball loss of predictions of the quantile `alpha`, in the unit of the target.
    ///
    /// Fails for an `alpha` outside 0 to 1.
    pub fn pinball_loss(&self, alpha: f64) -> Result<f64> {
        if !(0.0..=1.0).contains(&alpha) {
            return Err(input::parameter("alpha", alpha, "between 0 and 1"));
        }
        let loss = |residual: f64| if residual >= 0.0 { alpha * residual } else { (alpha - 1.0) * residual };
        Ok(self.mean(self.residuals().map(loss)))
    }

    fn explained(&self, errors: f64) -> Measure {
        let spread = if self.has_constant_target() {
            0.0
        } else {
            let mean = self.mean(self.truth.iter().copied());
            self.mean(self.truth.iter().map(|truth| (truth - mean) * (truth - mean)))
        };
        match (errors == 0.0, spread == 0.0) {
            (true, _) => Measure::of(1.0),
            (false, true) => Measure::of(0.0),
            (false, false) => Measure::of(1.0 - errors / spread),
        }
    }

    fn mean(&self, values: impl Iterator<Item = f64>) -> f64 {
        input::mean(values, self.weights)
    }
}

/// The value at half of the weight; where half falls between two values, their mean.
fn weighted_median(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let mut values: Vec<(f64, f64)> = values.filter(|(_, weight)| *weight > 0.0).collect();
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut sum = 0.0;
    let mut below = Vec::with_capacity(values.len());
    for (_, weight) in &values {
        sum += weight;
        below.push(sum);
    }
    let half = below.last().copied().unwrap_or(0.0) / 2.0;
    let at = below.partition_point(|&sum| sum < half);
    match (values.get(at), values.get(at + 1)) {
        (Some(value), Some(next)) if below[at] - half <= f64::EPSILON => f64::midpoint(value.0, next.0),
        (Some(value), _) => value.0,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        assert!(Predictions::new(&[], &[], None).is_err());
        assert!(Predictions::new(&[1.0], &[1.0, 2.0], None).is_err());
        let error = Predictions::new(&[1.0, f64::NAN], &[1.0, 2.0], None).unwrap_err();
        assert!(error.to_string().starts_with("truth[1] is NaN"));
        assert!(Predictions::new(&[1.0], &[f64::INFINITY], None).is_err());
        assert!(Predictions::new(&[1.0], &[1.0], Some(&[-1.0])).is_err());
        assert!(Predictions::new(&[1.0], &[1.0], None).unwrap().pinball_loss(1.5).is_err());
    }

    #[test]
    fn a_constant_target_has_a_defined_r2() {
        let of = |predicted: &[f64]| Predictions::new(&[0.1; 3], predicted, None).unwrap().r2().value;
        assert_eq!(of(&[0.1; 3]), Some(1.0));
        assert_eq!(of(&[0.1, 0.1, 0.2]), Some(0.0));
        let one = Predictions::new(&[1.0], &[2.0], None).unwrap().r2();
        assert!(one.value.is_none() && one.reason.is_some());
    }

    #[test]
    fn zero_targets_are_left_out_of_percentages_and_counted() {
        let error =
            Predictions::new(&[0.0, 2.0, 0.0], &[1.0, 1.0, 0.0], None).unwrap().mean_absolute_percentage_error();
        assert_eq!((error.value, error.excluded_zero_targets), (Some(0.5), 2));
        let error = Predictions::new(&[0.0], &[1.0], None).unwrap().mean_absolute_percentage_error();
        assert_eq!((error.value, error.excluded_zero_targets), (None, 1));
        assert!(error.reason.is_some());
    }

    #[test]
    fn large_values_stay_finite() {
        let predictions = Predictions::new(&[9e149, -9e149, 1e-300], &[-9e149, 9e149, 9e149], None).unwrap();
        assert!(predictions.root_mean_squared_error().is_finite());
        assert!(predictions.mean_absolute_percentage_error().value.is_some());
        assert!(predictions.r2().value.is_some());
        assert!(predictions.symmetric_mean_absolute_percentage_error() <= 2.0);
    }

    #[test]
    fn the_weighted_median_splits_the_weight() {
        let of = |weights| Predictions::new(&[1.0, 2.0, 4.0], &[0.0; 3], Some(weights)).unwrap();
        assert_eq!(of(&[1.0, 1.0, 1.0][..]).median_absolute_error(), 2.0);
        assert_eq!(of(&[1.0, 1.0, 2.0][..]).median_absolute_error(), 3.0);
        assert_eq!(of(&[1.0, 0.0, 1.0][..]).median_absolute_error(), 2.5);
        assert_eq!(of(&[0.0, 0.0, 1.0][..]).median_absolute_error(), 4.0);
    }

    proptest! {
        #[test]
        fn errors_are_ordered(rows in prop::collection::vec((-1e3_f64..1e3, -1e3_f64..1e3), 1..40)) {
            let truth: Vec<f64> = rows.iter().map(|row| row.0).collect();
            let predicted: Vec<f64> = rows.iter().map(|row| row.1).collect();
            let all = Predictions::new(&truth, &predicted, None).unwrap();
            let (mae, rmse) = (all.mean_absolute_error(), all.root_mean_squared_error());
            prop_assert!(all.mean_bias().abs() <= mae + 1e-9);
            prop_assert!(mae <= rmse + 1e-9 && rmse <= all.max_error() + 1e-9);
            prop_assert!((all.pinball_loss(0.5).unwrap() - mae / 2.0).abs() < 1e-9);
            if let (Some(r2), Some(explained)) = (all.r2().value, all.explained_variance().value) {
                prop_assert!(r2 <= explained + 1e-9 && explained <= 1.0);
            }
        }
    }
}
