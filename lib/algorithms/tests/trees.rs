//! Forests, extra trees, Shapley values and prediction, against scikit-learn and shap by the files that
//! `tests/golden/trees.py` writes, and by what must hold for any data.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mlops_algorithms::models::{
    Algorithm, ExplainError, ExplainedOutput, Explanation, Fitted, Hyperparameters, Model, Task, fit,
};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::{Array2, ArrayView2, Axis, Slice, concatenate};
use serde::Deserialize;
use serde_json::{Map, Value, json};

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn target(task: Task, y: &[f64]) -> Target {
    if task == Task::Regression {
        return Target::Numbers(y.to_vec());
    }
    let count = y.iter().copied().fold(0.0, f64::max) as usize + 1;
    let labels = (0..count).map(|class| class.to_string()).collect();
    Target::Classes { labels, codes: y.iter().map(|&class| class as u32).collect() }
}

fn learn(
    algorithm: Algorithm,
    x: ArrayView2<'_, f64>,
    target: &Target,
    given: &Map<String, Value>,
    weight: Option<&[f64]>,
    seed: u64,
) -> Fitted {
    let task = if matches!(target, Target::Numbers(_)) { Task::Regression } else { Task::Classification };
    let parameters = Hyperparameters::parse(algorithm, task, given).unwrap();
    fit(algorithm, x, target, weight, &parameters, seed, &Silent).unwrap()
}

fn given(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Numbers that look random but are the same everywhere.
fn table(rows: usize, features: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, features), |(row, feature)| {
        ((row * 7919 + feature * 104_729 + row * row * (feature + 3)) % 1009) as f64 / 1009.0
    })
}

/// Classes that depend on the first features, with some noise.
fn classes(x: &Array2<f64>, count: usize) -> Target {
    let code = |(row, values): (usize, ndarray::ArrayView1<'_, f64>)| {
        let level = values[0] + values[1] * values[2] + if row % 11 == 0 { 0.4 } else { 0.0 };
        ((level * count as f64 / 1.7) as u32).min(count as u32 - 1)
    };
    let labels = (0..count).map(|class| format!("class {class}")).collect();
    Target::Classes { labels, codes: x.outer_iter().enumerate().map(code).collect() }
}

fn numbers(x: &Array2<f64>) -> Target {
    Target::Numbers(x.outer_iter().map(|row| 1e6 + 10.0 * row[0] + (6.0 * row[1]).sin() * row[2]).collect())
}

/// What the model says of each row: one probability a class, or one number.
fn outputs(model: &Model, x: ArrayView2<'_, f64>) -> Vec<f64> {
    match model.task() {
        Task::Classification => model.predict_proba(x).unwrap().into_iter().collect(),
        Task::Regression => model.predict_values(x).unwrap(),
    }
}

#[derive(Deserialize)]
struct Explained {
    name: String,
    task: Task,
    given: Map<String, Value>,
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    x_test: Vec<Vec<f64>>,
    background: Vec<Vec<f64>>,
    predicted: Vec<f64>,
    path: Vec<f64>,
    path_base: Vec<f64>,
    mixed: Vec<f64>,
    mixed_base: Vec<f64>,
}

#[track_caller]
fn close(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(1.0_f64, |scale, value| scale.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let apart = (found - expected).abs() / scale;
        assert!(apart < 1e-6, "{name}: value {index} is {found}, shap has {expected}");
    }
}

