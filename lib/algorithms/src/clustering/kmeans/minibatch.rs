//! Mini-batch k-means (Sculley, 2010): centers that follow small random batches, for tables with very many rows.

use ndarray::ArrayView2;
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::ClusteringError;
use super::super::points::Points;
use super::single::Single;
use super::{KMeans, KMeansFit, KMeansOptions, Start, begin, check, lloyd};
use crate::probe::Probe;
use crate::seed;

/// How mini-batch k-means is fitted; the names are scikit-learn's.
#[derive(Debug, Clone, PartialEq)]
pub struct MiniBatchOptions {
    /// The number of clusters, the start, and the limits; `tol` of 0 does not stop.
    pub kmeans: KMeansOptions,
    /// The number of rows of a batch.
    pub batch_size: usize,
    /// How many batches in a row may pass without a better smoothed inertia; `None` for any number.
    pub max_no_improvement: Option<usize>,
    /// A center of a weight below this share of the largest is moved to a random row of the batch.
    pub reassignment_ratio: f64,
    /// How many rows the starts are chosen from; `None` for three batches, or three rows a cluster if that is more.
    pub init_size: Option<usize>,
}

/// Fits mini-batch k-means; the labels and the inertia are those of all rows by the last centers.
///
/// Rows are drawn with replacement by their weights. `max_iter` counts passes over as many rows as there are.
pub fn fit(
    x: ArrayView2<'_, f64>,
    weights: Option<&[f64]>,
    options: &MiniBatchOptions,
    seed: u64,
    probe: &dyn Probe,
) -> Result<KMeansFit, ClusteringError> {
    let points = Points::new(x)?;
    let clusters = options.kmeans.n_clusters;
    check(&points, weights, clusters, &options.kmeans.init)?;
    let mut random = seed::rng(seed, u64::MAX);
    let means = points.means(None);
    let centers = best_start(&points, weights, options, seed, probe)?;
    let variance = points.variances(&means).iter().sum::<f64>() / points.features as f64;
    let mut state = State {
        counts: vec![0.0; clusters],
        since_reassignment: 0,
        smoothed: None,
        lowest: f64::INFINITY,
        without: 0,
        centers,
    };
    let size = options.batch_size.clamp(1, points.rows);
    let batches = (options.kmeans.max_iter * points.rows).div_ceil(size);
    let draw = Draw::new(weights, points.rows);
    let (mut done, mut converged) = (0, false);
    while done < batches && !converged {
        probe.check()?;
        if done % 100 == 0 {
            probe.progress(done as f64, batches as f64, "mini-batch k-means");
        }
        let rows = (0..size).map(|_| draw.row(&mut random)).collect::<Vec<_>>();
        done += 1;
        let (mean_inertia, shift) = state.step(&points, &means, &rows, options.reassignment_ratio, &mut random)?;
        // The first batch says nothing: its centers come from the start.
        if done > 1 {
            converged = state.stops(mean_inertia, shift, size, &points, options, variance);
        }
    }
    let mut labels = vec![0; points.rows];
    lloyd::assign(&points, &means, &state.centers, &mut labels);
    let inertia = lloyd::inertia(&points, weights, &state.centers, &labels);
    if !inertia.is_finite() {
        return Err(ClusteringError::OutOfRange);
    }
    Ok(KMeansFit {
        model: KMeans { num_features: points.features as u32, centers: state.centers },
        labels: labels.into_iter().map(|label| label as i32).collect(),
        inertia,
        iterations: done,
        converged,
    })
}

