//! Lloyd's iterations in double precision, until the rows are where their nearest centers are.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::super::points::{CHUNK, Points, matrix, squared_distance};
use crate::parallel::{self, Scratch};
use crate::probe::{Cancelled, Probe};

/// The most parts whose sums are made apart; fixed, so that the sums do not depend on the number of threads.
const SLABS: usize = 16;

/// The nearest centers, and the centers themselves.
pub(super) struct Exact {
    pub(super) labels: Vec<u32>,
    /// Clusters × features.
    pub(super) centers: Vec<f64>,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

/// Iterates from `labels` until none changes, or the centers' squared movements sum to at most `tolerance`.
///
/// Rows are compared by their distances from `means`, so that a large offset costs no digits. A cluster without
/// weight keeps its center.
pub(super) fn iterate(
    points: &Points<'_>,
    weights: Option<&[f64]>,
    means: &[f64],
    rough: (Vec<u32>, Vec<f64>),
    limits: (usize, f64),
    probe: &dyn Probe,
) -> Result<Exact, Cancelled> {
    let (mut labels, mut centers) = rough;
    let (max_iter, tolerance) = limits;
    for iteration in 0..=max_iter {
        probe.check()?;
        let before = centers.clone();
        update(points, weights, means, &labels, &mut centers);
        let shift: f64 = before.iter().zip(&centers).map(|(before, after)| (before - after).powi(2)).sum();
        let changed = assign(points, means, &centers, &mut labels);
        // After the last step the labels are those of the centers, whatever they were before.
        if changed == 0 || shift <= tolerance || iteration == max_iter {
            let converged = changed == 0 || shift <= tolerance;
            return Ok(Exact { labels, centers, iterations: iteration, converged });
        }
    }
    Ok(Exact { labels, centers, iterations: max_iter, converged: false })
}

/// Each center becomes the mean of its rows.
fn update(points: &Points<'_>, weights: Option<&[f64]>, means: &[f64], labels: &[u32], centers: &mut [f64]) {
    let features = points.features;
    let slab = points.chunks().div_ceil(SLABS) * CHUNK;
    let rows = points.values().chunks(slab * features).zip(labels.chunks(slab)).enumerate();
    let parts = parallel::map(rows, |(number, (rows, labels))| {
        let mut sums = vec![0.0; centers.len()];
        let mut totals = vec![0.0; centers.len() / features];
        for (index, (row, &label)) in rows.chunks_exact(features).zip(labels).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[number * slab + index]);
            let label = label as usize;
            totals[label] += weight;
            let sums = &mut sums[label * features..(label + 1) * features];
            for ((sum, value), mean) in sums.iter_mut().zip(row).zip(means) {
                *sum += weight * (value - mean);
            }
        }
        (sums, totals)
    });
    let mut sums = vec![0.0; centers.len()];
    let mut totals = vec![0.0; centers.len() / features];
    for (part_sums, part_totals) in parts {
        sums.iter_mut().zip(part_sums).for_each(|(sum, part)| *sum += part);
        totals.iter_mut().zip(part_totals).for_each(|(total, part)| *total += part);
    }
    let rows = centers.chunks_exact_mut(features).zip(sums.chunks_exact(features)).zip(totals);
    for ((center, sums), total) in rows.filter(|(_, total)| *total > 0.0) {
        for ((value, sum), mean) in center.iter_mut().zip(sums).zip(means) {
            *value = sum / total + mean;
        }
    }
}

/// The nearest center of every row, the first of equally near ones; gives how many rows changed.
pub(super) fn assign(points: &Points<'_>, means: &[f64], centers: &[f64], labels: &mut [u32]) -> usize {
    let features = points.features;
    let clusters = centers.len() / features;
    let centred = centers.iter().zip(means.iter().cycle()).map(|(value, mean)| value - mean).collect::<Vec<_>>();
    let norms = centred.chunks_exact(features).map(|row| row.iter().map(|value| value * value).sum::<f64>());
    let norms = norms.collect::<Vec<_>>();
    let centred = matrix(&centred, clusters, features);
    let chunks = labels.chunks_mut(CHUNK).zip(points.values().chunks(CHUNK * features));
    let scratch =
        Scratch::new(|| (vec![0.0; CHUNK * features], vec![0.0; clusters * CHUNK], vec![0.0; CHUNK], vec![0; CHUNK]));
    let assign = |labels: &mut [u32], given: &[f64]| {
        scratch.with(|(rows, products, best, nearest)| {
            let width = labels.len();
            for (row, given) in rows.chunks_exact_mut(features).zip(given.chunks_exact(features)) {
                for ((value, given), mean) in row.iter_mut().zip(given).zip(means) {
                    *value = given - mean;
                }
            }
            let products = &mut products[..clusters * width];
            let rows = ArrayView2::from_shape((width, features), &rows[..width * features]);
            let product = ArrayViewMut2::from_shape((clusters, width), &mut *products);
            if let (Ok(rows), Ok(mut product)) = (rows, product) {
                general_mat_mul(-2.0, &centred, &rows.t(), 0.0, &mut product);
            }
            let (best, nearest) = (&mut best[..width], &mut nearest[..width]);
            best.fill(f64::INFINITY);
            for ((line, norm), cluster) in products.chunks_exact(width).zip(&norms).zip(0_u32..) {
                for ((product, best), nearest) in line.iter().zip(best.iter_mut()).zip(nearest.iter_mut()) {
                    let value = product + norm;
                    *nearest = if value < *best { cluster } else { *nearest };
                    *best = if value < *best { value } else { *best };
                }
            }
            let differ = labels.iter().zip(nearest.iter()).filter(|(label, nearest)| label != nearest).count();
            labels.copy_from_slice(nearest);
            differ
        })
    };
    parallel::map(chunks, |(labels, given)| assign(labels, given)).into_iter().sum()
}

/// The weighted sum of the squared distances of the rows to their centers.
pub(super) fn inertia(points: &Points<'_>, weights: Option<&[f64]>, centers: &[f64], labels: &[u32]) -> f64 {
    let features = points.features;
    let parts = parallel::map(0..points.chunks(), |chunk| {
        let parts = points.chunk(chunk).map(|row| {
            let center = &centers[labels[row] as usize * features..(labels[row] as usize + 1) * features];
            squared_distance(points.row(row), center) * weights.map_or(1.0, |weights| weights[row])
        });
        parts.sum::<f64>()
    });
    parts.iter().sum()
}
