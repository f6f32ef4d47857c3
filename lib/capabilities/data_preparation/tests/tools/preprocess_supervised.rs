//! `preprocess_supervised`.

use mlops_core::ErrorKind;
use serde_json::{Value, json};

use crate::place::{Place, flowers, read};

async fn split(place: &Place) -> Value {
    let path = place.file("flowers.csv", flowers(60));
    place.call("split_dataset", json!({"uri": path, "target_column": "kind", "run_id": "run"})).await.unwrap()
}

fn request(uri: &Value) -> Value {
    json!({"dataset_s3_uri": uri, "target_column": "kind", "task_type": "classification", "run_id": "run"})
}

fn with(mut request: Value, name: &str, value: Value) -> Value {
    request[name] = value;
    request
}

#[tokio::test]
async fn what_is_fitted_to_training_rows_is_applied_to_the_others() {
    let place = Place::new();
    let split = split(&place).await;
    let fit = with(request(&split["train_uri"]), "format", json!("csv"));
    let train = place.call("preprocess_supervised", fit).await.unwrap();
    assert_eq!((&train["fit_scope"], &train["split_role"]), (&json!("train"), &json!("train")));
    assert_eq!(train["metadata"]["num_samples"], 42);
    assert_eq!(train["metadata"]["num_features"], 6);
    assert_eq!(train["metadata"]["target_distribution"], json!({"iris": 14, "lily": 14, "rose": 14}));
    let names = ["length", "width", "colour=blue", "colour=red", "colour=white", "colour=<other>"];
    assert_eq!(train["feature_names"], json!(names));
    assert!(train["imputed"]["length"].as_u64().unwrap() > 0);
    let table = String::from_utf8(read(&train["processed_s3_uri"])).unwrap();
    assert!(table.lines().next().unwrap().ends_with(",kind"), "{table}");
    let manifest = json!(format!("{}.manifest.json", train["processed_s3_uri"].as_str().unwrap()));
    let manifest: Value = serde_json::from_slice(&read(&manifest)).unwrap();
    assert_eq!(manifest["preprocessor_sha256"], train["preprocessor_sha256"]);
    assert_eq!(manifest["classes"], json!(["iris", "lily", "rose"]));
    assert_eq!(manifest["data_sha256"], train["processed_sha256"]);

    let apply = with(request(&split["test_uri"]), "preprocessor_uri", train["preprocessor_uri"].clone());
    let test = place.call("preprocess_supervised", apply).await.unwrap();
    assert_eq!((&test["fit_scope"], &test["split_role"]), (&json!("applied"), &json!("test")));
    assert_eq!(test["preprocessor_sha256"], train["preprocessor_sha256"]);
    assert_eq!(test["feature_names"], train["feature_names"]);
    assert_ne!(test["processed_s3_uri"], train["processed_s3_uri"]);
}

#[tokio::test]
async fn nothing_is_learnt_from_validation_and_test_rows() {
    let place = Place::new();
    let split = split(&place).await;
    let files = place.files();
    for part in ["validation_uri", "test_uri"] {
        let error = place.error("preprocess_supervised", request(&split[part])).await;
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("preprocessor_uri")));
    }
    let claims = with(request(&split["test_uri"]), "split_role", json!("train"));
    assert_eq!(place.error("preprocess_supervised", claims).await.field.as_deref(), Some("split_role"));
    assert_eq!(place.files(), files);
}

#[tokio::test]
async fn a_category_that_training_has_not_seen_is_counted() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let fitted = place.call("preprocess_supervised", request(&json!(path))).await.unwrap();
    assert_eq!(fitted["fit_scope"], "full");
    let other =
        place.file("other.csv", "kind,length,width,colour,extra\nrose,inf,3,green,1\niris,2,,red,2\n,1,1,red,3\n");
    let apply = with(request(&json!(other)), "preprocessor_uri", fitted["preprocessor_uri"].clone());
    let applied = place.call("preprocess_supervised", apply).await.unwrap();
    assert_eq!(applied["unseen"], json!({"colour": 1}));
    assert_eq!(applied["infinite_as_missing"], json!({"length": 1}));
    assert_eq!((&applied["dropped_rows"], &applied["rows_without_target"]), (&json!(1), &json!(1)));
    assert_eq!(applied["ignored_columns"], json!(["extra"]));
    assert_eq!(applied["metadata"]["target_distribution"], json!({"iris": 1, "rose": 1}));
}

#[tokio::test]
async fn a_target_of_numbers_has_quantiles() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let arguments = json!({"dataset_s3_uri": path, "target_column": "length", "task_type": "regression",
        "preprocessing_config": {"normalize": false, "handle_missing": "drop", "encode_categorical": false}});
    let result = place.call("preprocess_supervised", arguments).await.unwrap();
    let quantiles = &result["metadata"]["target_distribution"];
    let at = |name: &str| quantiles[name].as_f64().unwrap();
    assert!(at("min") <= at("q25") && at("q25") <= at("median") && at("median") <= at("max"), "{quantiles}");
    assert_eq!(at("min"), 1.0);
    assert_eq!(result["rows_without_target"], 6);
    assert_eq!(result["feature_names"], json!(["width"]));
    assert_eq!(result["dropped_columns"][0]["reason"], "text");
}

