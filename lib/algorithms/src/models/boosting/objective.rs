//! What boosting minimises: first and second derivatives, the best constant, and the score of each round.

use serde::{Deserialize, Serialize};

use super::exponential::{exp, sigmoid};
use super::quantile::quantile;
use crate::parallel;

/// Rows that one task works on.
pub(super) const CHUNK: usize = 8192;
/// No second derivative is smaller, as in XGBoost.
const LEAST_HESSIAN: f32 = 1e-16;

/// What is minimised, with its own parameters.
///
/// A *margin* is the sum of the trees' values; [`Objective::transform`] makes the prediction of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Objective {
    /// Log loss of two classes; the margin is the log-odds of the second.
    #[serde(rename = "binary:logistic")]
    Logistic {
        /// How much rows of the second class count.
        scale_pos_weight: f64,
    },
    /// Log loss of several classes; one margin a class.
    #[serde(rename = "multi:softprob")]
    Softmax {
        /// The number of classes.
        classes: u32,
    },
    /// Half the squared error.
    #[serde(rename = "reg:squarederror")]
    Squared,
    /// The absolute error; leaves are set to medians.
    #[serde(rename = "reg:absoluteerror")]
    Absolute,
    /// The pinball loss; leaves are set to quantiles.
    #[serde(rename = "reg:quantileerror")]
    Quantile {
        /// The quantile, above 0 and below 1.
        alpha: f64,
    },
    /// Poisson counts; the margin is the logarithm of the mean.
    #[serde(rename = "count:poisson")]
    Poisson {
        /// Added to the margin of the second derivative, which makes steps smaller.
        max_delta_step: f64,
    },
    /// The Tweedie distribution; the margin is the logarithm of the mean.
    #[serde(rename = "reg:tweedie")]
    Tweedie {
        /// The power of the variance, above 1 and below 2.
        power: f64,
    },
}

/// First and second derivative of the loss of one row.
pub(super) type Gradient = [f32; 2];

/// The targets that an objective is minimised on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labels<'a> {
    /// Class codes or numbers.
    pub(super) values: &'a [f32],
    /// How much each row counts; `None` when all count 1.
    pub(super) weights: Option<&'a [f32]>,
}

impl Labels<'_> {
    fn weight(&self, row: usize) -> f32 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    fn mean(&self, value: impl Fn(usize) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for row in 0..self.values.len() {
            let weight = f64::from(self.weight(row));
            if weight > 0.0 {
                sum += weight * value(row);
                total += weight;
            }
        }
        sum / total
    }
}

impl Objective {
    /// How many margins a row has, and so how many trees a round adds.
    pub const fn groups(&self) -> usize {
        match self {
            Self::Softmax { classes } => *classes as usize,
            _ => 1,
        }
    }

