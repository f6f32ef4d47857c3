//! Models against scikit-learn, by the files that `tests/golden/models.py` writes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mlops_algorithms::models::{Algorithm, Fitted, Hyperparameters, Model, Node, Task, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::Array2;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Data {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    x_test: Vec<Vec<f64>>,
    y_test: Vec<f64>,
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn classes(y: &[f64]) -> Target {
    let count = y.iter().copied().fold(0.0, f64::max) as usize + 1;
    let labels = (0..count).map(|class| class.to_string()).collect();
    Target::Classes { labels, codes: y.iter().map(|&class| class as u32).collect() }
}

impl Data {
    fn target(&self, task: Task) -> Target {
        match task {
            Task::Classification => classes(&self.y),
            Task::Regression => Target::Numbers(self.y.clone()),
        }
    }

    fn fit(
        &self,
        algorithm: Algorithm,
        task: Task,
        given: &Map<String, Value>,
        weight: Option<&[f64]>,
        seed: u64,
    ) -> Fitted {
        let parameters = Hyperparameters::parse(algorithm, task, given).unwrap();
        fit(algorithm, matrix(&self.x).view(), &self.target(task), weight, &parameters, seed, &Silent).unwrap()
    }
}

#[track_caller]
fn close<'a>(
    name: &str,
    given: impl IntoIterator<Item = &'a f64>,
    expected: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
) {
    let (given, expected): (Vec<_>, Vec<_>) = (given.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(given.len(), expected.len(), "{name}");
    for (index, (a, b)) in given.iter().zip(&expected).enumerate() {
        assert!((*a - *b).abs() <= tolerance * b.abs().max(1.0), "{name}: value {index} is {a}, scikit-learn has {b}");
    }
}

#[derive(Deserialize)]
struct Linear {
    name: String,
    fit_intercept: bool,
    weight: Option<Vec<f64>>,
    #[serde(flatten)]
    data: Data,
    coefficients: Vec<f64>,
    intercept: f64,
    rank: usize,
    prediction: Vec<f64>,
}

#[test]
fn linear_regression_of_every_rank() {
    let cases: Vec<Linear> = serde_json::from_str(include_str!("golden/models_linear.json")).unwrap();
    assert!(cases.iter().any(|case| case.rank < case.coefficients.len()), "a rank-deficient case");
    for case in cases {
        let given = json!({"fit_intercept": case.fit_intercept});
        let given = given.as_object().unwrap();
        let fitted = case.data.fit(Algorithm::LinearRegression, Task::Regression, given, case.weight.as_deref(), 0);
        let prediction = fitted.model.predict_values(matrix(&case.data.x_test).view()).unwrap();
        close(&case.name, &prediction, &case.prediction, 1e-9);
        let Model::LinearRegression(model) = &fitted.model else { panic!("a linear regression") };
        close(&case.name, model.coefficients(), &case.coefficients, 1e-8);
        close(&case.name, [&model.intercept()], [&case.intercept], 1e-8);
    }
}

#[derive(Deserialize)]
struct Logistic {
    name: String,
    given: Map<String, Value>,
    weight: Option<Vec<f64>>,
    #[serde(flatten)]
    data: Data,
    coefficients: Vec<Vec<f64>>,
    intercepts: Vec<f64>,
    probability: Vec<Vec<f64>>,
    usual_probability: Vec<Vec<f64>>,
}

/// Both sides run L-BFGS to a tolerance of 1e-10, but scikit-learn's also ends where the loss changes by less than
/// 64 units in its last place. That leaves an error of the order of the root of 1e-14 in the coefficients.
#[test]
fn logistic_regression_to_the_end() {
    let cases: Vec<Logistic> = serde_json::from_str(include_str!("golden/models_logistic.json")).unwrap();
    for case in cases {
        let mut given = case.given.clone();
        given.extend([("tol".to_owned(), json!(1e-10)), ("max_iter".to_owned(), json!(10_000))]);
        let weight = case.weight.as_deref();
        let fitted = case.data.fit(Algorithm::LogisticRegression, Task::Classification, &given, weight, 0);
        assert_eq!(fitted.converged, Some(true), "{}", case.name);
        let Model::LogisticRegression(model) = &fitted.model else { panic!("a logistic regression") };
        let (coefficients, name) = (case.coefficients.concat(), &case.name);
        let apart = model.coefficients().iter().zip(&coefficients).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!("{name}: {} iterations, coefficients {apart:.1e} apart", fitted.iterations.unwrap());
        close(name, model.coefficients(), &coefficients, 1e-5);
        close(name, model.intercepts(), &case.intercepts, 1e-5);
        let x_test = matrix(&case.data.x_test);
        let probability = fitted.model.predict_proba(x_test.view()).unwrap();
        close(name, &probability, &case.probability.concat(), 1e-6);
        for row in probability.rows() {
            assert!((row.sum() - 1.0).abs() < 1e-12);
        }
        // With the usual tolerance of 1e-4 the two end at different points close to the same minimum.
        let mut given = case.given.clone();
        given.insert("max_iter".to_owned(), json!(1000));
        let usual = case.data.fit(Algorithm::LogisticRegression, Task::Classification, &given, weight, 0);
        let probability = usual.model.predict_proba(x_test.view()).unwrap();
        close(name, &probability, &case.usual_probability.concat(), 0.03);
    }
}

#[derive(Deserialize)]
struct Tree {
    name: String,
    task: Task,
    given: Map<String, Value>,
    weight: Option<Vec<f64>>,
    #[serde(flatten)]
    data: Data,
    features: Vec<i64>,
    thresholds: Vec<f64>,
    covers: Vec<f64>,
    importance: Vec<f64>,
    depth: usize,
    leaves: usize,
    prediction: Vec<f64>,
    probability: Option<Vec<Vec<f64>>>,
}

#[test]
fn decision_trees_node_by_node() {
    let cases: Vec<Tree> = serde_json::from_str(include_str!("golden/models_tree.json")).unwrap();
    for case in cases {
        let name = &case.name;
        let weight = case.weight.as_deref();
        let fitted = case.data.fit(Algorithm::DecisionTree, case.task, &case.given, weight, 0);
        let Model::DecisionTree(model) = &fitted.model else { panic!("a decision tree") };
        let nodes = model.nodes();
        let node = |index| match nodes.node(index) {
            Node::Split { feature, threshold, .. } => (feature as i64, threshold),
            Node::Leaf(_) => (-1, 0.0),
        };
        let (features, thresholds): (Vec<_>, Vec<_>) = (0..nodes.len()).map(node).unzip();
        assert_eq!(features, case.features, "{name}");
        assert_eq!(thresholds, case.thresholds, "{name}");
        assert_eq!((nodes.depth(), nodes.num_leaves()), (case.depth, case.leaves), "{name}");
        let covers: Vec<f64> = (0..nodes.len()).map(|index| nodes.cover(index)).collect();
        close(name, &covers, &case.covers, 1e-12);
        close(name, &fitted.feature_importance, &case.importance, 1e-9);
        let x_test = matrix(&case.data.x_test);
        match case.probability {
            Some(probability) => {
                close(name, &fitted.model.predict_proba(x_test.view()).unwrap(), &probability.concat(), 1e-12);
                let Target::Classes { codes, .. } = fitted.model.predict(x_test.view()).unwrap() else { panic!() };
                assert_eq!(codes.into_iter().map(f64::from).collect::<Vec<_>>(), case.prediction, "{name}");
            }
            None => close(name, &fitted.model.predict_values(x_test.view()).unwrap(), &case.prediction, 1e-12),
        }
    }
}

#[derive(Deserialize)]
struct Spread {
    mean: f64,
    spread: f64,
}

#[derive(Deserialize)]
struct Forest {
    name: String,
    task: Task,
    given: Map<String, Value>,
    #[serde(flatten)]
    data: Data,
    score: Spread,
    out_of_bag: Option<Spread>,
    importance: Vec<f64>,
    importance_spread: Vec<f64>,
}

fn score(model: &Model, data: &Data) -> f64 {
    let predicted = match model.predict(matrix(&data.x_test).view()).unwrap() {
        Target::Classes { codes, .. } => {
            let right = codes.iter().zip(&data.y_test).filter(|(code, class)| f64::from(**code) == **class);
            return right.count() as f64 / data.y_test.len() as f64;
        }
        Target::Numbers(values) => values,
    };
    let mean = data.y_test.iter().sum::<f64>() / data.y_test.len() as f64;
    let squares = |terms: &mut dyn Iterator<Item = f64>| terms.map(|term| term * term).sum::<f64>();
    let errors = squares(&mut predicted.iter().zip(&data.y_test).map(|(a, b)| a - b));
    1.0 - errors / squares(&mut data.y_test.iter().map(|value| value - mean))
}

/// Each side draws its own rows and features, so only distributions over seeds can be compared. Both sides take 20
/// seeds; the difference of the two means then has the standard error `spread · √(2/20)`, and four of these (one
/// chance in 16,000) plus one test row in a thousand are allowed.
#[test]
fn forests_are_as_good_over_many_seeds() {
    let cases: Vec<Forest> = serde_json::from_str(include_str!("golden/models_forest.json")).unwrap();
    for case in cases {
        let name = &case.name;
        let mut given = case.given.clone();
        given.insert("oob_score".to_owned(), json!(case.out_of_bag.is_some()));
        let seeds = 20;
        let fits: Vec<Fitted> =
            (0..seeds).map(|seed| case.data.fit(Algorithm::RandomForest, case.task, &given, None, seed)).collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / seeds as f64;
        let error = (2.0 / seeds as f64).sqrt();
        let found = mean(&mut fits.iter().map(|fitted| score(&fitted.model, &case.data)));
        let allowed = 4.0 * error * case.score.spread + 0.001;
        println!("{name}: score {found:.4}, scikit-learn {:.4} ± {allowed:.4}", case.score.mean);
        assert!((found - case.score.mean).abs() <= allowed, "{name}");
        if let Some(bag) = &case.out_of_bag {
            let found = mean(&mut fits.iter().map(|fitted| fitted.out_of_bag_score.unwrap()));
            let allowed = 4.0 * error * bag.spread + 0.001;
            println!("{name}: out of bag {found:.4}, scikit-learn {:.4} ± {allowed:.4}", bag.mean);
            assert!((found - bag.mean).abs() <= allowed, "{name}");
        }
        for (feature, (expected, spread)) in case.importance.iter().zip(&case.importance_spread).enumerate() {
            let found = mean(&mut fits.iter().map(|fitted| fitted.feature_importance[feature]));
            let allowed = 4.0 * error * spread + 0.002;
            assert!((found - expected).abs() <= allowed, "{name}: importance {feature} is {found}, not {expected}");
        }
    }
}
