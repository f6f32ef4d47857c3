//! Ridge, lasso, elastic net, penalised logistic regression, discriminant analysis, support vector machines, naive Bayes
//! and nearest neighbours against scikit-learn, by the files that `tests/golden/linear_family.py` writes, and what holds for them anyway.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use mlops_algorithms::models::{Algorithm, FitError, Fitted, Hyperparameters, Model, Task, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::{Array2, array};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Data {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    x_test: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    data: String,
    task: Task,
    algorithm: Algorithm,
    given: Map<String, Value>,
    weighted: bool,
    #[serde(default)]
    coefficients: Vec<f64>,
    #[serde(default)]
    prediction: Vec<f64>,
    #[serde(default)]
    probability: Vec<f64>,
    #[serde(default)]
    scores: Vec<f64>,
    #[serde(default)]
    support: usize,
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn classes(codes: impl Iterator<Item = f64> + Clone) -> Target {
    let count = codes.clone().fold(0.0, f64::max) as usize + 1;
    let labels = (0..count).map(|class| class.to_string()).collect();
    Target::Classes { labels, codes: codes.map(|class| class as u32).collect() }
}

fn run(
    algorithm: Algorithm,
    task: Task,
    given: &Map<String, Value>,
    x: &Array2<f64>,
    y: &[f64],
    weights: Option<&[f64]>,
) -> Result<Fitted, FitError> {
    let target = match task {
        Task::Regression => Target::Numbers(y.to_vec()),
        Task::Classification => classes(y.iter().copied()),
    };
    let parameters = Hyperparameters::parse(algorithm, task, given).unwrap();
    fit(algorithm, x.view(), &target, weights, &parameters, 3, &Silent)
}

#[track_caller]
fn close(name: &str, given: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(given.len(), expected.len(), "{name}");
    for (index, (a, b)) in given.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{name}: value {index} is {a}, scikit-learn has {b}");
    }
}

