//! `hyperparameter_optimization`.

use std::time::Duration;

use mlops_core::{Call, ErrorKind};
use serde_json::{Value, json};

use crate::place::{Place, numbers};

const TOOL: &str = "hyperparameter_optimization";

fn request(place: &Place, more: &Value) -> Value {
    let mut request = json!({
        "task": "classification", "algorithm": "decision_tree",
        "train_data_s3_uri": place.file("train.csv", numbers(90, 0)),
        "target_column": "kind", "run_id": "run", "cross_validation": {"folds": 3},
        "search_space": {"max_depth": {"int": [1, 8]}, "min_samples_leaf": {"log_int": [1, 30]}, "criterion": ["gini", "entropy"]},
        "max_trials": 8
    });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

#[tokio::test]
async fn the_best_of_all_trials_is_given_with_what_mattered() {
    let place = Place::new();
    let found = place.call(TOOL, request(&place, &json!({"hyperparameters": {"min_samples_split": 4}}))).await.unwrap();
    let values = found["trials"].as_array().unwrap().iter().map(|trial| trial["value"].as_f64().unwrap());
    let best = values.fold(f64::INFINITY, f64::min);
    assert_eq!(found["best_value"], best);
    assert_eq!((&found["trials_total"], &found["ended_by"]), (&json!(8), &json!("max_trials")));
    assert_eq!(found["best_hyperparameters"]["min_samples_split"], 4);
    assert_eq!(found["best_hyperparameters"]["max_depth"], found["best_params"]["max_depth"]);
    let shares = found["importance"].as_array().unwrap();
    let sum: f64 = shares.iter().map(|share| share["importance"].as_f64().unwrap()).sum();
    assert!(shares.len() == 3 && (sum - 1.0).abs() < 1e-9);
    let plot = found["convergence_plot_uri"].as_str().unwrap();
    assert!(plot.ends_with("models/run/search-search/convergence.svg"), "{plot}");
    assert_eq!(found["scored_on"], "cross_validation");
    assert_eq!(place.models().iter().filter(|path| path.ends_with("model.tar.gz")).count(), 0);
}

#[tokio::test]
async fn a_search_goes_on_and_runs_no_trial_twice() {
    let place = Place::new();
    let whole = place.call(TOOL, request(&place, &json!({"training_job_name": "whole"}))).await.unwrap();
    let first = place.call(TOOL, request(&place, &json!({"max_trials": 5}))).await.unwrap();
    assert_eq!((&first["trials_in_this_call"], &first["trials_total"]), (&json!(5), &json!(5)));
    let token = first["study_uri"].clone();
    let rest = place.call(TOOL, request(&place, &json!({"study_uri": token, "run_id": "another"}))).await.unwrap();
    assert_eq!((&rest["trials_in_this_call"], &rest["trials_total"]), (&json!(3), &json!(8)));
    assert_eq!(rest["trials"], whole["trials"]);
    let again = place.call(TOOL, request(&place, &json!({}))).await.unwrap();
    assert_eq!(again["trials_in_this_call"], 0);
    assert_eq!(again["best_params"], rest["best_params"]);
    let other = place.error(TOOL, request(&place, &json!({"seed": 7}))).await;
    assert_eq!((other.kind, other.field.as_deref()), (ErrorKind::Conflict, Some("training_job_name")));
}

#[tokio::test]
async fn a_call_that_is_cancelled_leaves_what_has_ended() {
    let mut place = Place::new();
    let stopper = Call::new("test");
    let cancellation = stopper.cancellation.clone();
    let stop_after = move |progress: mlops_core::Progress| {
        if progress.message.starts_with("3 of") {
            cancellation.cancel();
        }
    };
    place.call = stopper.reporting_to(stop_after);
    let error = place.error(TOOL, request(&place, &json!({}))).await;
    assert_eq!(error.kind, ErrorKind::TimedOut);
    place.call = Call::new("test");
    let rest = place.call(TOOL, request(&place, &json!({}))).await.unwrap();
    assert_eq!((&rest["trials_in_this_call"], &rest["trials_total"]), (&json!(5), &json!(8)));
    let whole = place.call(TOOL, request(&place, &json!({"training_job_name": "whole"}))).await.unwrap();
    assert_eq!(rest["trials"], whole["trials"]);
}

#[tokio::test]
async fn time_that_is_over_ends_a_search_with_what_it_has() {
    let mut place = Place::new();
    let warm = json!([{"params": {"max_depth": 3, "min_samples_leaf": 2, "criterion": "gini"}, "value": 0.5}]);
    let more = json!({"time_limit_seconds": 0, "warm_start": warm});
    let found = place.call(TOOL, request(&place, &more)).await.unwrap();
    assert_eq!((&found["ended_by"], &found["trials_total"]), (&json!("time_limit"), &json!(0)));
    assert_eq!((&found["best_value"], &found["trials"][0]["origin"]), (&json!(0.5), &json!("known")));
    let nothing =
        place.error(TOOL, request(&place, &json!({"time_limit_seconds": 0, "training_job_name": "none"}))).await;
    assert!(nothing.message.contains("no trial has ended"), "{nothing}");
    place.call = Call::new("test").within(Duration::ZERO);
    assert_eq!(place.error(TOOL, request(&place, &json!({}))).await.kind, ErrorKind::TimedOut);
}

#[tokio::test]
async fn trials_side_by_side_are_the_same_every_time() {
    let place = Place::new();
    let more = |name: &str| json!({"parallel": 3, "training_job_name": name, "pruner": {"kind": "median", "startup_trials": 3}});
    let one = place.call(TOOL, request(&place, &more("one"))).await.unwrap();
    let two = place.call(TOOL, request(&place, &more("two"))).await.unwrap();
    assert_eq!(one["trials"], two["trials"]);
    assert_eq!(one["trials"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn a_grid_ends_and_regression_has_its_own_metrics() {
    let place = Place::new();
    let more = json!({
        "task": "regression", "target_column": "size", "metric": "r2", "strategy": "grid", "grid_points": 2,
        "validation_data_s3_uri": place.file("validation.csv", numbers(40, 500)), "cross_validation": null,
        "train_data_s3_uri": place.file("numbers.csv", numbers(90, 0).replace("rose", "1").replace("iris", "2").replace("lily", "3")),
        "search_space": {"max_depth": {"int": [1, 8]}, "min_samples_leaf": [1, 5]}
    });
    let mut request = request(&place, &more);
    request["validation_data_s3_uri"] = json!(
        place.file("validation.csv", numbers(40, 500).replace("rose", "1").replace("iris", "2").replace("lily", "3"))
    );
    let found = place.call(TOOL, request).await.unwrap();
    assert_eq!((&found["ended_by"], &found["trials_total"]), (&json!("exhausted"), &json!(4)));
    assert_eq!((&found["direction"], &found["scored_on"]), (&json!("maximize"), &json!("validation")));
    assert_eq!(found["best_params"]["max_depth"], 8);
    assert!(found["best_value"].as_f64().unwrap() > 0.8);
}

#[tokio::test]
async fn what_cannot_be_searched_is_named() {
    let place = Place::new();
    let field = async |more: Value| {
        let error = place.error(TOOL, request(&place, &more)).await;
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{error}");
        error.field.unwrap_or_default()
    };
    assert_eq!(field(json!({"search_space": {"max_depth": {"int": [9, 3]}}})).await, "search_space.max_depth.int");
    assert_eq!(field(json!({"search_space": {"max_dept": {"int": [1, 3]}}})).await, "search_space.max_dept");
    assert_eq!(field(json!({"search_space": {"max_depth": {"int": [0, 3]}}})).await, "search_space.max_depth");
    assert_eq!(field(json!({"search_space": {"criterion": ["gini", "ginni"]}})).await, "search_space.criterion");
    assert_eq!(field(json!({"hyperparameters": {"max_depth": 3}})).await, "search_space.max_depth");
    assert_eq!(field(json!({"metric": "rmse"})).await, "metric");
    assert_eq!(field(json!({"direction": "maximize"})).await, "direction");
    assert_eq!(
        field(json!({"warm_start": [{"params": {"max_depth": 3}}]})).await,
        "warm_start[0].params.min_samples_leaf"
    );
    assert_eq!(field(json!({"cross_validation": {"folds": 60}})).await, "cross_validation.folds");
    assert_eq!(field(json!({"pruner": {"kind": "successive_halving", "factor": 1}})).await, "pruner.factor");
}
