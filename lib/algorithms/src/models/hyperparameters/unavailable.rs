//! Names of scikit-learn's estimators that are not built: each is accepted with scikit-learn's default, and changes nothing.

use serde_json::{Value, json};

use super::definition::definition;
use super::{Algorithm, HyperparameterError};

/// A name of `get_params()` that no algorithm here has.
#[derive(Debug)]
pub(super) struct Unavailable {
    pub(super) name: &'static str,
    /// The defaults of scikit-learn 0.24 and later, as JSON.
    pub(super) defaults: fn() -> Vec<Value>,
    /// What holds in place of it, in a clause.
    pub(super) instead: &'static str,
}

pub(super) const fn entry(name: &'static str, defaults: fn() -> Vec<Value>, instead: &'static str) -> Unavailable {
    Unavailable { name, defaults, instead }
}

pub(super) fn null() -> Vec<Value> {
    vec![Value::Null]
}

pub(super) fn zero() -> Vec<Value> {
    vec![json!(0)]
}

pub(super) fn off() -> Vec<Value> {
    vec![json!(false)]
}

pub(super) const VERBOSE: Unavailable =
    entry("verbose", zero, "the fit prints nothing and reports its progress to the caller");
pub(super) const WARM_START: Unavailable = entry("warm_start", off, "every fit begins anew");
pub(super) const N_JOBS: Unavailable =
    entry("n_jobs", null, "the number of threads cannot be chosen, and no result depends on it");

fn find(algorithm: Algorithm, name: &str) -> Option<&'static Unavailable> {
    definition(algorithm).unavailable.iter().find(|entry| entry.name == name)
}

/// Whether scikit-learn has such a name, which is not built, and the value is its default.
pub(super) fn is_default(algorithm: Algorithm, name: &str, value: &Value) -> bool {
    find(algorithm, name).is_some_and(|entry| (entry.defaults)().iter().any(|default| same(default, value)))
}

/// The error for a value that would have an effect; `None` for a name that scikit-learn does not have either.
pub(super) fn refuse(algorithm: Algorithm, name: &str, value: &Value) -> Option<HyperparameterError> {
    let entry = find(algorithm, name)?;
    let text = value.to_string();
    let shown = text.chars().take(80).collect::<String>();
    let value = if shown.len() < text.len() { format!("{shown}…") } else { shown };
    let allowed = (entry.defaults)().iter().map(Value::to_string).collect();
    Some(HyperparameterError::Unavailable { name: entry.name, value, algorithm, instead: entry.instead, allowed })
}

/// Equal, where 0 and 0.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hyperparameters, Task, hyperparameter_table};
    use super::*;

    fn parse(algorithm: Algorithm, task: Task, given: &Value) -> Result<Hyperparameters, HyperparameterError> {
        Hyperparameters::parse(algorithm, task, given.as_object().unwrap())
    }

    #[test]
    fn what_get_params_gives_is_accepted_and_changes_nothing() {
        use Algorithm::{DecisionTree, LinearRegression, LogisticRegression, RandomForest};
        use Task::{Classification, Regression};
        let forest = json!({
            "bootstrap": true, "ccp_alpha": 0.0, "class_weight": null, "criterion": "gini", "max_depth": null,
            "max_features": "sqrt", "max_leaf_nodes": null, "max_samples": null, "min_impurity_decrease": 0.0,
            "min_samples_leaf": 1, "min_samples_split": 2, "min_weight_fraction_leaf": 0.0, "monotonic_cst": null,
            "n_estimators": 100, "n_jobs": null, "oob_score": false, "random_state": null, "verbose": 0,
            "warm_start": false
        });
        let tree = json!({
            "ccp_alpha": 0.0, "criterion": "squared_error", "max_depth": null, "max_features": null,
            "max_leaf_nodes": null, "min_impurity_decrease": 0.0, "min_samples_leaf": 1, "min_samples_split": 2,
            "min_weight_fraction_leaf": 0.0, "monotonic_cst": null, "random_state": null, "splitter": "best"
        });
        let logistic = json!({
            "C": 1.0, "class_weight": null, "dual": false, "fit_intercept": true, "intercept_scaling": 1,
            "l1_ratio": null, "max_iter": 100, "multi_class": "deprecated", "n_jobs": null, "penalty": "l2",
            "random_state": null, "solver": "lbfgs", "tol": 0.0001, "verbose": 0, "warm_start": false
        });
        let newest = json!({"penalty": "deprecated", "l1_ratio": 0.0, "solver": "lbfgs"});
        let linear = json!({"copy_X": true, "fit_intercept": true, "n_jobs": null, "positive": false, "tol": 1e-6});
        for (algorithm, task, given) in [
            (RandomForest, Classification, &forest),
            (DecisionTree, Regression, &tree),
            (LogisticRegression, Classification, &logistic),
            (LogisticRegression, Classification, &newest),
            (LinearRegression, Regression, &linear),
        ] {
            let defaults = Hyperparameters::defaults(algorithm, task).unwrap();
            let parsed = parse(algorithm, task, given).unwrap();
            assert_eq!(parsed.parameters(), defaults.parameters());
            assert_eq!(parsed.resolved(), defaults.resolved());
            assert!(Hyperparameters::problems(algorithm, task, given.as_object().unwrap()).is_empty());
        }
    }

    #[test]
    fn another_value_is_refused_with_what_there_is() {
        let given = json!({"max_leaf_nodes": 10});
        let error = parse(Algorithm::RandomForest, Task::Regression, &given).unwrap_err();
        assert_eq!(error.field(), Some("max_leaf_nodes"));
        assert_eq!(
            error.to_string(),
            "max_leaf_nodes = 10 is not available for random_forest: the number of leaves is not limited; limit the \
             trees by max_depth, min_samples_leaf or min_impurity_decrease; leave it out or give null"
        );
        let logistic =
            |given: Value| parse(Algorithm::LogisticRegression, Task::Classification, &given).unwrap_err().to_string();
        assert!(
            logistic(json!({"solver": "liblinear"}))
                .contains("it must be one of 'lbfgs', 'newton-cg', 'newton-cholesky'")
        );
        assert!(logistic(json!({"dual": true})).contains("dual = true is not available"));
        assert!(logistic(json!({"l1_ratio": 1.5})).ends_with("it must be a number of at least 0 and at most 1"));
        assert!(
            logistic(json!({"penalty": "l3"})).contains("it must be null or one of 'l2', 'l1', 'elasticnet', 'none'")
        );
        assert!(logistic(json!({"verbose": "x".repeat(500)})).len() < 300);
        let unknown = logistic(json!({"learning_rate": 1}));
        assert!(unknown.contains("it has penalty, C, l1_ratio, solver, fit_intercept, max_iter, tol, class_weight"));
    }

    #[test]
    fn nothing_that_is_built_is_called_unavailable() {
        let both = ["penalty", "splitter", "n_jobs", "l1_ratio", "probability"];
        for task in Task::ALL {
            for &algorithm in Algorithm::for_task(task) {
                let built = hyperparameter_table(algorithm, task).iter().map(|spec| spec.name);
                for name in built.filter(|name| !both.contains(name)) {
                    assert!(find(algorithm, name).is_none(), "{name} of {algorithm}");
                }
            }
        }
    }
}
