//! `train_unsupervised_clustering`.

use std::fmt::Write as _;
use std::sync::Arc;

use mlops_artifacts::{Placed, ReadOptions};
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, Lang};
use mlops_ml_training::tools::TOOLS;
use serde_json::{Map, Value, json};

use crate::place::Place;

const TOOL: &str = "train_unsupervised_clustering";

/// Three clumps in a plane, and a constant column.
pub(crate) fn clumps(rows: usize) -> String {
    let mut text = "x,y,same\n".to_owned();
    for row in 0..rows {
        let clump = row % 3;
        let [x, y] = [[0.0, 0.0], [9.0, 1.0], [4.0, 8.0]][clump];
        let (a, b) = ((row * 37 % 23) as f64 / 20.0, (row * 13 % 17) as f64 / 20.0);
        writeln!(text, "{},{},1", x + a, y + b).unwrap();
    }
    text
}

fn request(place: &Place, algorithm: &str, more: Value) -> Value {
    let mut request = json!({"algorithm": algorithm, "train_data_s3_uri": place.file("rows.csv", clumps(90))});
    request.as_object_mut().unwrap().extend(serde_json::from_value::<Map<String, Value>>(more).unwrap());
    request
}

#[tokio::test]
async fn every_algorithm_finds_the_clumps_and_says_how_well() {
    let place = Place::new();
    for (algorithm, more) in [
        ("kmeans", json!({"k": 3})),
        ("minibatch_kmeans", json!({"k": 3})),
        ("gaussian_mixture", json!({"k": 3, "hyperparameters": {"covariance_type": "diag"}})),
        ("dbscan", json!({"eps": 1.5})),
        ("hdbscan", json!({})),
    ] {
        let trained = place.call(TOOL, request(&place, algorithm, more)).await.unwrap();
        assert_eq!((&trained["num_clusters"], &trained["k_search"]), (&json!(3), &Value::Null), "{algorithm}");
        assert_eq!(trained["sizes"].as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>(), 90);
        let at = |name: &str| trained["metrics"][name].as_f64().unwrap();
        assert!(at("silhouette") > 0.8 && at("davies_bouldin") < 0.4 && at("noise_ratio") == 0.0, "{trained}");
        assert_eq!(trained["predicts"], json!(algorithm != "hdbscan"));
        let uri = ArtifactUri::new(trained["model_s3_uri"].as_str().unwrap()).unwrap();
        let model = place.room.artifacts.read_unsupervised(&uri).await.unwrap();
        assert_eq!(json!(model.sha256), trained["model_sha256"]);
        assert_eq!(model.card.metrics["silhouette"], at("silhouette"));
        let read = |name: &str| ArtifactUri::new(trained[name].as_str().unwrap()).unwrap();
        let options = ReadOptions::default();
        let labels = place.room.artifacts.read_table(&read("labels_s3_uri"), &options, &place.call).await.unwrap();
        let clusters = labels.table.column("cluster").unwrap().values.numbers().unwrap().into_owned();
        assert_eq!(clusters.len(), 90);
        assert!((0..90).all(|row| clusters[row] == clusters[row % 3]), "{algorithm}: {clusters:?}");
        assert_eq!(labels.table.column("probability").is_some(), ["hdbscan", "gaussian_mixture"].contains(&algorithm));
        if trained["predicts"] == json!(true) {
            let data = ArtifactUri::new(place.file("rows.csv", clumps(90))).unwrap();
            let data = place.room.artifacts.read_table(&data, &options, &place.call).await.unwrap();
            let input = model.input(&data).unwrap();
            let placed = model.place(&input.features, &mlops_algorithms::probe::Silent, &place.call).unwrap();
            let Placed::Clusters(placed) = placed else { panic!("{placed:?}") };
            assert!(placed.iter().zip(&clusters).all(|(a, b)| f64::from(*a) == *b), "{algorithm}");
        }
    }
}