/// Closed forms (ridge, discriminant analysis, naive Bayes, nearest neighbours) agree to 1e-9. Coordinate descent runs to a duality gap of 1e-13 on
/// both sides, whose root is the error of the coefficients; saga and the proximal Newton steps to 1e-9 and 1e-8; machines
/// to 1e-6, which the coefficients of up to C multiply.
#[test]
fn as_scikit_learn() {
    let data: HashMap<String, Value> = serde_json::from_str(include_str!("golden/linear_family_data.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(include_str!("golden/linear_family_cases.json")).unwrap();
    let weights: Vec<f64> = serde_json::from_value(data["weights"].clone()).unwrap();
    for case in cases {
        let name = case.name.as_str();
        let of: Data = serde_json::from_value(data[&case.data].clone()).unwrap();
        let (x, x_test) = (matrix(&of.x), matrix(&of.x_test));
        let mut given = case.given.clone();
        let tolerance = match case.algorithm {
            Algorithm::Lasso | Algorithm::ElasticNet => {
                given.extend([("tol".to_owned(), json!(1e-13)), ("max_iter".to_owned(), json!(100_000))]);
                2e-6
            }
            Algorithm::LogisticRegression => {
                given.extend([("tol".to_owned(), json!(1e-9)), ("max_iter".to_owned(), json!(1000))]);
                1e-5
            }
            Algorithm::Svm => 2e-4,
            _ => 1e-9,
        };
        let weights = case.weighted.then(|| &weights[..of.y.len()]);
        let fitted = run(case.algorithm, case.task, &given, &x, &of.y, weights).unwrap();
        assert_ne!(fitted.converged, Some(false), "{name}");
        match &fitted.model {
            Model::Ridge(model) | Model::Lasso(model) | Model::ElasticNet(model) => {
                close(name, &[model.coefficients(), &[model.intercept()]].concat(), &case.coefficients, tolerance);
                let zeros = |values: &[f64]| values.iter().filter(|value| **value == 0.0).count();
                assert_eq!(zeros(model.coefficients()), zeros(&case.coefficients[..x.ncols()]), "{name}");
            }
            Model::LogisticRegression(model) | Model::LinearDiscriminantAnalysis(model) => {
                close(name, &[model.coefficients(), model.intercepts()].concat(), &case.coefficients, tolerance);
            }
            Model::Svm(model) if case.task == Task::Classification => {
                close(name, &model.scores(x_test.view()), &case.scores, tolerance);
                println!("{name}: {} support vectors, libsvm has {}", model.num_support_vectors(), case.support);
            }
            _ => {}
        }
        match case.task {
            Task::Regression => {
                close(name, &fitted.model.predict_values(x_test.view()).unwrap(), &case.prediction, tolerance);
            }
            Task::Classification if !case.probability.is_empty() => {
                let probability = fitted.model.predict_proba(x_test.view()).unwrap();
                close(name, &probability.into_raw_vec_and_offset().0, &case.probability, tolerance);
            }
            Task::Classification if !case.prediction.is_empty() => {
                let Target::Classes { codes, .. } = fitted.model.predict(x_test.view()).unwrap() else {
                    panic!("classes")
                };
                let wrong = codes.iter().zip(&case.prediction).filter(|(a, b)| f64::from(**a) != **b).count();
                assert!(wrong <= 1, "{name}: {wrong} predictions differ");
            }
            Task::Classification => {}
        }
    }
}

fn features(rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(row, column)| ((row * 7919 + column * 104_729) % 1009) as f64 / 300.0)
}

fn numbers(x: &Array2<f64>) -> Vec<f64> {
    x.rows().into_iter().map(|row| row[0] - 2.0 * row[1] + (row[2] * 3.0).sin()).collect()
}

fn codes(x: &Array2<f64>) -> Vec<f64> {
    numbers(x).into_iter().map(|value| f64::from(u8::from(value > -3.0)) + f64::from(u8::from(value > 0.0))).collect()
}

const NEW: [(Algorithm, Task); 8] = [
    (Algorithm::Ridge, Task::Regression),
    (Algorithm::ElasticNet, Task::Regression),
    (Algorithm::Svm, Task::Regression),
    (Algorithm::Svm, Task::Classification),
    (Algorithm::Knn, Task::Regression),
    (Algorithm::NaiveBayes, Task::Classification),
    (Algorithm::LogisticRegression, Task::Classification),
    (Algorithm::LinearDiscriminantAnalysis, Task::Classification),
];

#[test]
fn threads_change_nothing() {
    let x = features(900, 5);
    for (algorithm, task) in NEW {
        let y = if task == Task::Regression { numbers(&x) } else { codes(&x) };
        let given = match (algorithm, task) {
            (Algorithm::Svm, Task::Classification) => json!({"probability": true, "cache_size": 0.5}),
            (Algorithm::LogisticRegression, _) => json!({"l1_ratio": 0.5}),
            (Algorithm::LinearDiscriminantAnalysis, _) => json!({"shrinkage": "auto"}),
            _ => json!({}),
        };
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let fitted = run(algorithm, task, given.as_object().unwrap(), &x, &y, None).unwrap();
                let predicted = fitted.model.predict(x.view()).unwrap();
                (fitted, predicted)
            })
        };
        let one = with(1);
        assert!(one == with(2) && one == with(7), "{algorithm}");
    }
}

#[test]
fn memory_and_shrinking_change_no_machine() {
    let x = features(600, 6);
    let y = codes(&x);
    let fitted = |given: Value| {
        let fitted = run(Algorithm::Svm, Task::Classification, given.as_object().unwrap(), &x, &y, None).unwrap();
        let Model::Svm(model) = fitted.model else { panic!("a machine") };
        model.scores(x.view())
    };
    let usual = fitted(json!({"tol": 1e-7, "C": 10}));
    assert_eq!(fitted(json!({"tol": 1e-7, "C": 10, "cache_size": 0.001})), usual);
    close("without shrinking", &fitted(json!({"tol": 1e-7, "C": 10, "shrinking": false})), &usual, 1e-5);
}

