//! The bins of the training rows in the two layouts that growing a tree reads.

use ndarray::ArrayView2;

use crate::models::tree::bins::{Bins, MISSING};
use crate::parallel;

/// Features whose histogram is filled together: their tables of words take half of a first-level cache of 32 kB.
const WIDEST: usize = 8;
/// Rows that one task converts.
const CHUNK: usize = 8192;

/// The binned training rows.
pub(super) struct Matrix {
    bins: Bins,
    /// The features in blocks, in their order.
    pub(super) blocks: Vec<Block>,
    /// One a feature.
    pub(super) features: Vec<Feature>,
}

/// A few neighbouring features, row by row.
pub(super) struct Block {
    /// The first feature.
    pub(super) first: usize,
    /// The number of bins of each feature; the one behind them is for missing values.
    pub(super) bins: Vec<usize>,
    /// The bins of each row.
    pub(super) codes: Codes,
}

/// The bins of a block, row by row, as many a row as the block has features; a block of three or five has one more
/// column than that, which nothing reads.
pub(super) enum Codes {
    One(Vec<[u8; 1]>),
    Two(Vec<[u8; 2]>),
    Four(Vec<[u8; 4]>),
    Six(Vec<[u8; 6]>),
    Eight(Vec<[u8; 8]>),
}

/// What the bins of a feature mean.
pub(super) struct Feature {
    /// For numbers: a value below `cuts[b]` is in the bins up to `b`. For categories: the number of each bin.
    pub(super) cuts: Vec<f32>,
    /// Whether the values are numbers of categories.
    pub(super) categorical: bool,
}

impl Matrix {
    /// Lays out the bins of `x` (rows × features).
    pub(super) fn new(x: ArrayView2<'_, f64>, bins: Bins, categorical: &[bool]) -> Self {
        let (rows, features) = x.dim();
        let blocks = parallel::ranges(features, WIDEST);
        let blocks = parallel::map(blocks, |features| Block::new(&bins, rows, features.start, features.end));
        let features = parallel::map(0..features, |feature| {
            let categorical = categorical.get(feature).copied().unwrap_or(false);
            Feature { cuts: cuts(x, &bins, feature, categorical), categorical }
        });
        Self { bins, blocks, features }
    }

    /// The bins of a feature, one a row; [`MISSING`] for missing values.
    pub(super) fn column(&self, feature: usize) -> &[u8] {
        self.bins.column(feature)
    }
}

impl Block {
    fn new(bins: &Bins, rows: usize, first: usize, end: usize) -> Self {
        let codes = match end - first {
            1 => Codes::One(interleave(bins, rows, first, end)),
            2 => Codes::Two(interleave(bins, rows, first, end)),
            3 | 4 => Codes::Four(interleave(bins, rows, first, end)),
            5 | 6 => Codes::Six(interleave(bins, rows, first, end)),
            _ => Codes::Eight(interleave(bins, rows, first, end)),
        };
        Self { first, bins: (first..end).map(|feature| bins.num_bins(feature)).collect(), codes }
    }
}

/// The bins of the features from `first` to `end`, row by row, missing values moved right behind the last bin.
fn interleave<const W: usize>(bins: &Bins, rows: usize, first: usize, end: usize) -> Vec<[u8; W]> {
    let mut codes = vec![[0; W]; rows];
    for (start, codes) in (0..rows).step_by(CHUNK).zip(codes.chunks_mut(CHUNK)) {
        for feature in first..end {
            let missing = bins.num_bins(feature) as u8;
            let column = &bins.column(feature)[start..start + codes.len()];
            for (codes, &code) in codes.iter_mut().zip(column) {
                codes[feature - first] = if code == MISSING { missing } else { code };
            }
        }
    }
    codes
}

/// The cuts of a feature: behind each bin the smallest training value of the next, as XGBoost cuts, and behind the last
/// bin a number above all.
fn cuts(x: ArrayView2<'_, f64>, bins: &Bins, feature: usize, categorical: bool) -> Vec<f32> {
    if categorical {
        return (0..bins.num_bins(feature)).map(|category| category as f32).collect();
    }
    let mut least = vec![f32::INFINITY; bins.num_bins(feature)];
    let mut largest = f32::NEG_INFINITY;
    for (&code, value) in bins.column(feature).iter().zip(x.column(feature)) {
        if code != MISSING {
            let value = single(*value);
            let least = &mut least[usize::from(code)];
            *least = least.min(value);
            largest = largest.max(value);
        }
    }
    // A bin that no row is in cuts where the next one does.
    let mut next = (largest + largest.abs() + 1e-5).min(f32::MAX);
    for least in least.iter_mut().rev() {
        let own = if least.is_finite() { *least } else { next };
        *least = std::mem::replace(&mut next, own);
    }
    least
}

/// A value in single precision; what is too large for it becomes its largest number.
pub(super) fn single(value: f64) -> f32 {
    (value as f32).clamp(f32::MIN, f32::MAX)
}
