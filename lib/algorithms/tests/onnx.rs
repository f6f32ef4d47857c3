//! Models as ONNX: written with the same bytes every time, read back as they were, and refused when they were changed.
//!
//! That onnxruntime predicts the same is shown by `tests/clients/onnx_models.py`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mlops_algorithms::models::calibration::{CalibrationMethod, Calibrator};
use mlops_algorithms::models::{Algorithm, BoostingInputs, Examples, Hyperparameters, Model, Task, fit, fit_boosted};
use mlops_algorithms::onnx::{OnnxError, file, graph, open, read};
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_algorithms::target::Target;
use ndarray::Array2;
use serde_json::{Value, json};

const LIMIT: usize = 1 << 24;

fn features(rows: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, 4), |(row, column)| ((row * 7919 + column * 104_729) % 1009) as f64 / 100.0)
}

fn sums(x: &Array2<f64>) -> Vec<f64> {
    x.rows().into_iter().map(|row| row[0] - 2.0 * row[1] + (row[2] * 3.0).sin()).collect()
}

fn codes(x: &Array2<f64>) -> Vec<u32> {
    sums(x).iter().map(|sum| u32::from(*sum > -9.0) + u32::from(*sum > -2.0)).collect()
}

fn target(task: Task, x: &Array2<f64>) -> Target {
    match task {
        Task::Regression => Target::Numbers(sums(x)),
        Task::Classification => {
            Target::Classes { labels: ["a", "b", "c"].map(str::to_owned).to_vec(), codes: codes(x) }
        }
    }
}

fn fitted(algorithm: Algorithm, task: Task, given: &Value) -> Model {
    let x = features(40);
    let parameters = Hyperparameters::parse(algorithm, task, given.as_object().unwrap()).unwrap();
    fit(algorithm, x.view(), &target(task, &x), None, &parameters, 11, &Silent).unwrap().model
}

/// One model of every kind.
fn models() -> Vec<Model> {
    let cases = [
        (Algorithm::RandomForest, json!({"n_estimators": 3, "max_depth": 3})),
        (Algorithm::ExtraTrees, json!({"n_estimators": 3, "max_depth": 3})),
        (Algorithm::DecisionTree, json!({})),
        (Algorithm::LogisticRegression, json!({})),
        (Algorithm::LinearRegression, json!({})),
        (Algorithm::Ridge, json!({})),
        (Algorithm::Lasso, json!({})),
        (Algorithm::ElasticNet, json!({})),
        (Algorithm::NeuralNetwork, json!({"hidden_layer_sizes": [3, 2], "max_iter": 2, "normalization": "batch"})),
        (Algorithm::Svm, json!({})),
        (Algorithm::NaiveBayes, json!({})),
        (Algorithm::Knn, json!({"n_neighbors": 3})),
        (Algorithm::Xgboost, json!({"n_estimators": 3, "max_depth": 3})),
        (Algorithm::LinearDiscriminantAnalysis, json!({})),
    ];
    let tasks = [Task::Classification, Task::Regression];
    let all = cases.iter().flat_map(|(algorithm, given)| tasks.map(|task| (*algorithm, task, given)));
    let all = all.filter(|(algorithm, task, _)| Hyperparameters::defaults(*algorithm, *task).is_ok());
    let mut models = all.map(|(algorithm, task, given)| fitted(algorithm, task, given)).collect::<Vec<_>>();
    let methods = [CalibrationMethod::Sigmoid, CalibrationMethod::Isotonic, CalibrationMethod::Temperature];
    let x = features(40);
    let codes = codes(&x);
    for method in methods {
        let model = fitted(Algorithm::RandomForest, Task::Classification, &json!({"n_estimators": 4, "max_depth": 2}));
        let probabilities = model.predict_proba(x.view()).unwrap();
        let calibrator = Calibrator::fit(method, probabilities.view(), &codes, None).unwrap();
        models.push(model.calibrated(calibrator).unwrap());
    }
    models.push(categories());
    models.push(fitted(Algorithm::Svm, Task::Classification, &json!({"probability": true})));
    models
}

/// Boosted trees that split by categories.
fn categories() -> Model {
    let x = features(60).mapv(f64::floor);
    let target = Target::Numbers(x.column(3).iter().map(|value| (value * 7.0) % 5.0).collect());
    let parameters = json!({"n_estimators": 2, "max_depth": 3});
    let parameters = Hyperparameters::parse(Algorithm::Xgboost, Task::Regression, parameters.as_object().unwrap());
    let inputs = BoostingInputs { categorical: &[false, false, false, true], ..BoostingInputs::default() };
    let training = Examples { x: x.view(), target: &target, sample_weight: None };
    fit_boosted(training, None, &inputs, &parameters.unwrap(), 1, &Silent).unwrap().model
}

