//! Damaged and foreign model files: each is refused with its reason, and none makes the code panic.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mlops_algorithms::models::calibration::{CalibrationMethod, Calibrator};
use mlops_algorithms::models::{Algorithm, Hyperparameters, Model, Task, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::Array2;
use serde_json::{Value, json};

const ALL: [(Algorithm, Task); 20] = [
    (Algorithm::RandomForest, Task::Classification),
    (Algorithm::RandomForest, Task::Regression),
    (Algorithm::DecisionTree, Task::Classification),
    (Algorithm::DecisionTree, Task::Regression),
    (Algorithm::LogisticRegression, Task::Classification),
    (Algorithm::LinearRegression, Task::Regression),
    (Algorithm::NeuralNetwork, Task::Classification),
    (Algorithm::NeuralNetwork, Task::Regression),
    (Algorithm::Ridge, Task::Regression),
    (Algorithm::Lasso, Task::Regression),
    (Algorithm::ElasticNet, Task::Regression),
    (Algorithm::Svm, Task::Classification),
    (Algorithm::Svm, Task::Regression),
    (Algorithm::NaiveBayes, Task::Classification),
    (Algorithm::Knn, Task::Classification),
    (Algorithm::Knn, Task::Regression),
    (Algorithm::ExtraTrees, Task::Classification),
    (Algorithm::Xgboost, Task::Classification),
    (Algorithm::Xgboost, Task::Regression),
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

fn fitted(algorithm: Algorithm, task: Task, given: &Value) -> Model {
    let x = features(30);
    let parameters = Hyperparameters::parse(algorithm, task, given.as_object().unwrap()).unwrap();
    fit(algorithm, x.view(), &target(task, &x), None, &parameters, 11, &Silent).unwrap().model
}

/// Every change of one number or one array in a saved model is refused, or leaves a model that predicts.
#[test]
fn damaged_models_never_panic() {
    for (algorithm, task) in ALL {
        let given = match algorithm {
            Algorithm::RandomForest | Algorithm::ExtraTrees | Algorithm::Xgboost => {
                json!({"n_estimators": 2, "max_depth": 2})
            }
            Algorithm::DecisionTree => json!({"max_depth": 3}),
            Algorithm::NeuralNetwork => json!({"hidden_layer_sizes": 2, "max_iter": 2, "normalization": "batch"}),
            _ => json!({}),
        };
        stays_sound(&fitted(algorithm, task, &given));
    }
}

#[test]
fn damaged_calibrations_never_panic() {
    let x = features(30);
    let Target::Classes { codes, .. } = target(Task::Classification, &x) else { panic!("classes") };
    for method in [CalibrationMethod::Sigmoid, CalibrationMethod::Isotonic, CalibrationMethod::Temperature] {
        let model = fitted(Algorithm::DecisionTree, Task::Classification, &json!({"max_depth": 1}));
        let probabilities = model.predict_proba(x.view()).unwrap();
        let calibrator = Calibrator::fit(method, probabilities.view(), &codes, None).unwrap();
        let model = model.calibrated(calibrator.clone()).unwrap();
        stays_sound(&model);
        let refused = model.clone().calibrated(calibrator).unwrap_err();
        assert_eq!(refused.reason, "a model is calibrated twice");
        // A file cannot calibrate a calibrated model either, however deep.
        let mut nested = serde_json::to_value(&model).unwrap();
        nested["calibrated"]["model"] = serde_json::to_value(&model).unwrap();
        assert!(serde_json::from_value::<Model>(nested).is_err());
        let binary = postcard::to_stdvec(&model).unwrap();
        assert_eq!(postcard::from_bytes::<Model>(&binary).unwrap(), model);
        assert!(postcard::from_bytes::<Model>(&vec![binary[0]; 1 << 20]).is_err());
    }
}

/// Files hold the place of a kind of model among all of them; what was added later stands behind.
#[test]
fn the_order_of_the_kinds_in_files_never_changes() {
    let x = features(30);
    let Target::Classes { codes, .. } = target(Task::Classification, &x) else { panic!("classes") };
    for (algorithm, place) in [(Algorithm::NaiveBayes, 10), (Algorithm::LinearDiscriminantAnalysis, 14)] {
        let model = fitted(algorithm, Task::Classification, &json!({}));
        let place_of = |model: &Model| postcard::to_stdvec(model).unwrap()[0];
        assert_eq!(place_of(&model), place);
        let probabilities = model.predict_proba(x.view()).unwrap();
        let calibrator = Calibrator::fit(CalibrationMethod::Sigmoid, probabilities.view(), &codes, None).unwrap();
        let calibrated = model.calibrated(calibrator).unwrap();
        assert_eq!(place_of(&calibrated), 13);
        let binary = postcard::to_stdvec(&calibrated).unwrap();
        assert_eq!(binary[1], place);
        assert_eq!(postcard::from_bytes::<Model>(&binary).unwrap(), calibrated);
    }
}

fn stays_sound(model: &Model) {
    let algorithm = model.algorithm();
    let whole = serde_json::to_value(model).unwrap();
    let mut refused = 0;
    for path in paths(&whole, String::new()) {
        for change in [
            json!(0),
            json!(1),
            json!(2),
            json!(7),
            json!(-1.5),
            json!(4_294_967_295_u32),
            json!([]),
            json!([1]),
            json!(1e308),
        ] {
            let mut damaged = whole.clone();
            *damaged.pointer_mut(&path).unwrap() = change;
            match serde_json::from_value::<Model>(damaged) {
                Err(_) => refused += 1,
                Ok(model) => drop(model.predict(Array2::zeros((3, model.num_features().min(1000))).view())),
            }
        }
    }
    assert!(refused > 20, "{algorithm}");
}

fn paths(value: &Value, path: String) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = children.into_iter().flat_map(|(key, value)| paths(value, format!("{path}/{key}")));
    let below: Vec<String> = below.collect();
    std::iter::once(path).chain(below).collect()
}

#[test]
fn damaged_models_say_what_is_wrong() {
    let refusal = |model: &Model, path: &str, change: Value| {
        let mut damaged = serde_json::to_value(model).unwrap();
        *damaged.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = change;
        serde_json::from_value::<Model>(damaged).unwrap_err().to_string()
    };
    let tree = fitted(Algorithm::DecisionTree, Task::Classification, &json!({"max_depth": 2}));
    let nodes = "/decision_tree/nodes";
    assert!(
        refusal(&tree, &format!("{nodes}/features/0"), json!(4)).contains("a feature that the model does not have")
    );
    assert!(refusal(&tree, &format!("{nodes}/next/0"), json!(0)).contains("out of place"));
    assert!(refusal(&tree, &format!("{nodes}/next/2"), json!(9)).contains("out of order"));
    assert!(refusal(&tree, &format!("{nodes}/covers/0"), json!(-1)).contains("not a finite number in its range"));
    assert!(refusal(&tree, &format!("{nodes}/leaves/0"), json!(0.77)).contains("not probabilities"));
    assert!(refusal(&tree, &format!("{nodes}/width"), json!(0)).contains("wrong width"));
    assert!(refusal(&tree, &format!("{nodes}/thresholds"), json!([])).contains("differ in length"));
    assert!(refusal(&tree, "/decision_tree/labels", json!(["a"])).contains("one class"));
    let forest = fitted(Algorithm::RandomForest, Task::Regression, &json!({"n_estimators": 1}));
    assert!(refusal(&forest, "/random_forest/trees", json!([])).contains("without trees"));
    let boosted = fitted(Algorithm::Xgboost, Task::Regression, &json!({"n_estimators": 1, "max_depth": 2}));
    let tree = "/xgboost/trees/0";
    assert!(
        refusal(&boosted, &format!("{tree}/features/0"), json!(4)).contains("a feature that the model does not have")
    );
    assert!(refusal(&boosted, &format!("{tree}/left/0"), json!(0)).contains("out of place"));
    assert!(refusal(&boosted, &format!("{tree}/covers/0"), json!(-1)).contains("a weight is negative"));
    assert!(refusal(&boosted, &format!("{tree}/values"), json!([])).contains("differ in length"));
    assert!(refusal(&boosted, "/xgboost/base_scores", json!([])).contains("base score"));
    assert!(refusal(&boosted, "/xgboost/labels", json!(["a"])).contains("number of labels"));
    let linear = fitted(Algorithm::LinearRegression, Task::Regression, &json!({}));
    assert!(refusal(&linear, "/linear_regression/coefficients", json!([])).contains("without coefficients"));
    let logistic = fitted(Algorithm::LogisticRegression, Task::Classification, &json!({}));
    assert!(refusal(&logistic, "/logistic_regression/present/0", json!(2)).contains("do not match its labels"));
    assert!(refusal(&logistic, "/logistic_regression/num_features", json!(3)).contains("wrong shape"));
}
