//! Boosted trees: against XGBoost on golden files, and what must hold on any data.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "golden files are read")]

use mlops_algorithms::models::boosting::{BoostedTrees, BoostingInputs};
use mlops_algorithms::models::{Algorithm, Examples, FitError, Fitted, Hyperparameters, Model, Task, fit_boosted};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::{Array2, ArrayView2, Axis, Slice};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    parameters: Map<String, Value>,
    x: Vec<Vec<Option<f64>>>,
    y: Vec<f64>,
    x_test: Vec<Vec<Option<f64>>>,
    categorical: Option<Vec<bool>>,
    weight: Option<Vec<f64>>,
    prediction: Vec<f64>,
}

#[derive(Deserialize)]
struct Quality {
    train: usize,
    classes: usize,
    parameters: Map<String, Value>,
    scores: Vec<Map<String, Value>>,
    x: Vec<Vec<Option<f64>>>,
    y: Vec<f64>,
}

fn golden<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/golden/boosting_{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn matrix(rows: &[Vec<Option<f64>>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column].unwrap_or(f64::NAN))
}

/// The rows from `first` to `end`.
fn rows_of(x: &Array2<f64>, first: usize, end: usize) -> ArrayView2<'_, f64> {
    x.slice_axis(Axis(0), Slice::from(first..end))
}

fn target(y: &[f64], classes: usize) -> Target {
    if classes == 0 {
        return Target::Numbers(y.to_vec());
    }
    let labels = (0..classes).map(|class| class.to_string()).collect();
    Target::Classes { labels, codes: y.iter().map(|&class| class as u32).collect() }
}

/// What is fitted: features, target, weights, and what else.
struct Training<'a> {
    x: ArrayView2<'a, f64>,
    target: &'a Target,
    weight: Option<&'a [f64]>,
    validation: Option<Examples<'a>>,
    inputs: BoostingInputs<'a>,
}

impl<'a> Training<'a> {
    fn new(x: ArrayView2<'a, f64>, target: &'a Target) -> Self {
        Self { x, target, weight: None, validation: None, inputs: BoostingInputs::default() }
    }

    fn fit(self, given: &Map<String, Value>, seed: u64) -> Result<Fitted, FitError> {
        let task = if matches!(self.target, Target::Numbers(_)) { Task::Regression } else { Task::Classification };
        let parameters = Hyperparameters::parse(Algorithm::Xgboost, task, given).unwrap();
        let training = Examples { x: self.x, target: self.target, sample_weight: self.weight };
        fit_boosted(training, self.validation, &self.inputs, &parameters, seed, &Silent)
    }

    fn trees(self, given: &Value) -> BoostedTrees {
        boosted(self.fit(given.as_object().unwrap(), 1).unwrap())
    }
}

fn boosted(fitted: Fitted) -> BoostedTrees {
    let Model::Xgboost(trees) = fitted.model else { panic!("boosted trees") };
    trees
}

fn predict(model: &Model, x: ArrayView2<'_, f64>) -> Vec<f64> {
    match (model.task(), model.labels().len()) {
        (Task::Regression, _) => model.predict_values(x).unwrap(),
        // XGBoost gives the probability of the second of two classes.
        (Task::Classification, 2) => model.predict_proba(x).unwrap().column(1).to_vec(),
        (Task::Classification, _) => model.predict_proba(x).unwrap().iter().copied().collect(),
    }
}

/// Where both libraries cut at the same places, the trees are the same; what is left is single precision and the
/// rounding of derivatives to 21 bits.
#[test]
fn predictions_are_those_of_xgboost() {
    for file in ["parity_numbers", "parity_others"] {
        for case in golden::<Vec<Case>>(file) {
            let (x, target) = (matrix(&case.x), target(&case.y, case.classes));
            let categorical = case.categorical.unwrap_or_default();
            let inputs = BoostingInputs { categorical: &categorical, ..BoostingInputs::default() };
            let training = Training { weight: case.weight.as_deref(), inputs, ..Training::new(x.view(), &target) };
            let model = training.fit(&case.parameters, 0).unwrap().model;
            let found = predict(&model, matrix(&case.x_test).view());
            assert_eq!(found.len(), case.prediction.len());
            for (row, (found, expected)) in found.iter().zip(&case.prediction).enumerate() {
                let near = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
                assert!(near, "{} row {row}: {found} where XGBoost has {expected}", case.name);
            }
        }
    }
}

