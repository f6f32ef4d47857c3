//! The learning curves of trained models, and the default spaces of searches.

use serde_json::{Value, json};

use crate::place::{Place, numbers};

fn request(place: &Place, algorithm: &str, hyperparameters: &Value) -> Value {
    let table = |rows, offset| numbers(rows, offset).replace("rose", "1").replace("iris", "2").replace("lily", "3");
    json!({
        "algorithm": algorithm, "hyperparameters": hyperparameters, "target_column": "size", "run_id": "run",
        "train_data_s3_uri": place.file("train.csv", table(120, 0)),
        "validation_data_s3_uri": place.file("validation.csv", table(60, 500)), "training_job_name": algorithm,
    })
}

#[tokio::test]
async fn boosted_trees_and_networks_have_a_curve_of_at_most_a_hundred_points_and_a_plot() {
    let place = Place::new();
    for (algorithm, hyperparameters, loss) in [
        ("xgboost", json!({"n_estimators": 250, "max_depth": 2}), "rmse"),
        ("neural_network", json!({"max_iter": 30, "hidden_layer_sizes": [8]}), "half squared error"),
    ] {
        let tool = "train_supervised_regressor";
        let trained = place.call(tool, request(&place, algorithm, &hyperparameters)).await.unwrap();
        let curve = &trained["learning_curve"];
        assert!(curve["loss"].as_str().unwrap().contains(loss), "{curve}");
        let points = curve["points"].as_array().unwrap();
        assert!((20..=100).contains(&points.len()), "{}", points.len());
        assert_eq!(
            (&points[0]["iteration"], &points[points.len() - 1]["iteration"]),
            (&json!(1), &trained["iterations"])
        );
        assert!(points.iter().all(|point| point["train"].is_number() && point["validation"].is_number()), "{curve}");
        let least = points.iter().find(|point| point["iteration"] == curve["least_at"]).unwrap();
        let value = |point: &Value| point["validation"].as_f64().unwrap();
        assert!(points.iter().all(|point| value(point) >= value(least)));
        assert!(["ok", "plateau"].contains(&curve["diagnosis"].as_str().unwrap()), "{curve}");
        let plot = curve["plot_uri"].as_str().unwrap();
        assert!(plot.ends_with(&format!("models/run/{algorithm}/learning_curve.svg")), "{plot}");
        let plot = std::fs::read_to_string(plot.trim_start_matches("file://")).unwrap();
        assert_eq!(plot.matches("<polyline").count(), 2);
    }
}

#[tokio::test]
async fn labels_by_chance_are_learnt_by_heart_and_early_stopping_helps() {
    let place = Place::new();
    let table = |rows: usize, factor: usize| {
        let row = |row: usize| {
            let class = if (row * row * factor % 101).is_multiple_of(2) { "a" } else { "b" };
            format!("{},{},{class}\n", row * 37 % 61, row * 13 % 43)
        };
        format!("x,y,kind\n{}", (0..rows).map(row).collect::<String>())
    };
    let mut asked = json!({
        "algorithm": "xgboost", "hyperparameters": {"n_estimators": 150}, "target_column": "kind", "run_id": "run",
        "train_data_s3_uri": place.file("train.csv", table(150, 7)), "training_job_name": "by-heart",
        "validation_data_s3_uri": place.file("validation.csv", table(90, 23)),
    });
    let tool = "train_supervised_classifier";
    let by_heart = place.call(tool, asked.clone()).await.unwrap();
    assert_eq!(by_heart["learning_curve"]["diagnosis"], "overfitting", "{}", by_heart["learning_curve"]);
    assert!(by_heart["learning_curve"]["explanation"].as_str().unwrap().contains("stop early"));
    asked["hyperparameters"]["early_stopping_rounds"] = json!(10);
    asked["dry_run"] = json!(true);
    let stopped = place.call(tool, asked).await.unwrap();
    assert_eq!(stopped["learning_curve"]["diagnosis"], "ok", "{}", stopped["learning_curve"]);
    assert_eq!(stopped["learning_curve"]["least_at"], stopped["best_iteration"]);
    assert_eq!(stopped["learning_curve"]["plot_uri"], Value::Null);
}

#[tokio::test]
async fn logistic_regression_keeps_its_losses_and_a_forest_has_none() {
    let place = Place::new();
    let asked = |algorithm: &str, penalty: &str| {
        json!({
            "algorithm": algorithm, "target_column": "kind", "run_id": "run", "training_job_name": "job",
            "train_data_s3_uri": place.file("train.csv", numbers(120, 0)),
            "hyperparameters": if penalty.is_empty() { json!({}) } else { json!({"penalty": penalty}) },
        })
    };
    let tool = "train_supervised_classifier";
    for penalty in ["l2", "l1"] {
        let trained = place.call(tool, asked("logistic_regression", penalty)).await.unwrap();
        let points = trained["learning_curve"]["points"].as_array().unwrap();
        assert_eq!(points[points.len() - 1]["iteration"], trained["iterations"], "{penalty}");
        let losses = points.iter().map(|point| point["train"].as_f64().unwrap()).collect::<Vec<_>>();
        assert!(losses.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12), "{penalty}: {losses:?}");
        // The last loss is the mean log loss plus the penalty, which is above 0.
        let loss = trained["metrics"]["train_loss"].as_f64().unwrap();
        assert!(losses[losses.len() - 1] > loss, "{penalty}: {losses:?} {loss}");
        assert_eq!(trained["learning_curve"]["diagnosis"], "ok", "{}", trained["learning_curve"]);
    }
    let forest = place.call(tool, asked("random_forest", "")).await.unwrap();
    assert_eq!(forest["learning_curve"], Value::Null);
}

#[tokio::test]
async fn a_search_without_a_space_takes_the_algorithm_s_own_and_begins_near_its_defaults() {
    let place = Place::new();
    let asked = |algorithm: &str, more: &Value| {
        let mut asked = json!({
            "task": "classification", "algorithm": algorithm, "target_column": "kind", "run_id": "run",
            "train_data_s3_uri": place.file("train.csv", numbers(90, 0)), "cross_validation": {"folds": 3},
            "max_trials": 3, "training_job_name": algorithm,
        });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    let tool = "hyperparameter_optimization";
    let fixed = json!({"hyperparameters": {"min_samples_leaf": 2}});
    let found = place.call(tool, asked("decision_tree", &fixed)).await.unwrap();
    assert!(found["search_space"].as_object().unwrap().keys().eq(["max_depth", "criterion"]), "{found}");
    let first = &found["trials"][0];
    assert_eq!(
        (&first["origin"], &first["params"]),
        (&json!("enqueued"), &json!({"max_depth": 20, "criterion": "gini"}))
    );
    assert_eq!(found["convergence"].as_array().unwrap().len(), 3);
    let again = place.call(tool, asked("decision_tree", &fixed)).await.unwrap();
    assert_eq!((&again["trials"], &again["trials_in_this_call"]), (&found["trials"], &json!(0)));
    let everything = json!({"hyperparameters": {"var_smoothing": 1e-9}});
    let error = place.error(tool, asked("naive_bayes", &everything)).await;
    assert_eq!(error.field.as_deref(), Some("search_space"));
    assert!(error.hint.unwrap().contains("search_space"));
}
