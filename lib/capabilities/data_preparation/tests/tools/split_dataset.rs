//! `split_dataset`.

use mlops_core::{ErrorKind, Lang};
use serde_json::{Value, json};

use crate::place::{Place, flowers, read};

#[tokio::test]
async fn a_target_of_classes_is_split_by_class() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let split = place.call("split_dataset", json!({"uri": path, "target_column": "kind"})).await.unwrap();
    assert_eq!(split["strategy"], "stratified");
    assert_eq!(split["counts"], json!({"train": 42, "validation": 9, "test": 9}));
    assert_eq!(split["distributions"]["test"]["counts"], json!({"iris": 3, "lily": 3, "rose": 3}));
    assert_eq!(split["overlapping_rows"], 0);
    let train = String::from_utf8(read(&split["train_uri"])).unwrap();
    assert!(train.starts_with("length,width,colour,kind\n"));
    assert_eq!(train.lines().count(), 43);
    let manifest = json!(format!("{}.manifest.json", split["validation_uri"].as_str().unwrap()));
    let manifest: Value = serde_json::from_slice(&read(&manifest)).unwrap();
    assert_eq!((&manifest["split_role"], &manifest["target_column"]), (&json!("validation"), &json!("kind")));
    assert_eq!(manifest["data_sha256"], split["sha256"]["validation"]);
    assert_eq!(manifest["source_sha256"], split["source_sha256"]);
}

#[tokio::test]
async fn a_repeated_call_writes_the_same_bytes_to_the_same_place() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let arguments = json!({"dataset_s3_uri": path, "target_column": "kind", "format": "parquet"});
    let first = place.call("split_dataset", arguments.clone()).await.unwrap();
    let (files, bytes) = (place.files(), read(&first["train_uri"]));
    let second = place.call("split_dataset", arguments).await.unwrap();
    assert_eq!(first, second);
    assert_eq!((files, bytes), (place.files(), read(&second["train_uri"])));
    let other = json!({"dataset_s3_uri": path, "target_column": "kind", "format": "parquet", "seed": 7});
    let other = place.call("split_dataset", other).await.unwrap();
    assert_ne!(other["manifest_sha256"], first["manifest_sha256"]);
    assert_ne!(other["train_uri"], first["train_uri"]);
}

#[tokio::test]
async fn groups_stay_whole_and_time_stays_in_order() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let arguments = json!({"dataset_s3_uri": path, "strategy": "group", "key": "width", "validation": 0, "test": 0.3});
    let split = place.call("split_dataset", arguments).await.unwrap();
    assert_eq!((&split["shared_groups"], &split["validation_uri"]), (&json!(0), &Value::Null));
    assert_eq!(split["distributions"], Value::Null);
    let dates = (0..20).fold("day,y\n".to_owned(), |text, day| format!("{text}2024-01-{:02},{day}\n", 20 - day));
    let path = place.file("days.csv", dates);
    let split =
        place.call("split_dataset", json!({"uri": path, "strategy": "time", "key_column": "day"})).await.unwrap();
    let test = String::from_utf8(read(&split["test_uri"])).unwrap();
    assert!(test.contains("2024-01-20") && !test.contains("2024-01-01"), "{test}");
}

#[tokio::test]
async fn a_rehearsal_writes_nothing() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let split = place.call("split_dataset", json!({"uri": path, "dry_run": true})).await.unwrap();
    assert_eq!((&split["dry_run"], &split["manifest_sha256"]), (&json!(true), &Value::Null));
    assert!(place.files().is_empty());
}

#[tokio::test]
async fn what_cannot_be_split_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let two = place.file("two.csv", "a,y\n1,2\n3,4\n");
    for (arguments, field) in [
        (json!({"uri": path, "train": 0.5}), "train"),
        (json!({"uri": path, "train": 1.5}), "train"),
        (json!({"uri": path, "target_column": "kin"}), "target_column"),
        (json!({"uri": path, "strategy": "stratified"}), "target_column"),
        (json!({"uri": path, "strategy": "group"}), "key_column"),
        (json!({"uri": path, "strategy": "group", "key": "colors"}), "key_column"),
        (json!({"uri": path, "strategy": "stratifed"}), "strategy"),
        (json!({"uri": two}), "dataset_s3_uri"),
        (json!({"uri": path, "run_id": "../../up"}), "run_id"),
        (json!({"uri": path, "train": 0, "test": 0.85}), "train"),
    ] {
        let error = place.error("split_dataset", arguments.clone()).await;
        assert_eq!(
            (error.kind, error.field.as_deref()),
            (ErrorKind::InvalidInput, Some(field)),
            "{arguments}: {error}"
        );
    }
    assert!(place.files().is_empty());
}