    /// XGBoost's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Logistic { .. } => "binary:logistic",
            Self::Softmax { .. } => "multi:softprob",
            Self::Squared => "reg:squarederror",
            Self::Absolute => "reg:absoluteerror",
            Self::Quantile { .. } => "reg:quantileerror",
            Self::Poisson { .. } => "count:poisson",
            Self::Tweedie { .. } => "reg:tweedie",
        }
    }

    /// Whether its parameters lie in their ranges.
    pub(super) fn is_valid(&self) -> bool {
        match self {
            Self::Logistic { scale_pos_weight } => scale_pos_weight.is_finite() && *scale_pos_weight > 0.0,
            Self::Softmax { classes } => *classes >= 2,
            Self::Quantile { alpha } => *alpha > 0.0 && *alpha < 1.0,
            Self::Poisson { max_delta_step } => max_delta_step.is_finite() && *max_delta_step >= 0.0,
            Self::Tweedie { power } => *power > 1.0 && *power < 2.0,
            Self::Squared | Self::Absolute => true,
        }
    }

    /// XGBoost's name of the score that is minimised over the rounds.
    pub const fn metric(&self) -> &'static str {
        match self {
            Self::Logistic { .. } => "logloss",
            Self::Softmax { .. } => "mlogloss",
            Self::Squared => "rmse",
            Self::Absolute => "mae",
            Self::Quantile { .. } => "quantile",
            Self::Poisson { .. } => "poisson-nloglik",
            Self::Tweedie { .. } => "tweedie-nloglik",
        }
    }

    /// The smallest value that a target may have.
    pub(super) const fn least_target(&self) -> Option<f64> {
        if matches!(self, Self::Poisson { .. } | Self::Tweedie { .. }) { Some(0.0) } else { None }
    }

    /// The quantile that the leaves are set to, for losses without a curvature.
    pub(super) const fn leaf_quantile(&self) -> Option<f64> {
        match self {
            Self::Absolute => Some(0.5),
            Self::Quantile { alpha } => Some(*alpha),
            _ => None,
        }
    }

    /// The best constant prediction, one a group: a probability, a mean, a quantile, or for several classes margins.
    pub(super) fn best_constant(&self, labels: Labels<'_>) -> Vec<f32> {
        let mean = || labels.mean(|row| f64::from(labels.values[row]));
        match self {
            Self::Logistic { scale_pos_weight } if *scale_pos_weight != 1.0 => {
                // One Newton step from even odds, as XGBoost does.
                let (positive, negative) = (mean() * scale_pos_weight, 1.0 - mean());
                vec![within_odds(1.0 / (1.0 + libm::exp(-2.0 * (positive - negative) / (positive + negative))))]
            }
            Self::Logistic { .. } => vec![within_odds(mean())],
            Self::Softmax { classes } => {
                let share = |class: u32| labels.mean(|row| f64::from(u8::from(labels.values[row] == class as f32)));
                let logs: Vec<f64> = (0..*classes).map(|class| libm::log(share(class).max(1e-16))).collect();
                let middle = logs.iter().sum::<f64>() / logs.len() as f64;
                logs.iter().map(|log| (log - middle) as f32).collect()
            }
            Self::Squared => vec![mean() as f32],
            Self::Absolute | Self::Quantile { .. } => {
                let rows = (0..labels.values.len()).map(|row| (labels.values[row], labels.weight(row)));
                let alpha = self.leaf_quantile().unwrap_or(0.5);
                vec![quantile(&mut rows.collect::<Vec<_>>(), alpha, labels.weights.is_some())]
            }
            Self::Poisson { .. } | Self::Tweedie { .. } => vec![(mean() as f32).max(1e-16)],
        }
    }

    /// The margin of a constant prediction; not finite when no margin has it.
    pub(super) fn margin_of(&self, prediction: f32) -> f32 {
        match self {
            Self::Logistic { .. } => -libm::logf(1.0 / prediction - 1.0),
            Self::Poisson { .. } | Self::Tweedie { .. } => libm::logf(prediction),
            _ => prediction,
        }
    }

    /// The derivatives by the margins of `group`, one a row.
    ///
    /// `predictions` are transformed margins, rows × groups.
    pub(super) fn gradients(&self, predictions: &[f32], labels: Labels<'_>, group: usize, out: &mut [Gradient]) {
        let groups = self.groups();
        let chunks = out.chunks_mut(CHUNK).zip(predictions.chunks(CHUNK * groups)).enumerate();
        parallel::for_each(chunks, |(chunk, (out, predictions))| {
            let rows = chunk * CHUNK..chunk * CHUNK + out.len();
            let targets = &labels.values[rows.clone()];
            self.derivatives(predictions, targets, group, out);
            if let Some(weights) = labels.weights {
                for (gradient, weight) in out.iter_mut().zip(&weights[rows]) {
                    *gradient = gradient.map(|part| part * weight);
                }
            }
        });
    }

    fn derivatives(&self, predictions: &[f32], targets: &[f32], group: usize, out: &mut [Gradient]) {
        let rows = out.iter_mut().zip(predictions.iter().zip(targets));
        match *self {
            Self::Logistic { scale_pos_weight } => {
                let weight = [1.0, scale_pos_weight as f32];
                rows.for_each(|(out, (p, y))| {
                    let weight = if *y > 0.5 { weight[1] } else { weight[0] };
                    *out = [(p - y) * weight, (p * (1.0 - p)).max(LEAST_HESSIAN) * weight];
                });
            }
            Self::Softmax { classes } => {
                let rows = out.iter_mut().zip(predictions.chunks_exact(classes as usize)).zip(targets);
                rows.for_each(|((out, p), y)| {
                    let (p, y) = (p[group], f32::from(u8::from(*y == group as f32)));
                    *out = [p - y, (2.0 * p * (1.0 - p)).max(LEAST_HESSIAN)];
                });
            }
            Self::Squared => rows.for_each(|(out, (p, y))| *out = [p - y, 1.0]),
            Self::Absolute => rows.for_each(|(out, (p, y))| {
                *out = [f32::from(i8::from(p > y) - i8::from(p < y)), 1.0];
            }),
            Self::Quantile { alpha } => {
                let alpha = alpha as f32;
                rows.for_each(|(out, (p, y))| *out = [if p >= y { 1.0 - alpha } else { -alpha }, 1.0]);
            }
            Self::Poisson { max_delta_step } => {
                let factor = libm::exp(max_delta_step) as f32;
                rows.for_each(|(out, (p, y))| *out = [p - y, p * factor]);
            }
            Self::Tweedie { power } => {
                // With p = exp(margin): exp((1 - ρ) margin) = exp((2 - ρ) margin) / p.
                let power = power as f32;
                rows.for_each(|(out, (p, y))| {
                    let upper = exp((2.0 - power) * libm::logf(*p));
                    let lower = upper / p;
                    let hessian = (power - 1.0) * y * lower + (2.0 - power) * upper;
                    *out = [upper - y * lower, hessian.max(LEAST_HESSIAN)];
                });
            }
        }
    }

    /// Turns margins (rows × groups) into predictions: probabilities, means or quantiles.
    pub(super) fn transform(&self, margins: &mut [f32]) {
        match self {
            Self::Logistic { .. } => margins.iter_mut().for_each(|margin| *margin = sigmoid(*margin)),
            Self::Softmax { classes } => margins.chunks_exact_mut(*classes as usize).for_each(softmax),
            Self::Poisson { .. } | Self::Tweedie { .. } => {
                for margin in margins {
                    *margin = exp(*margin).max(f32::MIN_POSITIVE);
                }
            }
            Self::Squared | Self::Absolute | Self::Quantile { .. } => {}
        }
    }

    /// The mean score of predictions (rows × groups), the smaller the better; see [`Objective::metric`].
    pub(super) fn score(&self, predictions: &[f32], labels: Labels<'_>) -> f64 {
        let groups = self.groups();
        let sums = parallel::map(parallel::ranges(labels.values.len(), CHUNK), |rows| {
            rows.fold([0.0, 0.0], |[sum, total], row| {
                let weight = f64::from(labels.weight(row));
                let loss = self.loss(&predictions[row * groups..(row + 1) * groups], labels.values[row]);
                [sum + weight * loss, total + weight]
            })
        });
        let [sum, total] = sums.into_iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        let mean = sum / total.max(f64::MIN_POSITIVE);
        if matches!(self, Self::Squared) { mean.sqrt() } else { mean }
    }

    fn loss(&self, prediction: &[f32], target: f32) -> f64 {
        let (y, p) = (f64::from(target), f64::from(prediction[0]));
        match self {
            Self::Logistic { .. } => {
                let p = p.clamp(1e-16, 1.0 - 1e-16);
                -(y * libm::log(p) + (1.0 - y) * libm::log(1.0 - p))
            }
            Self::Softmax { .. } => {
                -libm::log(prediction.get(target as usize).map_or(1e-16, |p| f64::from(*p).max(1e-16)))
            }
            Self::Squared => (p - y) * (p - y),
            Self::Absolute => (p - y).abs(),
            Self::Quantile { alpha } => {
                if y >= p {
                    alpha * (y - p)
                } else {
                    (1.0 - alpha) * (p - y)
                }
            }
            Self::Poisson { .. } => p - y * libm::log(p.max(1e-16)) + libm::lgamma(y + 1.0),
            Self::Tweedie { power } => {
                let log = libm::log(p.max(1e-16));
                libm::exp((2.0 - power) * log) / (2.0 - power) - y * libm::exp((1.0 - power) * log) / (1.0 - power)
            }
        }
    }
}

/// A probability that still has finite odds in single precision.
fn within_odds(probability: f64) -> f32 {
    probability.clamp(1e-7, 1.0 - 1e-7) as f32
}

/// Probabilities from the margins of one row.
fn softmax(margins: &mut [f32]) {
    let largest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for margin in margins.iter_mut() {
        *margin = exp(*margin - largest);
    }
    let total: f32 = margins.iter().sum();
    for margin in margins {
        *margin /= total;
    }
}
