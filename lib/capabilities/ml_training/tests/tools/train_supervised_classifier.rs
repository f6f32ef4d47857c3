//! `train_supervised_classifier`.

use mlops_algorithms::models::Model;
use mlops_artifacts::ReadOptions;
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{ErrorKind, Lang};
use serde_json::{Value, json};

use crate::place::{Place, colours, numbers};

const TOOL: &str = "train_supervised_classifier";

fn request(place: &Place, algorithm: &str) -> Value {
    json!({
        "algorithm": algorithm,
        "train_data_s3_uri": place.file("train.csv", numbers(120, 0)),
        "validation_data_s3_uri": place.file("validation.csv", numbers(60, 500)),
        "training_job_name": "flowers",
        "target_column": "kind",
        "run_id": "run",
    })
}

fn with(mut request: Value, name: &str, value: Value) -> Value {
    request[name] = value;
    request
}

#[tokio::test]
async fn every_algorithm_learns_and_is_scored() {
    let place = Place::new();
    for algorithm in ["random_forest", "decision_tree", "logistic_regression"] {
        let trained =
            place.call(TOOL, with(request(&place, algorithm), "training_job_name", json!(algorithm))).await.unwrap();
        let metrics = &trained["metrics"];
        for name in ["train_accuracy", "validation_accuracy", "train_f1_macro", "validation_f1_macro"] {
            let value = metrics[name].as_f64().unwrap();
            assert!((0.7..=1.0).contains(&value), "{algorithm} {name} {value}");
        }
        for name in ["train_loss", "validation_loss", "training_time_seconds"] {
            assert!(metrics[name].as_f64().unwrap() >= 0.0, "{algorithm} {name}");
        }
        assert_eq!(trained["classes"], json!(["iris", "lily", "rose"]));
        assert_eq!(trained["per_class"].as_array().unwrap().len(), 3);
        assert_eq!((&trained["train_rows"], &trained["validation_rows"]), (&json!(120), &json!(60)));
        let most_used = trained["feature_importance"][0]["feature"].as_str().unwrap();
        assert!(["length", "size"].contains(&most_used), "{algorithm}: {most_used}");
        assert_eq!(trained["best_iteration"], Value::Null);
        let loaded = place.model(&trained).await;
        assert_eq!(trained["model_sha256"], loaded.sha256);
        assert_eq!(loaded.card.algorithm, algorithm);
        assert_eq!(loaded.card.metrics["validation_accuracy"], metrics["validation_accuracy"].as_f64().unwrap());
        assert!(!loaded.card.metrics.contains_key("training_time_seconds"));
        assert_eq!(loaded.card.feature_importance.len(), 4);
        assert_eq!(loaded.card.signature.inputs.len(), 4);
    }
    assert_eq!(place.models().len(), 7, "a model and its ONNX for each, and the plot of the one learning curve");
}

#[tokio::test]
async fn the_others_learn_as_well_and_their_models_say_what_they_are() {
    let place = Place::new();
    for algorithm in
        ["extra_trees", "xgboost", "neural_network", "svm", "naive_bayes", "knn", "linear_discriminant_analysis"]
    {
        let trained = place.call(TOOL, request(&place, algorithm)).await.unwrap();
        let accuracy = trained["metrics"]["validation_accuracy"].as_f64().unwrap();
        assert!((0.7..=1.0).contains(&accuracy), "{algorithm}: {accuracy}");
        let loaded = place.model(&trained).await;
        assert_eq!((loaded.card.algorithm.as_str(), loaded.model.algorithm().as_str()), (algorithm, algorithm));
    }
}

