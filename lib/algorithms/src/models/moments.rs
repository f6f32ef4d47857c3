//! The weighted means of features and target, and their centred second moments.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis};

use super::vector::add_scaled;
use crate::parallel;
use crate::probe::{Cancelled, Probe};

/// The rows of one product of matrices; small enough for the caches.
const BLOCK: usize = 256;
/// The parts that are summed on their own; fixed, so that the sums do not depend on the number of threads.
const PARTS: usize = 16;

/// The weighted means; all 0 where nothing is centred.
#[derive(Debug, Clone)]
pub(super) struct Means {
    pub(super) features: Vec<f64>,
    pub(super) target: f64,
}

impl Means {
    /// The means of the features and the target of rows with these weights.
    pub(super) fn new(x: ArrayView2<'_, f64>, target: &[f64], weights: Option<&[f64]>) -> Self {
        let (count, features) = x.dim();
        let total: f64 = weights.map_or(count as f64, |weights| weights.iter().sum());
        let part = |rows: std::ops::Range<usize>| {
            let mut sums = vec![0.0; features + 1];
            for row in rows {
                let weight = weights.map_or(1.0, |weights| weights[row]);
                match x.row(row).as_slice() {
                    Some(values) => add_scaled(&mut sums, weight, values),
                    None => sums.iter_mut().zip(x.row(row)).for_each(|(sum, value)| *sum += weight * value),
                }
                sums[features] += weight * target[row];
            }
            sums
        };
        let mut sums = vec![0.0; features + 1];
        for part in parallel::map(parts(count), part) {
            add_scaled(&mut sums, 1.0, &part);
        }
        for sum in &mut sums {
            *sum /= total;
        }
        let target = sums.pop().unwrap_or(0.0);
        Self { features: sums, target }
    }

    /// Zeros, for a fit without an intercept.
    pub(super) fn none(features: usize) -> Self {
        Self { features: vec![0.0; features], target: 0.0 }
    }
}

fn parts(count: usize) -> impl Iterator<Item = std::ops::Range<usize>> + Send {
    parallel::ranges(count, count.div_ceil(PARTS).max(BLOCK))
}

/// Writes `root of the weight · (values − means)` with the target behind the features.
pub(super) fn centred_row(
    x: ArrayView2<'_, f64>,
    target: &[f64],
    weights: Option<&[f64]>,
    means: &Means,
    row: usize,
    out: &mut [f64],
) {
    let root = weights.map_or(1.0, |weights| weights[row].sqrt());
    let features = means.features.len();
    let pairs = out.iter_mut().zip(&means.features);
    match x.row(row).as_slice() {
        Some(values) => pairs.zip(values).for_each(|((out, mean), value)| *out = root * (value - mean)),
        None => pairs.zip(x.row(row)).for_each(|((out, mean), value)| *out = root * (value - mean)),
    }
    out[features] = root * (target[row] - means.target);
}

/// `Σ weight · zᵀ·z` over the rows z of centred features and target: (features + 1) × (features + 1).
pub(super) fn second_moments(
    x: ArrayView2<'_, f64>,
    target: &[f64],
    weights: Option<&[f64]>,
    means: &Means,
    probe: &dyn Probe,
) -> Result<Array2<f64>, Cancelled> {
    let width = x.ncols() + 1;
    let part = |rows: std::ops::Range<usize>| {
        let mut sums = Array2::zeros((width, width));
        let mut buffer = Array2::zeros((BLOCK, width));
        let mut start = rows.start;
        while start < rows.end {
            probe.check()?;
            let end = (start + BLOCK).min(rows.end);
            for (row, mut out) in (start..end).zip(buffer.rows_mut()) {
                if let Some(out) = out.as_slice_mut() {
                    centred_row(x, target, weights, means, row, out);
                }
            }
            let block = buffer.view().split_at(Axis(0), end - start).0;
            general_mat_mul(1.0, &block.t(), &block, 1.0, &mut sums);
            start = end;
        }
        Ok::<_, Cancelled>(sums)
    };
    let parts = parallel::try_map(parts(x.nrows()), part)?;
    let mut sums = Array2::zeros((width, width));
    for part in parts {
        sums += &part;
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Silent;

    #[test]
    fn moments_by_hand() {
        let x = Array2::from_shape_fn((700, 2), |(row, column)| f64::from((row * (column + 3)) as u32 % 7));
        let y: Vec<f64> = (0..700).map(|row| f64::from(row % 5)).collect();
        let weights: Vec<f64> = (0..700).map(|row| f64::from(row % 3)).collect();
        let means = Means::new(x.view(), &y, Some(&weights));
        let total: f64 = weights.iter().sum();
        let mean = (0..700).map(|row| weights[row] * x[[row, 1]]).sum::<f64>() / total;
        assert!((means.features[1] - mean).abs() < 1e-13);
        let moments = second_moments(x.view(), &y, Some(&weights), &means, &Silent).unwrap();
        let cross: f64 = (0..700).map(|row| weights[row] * (x[[row, 1]] - mean) * (y[row] - means.target)).sum();
        assert!((moments[[1, 2]] - cross).abs() < 1e-9 && moments[[1, 2]] == moments[[2, 1]]);
    }
}