#[test]
fn every_model_is_read_as_it_was_written() {
    let x = features(100);
    for model in models() {
        let algorithm = model.algorithm();
        let (bytes, description) = graph(&model, None, LIMIT).unwrap();
        let back = read(algorithm, &bytes, &description).unwrap();
        assert_eq!(back.predict(x.view()).unwrap(), model.predict(x.view()).unwrap(), "{algorithm}");
        if model.task() == Task::Classification {
            assert_eq!(back.predict_proba(x.view()).unwrap(), model.predict_proba(x.view()).unwrap(), "{algorithm}");
        }
        if algorithm != Algorithm::Xgboost {
            assert_eq!(back, model, "only boosted trees leave out what no prediction needs");
        }
        assert_eq!(graph(&back, None, LIMIT).unwrap(), (bytes, description), "{algorithm}");
    }
}

#[test]
fn a_preprocessor_becomes_part_of_the_graph_and_names_its_inputs() {
    let numbers = |name: &str, shift: usize| Column {
        name: name.to_owned(),
        values: Values::Number {
            values: (0..40).map(|row| (row * 37 % 23 + shift) as f64).collect(),
            kind: NumberKind::Float,
        },
    };
    let words = (0..40).map(|row| (row % 5 != 3).then_some(["red", "blue", "Ä"][row % 3])).collect::<Vec<_>>();
    let words = Column { name: "label".to_owned(), values: Values::from_text(words) };
    let table = Table { columns: vec![numbers("model/rows", 0), words, numbers("", 3)] };
    let x = features(40);
    let target = target(Task::Classification, &x);
    for config in [json!({}), json!({"encoder": "target", "outliers": "clip_iqr"}), json!({"handle_missing": "drop"})] {
        let config: PreprocessConfig = serde_json::from_value(config).unwrap();
        let (preprocessor, made) = Preprocessor::fit_transform(&table, Some(&target), &config, 1).unwrap();
        let y = target.take(&made.kept_rows);
        let given = Hyperparameters::defaults(Algorithm::LogisticRegression, Task::Classification).unwrap();
        let algorithm = Algorithm::LogisticRegression;
        let model = fit(algorithm, made.features.view(), &y, None, &given, 1, &Silent).unwrap().model;
        let (bytes, description) = graph(&model, Some(&preprocessor), LIMIT).unwrap();
        assert_eq!(graph(&model, Some(&preprocessor), LIMIT).unwrap().0, bytes, "equal models give equal bytes");
        assert_eq!(read(algorithm, &bytes, &description).unwrap(), model);
        let description: Value = serde_json::from_str(&description).unwrap();
        let inputs = description["inputs"].as_array().unwrap();
        assert_eq!(inputs[1], "label");
        // A name that ONNX or the graph has another use for is replaced.
        assert!(inputs[0] != "model/rows" && inputs[2] != "", "{inputs:?}");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("label#2"), "an output does not take the name of an input");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    for model in models() {
        let error = graph(&model, None, 64).unwrap_err();
        assert_eq!(error, OnnxError::TooLarge { limit: 64 }, "{}", model.algorithm());
        let needed = graph(&model, None, LIMIT).unwrap().0.len();
        let fits = (needed..4 * needed + 4096).step_by(256).any(|limit| graph(&model, None, limit).is_ok());
        assert!(fits, "{} asks for far more room than it needs", model.algorithm());
    }
}

#[test]
fn no_damage_makes_a_reader_panic() {
    let x = features(3);
    for model in models() {
        let (bytes, description) = graph(&model, None, LIMIT).unwrap();
        let algorithm = model.algorithm();
        let step = (bytes.len() / 300).max(1);
        for at in (0..bytes.len()).step_by(step) {
            for byte in [0x00, 0x7f, 0xff, bytes[at].wrapping_add(1)] {
                let mut damaged = bytes.clone();
                damaged[at] = byte;
                if let Ok(model) = read(algorithm, &damaged, &description) {
                    model.validate().unwrap();
                    drop(model.predict(x.view()));
                }
            }
            // A reader may have all that it needs; then the graph made again tells.
            if let Ok(model) = read(algorithm, &bytes[..at], &description) {
                assert_ne!(graph(&model, None, LIMIT).unwrap().0, bytes[..at], "{algorithm} cut off at {at}");
            }
        }
        assert!(read(algorithm, &bytes, "{}").is_err() || description == "{}", "{algorithm} without its description");
        assert!(read(algorithm, &bytes, "").is_err());
    }
}

#[test]
fn a_file_keeps_its_texts_and_its_graph() {
    let (bytes, description) = graph(&models()[0], None, LIMIT).unwrap();
    let whole = file(&bytes, &[("description", &description)]);
    let opened = open(&whole).unwrap();
    assert_eq!((opened.graph, &opened.metadata["description"]), (bytes.as_slice(), &description));
    for at in (0..whole.len()).step_by(97) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        drop(open(&damaged));
        drop(open(&whole[..at]));
    }
}
