//! Hyperparameters: what was asked for, checked against the algorithm's table, with defaults filled in.

mod boosting;
mod common;
mod definition;
mod discriminant;
mod linear;
mod neighbours;
mod neural;
mod penalised;
mod specification;
mod support_vectors;
mod trees;
mod unavailable;
mod values;

use serde_json::{Map, Value};

pub use definition::{Parameters, hyperparameter_table};
pub use discriminant::{ClassCovariance, DiscriminantParameters};
pub use linear::{LinearParameters, LogisticParameters};
pub use neighbours::{KnnParameters, NaiveBayesParameters, NeighbourWeights, SearchMethod};
pub use neural::{BatchSize, NeuralNetworkParameters, NumberLoss};
pub use penalised::{ElasticNetParameters, RidgeParameters};
pub use specification::{Accepts, DefaultValue, HyperparameterSpec};
pub use support_vectors::{Gamma, KernelName, SvmParameters};
pub use trees::{ForestParameters, ImpurityMeasure, MaxFeatures, TreeParameters};
pub use values::Amount;

use super::algorithm::{Algorithm, Task};
pub(crate) use specification::Checked;

/// The checked hyperparameters of one algorithm for one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyperparameters {
    algorithm: Algorithm,
    task: Task,
    parameters: Parameters,
    resolved: Map<String, Value>,
    defaults_applied: Vec<&'static str>,
}

/// Why hyperparameters were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HyperparameterError {
    /// The algorithm does not serve the task.
    #[error("{algorithm} does not do {task}; use one of {allowed}")]
    Task {
        /// The algorithm.
        algorithm: Algorithm,
        /// The task.
        task: Task,
        /// The algorithms that serve the task, joined by commas.
        allowed: String,
    },
    /// No hyperparameter has that name.
    #[error("'{name}' is not a hyperparameter of {algorithm} for {task}; {hint}it has {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The algorithm.
        algorithm: Algorithm,
        /// The task.
        task: Task,
        /// Empty, or the nearest name as a question.
        hint: String,
        /// All the names, joined by commas.
        known: String,
    },
    /// A hyperparameter was given twice, by its name and by an alias.
    #[error("'{alias}' and '{name}' are the same hyperparameter; give one of them")]
    Repeated {
        /// The name of the hyperparameter.
        name: &'static str,
        /// The second name that was given.
        alias: String,
    },
    /// The value has the wrong type or lies outside the range.
    #[error("{name} is {value}, but it must be {allowed}")]
    Value {
        /// The name of the hyperparameter.
        name: &'static str,
        /// The value as JSON, cut after 80 characters.
        value: String,
        /// What is allowed, in words.
        allowed: String,
    },
    /// Two hyperparameters contradict each other.
    #[error("{name} cannot be given with {other}; {fix}")]
    Conflict {
        /// The name of the hyperparameter.
        name: &'static str,
        /// The other one with its value.
        other: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// scikit-learn has that name, but here only its default can be had.
    #[error("{name} = {value} is not available for {algorithm}: {instead}; leave it out or give {}", allowed.join(" or "))]
    Unavailable {
        /// The name of scikit-learn.
        name: &'static str,
        /// The value as JSON, cut after 80 characters.
        value: String,
        /// The algorithm.
        algorithm: Algorithm,
        /// What holds in place of it.
        instead: &'static str,
        /// The values that are accepted, as JSON; they change nothing.
        allowed: Vec<String>,
    },
}

impl HyperparameterError {
    /// The name of the hyperparameter at fault, as it was given; `None` when the algorithm itself is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Task { .. } => None,
            Self::Unknown { name, .. } | Self::Repeated { alias: name, .. } => Some(name),
            Self::Value { name, .. } | Self::Conflict { name, .. } | Self::Unavailable { name, .. } => Some(name),
        }
    }
}