/// Both are exact; shap keeps parts of its sums in single precision, so 1e-6 of the largest value is allowed.
#[test]
fn shapley_values_are_those_of_shap() {
    let cases: Vec<Explained> = serde_json::from_str(include_str!("golden/trees_shap.json")).unwrap();
    for case in cases {
        let (x, x_test, background) = (matrix(&case.x), matrix(&case.x_test), matrix(&case.background));
        let fitted = learn(Algorithm::DecisionTree, x.view(), &target(case.task, &case.y), &case.given, None, 0);
        assert_eq!(score(&fitted.model, x_test.view(), &case.predicted), 1.0, "{}: another tree", case.name);
        let by_path = fitted.model.explain(x_test.view(), None, ExplainedOutput::Raw, &Silent).unwrap();
        close(&case.name, &by_path.values, &case.path);
        close(&case.name, &by_path.base_values, &case.path_base);
        let background = Some(background.view());
        let mixed = fitted.model.explain(x_test.view(), background, ExplainedOutput::Probability, &Silent);
        let mixed = match case.task {
            Task::Classification => mixed.unwrap(),
            Task::Regression => {
                assert!(matches!(mixed, Err(ExplainError::NoProbability { .. })));
                fitted.model.explain(x_test.view(), background, ExplainedOutput::Raw, &Silent).unwrap()
            }
        };
        close(&case.name, &mixed.values, &case.mixed);
        close(&case.name, &mixed.base_values, &case.mixed_base);
    }
}

fn check_sums(explanation: &Explanation, predicted: &[f64]) {
    let outputs = explanation.num_outputs();
    for (row, predicted) in predicted.chunks_exact(outputs).enumerate() {
        for (output, predicted) in predicted.iter().enumerate() {
            let values = (0..explanation.num_features).map(|feature| explanation.value(row, feature, output));
            let sum = explanation.base_values[output] + values.sum::<f64>();
            assert!((sum - predicted).abs() < 1e-9 * predicted.abs().max(1.0), "row {row}: {sum} for {predicted}");
        }
    }
}

#[test]
fn shapley_values_add_up_to_the_prediction() {
    let x = table(600, 7);
    let some = x.slice_axis(Axis(0), Slice::from(..21));
    let background = x.slice_axis(Axis(0), Slice::from(300..313));
    for algorithm in [Algorithm::RandomForest, Algorithm::ExtraTrees, Algorithm::DecisionTree] {
        for target in [classes(&x, 2), classes(&x, 4), numbers(&x)] {
            let few = if algorithm == Algorithm::DecisionTree { json!({}) } else { json!({"n_estimators": 5}) };
            let model = learn(algorithm, x.view(), &target, &given(&few), None, 3).model;
            let predicted = outputs(&model, some);
            for background in [None, Some(background)] {
                let explanation = model.explain(some, background, ExplainedOutput::Raw, &Silent).unwrap();
                check_sums(&explanation, &predicted);
            }
        }
    }
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let x = table(60, 3);
    let model = learn(Algorithm::RandomForest, x.view(), &classes(&x, 2), &given(&json!({"n_estimators": 2})), None, 0);
    let refused =
        |x: ArrayView2<'_, f64>| model.model.explain(x, None, ExplainedOutput::Raw, &Silent).unwrap_err().to_string();
    assert!(refused(table(3, 2).view()).contains("fitted to 3 features, but the rows have 2"));
    assert!(refused(Array2::from_elem((1, 3), f64::NAN).view()).contains("NaN in row 0"));
    let none = Array2::zeros((0, 3));
    let background = model.model.explain(x.view(), Some(none.view()), ExplainedOutput::Raw, &Silent);
    assert_eq!(background.unwrap_err(), ExplainError::NoBackground);
    let linear = learn(Algorithm::LinearRegression, x.view(), &numbers(&x), &Map::new(), None, 0);
    let linear = linear.model.explain(x.view(), None, ExplainedOutput::Raw, &Silent);
    assert_eq!(linear.unwrap_err(), ExplainError::NoTrees);
}

#[derive(Deserialize)]
struct Spread {
    mean: f64,
    spread: f64,
}

#[derive(Deserialize)]
struct Extra {
    name: String,
    task: Task,
    given: Map<String, Value>,
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    x_test: Vec<Vec<f64>>,
    y_test: Vec<f64>,
    score: Spread,
    importance: Vec<f64>,
    importance_spread: Vec<f64>,
}

fn score(model: &Model, x: ArrayView2<'_, f64>, y: &[f64]) -> f64 {
    match model.predict(x).unwrap() {
        Target::Classes { codes, .. } => {
            codes.iter().zip(y).filter(|(code, class)| f64::from(**code) == **class).count() as f64 / y.len() as f64
        }
        Target::Numbers(values) => {
            let mean = y.iter().sum::<f64>() / y.len() as f64;
            let errors: f64 = values.iter().zip(y).map(|(value, y)| (value - y).powi(2)).sum();
            1.0 - errors / y.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
        }
    }
}

