//! The leading components of a large table by a randomised block Krylov method (Musco and Musco, 2015).
//!
//! The subspace is found with numbers of four bytes, which is twice as quick; the components within it are found with
//! eight, so that their variances are as accurate as the subspace is, squared.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use rand::RngExt;

use super::super::eigen;
use super::super::matrix::{Matrix, product, product_with_itself};
use super::super::parameters::PcaParameters;
use super::super::points::Points;
use super::super::start::normal;
use super::{Found, ReductionError, covariance, orthonormalise};
use crate::parallel;
use crate::probe::Probe;
use crate::seed;

/// Rows of the table that one task takes.
const ROWS: usize = 256;
/// How often the table is multiplied where the caller does not say.
const POWERS: usize = 3;

/// The `count` components of the largest variance.
pub(super) fn components(
    points: &Points<'_>,
    count: usize,
    parameters: &PcaParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Found, ReductionError> {
    let (rows, features) = (points.rows, points.features);
    let mean = points.means();
    let (table, total) = compact(points, &mean);
    let width = (count + parameters.n_oversamples).min(rows.min(features));
    let powers = parameters.iterated_power.unwrap_or(POWERS);
    let mut random = seed::rng(seed, 0);
    let mut block: Vec<f32> = (0..features * width).map(|_| normal(random.random(), random.random()) as f32).collect();
    // Directions as rows, the newest last.
    let mut basis = Matrix { rows: 0, columns: features, values: Vec::new() };
    for power in 0..=powers {
        probe.check()?;
        probe.progress(power as f64, (powers + 2) as f64, "multiplying the table with random directions");
        block = through(&table, features, &block, width);
        let turned: Vec<f64> = (0..width)
            .flat_map(|column| block.iter().skip(column).step_by(width))
            .map(|value| f64::from(*value))
            .collect();
        let mut newest = Matrix { rows: width, columns: features, values: turned };
        orthonormalise(&mut newest);
        for (column, direction) in newest.values.chunks_exact(features).enumerate() {
            for (row, value) in direction.iter().enumerate() {
                block[row * width + column] = *value as f32;
            }
        }
        if basis.rows + width <= rows.min(features) {
            basis.values.extend(newest.values);
            basis.rows += width;
        } else {
            basis = newest;
        }
    }
    orthonormalise(&mut basis);
    // The best directions of the whole subspace by the compact table, then exactly among those and a few more.
    let images = images(&table, features, &basis);
    let (_, turns) = eigen::symmetric(product_with_itself(&images.values, rows), images.rows, |_| width, probe)?;
    let mut best = Matrix {
        rows: turns.rows,
        columns: features,
        values: product(&turns.values, &basis.values, basis.rows, features),
    };
    orthonormalise(&mut best);
    let exact = covariance::project(points, &mean, &best.transposed().values, best.rows);
    let exact = Matrix { rows, columns: best.rows, values: exact }.transposed();
    let (scatter, turns) = eigen::symmetric(product_with_itself(&exact.values, rows), exact.rows, |_| count, probe)?;
    let values = product(&turns.values, &best.values, best.rows, features);
    Ok(Found { mean, scatter, total, directions: Matrix { rows: count, columns: features, values } })
}

/// The centred table, scaled to at most 1 and in four bytes a value, and the sum of the squares of the unscaled one.
fn compact(points: &Points<'_>, mean: &[f64]) -> (Vec<f32>, f64) {
    let sums = parallel::map_rows(points.rows, |row| {
        points.row(row).iter().zip(mean).fold((0.0, 0.0), |(square, largest): (f64, f64), (value, mean)| {
            let beyond = value - mean;
            (square + beyond * beyond, largest.max(beyond.abs()))
        })
    });
    let largest = sums.iter().map(|sum| sum.1).fold(f64::MIN_POSITIVE, f64::max);
    let mut table = vec![0.0_f32; points.values.len()];
    let size = ROWS * points.features;
    parallel::for_each(table.chunks_mut(size).zip(points.values.chunks(size)), |(results, rows)| {
        let rows = rows.chunks_exact(points.features);
        for (result, row) in results.chunks_exact_mut(points.features).zip(rows) {
            let values = row.iter().zip(mean);
            result.iter_mut().zip(values).for_each(|(to, (value, mean))| *to = ((value - mean) / largest) as f32);
        }
    });
    (table, sums.iter().map(|sum| sum.0).sum())
}

/// `tableᵀ · (table · block)`: features × width.
fn through(table: &[f32], features: usize, block: &[f32], width: usize) -> Vec<f32> {
    let parts = parallel::map(table.chunks(ROWS * features), |part| {
        let rows = part.len() / features;
        let (mut images, mut result) = (vec![0.0; rows * width], vec![0.0; features * width]);
        let views = (
            ArrayView2::from_shape((rows, features), part),
            ArrayView2::from_shape((features, width), block),
            ArrayViewMut2::from_shape((rows, width), &mut images),
            ArrayViewMut2::from_shape((features, width), &mut result),
        );
        if let (Ok(part), Ok(block), Ok(mut images), Ok(mut result)) = views {
            general_mat_mul(1.0, &part, &block, 0.0, &mut images);
            general_mat_mul(1.0, &part.t(), &images, 0.0, &mut result);
        }
        result
    });
    let mut sum = vec![0.0; features * width];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sum
}

/// The table times each direction: directions × rows.
fn images(table: &[f32], features: usize, directions: &Matrix) -> Matrix {
    let count = directions.rows;
    let compact: Vec<f32> = directions.values.iter().map(|value| *value as f32).collect();
    let parts = parallel::map(table.chunks(ROWS * features), |part| {
        let rows = part.len() / features;
        let mut images = vec![0.0; rows * count];
        let views = (
            ArrayView2::from_shape((rows, features), part),
            ArrayView2::from_shape((count, features), &compact),
            ArrayViewMut2::from_shape((rows, count), &mut images),
        );
        if let (Ok(part), Ok(directions), Ok(mut images)) = views {
            general_mat_mul(1.0, &part, &directions.t(), 0.0, &mut images);
        }
        images
    });
    let values: Vec<f64> = parts.iter().flatten().map(|value| f64::from(*value)).collect();
    Matrix { rows: values.len() / count.max(1), columns: count, values }.transposed()
}
