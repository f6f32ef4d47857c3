//! What is said of wrong arguments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;
use crate::schema;

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Strategy {
    Random,
    Stratified,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Split {
    /// The share of the training rows.
    #[schemars(range(min = 0.0, max = 1.0))]
    train: f64,
    /// How rows are drawn.
    strategy: Option<Strategy>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// Where the table lies.
    #[serde(alias = "uri")]
    #[schemars(extend("x-aliases" = ["uri"]))]
    dataset_s3_uri: String,
    /// The split.
    split: Option<Split>,
    /// The columns.
    #[serde(default)]
    columns: Vec<String>,
}

fn error(arguments: Value) -> Error {
    parse::<Inputs>(&schema::of_input::<Inputs>(), arguments).unwrap_err()
}

#[test]
fn an_unknown_name_is_told_with_the_nearest_one() {
    let error = error(json!({"dataset_s3_uri": "a.csv", "splt": {"train": 0.5}}));
    assert_eq!(error.field.as_deref(), Some("splt"));
    assert_eq!(error.hint.as_deref(), Some("did you mean `split`?"));
}

#[test]
fn every_fault_is_told_at_once_with_its_path() {
    let error = error(json!({"split": {"train": 1.5, "strategy": "stratfied"}, "columns": ["a", 2]}));
    for part in ["`dataset_s3_uri` is missing. Where the table lies", "`split.train` must be at most 1", "`columns[1]`"]
    {
        assert!(error.message.contains(part), "{part} in {}", error.message);
    }
    assert!(error.message.contains("`split.strategy` must be one of random, stratified, and is \"stratfied\""));
    assert!(error.message.contains("did you mean `stratified`?"));
}

#[test]
fn an_alias_and_a_null_are_accepted() {
    let inputs: Inputs =
        parse(&schema::of_input::<Inputs>(), json!({"uri": "a.csv", "split": null})).expect("valid arguments");
    assert_eq!(inputs.dataset_s3_uri, "a.csv");
    assert!(inputs.split.is_none());
    let error = error(json!({"uri": "a.csv", "dataset_s3_uri": "b.csv"}));
    assert!(error.message.contains("given twice"), "{error}");
}

#[test]
fn arguments_that_are_no_object_are_refused() {
    assert!(error(json!([1])).message.contains("the arguments must be an object"));
    assert!(error(Value::Null).message.contains("dataset_s3_uri"));
    assert_eq!(error(json!({"uri": 5})).field.as_deref(), Some("uri"));
}
