//! How many clusters: one clustering for each number, compared.

use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClusterParameters, Clustering, ClusteringError, fit};
use crate::metrics::Measure;
use crate::metrics::clustering::{ClusterMetricError, measure};
use crate::probe::{Cancelled, Probe};

/// By what the number of clusters is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchCriterion {
    /// The highest silhouette.
    Silhouette,
    /// The bend of the inertia (Satopää and others, 2011): where it lies farthest below the straight line from the
    /// first to the last number of clusters.
    Elbow,
    /// The lowest Bayesian information criterion; for mixtures.
    Bic,
}

/// One number of clusters that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KTried {
    /// The number of clusters.
    pub k: u64,
    /// The sum of the squared distances of the rows to the mean of their cluster.
    pub inertia: Measure,
    /// The mean silhouette.
    pub silhouette: Measure,
    /// The index of Davies and Bouldin.
    pub davies_bouldin: Measure,
    /// The Bayesian information criterion; null but for mixtures.
    pub bic: Option<f64>,
    /// The Akaike information criterion; null but for mixtures.
    pub aic: Option<f64>,
    /// Why there is no clustering of that number; null when there is one.
    pub failed: Option<String>,
}

/// The numbers of clusters that were tried, and the one that was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KSearch {
    /// By what was chosen.
    pub criterion: SearchCriterion,
    /// The number that was chosen.
    pub chosen: u64,
    /// Why, in words.
    pub reason: String,
    /// The number of rows that silhouettes were computed on.
    pub silhouette_rows: u64,
    /// Whether those are a sample.
    pub silhouette_sampled: bool,
    /// Every number that was tried, ascending.
    pub tried: Vec<KTried>,
}

/// Clusters the rows with every number of clusters in `numbers` and gives the best clustering with the comparison.
///
/// Silhouettes are exact up to `silhouette_rows` rows and otherwise sampled. A number that cannot be fitted, such as one
/// above the number of rows, stays in the table with the reason. Fails when the algorithm takes no number of clusters,
/// when the criterion does not fit it, and when no number could be fitted.
#[expect(clippy::too_many_arguments, reason = "the arguments of a fit, and those of a search")]
pub fn search_k(
    x: ArrayView2<'_, f64>,
    sample_weight: Option<&[f64]>,
    parameters: &ClusterParameters,
    numbers: &[usize],
    criterion: SearchCriterion,
    silhouette_rows: usize,
    seed: u64,
    probe: &dyn Probe,
) -> Result<(Clustering, ClusterParameters, KSearch), ClusteringError> {
    let clusterer = parameters.clusterer();
    let Some(_) = clusterer.count_parameter() else {
        return Err(ClusteringError::Unsupported {
            what: "dbscan and hdbscan find the number of clusters; search it for kmeans or gaussian_mixture",
        });
    };
    if criterion == SearchCriterion::Bic && clusterer != super::Clusterer::GaussianMixture {
        return Err(ClusteringError::Unsupported { what: "bic compares mixtures; choose by silhouette or elbow" });
    }
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    let mut tried = Vec::with_capacity(numbers.len());
    let mut fitted = Vec::with_capacity(numbers.len());
    let (mut rows, mut sampled) = (0, false);
    for (index, &k) in numbers.iter().enumerate() {
        probe.progress(index as f64, numbers.len() as f64, &format!("{k} clusters"));
        let parameters = parameters.with_count(k);
        let clustering = match fit(x.reborrow(), sample_weight, &parameters, seed, &Part { probe }) {
            Ok(clustering) => clustering,
            Err(error @ (ClusteringError::TooFewRows { .. } | ClusteringError::Singular { .. })) => {
                tried.push(KTried::failed(k, error.to_string()));
                continue;
            }
            Err(error) => return Err(error),
        };
        let measures = match measure(x.reborrow(), &clustering.labels, silhouette_rows, seed, probe) {
            Ok(measures) => measures,
            Err(ClusterMetricError::Cancelled(error)) => return Err(error.into()),
            Err(ClusterMetricError::Argument(_)) => return Err(ClusteringError::OutOfRange),
        };
        (rows, sampled) = (measures.silhouette_rows, measures.silhouette_sampled);
        tried.push(KTried {
            k: k as u64,
            inertia: measures.inertia,
            silhouette: measures.silhouette,
            davies_bouldin: measures.davies_bouldin,
            bic: clustering.bic,
            aic: clustering.aic,
            failed: None,
        });
        fitted.push((k, clustering, parameters));
    }
    let (chosen, reason) = choose(&tried, criterion)?;
    let Some(place) = fitted.iter().position(|(k, ..)| *k as u64 == chosen) else {
        return Err(ClusteringError::Unsupported { what: "no number of clusters could be fitted; give others" });
    };
    let (_, clustering, parameters) = fitted.swap_remove(place);
    let (silhouette_rows, silhouette_sampled) = (rows, sampled);
    Ok((clustering, parameters, KSearch { criterion, chosen, reason, silhouette_rows, silhouette_sampled, tried }))
}