#[test]
fn probabilities_follow_scores() {
    let x = features(400, 4);
    let y: Vec<f64> = codes(&x).into_iter().map(|code| code.min(1.0)).collect();
    for probability in [false, true] {
        let given = json!({"probability": probability});
        let fitted = run(Algorithm::Svm, Task::Classification, given.as_object().unwrap(), &x, &y, None).unwrap();
        let Model::Svm(model) = &fitted.model else { panic!("a machine") };
        let scores = model.scores(x.view());
        let shares = fitted.model.predict_proba(x.view()).unwrap();
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        assert!(order.windows(2).all(|pair| shares[[pair[0], 0]] <= shares[[pair[1], 0]] + 1e-12));
        assert!(shares.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    }
}

#[test]
fn ties_go_to_earlier_rows_and_every_search_finds_the_same() {
    let x = Array2::from_shape_fn((500, 3), |(row, column)| f64::from((row * (column + 2) % 5) as u32));
    let y: Vec<f64> = (0..500).map(f64::from).collect();
    let found = |search: &str, metric: &str| {
        let given = json!({"algorithm": search, "metric": metric, "n_neighbors": 9});
        let fitted = run(Algorithm::Knn, Task::Regression, given.as_object().unwrap(), &x, &y, None).unwrap();
        let Model::Knn(model) = fitted.model else { panic!("neighbours") };
        model.neighbours(x.view())
    };
    for metric in ["euclidean", "manhattan"] {
        let brute = found("brute", metric);
        assert_eq!(found("kd_tree", metric), brute);
        let ordered = |pair: &[(usize, f64)]| pair[0].1 < pair[1].1 || pair[0].1 == pair[1].1 && pair[0].0 < pair[1].0;
        assert!(brute.iter().all(|neighbours| neighbours.windows(2).all(ordered)));
    }
}

#[test]
fn bad_input_is_named() {
    let x = features(6, 3);
    let y = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    let error = |algorithm, task, given: Value| {
        run(algorithm, task, given.as_object().unwrap(), &x, &y, None).unwrap_err().to_string()
    };
    let many = error(Algorithm::Knn, Task::Classification, json!({"n_neighbors": 7}));
    assert!(many.starts_with("n_neighbors is 7, but only 6 rows"), "{many}");
    let priors = error(Algorithm::NaiveBayes, Task::Classification, json!({"priors": {"0": 0.5}}));
    assert!(priors.ends_with("the class '1' is left out"), "{priors}");
    let priors = error(Algorithm::NaiveBayes, Task::Classification, json!({"priors": {"0": 0.5, "1": 0.6}}));
    assert!(priors.contains("the sum is 1.1"), "{priors}");
    let discriminant = |given| error(Algorithm::LinearDiscriminantAnalysis, Task::Classification, given);
    let priors = discriminant(json!({"priors": {"0": 0, "1": 1}}));
    assert!(priors.ends_with("that of the class '0' is 0, and it has rows"), "{priors}");
    let few = run(
        Algorithm::LinearDiscriminantAnalysis,
        Task::Classification,
        &Map::new(),
        &x,
        &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        None,
    );
    assert!(few.unwrap_err().to_string().starts_with("6 rows (with a weight above 0) of 6 classes are too few"));
    let wrong = |algorithm, task, given: Value| {
        Hyperparameters::parse(algorithm, task, given.as_object().unwrap()).unwrap_err().to_string()
    };
    assert!(wrong(Algorithm::Svm, Task::Classification, json!({"epsilon": 1})).contains("not a hyperparameter"));
    assert!(wrong(Algorithm::Svm, Task::Regression, json!({"C": 0})).contains("a number above 0"));
    assert!(
        wrong(Algorithm::Lasso, Task::Regression, json!({"positive": true})).contains("coefficients may be negative")
    );
    let both = json!({"solver": "svd", "shrinkage": "auto"});
    let both = wrong(Algorithm::LinearDiscriminantAnalysis, Task::Classification, both);
    assert_eq!(both, "shrinkage cannot be given with solver = svd; set solver to lsqr, or leave one of them out");
    let both = json!({"penalty": "l1", "l1_ratio": 0.5});
    assert!(wrong(Algorithm::LogisticRegression, Task::Classification, both).contains("elasticnet"));
}

#[test]
fn constant_columns_and_huge_numbers_are_survived_or_refused() {
    let mut x = features(40, 3);
    x.column_mut(1).fill(0.1);
    let y = x.column(0).to_vec();
    for (algorithm, task) in NEW {
        let y: Vec<f64> = if task == Task::Regression {
            y.clone()
        } else {
            y.iter().map(|y| f64::from(u8::from(*y > 1.0))).collect()
        };
        let fitted = run(algorithm, task, &Map::new(), &x, &y, None).unwrap();
        assert!(fitted.feature_importance.iter().all(|value| value.is_finite()), "{algorithm}");
        let huge = array![[1e300, 1.0], [-1e300, 2.0], [1e308, 3.0], [-1e308, 5.0], [1e308, 3.5], [-1e307, 4.0]];
        let y = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
        if let Ok(fitted) = run(algorithm, task, &Map::new(), &huge, &y, None) {
            let finite = match task {
                Task::Regression => {
                    fitted.model.predict_values(huge.view()).unwrap().iter().all(|value| value.is_finite())
                }
                Task::Classification => {
                    fitted.model.predict_proba(huge.view()).unwrap().iter().all(|value| value.is_finite())
                }
            };
            assert!(finite, "{algorithm}");
        }
    }
}

#[test]
fn columns_that_say_nothing_new_change_no_discriminant() {
    let plain = features(90, 3);
    let y = codes(&plain);
    // As they are, the columns are the same but for a shift and a wrap.
    let plain = plain.mapv(|value| (7.0 * value).sin());
    // A constant, the difference of two columns, and one that is constant in each class.
    let more = Array2::from_shape_fn((90, 6), |(row, column)| match column {
        3 => 0.1,
        4 => plain[[row, 0]] - plain[[row, 2]],
        5 => y[row],
        _ => plain[[row, column]],
    });
    for given in [json!({}), json!({"solver": "lsqr"})] {
        let probability = |x: &Array2<f64>| {
            let algorithm = Algorithm::LinearDiscriminantAnalysis;
            let fitted = run(algorithm, Task::Classification, given.as_object().unwrap(), x, &y, None).unwrap();
            assert!(fitted.feature_importance.iter().all(|value| *value >= 0.0 && value.is_finite()));
            fitted.model.predict_proba(x.view()).unwrap().into_raw_vec_and_offset().0
        };
        close(&given.to_string(), &probability(&more), &probability(&plain), 1e-9);
        // Nothing varies within a class: what is left is how many rows each has.
        let shares = probability(&more.select(ndarray::Axis(1), &[5]));
        let count = |class: f64| y.iter().filter(|code| **code == class).count() as f64 / 90.0;
        close(&given.to_string(), &shares[..3], &[count(0.0), count(1.0), count(2.0)], 1e-12);
    }
}

#[test]
fn a_discriminant_counts_a_weight_as_that_many_rows() {
    let x = features(60, 4);
    let y = codes(&x);
    let weights: Vec<f64> = (0..60).map(|row| f64::from(row % 3)).collect();
    let rows: Vec<usize> = (0..60).flat_map(|row| vec![row; row % 3]).collect();
    let repeated = x.select(ndarray::Axis(0), &rows);
    let of_repeated: Vec<f64> = rows.iter().map(|&row| y[row]).collect();
    for given in [json!({}), json!({"solver": "lsqr"}), json!({"shrinkage": "auto"}), json!({"shrinkage": 0.5})] {
        let coefficients = |x: &Array2<f64>, y: &[f64], weights: Option<&[f64]>| {
            let algorithm = Algorithm::LinearDiscriminantAnalysis;
            let fitted = run(algorithm, Task::Classification, given.as_object().unwrap(), x, y, weights).unwrap();
            let Model::LinearDiscriminantAnalysis(model) = fitted.model else { panic!("a discriminant") };
            [model.coefficients(), model.intercepts()].concat()
        };
        let expected = coefficients(&repeated, &of_repeated, None);
        close(&given.to_string(), &coefficients(&x, &y, Some(&weights)), &expected, 1e-10);
    }
}
