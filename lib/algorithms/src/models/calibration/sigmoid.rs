//! Platt's calibration: a logistic function of a score.

use serde::{Deserialize, Serialize};

/// The most steps, and the most halvings of one.
const STEPS: usize = 100;
const HALVINGS: usize = 40;
/// Added to the diagonal of the second derivatives, so that constant scores have a solution.
const RIDGE: f64 = 1e-12;

/// `1 / (1 + exp(−(slope · score + intercept)))`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sigmoid {
    /// The factor of the score.
    pub slope: f64,
    /// What is added.
    pub intercept: f64,
}

impl Sigmoid {
    /// Fits by Newton's method with step halving (Lin, Lin and Weng, 2007) the targets of Platt (1999), which stay off 0
    /// and 1 by the number of rows. The weights are above 0.
    pub(super) fn fit(scores: &[f64], hits: &[bool], weights: &[f64]) -> Self {
        let weigh = |hit: bool| {
            hits.iter().zip(weights).filter(|(other, _)| **other == hit).map(|(_, weight)| weight).sum::<f64>()
        };
        let (yes, no) = (weigh(true), weigh(false));
        let targets = [1.0 / (no + 2.0), (yes + 1.0) / (yes + 2.0)];
        // Scores of about 1 keep the two second derivatives of a like size.
        let scale = scores.iter().fold(0.0_f64, |most, score| most.max(score.abs())).max(f64::MIN_POSITIVE);
        let rows = || {
            let targets = hits.iter().map(|&hit| targets[usize::from(hit)]);
            scores.iter().map(|score| score / scale).zip(targets).zip(weights).map(|((s, t), w)| (s, t, *w))
        };
        let loss = |[slope, intercept]: [f64; 2]| {
            rows()
                .map(|(score, target, weight)| {
                    let at = slope * score + intercept;
                    // log(1 + exp(a)) − t·a without overflow
                    weight * (at.max(0.0) + (-at.abs()).exp().ln_1p() - target * at)
                })
                .sum::<f64>()
        };
        let mut at = [0.0, ((yes + 1.0) / (no + 1.0)).ln()];
        let mut value = loss(at);
        for _ in 0..STEPS {
            let (mut gradient, mut second) = ([0.0; 2], [RIDGE, 0.0, RIDGE]);
            for (score, target, weight) in rows() {
                let probability = logistic(at[0] * score + at[1]);
                let (error, bend) = (weight * (probability - target), weight * probability * (1.0 - probability));
                gradient = [gradient[0] + error * score, gradient[1] + error];
                second = [second[0] + bend * score * score, second[1] + bend * score, second[2] + bend];
            }
            let determinant = second[0] * second[2] - second[1] * second[1];
            let step = [
                (second[2] * gradient[0] - second[1] * gradient[1]) / determinant,
                (second[0] * gradient[1] - second[1] * gradient[0]) / determinant,
            ];
            let tried = (0..HALVINGS).map(|halving| 0.5_f64.powi(halving as i32)).find_map(|part| {
                let next = [at[0] - part * step[0], at[1] - part * step[1]];
                let lower = loss(next);
                (lower < value).then_some((next, lower))
            });
            let Some((next, lower)) = tried else { break };
            (at, value) = (next, lower);
        }
        Self { slope: at[0] / scale, intercept: at[1] }
    }

    /// The probability of a score.
    pub fn apply(&self, score: f64) -> f64 {
        logistic(self.slope * score + self.intercept)
    }

    pub(super) const fn is_valid(&self) -> bool {
        self.slope.is_finite() && self.intercept.is_finite()
    }
}

fn logistic(score: f64) -> f64 {
    if score >= 0.0 {
        1.0 / (1.0 + (-score).exp())
    } else {
        let power = score.exp();
        power / (1.0 + power)
    }
}
