//! A table becomes a model's input by one rule.

use futures::executor::block_on;
use mlops_algorithms::models::{Algorithm, Model};
use mlops_algorithms::target::Target;
use mlops_core::ports::Condition;
use mlops_core::values::SupervisedTask;
use mlops_core::{Call, Error};

use crate::memory_store::{artifacts, uri};
use crate::sample_model::{ROWS, plain, raw};
use crate::{LoadedModel, LoadedTable, Manifest, ModelCard, ModelInput, ReadOptions};

fn loaded((card, model): (ModelCard, Model)) -> LoadedModel {
    LoadedModel { card, model, sha256: String::new(), uri: uri("s3://store/model.tar.gz") }
}

fn classifier() -> LoadedModel {
    loaded(raw(Algorithm::DecisionTree, SupervisedTask::Classification))
}

fn regressor() -> LoadedModel {
    loaded(raw(Algorithm::LinearRegression, SupervisedTask::Regression))
}

fn table(text: &str) -> LoadedTable {
    let (artifacts, place) = (artifacts(), uri("s3://store/a.csv"));
    block_on(artifacts.write_bytes(&place, text.to_owned(), Condition::None)).unwrap();
    block_on(artifacts.read_table(&place, &ReadOptions::default(), &Call::new("r"))).unwrap()
}

/// The table as prepared by the preprocessor of that hash.
fn prepared(text: &str, preprocessor_sha256: &str) -> LoadedTable {
    let manifest = Manifest {
        format: 1,
        target_column: None,
        task: None,
        columns: Vec::new(),
        rows: 0,
        split_role: None,
        data_sha256: String::new(),
        source_sha256: String::new(),
        preprocessor_uri: None,
        preprocessor_sha256: Some(preprocessor_sha256.to_owned()),
        classes: None,
    };
    LoadedTable { manifest: Some(manifest), ..table(text) }
}

fn wrong(result: Result<ModelInput, Error>, expected: &str) -> Error {
    let error = result.unwrap_err();
    assert!(error.message.contains(expected), "{error}");
    error
}

#[test]
fn raw_columns_go_through_the_preprocessor() {
    let model = classifier();
    let input = model.input(&table(ROWS), None).unwrap();
    assert_eq!(input.features.dim(), (6, model.card.feature_names.len()));
    assert_eq!(model.model.predict(input.features.view()).unwrap(), input.target.unwrap());
    let unseen = model.input(&table("size,colour\n1,green\n2,red\n"), None).unwrap();
    assert_eq!((unseen.target, unseen.unseen["colour"]), (None, 1));
}

#[test]
fn a_prepared_table_is_taken_by_feature_names() {
    let model = classifier();
    let raw_input = model.input(&table(ROWS), None).unwrap();
    let mut text = model.card.feature_names.join(",");
    for row in raw_input.features.rows() {
        text.push('\n');
        text.push_str(&row.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    }
    let input = model.input(&prepared(&text, &"c".repeat(64)), None).unwrap();
    assert_eq!(input.features, raw_input.features);
    let error = wrong(model.input(&prepared(&text, "other"), None), "another preprocessor");
    assert!(error.hint.unwrap().contains("raw table"));
    wrong(model.input(&prepared(ROWS, &"c".repeat(64)), None), "the feature `colour=");
}

#[test]
fn a_model_without_preprocessor_takes_number_columns() {
    let model = loaded(plain());
    let input = model.input(&table("price,size\n1,1\n2,\n,3\n4,inf\n5,2\n"), None).unwrap();
    assert_eq!((input.kept_rows, input.dropped_rows), (vec![0, 4], 3));
    assert_eq!(input.target, Some(Target::Numbers(vec![1.0, 5.0])));
    assert_eq!(input.features.into_raw_vec_and_offset().0, [1.0, 2.0]);
    let error = wrong(model.input(&table("Size\n1\n"), None), "the feature `size` is not in the table");
    assert_eq!(error.hint.as_deref(), Some("did you mean `Size`?"));
    wrong(model.input(&table("size\nlarge\n1\n"), None), "text such as `large`");
    wrong(model.input(&table("size,price\n,1\n1,\n"), None), "none of the 2 rows");
}

#[test]
fn the_target_is_named_or_found() {
    let model = regressor();
    let data = table("size,colour,kind,other\n1,red,a,7\n2,red,,8\n3,blue,b,inf\n");
    assert_eq!(model.input(&data, None).unwrap().target, None);
    let error = wrong(model.input(&data, Some("othr")), "the target column `othr`");
    assert_eq!((error.field.as_deref(), error.hint.as_deref()), (Some("target_column"), Some("did you mean `other`?")));
    wrong(model.input(&data, Some("other")), "infinite, the first in row 2");
    let classes = classifier();
    let input = classes.input(&data, None).unwrap();
    assert_eq!((input.kept_rows, input.dropped_rows), (vec![0, 2], 1));
    let data = table("size,colour,kind\n1,red,\n2,red,c\n");
    let error = wrong(classes.input(&data, None), "it holds c, and the model knows a, b");
    assert_eq!(error.field.as_deref(), Some("target_column"));
    let data = table("size,colour,kind\n1,red,zz\n2,red,a\n3,red,\n4,blue,zz\n5,blue,b\n");
    let input = classes.input(&data, None).unwrap();
    assert_eq!(input.unknown_classes, [("zz".to_owned(), 2)].into());
    assert_eq!((input.kept_rows, input.dropped_rows, input.features.nrows()), (vec![1, 4], 3, 2));
    assert_eq!(input.target.unwrap().len(), 2);
    wrong(classes.input(&table("colour,kind\nred,a\n"), None), "the column 'size' is missing");
}
