//! Fits models of every kind to the rows of a table and writes each as ONNX, with rows and what is predicted for them.
//!
//! usage: `onnx_models TABLE FOLDER`; TABLE is a CSV file without quotes with the columns of examples/penguins.csv.

#![expect(clippy::disallowed_methods, reason = "an example reads and writes files")]

use std::error::Error;
use std::path::Path;

use mlops_algorithms::models::calibration::{CalibrationMethod, Calibrator};
use mlops_algorithms::models::{Algorithm, BoostingInputs, Examples, Hyperparameters, Model, Task, fit, fit_boosted};
use mlops_algorithms::onnx;
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_algorithms::target::Target;
use ndarray::{Array2, Axis};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The most bytes of a graph.
const LIMIT: usize = 64 << 20;
const CLASSIFIERS: [(Algorithm, &str); 22] = [
    (Algorithm::RandomForest, r#"{"n_estimators": 60}"#),
    (Algorithm::ExtraTrees, r#"{"n_estimators": 30, "max_depth": 6}"#),
    (Algorithm::DecisionTree, "{}"),
    (Algorithm::LogisticRegression, "{}"),
    (Algorithm::LogisticRegression, r#"{"penalty": "l1", "C": 0.1}"#),
    (Algorithm::LinearDiscriminantAnalysis, "{}"),
    (Algorithm::NaiveBayes, "{}"),
    (Algorithm::Svm, "{}"),
    (Algorithm::Svm, r#"{"kernel": "linear"}"#),
    (Algorithm::Svm, r#"{"kernel": "poly", "coef0": 1}"#),
    (Algorithm::Svm, r#"{"kernel": "sigmoid", "gamma": 0.05}"#),
    (Algorithm::Svm, r#"{"probability": true}"#),
    (Algorithm::Knn, "{}"),
    (Algorithm::Knn, r#"{"weights": "distance", "metric": "manhattan", "n_neighbors": 9}"#),
    (Algorithm::Knn, r#"{"weights": "distance"}"#),
    (Algorithm::Xgboost, "{}"),
    (Algorithm::Xgboost, r#"{"n_estimators": 300, "max_depth": 3, "eta": 0.05}"#),
    (Algorithm::NeuralNetwork, r#"{"hidden_layer_sizes": [30, 20], "max_iter": 40}"#),
    (Algorithm::NeuralNetwork, r#"{"activation": "tanh", "normalization": "batch", "max_iter": 20}"#),
    (Algorithm::NeuralNetwork, r#"{"activation": "logistic", "normalization": "layer", "max_iter": 20}"#),
    (Algorithm::NeuralNetwork, r#"{"activation": "gelu", "max_iter": 20}"#),
    (Algorithm::NeuralNetwork, r#"{"activation": "identity", "hidden_layer_sizes": 5, "max_iter": 20}"#),
];
const REGRESSORS: [(Algorithm, &str); 17] = [
    (Algorithm::RandomForest, r#"{"n_estimators": 60}"#),
    (Algorithm::ExtraTrees, r#"{"n_estimators": 30}"#),
    (Algorithm::DecisionTree, "{}"),
    (Algorithm::LinearRegression, "{}"),
    (Algorithm::Ridge, "{}"),
    (Algorithm::Lasso, "{}"),
    (Algorithm::ElasticNet, "{}"),
    (Algorithm::Svm, r#"{"C": 100}"#),
    (Algorithm::Svm, r#"{"C": 100, "kernel": "linear"}"#),
    (Algorithm::Knn, "{}"),
    (Algorithm::Knn, r#"{"weights": "distance"}"#),
    (Algorithm::Xgboost, "{}"),
    (Algorithm::Xgboost, r#"{"objective": "reg:absoluteerror"}"#),
    (Algorithm::Xgboost, r#"{"objective": "reg:quantileerror", "quantile_alpha": 0.9}"#),
    (Algorithm::Xgboost, r#"{"objective": "count:poisson"}"#),
    (Algorithm::Xgboost, r#"{"objective": "reg:tweedie"}"#),
    (Algorithm::NeuralNetwork, r#"{"hidden_layer_sizes": 30, "max_iter": 60}"#),
];
const PREPROCESSORS: [&str; 9] = [
    "{}",
    r#"{"scaler": "minmax", "encoder": "ordinal", "handle_missing": "mean"}"#,
    r#"{"scaler": "robust", "encoder": "target", "handle_missing": "mode"}"#,
    r#"{"outliers": "clip_iqr"}"#,
    r#"{"outliers": "clip_quantile", "normalize": false}"#,
    r#"{"handle_missing": "drop"}"#,
    r#"{"handle_missing": "drop", "encoder": "ordinal"}"#,
    r#"{"encode_categorical": false, "scaler": "minmax"}"#,
    r#"{"normalize": false, "encoder": "ordinal"}"#,
];

fn main() -> Outcome<()> {
    let mut given = std::env::args().skip(1);
    let (Some(path), Some(folder)) = (given.next(), given.next()) else {
        return Err("usage: onnx_models TABLE FOLDER".into());
    };
    let writer = Writer { folder: folder.as_ref(), table: read(&std::fs::read_to_string(path)?)? };
    for target in ["species", "sex"] {
        for (index, (algorithm, parameters)) in CLASSIFIERS.into_iter().enumerate() {
            writer.case(&format!("{target}-{index}-{algorithm}"), target, "{}", (algorithm, parameters), None)?;
        }
        for (index, settings) in PREPROCESSORS.into_iter().enumerate() {
            let model = (Algorithm::LogisticRegression, "{}");
            writer.case(&format!("{target}-prepared-{index}"), target, settings, model, None)?;
        }
        for algorithm in [Algorithm::RandomForest, Algorithm::LogisticRegression, Algorithm::Xgboost] {
            let methods = [CalibrationMethod::Sigmoid, CalibrationMethod::Isotonic, CalibrationMethod::Temperature];
            for method in methods {
                let name = format!("{target}-calibrated-{algorithm}-{method:?}").to_lowercase();
                writer.case(&name, target, "{}", (algorithm, r#"{"max_depth": 3}"#), Some(method))?;
            }
        }
    }
    for (index, (algorithm, parameters)) in REGRESSORS.into_iter().enumerate() {
        let name = format!("mass-{index}-{algorithm}");
        writer.case(&name, "body_mass_g", "{}", (algorithm, parameters), None)?;
    }
    writer.without_preprocessor()
}

fn read(text: &str) -> Outcome<Table> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().ok_or("an empty table")?;
    let rows = lines.collect::<Vec<_>>();
    let column = |(index, name): (usize, &&str)| {
        let cells = rows.iter().map(|row| Some(row[index]).filter(|cell| !matches!(*cell, "" | "NA")));
        let values = Values::from_text(cells);
        let values = match values.numbers() {
            Ok(numbers) => Values::Number { values: numbers.into_owned(), kind: NumberKind::Float },
            Err(_) => values,
        };
        Column { name: (*name).to_owned(), values }
    };
    Ok(Table { columns: names.iter().enumerate().map(column).collect() })
}

struct Writer<'a> {
    folder: &'a Path,
    table: Table,
}

impl Writer<'_> {
    fn case(
        &self,
        name: &str,
        target: &str,
        settings: &str,
        (algorithm, parameters): (Algorithm, &str),
        calibration: Option<CalibrationMethod>,
    ) -> Outcome<()> {
        let column = &self.table.column(target).ok_or("no such column")?.values;
        let known = (0..column.len()).filter(|&row| !column.is_missing(row)).collect::<Vec<_>>();
        let (table, values) = (self.table.without(&[target]).take(&known), column.take(&known));
        let (task, target) = match values {
            Values::Text { .. } => (Task::Classification, Target::classes(&values, None)?),
            Values::Number { .. } => (Task::Regression, Target::numbers(&values)?),
        };
        let config: PreprocessConfig = serde_json::from_str(settings)?;
        let (preprocessor, transformed) = Preprocessor::fit_transform(&table, Some(&target), &config, 1)?;
        let (x, y) = (&transformed.features, target.take(&transformed.kept_rows));
        // Boosted trees and logistic regressions do not share their parameters.
        let parameters = if algorithm == Algorithm::LogisticRegression && parameters.contains("max_depth") {
            "{}"
        } else {
            parameters
        };
        let parameters =
            Hyperparameters::parse(algorithm, task, serde_json::from_str::<Value>(parameters)?.as_object().ok_or("")?)?;
        let mut model = fit(algorithm, x.view(), &y, None, &parameters, 1, &Silent)?.model;
        if let (Some(method), Target::Classes { codes, .. }) = (calibration, &y) {
            // Every third row, as if it had not been learnt from.
            let rows = (0..codes.len()).filter(|row| row % 3 == 0).collect::<Vec<_>>();
            let probabilities = model.predict_proba(x.select(Axis(0), &rows).view())?;
            let codes = rows.iter().map(|&row| codes[row]).collect::<Vec<_>>();
            model = model.calibrated(Calibrator::fit(method, probabilities.view(), &codes, None)?)?;
        }
        let (graph, description) = onnx::graph(&model, Some(&preprocessor), LIMIT)?;
        // With target means, training rows get features that other rows would not.
        let x = &preprocessor.transform(&table)?.features;
        let raw = table.take(&transformed.kept_rows);
        let mut inputs = serde_json::Map::new();
        for column in preprocessor.columns() {
            let values = &raw.column(&column.name).ok_or("no such column")?.values;
            let cells = (0..values.len()).map(|row| match values {
                Values::Number { values, .. } => json!(values[row]),
                Values::Text { .. } => json!(values.label(row)),
            });
            inputs.insert(column.name.clone(), cells.collect());
        }
        self.write(name, &model, (&graph, &description), &inputs.into(), x)
    }

    /// Models that take features: with gaps, with categories, with a class that has no rows.
    fn without_preprocessor(&self) -> Outcome<()> {
        let rows = 400;
        let mut x = Array2::from_shape_fn((rows, 5), |(row, column)| {
            ((row * 7919 + column * 104_729) % 1009) as f64 / 100.0 - if column == 4 { 0.0 } else { 5.0 }
        });
        x.column_mut(4).mapv_inplace(f64::floor);
        let sums = x.rows().into_iter().map(|row| row[0] - row[1] + (row[2] * 3.0).sin() + (row[4] * 5.0) % 3.0);
        let sums = sums.collect::<Vec<_>>();
        let labels = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let codes = sums.iter().map(|sum| u32::from(*sum > -1.0) + 2 * u32::from(*sum > 3.0)).collect::<Vec<_>>();
        let present = Target::Classes { labels, codes };
        for (index, (algorithm, parameters)) in [
            (Algorithm::LogisticRegression, "{}"),
            (Algorithm::LinearDiscriminantAnalysis, "{}"),
            (Algorithm::NaiveBayes, "{}"),
            (Algorithm::Svm, "{}"),
            (Algorithm::Svm, r#"{"probability": true, "kernel": "linear"}"#),
            (Algorithm::RandomForest, r#"{"n_estimators": 5}"#),
            (Algorithm::Knn, r#"{"weights": "distance"}"#),
            (Algorithm::NeuralNetwork, r#"{"max_iter": 5}"#),
        ]
        .into_iter()
        .enumerate()
        {
            let parameters: Value = serde_json::from_str(parameters)?;
            let parameters =
                Hyperparameters::parse(algorithm, Task::Classification, parameters.as_object().ok_or("")?)?;
            let weights = (0..rows).map(|row| 0.5 + (row % 3) as f64).collect::<Vec<_>>();
            let model = fit(algorithm, x.view(), &present, Some(&weights), &parameters, 1, &Silent)?.model;
            self.features(&format!("absent-{index}-{algorithm}"), &model, &x)?;
        }
        for (row, mut values) in x.rows_mut().into_iter().enumerate() {
            if row % 7 == 0 {
                values[row % 5] = f64::NAN;
            }
        }
        let codes =
            |parts: &[f64]| sums.iter().map(|sum| parts.iter().filter(|part| sum > *part).count() as u32).collect();
        let two = Target::Classes { labels: vec!["no".into(), "yes".into()], codes: codes(&[1.0]) };
        let three = Target::Classes { labels: vec!["a".into(), "b".into(), "c".into()], codes: codes(&[-1.0, 3.0]) };
        let targets = [("two", two), ("three", three), ("number", Target::Numbers(sums.clone()))];
        for (name, target) in targets {
            for categorical in [false, true] {
                let task = if name == "number" { Task::Regression } else { Task::Classification };
                let parameters = Hyperparameters::defaults(Algorithm::Xgboost, task).map_err(|_| "no defaults")?;
                let kinds = if categorical { vec![false, false, false, false, true] } else { Vec::new() };
                let inputs = BoostingInputs { categorical: &kinds, ..BoostingInputs::default() };
                let training = Examples { x: x.view(), target: &target, sample_weight: None };
                let model = fit_boosted(training, None, &inputs, &parameters, 1, &Silent)?.model;
                let mut asked = x.clone();
                // A category that no row had.
                asked[(3, 4)] = 17.0;
                self.features(&format!("gaps-{name}-{categorical}"), &model, &asked)?;
            }
        }
        Ok(())
    }

    fn features(&self, name: &str, model: &Model, x: &Array2<f64>) -> Outcome<()> {
        let (graph, description) = onnx::graph(model, None, LIMIT)?;
        let rows = x.rows().into_iter().map(|row| json!(row.to_vec())).collect::<Vec<_>>();
        self.write(name, model, (&graph, &description), &json!({"features": rows}), x)
    }

    fn write(
        &self,
        name: &str,
        model: &Model,
        (graph, description): (&[u8], &str),
        inputs: &Value,
        x: &Array2<f64>,
    ) -> Outcome<()> {
        let back = onnx::read(model.algorithm(), graph, description)?;
        let mut expected = json!({"inputs": inputs});
        if model.task() == Task::Classification {
            let Target::Classes { labels, codes } = model.predict(x.view())? else { return Err("no classes".into()) };
            expected["label"] = codes.iter().map(|&code| json!(labels[code as usize])).collect();
            let rows = |x: &Array2<f64>| x.rows().into_iter().map(|row| json!(row.to_vec())).collect::<Value>();
            let probabilities = model.predict_proba(x.view())?;
            assert_eq!(back.predict_proba(x.view())?, probabilities, "{name} reads back as another model");
            expected["probabilities"] = rows(&probabilities);
        } else {
            let predicted = model.predict_values(x.view())?;
            assert_eq!(back.predict_values(x.view())?, predicted, "{name} reads back as another model");
            expected["prediction"] = json!(predicted);
        }
        std::fs::write(self.folder.join(format!("{name}.onnx")), onnx::file(graph, &[("description", description)]))?;
        std::fs::write(self.folder.join(format!("{name}.json")), expected.to_string())?;
        Ok(())
    }
}
