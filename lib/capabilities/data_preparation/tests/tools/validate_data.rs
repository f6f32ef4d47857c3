//! `validate_data`.

use mlops_core::ErrorKind;
use serde_json::{Value, json};

use crate::place::{Place, flowers};

fn of_check<'a>(result: &'a Value, check: &str) -> Vec<&'a Value> {
    result["results"].as_array().unwrap().iter().filter(|found| found["check"] == check).collect()
}

#[tokio::test]
async fn a_sound_table_passes() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let arguments = json!({"dataset_s3_uri": path, "target_column": "kind"});
    let result = place.call("validate_data", arguments).await.unwrap();
    assert_eq!((&result["passed"], &result["errors"]), (&json!(true), &json!(0)));
    assert_eq!(result["target_column"], "kind");
    assert_eq!(of_check(&result, "missing")[0]["failed_count"], 6);
    assert_eq!(result["inferred_schema"]["columns"][3]["categories"], json!(["iris", "lily", "rose"]));
}

#[tokio::test]
async fn a_saved_schema_and_expectations_are_checked() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let schema = place.call("validate_data", json!({"dataset_s3_uri": path})).await.unwrap()["inferred_schema"].clone();
    let other = place.file("other.csv", flowers(60).replace("lily", "tulip").replace("width", "breadth"));
    let arguments =
        json!({"dataset_s3_uri": other, "schema": schema, "expectations": [{"column": "breadth", "max": 10}]});
    let result = place.call("validate_data", arguments).await.unwrap();
    assert_eq!(result["passed"], false);
    assert!(of_check(&result, "categories").iter().any(|found| found["column"] == "kind"), "{result:#}");
    assert!(of_check(&result, "columns").iter().any(|found| found["column"] == "width"), "{result:#}");
    assert!(of_check(&result, "ranges").iter().any(|found| found["column"] == "breadth"), "{result:#}");
}

#[tokio::test]
async fn a_target_that_nothing_can_be_learnt_from_is_an_error() {
    let place = Place::new();
    for (name, text) in [
        ("one class", "a,y\n1,x\n2,x\n3,x\n"),
        ("no value", "a,y\n1,\n2,\n3,\n"),
        ("infinite", "a,y\n1,inf\n2,1.5\n3,2.5\n"),
        ("a copy", "a,y\n1.5,1.5\n2.5,2.5\n3.5,3.5\n"),
    ] {
        let path = place.file("table.csv", text);
        let result = place.call("validate_data", json!({"dataset_s3_uri": path, "target_column": "y"})).await.unwrap();
        assert_eq!(result["passed"], false, "{name}: {result:#}");
        assert!(result["errors"].as_u64().unwrap() > 0, "{name}");
    }
    let path = place.file("table.csv", "a,b,y\n1.5,3,1.5\n2.5,1,2.5\n3.5,2,3.5\n4.5,9,4.5\n");
    let arguments = json!({"dataset_s3_uri": path, "target_column": "y", "ignore_columns": ["a"]});
    let result = place.call("validate_data", arguments).await.unwrap();
    assert_eq!(result["passed"], true, "{result:#}");
}

#[tokio::test]
async fn a_wrong_name_gets_the_nearest() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(9));
    let error = place.error("validate_data", json!({"dataset_s3_uri": path, "target_column": "kinds"})).await;
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("target_column")));
    assert_eq!(error.hint.as_deref(), Some("did you mean `kind`?"));
    let error = place.error("validate_data", json!({"dataset_s3_uri": path, "ignore_columns": ["colours"]})).await;
    assert_eq!(error.field.as_deref(), Some("ignore_columns"));
}