/// The start whose centers are best on a sample.
fn best_start(
    points: &Points<'_>,
    weights: Option<&[f64]>,
    options: &MiniBatchOptions,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Vec<f64>, ClusteringError> {
    let clusters = options.kmeans.n_clusters;
    let size = options.init_size.unwrap_or(3 * options.batch_size).max(3 * clusters).min(points.rows);
    let mut random = seed::rng(seed, u64::MAX - 1);
    let draw = Draw::new(weights, points.rows);
    let starts = if matches!(options.kmeans.init, Start::Given(_)) { 1 } else { options.kmeans.n_init.max(1) };
    let mut best: Option<(f64, Vec<f64>)> = None;
    for start in 0..starts {
        let sampled = (0..size).flat_map(|_| points.row(draw.row(&mut random))).copied().collect::<Vec<_>>();
        let sample = super::super::points::matrix(&sampled, size, points.features);
        let sample = Points::new(sample.view())?;
        let single = Single::new(&sample);
        let centers = begin(&sample, &single, None, &options.kmeans, seed::derive(seed, start as u64), probe)?;
        let mut labels = vec![0; sample.rows];
        lloyd::assign(&sample, &single.means, &centers, &mut labels);
        let inertia = lloyd::inertia(&sample, None, &centers, &labels);
        if best.as_ref().is_none_or(|(lowest, _)| inertia < *lowest) {
            best = Some((inertia, centers));
        }
    }
    best.map(|(_, centers)| centers).ok_or(ClusteringError::OutOfRange)
}

/// Rows drawn with replacement, with probability proportional to their weight.
struct Draw {
    rows: usize,
    cumulative: Vec<f64>,
}

impl Draw {
    fn new(weights: Option<&[f64]>, rows: usize) -> Self {
        let mut total = 0.0;
        let mut add = |weight: &f64| {
            total += weight;
            total
        };
        Self { rows, cumulative: weights.unwrap_or(&[]).iter().map(&mut add).collect() }
    }

    fn row(&self, random: &mut Xoshiro256PlusPlus) -> usize {
        match self.cumulative.last() {
            None => random.random_range(0..self.rows),
            Some(total) => {
                let point = random.random::<f64>() * total;
                self.cumulative.partition_point(|passed| *passed <= point).min(self.rows - 1)
            }
        }
    }
}

/// The centers, the weight that each has seen, and how the inertia goes.
struct State {
    centers: Vec<f64>,
    counts: Vec<f64>,
    since_reassignment: usize,
    smoothed: Option<f64>,
    lowest: f64,
    without: usize,
}

impl State {
    /// One batch; gives its mean inertia before the step and the sum of the centers' squared movements.
    fn step(
        &mut self,
        points: &Points<'_>,
        means: &[f64],
        rows: &[usize],
        ratio: f64,
        random: &mut Xoshiro256PlusPlus,
    ) -> Result<(f64, f64), ClusteringError> {
        let features = points.features;
        let values = rows.iter().flat_map(|&row| points.row(row)).copied().collect::<Vec<_>>();
        let batch = super::super::points::matrix(&values, rows.len(), features);
        let batch = Points::new(batch.view())?;
        let mut labels = vec![0; rows.len()];
        lloyd::assign(&batch, means, &self.centers, &mut labels);
        let inertia = lloyd::inertia(&batch, None, &self.centers, &labels) / rows.len() as f64;
        let before = self.centers.clone();
        for (row, &label) in labels.iter().enumerate() {
            let label = label as usize;
            self.counts[label] += 1.0;
            let center = &mut self.centers[label * features..(label + 1) * features];
            for (value, given) in center.iter_mut().zip(batch.row(row)) {
                *value += (given - *value) / self.counts[label];
            }
        }
        self.reassign(&batch, ratio, random);
        let shift = before.iter().zip(&self.centers).map(|(before, after)| (before - after).powi(2)).sum();
        Ok((inertia, shift))
    }

    /// Moves centers that hardly any row has chosen, each time that ten times as many rows as clusters have passed.
    fn reassign(&mut self, batch: &Points<'_>, ratio: f64, random: &mut Xoshiro256PlusPlus) {
        self.since_reassignment += batch.rows;
        let due = self.since_reassignment >= 10 * self.counts.len() || self.counts.contains(&0.0);
        if !due || ratio == 0.0 {
            return;
        }
        self.since_reassignment = 0;
        let largest = self.counts.iter().copied().fold(0.0, f64::max);
        let mut low = (0..self.counts.len()).filter(|&one| self.counts[one] < ratio * largest).collect::<Vec<_>>();
        low.sort_by(|&a, &b| self.counts[a].total_cmp(&self.counts[b]));
        // No more than half a batch at once, or the batch would be all there is.
        low.truncate(batch.rows / 2);
        let kept = (0..self.counts.len()).filter(|one| !low.contains(one));
        let smallest = kept.map(|one| self.counts[one]).fold(f64::INFINITY, f64::min);
        let rows = super::seeding::random_rows(batch.rows, low.len(), random);
        for (&cluster, row) in low.iter().zip(rows) {
            let features = batch.features;
            self.centers[cluster * features..(cluster + 1) * features].copy_from_slice(batch.row(row));
            self.counts[cluster] = if smallest.is_finite() { smallest } else { 1.0 };
        }
    }

    /// Whether the batches have stopped making the centers better.
    fn stops(
        &mut self,
        inertia: f64,
        shift: f64,
        size: usize,
        points: &Points<'_>,
        options: &MiniBatchOptions,
        variance: f64,
    ) -> bool {
        let share = (2.0 * size as f64 / (points.rows as f64 + 1.0)).min(1.0);
        let smoothed = self.smoothed.map_or(inertia, |smoothed| smoothed * (1.0 - share) + inertia * share);
        self.smoothed = Some(smoothed);
        if options.kmeans.tol > 0.0 && shift <= options.kmeans.tol * variance {
            return true;
        }
        if smoothed < self.lowest {
            (self.lowest, self.without) = (smoothed, 0);
        } else {
            self.without += 1;
        }
        options.max_no_improvement.is_some_and(|most| self.without >= most)
    }
}
