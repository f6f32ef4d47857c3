//! k-means: the centers that the rows are nearest to in the mean square.

mod bounded;
mod lloyd;
mod minibatch;
mod seeding;
mod single;
mod tiles;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use minibatch::{MiniBatchOptions, fit as fit_minibatch};

use super::points::{Points, check_weights};
use super::{ClusteringError, InvalidClusterModel};
use crate::probe::Probe;
use crate::seed;
pub(crate) use seeding::random_rows;
use single::Single;

/// Fitted centers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KMeans {
    pub(super) num_features: u32,
    /// Clusters × features, row by row.
    pub(super) centers: Vec<f64>,
}

/// Where k-means begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Greedy k-means++.
    PlusPlus,
    /// Rows drawn at random.
    Random,
    /// These centers: clusters × features, row by row.
    Given(Vec<f64>),
}

/// How k-means is fitted; the names are scikit-learn's.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansOptions {
    /// The number of clusters.
    pub n_clusters: usize,
    /// Where it begins.
    pub init: Start,
    /// How many starts are tried; the one of the lowest inertia is kept.
    pub n_init: usize,
    /// The largest number of iterations of one start.
    pub max_iter: usize,
    /// The iterations stop when the centers' squared movements sum to at most this share of the features' mean
    /// variance.
    pub tol: f64,
}

/// What fitting gives.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansFit {
    /// The centers.
    pub model: KMeans,
    /// The cluster of each row.
    pub labels: Vec<i32>,
    /// The weighted sum of the squared distances to the centers.
    pub inertia: f64,
    /// The iterations of the start that was kept.
    pub iterations: usize,
    /// Whether they reached the tolerance.
    pub converged: bool,
}

/// Fits k-means: Lloyd's iterations from each start, first in single precision with bounds, then in double precision
/// to a point that they do not leave.
///
/// `x` is rows × features; a weight counts a row so many times, as in scikit-learn. Fails for fewer rows than clusters.
pub fn fit(
    x: ArrayView2<'_, f64>,
    weights: Option<&[f64]>,
    options: &KMeansOptions,
    seed: u64,
    probe: &dyn Probe,
) -> Result<KMeansFit, ClusteringError> {
    let points = Points::new(x)?;
    check(&points, weights, options.n_clusters, &options.init)?;
    let single = Single::new(&points);
    let variances = points.variances(&single.means);
    let tolerance = options.tol * variances.iter().sum::<f64>() / variances.len() as f64;
    let starts = if matches!(options.init, Start::Given(_)) { 1 } else { options.n_init.max(1) };
    let mut best: Option<KMeansFit> = None;
    for start in 0..starts {
        probe.progress(start as f64, starts as f64, &format!("k-means with {} clusters", options.n_clusters));
        let centers = begin(&points, &single, weights, options, seed::derive(seed, start as u64), probe)?;
        let scaled = centers.iter().zip(single.means.iter().cycle()).map(|(value, mean)| (value - mean) / single.scale);
        let rough_tolerance = tolerance / (single.scale * single.scale);
        let rough = bounded::iterate(&single, weights, scaled.collect(), options.max_iter, rough_tolerance, probe)?;
        let centers = rough.centers.iter().zip(single.means.iter().cycle());
        let centers = centers.map(|(value, mean)| value * single.scale + mean).collect();
        let left = options.max_iter - rough.iterations;
        let exact = lloyd::iterate(&points, weights, &single.means, (rough.labels, centers), (left, tolerance), probe)?;
        let inertia = lloyd::inertia(&points, weights, &exact.centers, &exact.labels);
        if best.as_ref().is_none_or(|best| inertia < best.inertia) {
            best = Some(KMeansFit {
                model: KMeans { num_features: points.features as u32, centers: exact.centers },
                labels: exact.labels.iter().map(|&label| label as i32).collect(),
                inertia,
                iterations: rough.iterations + exact.iterations,
                converged: exact.converged,
            });
        }
    }
    best.filter(|best| best.inertia.is_finite()).ok_or(ClusteringError::OutOfRange)
}

fn check(points: &Points<'_>, weights: Option<&[f64]>, clusters: usize, start: &Start) -> Result<(), ClusteringError> {
    check_weights(weights, points.rows)?;
    if clusters == 0 || clusters > points.rows {
        return Err(ClusteringError::TooFewRows { rows: points.rows, needed: clusters, name: "n_clusters" });
    }
    match start {
        Start::Given(centers) if centers.len() != clusters * points.features => {
            Err(ClusteringError::Start { given: centers.len(), clusters, features: points.features })
        }
        Start::Given(centers) if centers.iter().any(|value| !value.is_finite()) => Err(ClusteringError::OutOfRange),
        _ => Ok(()),
    }
}

/// The first centers, in the units of the rows.
fn begin(
    points: &Points<'_>,
    single: &Single,
    weights: Option<&[f64]>,
    options: &KMeansOptions,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Vec<f64>, ClusteringError> {
    let mut random = seed::rng(seed, 0);
    let rows = match &options.init {
        Start::Given(centers) => return Ok(centers.clone()),
        Start::Random => seeding::random_rows(points.rows, options.n_clusters, &mut random),
        Start::PlusPlus => seeding::plus_plus(single, weights, options.n_clusters, &mut random, probe)?,
    };
    Ok(rows.into_iter().flat_map(|row| points.row(row)).copied().collect())
}

impl KMeans {
    /// The number of features.
    pub const fn num_features(&self) -> usize {
        self.num_features as usize
    }

    /// The number of clusters.
    pub fn num_clusters(&self) -> usize {
        self.centers.len() / self.num_features().max(1)
    }

    /// Clusters × features, row by row.
    pub fn centers(&self) -> &[f64] {
        &self.centers
    }

    /// Checks that the shape agrees and that every center is finite.
    pub(super) fn validate(&self) -> Result<(), InvalidClusterModel> {
        let features = self.num_features();
        if features == 0 || self.centers.is_empty() || !self.centers.len().is_multiple_of(features) {
            return Err(InvalidClusterModel::new("the centers of k-means have the wrong shape"));
        }
        if self.centers.iter().any(|value| !value.is_finite()) {
            return Err(InvalidClusterModel::new("a center of k-means is not a finite number"));
        }
        Ok(())
    }

    /// The nearest center of each row; the number of features was checked.
    pub(super) fn predict(&self, points: &Points<'_>) -> Vec<i32> {
        let mut labels = vec![0; points.rows];
        lloyd::assign(points, &points.means(None), &self.centers, &mut labels);
        labels.into_iter().map(|label| label as i32).collect()
    }
}
