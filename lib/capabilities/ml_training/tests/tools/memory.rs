//! What a training takes is said before it begins, and refused where it has no room.

use std::sync::{Arc, Mutex};

use mlops_core::ErrorKind;
use mlops_core::ports::Memory;
use serde_json::{Value, json};

use crate::place::{Place, numbers};

/// So many free bytes.
struct Free(u64);

impl Memory for Free {
    fn free(&self) -> Option<u64> {
        Some(self.0)
    }
}

fn forest(place: &Place) -> Value {
    json!({"algorithm": "random_forest", "train_data_s3_uri": place.file("train.csv", numbers(60, 0)),
        "training_job_name": "job", "target_column": "kind"})
}

/// Rows of two numbers.
fn points() -> String {
    let rows = (0..60).map(|row| format!("{},{}\n", row % 3 * 5, row * 7 % 11));
    std::iter::once("length,width\n".to_owned()).chain(rows).collect()
}

#[tokio::test]
async fn what_has_no_room_is_refused_before_it_begins() {
    let mut place = Place::new();
    let arguments = forest(&place);
    for (free, field) in [(100, "train_data_s3_uri"), (10_000, "hyperparameters")] {
        place.call.memory = Arc::new(Free(free));
        let error = place.error("train_supervised_classifier", arguments.clone()).await;
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{error}");
        assert!(error.message.contains("1 MB are free") && error.hint.is_some(), "{error}");
    }
    let rows = place.file("rows.csv", points());
    let structures = [
        ("train_unsupervised_clustering", json!({"algorithm": "kmeans", "train_data_s3_uri": rows})),
        ("train_unsupervised_dimensionality_reduction", json!({"algorithm": "umap", "train_data_s3_uri": rows})),
    ];
    for (tool, arguments) in structures {
        for (free, field) in [(100, "train_data_s3_uri"), (10_000, "hyperparameters")] {
            place.call.memory = Arc::new(Free(free));
            let error = place.error(tool, arguments.clone()).await;
            assert_eq!(error.field.as_deref(), Some(field), "{error}");
        }
    }
    assert!(place.models().is_empty());
}

#[tokio::test]
async fn a_search_needs_room_for_the_trials_that_run_at_once() {
    let mut place = Place::new();
    let train = place.file("train.csv", numbers(60, 0));
    let search = json!({"algorithm": "random_forest", "task": "classification", "train_data_s3_uri": train,
        "target_column": "kind", "run_id": "run", "max_trials": 4, "parallel": 4, "cross_validation": {"folds": 2},
        "search_space": {"max_depth": {"int": [1, 4]}}});
    place.call.memory = Arc::new(Free(1 << 40));
    let found = place.call("hyperparameter_optimization", search.clone()).await.unwrap();
    assert_eq!(found["trials_total"], 4);
    place.call.memory = Arc::new(Free(200_000));
    let error = place.error("hyperparameter_optimization", search).await;
    assert_eq!(error.field.as_deref(), Some("hyperparameters"), "{error}");
}

#[tokio::test]
async fn the_estimate_is_told_before_and_with_the_model() {
    let mut place = Place::new();
    let arguments = forest(&place);
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    place.call = place.call.reporting_to(move |progress| keep.lock().unwrap().push(progress.message));
    let trained = place.call("train_supervised_classifier", arguments).await.unwrap();
    let first = told.lock().unwrap()[0].clone();
    assert!(first.starts_with("fitting random_forest to 60 rows × ") && first.contains("about "), "{first}");
    let estimate = &trained["estimate"];
    assert!(estimate["training_time_seconds"].as_f64().unwrap() > 0.0, "{estimate}");
    assert!(estimate["memory_bytes"].as_u64().unwrap() > 10_000, "{estimate}");
    let rows = place.file("rows.csv", points());
    let clustering = json!({"algorithm": "kmeans", "train_data_s3_uri": rows});
    let clustered = place.call("train_unsupervised_clustering", clustering).await.unwrap();
    let first = told.lock().unwrap().iter().find(|message| message.contains("kmeans")).cloned().unwrap();
    assert!(first.starts_with("fitting kmeans with 9 numbers of clusters to 60 rows × "), "{first}");
    assert!(clustered["estimate"]["training_time_seconds"].as_f64().unwrap() > 0.0, "{clustered}");
}