/// Cancels with the whole search, and leaves the reports to it.
struct Part<'a> {
    probe: &'a dyn Probe,
}

impl Probe for Part<'_> {
    fn cancelled(&self) -> bool {
        self.probe.cancelled()
    }

    fn progress(&self, _done: f64, _total: f64, _message: &str) {}

    fn check(&self) -> Result<(), Cancelled> {
        self.probe.check()
    }
}

impl KTried {
    fn failed(k: usize, reason: String) -> Self {
        let none = || Measure::undefined("there is no clustering of this number");
        Self {
            k: k as u64,
            inertia: none(),
            silhouette: none(),
            davies_bouldin: none(),
            bic: None,
            aic: None,
            failed: Some(reason),
        }
    }
}

/// The best number of clusters and why; of equally good ones the smallest.
fn choose(tried: &[KTried], criterion: SearchCriterion) -> Result<(u64, String), ClusteringError> {
    let fitted = tried.iter().filter(|one| one.failed.is_none()).collect::<Vec<_>>();
    let none = ClusteringError::Unsupported { what: "no number of clusters could be fitted; give others" };
    let (Some(first), Some(last)) = (fitted.first(), fitted.last()) else { return Err(none) };
    let best = |value: &dyn Fn(&KTried) -> Option<f64>| {
        let values = fitted.iter().filter_map(|one| Some((value(one)?, one.k)));
        values.fold(
            None,
            |best: Option<(f64, u64)>, one| if best.is_none_or(|best| one.0 > best.0) { Some(one) } else { best },
        )
    };
    let unmeasured = (first.k, "no number has the measure; the smallest was taken".to_owned());
    Ok(match criterion {
        SearchCriterion::Silhouette => best(&|one| one.silhouette.value)
            .map_or(unmeasured, |(value, k)| (k, format!("the highest silhouette, {value:.4}"))),
        SearchCriterion::Bic => best(&|one| one.bic.map(|bic| -bic))
            .map_or(unmeasured, |(value, k)| (k, format!("the lowest BIC, {:.1}", -value))),
        SearchCriterion::Elbow => {
            let (Some(high), Some(low)) = (first.inertia.value, last.inertia.value) else { return Ok(unmeasured) };
            if fitted.len() < 3 || high <= low {
                return Ok((first.k, "the inertia has no bend; the smallest was taken".to_owned()));
            }
            let below = |one: &KTried| {
                let along = (one.k - first.k) as f64 / (last.k - first.k) as f64;
                Some(1.0 - along - (one.inertia.value? - low) / (high - low))
            };
            match best(&below) {
                Some((depth, k)) if depth > 1e-9 => (k, "the bend of the inertia".to_owned()),
                _ => (first.k, "the inertia has no bend; the smallest was taken".to_owned()),
            }
        }
    })
}