/// Random draws differ, so the mean loss over eight seeds is held against XGBoost's mean and its own spread.
#[test]
fn quality_is_that_of_xgboost() {
    for name in ["breast_cancer", "credit_data", "ames", "default"] {
        let case: Quality = golden(name);
        let (x, whole) = (matrix(&case.x), target(&case.y, case.classes));
        let rows: Vec<usize> = (0..case.y.len()).collect();
        let (train, test) = rows.split_at(case.train);
        let training = whole.take(train);
        let losses: Vec<f64> = (0..case.scores.len() as u64)
            .map(|seed| {
                let fitted = Training::new(rows_of(&x, 0, case.train), &training).fit(&case.parameters, seed);
                let found = predict(&fitted.unwrap().model, rows_of(&x, case.train, case.y.len()));
                loss(&found, &test.iter().map(|&row| case.y[row]).collect::<Vec<_>>(), case.classes)
            })
            .collect();
        let theirs: Vec<f64> = case.scores.iter().map(|score| score["loss"].as_f64().unwrap()).collect();
        let (ours, spread) = (mean(&losses), deviation(&theirs));
        println!("{name}: loss {ours:.5}, XGBoost {:.5} ± {spread:.5}", mean(&theirs));
        assert!(ours <= mean(&theirs) + spread, "{name}: {ours} where XGBoost has {}", mean(&theirs));
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

fn loss(found: &[f64], actual: &[f64], classes: usize) -> f64 {
    let rows = found.iter().zip(actual);
    if classes == 0 {
        return mean(&rows.map(|(p, y)| (p - y).powi(2)).collect::<Vec<_>>()).sqrt();
    }
    mean(&rows.map(|(p, y)| -(y * p.ln() + (1.0 - y) * (1.0 - p).ln())).collect::<Vec<_>>())
}

/// A table with a signal in it, and with holes.
fn table(rows: usize, seed: u64) -> (Array2<f64>, Vec<f64>) {
    let noise = |row: usize, column: u64| {
        let mixed = mlops_algorithms::seed::derive(seed + column, row as u64);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    };
    let x = Array2::from_shape_fn((rows, 4), |(row, column)| {
        let value = (noise(row, column as u64) * 50.0).floor();
        if noise(row, 10 + column as u64) < 0.1 { f64::NAN } else { value }
    });
    let known = |value: f64| if value.is_nan() { 20.0 } else { value };
    let y = |row: usize| known(x[[row, 0]]) / 10.0 + (known(x[[row, 1]]) / 8.0).sin() + noise(row, 20);
    let y = (0..rows).map(y).collect();
    (x, y)
}

#[test]
fn threads_and_row_order_change_nothing() {
    let (x, y) = table(3000, 7);
    let given = json!({"n_estimators": 5, "subsample": 0.7, "colsample_bynode": 0.5});
    let numbers = Target::Numbers(y.clone());
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Training::new(x.view(), &numbers).trees(&given))
    };
    let one = serde_json::to_string(&on(1)).unwrap();
    assert_eq!(one, serde_json::to_string(&on(2)).unwrap());
    assert_eq!(one, serde_json::to_string(&on(7)).unwrap());
    // Sums of derivatives are exact; with a given base score the order of the rows leaves no trace.
    let given = json!({"n_estimators": 5, "base_score": 2.0});
    let order: Vec<usize> = (0..3000).map(|row| row * 1_117 % 3000).collect();
    let (turned, turned_y) = (x.select(Axis(0), &order), numbers.take(&order));
    let plain = Training::new(x.view(), &numbers).trees(&given);
    assert_eq!(plain, Training::new(turned.view(), &turned_y).trees(&given));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_monotone_change_of_a_feature_changes_no_prediction(seed in 0_u64..1000) {
        let (x, y) = table(150, seed);
        let numbers = Target::Numbers(y);
        let given = json!({"n_estimators": 4, "max_depth": 4});
        let changed = x.mapv(|value| value * value * value / 7.0 + 3.0);
        let plain = Training::new(x.view(), &numbers).trees(&given).predict_margins(x.view());
        let other = Training::new(changed.view(), &numbers).trees(&given).predict_margins(changed.view());
        prop_assert_eq!(plain, other);
    }

    #[test]
    fn a_weight_of_two_is_a_row_twice(seed in 0_u64..1000) {
        let (x, y) = table(120, seed);
        let twice: Vec<usize> = (0..120).chain((0..120).filter(|row| row % 3 == 0)).collect();
        let weights: Vec<f64> = (0..120).map(|row| if row % 3 == 0 { 2.0 } else { 1.0 }).collect();
        let given = json!({"n_estimators": 4, "max_depth": 4});
        let numbers = Target::Numbers(y);
        let weighted = Training { weight: Some(&weights), ..Training::new(x.view(), &numbers) }.trees(&given);
        let (more, more_y) = (x.select(Axis(0), &twice), numbers.take(&twice));
        let repeated = Training::new(more.view(), &more_y).trees(&given);
        for (a, b) in weighted.predict_margins(x.view()).iter().zip(repeated.predict_margins(x.view())) {
            prop_assert!((a - b).abs() < 1e-4, "{} and {}", a, b);
        }
    }

    #[test]
    fn predictions_follow_monotone_constraints(seed in 0_u64..1000, binary in any::<bool>()) {
        let (x, y) = table(200, seed);
        let target = target(&y.iter().map(|y| if binary { f64::from(*y > 2.5) } else { *y }).collect::<Vec<_>>(), if binary { 2 } else { 0 });
        let given = json!({"n_estimators": 6, "monotone_constraints": [1, -1]});
        let model = Training::new(x.view(), &target).trees(&given);
        for row in 0..20 {
            let steps = Array2::from_shape_fn((50, 4), |(step, column)| if column == 0 { step as f64 } else { x[[row, column]] });
            prop_assert!(model.predict_margins(steps.view()).is_sorted());
            let steps = Array2::from_shape_fn((50, 4), |(step, column)| if column == 1 { -(step as f64) } else { x[[row, column]] });
            prop_assert!(model.predict_margins(steps.view()).is_sorted());
        }
    }
}

