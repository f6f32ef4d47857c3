//! A small table and models learnt from it, for the tests of this crate.

use std::collections::BTreeMap;

use mlops_algorithms::models::{Algorithm, Hyperparameters, Model, Task, fit};
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::table::{Table, Values};
use mlops_algorithms::target::Target;
use mlops_core::values::SupervisedTask;
use serde_json::Map;

use crate::{CARD_FORMAT, ColumnType, ModelCard, Signature, SignatureColumn};

/// The rows of the table: two features, one of them text, and a target of each kind.
pub(crate) const ROWS: &str = "\
size,colour,kind,price
1,red,a,10
2,red,a,20.5
3,blue,b,30
4,blue,b,41
5,red,b,50
6,blue,a,60
";

/// The table of [`ROWS`].
pub(crate) fn table() -> Table {
    let rows = ROWS.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>()).collect::<Vec<_>>();
    let column = |index: usize, name: &str| {
        let text = Values::from_text(rows.iter().map(|row| Some(row[index])));
        let values = match text.numbers() {
            Ok(numbers) => {
                let kind = mlops_algorithms::table::NumberKind::Float;
                Values::Number { values: numbers.into_owned(), kind }
            }
            Err(_) => text,
        };
        mlops_algorithms::table::Column { name: name.to_owned(), values }
    };
    Table { columns: ["size", "colour", "kind", "price"].iter().enumerate().map(|(i, name)| column(i, name)).collect() }
}

/// A model that takes raw columns through its preprocessor.
pub(crate) fn raw(algorithm: Algorithm, task: SupervisedTask) -> (ModelCard, Model) {
    let target_column = if task == SupervisedTask::Classification { "kind" } else { "price" };
    let features = table().without(&["kind", "price"]);
    let target = target(task);
    let (preprocessor, transformed) =
        Preprocessor::fit_transform(&features, Some(&target), &PreprocessConfig::default(), 1).unwrap();
    let task_of_model = if task == SupervisedTask::Classification { Task::Classification } else { Task::Regression };
    let params = Hyperparameters::defaults(algorithm, task_of_model).unwrap();
    let model = fit(algorithm, transformed.features.view(), &target, None, &params, 1, &Silent).unwrap().model;
    let card = ModelCard {
        format: CARD_FORMAT,
        task,
        algorithm: algorithm.to_string(),
        target_column: target_column.to_owned(),
        classes: (task == SupervisedTask::Classification).then(|| model.labels().to_vec()),
        feature_names: transformed.feature_names,
        signature: Signature {
            inputs: vec![SignatureColumn {
                name: "colour".to_owned(),
                kind: ColumnType::Text,
                categories: Some(vec!["blue".to_owned(), "red".to_owned()]),
            }],
            output: "class".to_owned(),
        },
        hyperparameters: Map::new(),
        metrics: BTreeMap::from([("train_accuracy".to_owned(), 0.1)]),
        feature_importance: BTreeMap::new(),
        seed: 1,
        train_sha256: "a".repeat(64),
        validation_sha256: None,
        preprocessor: Some(preprocessor),
        preprocessor_sha256: Some("c".repeat(64)),
        weights_sha256: String::new(),
        library_version: "0.1.0".to_owned(),
    };
    (card, model)
}

/// A model of the column `size` alone, without a preprocessor.
pub(crate) fn plain() -> (ModelCard, Model) {
    let (card, _) = raw(Algorithm::LinearRegression, SupervisedTask::Regression);
    let sizes = table().columns[0].values.numbers().unwrap().into_owned();
    let x = ndarray::Array2::from_shape_vec((sizes.len(), 1), sizes).unwrap();
    let params = Hyperparameters::defaults(Algorithm::LinearRegression, Task::Regression).unwrap();
    let target = target(SupervisedTask::Regression);
    let model = fit(Algorithm::LinearRegression, x.view(), &target, None, &params, 1, &Silent).unwrap().model;
    let feature_names = vec!["size".to_owned()];
    (ModelCard { preprocessor: None, preprocessor_sha256: None, feature_names, ..card }, model)
}

fn target(task: SupervisedTask) -> Target {
    match task {
        SupervisedTask::Classification => Target::classes(&table().column("kind").unwrap().values, None).unwrap(),
        SupervisedTask::Regression => Target::numbers(&table().column("price").unwrap().values).unwrap(),
    }
}