/// The same comparison of means over 20 seeds as for random forests (`models_golden.rs`).
#[test]
fn extra_trees_are_as_good_over_many_seeds() {
    let cases: Vec<Extra> = serde_json::from_str(include_str!("golden/trees_extra.json")).unwrap();
    for case in cases {
        let (x, x_test, target) = (matrix(&case.x), matrix(&case.x_test), target(case.task, &case.y));
        let fits: Vec<_> =
            (0..20).map(|seed| learn(Algorithm::ExtraTrees, x.view(), &target, &case.given, None, seed)).collect();
        let error = (2.0_f64 / 20.0).sqrt();
        let found = fits.iter().map(|fitted| score(&fitted.model, x_test.view(), &case.y_test)).sum::<f64>() / 20.0;
        let allowed = 4.0 * error * case.score.spread + 0.002;
        println!("{}: score {found:.4}, scikit-learn {:.4} ± {allowed:.4}", case.name, case.score.mean);
        assert!((found - case.score.mean).abs() <= allowed, "{}", case.name);
        for (feature, (expected, spread)) in case.importance.iter().zip(&case.importance_spread).enumerate() {
            let found = fits.iter().map(|fitted| fitted.feature_importance[feature]).sum::<f64>() / 20.0;
            let allowed = 4.0 * error * spread + 0.003;
            assert!(
                (found - expected).abs() <= allowed,
                "{}: importance {feature} is {found}, not {expected}",
                case.name
            );
        }
    }
}

#[test]
fn the_same_forest_on_any_number_of_threads() {
    let x = table(3000, 6);
    for algorithm in [Algorithm::RandomForest, Algorithm::ExtraTrees] {
        for target in [classes(&x, 2), classes(&x, 3), numbers(&x)] {
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let fitted = learn(algorithm, x.view(), &target, &given(&json!({"n_estimators": 7})), None, 5);
                    let predicted = outputs(&fitted.model, x.view());
                    let some = x.slice_axis(Axis(0), Slice::from(..40));
                    let explained = fitted.model.explain(some, None, ExplainedOutput::Raw, &Silent).unwrap();
                    (fitted, predicted, explained)
                })
            };
            let one = on(1);
            assert!(one == on(2) && one == on(7));
        }
    }
}

#[test]
fn whole_weights_are_the_same_as_repeated_rows() {
    let x = table(200, 5);
    let weights: Vec<f64> = (0..200).map(|row| f64::from(row % 3)).collect();
    let rows: Vec<usize> = (0..200).flat_map(|row| std::iter::repeat_n(row, row % 3)).collect();
    let repeated = x.select(Axis(0), &rows);
    let all = given(&json!({"n_estimators": 1, "bootstrap": false, "max_features": null}));
    for target in [classes(&x, 2), classes(&x, 3), numbers(&x)] {
        let weighted = learn(Algorithm::RandomForest, x.view(), &target, &all, Some(&weights), 1).model;
        let plain = learn(Algorithm::RandomForest, repeated.view(), &target.take(&rows), &all, None, 1).model;
        let (weighted, plain) = (outputs(&weighted, x.view()), outputs(&plain, x.view()));
        let apart = weighted.iter().zip(&plain).filter(|(a, b)| (*a - *b).abs() > 1e-9 * b.abs().max(1.0)).count();
        // Splits of equal gain may be told apart by rounding.
        assert!(apart <= weighted.len() / 50, "{apart} of {} predictions differ", weighted.len());
    }
}

#[test]
fn a_monotone_change_of_a_feature_changes_no_prediction() {
    let x = table(500, 4);
    let changed = x.mapv(|value| (value * 3.0).exp());
    let target = classes(&x, 3);
    // A threshold lies in the middle of two values, and rows that a tree has not drawn may lie between them.
    let few = given(&json!({"n_estimators": 5, "bootstrap": false, "max_features": 2}));
    let (before, after) = (
        learn(Algorithm::RandomForest, x.view(), &target, &few, None, 2).model,
        learn(Algorithm::RandomForest, changed.view(), &target, &few, None, 2).model,
    );
    assert_eq!(outputs(&before, x.view()), outputs(&after, changed.view()));
}

