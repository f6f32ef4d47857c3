//! One front for every clustering algorithm.

use ndarray::ArrayView2;

use super::kmeans::KMeansFit;
use super::parameters::{ClusterParameters, Options};
use super::{ClusterModel, ClusteringError, dbscan, gaussian_mixture, hdbscan, kmeans};
use crate::probe::Probe;

/// A clustering and what fitting it has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// The cluster of each row, from 0 up; -1 for noise.
    pub labels: Vec<i32>,
    /// The fitted model.
    pub model: ClusterModel,
    /// The number of rows of each cluster; 0 for one that no row is in.
    pub sizes: Vec<u64>,
    /// The number of noise rows.
    pub noise: u64,
    /// How firmly each row belongs to its cluster, from 0 to 1; for hdbscan and mixtures.
    pub probabilities: Option<Vec<f64>>,
    /// The weighted sum of the squared distances to the centers; for k-means.
    pub inertia: Option<f64>,
    /// The Bayesian information criterion, lower is better; for mixtures.
    pub bic: Option<f64>,
    /// The Akaike information criterion, lower is better; for mixtures.
    pub aic: Option<f64>,
    /// How many iterations (or batches) were done, where the algorithm iterates.
    pub iterations: Option<usize>,
    /// Whether they reached the tolerance, where the algorithm iterates.
    pub converged: Option<bool>,
    /// The number of core rows; for dbscan.
    pub core_rows: Option<u64>,
}

/// Clusters the rows of `x` (rows × features, finite).
///
/// `sample_weight`, where given, holds one weight of at least 0 a row; hdbscan and mixtures take none. `seed` decides
/// every random choice unless the parameters hold a `random_state`; the result is the same on any number of threads.
/// The probe is asked in every iteration whether to stop.
pub fn fit(
    x: ArrayView2<'_, f64>,
    sample_weight: Option<&[f64]>,
    parameters: &ClusterParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Clustering, ClusteringError> {
    probe.check()?;
    let seed = parameters.random_state().unwrap_or(seed);
    let clusterer = parameters.clusterer();
    let unweighted = || match sample_weight {
        Some(_) => Err(ClusteringError::NoWeights { clusterer }),
        None => Ok(()),
    };
    match parameters.options() {
        Options::KMeans(options) => {
            kmeans::fit(x, sample_weight, options, seed, probe).map(|fit| of_kmeans(fit, ClusterModel::KMeans))
        }
        Options::MiniBatchKMeans(options) => kmeans::fit_minibatch(x, sample_weight, options, seed, probe)
            .map(|fit| of_kmeans(fit, ClusterModel::MiniBatchKMeans)),
        Options::Dbscan(options) => {
            let fit = dbscan::fit(x, sample_weight, *options, probe)?;
            let core_rows = Some(fit.core_rows.len() as u64);
            Ok(Clustering { core_rows, ..Clustering::new(fit.labels, ClusterModel::Dbscan(fit.model)) })
        }
        Options::Hdbscan(options) => {
            unweighted()?;
            let fit = hdbscan::fit(x, options, probe)?;
            let probabilities = Some(fit.probabilities);
            Ok(Clustering { probabilities, ..Clustering::new(fit.labels, ClusterModel::Hdbscan(fit.model)) })
        }
        Options::GaussianMixture(options) => {
            unweighted()?;
            let fit = gaussian_mixture::fit(x, options, seed, probe)?;
            Ok(Clustering {
                probabilities: Some(fit.probabilities),
                bic: Some(fit.bic),
                aic: Some(fit.aic),
                iterations: Some(fit.iterations),
                converged: Some(fit.converged),
                ..Clustering::new(fit.labels, ClusterModel::GaussianMixture(fit.model))
            })
        }
    }
}

fn of_kmeans(fit: KMeansFit, model: fn(kmeans::KMeans) -> ClusterModel) -> Clustering {
    Clustering {
        inertia: Some(fit.inertia),
        iterations: Some(fit.iterations),
        converged: Some(fit.converged),
        ..Clustering::new(fit.labels, model(fit.model))
    }
}

impl Clustering {
    fn new(labels: Vec<i32>, model: ClusterModel) -> Self {
        let mut sizes = vec![0; model.num_clusters()];
        let mut noise = 0;
        for &label in &labels {
            match usize::try_from(label).ok().and_then(|label| sizes.get_mut(label)) {
                Some(size) => *size += 1,
                None => noise += 1,
            }
        }
        Self {
            labels,
            model,
            sizes,
            noise,
            probabilities: None,
            inertia: None,
            bic: None,
            aic: None,
            iterations: None,
            converged: None,
            core_rows: None,
        }
    }

    /// The share of noise rows.
    pub fn noise_ratio(&self) -> f64 {
        self.noise as f64 / self.labels.len().max(1) as f64
    }
}