#[test]
fn missing_values_go_where_they_help() {
    // The missing are like the large ones, so that they must go to the right, and then like the small ones.
    for (missing, like) in [(5.0, 9.0), (-5.0, 0.0)] {
        let x = Array2::from_shape_fn((40, 1), |(row, _)| if row % 4 == 0 { f64::NAN } else { (row % 10) as f64 });
        let y = (0..40).map(|row| {
            if row % 4 == 0 {
                missing
            } else if row % 10 > 4 {
                5.0
            } else {
                -5.0
            }
        });
        let numbers = Target::Numbers(y.collect());
        let model = Training::new(x.view(), &numbers).trees(&json!({"n_estimators": 3, "max_depth": 1}));
        let asked = Array2::from_shape_vec((2, 1), vec![f64::NAN, like]).unwrap();
        let found = model.predict_margins(asked.view());
        assert_eq!(found[0], found[1]);
    }
}

#[test]
fn a_fit_stops_early_and_goes_on_later() {
    let (x, y) = table(400, 3);
    let (numbers, validation) = (Target::Numbers(y[..300].to_vec()), Target::Numbers(y[300..].to_vec()));
    let watched = Examples { x: rows_of(&x, 300, 400), target: &validation, sample_weight: None };
    let given = json!({"n_estimators": 200, "early_stopping_rounds": 5});
    let training = Training { validation: Some(watched), ..Training::new(rows_of(&x, 0, 300), &numbers) };
    let fitted = training.fit(given.as_object().unwrap(), 1).unwrap();
    let best = fitted.best_iteration.unwrap();
    assert_eq!(fitted.curve.len(), best + 5);
    let least = fitted.curve.iter().map(|point| point.validation.unwrap()).fold(f64::INFINITY, f64::min);
    assert_eq!(fitted.curve[best - 1].validation, Some(least));
    assert_eq!(boosted(fitted).rounds(), best);
    let alone = Training::new(x.view(), &Target::Numbers(y.clone())).fit(given.as_object().unwrap(), 1);
    assert!(alone.unwrap_err().to_string().contains("early_stopping_rounds needs validation data"));

    let all = Target::Numbers(y);
    let first = Training::new(x.view(), &all).trees(&json!({"n_estimators": 3}));
    let inputs = BoostingInputs { initial: Some(&first), ..BoostingInputs::default() };
    let later = Training { inputs, ..Training::new(x.view(), &all) }.trees(&json!({"n_estimators": 2}));
    let whole = Training::new(x.view(), &all).trees(&json!({"n_estimators": 5}));
    assert_eq!(later.rounds(), 5);
    for (a, b) in later.predict_margins(x.view()).iter().zip(whole.predict_margins(x.view())) {
        assert!((a - b).abs() < 1e-5, "{a} and {b}");
    }
}

#[test]
fn a_model_reads_back_as_xgboost_json_and_as_ours() {
    let (x, y) = table(300, 5);
    let coded = |value: f64| if value.is_nan() { value } else { (value / 6.0).floor() };
    let mut mixed = x.clone();
    mixed.column_mut(3).mapv_inplace(coded);
    let categorical = [false, false, false, true];
    for (classes, objective) in [(0, "reg:tweedie"), (0, "reg:quantileerror"), (0, "count:poisson"), (2, ""), (3, "")] {
        let y: Vec<f64> = y
            .iter()
            .map(|y| if classes == 0 { y.max(0.0) } else { y.floor().clamp(0.0, classes as f64 - 1.0) })
            .collect();
        let target = target(&y, classes);
        let mut given = json!({"n_estimators": 3});
        if !objective.is_empty() {
            given["objective"] = json!(objective);
        }
        let inputs = BoostingInputs { categorical: &categorical, ..BoostingInputs::default() };
        let model = Training { inputs, ..Training::new(mixed.view(), &target) }.trees(&given);
        let text = model.to_xgboost_json(&[]).to_string();
        let back = BoostedTrees::from_xgboost_json(&text).unwrap();
        assert_eq!(model.predict_margins(mixed.view()), back.predict_margins(mixed.view()));
        assert_eq!(back.to_xgboost_json(&[]).to_string(), text);
        let kept: Model = serde_json::from_value(json!({"xgboost": model})).unwrap();
        assert_eq!(kept, Model::Xgboost(model));
    }
}

