//! The features of a logistic regression, with a column of ones behind them, in blocks of rows: dense, or sparse where
//! most values are 0.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis};

use crate::models::vector::{dot_inlined, turn, vectorised};
use crate::parallel;

/// The rows of a block: few enough for the caches.
const BLOCK: usize = 256;
/// The parts that are summed on their own; fixed, so that the sums do not depend on the number of threads.
const PARTS: usize = 16;
/// Above this share of values that are not 0 the dense form is faster.
const SPARSE: f64 = 0.2;

/// The features and the ones.
#[derive(Debug)]
pub(super) struct Design {
    /// The number of features and one more for the ones.
    pub(super) width: usize,
    pub(super) count: usize,
    blocks: Vec<Block>,
}

#[derive(Debug)]
enum Block {
    /// Width × rows.
    Dense(Array2<f64>),
    /// The values that are not 0, row after row.
    Sparse { ends: Vec<u32>, columns: Vec<u32>, values: Vec<f64> },
}

/// A run of blocks that one thread works on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    first: usize,
    last: usize,
}

/// Evenly spread blocks of rows: those whose number leaves `first` when it is divided by `every`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    pub(super) every: usize,
    pub(super) first: usize,
}

impl Spread {
    /// All the rows.
    pub(super) const ALL: Self = Self { every: 1, first: 0 };
}

impl Design {
    pub(super) fn new(x: ArrayView2<'_, f64>) -> Self {
        let (count, features) = x.dim();
        let chunks: Vec<ArrayView2<'_, f64>> = x.axis_chunks_iter(Axis(0), BLOCK).collect();
        let filled: usize = parallel::map(&chunks, non_zeros).into_iter().sum();
        let sparse = (filled as f64) < SPARSE * x.len() as f64;
        let block = |rows: &ArrayView2<'_, f64>| if sparse { sparse_block(rows) } else { dense_block(rows) };
        let blocks = parallel::map(&chunks, block);
        Self { width: features + 1, count, blocks }
    }

    /// The parts, always the same for the same number of rows.
    pub(super) fn parts(&self) -> Vec<Part> {
        let size = self.blocks.len().div_ceil(PARTS).max(1);
        let starts = (0..self.blocks.len()).step_by(size);
        starts.map(|first| Part { first, last: (first + size).min(self.blocks.len()) }).collect()
    }

