//! Models on the unhappy paths, and what holds for all of them: determinism, saving, refusing damaged models.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};

use mlops_algorithms::models::{Algorithm, FitError, Fitted, Hyperparameters, Model, PredictError, Task, fit};
use mlops_algorithms::probe::{Probe, Silent};
use mlops_algorithms::target::Target;
use ndarray::{Array2, array};
use serde_json::{Value, json};

const ALL: [(Algorithm, Task); 15] = [
    (Algorithm::RandomForest, Task::Classification),
    (Algorithm::RandomForest, Task::Regression),
    (Algorithm::DecisionTree, Task::Classification),
    (Algorithm::DecisionTree, Task::Regression),
    (Algorithm::LogisticRegression, Task::Classification),
    (Algorithm::LinearRegression, Task::Regression),
    (Algorithm::Ridge, Task::Regression),
    (Algorithm::Lasso, Task::Regression),
    (Algorithm::ElasticNet, Task::Regression),
    (Algorithm::Svm, Task::Classification),
    (Algorithm::Svm, Task::Regression),
    (Algorithm::NaiveBayes, Task::Classification),
    (Algorithm::Knn, Task::Classification),
    (Algorithm::Knn, Task::Regression),
    (Algorithm::LinearDiscriminantAnalysis, Task::Classification),
];

fn features(rows: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, 4), |(row, column)| ((row * 7919 + column * 104_729) % 1009) as f64 / 100.0)
}

fn target(task: Task, x: &Array2<f64>) -> Target {
    let sums: Vec<f64> = x.rows().into_iter().map(|row| row[0] - 2.0 * row[1] + (row[2] * 3.0).sin()).collect();
    match task {
        Task::Regression => Target::Numbers(sums),
        Task::Classification => {
            let code = |sum: &f64| u32::from(*sum > -9.0) + u32::from(*sum > -2.0);
            Target::Classes {
                labels: ["a", "b", "c"].map(str::to_owned).to_vec(),
                codes: sums.iter().map(code).collect(),
            }
        }
    }
}

fn run(
    algorithm: Algorithm,
    task: Task,
    given: &Value,
    x: &Array2<f64>,
    y: &Target,
    w: Option<&[f64]>,
) -> Result<Fitted, FitError> {
    let parameters = Hyperparameters::parse(algorithm, task, given.as_object().unwrap()).unwrap();
    fit(algorithm, x.view(), y, w, &parameters, 11, &Silent)
}

fn error(x: &Array2<f64>, y: &Target, w: Option<&[f64]>) -> String {
    let messages = ALL.into_iter().filter(|(_, task)| matches!(y, Target::Numbers(_)) == (*task == Task::Regression));
    let messages: Vec<String> =
        messages.map(|(algorithm, task)| run(algorithm, task, &json!({}), x, y, w).unwrap_err().to_string()).collect();
    assert!(messages.windows(2).all(|pair| pair[0] == pair[1]), "{messages:?}");
    messages[0].clone()
}

fn numbers(values: &[f64]) -> Target {
    Target::Numbers(values.to_vec())
}

#[test]
fn bad_input_is_named() {
    let x = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let y = numbers(&[1.0, 2.0, 3.0]);
    assert_eq!(
        error(&Array2::zeros((0, 2)), &numbers(&[]), None),
        "there is nothing to learn from: 0 rows and 2 features"
    );
    assert_eq!(error(&Array2::zeros((3, 0)), &y, None), "there is nothing to learn from: 3 rows and 0 features");
    assert_eq!(error(&x, &numbers(&[1.0]), None), "the features have 3 rows but the target has 1");
    assert_eq!(error(&x, &y, Some(&[1.0])), "the features have 3 rows but the sample weight has 1");
    assert!(error(&x, &y, Some(&[1.0, -1.0, 1.0])).starts_with("the sample weight in row 1 (counted from 0) is -1"));
    assert!(error(&x, &y, Some(&[1.0, f64::NAN, 1.0])).contains("is NaN"));
    assert!(error(&x, &y, Some(&[0.0; 3])).starts_with("every row has the weight 0"));
    assert!(error(&x, &y, Some(&[f64::MAX; 3])).contains("range of numbers"));
    assert!(error(&x, &numbers(&[1.0, f64::INFINITY, 0.0]), None).starts_with("the target is inf in row 1"));
    let broken = array![[1.0, 2.0], [3.0, f64::NAN], [5.0, 6.0]];
    assert!(error(&broken, &y, None).starts_with("the feature in column 1 is NaN in row 1"));
    let labels = vec!["yes".to_owned(), "no".to_owned()];
    let only = Target::Classes { labels: labels.clone(), codes: vec![1, 1, 1] };
    assert!(error(&x, &only, None).starts_with("every row is of the class 'no'"));
    let both = Target::Classes { labels: labels.clone(), codes: vec![1, 0, 1] };
    assert!(error(&x, &both, Some(&[1.0, 0.0, 1.0])).starts_with("every row is of the class 'no'"));
    let outside = Target::Classes { labels, codes: vec![1, 0, 2] };
    assert!(error(&x, &outside, None).contains("is 2, but there are 2 labels"));
}

