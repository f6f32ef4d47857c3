//! `train_supervised_regressor`.

use mlops_core::Lang;
use mlops_ml_training::tools::TOOLS;
use serde_json::{Value, json};

use crate::place::{Place, numbers};

const TOOL: &str = "train_supervised_regressor";

fn request(place: &Place, algorithm: &str) -> Value {
    let table = |rows, offset| numbers(rows, offset).replace("rose", "1").replace("iris", "2").replace("lily", "3");
    json!({
        "algorithm": algorithm,
        "train_data_s3_uri": place.file("train.csv", table(120, 0)),
        "validation_data_s3_uri": place.file("validation.csv", table(60, 500)),
        "training_job_name": algorithm,
        "target_column": "size",
    })
}

#[tokio::test]
async fn every_algorithm_learns_and_is_scored() {
    let place = Place::new();
    for algorithm in ["random_forest", "decision_tree", "linear_regression"] {
        let trained = place.call(TOOL, request(&place, algorithm)).await.unwrap();
        let metrics = &trained["metrics"];
        let at = |name: &str| metrics[name].as_f64().unwrap();
        assert!(at("validation_r2") > 0.9 && at("train_r2") > 0.9, "{algorithm} {metrics}");
        assert!(at("validation_mae") <= at("validation_rmse"), "{algorithm} {metrics}");
        assert!(at("validation_mape") < 0.1 && at("train_mape") < 0.1, "{algorithm} {metrics}");
        assert!(at("train_rmse") >= at("train_mae") && at("training_time_seconds") > 0.0);
        let loaded = place.model(&trained).await;
        assert_eq!(loaded.card.classes, None);
        assert_eq!(loaded.card.target_column, "size");
        assert_eq!(loaded.card.metrics["validation_rmse"], at("validation_rmse"));
    }
    let linear = place.call(TOOL, request(&place, "linear_regression")).await.unwrap();
    assert!(linear["metrics"]["validation_rmse"].as_f64().unwrap() < 0.05, "{}", linear["metrics"]);
}

#[tokio::test]
async fn the_others_learn_as_well_and_their_models_say_what_they_are() {
    let place = Place::new();
    for algorithm in ["extra_trees", "xgboost", "neural_network", "ridge", "lasso", "elastic_net", "svm", "knn"] {
        let trained = place.call(TOOL, request(&place, algorithm)).await.unwrap();
        let r2 = trained["metrics"]["validation_r2"].as_f64().unwrap();
        assert!((0.5..=1.0).contains(&r2), "{algorithm}: {r2}");
        let loaded = place.model(&trained).await;
        assert_eq!((loaded.card.algorithm.as_str(), loaded.model.algorithm().as_str()), (algorithm, algorithm));
    }
}

#[tokio::test]
async fn the_same_seed_and_bytes_give_the_same_model() {
    let place = Place::new();
    for algorithm in ["random_forest", "linear_regression"] {
        let first = place.call(TOOL, request(&place, algorithm)).await.unwrap();
        let second = place.call(TOOL, request(&place, algorithm)).await.unwrap();
        assert_eq!(
            (&first["model_sha256"], &first["model_s3_uri"]),
            (&second["model_sha256"], &second["model_s3_uri"])
        );
    }
}

#[tokio::test]
async fn folds_and_rows_out_of_bag_are_scored_on_request() {
    let place = Place::new();
    let mut asked = request(&place, "random_forest");
    asked["hyperparameters"] = json!({"n_estimators": 30, "oob_score": true});
    asked["cross_validation"] = json!({"folds": 3});
    let trained = place.call(TOOL, asked).await.unwrap();
    assert!(trained["out_of_bag_score"].as_f64().unwrap() > 0.8);
    assert!(trained["cross_validation"]["scores"]["rmse"]["std"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn a_metric_that_is_not_defined_is_null() {
    let place = Place::new();
    let mut asked = request(&place, "decision_tree");
    asked["validation_data_s3_uri"] = json!(place.file("zero.csv", "length,width,weight,kind,size\n1,1,1,1,0\n"));
    let trained = place.call(TOOL, asked).await.unwrap();
    assert_eq!(
        (&trained["metrics"]["validation_r2"], &trained["metrics"]["validation_mape"]),
        (&Value::Null, &Value::Null)
    );
    assert!(trained["metrics"]["validation_rmse"].is_number());
}

#[tokio::test]
async fn the_summary_names_the_error_in_the_language_of_the_call() {
    let place = Place::new();
    let entry = TOOLS.iter().find(|entry| entry.name == TOOL).unwrap();
    for (lang, words) in [(Lang::En, "validation RMSE"), (Lang::Ja, "回帰モデルの学習が")] {
        let call = place.call.clone().in_lang(lang);
        let outcome = (entry.run)(&place.room, &call, request(&place, "linear_regression")).await.unwrap();
        assert!(outcome.summary.contains(words), "{}", outcome.summary);
        assert_eq!(outcome.artifacts[0].mime_type, "application/gzip");
    }
}
