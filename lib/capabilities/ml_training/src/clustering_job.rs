//! One clustering: parameters chosen, rows clustered and measured.

use std::collections::BTreeMap;
use std::time::Instant;

use mlops_algorithms::clustering::{
    ClusterParameters, Clusterer, Clustering, ClusteringError, KSearch, SearchCriterion, fit, parameter_table, search_k,
};
use mlops_algorithms::metrics::Measure;
use mlops_algorithms::metrics::clustering::{ClusterMetricError, ClusteringMeasures, SILHOUETTE_ROWS, measure};
use mlops_artifacts::CallProbe;
use mlops_core::{Call, Error, Result};
use serde_json::{Map, Value, json};

use crate::estimate::TrainingEstimate;
use crate::rows::{Rows, TABLE};

/// The numbers of clusters that are tried when none is given.
const USUAL_RANGE: [usize; 2] = [2, 10];
/// The most numbers that are tried.
const MOST_TRIED: usize = 100;
/// A silhouette of one number of clusters is measured on so many rows at most while numbers are compared.
const SEARCH_ROWS: usize = 5_000;
/// From this share of noise on, a clustering says little about most rows.
const MUCH_NOISE: f64 = 0.5;

/// What is asked of a clustering.
#[derive(Debug, Clone)]
pub(crate) struct ClusterRequest {
    pub(crate) algorithm: Clusterer,
    pub(crate) k: Option<usize>,
    pub(crate) k_range: Option<[usize; 2]>,
    pub(crate) criterion: Option<SearchCriterion>,
    pub(crate) eps: Option<f64>,
    pub(crate) hyperparameters: Map<String, Value>,
    pub(crate) seed: u64,
}

/// A request whose values fit together.
pub(crate) struct ClusterPlan {
    pub(crate) parameters: ClusterParameters,
    /// The range of numbers that are compared, and by what; `None` for one clustering.
    search: Option<(Range, SearchCriterion)>,
    pub(crate) seed: u64,
}

/// Which numbers of clusters.
enum Range {
    Given([usize; 2]),
    /// As many of the usual ones as the rows allow.
    Usual,
}

/// A clustering with what is known of it.
pub(crate) struct Clustered {
    pub(crate) clustering: Clustering,
    pub(crate) parameters: ClusterParameters,
    pub(crate) k_search: Option<KSearch>,
    pub(crate) measures: ClusteringMeasures,
    pub(crate) estimate: TrainingEstimate,
    /// From features in memory to the finished clustering.
    pub(crate) seconds: f64,
    pub(crate) warnings: Vec<String>,
}

impl ClusterRequest {
    /// Checks everything that no table is needed for.
    pub(crate) fn plan(&self) -> Result<ClusterPlan> {
        let mut given = self.hyperparameters.clone();
        let count = self.algorithm.count_parameter();
        let twice = |field: &str, name: &str| {
            Error::invalid_input(format!("`{field}` is given twice, once among the hyperparameters as `{name}`"))
                .at(field)
                .hint("give one of them")
        };
        let named = |name: &str| {
            let spec = parameter_table(self.algorithm).iter().find(|spec| spec.name == name);
            spec.and_then(|spec| given.keys().find(|key| *key == spec.name || spec.aliases.contains(&key.as_str())))
        };
        let counted = count.and_then(named).cloned();
        if let (None, Some(field)) =
            (count, [("k", self.k.is_some()), ("k_range", self.k_range.is_some())].into_iter().find(|one| one.1))
        {
            let algorithm = self.algorithm;
            let message = format!("{algorithm} finds the number of clusters by itself, so it takes no `{}`", field.0);
            let hint = "leave it out, or use kmeans, minibatch_kmeans or gaussian_mixture";
            return Err(Error::invalid_input(message).at(field.0).hint(hint));
        }
        if let (Some(_), Some(_)) = (self.k, self.k_range) {
            return Err(Error::invalid_input("`k` is one number of clusters and `k_range` compares several")
                .at("k_range")
                .hint("give one of them"));
        }
        for (field, is_given) in [("k", self.k.is_some()), ("k_range", self.k_range.is_some())] {
            if let (true, Some(name)) = (is_given, &counted) {
                return Err(twice(field, name));
            }
        }
        if let Some(eps) = self.eps {
            if self.algorithm != Clusterer::Dbscan {
                let message = format!("{} has no neighbourhoods of one radius, so it takes no `eps`", self.algorithm);
                return Err(Error::invalid_input(message).at("eps").hint("leave it out, or use dbscan"));
            }
            if !(eps > 0.0 && eps.is_finite()) {
                let message = format!("`eps` is {eps}; the radius of a neighbourhood must be a number above 0");
                return Err(Error::invalid_input(message).at("eps"));
            }
            if let Some(name) = named("eps") {
                return Err(twice("eps", name));
            }
            given.insert("eps".to_owned(), json!(eps));
        }
        if let (Some(k), Some(name)) = (self.k, count) {
            if k == 0 {
                return Err(Error::invalid_input("`k` is 0; there must be at least 1 cluster").at("k"));
            }
            given.insert(name.to_owned(), json!(k));
        }
        let parameters =
            ClusterParameters::parse(self.algorithm, &given).map_err(|_| of_parameters(self.algorithm, &given))?;
        let range = match (self.k_range, count) {
            (Some(range), _) => Some(Range::Given(checked(range)?)),
            (None, Some(_)) if self.k.is_none() && counted.is_none() => Some(Range::Usual),
            _ => None,
        };
        if self.criterion.is_some() && range.is_none() {
            return Err(Error::invalid_input(
                "`criterion` chooses among several numbers of clusters, and one was given",
            )
            .at("criterion")
            .hint("give `k_range`, or leave `criterion` out"));
        }
        if self.criterion == Some(SearchCriterion::Bic) && self.algorithm != Clusterer::GaussianMixture {
            return Err(Error::invalid_input("`bic` compares mixtures")
                .at("criterion")
                .hint("choose by silhouette or elbow, or use gaussian_mixture"));
        }
        let criterion = self.criterion.unwrap_or(SearchCriterion::Silhouette);
        let seed = parameters.random_state().unwrap_or(self.seed);
        Ok(ClusterPlan { parameters, search: range.map(|range| (range, criterion)), seed })
    }
}