#[test]
fn the_target_must_fit_the_task() {
    let x = features(20);
    for (algorithm, task) in ALL {
        let other = if task == Task::Regression { Task::Classification } else { Task::Regression };
        let message = run(algorithm, task, &json!({}), &x, &target(other, &x), None).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{task} needs a target of ")), "{message}");
    }
    let parameters = Hyperparameters::defaults(Algorithm::DecisionTree, Task::Regression).unwrap();
    let wrong =
        fit(Algorithm::LinearRegression, x.view(), &target(Task::Regression, &x), None, &parameters, 0, &Silent);
    assert!(matches!(wrong, Err(FitError::Algorithm { .. })));
}

#[test]
fn class_weights_must_name_classes() {
    let x = features(30);
    let y = target(Task::Classification, &x);
    for algorithm in [Algorithm::RandomForest, Algorithm::DecisionTree, Algorithm::LogisticRegression] {
        let given = json!({"class_weight": {"bb": 2}});
        let message = run(algorithm, Task::Classification, &given, &x, &y, None).unwrap_err().to_string();
        assert_eq!(message, "class_weight names the class 'bb', which the target does not have; did you mean 'b'?");
        let given = json!({"class_weight": {"a": 0, "b": 0, "c": 0}});
        assert_eq!(run(algorithm, Task::Classification, &given, &x, &y, None).unwrap_err(), FitError::NoWeight);
        let given = json!({"class_weight": {"a": 0, "b": 5}});
        assert!(run(algorithm, Task::Classification, &given, &x, &y, None).is_ok());
    }
}

