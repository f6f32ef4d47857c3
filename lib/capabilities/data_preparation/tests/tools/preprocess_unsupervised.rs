//! `preprocess_unsupervised`.

use serde_json::{Map, Value, json};

use crate::place::{Place, flowers, read};

const TOOL: &str = "preprocess_unsupervised";

fn request(place: &Place, more: Value) -> Value {
    let mut request = json!({"dataset_s3_uri": place.file("flowers.csv", flowers(60)), "run_id": "run"});
    request.as_object_mut().unwrap().extend(serde_json::from_value::<Map<String, Value>>(more).unwrap());
    request
}

#[tokio::test]
async fn every_row_becomes_numbers_and_a_kept_column_is_no_feature() {
    let place = Place::new();
    let made = place.call(TOOL, request(&place, json!({"keep_columns": ["kind"], "format": "csv"}))).await.unwrap();
    assert_eq!(made["metadata"], json!({"num_samples": 60, "num_features": 6}));
    assert_eq!((&made["fit_scope"], made["feature_names"][0].as_str()), (&json!("full"), Some("length")));
    assert!(made["imputed"]["length"].as_u64().unwrap() > 0);
    let hopkins = made["statistics"]["hopkins"]["value"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&hopkins), "{hopkins}");
    let length = &made["statistics"]["features"][0];
    assert!(length["mean"].as_f64().unwrap().abs() < 1e-9 && (length["std"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    let table = String::from_utf8(read(&made["processed_s3_uri"])).unwrap();
    assert!(table.lines().next().unwrap().ends_with(",kind") && table.lines().count() == 61, "{table}");
    let manifest = json!(format!("{}.manifest.json", made["processed_s3_uri"].as_str().unwrap()));
    let manifest: Value = serde_json::from_slice(&read(&manifest)).unwrap();
    assert_eq!(manifest["preprocessor_sha256"], made["preprocessor_sha256"]);
    assert_eq!((&manifest["split_role"], &manifest["target_column"]), (&json!("full"), &Value::Null));
    let applied = json!({"preprocessor_uri": made["preprocessor_uri"], "run_id": "other"});
    let applied = place.call(TOOL, request(&place, applied)).await.unwrap();
    assert_eq!((&applied["fit_scope"], &applied["feature_names"]), (&json!("applied"), &made["feature_names"]));
}

#[tokio::test]
async fn what_varies_too_little_and_what_is_dropped_is_told() {
    let place = Place::new();
    let config = json!({"drop_columns": ["kind", "colour"]});
    let made = place.call(TOOL, request(&place, json!({"preprocessing_config": config, "variance_threshold": 5.0})));
    let made = made.await.unwrap();
    assert_eq!(made["feature_names"], json!(["width"]));
    assert!(made["low_variance"]["length"].as_f64().unwrap() <= 5.0, "{made}");
    assert_eq!(made["dropped_columns"].as_array().unwrap().len(), 3);
    let dry = place.call(TOOL, request(&place, json!({"dry_run": true, "run_id": "dry"}))).await.unwrap();
    assert!(
        dry["processed_sha256"].is_null() && !place.files().iter().any(|path| path.to_string_lossy().contains("dry"))
    );
}

#[tokio::test]
async fn what_cannot_be_prepared_is_refused_with_the_argument() {
    let place = Place::new();
    let made = place.call(TOOL, request(&place, json!({}))).await.unwrap();
    let files = place.files();
    let table = |name: &str, text: &str| json!({"dataset_s3_uri": place.file(name, text)});
    for (more, field) in [
        (json!({"variance_threshold": -1.0}), "variance_threshold"),
        (json!({"variance_threshold": 1.0, "preprocessor_uri": made["preprocessor_uri"]}), "variance_threshold"),
        (json!({"preprocessing_config": {}, "preprocessor_uri": made["preprocessor_uri"]}), "preprocessing_config"),
        (json!({"preprocessing_config": {"encoder": "target"}}), "preprocessing_config.encoder"),
        (json!({"preprocessing_config": {"drop_columns": ["kinds"]}}), "preprocessing_config.drop_columns"),
        (json!({"keep_columns": ["kinds"]}), "keep_columns"),
        (json!({"dataset_s3_uri": made["processed_s3_uri"]}), "dataset_s3_uri"),
        (json!({"dataset_s3_uri": "/nowhere.csv"}), "dataset_s3_uri"),
        (table("same.csv", "a,b\n1,x\n1,x\n1,x\n"), "dataset_s3_uri"),
        (table("none.csv", "a,b\n"), "dataset_s3_uri"),
        (json!({"preprocessor_uri": "/nowhere.json"}), "preprocessor_uri"),
    ] {
        let error = place.error(TOOL, request(&place, more.clone())).await;
        assert_eq!(error.field.as_deref(), Some(field), "{more}: {error}");
    }
    assert_eq!(place.files(), files, "nothing was written");
    let one = place.call(TOOL, request(&place, table("one.csv", "a,b\n1,2\n"))).await;
    assert!(one.is_err(), "one row is constant");
}
