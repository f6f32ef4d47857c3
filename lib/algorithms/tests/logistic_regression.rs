//! Logistic regression on tables long enough for a start from a sample, and without an intercept.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use mlops_algorithms::models::{Algorithm, Fitted, Hyperparameters, Model, Task, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::{Array2, Axis};
use serde_json::{Value, json};

const ROWS: usize = 30_000;

fn run(x: &Array2<f64>, codes: &[u32], given: &Value) -> Fitted {
    let classes = codes.iter().max().unwrap() + 1;
    let labels = (0..classes).map(|class| class.to_string()).collect();
    let target = Target::Classes { labels, codes: codes.to_vec() };
    let (algorithm, task) = (Algorithm::LogisticRegression, Task::Classification);
    let parameters = Hyperparameters::parse(algorithm, task, given.as_object().unwrap()).unwrap();
    fit(algorithm, x.view(), &target, None, &parameters, 0, &Silent).unwrap()
}

fn model(fitted: &Fitted) -> (Vec<f64>, Vec<f64>) {
    let Model::LogisticRegression(model) = &fitted.model else { panic!("a logistic regression") };
    (model.coefficients().to_vec(), model.intercepts().to_vec())
}

/// Columns about means that are not 0, and codes of classes that they tell something of.
fn table(classes: u32) -> (Array2<f64>, Vec<u32>) {
    let noise = |at: usize| ((at as f64 * 12.989_8).sin() * 43_758.545_3).rem_euclid(1.0);
    let x = Array2::from_shape_fn((ROWS, 4), |(row, column)| noise(row * 7 + column) * 3.0 + column as f64);
    let code = |row: usize| {
        let score = x[[row, 0]] - 0.5 * x[[row, 2]] + 2.0 * noise(row * 7 + 5) + 0.7;
        (score.clamp(0.0, 3.999) / 4.0 * f64::from(classes)) as u32
    };
    let codes = (0..ROWS).map(code).collect();
    (x, codes)
}

#[test]
fn the_order_of_the_rows_does_not_move_the_minimum() {
    for classes in [2, 3] {
        let (x, codes) = table(classes);
        let mut order: Vec<usize> = (0..ROWS).collect();
        // Every block of rows has one class, so a sample of blocks has shares of its own.
        order.sort_by_key(|&row| codes[row]);
        let sorted = order.iter().map(|&row| codes[row]).collect::<Vec<_>>();
        let usual = run(&x, &codes, &json!({"tol": 1e-8}));
        let other = run(&x.select(Axis(0), &order), &sorted, &json!({"tol": 1e-8}));
        assert!(usual.converged == Some(true) && other.converged == Some(true));
        let ((a, a0), (b, b0)) = (model(&usual), model(&other));
        for (a, b) in a.iter().chain(&a0).zip(b.iter().chain(&b0)) {
            assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{classes} classes: {a} {b}");
        }
        // What is the same for all classes is left out.
        assert!(classes == 2 || (0..4).all(|column| a.iter().skip(column).step_by(4).sum::<f64>().abs() < 1e-9));
    }
}

#[test]
fn a_sample_is_the_same_on_any_number_of_threads() {
    let (x, codes) = table(3);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&x, &codes, &json!({})))
    };
    let one = with(1);
    assert!(one == with(2) && one == with(7));
}

#[test]
fn without_an_intercept_there_is_none() {
    for rows in [500, ROWS] {
        let (x, codes) = table(2);
        let x = x.slice_axis(Axis(0), (0..rows).into()).to_owned();
        let fitted = run(&x, &codes[..rows], &json!({"fit_intercept": false, "tol": 1e-6}));
        let (coefficients, intercepts) = model(&fitted);
        assert!(intercepts == [0.0] && fitted.converged == Some(true));
        // The gradient vanishes there: the mean of the residuals times the features, and the penalty.
        for column in 0..4 {
            let residual = |row: usize| {
                let score: f64 = (0..4).map(|column| x[[row, column]] * coefficients[column]).sum();
                (1.0 / (1.0 + (-score).exp()) - f64::from(codes[row])) * x[[row, column]]
            };
            let slope = ((0..rows).map(residual).sum::<f64>() + coefficients[column]) / rows as f64;
            assert!(slope.abs() < 2e-6, "{slope}");
        }
    }
}