#[test]
fn values_that_share_a_bin_are_told_apart_in_small_nodes() {
    // The first feature has more values than bins: about 78 rows a bin. A node with one bin of it is split by the second
    // feature into two small ones, where the first feature can be split again.
    let rows = 20_000;
    let x = Array2::from_shape_fn((rows, 2), |(row, feature)| (if feature == 0 { row } else { row % 2 }) as f64);
    let y: Vec<f64> = x.outer_iter().map(|row| row[0] + 20.0 * row[1]).collect();
    let whole = given(&json!({"n_estimators": 1, "bootstrap": false}));
    let fitted = learn(Algorithm::RandomForest, x.view(), &Target::Numbers(y.clone()), &whole, None, 0);
    assert_eq!(outputs(&fitted.model, x.view()), y);
}

#[test]
fn limits_hold_in_every_leaf() {
    let x = table(2000, 5);
    for (target, limits) in [
        (classes(&x, 2), json!({"min_samples_leaf": 20, "max_depth": 6})),
        (numbers(&x), json!({"min_samples_leaf": 0.02})),
        (classes(&x, 3), json!({"min_weight_fraction_leaf": 0.03, "bootstrap": false})),
    ] {
        for algorithm in [Algorithm::RandomForest, Algorithm::ExtraTrees] {
            let mut limits = given(&limits);
            limits.insert("n_estimators".to_owned(), json!(4));
            let model = learn(algorithm, x.view(), &target, &limits, None, 8).model;
            let (Model::RandomForest(forest) | Model::ExtraTrees(forest)) = &model else { panic!("a forest") };
            for tree in forest.trees() {
                assert!(limits.get("max_depth").is_none() || tree.depth() <= 6);
                let splits = (0..tree.len()).filter(|&node| tree.cover(node) < 20.0).count();
                assert_eq!(splits, 0, "{algorithm} {limits:?}");
                assert!(tree.num_leaves() > 4);
            }
        }
    }
}

#[test]
fn bad_tables_are_treated_as_documented() {
    let constant = Array2::from_elem((30, 2), 4.0);
    let y = Target::Numbers((0..30).map(f64::from).collect());
    let few = given(&json!({"n_estimators": 3, "bootstrap": false}));
    for algorithm in [Algorithm::RandomForest, Algorithm::ExtraTrees] {
        let fitted = learn(algorithm, constant.view(), &y, &few, None, 0);
        assert_eq!(fitted.feature_importance, [0.0, 0.0]);
        assert!((fitted.model.predict_values(constant.view()).unwrap()[0] - 14.5).abs() < 1e-12);
        let wide =
            concatenate(Axis(1), &[table(5, 40).view(), constant.slice_axis(Axis(0), Slice::from(..5))]).unwrap();
        let model = learn(algorithm, wide.view(), &y.take(&[0, 1, 2, 3, 4]), &few, None, 0).model;
        assert_eq!(model.predict_values(wide.view()).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0]);
        let huge = Array2::from_shape_vec((3, 1), vec![-1e300, 0.0, 1e300]).unwrap();
        let model = learn(algorithm, huge.view(), &y.take(&[0, 1, 2]), &few, None, 0).model;
        assert!(model.predict_values(huge.view()).unwrap().iter().all(|value| value.is_finite()));
        let parameters = Hyperparameters::parse(algorithm, Task::Regression, &few).unwrap();
        let one = table(1, 2);
        let one = fit(algorithm, one.view(), &y.take(&[7]), None, &parameters, 0, &Silent).unwrap();
        assert_eq!(one.model.predict_values(constant.view()).unwrap()[0], 7.0);
        assert!(fit(algorithm, constant.view(), &y, Some(&[0.0; 30]), &parameters, 0, &Silent).is_err());
    }
}
