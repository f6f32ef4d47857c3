//! The silhouette (Rousseeuw, 1987): how much nearer rows are to their own cluster than to the next.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use rand::seq::SliceRandom;

use super::{ClusterMetricError, Grouped};
use crate::metrics::Measure;
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::seed;

/// Up to so many rows the silhouette is exact unless a caller says otherwise: a few seconds on two cores.
pub const SILHOUETTE_ROWS: usize = 20_000;

/// The rows of one task, and those that they are compared with at a time.
const BLOCK: usize = 256;

/// Below this share of the rows' squared lengths a squared distance is computed again without cancellation.
const NEAR: f64 = 1e-5;

/// The silhouette of a clustering.
#[derive(Debug, Clone, PartialEq)]
pub struct Silhouette {
    /// The mean over the rows.
    pub mean: Measure,
    /// The mean over the rows of each cluster; `None` where no row of it was measured.
    pub by_cluster: Vec<Option<f64>>,
    /// The number of rows that were measured.
    pub rows: u64,
    /// Whether those are a sample.
    pub sampled: bool,
}

/// The mean silhouette of the rows that are not noise, with Euclidean distances; a row that is alone has 0.
///
/// Above `limit` rows it is that of `limit` of them, drawn by `seed`. Time is quadratic in the rows that are measured.
pub fn silhouette(
    x: ArrayView2<'_, f64>,
    labels: &[i32],
    limit: usize,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Silhouette, ClusterMetricError> {
    Ok(of(&Grouped::new(x, labels)?, limit, seed, probe)?)
}

/// The silhouette of every row, in the order of `x`; noise, which is in no cluster, has 0. `None` when the clusters cannot
/// be compared. Time is quadratic in the rows.
pub fn row_silhouettes(
    x: ArrayView2<'_, f64>,
    labels: &[i32],
    probe: &dyn Probe,
) -> Result<Option<Vec<f64>>, ClusterMetricError> {
    let grouped = Grouped::new(x, labels)?;
    if grouped.undefined().is_some() {
        return Ok(None);
    }
    let mut values = vec![0.0; labels.len()];
    for (&row, value) in grouped.rows.iter().zip(grouped.silhouettes(probe)?) {
        values[row] = value;
    }
    Ok(Some(values))
}

pub(super) fn of(all: &Grouped, limit: usize, seed: u64, probe: &dyn Probe) -> Result<Silhouette, Cancelled> {
    let sample = (all.rows.len() > limit).then(|| all.sample(limit, seed));
    let grouped = sample.as_ref().unwrap_or(all);
    let (rows, sampled) = (grouped.rows.len() as u64, sample.is_some());
    let clusters = all.sizes().len();
    if let Some(reason) = grouped.undefined() {
        let reason = if sampled { format!("in a sample of {rows} rows: {reason}") } else { reason };
        return Ok(Silhouette { mean: Measure::undefined(reason), by_cluster: vec![None; clusters], rows, sampled });
    }
    let values = grouped.silhouettes(probe)?;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let by_cluster = (0..clusters).map(|cluster| &values[grouped.cluster(cluster)]);
    let by_cluster = by_cluster.map(|own| (!own.is_empty()).then(|| mean(own))).collect();
    Ok(Silhouette { mean: Measure::of(mean(&values)), by_cluster, rows, sampled })
}

impl Grouped {
    /// Some rows, drawn without replacement.
    fn sample(&self, count: usize, seed: u64) -> Self {
        let mut drawn = (0..self.rows.len()).collect::<Vec<_>>();
        let mut drawn = drawn.partial_shuffle(&mut seed::rng(seed, 0), count).0.to_vec();
        drawn.sort_unstable();
        let starts = self.starts.iter().map(|&start| drawn.partition_point(|&row| row < start)).collect();
        Self {
            values: drawn.iter().flat_map(|&row| self.row(row)).copied().collect(),
            features: self.features,
            rows: drawn.iter().map(|&row| self.rows[row]).collect(),
            starts,
        }
    }

    /// The silhouette of each row, in the order of the groups.
    fn silhouettes(&self, probe: &dyn Probe) -> Result<Vec<f64>, Cancelled> {
        let norms = self.values.chunks_exact(self.features).map(|row| row.iter().map(|value| value * value).sum());
        let norms = norms.collect::<Vec<f64>>();
        let blocks = parallel::try_map(0..self.rows.len().div_ceil(BLOCK), |block| {
            probe.check()?;
            let range = block * BLOCK..((block + 1) * BLOCK).min(self.rows.len());
            Ok::<_, Cancelled>(self.block(range, &norms))
        });
        Ok(blocks?.concat())
    }

    fn block(&self, range: std::ops::Range<usize>, norms: &[f64]) -> Vec<f64> {
        let clusters = self.starts.len() - 1;
        // The sums of the distances of each row to each cluster.
        let mut sums = vec![0.0; range.len() * clusters];
        let mut distances = vec![0.0; range.len() * BLOCK];
        for cluster in 0..clusters {
            let members = self.cluster(cluster);
            for start in members.clone().step_by(BLOCK) {
                let others = start..(start + BLOCK).min(members.end);
                let distances = &mut distances[..range.len() * others.len()];
                self.distances(range.clone(), others.clone(), norms, distances);
                for (index, line) in distances.chunks_exact(others.len()).enumerate() {
                    sums[index * clusters + cluster] += line.iter().sum::<f64>();
                }
            }
        }
        let value = |(index, sums): (usize, &[f64])| {
            let own = self.starts.partition_point(|&start| start <= range.start + index) - 1;
            let size = self.cluster(own).len();
            if size == 1 {
                return 0.0;
            }
            let inside = sums[own] / (size - 1) as f64;
            let others = (0..clusters).filter(|&other| other != own && !self.cluster(other).is_empty());
            let outside =
                others.map(|other| sums[other] / self.cluster(other).len() as f64).fold(f64::INFINITY, f64::min);
            let larger = inside.max(outside);
            if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
        };
        sums.chunks_exact(clusters).enumerate().map(value).collect()
    }

    /// The distances between two ranges of rows.
    fn distances(
        &self,
        rows: std::ops::Range<usize>,
        others: std::ops::Range<usize>,
        norms: &[f64],
        distances: &mut [f64],
    ) {
        let part =
            |range: &std::ops::Range<usize>| &self.values[range.start * self.features..range.end * self.features];
        let left = ArrayView2::from_shape((rows.len(), self.features), part(&rows));
        let right = ArrayView2::from_shape((others.len(), self.features), part(&others));
        let products = ArrayViewMut2::from_shape((rows.len(), others.len()), &mut *distances);
        if let (Ok(left), Ok(right), Ok(mut products)) = (left, right, products) {
            general_mat_mul(-2.0, &left, &right.t(), 0.0, &mut products);
        }
        for (line, row) in distances.chunks_exact_mut(others.len()).zip(rows) {
            let mut near = false;
            for (distance, norm) in line.iter_mut().zip(&norms[others.clone()]) {
                let lengths = norm + norms[row];
                let squared = *distance + lengths;
                near |= squared < NEAR * lengths;
                *distance = if squared > 0.0 { squared.sqrt() } else { 0.0 };
            }
            if near {
                for (distance, other) in line.iter_mut().zip(others.clone()) {
                    if *distance * *distance < NEAR * (norms[row] + norms[other]) {
                        let pairs = self.row(row).iter().zip(self.row(other));
                        *distance = pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
                    }
                }
            }
        }
    }
}