#[tokio::test]
async fn kept_columns_are_carried_along() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let keep = with(with(request(&json!(path)), "keep_columns", json!(["width"])), "format", json!("csv"));
    let result = place.call("preprocess_supervised", keep.clone()).await.unwrap();
    assert!(!result["feature_names"].to_string().contains("width"));
    let table = String::from_utf8(read(&result["processed_s3_uri"])).unwrap();
    assert!(table.lines().next().unwrap().ends_with(",width,kind"));
    assert!(table.lines().nth(2).unwrap().ends_with(",13,iris"), "{table}");
    for (names, field) in [
        (json!(["kind"]), "keep_columns"),
        (json!(["nothing"]), "keep_columns"),
        (json!(["width", "width"]), "keep_columns"),
    ] {
        let error = place.error("preprocess_supervised", with(keep.clone(), "keep_columns", names)).await;
        assert_eq!(error.field.as_deref(), Some(field));
    }
}

#[tokio::test]
async fn the_same_call_gives_the_same_bytes() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let target = json!({"encoder": "target"});
    let arguments = json!({"dataset_s3_uri": path, "target_column": "kind", "task_type": "classification", "preprocessing_config": target});
    let first = place.call("preprocess_supervised", arguments.clone()).await.unwrap();
    let bytes = read(&first["processed_s3_uri"]);
    let second = place.call("preprocess_supervised", arguments).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(bytes, read(&second["processed_s3_uri"]));
}

#[tokio::test]
async fn what_cannot_be_prepared_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let flowers_path = json!(place.file("flowers.csv", flowers(60)));
    let table = |text: &str, name: &str| json!(place.file(name, text));
    let good = request(&flowers_path);
    let regression = |uri: &Value| with(request(uri), "task_type", json!("regression"));
    let no_preprocessor = json!(place.file("not.json", "{}"));
    for (arguments, field) in [
        (with(good.clone(), "target_column", json!("kinds")), "target_column"),
        (request(&table("a,kind\n1,x\n2,x\n", "one.csv")), "target_column"),
        (request(&table("a,kind\n1,\n2,\n", "none.csv")), "target_column"),
        (regression(&table("a,kind\n1,inf\n2,1\n", "infinite.csv")), "target_column"),
        (regression(&flowers_path), "target_column"),
        (request(&table("kind\nx\ny\n", "alone.csv")), "dataset_s3_uri"),
        (request(&table("a=b,a,kind\n1,b,x\n2,c,y\n", "fine.csv")), "nothing"),
        (request(&table("b,c,kind\n1,1,x\n1,1,y\n", "constant.csv")), "dataset_s3_uri"),
        (
            with(good.clone(), "preprocessing_config", json!({"drop_columns": ["colours"]})),
            "preprocessing_config.drop_columns",
        ),
        (
            with(good.clone(), "preprocessing_config", json!({"handle_missing": "medien"})),
            "preprocessing_config.handle_missing",
        ),
        (with(good.clone(), "preprocessor_uri", no_preprocessor), "preprocessor_uri"),
        (with(good.clone(), "preprocessor_uri", json!("/nowhere.json")), "preprocessor_uri"),
        (with(with(good, "preprocessor_uri", json!("x")), "preprocessing_config", json!({})), "preprocessing_config"),
    ] {
        let outcome = place.call("preprocess_supervised", with(arguments.clone(), "dry_run", json!(true))).await;
        match outcome {
            Ok(_) => assert_eq!(field, "nothing", "{arguments}"),
            Err(error) => assert_eq!(error.field.as_deref(), Some(field), "{arguments}: {error}"),
        }
    }
    assert!(place.files().is_empty());
}

#[tokio::test]
async fn a_processed_table_is_not_processed_again() {
    let place = Place::new();
    let split = split(&place).await;
    let train = place.call("preprocess_supervised", request(&split["train_uri"])).await.unwrap();
    let error = place.error("preprocess_supervised", request(&train["processed_s3_uri"])).await;
    assert!(error.message.contains("preprocessed already"), "{error}");
}

#[tokio::test]
async fn a_class_called_na_and_a_lone_target_are_explained() {
    let place = Place::new();
    let path = place.file("na.csv", "x,kind\n1,NA\n2,yes\n3,NA\n4,yes\n");
    let arguments = json!({"dataset_s3_uri": path, "target_column": "kind", "task_type": "classification"});
    let error = place.error("preprocess_supervised", arguments).await;
    assert!(error.message.contains("only one class, 'yes'"), "{error}");
    assert!(error.message.contains("2 more rows have no value"), "{error}");
    assert!(error.hint.unwrap().contains("`NA`"));
    let path = place.file("alone.csv", "kind\nyes\nno\nyes\n");
    let arguments = json!({"dataset_s3_uri": path, "target_column": "kind", "task_type": "classification"});
    let error = place.error("preprocess_supervised", arguments).await;
    assert!(error.message.contains("no column besides the target (3 rows)"), "{error}");
}
