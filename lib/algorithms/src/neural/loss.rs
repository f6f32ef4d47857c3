//! How far the outputs of a network are from what was wanted, and the gradient with respect to the outputs.

use super::activation::{exponential, logistic};

/// What a network is trained to make small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// The negative log-likelihood of a softmax over the outputs; the target of a row is the index of its class.
    CrossEntropy,
    /// The negative log-likelihood of the logistic function of the one output; the target is 0 or 1.
    BinaryCrossEntropy,
    /// Half the square of the error.
    Squared,
    /// The absolute error; its minimum is the median.
    Absolute,
    /// The pinball loss, whose minimum is this quantile, above 0 and below 1 (Koenker and Bassett, 1978).
    Quantile(f32),
}

impl Loss {
    /// The loss summed over rows, each times its weight; the outputs are replaced by the gradient of that sum times `scale`.
    ///
    /// `outputs` is rows × `width`. There is one target a row for the first two losses, else one an output.
    pub fn gradient(
        self,
        outputs: &mut [f32],
        width: usize,
        targets: &[f32],
        weights: Option<&[f32]>,
        scale: f32,
    ) -> f64 {
        let per_row = self.targets_per_row(width);
        let rows = outputs.chunks_exact_mut(width).zip(targets.chunks_exact(per_row));
        let mut total = 0.0;
        for (row, (outputs, targets)) in rows.enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            let loss = match self {
                Self::CrossEntropy => cross_entropy(outputs, targets[0] as usize),
                _ => outputs.iter_mut().zip(targets).map(|(output, target)| self.single(output, *target)).sum(),
            };
            total += f64::from(weight) * f64::from(loss);
            for output in outputs {
                *output *= weight * scale;
            }
        }
        total
    }

    /// How many targets a row has.
    pub const fn targets_per_row(self, width: usize) -> usize {
        if matches!(self, Self::CrossEntropy) { 1 } else { width }
    }

    /// The loss of one output, which is replaced by the derivative.
    fn single(self, output: &mut f32, target: f32) -> f32 {
        let error = *output - target;
        let (loss, derivative) = match self {
            Self::CrossEntropy | Self::BinaryCrossEntropy => {
                // log(1 + exp(s)) − t·s without overflow
                let loss = output.max(0.0) - *output * target + exponential(-output.abs()).ln_1p();
                (loss, logistic(*output) - target)
            }
            Self::Squared => (0.5 * error * error, error),
            Self::Absolute => (error.abs(), sign(error)),
            Self::Quantile(quantile) => {
                let slope = if error > 0.0 { 1.0 - quantile } else { quantile };
                (slope * error.abs(), slope * sign(error))
            }
        };
        *output = derivative;
        loss
    }
}

/// −1, 0 or 1; NaN stays NaN.
fn sign(value: f32) -> f32 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

/// The loss of one row, whose outputs are replaced by the derivatives: the softmax, less 1 for the class.
fn cross_entropy(outputs: &mut [f32], class: usize) -> f32 {
    let own = outputs[class];
    let logarithm = softmax(outputs);
    outputs[class] -= 1.0;
    logarithm - own
}

/// Turns the outputs of one row into probabilities; returns the logarithm of the sum of their exponentials.
pub(super) fn softmax(outputs: &mut [f32]) -> f32 {
    let largest = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for output in outputs.iter_mut() {
        *output = exponential(*output - largest);
        sum += *output;
    }
    let inverse = 1.0 / sum;
    for output in outputs {
        *output *= inverse;
    }
    largest + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_agree_with_differences() {
        let losses = [Loss::CrossEntropy, Loss::BinaryCrossEntropy, Loss::Squared, Loss::Absolute, Loss::Quantile(0.9)];
        for loss in losses {
            let width = if loss == Loss::BinaryCrossEntropy { 1 } else { 3 };
            let outputs = &[0.3, -1.2, 2.5, 1.5, 0.1, -0.7][..2 * width];
            let targets = &[1.0, 0.0, 2.0, 1.0, 0.5, 0.25][..2 * loss.targets_per_row(width)];
            let weights = [2.0, 0.5];
            let value = |outputs: &[f32]| loss.gradient(&mut outputs.to_vec(), width, targets, Some(&weights), 1.0);
            let mut gradient = outputs.to_vec();
            loss.gradient(&mut gradient, width, targets, Some(&weights), 0.5);
            for (index, part) in gradient.iter().enumerate() {
                let moved = |by: f32| {
                    let mut outputs = outputs.to_vec();
                    outputs[index] += by;
                    value(&outputs)
                };
                let expected = 0.5 * (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!((f64::from(*part) - expected).abs() < 2e-4, "{loss:?} {index}: {part} {expected}");
            }
        }
    }

    #[test]
    fn sure_outputs_have_a_finite_loss() {
        let mut outputs = [500.0, -500.0];
        let total = Loss::BinaryCrossEntropy.gradient(&mut outputs, 1, &[0.0, 0.0], None, 1.0);
        assert!((total - 500.0).abs() < 1e-3 && (outputs[0] - 1.0).abs() < 1e-6, "{total}");
        let mut outputs = [900.0, -900.0];
        let total = Loss::CrossEntropy.gradient(&mut outputs, 2, &[1.0], None, 1.0);
        assert!((total - 1800.0).abs() < 1e-2, "{total}");
        assert!(Loss::Squared.gradient(&mut [f32::NAN], 1, &[0.0], None, 1.0).is_nan());
        assert!(Loss::BinaryCrossEntropy.gradient(&mut [f32::NAN], 1, &[0.0], None, 1.0).is_nan());
        assert!(Loss::CrossEntropy.gradient(&mut [f32::NAN, 0.0], 2, &[0.0], None, 1.0).is_nan());
    }
}
