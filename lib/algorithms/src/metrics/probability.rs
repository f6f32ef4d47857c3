//! Scores of predicted probabilities: log loss and the Brier score.

use ndarray::ArrayView2;

use super::{Result, input};

/// The mean negative logarithm of the probability of the true class, in nats.
///
/// Probabilities are rows × classes and clipped to `[ε, 1 − ε]` with the machine's ε, as `sklearn.metrics.log_loss`.
pub fn log_loss(truth: &[u32], probabilities: ArrayView2<'_, f64>, weights: Option<&[f64]>) -> Result<f64> {
    let losses = log_losses(truth, probabilities)?;
    input::weights(weights, truth.len())?;
    Ok(input::mean(losses.into_iter(), weights))
}

/// The log loss of each row, in nats.
pub fn log_losses(truth: &[u32], probabilities: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
    input::probabilities(truth, probabilities)?;
    let clip = |probability: f64| probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    let loss = |(row, &class): (usize, &u32)| -clip(probabilities[[row, class as usize]]).ln();
    Ok(truth.iter().enumerate().map(loss).collect())
}

/// The mean squared distance of the probabilities from the truth.
///
/// For three or more classes it is the sum over classes, from 0 to 2; for two it is half of that, the squared error of
/// the positive class, from 0 to 1. This is `sklearn.metrics.brier_score_loss(scale_by_half="auto")`.
pub fn brier_score(truth: &[u32], probabilities: ArrayView2<'_, f64>, weights: Option<&[f64]>) -> Result<f64> {
    let scores = brier_scores(truth, probabilities)?;
    input::weights(weights, truth.len())?;
    Ok(input::mean(scores.into_iter(), weights))
}

/// The Brier score of each row.
pub fn brier_scores(truth: &[u32], probabilities: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
    input::probabilities(truth, probabilities)?;
    let scale = if probabilities.ncols() < 3 { 0.5 } else { 1.0 };
    let score = |(&class, values): (&u32, ndarray::ArrayView1<'_, f64>)| {
        let distance = |(column, &probability): (usize, &f64)| {
            let truth = if column == class as usize { 1.0 } else { 0.0 };
            (truth - probability) * (truth - probability)
        };
        scale * values.iter().enumerate().map(distance).sum::<f64>()
    };
    Ok(truth.iter().zip(probabilities.rows()).map(score).collect())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_sure_and_wrong_prediction_costs_much_but_not_infinity() {
        let loss = log_loss(&[1], array![[1.0, 0.0]].view(), None).unwrap();
        assert!((loss + f64::EPSILON.ln()).abs() < 1e-12);
        assert_eq!(brier_score(&[1], array![[1.0, 0.0]].view(), None).unwrap(), 1.0);
        assert_eq!(brier_score(&[1], array![[1.0, 0.0, 0.0]].view(), None).unwrap(), 2.0);
    }

    #[test]
    fn weights_count() {
        let probabilities = array![[0.5, 0.5], [0.25, 0.75]];
        let loss = log_loss(&[0, 1], probabilities.view(), Some(&[0.0, 3.0])).unwrap();
        assert!((loss + 0.75_f64.ln()).abs() < 1e-15);
        assert!(log_loss(&[0, 1], probabilities.view(), Some(&[0.0])).is_err());
        assert!(brier_score(&[], ndarray::Array2::zeros((0, 2)).view(), None).is_err());
    }
}
