//! Sums over all rows that principal components need: means, the scatter of the features, and the coordinates.

use super::super::matrix::{Matrix, product_with_itself};
use super::super::points::{LARGEST, Points};
use super::ReductionError;
use super::kernels::{self, padded};
use crate::parallel;
use crate::probe::Probe;

/// Rows that one task centres or multiplies.
const ROWS: usize = 1024;
/// The most parts whose sums are kept beside each other; fixed, so that sums do not depend on the number of threads.
const PARTS: usize = 32;
/// Up to so many features every part has a scatter of its own.
const NARROW: usize = 256;
/// Rows whose mean is the first guess of the mean.
const SAMPLE: usize = 1024;

/// The mean of each feature, and the sums of the products of what lies beyond them: features × features. Refuses values
/// as [`Points::check`] does, on the way, as a look at all of them takes as long as everything else.
pub(super) fn scatter(points: &Points<'_>, probe: &dyn Probe) -> Result<(Vec<f64>, Vec<f64>), ReductionError> {
    if points.features > NARROW {
        points.check()?;
        let mean = points.means();
        let centred = Matrix { rows: points.rows, columns: points.features, values: centred(points, &mean) };
        probe.check()?;
        let turned = centred.transposed();
        drop(centred);
        return Ok((mean, product_with_itself(&turned.values, points.rows)));
    }
    let features = points.features;
    // One look at the rows: sums beyond a guess of the mean, corrected at the end. The guess is the mean of evenly
    // spaced rows, so the correction is at most `rows / SAMPLE` times what is left, and rounding grows no more than
    // that.
    let step = points.rows.div_ceil(SAMPLE);
    let mut guess = vec![0.0; features];
    let sampled = points.rows.div_ceil(step);
    for row in (0..points.rows).step_by(step) {
        guess.iter_mut().zip(points.row(row)).for_each(|(sum, value)| *sum += value);
    }
    for sum in &mut guess {
        *sum /= sampled as f64;
    }
    let length = points.rows.div_ceil(PARTS).next_multiple_of(kernels::BLOCK) * features;
    let width = padded(features);
    let parts = parallel::try_map(points.values.chunks(length), |part| {
        probe.check()?;
        match kernels::scatter(part, &guess, LARGEST) {
            Some(found) => Ok(found),
            None => points.check().and(Err(ReductionError::OutOfRange)),
        }
    })?;
    let (mut sums, mut products) = (vec![0.0; features], vec![0.0; width * width]);
    for (part_sums, part_products) in parts {
        sums.iter_mut().zip(part_sums).for_each(|(sum, part)| *sum += part);
        products.iter_mut().zip(part_products).for_each(|(sum, part)| *sum += part);
    }
    let rows = points.rows as f64;
    let mut scatter = vec![0.0; features * features];
    for row in 0..features {
        for column in row..features {
            let value = products[row * width + column] - sums[row] / rows * sums[column];
            scatter[row * features + column] = value;
            scatter[column * features + row] = value;
        }
    }
    guess.iter_mut().zip(&sums).for_each(|(guess, sum)| *guess += sum / rows);
    Ok((guess, scatter))
}

/// The rows minus the means.
pub(super) fn centred(points: &Points<'_>, mean: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; points.values.len()];
    let chunk = ROWS * points.features;
    parallel::for_each(values.chunks_mut(chunk).zip(points.values.chunks(chunk)), |(result, part)| {
        for (result, row) in result.chunks_exact_mut(points.features).zip(part.chunks_exact(points.features)) {
            result.iter_mut().zip(row).zip(mean).for_each(|((result, value), mean)| *result = value - mean);
        }
    });
    values
}

/// `(x − mean) · directions`: rows × columns, with `directions` features × columns.
pub(super) fn project(points: &Points<'_>, mean: &[f64], directions: &[f64], columns: usize) -> Vec<f64> {
    let features = points.features;
    let width = padded(columns);
    let mut turned = vec![0.0; features * width];
    for (turned, directions) in turned.chunks_exact_mut(width).zip(directions.chunks_exact(columns)) {
        turned[..columns].copy_from_slice(directions);
    }
    let mut result = vec![0.0; points.rows * columns];
    let chunks = result.chunks_mut(ROWS * columns).zip(points.values.chunks(ROWS * features));
    parallel::for_each(chunks, |(result, part)| kernels::project(part, mean, &turned, columns, result));
    result
}
