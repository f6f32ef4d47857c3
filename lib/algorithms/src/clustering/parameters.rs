//! What a caller may set: checked against the algorithm's table, with defaults filled in.

use serde_json::{Map, Value};

use super::Clusterer;
use super::dbscan::DbscanOptions;
use super::gaussian_mixture::{CovarianceType, MixtureOptions, MixtureStart};
use super::hdbscan::HdbscanOptions;
use super::kmeans::{KMeansOptions, MiniBatchOptions, Start};
use super::tables::parameter_table;
use crate::models::{Checked, HyperparameterError, HyperparameterSpec, nearest};

/// The checked parameters of one algorithm.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterParameters {
    clusterer: Clusterer,
    options: Options,
    random_state: Option<u64>,
    resolved: Map<String, Value>,
    defaults_applied: Vec<&'static str>,
}

/// The parameters of each algorithm with their types.
#[derive(Debug, Clone, PartialEq)]
pub enum Options {
    /// Those of k-means.
    KMeans(KMeansOptions),
    /// Those of mini-batch k-means.
    MiniBatchKMeans(MiniBatchOptions),
    /// Those of DBSCAN.
    Dbscan(DbscanOptions),
    /// Those of HDBSCAN.
    Hdbscan(HdbscanOptions),
    /// Those of a Gaussian mixture.
    GaussianMixture(MixtureOptions),
}

/// Why parameters were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterParameterError {
    /// No parameter has that name.
    #[error("'{name}' is not a parameter of {clusterer}; {hint}it has {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The algorithm.
        clusterer: Clusterer,
        /// Empty, or the nearest name as a question.
        hint: String,
        /// All the names, joined by commas.
        known: String,
    },
    /// A parameter was given twice, by its name and by an alias.
    #[error("'{alias}' and '{name}' are the same parameter; give one of them")]
    Repeated {
        /// The name of the parameter.
        name: &'static str,
        /// The second name that was given.
        alias: String,
    },
    /// The value has the wrong type or lies outside the range.
    #[error(transparent)]
    Value(#[from] HyperparameterError),
}

impl ClusterParameterError {
    /// The name of the parameter at fault, as it was given.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Unknown { name, .. } | Self::Repeated { alias: name, .. } => Some(name),
            Self::Value(error) => error.field(),
        }
    }
}

impl ClusterParameters {
    /// Checks every given value against [`parameter_table`] and fills in the defaults; the first problem is the error.
    pub fn parse(clusterer: Clusterer, given: &Map<String, Value>) -> Result<Self, ClusterParameterError> {
        let (checked, problems) = check(clusterer, given);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        let table = parameter_table(clusterer);
        let asked = |spec: &&HyperparameterSpec| checked.iter().any(|(name, _)| *name == spec.name);
        let defaults_applied = table.iter().filter(|spec| !asked(spec)).map(|spec| spec.name).collect();
        let value = |spec: &HyperparameterSpec| {
            let given = checked.iter().find(|(name, _)| *name == spec.name).map(|(_, value)| value.clone());
            (spec.name, given.unwrap_or_else(|| spec.default.checked()))
        };
        let values = Values(table.iter().map(value).collect());
        let resolved = values.0.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect();
        let random_state = values.integer("random_state").map(|seed| seed as u64);
        Ok(Self { clusterer, options: values.options(clusterer), random_state, resolved, defaults_applied })
    }

    /// The defaults of the algorithm.
    pub fn defaults(clusterer: Clusterer) -> Result<Self, ClusterParameterError> {
        Self::parse(clusterer, &Map::new())
    }

    /// Every problem with the given values at once; empty when [`ClusterParameters::parse`] accepts them.
    pub fn problems(clusterer: Clusterer, given: &Map<String, Value>) -> Vec<ClusterParameterError> {
        check(clusterer, given).1
    }

    /// The algorithm.
    pub const fn clusterer(&self) -> Clusterer {
        self.clusterer
    }

