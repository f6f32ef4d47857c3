//! Gaussian mixtures, fitted by expectation and maximisation (Dempster, Laird and Rubin, 1977).

mod expectation;
mod maximization;
mod precision;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::kmeans::{self, KMeansOptions, Start};
use super::points::Points;
use super::{ClusteringError, InvalidClusterModel};
use crate::probe::Probe;
use crate::seed;
use precision::Precisions;

/// What the covariances of the components may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CovarianceType {
    /// Any, one a component.
    Full,
    /// Any, the same for all.
    Tied,
    /// Diagonal, one a component.
    Diag,
    /// One variance a component.
    Spherical,
}

/// Where the fit begins.
#[derive(Debug, Clone, PartialEq)]
pub enum MixtureStart {
    /// Each row comes from its cluster of k-means.
    KMeans,
    /// Each component comes from one row, drawn at random.
    RandomRows,
    /// The probability that each row comes from each component: rows × components.
    Given(Array2<f64>),
}

/// How a mixture is fitted; the names are scikit-learn's.
#[derive(Debug, Clone, PartialEq)]
pub struct MixtureOptions {
    /// The number of components.
    pub n_components: usize,
    /// What the covariances may be.
    pub covariance_type: CovarianceType,
    /// The fit stops when the mean log-likelihood of a row changes by less.
    pub tol: f64,
    /// What is added to every variance.
    pub reg_covar: f64,
    /// The largest number of iterations of one start.
    pub max_iter: usize,
    /// How many starts are tried; the most likely is kept.
    pub n_init: usize,
    /// Where it begins.
    pub init: MixtureStart,
}

/// A fitted mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixture {
    pub(super) num_features: u32,
    covariance_type: CovarianceType,
    weights: Vec<f64>,
    /// Components × features, row by row.
    means: Vec<f64>,
    /// Full: components × features × features. Tied: features × features. Diagonal: components × features. Spherical:
    /// components.
    covariances: Vec<f64>,
}

/// What fitting gives.
#[derive(Debug, Clone, PartialEq)]
pub struct MixtureFit {
    /// The mixture.
    pub model: GaussianMixture,
    /// The most likely component of each row.
    pub labels: Vec<i32>,
    /// The probability of that component.
    pub probabilities: Vec<f64>,
    /// The mean log-likelihood of a row before the last step, by which starts are compared.
    pub lower_bound: f64,
    /// The mean log-likelihood of a row.
    pub score: f64,
    /// The Bayesian information criterion; lower is better.
    pub bic: f64,
    /// The Akaike information criterion; lower is better.
    pub aic: f64,
    /// The iterations of the start that was kept.
    pub iterations: usize,
    /// Whether they reached the tolerance.
    pub converged: bool,
}

/// Fits a mixture. Fails for fewer rows than components, and when a covariance cannot be inverted.
pub fn fit(
    x: ArrayView2<'_, f64>,
    options: &MixtureOptions,
    seed: u64,
    probe: &dyn Probe,
) -> Result<MixtureFit, ClusteringError> {
    let points = Points::new(x.reborrow())?;
    let (features, components) = (points.features, options.n_components);
    // One row has no likelihood to compare: any variance fits it.
    for (name, needed) in [("n_components", components.max(1)), ("the least number of rows", 2)] {
        if needed > points.rows {
            return Err(ClusteringError::TooFewRows { rows: points.rows, needed, name });
        }
    }
    // All is computed about the mean, so that an offset costs no digits of the covariances.
    let center = points.means(None);
    let rows = points.values().iter().zip(center.iter().cycle()).map(|(value, mean)| value - mean);
    let rows = rows.collect::<Vec<_>>();
    let starts = if matches!(options.init, MixtureStart::Given(_)) { 1 } else { options.n_init.max(1) };
    let mut best: Option<(f64, maximization::Estimates, usize, bool)> = None;
    for start in 0..starts {
        let mut responsibilities = begin(&points, x.reborrow(), options, seed::derive(seed, start as u64), probe)?;
        let step = |responsibilities: &[f64]| {
            let (kind, reg_covar) = (options.covariance_type, options.reg_covar);
            maximization::maximise(&rows, features, responsibilities, components, kind, reg_covar)
        };
        let mut now = step(&responsibilities);
        let (mut bound, mut converged, mut iterations) = (f64::NEG_INFINITY, false, 0);
        while iterations < options.max_iter && !converged {
            probe.check()?;
            let (done, all) = ((start * options.max_iter + iterations) as f64, (starts * options.max_iter) as f64);
            probe.progress(done, all, &format!("mixture of {components}: log-likelihood {bound:.4}"));
            let precisions = Precisions::new(options.covariance_type, &now.covariances, components, features)?;
            let expected =
                expectation::expect(&rows, features, &now.weights, &now.means, &precisions, &mut responsibilities);
            now = step(&responsibilities);
            iterations += 1;
            converged = (expected - bound).abs() < options.tol;
            bound = expected;
        }
        if best.as_ref().is_none_or(|(highest, ..)| bound > *highest) {
            best = Some((bound, now, iterations, converged));
        }
    }
    let (lower_bound, estimates, iterations, converged) = best.ok_or(ClusteringError::OutOfRange)?;
    let means = estimates.means.iter().zip(center.iter().cycle()).map(|(value, center)| value + center).collect();
    let model = GaussianMixture {
        num_features: features as u32,
        covariance_type: options.covariance_type,
        weights: estimates.weights,
        means,
        covariances: estimates.covariances,
    };
    let (responsibilities, score) = model.expect(&points)?;
    if !(score.is_finite() && lower_bound.is_finite()) {
        return Err(ClusteringError::OutOfRange);
    }
    let (labels, probabilities) = likeliest(&responsibilities, components);
    let (bic, aic) = model.criteria(score, points.rows);
    Ok(MixtureFit { model, labels, probabilities, lower_bound, score, bic, aic, iterations, converged })
}

