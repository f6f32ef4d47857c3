//! Permutation importance: how much worse a model scores when the values of one feature are shuffled (Breiman, 2001).

use ndarray::{Array2, ArrayView2};
use rand::RngExt;

use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::seed;

/// The importance of one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The mean over the repeats of the score before minus the score after shuffling.
    pub mean: f64,
    /// The standard deviation over the repeats, over their number (not one less).
    pub standard_deviation: f64,
    /// The difference in every repeat.
    pub differences: Vec<f64>,
}

/// Why there is no importance.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportanceError<E> {
    /// There is no row.
    #[error("there are no rows to shuffle")]
    Empty,
    /// Nothing was asked for.
    #[error("repeats is 0, but it must be at least 1")]
    NoRepeats,
    /// The score is not a number.
    #[error("the score is {0}, which cannot be compared")]
    Score(f64),
    /// The model could not be scored.
    #[error(transparent)]
    Model(E),
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(Cancelled),
}

/// The importance of each feature of `x` (rows × features) by `repeats` shuffles of it.
///
/// `score` gives how good the model is on features as large as `x` (higher is better); it is called from several threads.
/// Repeat `r` of feature `f` takes its order from stream `f · repeats + r` of the seed, so that the result does not depend on the
/// number of threads.
pub fn permutation_importance<E: Send>(
    x: ArrayView2<'_, f64>,
    repeats: usize,
    seed: u64,
    probe: &dyn Probe,
    score: impl Fn(ArrayView2<'_, f64>) -> Result<f64, E> + Sync,
) -> Result<Vec<Importance>, ImportanceError<E>> {
    if x.nrows() == 0 {
        return Err(ImportanceError::Empty);
    }
    if repeats == 0 {
        return Err(ImportanceError::NoRepeats);
    }
    let checked = |x: ArrayView2<'_, f64>| match score(x).map_err(ImportanceError::Model)? {
        score if score.is_finite() => Ok(score),
        score => Err(ImportanceError::Score(score)),
    };
    let before = checked(x)?;
    let total = x.ncols() as f64;
    let of_feature = |feature: usize| {
        let mut shuffled: Array2<f64> = x.to_owned();
        let mut differences = Vec::with_capacity(repeats);
        for repeat in 0..repeats {
            probe.check().map_err(ImportanceError::Cancelled)?;
            let mut random = seed::rng(seed, (feature * repeats + repeat) as u64);
            let mut column = shuffled.column_mut(feature);
            for last in (1..column.len()).rev() {
                column.swap(last, random.random_range(0..=last as u64) as usize);
            }
            differences.push(before - checked(shuffled.view())?);
        }
        probe.progress((feature + 1) as f64, total, "shuffling the features");
        let count = repeats as f64;
        let mean = differences.iter().sum::<f64>() / count;
        let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
        Ok(Importance { mean, standard_deviation: (squares / count).sqrt(), differences })
    };
    parallel::try_map(0..x.ncols(), of_feature)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::probe::Silent;

    #[test]
    fn only_the_feature_that_counts_is_important() {
        let x = Array2::from_shape_fn((200, 2), |(row, column)| (row * (column + 3) % 17) as f64);
        let target = x.column(0).to_owned();
        let score = |x: ArrayView2<'_, f64>| Ok::<_, Infallible>(-(&x.column(0) - &target).mapv(f64::abs).sum());
        let found = permutation_importance(x.view(), 5, 1, &Silent, score).unwrap();
        assert!(found[0].mean > 100.0 && found[0].standard_deviation > 0.0 && found[0].differences.len() == 5);
        assert_eq!((found[1].mean, found[1].standard_deviation), (0.0, 0.0));
        assert_eq!(found, permutation_importance(x.view(), 5, 1, &Silent, score).unwrap());
        assert!(permutation_importance(x.view(), 0, 1, &Silent, score).is_err());
        let nan = |_: ArrayView2<'_, f64>| Ok::<_, Infallible>(f64::NAN);
        assert!(permutation_importance(x.view(), 1, 1, &Silent, nan).is_err());
    }
}
