//! What is searched of an algorithm when a request does not say it, and what a space may hold for an algorithm.
//!
//! The ranges are those that guides of the libraries recommend, wide enough for small and large tables: few parameters, the
//! ones that change predictions most. Each space holds a point close to the library's defaults, which is tried first, so
//! that a search does not end below them.

use serde_json::{Map, Value, json};

use super::error::{SpaceProblem, SpaceProblems};
use super::space::SearchSpace;
use crate::models::{Algorithm, Hyperparameters, Task, hyperparameter_table};

/// What is searched of an algorithm.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultSpace {
    /// The space, as [`SearchSpace::parse`] reads it.
    pub search_space: Map<String, Value>,
    /// The point of the space that is tried first.
    pub start: Map<String, Value>,
}

/// A parameter: its name, its range, where the search begins, and the other hyperparameters that take its place or its
/// effect away where they are fixed.
type Searched = (&'static str, Value, Value, &'static [&'static str]);

/// The space of that algorithm without the hyperparameters that `fixed` gives (under any of their names) and those that have
/// no effect beside them; `None` when nothing is left, as with linear regression and for a task that it does not serve.
pub fn default_space(algorithm: Algorithm, task: Task, fixed: &Map<String, Value>) -> Option<DefaultSpace> {
    if !algorithm.serves(task) {
        return None;
    }
    let is_fixed = |name: &str| fixed.keys().any(|given| own_name(algorithm, task, given) == name);
    let mut space = DefaultSpace { search_space: Map::new(), start: Map::new() };
    for (name, range, start, others) in searched(algorithm, task) {
        if is_fixed(name) || others.iter().any(|other| is_fixed(other)) {
            continue;
        }
        space.search_space.insert(name.to_owned(), range);
        space.start.insert(name.to_owned(), start);
    }
    if space.search_space.is_empty() { None } else { Some(space) }
}

fn searched(algorithm: Algorithm, task: Task) -> Vec<Searched> {
    let is_classification = task == Task::Classification;
    let criterion = || ("criterion", json!(["gini", "entropy"]), json!("gini"), &[][..]);
    match algorithm {
        Algorithm::RandomForest | Algorithm::ExtraTrees => {
            let features = if is_classification { json!("sqrt") } else { json!(1.0) };
            let mut all = vec![
                ("max_features", json!(["sqrt", 0.33, 0.66, 1.0]), features, &[][..]),
                ("min_samples_leaf", json!({"log_int": [1, 32]}), json!(1), &[]),
            ];
            all.extend(is_classification.then(criterion));
            all
        }
        Algorithm::DecisionTree => {
            let mut all = vec![
                ("max_depth", json!({"int": [2, 20]}), json!(20), &[][..]),
                ("min_samples_leaf", json!({"log_int": [1, 64]}), json!(1), &[]),
            ];
            all.extend(is_classification.then(criterion));
            all
        }
        Algorithm::LogisticRegression => vec![
            ("C", json!({"log": [0.001, 1000.0]}), json!(1.0), &["penalty"]),
            ("l1_ratio", json!([0.0, 0.5, 1.0]), json!(0.0), &["penalty"]),
        ],
        Algorithm::LinearRegression => Vec::new(),
        Algorithm::Ridge => vec![("alpha", json!({"log": [0.0001, 10000.0]}), json!(1.0), &[])],
        Algorithm::Lasso => vec![("alpha", json!({"log": [0.0001, 100.0]}), json!(1.0), &[])],
        Algorithm::ElasticNet => vec![
            ("alpha", json!({"log": [0.0001, 100.0]}), json!(1.0), &[]),
            ("l1_ratio", json!({"float": [0.05, 1.0]}), json!(0.5), &[]),
        ],
        Algorithm::Svm => vec![
            ("C", json!({"log": [0.01, 1000.0]}), json!(1.0), &[]),
            // The default is 1 / features where features are standardised; a kernel of one's own may have no gamma.
            ("gamma", json!({"log": [0.0001, 1.0]}), json!(0.1), &["kernel"]),
        ],
        Algorithm::NaiveBayes => vec![("var_smoothing", json!({"log": [1e-12, 1.0]}), json!(1e-9), &[])],
        // Without it, next to nothing is shrunk.
        Algorithm::LinearDiscriminantAnalysis => {
            vec![("shrinkage", json!({"float": [0.0, 1.0]}), json!(0.0), &["solver"])]
        }
        Algorithm::Knn => vec![
            ("n_neighbors", json!({"log_int": [1, 50]}), json!(5), &[]),
            ("weights", json!(["uniform", "distance"]), json!("uniform"), &[]),
            ("p", json!([1, 2]), json!(2), &["metric"]),
        ],
        Algorithm::NeuralNetwork => vec![
            ("hidden_layer_sizes", json!([[50], [100], [200], [100, 50]]), json!([100]), &[]),
            ("learning_rate_init", json!({"log": [0.0001, 0.01]}), json!(0.001), &["learning_rate"]),
            ("alpha", json!({"log": [0.000_001, 0.1]}), json!(0.0001), &[]),
            ("dropout", json!({"float": [0.0, 0.5]}), json!(0.0), &[]),
        ],
        Algorithm::Xgboost => vec![
            ("n_estimators", json!({"log_int": [50, 400]}), json!(100), &[]),
            ("eta", json!({"log": [0.02, 0.4]}), json!(0.3), &[]),
            ("max_depth", json!({"int": [2, 10]}), json!(6), &["max_leaves"]),
            ("min_child_weight", json!({"log": [0.5, 20.0]}), json!(1.0), &[]),
            ("subsample", json!({"float": [0.5, 1.0]}), json!(1.0), &[]),
            ("colsample_bytree", json!({"float": [0.4, 1.0]}), json!(1.0), &[]),
            ("lambda", json!({"log": [0.01, 30.0]}), json!(1.0), &[]),
        ],
    }
}

/// What is wrong with a space for that algorithm: parameters that it does not have, ends of a range that it does not take,
/// and parameters that are fixed as well.
pub fn check_space(
    space: &SearchSpace,
    algorithm: Algorithm,
    task: Task,
    fixed: &Map<String, Value>,
) -> Result<(), SpaceProblems> {
    let mut problems = Vec::new();
    for parameter in space.parameters() {
        let path = parameter.name.clone();
        let own = own_name(algorithm, task, &path);
        if fixed.keys().any(|given| own_name(algorithm, task, given) == own) {
            let message = format!("`{path}` is both searched and fixed among the hyperparameters");
            problems.push(SpaceProblem { path, message });
            continue;
        }
        if space.parameters().iter().filter(|other| own_name(algorithm, task, &other.name) == own).count() > 1 {
            let message = format!("`{path}` is searched under two names");
            problems.push(SpaceProblem { path, message });
            continue;
        }
        for value in parameter.domain.grid(2) {
            let given: Map<String, Value> = std::iter::once((path.clone(), value)).collect();
            let found = Hyperparameters::problems(algorithm, task, &given);
            if let Some(problem) = found.iter().find(|problem| problem.field() == Some(&path)) {
                problems.push(SpaceProblem { path: path.clone(), message: problem.to_string() });
                break;
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(SpaceProblems(problems)) }
}

/// The hyperparameter's own name, for an alias; the name itself where there is none.
fn own_name(algorithm: Algorithm, task: Task, name: &str) -> String {
    let table = if algorithm.serves(task) { hyperparameter_table(algorithm, task) } else { &[] };
    let spec = table.iter().find(|spec| spec.name == name || spec.aliases.contains(&name));
    spec.map_or(name, |spec| spec.name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Silent;
    use crate::search::{Strategy, Study, StudySettings};

    fn fixed(given: &Value) -> Map<String, Value> {
        given.as_object().unwrap().clone()
    }

    #[test]
    fn every_point_of_every_space_is_accepted_by_its_algorithm() {
        for task in Task::ALL {
            for &algorithm in Algorithm::for_task(task) {
                let Some(space) = default_space(algorithm, task, &Map::new()) else {
                    assert_eq!(algorithm, Algorithm::LinearRegression);
                    continue;
                };
                let parsed = SearchSpace::parse(&space.search_space).unwrap();
                check_space(&parsed, algorithm, task, &Map::new()).unwrap();
                let mut settings = StudySettings::new(parsed);
                settings.strategy = Strategy::Random;
                let mut study = Study::new(settings).unwrap();
                study.enqueue(space.start.clone()).unwrap();
                for number in 0..40 {
                    let Some(trial) = study.ask(&Silent).unwrap() else { break };
                    assert!(number > 0 || trial.params == space.start);
                    let problems = Hyperparameters::problems(algorithm, task, &trial.params);
                    assert!(problems.is_empty(), "{algorithm}: {problems:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_fixed_is_not_searched() {
        let left = |algorithm, given: Value| {
            let space = default_space(algorithm, Task::Classification, &fixed(&given));
            space.map(|space| space.search_space.keys().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(left(Algorithm::Xgboost, json!({"learning_rate": 0.1, "num_leaves": 31})).unwrap(), {
            "n_estimators min_child_weight subsample colsample_bytree lambda"
        });
        assert_eq!(left(Algorithm::Svm, json!({"kernel": "linear"})).as_deref(), Some("C"));
        assert_eq!(left(Algorithm::LogisticRegression, json!({"penalty": null})), None);
        assert_eq!(left(Algorithm::Ridge, json!({})), None);
    }

    #[test]
    fn a_space_that_does_not_fit_names_every_fault() {
        let space = json!({"eta": {"log": [0.1, 3.0]}, "max_dept": {"int": [1, 3]}, "reg_lambda": {"float": [0, 1]},
            "gamma": {"float": [0, 1]}, "min_split_loss": {"float": [0, 1]}});
        let space = SearchSpace::parse(space.as_object().unwrap()).unwrap();
        let given = fixed(&json!({"lambda": 1.0}));
        let problems = check_space(&space, Algorithm::Xgboost, Task::Regression, &given).unwrap_err().0;
        let paths = problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>();
        assert_eq!(paths, ["eta", "max_dept", "reg_lambda", "gamma", "min_split_loss"]);
        assert!(problems[1].message.contains("max_depth"), "{}", problems[1].message);
    }
}