    /// The values with their types.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// `random_state`, when it was given; it then takes the place of the seed of the call.
    pub const fn random_state(&self) -> Option<u64> {
        self.random_state
    }

    /// Every parameter with the value that holds, under its own name, in the order of the table.
    pub const fn resolved(&self) -> &Map<String, Value> {
        &self.resolved
    }

    /// The names that were not given and took their default.
    pub fn defaults_applied(&self) -> &[&'static str] {
        &self.defaults_applied
    }

    /// The same with another number of clusters; unchanged for algorithms that find it.
    pub(super) fn with_count(&self, count: usize) -> Self {
        let mut parameters = self.clone();
        match &mut parameters.options {
            Options::KMeans(options) => options.n_clusters = count,
            Options::MiniBatchKMeans(options) => options.kmeans.n_clusters = count,
            Options::GaussianMixture(options) => options.n_components = count,
            Options::Dbscan(_) | Options::Hdbscan(_) => return parameters,
        }
        if let Some(name) = self.clusterer.count_parameter() {
            parameters.resolved.insert(name.to_owned(), Value::from(count));
            parameters.defaults_applied.retain(|other| *other != name);
        }
        parameters
    }
}

type CheckedValues = Vec<(&'static str, Checked)>;

/// The values under their own names, and everything that is wrong with them.
fn check(clusterer: Clusterer, given: &Map<String, Value>) -> (CheckedValues, Vec<ClusterParameterError>) {
    let table = parameter_table(clusterer);
    let mut checked: CheckedValues = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in given {
        let Some(spec) = table.iter().find(|spec| spec.name == name || spec.aliases.contains(&name.as_str())) else {
            let names = table.iter().flat_map(|spec| std::iter::once(spec.name).chain(spec.aliases.iter().copied()));
            let hint = nearest(name, names).map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
            let known = table.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
            problems.push(ClusterParameterError::Unknown { name: name.clone(), clusterer, hint, known });
            continue;
        };
        if checked.iter().any(|(other, _)| *other == spec.name) {
            problems.push(ClusterParameterError::Repeated { name: spec.name, alias: name.clone() });
            continue;
        }
        match spec.check(value) {
            Ok(value) => checked.push((spec.name, value)),
            Err(problem) => problems.push(problem.into()),
        }
    }
    (checked, problems)
}

/// The checked values of one table, to be read by name.
struct Values(CheckedValues);

impl Values {
    fn get(&self, name: &str) -> &Checked {
        self.0.iter().find(|(other, _)| *other == name).map_or(&Checked::Null, |(_, value)| value)
    }

    fn integer(&self, name: &str) -> Option<i64> {
        if let Checked::Integer(value) = self.get(name) { Some(*value) } else { None }
    }

    fn count(&self, name: &str) -> Option<usize> {
        self.integer(name).and_then(|value| usize::try_from(value).ok())
    }

    fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            Checked::Number(value) => *value,
            Checked::Integer(value) => *value as f64,
            _ => 0.0,
        }
    }

    fn is(&self, name: &str, word: &str) -> bool {
        matches!(self.get(name), Checked::Text(text) if *text == word)
    }

    fn kmeans(&self, starts_at_random: usize) -> KMeansOptions {
        let random = self.is("init", "random");
        KMeansOptions {
            n_clusters: self.count("n_clusters").unwrap_or(8),
            init: if random { Start::Random } else { Start::PlusPlus },
            n_init: self.count("n_init").unwrap_or(if random { starts_at_random } else { 1 }),
            max_iter: self.count("max_iter").unwrap_or(300),
            tol: self.number("tol"),
        }
    }

    fn options(&self, clusterer: Clusterer) -> Options {
        match clusterer {
            Clusterer::KMeans => Options::KMeans(self.kmeans(10)),
            Clusterer::MiniBatchKMeans => Options::MiniBatchKMeans(MiniBatchOptions {
                kmeans: self.kmeans(3),
                batch_size: self.count("batch_size").unwrap_or(1024),
                max_no_improvement: self.count("max_no_improvement"),
                reassignment_ratio: self.number("reassignment_ratio"),
                init_size: self.count("init_size"),
            }),
            Clusterer::Dbscan => Options::Dbscan(DbscanOptions {
                eps: self.number("eps"),
                min_samples: self.count("min_samples").unwrap_or(5),
            }),
            Clusterer::Hdbscan => Options::Hdbscan(HdbscanOptions {
                min_cluster_size: self.count("min_cluster_size").unwrap_or(5),
                min_samples: self.count("min_samples"),
                cluster_selection_epsilon: self.number("cluster_selection_epsilon"),
                max_cluster_size: self.count("max_cluster_size"),
                alpha: self.number("alpha"),
                leaf: self.is("cluster_selection_method", "leaf"),
                allow_single_cluster: matches!(self.get("allow_single_cluster"), Checked::Boolean(true)),
            }),
            Clusterer::GaussianMixture => Options::GaussianMixture(MixtureOptions {
                n_components: self.count("n_components").unwrap_or(1),
                covariance_type: match self.get("covariance_type") {
                    Checked::Text("tied") => CovarianceType::Tied,
                    Checked::Text("diag") => CovarianceType::Diag,
                    Checked::Text("spherical") => CovarianceType::Spherical,
                    _ => CovarianceType::Full,
                },
                tol: self.number("tol"),
                reg_covar: self.number("reg_covar"),
                max_iter: self.count("max_iter").unwrap_or(100),
                n_init: self.count("n_init").unwrap_or(1),
                init: if self.is("init_params", "kmeans") { MixtureStart::KMeans } else { MixtureStart::RandomRows },
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(clusterer: Clusterer, given: &Value) -> Result<ClusterParameters, ClusterParameterError> {
        ClusterParameters::parse(clusterer, given.as_object().unwrap())
    }

    #[test]
    fn defaults_pass_their_own_check() {
        for clusterer in Clusterer::ALL {
            let defaults = ClusterParameters::defaults(clusterer).unwrap();
            let again = ClusterParameters::parse(clusterer, defaults.resolved()).unwrap();
            assert_eq!((again.options(), again.random_state()), (defaults.options(), None));
            assert!(again.defaults_applied().is_empty());
        }
        let defaults = ClusterParameters::defaults(Clusterer::KMeans).unwrap();
        let expected = json!({"n_clusters": 8, "init": "k-means++", "n_init": "auto", "max_iter": 300, "tol": 1e-4,
            "algorithm": "lloyd", "random_state": null});
        assert_eq!(Value::Object(defaults.resolved().clone()), expected);
    }

    #[test]
    fn aliases_and_errors() {
        let parameters = parse(Clusterer::KMeans, &json!({"k": 3, "seed": 5, "init": "random"})).unwrap();
        let Options::KMeans(options) = parameters.options() else { panic!("k-means") };
        assert_eq!((options.n_clusters, options.n_init, parameters.random_state()), (3, 10, Some(5)));
        assert_eq!(parameters.with_count(7).resolved()["n_clusters"], json!(7));
        let error = parse(Clusterer::KMeans, &json!({"n_cluster": 3})).unwrap_err();
        assert!(error.to_string().contains("did you mean 'n_clusters'?"), "{error}");
        let error = parse(Clusterer::Dbscan, &json!({"eps": 0})).unwrap_err();
        assert_eq!(error.to_string(), "eps is 0, but it must be a number above 0");
        assert_eq!(error.field(), Some("eps"));
        let error = parse(Clusterer::KMeans, &json!({"k": 3, "n_clusters": 3})).unwrap_err();
        assert!(error.to_string().contains("the same parameter"));
        let given = json!({"eps": -1, "min_sample": 3});
        assert_eq!(ClusterParameters::problems(Clusterer::Dbscan, given.as_object().unwrap()).len(), 2);
    }
}