#[test]
fn foreign_and_damaged_files_are_refused() {
    let (x, y) = table(60, 5);
    let numbers = Target::Numbers(y);
    let whole = Training::new(x.view(), &numbers).trees(&json!({"n_estimators": 1})).to_xgboost_json(&[]);
    let refused = |path: &str, value: Value| {
        let mut damaged = whole.clone();
        *damaged.pointer_mut(path).unwrap() = value;
        BoostedTrees::from_xgboost_json(&damaged.to_string()).unwrap_err().to_string()
    };
    let tree = "/learner/gradient_booster/model/trees/0";
    assert!(BoostedTrees::from_xgboost_json("{}").unwrap_err().to_string().contains("missing field `learner`"));
    assert!(refused("/learner/gradient_booster/name", json!("dart")).contains("only gbtree can be read"));
    assert!(refused("/learner/objective/name", json!("rank:ndcg")).contains("objective = rank:ndcg"));
    assert!(
        refused("/learner/learner_model_param/num_feature", json!("1"))
            .contains("a feature that the model does not have")
    );
    assert!(refused("/learner/learner_model_param/base_score", json!("[x]")).contains("base_score is '[x]'"));
    assert!(refused(&format!("{tree}/left_children/0"), json!(99_999)).contains("tree 0: a child is out of range"));
    assert!(refused(&format!("{tree}/left_children/0"), json!(0)).contains("tree 0: it is no tree"));
    assert!(refused(&format!("{tree}/sum_hessian"), json!([1.0])).contains("differ in length"));
    assert!(refused(&format!("{tree}/split_conditions/0"), json!(1e300)).contains("out of range"));
    assert!(refused("/learner/gradient_booster/model/tree_info", json!([1])).contains("one tree in turn"));
}

#[test]
fn bad_input_is_named() {
    let (x, y) = table(50, 5);
    let numbers = Target::Numbers(y.clone());
    let message =
        |training: Training<'_>, given: Value| training.fit(given.as_object().unwrap(), 1).unwrap_err().to_string();
    let mut infinite = x.clone();
    infinite[[3, 1]] = f64::INFINITY;
    assert!(message(Training::new(infinite.view(), &numbers), json!({})).contains("column 1 is inf in row 3"));
    let negative = Target::Numbers(y.iter().map(|y| -y).collect());
    let counts = json!({"objective": "count:poisson"});
    assert!(message(Training::new(x.view(), &negative), counts).contains("count:poisson needs a target of at least 0"));
    let inputs = BoostingInputs { categorical: &[true, false, false, false], ..BoostingInputs::default() };
    let mut odd = x.clone();
    odd[[2, 0]] = 300.0;
    let training = Training { inputs, ..Training::new(odd.view(), &numbers) };
    assert!(message(training, json!({})).contains("categories are whole numbers from 0 to 254"));
    let named = json!({"monotone_constraints": {"aeg": 1}});
    let names = ["age", "b", "c", "d"].map(str::to_owned);
    let inputs = BoostingInputs { feature_names: &names, ..BoostingInputs::default() };
    let training = Training { inputs, ..Training::new(x.view(), &numbers) };
    assert!(message(training, named).contains("did you mean 'age'?"));
    let three = target(&(0..50).map(|row| f64::from(row % 3)).collect::<Vec<_>>(), 3);
    let binary = json!({"objective": "binary:logistic"});
    assert!(message(Training::new(x.view(), &three), binary).contains("use multi:softprob"));
    // One row, constant columns and columns without a value leave a constant.
    let empty = Array2::from_shape_fn((4, 2), |(_, column)| if column == 0 { f64::NAN } else { 1.0 });
    let model = Training::new(empty.view(), &Target::Numbers(vec![1.0, 2.0, 3.0, 6.0])).trees(&json!({}));
    assert_eq!(model.predict_margins(empty.view()), [3.0; 4]);
    let model = Training::new(rows_of(&x, 0, 1), &Target::Numbers(vec![2.5])).trees(&json!({}));
    assert_eq!(model.predict_margins(rows_of(&x, 0, 1)), [2.5]);
}