impl Hyperparameters {
    /// Checks every given value against [`hyperparameter_table`] and fills in the defaults; the first problem is the
    /// error.
    ///
    /// A whole number with a fraction of zero counts as an integer where only integers are allowed. Where both an
    /// integer and a fraction are allowed (`max_features`), `1` is a count and `1.0` is a fraction, as in
    /// scikit-learn. A name of scikit-learn's `get_params()` that is not built is accepted with scikit-learn's default
    /// and left out of what is resolved; with another value it is an error.
    pub fn parse(algorithm: Algorithm, task: Task, given: &Map<String, Value>) -> Result<Self, HyperparameterError> {
        let (checked, problems) = check(algorithm, task, given);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        let table = hyperparameter_table(algorithm, task);
        let asked = |spec: &&HyperparameterSpec| checked.iter().any(|(name, _)| *name == spec.name);
        let defaults_applied = table.iter().filter(|spec| !asked(spec)).map(|spec| spec.name).collect();
        let values: Vec<(&'static str, Checked)> = table
            .iter()
            .map(|spec| {
                let given = checked.iter().find(|(name, _)| *name == spec.name).map(|(_, value)| value.clone());
                (spec.name, given.unwrap_or_else(|| spec.default.checked()))
            })
            .collect();
        let parameters = (definition::definition(algorithm).parse)(&values::Values(&values))?;
        let resolved = values.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect();
        Ok(Self { algorithm, task, parameters, resolved, defaults_applied })
    }

    /// The defaults of the algorithm for the task.
    pub fn defaults(algorithm: Algorithm, task: Task) -> Result<Self, HyperparameterError> {
        Self::parse(algorithm, task, &Map::new())
    }

    /// Every problem with the given values at once; empty when [`Hyperparameters::parse`] accepts them.
    pub fn problems(algorithm: Algorithm, task: Task, given: &Map<String, Value>) -> Vec<HyperparameterError> {
        let (_, mut problems) = check(algorithm, task, given);
        if problems.is_empty() {
            problems.extend(Self::parse(algorithm, task, given).err());
        }
        problems
    }

    /// Whether the name is one that scikit-learn has and is not built here, given with scikit-learn's default: it is
    /// accepted and changes nothing.
    pub fn is_without_effect(algorithm: Algorithm, task: Task, name: &str, value: &Value) -> bool {
        let own = hyperparameter_table(algorithm, task).iter().find(|spec| spec.name == name);
        own.is_none_or(|spec| spec.check(value).is_err()) && unavailable::is_default(algorithm, name, value)
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The task.
    pub const fn task(&self) -> Task {
        self.task
    }

    /// The checked values with their types.
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Every hyperparameter with the value that holds, under its own name, in the order of the table.
    pub const fn resolved(&self) -> &Map<String, Value> {
        &self.resolved
    }

    /// The names that were not given and took their default.
    pub fn defaults_applied(&self) -> &[&'static str] {
        &self.defaults_applied
    }

    /// `random_state`, when it was given; it then takes the place of the seed of the call.
    pub fn random_state(&self) -> Option<u64> {
        self.resolved.get("random_state").and_then(Value::as_u64)
    }
}

/// The values under their own names, and everything that is wrong with them.
fn check(
    algorithm: Algorithm,
    task: Task,
    given: &Map<String, Value>,
) -> (Vec<(&'static str, Checked)>, Vec<HyperparameterError>) {
    if !algorithm.serves(task) {
        let allowed = Algorithm::for_task(task).iter().map(|other| other.as_str()).collect::<Vec<_>>().join(", ");
        return (Vec::new(), vec![HyperparameterError::Task { algorithm, task, allowed }]);
    }
    let table = hyperparameter_table(algorithm, task);
    let mut checked: Vec<(&'static str, Checked)> = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in given {
        if Hyperparameters::is_without_effect(algorithm, task, name, value) {
            continue;
        }
        let Some(spec) = table.iter().find(|spec| spec.name == name || spec.aliases.contains(&name.as_str())) else {
            if let Some(problem) = unavailable::refuse(algorithm, name, value) {
                problems.push(problem);
                continue;
            }
            let names = table.iter().flat_map(|spec| std::iter::once(spec.name).chain(spec.aliases.iter().copied()));
            let hint = nearest(name, names).map(|near| format!("did you mean '{near}'? "));
            let known = table.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
            let hint = hint.unwrap_or_default();
            problems.push(HyperparameterError::Unknown { name: name.clone(), algorithm, task, hint, known });
            continue;
        };
        if checked.iter().any(|(other, _)| *other == spec.name) {
            problems.push(HyperparameterError::Repeated { name: spec.name, alias: name.clone() });
            continue;
        }
        match spec.check(value) {
            Ok(value) => checked.push((spec.name, value)),
            Err(problem) => problems.push(problem),
        }
    }
    (checked, problems)
}

/// The name nearest to `given` by Damerau–Levenshtein distance, case and separators left out; `None` when none is near.
pub(crate) fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
    // A name a thousand characters long is no slip of the pen, and the distance takes time quadratic in it.
    let wanted = (given.len() <= 64).then(|| plain(given))?;
    let distances = names.map(|name| (strsim::damerau_levenshtein(&wanted, &plain(name)), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (wanted.chars().count() / 3).max(1)).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(algorithm: Algorithm, task: Task, given: &Value) -> Result<Hyperparameters, HyperparameterError> {
        Hyperparameters::parse(algorithm, task, given.as_object().unwrap())
    }

    fn forest(given: &Value) -> Result<Hyperparameters, HyperparameterError> {
        parse(Algorithm::RandomForest, Task::Classification, given)
    }

    fn message(given: &Value) -> String {
        forest(given).unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_those_of_scikit_learn() {
        let defaults = forest(&json!({})).unwrap();
        let expected = json!({
            "n_estimators": 100, "criterion": "gini", "max_depth": null, "min_samples_split": 2,
            "min_samples_leaf": 1, "min_weight_fraction_leaf": 0.0, "max_features": "sqrt",
            "min_impurity_decrease": 0.0, "bootstrap": true, "oob_score": false, "max_samples": null,
            "class_weight": null, "n_jobs": null, "random_state": null
        });
        assert_eq!(Value::Object(defaults.resolved().clone()), expected);
        assert_eq!(defaults.defaults_applied().len(), expected.as_object().unwrap().len());
        let regression = Hyperparameters::defaults(Algorithm::RandomForest, Task::Regression).unwrap();
        assert_eq!(regression.resolved()["max_features"], json!(1.0));
        assert_eq!(regression.resolved()["criterion"], "squared_error");
        assert!(!regression.resolved().contains_key("class_weight"));
    }

    #[test]
    fn every_default_passes_its_own_check() {
        for task in Task::ALL {
            for &algorithm in Algorithm::for_task(task) {
                let defaults = Hyperparameters::defaults(algorithm, task).unwrap();
                let again = Hyperparameters::parse(algorithm, task, defaults.resolved()).unwrap();
                assert_eq!(again.parameters(), defaults.parameters());
                assert!(again.defaults_applied().is_empty());
                assert_eq!((again.algorithm(), again.task()), (algorithm, task));
                assert_eq!(again.random_state(), None);
            }
        }
    }

    #[test]
    fn aliases_and_whole_floats_are_accepted() {
        let given = forest(&json!({"num_boost_round": 5})).unwrap_err();
        assert_eq!(given.field(), Some("num_boost_round"));
        let given = forest(&json!({"n_trees": 5.0, "seed": 7})).unwrap();
        assert_eq!(given.resolved()["n_estimators"], json!(5));
        assert_eq!(given.random_state(), Some(7));
        assert!(!given.defaults_applied().contains(&"n_estimators"));
        let Parameters::RandomForest(typed) = given.parameters() else { panic!("a forest") };
        assert_eq!(typed.n_estimators, 5);
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let text = message(&json!({"n_estimator": 5}));
        assert!(text.contains("'n_estimator' is not a hyperparameter of random_forest for classification"), "{text}");
        assert!(text.contains("did you mean 'n_estimators'?"), "{text}");
        let text = message(&json!({"zzzz": 5}));
        assert!(!text.contains("did you mean") && text.contains("it has n_estimators, criterion"), "{text}");
        assert!(!message(&json!({"a".repeat(100_000): 5})).contains("did you mean"));
    }

    #[test]
    fn a_bad_value_names_field_value_and_range() {
        assert_eq!(
            message(&json!({"n_estimators": 0})),
            "n_estimators is 0, but it must be an integer from 1 to 100000"
        );
        assert_eq!(
            message(&json!({"max_depth": 2.5})),
            "max_depth is 2.5, but it must be null or an integer from 1 to 1000000"
        );
        assert!(
            message(&json!({"criterion": "ginni"}))
                .ends_with("it must be one of 'gini', 'entropy', 'log_loss'; did you mean 'gini'?")
        );
        assert!(message(&json!({"bootstrap": "yes"})).contains("true or false"));
        assert!(message(&json!({"min_samples_leaf": 1.5})).contains("a number above 0 and below 1"));
        assert!(message(&json!({"class_weight": {"a": -1}})).contains("an object from class label to weight"));
        assert!(message(&json!({"class_weight": ["x".repeat(500)]})).len() < 400);
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(message(&json!({"n_estimators": 5, "n_trees": 6})).contains("the same hyperparameter"));
        assert!(message(&json!({"bootstrap": false, "oob_score": true})).contains("bootstrap = false"));
        assert!(message(&json!({"bootstrap": false, "max_samples": 0.5})).contains("max_samples"));
        let error = parse(Algorithm::LinearRegression, Task::Classification, &json!({})).unwrap_err();
        assert!(error.to_string().contains("use one of random_forest, decision_tree, logistic_regression"));
        assert_eq!(error.field(), None);
    }

    #[test]
    fn all_problems_come_at_once() {
        let given = json!({"n_estimators": 0, "depth": 3, "n_trees": 0, "criterion": 1});
        let problems =
            Hyperparameters::problems(Algorithm::RandomForest, Task::Classification, given.as_object().unwrap());
        let fields = problems.iter().map(|problem| problem.field().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(fields, ["n_estimators", "depth", "n_estimators", "criterion"]);
        let given = json!({"bootstrap": false, "oob_score": true});
        let given = given.as_object().unwrap();
        assert_eq!(Hyperparameters::problems(Algorithm::RandomForest, Task::Regression, given).len(), 1);
    }
}