fn checked([low, high]: [usize; 2]) -> Result<[usize; 2]> {
    let wrong = |message: String| Err(Error::invalid_input(message).at("k_range").hint("give two numbers as [2, 10]"));
    match high.checked_sub(low) {
        _ if low == 0 => wrong(format!("`k_range` is [{low}, {high}]; the first number must be at least 1")),
        None => wrong(format!("`k_range` is [{low}, {high}]; the second number must not be below the first")),
        Some(more) if more >= MOST_TRIED => {
            wrong(format!("`k_range` is [{low}, {high}]; at most {MOST_TRIED} numbers are tried"))
        }
        Some(_) => Ok([low, high]),
    }
}

fn of_parameters(algorithm: Clusterer, given: &Map<String, Value>) -> Error {
    let problems = ClusterParameters::problems(algorithm, given);
    let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
    match problems.first().and_then(|problem| problem.field()) {
        Some(name) => Error::invalid_input(message).at(format!("hyperparameters.{name}")),
        None => Error::invalid_input(message).at("hyperparameters"),
    }
}

/// Clusters the rows and measures the clusters.
pub(crate) fn cluster(rows: &Rows, plan: &ClusterPlan, call: &Call) -> Result<Clustered> {
    let (x, probe) = (rows.features.view(), CallProbe(call));
    let algorithm = plan.parameters.clusterer();
    let search = plan.search.as_ref().map(|(range, by)| Ok((range.numbers(x.nrows())?, *by))).transpose()?;
    let estimate = estimate(x.dim(), &plan.parameters, search.as_ref().map(|(numbers, _)| numbers.as_slice()), call)?;
    let started = Instant::now();
    let (clustering, parameters, k_search) = match search {
        None => {
            let clustering = fit(x, None, &plan.parameters, plan.seed, &probe)
                .map_err(|error| of_clustering(&error, &rows.names, call))?;
            (clustering, plan.parameters.clone(), None)
        }
        Some((numbers, criterion)) => {
            let found = search_k(x, None, &plan.parameters, &numbers, criterion, SEARCH_ROWS, plan.seed, &probe);
            let (clustering, parameters, search) = found.map_err(|error| of_clustering(&error, &rows.names, call))?;
            (clustering, parameters, Some(search))
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    call.check()?;
    call.progress(1.0, Some(1.0), "measuring the clusters");
    let measures = measure(x, &clustering.labels, SILHOUETTE_ROWS, plan.seed, &probe).map_err(|error| match error {
        ClusterMetricError::Cancelled(_) => call.check().err().unwrap_or_else(Error::cancelled),
        ClusterMetricError::Argument(error) => {
            Error::invalid_input(format!("the clusters cannot be measured: {error}")).at(TABLE)
        }
    })?;
    let mut warnings = Vec::new();
    if clustering.converged == Some(false) {
        warnings.push("the iterations ended before they reached the tolerance; raise max_iter".to_owned());
    }
    let empty = clustering.sizes.iter().filter(|size| **size == 0).count();
    if empty > 0 {
        warnings.push(format!("{empty} clusters have no row: fewer different rows than clusters"));
    }
    if measures.noise_ratio >= MUCH_NOISE {
        let percent = 100.0 * measures.noise_ratio;
        let how = if algorithm == Clusterer::Dbscan { "; raise `eps` or lower min_samples" } else { "" };
        warnings.push(format!("{percent:.0} % of the rows are noise and belong to no cluster{how}"));
    }
    if measures.silhouette_sampled {
        let rows = measures.silhouette_rows;
        warnings.push(format!("the silhouette is that of {rows} rows, drawn by the seed"));
    }
    if !algorithm.predicts() {
        warnings.push(format!("{algorithm} has no clusters for rows that it was not fitted to"));
    }
    Ok(Clustered { clustering, parameters, k_search, measures, estimate, seconds, warnings })
}

impl Range {
    /// The numbers of clusters to compare on so many rows.
    fn numbers(&self, rows: usize) -> Result<Vec<usize>> {
        let [low, high] = match self {
            Self::Given(range) => *range,
            // A number that leaves each row alone cannot be compared.
            Self::Usual if rows > USUAL_RANGE[0] => [USUAL_RANGE[0], USUAL_RANGE[1].min(rows - 1)],
            Self::Usual => {
                let message =
                    format!("there are {rows} rows, and at least 3 are needed to choose a number of clusters");
                return Err(Error::invalid_input(message).at(TABLE).hint("give more rows, or `k`"));
            }
        };
        if low > rows {
            let message = format!("`k_range` begins with {low} clusters, but there are only {rows} rows");
            return Err(Error::invalid_input(message).at("k_range").hint(format!("give numbers up to {rows}")));
        }
        Ok((low..=high).collect())
    }
}

/// What clustering will take, said before it begins, and refused where the memory is not there.
fn estimate(
    (rows, features): (usize, usize),
    parameters: &ClusterParameters,
    numbers: Option<&[usize]>,
    call: &Call,
) -> Result<TrainingEstimate> {
    let algorithm = parameters.clusterer();
    let (cost, what) = match numbers {
        Some(numbers) => {
            let cost = parameters.cost_of_search(rows, features, numbers, SEARCH_ROWS);
            (cost, format!("fitting {algorithm} with {} numbers of clusters", numbers.len()))
        }
        None => (parameters.cost(rows, features), format!("fitting {algorithm}")),
    };
    let estimate = TrainingEstimate::from(cost);
    estimate.announce(&what, (rows, features), "compare fewer numbers of clusters", call)?;
    Ok(estimate)
}

/// Why rows could not be clustered, with the argument that is wrong.
fn of_clustering(error: &ClusteringError, names: &[String], call: &Call) -> Error {
    let told = Error::invalid_input(error.to_string());
    match error {
        ClusteringError::Cancelled(_) => call.check().err().unwrap_or_else(Error::cancelled),
        ClusteringError::TooFewRows { name: "n_clusters" | "n_components", .. } => told.at("k"),
        ClusteringError::TooFewRows { name, .. } => told.at(format!("hyperparameters.{name}")),
        ClusteringError::NotFinite { row, column, value } => {
            let name = names.get(*column).map_or("?", String::as_str);
            Error::invalid_input(format!("the feature `{name}` is {value} in row {row} (counted from 0)"))
                .at(TABLE)
                .hint("run preprocess_unsupervised on the table and train on what it gives")
        }
        ClusteringError::Singular { .. } => told.at("hyperparameters"),
        ClusteringError::Unsupported { .. } => told.at("k_range"),
        ClusteringError::Empty { .. } | ClusteringError::TooManyRows { .. } | ClusteringError::OutOfRange => {
            told.at(TABLE)
        }
        ClusteringError::WeightRows { .. }
        | ClusteringError::Weight { .. }
        | ClusteringError::NoWeight
        | ClusteringError::NoWeights { .. }
        | ClusteringError::Start { .. } => Error::internal(format!("the rows could not be clustered: {error}")),
    }
}

impl Clustered {
    /// The measures by name; those that are not defined are null, and the second map says why.
    pub(crate) fn metrics(&self) -> (BTreeMap<String, Option<f64>>, BTreeMap<String, String>) {
        let measures = &self.measures;
        let measured = [
            ("silhouette", &measures.silhouette),
            ("davies_bouldin", &measures.davies_bouldin),
            ("calinski_harabasz", &measures.calinski_harabasz),
            ("inertia", &measures.inertia),
        ];
        let mut metrics = BTreeMap::from([("noise_ratio".to_owned(), Some(measures.noise_ratio))]);
        let mut undefined = BTreeMap::new();
        for (name, Measure { value, reason }) in measured {
            metrics.insert(name.to_owned(), *value);
            undefined.extend(reason.as_ref().map(|reason| (name.to_owned(), reason.clone())));
        }
        for (name, value) in [("bic", self.clustering.bic), ("aic", self.clustering.aic)] {
            if let Some(value) = value {
                metrics.insert(name.to_owned(), Some(value));
            }
        }
        (metrics, undefined)
    }
}