#[tokio::test]
async fn without_a_number_several_are_compared_and_drawn() {
    let place = Place::new();
    let trained = place.call(TOOL, request(&place, "kmeans", json!({}))).await.unwrap();
    assert_eq!((&trained["num_clusters"], &trained["k_search"]["chosen"]), (&json!(3), &json!(3)));
    assert_eq!(trained["k_search"]["tried"].as_array().unwrap().len(), 9);
    let plot = trained["k_search_plot_uri"].as_str().unwrap().strip_prefix("file://").unwrap();
    let plot = std::fs::read_to_string(plot).unwrap();
    assert!(plot.contains("3 clusters were chosen") && plot.matches("<circle").count() == 18, "{plot}");
    let elbow = json!({"k_range": [1, 5], "criterion": "elbow"});
    let trained = place.call(TOOL, request(&place, "kmeans", elbow)).await.unwrap();
    assert_eq!((&trained["k_search"]["criterion"], &trained["num_clusters"]), (&json!("elbow"), &json!(3)));
    let bic = json!({"k_range": [2, 4], "criterion": "bic", "hyperparameters": {"covariance_type": "diag"}});
    let trained = place.call(TOOL, request(&place, "gaussian_mixture", bic)).await.unwrap();
    assert!(trained["metrics"]["bic"].is_number() && trained["k_search"]["criterion"] == "bic");
}

#[tokio::test]
async fn the_same_seed_and_bytes_give_the_same_bytes_and_a_dry_run_writes_nothing() {
    let place = Place::new();
    let dry = place.call(TOOL, request(&place, "kmeans", json!({"k": 3, "dry_run": true}))).await.unwrap();
    assert_eq!((&dry["model_sha256"], &dry["dry_run"]), (&Value::Null, &json!(true)));
    assert!(place.models().is_empty());
    let run = || place.call(TOOL, request(&place, "kmeans", json!({"run_id": "r"})));
    let (first, second) = (run().await.unwrap(), run().await.unwrap());
    assert_eq!((&first["model_sha256"], &first["labels_sha256"]), (&second["model_sha256"], &second["labels_sha256"]));
    assert!(first["model_sha256"].is_string());
}

#[tokio::test]
async fn what_cannot_be_clustered_is_refused_with_the_argument_and_leaves_nothing() {
    let place = Place::new();
    let table = |name: &str, text: &str| json!(place.file(name, text));
    let train = |uri: Value| json!({"train_data_s3_uri": uri});
    let cases = [
        ("kmeans", json!({"k": 91}), "k", "there are only 90 rows"),
        ("kmeans", json!({"k": 0}), "k", "at least 1"),
        ("kmeans", json!({"k_range": [91, 95]}), "k_range", "only 90 rows"),
        ("kmeans", json!({"k_range": [5, 2]}), "k_range", "must not be below"),
        ("kmeans", json!({"k_range": [0, 2]}), "k_range", "at least 1"),
        ("kmeans", json!({"k_range": [2, 500]}), "k_range", "at most 100"),
        ("kmeans", json!({"k": 3, "k_range": [2, 4]}), "k_range", "compares several"),
        ("kmeans", json!({"k": 3, "hyperparameters": {"n_clusters": 4}}), "k", "given twice"),
        ("kmeans", json!({"k": 3, "criterion": "elbow"}), "criterion", "one was given"),
        ("kmeans", json!({"criterion": "bic"}), "criterion", "compares mixtures"),
        ("kmeans", json!({"criterion": "gap"}), "criterion", ""),
        ("kmeans", json!({"eps": 1.0}), "eps", "takes no `eps`"),
        ("kmeans", json!({"hyperparameters": {"n_cluster": 3}}), "hyperparameters.n_cluster", "n_clusters"),
        ("dbscan", json!({"eps": 0.0}), "eps", "above 0"),
        ("dbscan", json!({"eps": -1.0}), "eps", "above 0"),
        ("dbscan", json!({"eps": 1.0, "hyperparameters": {"epsilon": 1.0}}), "eps", "given twice"),
        ("dbscan", json!({"k": 3}), "k", "finds the number of clusters"),
        ("hdbscan", json!({"k_range": [2, 3]}), "k_range", "finds the number of clusters"),
        ("hdbscan", json!({"hyperparameters": {"min_cluster_size": 1}}), "hyperparameters.min_cluster_size", "2"),
        ("kmean", json!({}), "algorithm", ""),
        ("kmeans", train(json!("/nowhere.csv")), "train_data_s3_uri", ""),
        ("kmeans", train(table("text.csv", "a,b\n1,x\n2,y\n3,z\n")), "train_data_s3_uri", "text such as 'x'"),
        ("kmeans", train(table("gap.csv", "a,b\n1,1\n,2\n3,3\n")), "train_data_s3_uri", "no value in row 1"),
        ("kmeans", train(table("infinite.csv", "a\n1\ninf\n3\n")), "train_data_s3_uri", ""),
        ("kmeans", train(table("one.csv", "a,b\n1,2\n")), "train_data_s3_uri", "1 rows"),
        ("kmeans", train(table("none.csv", "a,b\n")), "train_data_s3_uri", ""),
        ("kmeans", json!({"training_job_name": "../up"}), "training_job_name", ""),
        ("kmeans", json!({"preprocessor_uri": "/nowhere.json"}), "preprocessor_uri", ""),
    ];
    for (algorithm, more, field, message) in cases {
        let error = place.error(TOOL, request(&place, algorithm, more.clone())).await;
        assert_eq!(error.field.as_deref(), Some(field), "{algorithm} {more}: {error}");
        assert!(error.message.contains(message), "{algorithm} {more}: {error}");
    }
    assert!(place.models().is_empty());
}