    /// The blocks of a part that are in the spread, each with its index and its rows.
    pub(super) fn blocks(&self, part: Part, spread: Spread) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
        let chosen = (part.first..part.last).filter(move |block| block % spread.every == spread.first);
        chosen.map(|block| (block, block * BLOCK..((block + 1) * BLOCK).min(self.count)))
    }

    /// Writes scores × rows of a block; `point` holds scores × width.
    pub(super) fn scores(&self, block: usize, point: ArrayView2<'_, f64>, out: &mut Array2<f64>) {
        match (&self.blocks[block], point.as_slice()) {
            (Block::Dense(values), Some(line)) if point.nrows() == 1 => {
                let Some(out) = out.as_slice_mut() else { return };
                out.fill(0.0);
                vectorised(
                    #[inline(always)]
                    || {
                        let columns = values.as_slice().unwrap_or(&[]).chunks_exact(out.len());
                        for (column, factor) in columns.zip(line) {
                            out.iter_mut().zip(column).for_each(|(out, value)| *out += factor * value);
                        }
                    },
                );
            }
            (Block::Dense(values), _) => general_mat_mul(1.0, &point, values, 0.0, out),
            (Block::Sparse { ends, columns, values }, line) => {
                let mut start = 0;
                for (row, &end) in ends.iter().enumerate() {
                    let filled = start..end as usize;
                    let pairs = columns[filled.clone()].iter().zip(&values[filled]);
                    if let (Some(line), 1) = (line, point.nrows()) {
                        out[[0, row]] = pairs.map(|(&column, value)| line[column as usize] * value).sum();
                    } else {
                        for (mut out, line) in out.rows_mut().into_iter().zip(point.rows()) {
                            out[row] = pairs.clone().map(|(&column, value)| line[column as usize] * value).sum();
                        }
                    }
                    start = end as usize;
                }
            }
        }
    }

    /// Adds `residuals (scores × rows) · block` to `sums` (scores × width).
    pub(super) fn add_products(&self, block: usize, residuals: &Array2<f64>, sums: &mut Array2<f64>) {
        match &self.blocks[block] {
            Block::Dense(values) if residuals.nrows() == 1 => {
                let (Some(residuals), Some(sums)) = (residuals.as_slice(), sums.as_slice_mut()) else { return };
                vectorised(
                    #[inline(always)]
                    || {
                        let columns = values.as_slice().unwrap_or(&[]).chunks_exact(residuals.len());
                        for (sum, column) in sums.iter_mut().zip(columns) {
                            *sum += dot_inlined(column, residuals);
                        }
                    },
                );
            }
            Block::Dense(values) => general_mat_mul(1.0, residuals, &values.t(), 1.0, sums),
            Block::Sparse { ends, columns, values } => {
                for (residuals, mut sums) in residuals.rows().into_iter().zip(sums.rows_mut()) {
                    let Some(sums) = sums.as_slice_mut() else { return };
                    let mut start = 0;
                    for (&end, residual) in ends.iter().zip(residuals) {
                        let filled = start..end as usize;
                        for (&column, value) in columns[filled.clone()].iter().zip(&values[filled]) {
                            sums[column as usize] += value * residual;
                        }
                        start = end as usize;
                    }
                }
            }
        }
    }

    /// Adds the weighted sum of the squares of each column to `sums` (1 × width).
    pub(super) fn add_squares(&self, block: usize, weights: &[f64], sums: &mut Array2<f64>) {
        match &self.blocks[block] {
            Block::Dense(values) => {
                for (sum, column) in sums.iter_mut().zip(values.rows()) {
                    *sum += column.iter().zip(weights).map(|(value, weight)| weight * value * value).sum::<f64>();
                }
            }
            Block::Sparse { ends, columns, values } => {
                let mut start = 0;
                for (&end, weight) in ends.iter().zip(weights) {
                    let filled = start..end as usize;
                    for (&column, value) in columns[filled.clone()].iter().zip(&values[filled]) {
                        sums[[0, column as usize]] += weight * value * value;
                    }
                    start = end as usize;
                }
            }
        }
    }

    /// Adds the sum over the rows of a block of `weight · xᵀ·x`, for the `chosen` columns alone; `places` gives the place of
    /// each column among them. Of the result only the lower triangle counts.
    pub(super) fn add_gram(
        &self,
        block: usize,
        weights: &[f64],
        chosen: &[usize],
        places: &[Option<u32>],
        sums: &mut Array2<f64>,
    ) {
        match &self.blocks[block] {
            Block::Dense(values) => {
                let mut scaled = Array2::zeros((chosen.len(), weights.len()));
                let roots: Vec<f64> = weights.iter().map(|weight| weight.max(0.0).sqrt()).collect();
                for (mut out, &column) in scaled.rows_mut().into_iter().zip(chosen) {
                    let pairs = values.row(column).into_iter().zip(&roots);
                    out.iter_mut().zip(pairs).for_each(|(out, (value, root))| *out = value * root);
                }
                general_mat_mul(1.0, &scaled, &scaled.t(), 1.0, sums);
            }
            Block::Sparse { ends, columns, values } => {
                let mut start = 0;
                let mut filled: Vec<(usize, f64)> = Vec::new();
                for (&end, weight) in ends.iter().zip(weights) {
                    filled.clear();
                    let pairs = columns[start..end as usize].iter().zip(&values[start..end as usize]);
                    filled.extend(
                        pairs.filter_map(|(&column, &value)| {
                            places[column as usize].map(|place| (place as usize, value))
                        }),
                    );
                    for (index, &(place, value)) in filled.iter().enumerate() {
                        // Columns ascend, and so do the places of the chosen ones.
                        let factor = weight * value;
                        for &(other, value) in &filled[..=index] {
                            sums[[place, other]] += factor * value;
                        }
                    }
                    start = end as usize;
                }
            }
        }
    }
}

fn non_zeros(rows: &ArrayView2<'_, f64>) -> usize {
    rows.iter().filter(|value| **value != 0.0).count()
}

fn dense_block(rows: &ArrayView2<'_, f64>) -> Block {
    let (count, features) = rows.dim();
    let mut values = Array2::ones((features + 1, count));
    match (rows.as_slice(), values.as_slice_mut()) {
        (Some(rows), Some(columns)) => turn(rows, features, columns),
        _ => values.view_mut().split_at(Axis(0), features).0.assign(&rows.t()),
    }
    Block::Dense(values)
}

fn sparse_block(rows: &ArrayView2<'_, f64>) -> Block {
    let (mut ends, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows.rows() {
        for (column, &value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            columns.push(column as u32);
            values.push(value);
        }
        columns.push(rows.ncols() as u32);
        values.push(1.0);
        ends.push(columns.len() as u32);
    }
    Block::Sparse { ends, columns, values }
}
