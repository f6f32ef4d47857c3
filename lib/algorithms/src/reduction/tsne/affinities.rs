//! The similarities of the rows in the space of the features: Gaussian kernels whose widths give every row the same
//! perplexity, made symmetric (van der Maaten and Hinton, 2008).

use super::super::neighbours::Neighbours;
use crate::parallel;
use crate::probe::{Cancelled, Probe};

const STEPS: usize = 100;
const TOLERANCE: f64 = 1e-8;
const ROWS: usize = 256;

/// A sparse symmetric matrix of joint probabilities that sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Affinities {
    /// Where each row begins, with the end of the last row behind them.
    pub(super) starts: Vec<usize>,
    /// The columns, ascending within a row.
    pub(super) columns: Vec<u32>,
    /// The probabilities.
    pub(super) values: Vec<f32>,
    /// The sum of p·ln p: what the divergence has without the map.
    pub(super) negative_entropy: f64,
}

impl Affinities {
    /// The similarities of each row to its neighbours at a perplexity.
    pub(super) fn new(neighbours: &Neighbours, perplexity: f64, probe: &dyn Probe) -> Result<Self, Cancelled> {
        let count = neighbours.count;
        let mut conditional = vec![0.0; neighbours.squared.len()];
        let chunks = conditional.chunks_mut(ROWS * count).zip(neighbours.squared.chunks(ROWS * count));
        parallel::try_map(chunks, |(conditional, squared)| {
            probe.check()?;
            for (conditional, squared) in conditional.chunks_exact_mut(count).zip(squared.chunks_exact(count)) {
                row(squared, perplexity.ln(), conditional);
            }
            Ok::<_, Cancelled>(())
        })?;
        Ok(Self::symmetric(neighbours, &conditional))
    }

    /// `(P + Pᵀ)`, divided by its sum.
    fn symmetric(neighbours: &Neighbours, conditional: &[f64]) -> Self {
        let count = neighbours.count;
        let rows = neighbours.indices.len() / count;
        // A counting sort by column gives the transposed matrix, its rows ascending.
        let mut starts = vec![0; rows + 1];
        for &index in &neighbours.indices {
            starts[index as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut transposed = vec![(0_u32, 0.0); neighbours.indices.len()];
        for (place, (&index, &value)) in neighbours.indices.iter().zip(conditional).enumerate() {
            let slot = &mut next[index as usize];
            transposed[*slot] = ((place / count) as u32, value);
            *slot += 1;
        }
        let merged = parallel::map_rows(rows, |row| {
            let own = row * count..(row + 1) * count;
            let own = neighbours.indices[own.clone()].iter().copied().zip(conditional[own].iter().copied());
            let mut entries: Vec<(u32, f64)> =
                own.chain(transposed[starts[row]..starts[row + 1]].iter().copied()).collect();
            // The sum of two numbers does not depend on their order, so an unstable sort will do.
            entries.sort_unstable_by_key(|entry| entry.0);
            entries.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    earlier.1 += later.1;
                }
                same
            });
            entries
        });
        let total: f64 = merged.iter().flatten().map(|(_, value)| value).sum();
        let total = total.max(f64::MIN_POSITIVE);
        let mut begins = Vec::with_capacity(rows + 1);
        begins.push(0);
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        let mut negative_entropy = 0.0;
        for row in &merged {
            for &(column, value) in row {
                let value = value / total;
                if value > 0.0 {
                    negative_entropy += value * value.ln();
                }
                columns.push(column);
                values.push(value as f32);
            }
            begins.push(columns.len());
        }
        Self { starts: begins, columns, values, negative_entropy }
    }
}

/// The probabilities of a row's neighbours by a Gaussian kernel whose entropy is `entropy`.
///
/// Newton's method on the logarithm of the precision, within a bracket. Where no precision gives the entropy, as when
/// more neighbours than the perplexity lie equally near, the search ends at the nearest that can be had.
fn row(squared: &[f64], entropy: f64, probabilities: &mut [f64]) {
    let nearest = squared.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = squared.iter().sum::<f64>() / squared.len() as f64 - nearest;
    let mut precision = if mean > 0.0 { 1.0 / mean } else { 1.0 };
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut sum = 1.0;
    for _ in 0..STEPS {
        let (mut first, mut second) = (0.0, 0.0);
        sum = 0.0;
        for (probability, squared) in probabilities.iter_mut().zip(squared) {
            let distance = squared - nearest;
            let value = (-distance * precision).exp();
            *probability = value;
            sum += value;
            first += value * distance;
            second += value * distance * distance;
        }
        let (first, second) = (first / sum, second / sum);
        let difference = sum.ln() + precision * first - entropy;
        if difference.abs() <= TOLERANCE {
            break;
        }
        if difference > 0.0 {
            low = precision;
        } else {
            high = precision;
        }
        let slope = precision * precision * (second - first * first);
        let newton = precision * (difference / slope).clamp(-2.0, 2.0).exp();
        precision = if newton > low && newton < high {
            newton
        } else if high.is_finite() {
            f64::midpoint(low, high)
        } else {
            2.0 * low
        };
        if !(1e-300..1e300).contains(&precision) {
            break;
        }
    }
    for probability in probabilities {
        *probability /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy(probabilities: &[f64]) -> f64 {
        -probabilities.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
    }

    #[test]
    fn every_row_has_the_perplexity() {
        let squared: Vec<f64> = (1..=30).map(|i| f64::from(i) * 37.0).collect();
        for perplexity in [1.5_f64, 5.0, 10.0, 29.0] {
            let mut probabilities = vec![0.0; 30];
            row(&squared, perplexity.ln(), &mut probabilities);
            assert!((entropy(&probabilities) - perplexity.ln()).abs() < 1e-7);
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn equal_and_extreme_distances_give_numbers() {
        for squared in [vec![0.0; 9], vec![4.0; 9], vec![1e-290; 9], vec![0.0, 1e280, 1e280]] {
            let mut probabilities = vec![0.0; squared.len()];
            row(&squared, 2.0_f64.ln(), &mut probabilities);
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{squared:?} {probabilities:?}");
        }
    }
}
