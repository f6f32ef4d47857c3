//! Sums over all rows that principal components need: means, the scatter of the features, and the coordinates.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the vector instructions of the processor"
)]

use rayon::prelude::*;

use super::super::matrix::{Matrix, add_product, product_with_itself};
use super::super::points::Points;
use crate::probe::{Cancelled, Probe};

/// Rows that are centred and multiplied at a time; they fit the first caches.
const BLOCK: usize = 128;
/// The most parts whose sums are kept beside each other; fixed, so that sums do not depend on the number of threads.
const PARTS: usize = 32;
/// Up to so many features every part has a scatter of its own.
const NARROW: usize = 256;
/// Rows whose mean is the first guess of the mean.
const SAMPLE: usize = 1024;

/// The mean of each feature, and the sums of the products of what lies beyond them: features × features.
pub(super) fn scatter(points: &Points<'_>, probe: &dyn Probe) -> Result<(Vec<f64>, Vec<f64>), Cancelled> {
    if points.features > NARROW {
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
    let length = points.rows.div_ceil(PARTS).next_multiple_of(BLOCK) * features;
    let width = features.next_multiple_of(WIDE);
    let arch = pulp::Arch::new();
    let parts: Vec<(Vec<f64>, Vec<f64>)> = points
        .values
        .par_chunks(length)
        .map(|part| {
            probe.check()?;
            Ok(arch.dispatch(|| part_scatter(part, &guess, width)))
        })
        .collect::<Result<_, Cancelled>>()?;
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

/// The sums of a part beyond the guess, and of their products.
#[inline(always)]
fn part_scatter(part: &[f64], guess: &[f64], width: usize) -> (Vec<f64>, Vec<f64>) {
    let features = guess.len();
    let (mut sums, mut products) = (vec![0.0; features], vec![0.0; width * width]);
    let mut buffer = vec![0.0; BLOCK * width];
    for block in part.chunks(BLOCK * features) {
        let rows = block.len() / features;
        for (result, row) in buffer.chunks_exact_mut(width).zip(block.chunks_exact(features)) {
            for (((result, value), guess), sum) in result.iter_mut().zip(row).zip(guess).zip(&mut sums) {
                *result = value - guess;
                *sum += *result;
            }
        }
        add_scatter(&buffer[..rows * width], width, &mut products);
    }
    (sums, products)
}

/// The rows minus the means.
pub(super) fn centred(points: &Points<'_>, mean: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; points.values.len()];
    let chunk = BLOCK * points.features;
    values.par_chunks_mut(chunk).zip(points.values.par_chunks(chunk)).for_each(|(result, part)| {
        for (result, row) in result.chunks_exact_mut(points.features).zip(part.chunks_exact(points.features)) {
            result.iter_mut().zip(row).zip(mean).for_each(|((result, value), mean)| *result = value - mean);
        }
    });
    values
}

/// `(x − mean) · directions`: rows × columns, with `directions` features × columns.
pub(super) fn project(points: &Points<'_>, mean: &[f64], directions: &[f64], columns: usize) -> Vec<f64> {
    let features = points.features;
    let mut result = vec![0.0; points.rows * columns];
    let chunks = result.par_chunks_mut((BLOCK * columns).max(1)).zip(points.values.par_chunks(BLOCK * features));
    chunks.for_each_init(Vec::new, |buffer, (result, part)| {
        centre(part, mean, buffer);
        add_product(buffer, directions, features, columns, result);
    });
    result
}

fn centre(block: &[f64], mean: &[f64], buffer: &mut Vec<f64>) {
    buffer.resize(block.len(), 0.0);
    for (result, row) in buffer.chunks_exact_mut(mean.len()).zip(block.chunks_exact(mean.len())) {
        result.iter_mut().zip(row).zip(mean).for_each(|((result, value), mean)| *result = value - mean);
    }
}

/// Columns of a tile of the scatter, one after the other and beside each other; the sums of a tile stay in registers.
const TALL: usize = 4;
const WIDE: usize = 8;

/// `products += bᵀ·b` of a block of rows that are padded to `width`, a multiple of both sides of a tile; tiles below
/// the diagonal are left out.
#[inline(always)]
fn add_scatter(block: &[f64], width: usize, products: &mut [f64]) {
    for top in (0..width).step_by(TALL) {
        for left in (top / WIDE * WIDE..width).step_by(WIDE) {
            let mut sums = [[0.0_f64; WIDE]; TALL];
            for row in block.chunks_exact(width) {
                let (Some(tall), Some(wide)) = (row[top..].first_chunk::<TALL>(), row[left..].first_chunk::<WIDE>())
                else {
                    continue;
                };
                for (sums, factor) in sums.iter_mut().zip(tall) {
                    for (sum, value) in sums.iter_mut().zip(wide) {
                        *sum += factor * value;
                    }
                }
            }
            for (offset, sums) in sums.iter().enumerate() {
                let at = (top + offset) * width + left;
                products[at..at + WIDE].iter_mut().zip(sums).for_each(|(product, sum)| *product += sum);
            }
        }
    }
}