#[tokio::test]
async fn odd_rows_are_clustered_with_a_word_about_them() {
    let place = Place::new();
    let same = place.file("same.csv", "a,b\n".to_owned() + &"1,2\n".repeat(20));
    let request = |more: Value| {
        let mut request = json!({"algorithm": "kmeans", "train_data_s3_uri": same});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let trained = place.call(TOOL, request(json!({"k": 3}))).await.unwrap();
    assert_eq!(trained["sizes"].as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>(), 20);
    assert!(trained["warnings"].to_string().contains("have no row"), "{trained}");
    assert!(trained["metrics"]["silhouette"].is_null() && trained["undefined"]["silhouette"].is_string(), "{trained}");
    let one = place.file("one.csv", "a,b\n1,2\n");
    let alone = json!({"algorithm": "kmeans", "train_data_s3_uri": one, "k": 1});
    assert_eq!(place.call(TOOL, alone).await.unwrap()["sizes"], json!([1]));
    let noise = json!({"algorithm": "dbscan", "train_data_s3_uri": place.file("rows.csv", clumps(90)), "eps": 1e-6});
    let trained = place.call(TOOL, noise).await.unwrap();
    assert_eq!((&trained["num_clusters"], &trained["noise_ratio"]), (&json!(0), &json!(1.0)));
    assert!(trained["warnings"].to_string().contains("raise `eps`") && trained["undefined"]["inertia"].is_string());
}

#[tokio::test]
async fn a_cancelled_call_leaves_nothing_and_a_running_one_reports() {
    let place = Place::new();
    let entry = TOOLS.iter().find(|entry| entry.name == TOOL).unwrap();
    let seen = Arc::new(std::sync::Mutex::new(0));
    let count = Arc::clone(&seen);
    let call = Call::new("r").in_lang(Lang::Ja).reporting_to(move |_| *count.lock().unwrap() += 1);
    let outcome = (entry.run)(&place.room, &call, request(&place, "kmeans", json!({"dry_run": true}))).await.unwrap();
    assert!(outcome.summary.contains("クラスタが"), "{}", outcome.summary);
    assert!(*seen.lock().unwrap() >= 9, "a comparison reports every number");
    let call = Call::new("r");
    let stop = call.cancellation.clone();
    let call = call.reporting_to(move |_| stop.cancel());
    let cancelled = (entry.run)(&place.room, &call, request(&place, "kmeans", json!({}))).await;
    assert!(cancelled.is_err());
    assert!(place.models().is_empty());
}
