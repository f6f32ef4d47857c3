//! One reduction: parameters chosen, rows described by fewer numbers, and how well these keep what the features say.

use std::collections::BTreeMap;
use std::time::Instant;

use mlops_algorithms::reduction::{
    Reducer, ReducerParameters, Reduction, ReductionError, ReductionModel, fit, neighbourhoods, parameter_table,
    reconstruction_error,
};
use mlops_algorithms::seed;
use mlops_artifacts::CallProbe;
use mlops_core::{Call, Error, Result};
use ndarray::Axis;
use rand::seq::SliceRandom;
use serde_json::{Map, Value, json};

use crate::estimate::TrainingEstimate;
use crate::rows::{Rows, TABLE};

/// The number of components when nothing is said of it: that of a map.
const USUAL_COMPONENTS: usize = 2;
/// The number of neighbours by which neighbourhoods are compared, scikit-learn's.
pub(crate) const NEIGHBOURS: usize = 5;
/// The time of comparing neighbourhoods grows with the square of the rows, so no more than these are compared.
const MEASURED_ROWS: usize = 5_000;
/// The most rows in the scatter plot.
const POINTS: usize = 2_000;

/// What is asked of a reduction.
#[derive(Debug, Clone)]
pub(crate) struct ReductionRequest {
    pub(crate) algorithm: Reducer,
    pub(crate) n_components: Option<usize>,
    pub(crate) variance: Option<f64>,
    pub(crate) hyperparameters: Map<String, Value>,
    pub(crate) seed: u64,
}

/// A reduction with what is known of it.
pub(crate) struct Reduced {
    pub(crate) reduction: Reduction,
    pub(crate) metrics: BTreeMap<String, Option<f64>>,
    pub(crate) undefined: BTreeMap<String, String>,
    pub(crate) measured_rows: usize,
    /// How much each feature weighs in the components; empty but for pca.
    pub(crate) importance: BTreeMap<String, f64>,
    /// The first two coordinates of rows spread evenly over the table.
    pub(crate) points: Vec<[f64; 2]>,
    pub(crate) estimate: TrainingEstimate,
    /// From features in memory to the finished coordinates.
    pub(crate) seconds: f64,
    pub(crate) warnings: Vec<String>,
}

impl ReductionRequest {
    /// The checked parameters.
    pub(crate) fn parameters(&self) -> Result<ReducerParameters> {
        let mut given = self.hyperparameters.clone();
        let spec = parameter_table(self.algorithm).iter().find(|spec| spec.name == "n_components");
        let named = spec.and_then(|spec| {
            given.keys().find(|key| *key == spec.name || spec.aliases.contains(&key.as_str())).cloned()
        });
        for (field, is_given) in [("n_components", self.n_components.is_some()), ("variance", self.variance.is_some())]
        {
            if let (true, Some(name)) = (is_given, &named) {
                let message = format!("`{field}` is given twice, once among the hyperparameters as `{name}`");
                return Err(Error::invalid_input(message).at(field).hint("give one of them"));
            }
        }
        match (self.n_components, self.variance) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid_input(
                    "`n_components` and `variance` both say how many components are kept",
                )
                .at("variance")
                .hint("give one of them"));
            }
            (Some(0), None) => {
                return Err(Error::invalid_input("`n_components` is 0; there must be at least 1").at("n_components"));
            }
            (Some(count), None) => {
                given.insert("n_components".to_owned(), json!(count));
            }
            (None, Some(_)) if self.algorithm != Reducer::Pca => {
                let message =
                    format!("only pca explains a share of the variance; {} takes no `variance`", self.algorithm);
                return Err(Error::invalid_input(message).at("variance").hint("give `n_components`, or use pca"));
            }
            (None, Some(share)) => {
                if !(share > 0.0 && share < 1.0) {
                    let message = format!("`variance` is {share}; the share of the variance lies between 0 and 1");
                    return Err(Error::invalid_input(message).at("variance").hint("give a share such as 0.95"));
                }
                given.insert("n_components".to_owned(), json!(share));
            }
            (None, None) if named.is_none() => {
                given.insert("n_components".to_owned(), json!(USUAL_COMPONENTS));
            }
            (None, None) => {}
        }
        ReducerParameters::parse(self.algorithm, &given).map_err(|_| self.of_parameters(&given))
    }

    fn of_parameters(&self, given: &Map<String, Value>) -> Error {
        let problems = ReducerParameters::problems(self.algorithm, given);
        let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
        let field = match problems.first().and_then(|problem| problem.field()) {
            Some("n_components") if self.n_components.is_some() => "n_components".to_owned(),
            Some(name) => format!("hyperparameters.{name}"),
            None => "hyperparameters".to_owned(),
        };
        Error::invalid_input(message).at(field)
    }
}