#[tokio::test]
async fn a_model_travels_as_onnx_and_boosted_trees_as_xgboost_has_them() {
    let place = Place::new();
    let small = with(request(&place, "xgboost"), "hyperparameters", json!({"n_estimators": 5}));
    let trained = place.call(TOOL, small.clone()).await.unwrap();
    let exports = trained["exports"].as_array().unwrap();
    let formats = exports.iter().map(|export| export["format"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(formats, ["onnx", "xgboost_json"]);
    for export in exports {
        let uri = ArtifactUri::new(export["uri"].as_str().unwrap()).unwrap();
        let bytes = place.room.artifacts.read_bytes(&uri, 1 << 20).await.unwrap();
        assert_eq!(export["sha256"], sha256_hex(&bytes));
        assert_eq!((&export["bytes"], &export["left_out"]), (&json!(bytes.len()), &Value::Null));
    }
    let uri = ArtifactUri::new(exports[0]["uri"].as_str().unwrap()).unwrap();
    let onnx = place.room.artifacts.read_model(&uri).await.unwrap();
    let model = place.model(&trained).await;
    assert_eq!(onnx.card, model.card);
    let again = place.call(TOOL, small.clone()).await.unwrap();
    assert_eq!(again["exports"], trained["exports"], "the same bytes again");
    let dry = place.call(TOOL, with(small, "dry_run", json!(true))).await.unwrap();
    assert_eq!(dry["exports"], json!([]));
    let calibrated = with(request(&place, "xgboost"), "calibration", json!("platt"));
    let calibrated = with(calibrated, "hyperparameters", json!({"n_estimators": 5}));
    let calibrated = place.call(TOOL, calibrated).await.unwrap();
    let left_out = &calibrated["exports"][1];
    assert!(left_out["left_out"].as_str().unwrap().contains("no place for calibrated"), "{left_out}");
    assert_eq!(left_out["uri"], Value::Null);
}

#[tokio::test]
async fn probabilities_are_calibrated_without_the_validation_rows() {
    let place = Place::new();
    let forest = with(request(&place, "random_forest"), "hyperparameters", json!({"n_estimators": 15}));
    let plain = place.call(TOOL, forest.clone()).await.unwrap();
    assert_eq!(plain["calibration"], Value::Null);
    for method in ["platt", "isotonic", "temperature"] {
        let asked = with(with(forest.clone(), "calibration", json!(method)), "training_job_name", json!(method));
        let trained = place.call(TOOL, asked.clone()).await.unwrap();
        let told = &trained["calibration"];
        assert_eq!((&told["method"], &told["folds"]), (&json!(method), &json!(5)));
        let [before, after] = ["loss_before", "loss_after"].map(|name| told[name].as_f64().unwrap());
        // Platt stays away from 0 and 1 by the number of rows, and these are few.
        let most = if method == "platt" { 1.05 * before } else { before };
        assert!(after < most, "{method}: {before} to {after}");
        let model = place.model(&trained).await;
        let Model::Calibrated(calibrated) = &model.model else { panic!("not calibrated") };
        let Model::RandomForest(_) = calibrated.model() else { panic!("another model") };
        assert_eq!(model.card.algorithm, "random_forest");
        assert_eq!(model.card.metrics["validation_loss"], trained["metrics"]["validation_loss"].as_f64().unwrap());
        let without = with(asked.clone(), "validation_data_s3_uri", Value::Null);
        let without = place.call(TOOL, without).await.unwrap();
        assert_eq!(&without["calibration"], told, "{method} has not looked at the validation rows");
        assert_eq!(place.call(TOOL, asked).await.unwrap()["model_sha256"], trained["model_sha256"]);
    }
    let few = place.file("few.csv", numbers(9, 0));
    let few = with(with(forest, "calibration", json!("platt")), "train_data_s3_uri", json!(few));
    let error = place.error(TOOL, few).await;
    assert_eq!(error.field.as_deref(), Some("calibration"));
}

#[tokio::test]
async fn the_same_seed_and_bytes_give_the_same_model() {
    let place = Place::new();
    let small = with(request(&place, "random_forest"), "hyperparameters", json!({"n_estimators": 7}));
    let first = place.call(TOOL, small.clone()).await.unwrap();
    let model = || place.models().into_iter().find(|path| path.ends_with("model.tar.gz")).unwrap();
    let bytes = std::fs::read(model()).unwrap();
    let second = place.call(TOOL, small.clone()).await.unwrap();
    assert_eq!(first["model_sha256"], second["model_sha256"]);
    assert_eq!(bytes, std::fs::read(model()).unwrap());
    let other = place.call(TOOL, with(small.clone(), "seed", json!(7))).await.unwrap();
    assert_ne!(first["model_sha256"], other["model_sha256"]);
    let state = with(small, "hyperparameters", json!({"n_trees": 7, "random_state": 7}));
    let state = place.call(TOOL, state).await.unwrap();
    assert_eq!((&state["seed"], &state["hyperparameters"]["n_estimators"]), (&json!(7), &json!(7)));
    assert_eq!(state["metrics"]["validation_loss"], other["metrics"]["validation_loss"]);
}

#[tokio::test]
async fn weights_of_rows_and_classes_count() {
    let place = Place::new();
    let plain = place.call(TOOL, request(&place, "logistic_regression")).await.unwrap();
    let weighted = with(request(&place, "logistic_regression"), "sample_weight_column", json!("weight"));
    let weighted = place.call(TOOL, weighted).await.unwrap();
    assert_eq!((&plain["num_features"], &weighted["num_features"]), (&json!(4), &json!(3)));
    let classes = with(request(&place, "logistic_regression"), "class_weight", json!({"rose": 50.0}));
    let classes = place.call(TOOL, classes).await.unwrap();
    assert_eq!(classes["hyperparameters"]["class_weight"], json!({"rose": 50.0}));
    assert_ne!(classes["model_sha256"], plain["model_sha256"]);
    let balanced = with(request(&place, "decision_tree"), "class_weight", json!("balanced"));
    assert_eq!(place.call(TOOL, balanced).await.unwrap()["hyperparameters"]["class_weight"], "balanced");
}

#[tokio::test]
async fn folds_are_scored_beside_the_validation_rows() {
    let place = Place::new();
    let folds = with(request(&place, "decision_tree"), "cross_validation", json!({"folds": 4}));
    let trained = place.call(TOOL, folds.clone()).await.unwrap();
    let scores = &trained["cross_validation"]["scores"];
    let accuracy = scores["accuracy"]["mean"].as_f64().unwrap();
    assert!((0.6..=1.0).contains(&accuracy), "{scores}");
    assert_eq!(scores["f1_macro"]["folds"], 4);
    let again = place.call(TOOL, folds.clone()).await.unwrap();
    assert_eq!(again["cross_validation"], trained["cross_validation"]);
    let error = place.error(TOOL, with(folds, "cross_validation", json!({"folds": 90}))).await;
    assert_eq!(error.field.as_deref(), Some("cross_validation.folds"));
}

#[tokio::test]
async fn a_prepared_table_brings_target_and_preprocessor_with_it() {
    let place = Place::new();
    let [prepared, raw, preprocessor] = place.prepared().await;
    let request = json!({"algorithm": "decision_tree", "train_data_s3_uri": prepared, "training_job_name": "t"});
    let trained = place.call(TOOL, request.clone()).await.unwrap();
    assert_eq!(trained["target_column"], "kind");
    assert_eq!(trained["metrics"]["train_accuracy"], 1.0);
    let loaded = place.model(&trained).await;
    let inputs = &loaded.card.signature.inputs;
    let names = inputs.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["length", "colour"]);
    assert_eq!(inputs[1].categories.as_ref().unwrap().len(), 4);
    let raw_table = ArtifactUri::new(raw.clone()).unwrap();
    let raw_table = place.room.artifacts.read_table(&raw_table, &ReadOptions::default(), &place.call).await.unwrap();
    let input = loaded.input(&raw_table, None).unwrap();
    let predicted = loaded.model.predict(input.features.view()).unwrap();
    assert_eq!(Some(predicted), input.target, "the model takes raw columns");

    let from_raw = with(with(request.clone(), "train_data_s3_uri", json!(raw)), "target_column", json!("kind"));
    let from_raw = with(from_raw, "preprocessor_uri", json!(preprocessor));
    let from_raw = place.call(TOOL, from_raw).await.unwrap();
    assert_eq!(from_raw["num_features"], trained["num_features"]);
    assert_eq!(from_raw["preprocessor_sha256"], trained["preprocessor_sha256"]);

    let held_out = with(request, "validation_data_s3_uri", json!(place.file("held_out.csv", colours(40))));
    let held_out = place.call(TOOL, held_out).await.unwrap();
    assert_eq!(held_out["metrics"]["validation_accuracy"], 1.0);
}

#[tokio::test]
async fn a_class_that_training_has_not_seen_is_left_out_and_told() {
    let place = Place::new();
    let text = format!("{}1,1,1,tulip,1\n1,1,1,,1\n", numbers(30, 0));
    let validation = json!(place.file("more.csv", text));
    let trained =
        place.call(TOOL, with(request(&place, "decision_tree"), "validation_data_s3_uri", validation)).await.unwrap();
    assert_eq!(trained["validation_rows"], 30);
    let warnings = trained["warnings"].to_string();
    assert!(warnings.contains("1 validation rows of the class `tulip`"), "{warnings}");
    assert!(warnings.contains("1 validation rows were left out"), "{warnings}");
}

#[tokio::test]
async fn a_rehearsal_and_a_call_that_is_over_write_nothing() {
    let place = Place::new();
    let trained = place.call(TOOL, with(request(&place, "decision_tree"), "dry_run", json!(true))).await.unwrap();
    assert_eq!(trained["model_sha256"], Value::Null);
    assert!(trained["metrics"]["validation_accuracy"].is_number());
    place.call.cancellation.cancel();
    let error = place.error(TOOL, request(&place, "random_forest")).await;
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(place.models().is_empty());
}

#[tokio::test]
async fn a_call_that_is_cancelled_in_the_middle_of_a_forest_writes_nothing() {
    let mut place = Place::new();
    let cancellation = place.call.cancellation.clone();
    place.call = place.call.clone().reporting_to(move |progress| {
        if progress.total == Some(5000.0) {
            cancellation.cancel();
        }
    });
    let large = with(request(&place, "random_forest"), "hyperparameters", json!({"n_estimators": 5000}));
    let error = place.error(TOOL, large).await;
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(place.models().is_empty());
}

#[tokio::test]
async fn the_summary_names_the_score() {
    let mut place = Place::new();
    let entry = mlops_ml_training::tools::TOOLS.iter().find(|entry| entry.name == TOOL).unwrap();
    let outcome = (entry.run)(&place.room, &place.call, request(&place, "decision_tree")).await.unwrap();
    assert!(outcome.summary.starts_with("Decision tree classifier trained in"), "{}", outcome.summary);
    assert_eq!(outcome.artifacts.len(), 2, "the model and its ONNX");
    place.call = place.call.clone().in_lang(Lang::Ja);
    let outcome = (entry.run)(&place.room, &place.call, request(&place, "decision_tree")).await.unwrap();
    assert!(outcome.summary.contains("分類モデルの学習が"), "{}", outcome.summary);
}