#[test]
fn every_model_predicts_saves_and_reads_back() {
    let x = features(200);
    for (algorithm, task) in ALL {
        let fitted = run(algorithm, task, &json!({}), &x, &target(task, &x), None).unwrap();
        let model = &fitted.model;
        assert_eq!((model.algorithm(), model.task(), model.num_features()), (algorithm, task, 4));
        assert_eq!(fitted.feature_importance.len(), 4);
        let predicted = model.predict(x.view()).unwrap();
        let binary: Model = postcard::from_bytes(&postcard::to_stdvec(model).unwrap()).unwrap();
        assert_eq!(&binary, model);
        let text: Model = serde_json::from_str(&serde_json::to_string(model).unwrap()).unwrap();
        assert_eq!(text.predict(x.view()).unwrap(), predicted);
        let turned = x.t().as_standard_layout().into_owned();
        assert_eq!(model.predict(turned.t()).unwrap(), predicted, "the layout in memory does not matter");
        assert_eq!(model.predict(Array2::zeros((0, 4)).view()).unwrap().len(), 0);
        assert_eq!(
            model.predict(Array2::zeros((1, 3)).view()).unwrap_err(),
            PredictError::Features { expected: 4, given: 3 }
        );
        let missing = model.predict(array![[0.0, f64::NAN, 0.0, 0.0]].view()).unwrap_err().to_string();
        assert!(missing.starts_with("the feature in column 1 is NaN in row 0"), "{missing}");
        match task {
            Task::Classification => {
                let probability = model.predict_proba(x.view()).unwrap();
                assert_eq!(probability.dim(), (200, 3));
                assert!(probability.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
                assert!(model.predict_values(x.view()).unwrap_err().to_string().contains("classification"));
            }
            Task::Regression => {
                assert!(model.predict_proba(x.view()).unwrap_err().to_string().contains("no probabilities"));
            }
        }
    }
}

#[test]
fn the_seed_decides_and_threads_do_not() {
    let x = features(300);
    for task in Task::ALL {
        let y = target(task, &x);
        let forest = |given: Value| run(Algorithm::RandomForest, task, &given, &x, &y, None).unwrap();
        let given = |jobs: Value| json!({"n_estimators": 12, "n_jobs": jobs, "oob_score": true});
        let one = forest(given(json!(1)));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(5).build().unwrap();
        assert_eq!(pool.install(|| forest(given(json!(3)))), one);
        assert_eq!(pool.install(|| forest(given(json!(-1)))), one);
        let mut other = given(Value::Null);
        other["random_state"] = json!(12);
        assert_ne!(forest(other.clone()), one);
        other["random_state"] = json!(11);
        assert_eq!(forest(other), one, "random_state takes the place of the seed");
        let tree = |state: u64| {
            let given = json!({"max_features": 1, "random_state": state});
            run(Algorithm::DecisionTree, task, &given, &x, &y, None).unwrap()
        };
        assert_eq!(tree(1), tree(1));
        assert_ne!(tree(1), tree(2));
    }
}

#[test]
fn a_weight_of_two_is_the_row_twice() {
    // Twice the rows are twice the neighbours, and machines end anywhere within their tolerance.
    let others = [Algorithm::Knn, Algorithm::Svm];
    let x = features(40);
    let twice = ndarray::concatenate(ndarray::Axis(0), &[x.view(), x.view()]).unwrap();
    for (algorithm, task) in ALL.into_iter().filter(|(algorithm, _)| *algorithm != Algorithm::RandomForest) {
        if others.contains(&algorithm) {
            continue;
        }
        let given =
            if algorithm == Algorithm::LogisticRegression { json!({"tol": 1e-9, "max_iter": 5000}) } else { json!({}) };
        let weighted = run(algorithm, task, &given, &x, &target(task, &x), Some(&[2.0; 40])).unwrap();
        let repeated = run(algorithm, task, &given, &twice, &target(task, &twice), None).unwrap();
        match task {
            Task::Regression => {
                let pairs = weighted.model.predict_values(x.view()).unwrap().into_iter();
                let mut pairs = pairs.zip(repeated.model.predict_values(x.view()).unwrap());
                assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-9));
            }
            Task::Classification => {
                let apart =
                    weighted.model.predict_proba(x.view()).unwrap() - repeated.model.predict_proba(x.view()).unwrap();
                assert!(apart.iter().all(|value| value.abs() < 1e-6));
            }
        }
    }
}

#[test]
fn forests_draw_rows_by_their_weight() {
    let x = features(60);
    for task in Task::ALL {
        let y = target(task, &x);
        let weights: Vec<f64> = (0..60).map(|row| f64::from(u8::from(row < 30))).collect();
        let given = json!({"n_estimators": 20, "oob_score": true});
        let fitted = run(Algorithm::RandomForest, task, &given, &x, &y, Some(&weights)).unwrap();
        let other = match &y {
            Target::Numbers(values) => {
                Target::Numbers(values.iter().enumerate().map(|(row, y)| if row < 30 { *y } else { 1e6 }).collect())
            }
            Target::Classes { labels, codes } => {
                let codes = codes.iter().enumerate().map(|(row, code)| if row < 30 { *code } else { 2 }).collect();
                Target::Classes { labels: labels.clone(), codes }
            }
        };
        let again = run(Algorithm::RandomForest, task, &given, &x, &other, Some(&weights)).unwrap();
        assert_eq!(fitted.model, again.model, "rows of weight 0 teach nothing");
    }
}

#[test]
fn forests_without_choices_are_one_tree() {
    let x = features(80);
    for task in Task::ALL {
        let y = target(task, &x);
        let given = json!({"n_estimators": 3, "bootstrap": false, "max_features": null, "min_samples_leaf": 4});
        let forest = run(Algorithm::RandomForest, task, &given, &x, &y, None).unwrap();
        assert_eq!(forest.out_of_bag_score, None);
        let tree = run(Algorithm::DecisionTree, task, &json!({"min_samples_leaf": 4}), &x, &y, None).unwrap();
        match (forest.model.predict(x.view()).unwrap(), tree.model.predict(x.view()).unwrap()) {
            (Target::Numbers(a), Target::Numbers(b)) => assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)),
            (a, b) => assert_eq!(a, b),
        }
    }
}

#[test]
fn out_of_bag_needs_rows_left_out() {
    let x = features(2);
    let y = numbers(&[1.0, 2.0]);
    let given = json!({"n_estimators": 1, "max_samples": 1000, "oob_score": true});
    assert_eq!(run(Algorithm::RandomForest, Task::Regression, &given, &x, &y, None).unwrap().out_of_bag_score, None);
}

