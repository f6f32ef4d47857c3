//! Rows that are kept with a version, and how they are looked for.

use mlops_algorithms::models::Algorithm;
use mlops_core::ErrorKind;
use mlops_core::values::sha256_hex;
use serde_json::{Value, json};

use crate::place::{Place, rows};

/// The document of golden rows of a version.
async fn document(place: &Place, version: u64) -> (Value, String) {
    let kept = place.room.registry.version("things", version).await.unwrap().model.golden.unwrap();
    let path = kept.uri.strip_prefix("file://").unwrap().to_owned();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(sha256_hex(&bytes), kept.sha256);
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document["rows"].as_array().unwrap().len(), kept.rows);
    (document, path)
}

#[tokio::test]
async fn the_first_rows_are_kept_with_what_the_model_predicts() {
    let place = Place::new();
    let model = place.classifier(3).await;
    let version = place.register(&model, json!({})).await;
    let (golden, path) = document(&place, version).await;
    assert!(path.contains("/models/run-1/golden-"), "{path}");
    assert_eq!(golden["rows"].as_array().unwrap().len(), 20);
    let names: Vec<_> = golden["columns"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    assert_eq!(names, ["length", "colour"], "neither the target nor what the model does not take");
    assert_eq!(golden["model_sha256"], place.room.artifacts.read_model(&model).await.unwrap().sha256);
    for (label, row) in
        golden["predictions"].as_array().unwrap().iter().zip(golden["probabilities"].as_array().unwrap())
    {
        let [no, yes] = [0, 1].map(|class| row[class].as_f64().unwrap());
        assert_eq!(label, if yes > no { "yes" } else { "no" });
    }
    let listed = place.call("list_model_versions", json!({"model_name": "things"})).await.unwrap();
    assert_eq!(listed["versions"][0]["golden_rows"], 20);
    // Another store, the same bytes.
    let other = Place::new();
    let again = other.register(&other.classifier(3).await, json!({})).await;
    assert_eq!(document(&other, again).await.0, golden);
}

#[tokio::test]
async fn a_regressor_keeps_numbers() {
    let place = Place::new();
    let version = place.register(&place.model("weight", Algorithm::LinearRegression, 0).await, json!({})).await;
    let (golden, _) = document(&place, version).await;
    assert!(golden["predictions"].as_array().unwrap().iter().all(Value::is_number));
    assert!(golden.get("probabilities").is_none() && golden.get("classes").is_none());
}

#[tokio::test]
async fn a_short_table_with_gaps_is_kept_as_it_is() {
    let place = Place::new();
    let rows = place.file("short.csv", "colour,length\nred,\n,12.5\npurple,inf\n").display().to_string();
    let arguments =
        json!({"model_name": "things", "model_s3_uri": place.classifier(2).await, "golden_data_s3_uri": rows});
    place.call("register_model", arguments).await.unwrap();
    let (golden, _) = document(&place, 1).await;
    assert_eq!(golden["rows"], json!([["red", null], [null, 12.5], ["purple", null]]));
    let look = json!({"model_name": "things", "to_version": 1, "reason": "a look", "dry_run": true});
    let seen = place.call("rollback_model", look).await.unwrap();
    assert_eq!((&seen["verification"]["passed"], &seen["verification"]["golden_rows"]), (&json!(true), &json!(3)));
}

#[tokio::test]
async fn a_table_that_the_model_cannot_predict_is_refused_before_anything_is_registered() {
    let place = Place::new();
    let model = place.classifier(1).await;
    let before = place.stored();
    let narrow = place.file("narrow.csv", "lenght,colour\n1,red\n").display().to_string();
    for (rows, kind) in [(narrow, ErrorKind::InvalidInput), ("missing.csv".to_owned(), ErrorKind::NotFound)] {
        let arguments = json!({"model_name": "things", "model_s3_uri": model, "golden_data_s3_uri": rows});
        let error = place.error("register_model", arguments).await;
        assert_eq!((error.kind, error.field.as_deref()), (kind, Some("golden_data_s3_uri")), "{error}");
    }
    assert_eq!(place.stored(), before);
}

#[tokio::test]
async fn prepared_columns_are_no_golden_rows() {
    let place = Place::new();
    let model = place.classifier(1).await;
    let table = place.file("prepared.csv", "length,colour=red\n0.5,1\n");
    let sha256 = sha256_hex(&std::fs::read(&table).unwrap());
    let manifest = json!({"format": 1, "columns": [], "rows": 1, "data_sha256": sha256, "source_sha256": sha256,
        "preprocessor_sha256": "a".repeat(64)});
    place.file("prepared.csv.manifest.json", manifest.to_string());
    let arguments =
        json!({"model_name": "things", "model_s3_uri": model, "golden_data_s3_uri": table.display().to_string()});
    let error = place.error("register_model", arguments).await;
    assert!(error.message.contains("prepared columns") && error.hint.unwrap().contains("raw test rows"));
}

#[tokio::test]
async fn a_dry_run_predicts_them_and_writes_nothing() {
    let place = Place::new();
    let model = place.classifier(1).await;
    let rows = place.file("test.csv", rows(0, 5)).display().to_string();
    let before = place.stored();
    let arguments = json!({"model_name": "things", "model_s3_uri": model, "golden_data_s3_uri": rows, "dry_run": true, "gates_passed": true});
    let told = place.call("register_model", arguments).await.unwrap();
    assert_eq!((&told["registered"]["golden_rows"], &told["registered"]["gates_passed"]), (&json!(5), &json!(true)));
    assert_eq!(place.stored(), before);
}

#[tokio::test]
async fn a_version_keeps_the_golden_rows_that_it_was_registered_with() {
    let place = Place::new();
    let model = place.classifier(1).await;
    place.register(&model, json!({})).await;
    let (first, _) = document(&place, 1).await;
    let other = place.file("other.csv", rows(5000, 9)).display().to_string();
    let arguments =
        json!({"model_name": "things", "model_s3_uri": model, "golden_data_s3_uri": other, "run_id": "run-2"});
    let again = place.call("register_model", arguments).await.unwrap();
    assert_eq!((&again["already_registered"], &again["registered"]["golden_rows"]), (&json!(true), &json!(20)));
    assert_eq!(document(&place, 1).await.0, first);
}