/// The first probabilities: rows × components.
fn begin(
    points: &Points<'_>,
    x: ArrayView2<'_, f64>,
    options: &MixtureOptions,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Vec<f64>, ClusteringError> {
    let (rows, components) = (points.rows, options.n_components);
    let mut responsibilities = vec![0.0; rows * components];
    match &options.init {
        MixtureStart::Given(given) => {
            if given.dim() != (rows, components) || given.iter().any(|share| !(0.0..=1.0).contains(share)) {
                return Err(ClusteringError::Start { given: given.len(), clusters: rows, features: components });
            }
            responsibilities = given.iter().copied().collect();
        }
        MixtureStart::KMeans => {
            let init = Start::PlusPlus;
            let options = KMeansOptions { n_clusters: components, init, n_init: 1, max_iter: 300, tol: 1e-4 };
            let labels = kmeans::fit(x, None, &options, seed, probe)?.labels;
            labels
                .iter()
                .enumerate()
                .for_each(|(row, &label)| responsibilities[row * components + label as usize] = 1.0);
        }
        MixtureStart::RandomRows => {
            let rows = kmeans::random_rows(rows, components, &mut seed::rng(seed, 0));
            rows.iter().enumerate().for_each(|(component, row)| responsibilities[row * components + component] = 1.0);
        }
    }
    Ok(responsibilities)
}

/// The component of the highest probability, of equal ones the first, and that probability.
fn likeliest(responsibilities: &[f64], components: usize) -> (Vec<i32>, Vec<f64>) {
    let best = |row: &[f64]| {
        let largest = (1..row.len()).fold(0, |best, other| if row[other] > row[best] { other } else { best });
        (largest as i32, row[largest].min(1.0))
    };
    responsibilities.chunks_exact(components).map(best).unzip()
}

impl GaussianMixture {
    /// The number of features.
    pub const fn num_features(&self) -> usize {
        self.num_features as usize
    }

    /// The number of components.
    pub fn num_clusters(&self) -> usize {
        self.weights.len()
    }

    /// The share of each component.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Components × features, row by row.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Full: components × features × features. Tied: features × features. Diagonal: components × features. Spherical:
    /// components.
    pub fn covariances(&self) -> &[f64] {
        &self.covariances
    }

    /// Checks that shapes agree, weights are shares and covariances can be inverted.
    pub(super) fn validate(&self) -> Result<(), InvalidClusterModel> {
        let (features, components) = (self.num_features(), self.weights.len());
        let size = match self.covariance_type {
            CovarianceType::Full => features.checked_mul(features).and_then(|size| size.checked_mul(components)),
            CovarianceType::Tied => features.checked_mul(features),
            CovarianceType::Diag => features.checked_mul(components),
            CovarianceType::Spherical => Some(components),
        };
        if features == 0
            || components == 0
            || Some(self.means.len()) != features.checked_mul(components)
            || Some(self.covariances.len()) != size
        {
            return Err(InvalidClusterModel::new("the numbers of a gaussian mixture have the wrong shape"));
        }
        let total: f64 = self.weights.iter().sum();
        if self.weights.iter().any(|weight| !(0.0..=1.0).contains(weight)) || (total - 1.0).abs() > 1e-6 {
            return Err(InvalidClusterModel::new("the weights of a gaussian mixture are no shares"));
        }
        if self.means.iter().any(|value| !value.is_finite()) {
            return Err(InvalidClusterModel::new("a mean of a gaussian mixture is not a finite number"));
        }
        match Precisions::new(self.covariance_type, &self.covariances, components, features) {
            Ok(_) => Ok(()),
            Err(_) => Err(InvalidClusterModel::new("a covariance of a gaussian mixture cannot be inverted")),
        }
    }

    /// The probabilities of the components (rows × components) and the mean log-likelihood.
    fn expect(&self, points: &Points<'_>) -> Result<(Vec<f64>, f64), ClusteringError> {
        let components = self.weights.len();
        let precisions = Precisions::new(self.covariance_type, &self.covariances, components, self.num_features())?;
        let mut responsibilities = vec![0.0; points.rows * components];
        let score = expectation::expect(
            points.values(),
            self.num_features(),
            &self.weights,
            &self.means,
            &precisions,
            &mut responsibilities,
        );
        Ok((responsibilities, score))
    }

    /// The most likely component of each row.
    pub(super) fn predict(&self, points: &Points<'_>) -> Result<Vec<i32>, ClusteringError> {
        let (responsibilities, _) = self.expect(points)?;
        Ok(likeliest(&responsibilities, self.weights.len()).0)
    }

    /// The criteria of Bayes (Schwarz, 1978) and of Akaike (1974) for a mean log-likelihood.
    fn criteria(&self, score: f64, rows: usize) -> (f64, f64) {
        let (features, components) = (self.num_features() as f64, self.weights.len() as f64);
        let covariances = match self.covariance_type {
            CovarianceType::Full => components * features * (features + 1.0) / 2.0,
            CovarianceType::Tied => features * (features + 1.0) / 2.0,
            CovarianceType::Diag => components * features,
            CovarianceType::Spherical => components,
        };
        let free = covariances + features * components + components - 1.0;
        let fit = -2.0 * score * rows as f64;
        (fit + free * (rows as f64).ln(), fit + 2.0 * free)
    }
}