#[tokio::test]
async fn a_call_that_is_over_writes_nothing() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    place.call.cancellation.cancel();
    let error = place.error("split_dataset", json!({"uri": path})).await;
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(place.files().is_empty());
}

#[tokio::test]
async fn the_summary_is_in_the_language_of_the_call() {
    let mut place = Place::new();
    place.call = place.call.clone().in_lang(Lang::Ja);
    let path = place.file("flowers.csv", flowers(60));
    let entry = mlops_data_preparation::tools::TOOLS.iter().find(|entry| entry.name == "split_dataset").unwrap();
    let outcome = (entry.run)(&place.room, &place.call, json!({"uri": path})).await.unwrap();
    assert_eq!(outcome.summary, "学習 42 行、検証 9 行、テスト 9 行に分割しました");
    assert_eq!(outcome.artifacts.len(), 4);
}

#[tokio::test]
async fn a_part_of_a_preprocessed_table_stays_preprocessed_and_warns() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let arguments = json!({"dataset_s3_uri": path, "target_column": "kind", "task_type": "classification"});
    let whole = place.call("preprocess_supervised", arguments).await.unwrap();
    let split = place.call("split_dataset", json!({"uri": whole["processed_s3_uri"]})).await.unwrap();
    assert!(split["warnings"].to_string().contains("preprocessed before the split"), "{split:#}");
    let manifest = json!(format!("{}.manifest.json", split["train_uri"].as_str().unwrap()));
    let manifest: Value = serde_json::from_slice(&read(&manifest)).unwrap();
    assert_eq!(manifest["preprocessor_sha256"], whole["preprocessor_sha256"]);
    assert_eq!(manifest["target_column"], "kind");
}

#[tokio::test]
async fn the_task_makes_every_value_a_class() {
    let place = Place::new();
    let rows = (0..300).map(|row| format!("{},{}", row * 7 % 101, row % 30)).collect::<Vec<_>>().join("\n");
    let path = place.file("labels.csv", format!("x,label\n{rows}"));
    let arguments = json!({"uri": path, "target_column": "label", "task_type": "classification"});
    let split = place.call("split_dataset", arguments).await.unwrap();
    assert_eq!((&split["strategy"], &split["stratified_by"]["kind"]), (&json!("stratified"), &json!("classes")));
    assert_eq!(split["stratified_by"]["count"], 30);
    assert_eq!(split["distributions"]["train"]["counts"]["29"], 7);
    let arguments = json!({"uri": path, "target_column": "label", "task_type": "regression"});
    let split = place.call("split_dataset", arguments).await.unwrap();
    assert_eq!(split["strategy"], "random");
}

#[tokio::test]
async fn long_ids_keep_their_digits_and_their_groups() {
    let place = Place::new();
    let id = |row: u64| 9_007_199_254_740_993 + row / 2;
    let rows = (0..60).map(|row| format!("{},{row}", id(row))).collect::<Vec<_>>().join("\n");
    let path = place.file("ids.csv", format!("id,x\n{rows}"));
    for format in ["csv", "jsonl", "parquet"] {
        let arguments = json!({"uri": path, "strategy": "group", "key_column": "id", "format": format});
        let split = place.call("split_dataset", arguments).await.unwrap();
        assert_eq!((&split["shared_groups"], &split["counts"]["train"]), (&json!(0), &json!(42)));
        let arguments = json!({"uri": split["train_uri"]});
        let loaded = place.call("load_dataset", arguments).await.unwrap();
        assert_eq!(loaded["schema"][0]["type"], "text", "{}", loaded["schema"]);
        assert_eq!(loaded["num_rows"], 42);
    }
}