/// Reduces the rows and measures what is kept.
pub(crate) fn reduce(rows: &Rows, parameters: &ReducerParameters, given_seed: u64, call: &Call) -> Result<Reduced> {
    let (x, probe) = (rows.features.view(), CallProbe(call));
    let told = |error: &ReductionError| of_reduction(error, &rows.names, call);
    let estimate = TrainingEstimate::from(parameters.cost(x.nrows(), x.ncols()));
    estimate.announce(&format!("fitting {}", parameters.reducer()), x.dim(), "keep fewer components", call)?;
    let started = Instant::now();
    let reduction = fit(x, parameters, given_seed, &probe).map_err(|error| told(&error))?;
    let seconds = started.elapsed().as_secs_f64();
    call.check()?;
    call.progress(1.0, Some(1.0), "comparing neighbourhoods");
    let (mut metrics, mut undefined, mut warnings) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    let all = x.nrows();
    let measured_rows = all.min(MEASURED_ROWS);
    let compared = if 2 * NEIGHBOURS < all {
        let found = if measured_rows < all {
            let mut drawn = (0..all).collect::<Vec<_>>();
            let mut drawn = drawn.partial_shuffle(&mut seed::rng(given_seed, 1), measured_rows).0.to_vec();
            drawn.sort_unstable();
            let (x, map) = (x.select(Axis(0), &drawn), reduction.coordinates.select(Axis(0), &drawn));
            warnings.push(format!("neighbourhoods were compared among {measured_rows} rows, drawn by the seed"));
            neighbourhoods(x.view(), map.view(), NEIGHBOURS, &probe)
        } else {
            neighbourhoods(x, reduction.coordinates.view(), NEIGHBOURS, &probe)
        };
        Some(found.map_err(|error| told(&error))?)
    } else {
        let least = 2 * NEIGHBOURS + 1;
        for name in ["trustworthiness", "continuity", "preservation"] {
            let reason = format!("comparing {NEIGHBOURS} neighbours takes at least {least} rows, and there are {all}");
            undefined.insert(name.to_owned(), reason);
        }
        None
    };
    metrics.insert("trustworthiness".to_owned(), compared.map(|found| found.trustworthiness));
    metrics.insert("continuity".to_owned(), compared.map(|found| found.continuity));
    metrics.insert("preservation".to_owned(), compared.map(|found| found.preservation));
    let mut importance = BTreeMap::new();
    match &reduction.model {
        ReductionModel::Pca(pca) => {
            let explained = pca.explained_variance_ratio().iter().sum::<f64>().min(1.0);
            metrics.insert("explained_variance".to_owned(), Some(explained));
            let error = reconstruction_error(&reduction.model, x, &probe).map_err(|error| told(&error))?;
            metrics.insert("reconstruction_error".to_owned(), Some(error));
            for (component, share) in pca.explained_variance_ratio().iter().enumerate() {
                let loadings = pca.component(component).unwrap_or_default();
                for (name, loading) in rows.names.iter().zip(loadings) {
                    *importance.entry(name.clone()).or_insert(0.0) += share / explained * loading * loading;
                }
            }
        }
        ReductionModel::Tsne(tsne) => {
            metrics.insert("kl_divergence".to_owned(), Some(tsne.kl_divergence()));
            warnings.push(ReductionError::NoTransform.to_string());
        }
        ReductionModel::Umap(_) => {}
    }
    importance.retain(|_, weight| weight.is_finite());
    let points = points(&reduction);
    Ok(Reduced { reduction, metrics, undefined, measured_rows, importance, points, estimate, seconds, warnings })
}

/// The first two coordinates of rows spread evenly over the table, to six significant digits or so: a picture needs no more.
fn points(reduction: &Reduction) -> Vec<[f64; 2]> {
    let coordinates = &reduction.coordinates;
    let (rows, columns) = (coordinates.nrows(), coordinates.ncols());
    let count = rows.min(POINTS);
    let largest = coordinates.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let unit = if largest > 0.0 { 10_f64.powf(largest.log10().floor() - 5.0) } else { 1.0 };
    let rounded = |value: f64| if unit > 0.0 { (value / unit).round() * unit } else { value };
    let point = |index: usize| {
        let row = index * rows / count;
        [rounded(coordinates[[row, 0]]), if columns > 1 { rounded(coordinates[[row, 1]]) } else { 0.0 }]
    };
    (0..count).map(point).collect()
}

/// Why rows could not be reduced, with the argument that is wrong.
fn of_reduction(error: &ReductionError, names: &[String], call: &Call) -> Error {
    let told = Error::invalid_input(error.to_string());
    match error {
        ReductionError::Cancelled(_) => call.check().err().unwrap_or_else(Error::cancelled),
        ReductionError::NotFinite { row, column, value } => {
            let name = names.get(*column).map_or("?", String::as_str);
            Error::invalid_input(format!("the feature `{name}` is {value} in row {row} (counted from 0)"))
                .at(TABLE)
                .hint("run preprocess_unsupervised on the table and train on what it gives")
        }
        ReductionError::Parameter { name: "n_components", .. } => told.at("n_components"),
        ReductionError::Parameter { name, .. } => told.at(format!("hyperparameters.{name}")),
        ReductionError::Empty { .. }
        | ReductionError::FewRows { .. }
        | ReductionError::TooManyRows { .. }
        | ReductionError::Constant { .. }
        | ReductionError::OutOfRange => told.at(TABLE),
        ReductionError::Features { .. }
        | ReductionError::Components { .. }
        | ReductionError::NoTransform
        | ReductionError::NoInverse { .. }
        | ReductionError::Rows { .. }
        | ReductionError::Neighbours { .. } => Error::internal(format!("the rows could not be reduced: {error}")),
    }
}