#[test]
fn constant_features_and_constant_targets_give_one_leaf() {
    let x = Array2::from_elem((10, 2), 3.5);
    let y = numbers(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]);
    for algorithm in [Algorithm::DecisionTree, Algorithm::RandomForest] {
        let fitted = run(algorithm, Task::Regression, &json!({}), &x, &y, None).unwrap();
        assert_eq!(fitted.feature_importance, [0.0, 0.0]);
        let fitted = run(algorithm, Task::Regression, &json!({}), &features(10), &numbers(&[0.1; 10]), None).unwrap();
        let values = fitted.model.predict_values(features(3).view()).unwrap();
        assert!(values.iter().all(|value| (value - 0.1).abs() < 1e-15));
    }
}

#[test]
fn huge_numbers_are_refused_or_survived() {
    let x = array![[1e300, 1.0], [-1e300, 2.0], [1e308, 3.0], [-1e308, 5.0]];
    let y = numbers(&[1.0, 2.0, 3.0, 4.0]);
    let tree = run(Algorithm::DecisionTree, Task::Regression, &json!({}), &x, &y, None).unwrap();
    assert_eq!(tree.model.predict_values(x.view()).unwrap(), [1.0, 2.0, 3.0, 4.0]);
    let huge = numbers(&[1e308, -1e308, 1e308, 1e308]);
    assert_eq!(
        run(Algorithm::RandomForest, Task::Regression, &json!({}), &x, &huge, None).map(|_| ()),
        Err(FitError::OutOfRange)
    );
    let classes = Target::Classes { labels: vec!["a".into(), "b".into()], codes: vec![0, 1, 0, 1] };
    let refused = run(Algorithm::LogisticRegression, Task::Classification, &json!({}), &x, &classes, None);
    assert_eq!(refused.map(|_| ()), Err(FitError::OutOfRange));
}

#[test]
fn a_class_without_rows_has_probability_zero() {
    let x = features(60);
    let Target::Classes { codes, .. } = target(Task::Classification, &x) else { panic!("classes") };
    let labels = ["a", "never", "b", "c"].map(str::to_owned).to_vec();
    let codes: Vec<u32> = codes.into_iter().map(|code| if code == 0 { 0 } else { code + 1 }).collect();
    for two in [false, true] {
        let codes = codes.iter().map(|&code| if two { code.min(2) } else { code }).collect();
        let y = Target::Classes { labels: labels.clone(), codes };
        for algorithm in [Algorithm::RandomForest, Algorithm::DecisionTree, Algorithm::LogisticRegression] {
            let fitted = run(algorithm, Task::Classification, &json!({}), &x, &y, None).unwrap();
            let probability = fitted.model.predict_proba(x.view()).unwrap();
            assert!(probability.column(1).iter().all(|value| *value == 0.0), "{algorithm}");
            assert!(probability.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
        }
    }
}

/// Cancels after a number of questions.
struct After(AtomicUsize, AtomicUsize);

impl Probe for After {
    fn cancelled(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }

    fn progress(&self, done: f64, total: f64, message: &str) {
        assert!((0.0..=total).contains(&done) && !message.is_empty());
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn every_fit_can_be_cancelled_and_reports_progress() {
    let x = features(200);
    for (algorithm, task) in ALL {
        let y = target(task, &x);
        let parameters = Hyperparameters::defaults(algorithm, task).unwrap();
        for questions in 0..3 {
            let probe = After(AtomicUsize::new(questions), AtomicUsize::new(0));
            let stopped = fit(algorithm, x.view(), &y, None, &parameters, 0, &probe);
            assert!(matches!(stopped, Err(FitError::Cancelled(_))), "{algorithm} after {questions}");
        }
        let probe = After(AtomicUsize::new(usize::MAX), AtomicUsize::new(0));
        fit(algorithm, x.view(), &y, None, &parameters, 0, &probe).unwrap();
        assert!(probe.1.into_inner() >= 2, "{algorithm}");
    }
}

#[test]
fn iterations_that_do_not_end_are_reported() {
    let x = features(200);
    let y = target(Task::Classification, &x);
    let fitted =
        run(Algorithm::LogisticRegression, Task::Classification, &json!({"max_iter": 2}), &x, &y, None).unwrap();
    assert_eq!((fitted.converged, fitted.iterations), (Some(false), Some(2)));
}
