//! Requests for clusters and for fewer numbers: no target, no split, their own algorithms and metrics.

use serde_json::json;

use super::tests::{checked_in, error, numbers};
use super::*;

fn clustering(more: &Value) -> Value {
    let mut request = json!({"task": "clustering", "target_column": null, "algorithm": "kmeans"});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[test]
fn the_least_request_gets_its_own_defaults() {
    let found = checked_in(Lang::En, &clustering(&json!({})), None);
    assert!(found.errors.is_empty() && found.warnings.is_empty(), "{:?} {:?}", found.errors, found.warnings);
    assert_eq!(
        serde_json::to_value(found.config.unwrap()).unwrap(),
        json!({
            "task": "clustering", "dataset_s3_uri": "data/Penguin Table.csv.gz", "algorithm": "kmeans",
            "model_name": "penguin-table-clustering", "hyperparameters": {}, "split": {},
            "preprocessing_config": {"normalize": true, "handle_missing": "median", "encode_categorical": true},
            "evaluation": {}, "gates": {"silhouette": {"min": 0.25, "blocking": false}}, "notify": [], "seed": 42,
            "lang": "en",
        })
    );
    assert!(found.defaults.iter().any(|(path, _)| path == "gates.silhouette"));
    let map = json!({"task": "Dimensionality Reduction", "algorithm": "pca", "target_column": null});
    let config = checked_in(Lang::Ja, &map, None).config.unwrap();
    assert_eq!(config.gates.keys().collect::<Vec<_>>(), ["explained_variance", "trustworthiness"]);
    let map = json!({"task": "dimensionality_reduction", "algorithm": "auto", "target_column": null, "gates": {}});
    assert!(checked_in(Lang::En, &map, None).config.unwrap().gates.is_empty());
}

#[test]
fn parameters_have_the_algorithms_own_names_and_known_groups_are_no_feature() {
    let config = checked_in(
        Lang::En,
        &clustering(&json!({
            "hyperparameters": {"k": 3, "max_iterations": 50}, "evaluation": {"truth_column": "species"},
            "preprocessing_config": {"variance_threshold": 0.1, "drop_columns": ["year"]},
            "gates": {"ari": {"min": 0.5}, "silhouette_score": {"min": 0.5}},
        })),
        None,
    )
    .config
    .unwrap();
    assert_eq!(Value::Object(config.hyperparameters), json!({"n_clusters": 3, "max_iter": 50}));
    assert_eq!(config.preprocessing_config["drop_columns"], json!(["year", "species"]));
    assert_eq!(config.gates.keys().collect::<Vec<_>>(), ["ari", "silhouette"]);
    let searched = clustering(&json!({"hyperparameters": {"k_range": [2, 8], "criterion": "elbow"}}));
    let config = checked_in(Lang::En, &searched, None).config.unwrap();
    assert_eq!(Value::Object(config.hyperparameters), json!({"k_range": [2, 8], "criterion": "elbow"}));
    let split = checked_in(Lang::En, &clustering(&json!({"split": {"train": 0.5}})), None);
    assert!(split.errors.is_empty() && split.warnings[0].contains("`split` is not used"), "{:?}", split.warnings);
}

#[test]
fn what_does_not_fit_is_told_in_both_languages() {
    let map = |algorithm: &str, more: Value| {
        let mut request = json!({"task": "dimensionality_reduction", "target_column": null, "algorithm": algorithm});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let given = |hyperparameters: Value| clustering(&json!({"hyperparameters": hyperparameters}));
    let dbscan =
        |hyperparameters: Value| clustering(&json!({"algorithm": "dbscan", "hyperparameters": hyperparameters}));
    for (request, path) in [
        (clustering(&json!({"target_column": "species"})), "target_column"),
        (clustering(&json!({"hyperparameter_optimization": {"max_trials": 5}})), "hyperparameter_optimization"),
        (clustering(&json!({"algorithm": "random_forest"})), "algorithm"),
        (clustering(&json!({"algorithm": "kmean"})), "algorithm"),
        (map("kmeans", json!({})), "algorithm"),
        (given(json!({"n_cluster": 3})), "hyperparameters.n_cluster"),
        (given(json!({"n_clusters": 0})), "hyperparameters.n_clusters"),
        (given(json!({"k": 3, "n_clusters": 3})), "hyperparameters.n_clusters"),
        (given(json!({"k": 3, "k_range": [2, 4]})), "hyperparameters.k_range"),
        (given(json!({"k_range": [5, 2]})), "hyperparameters.k_range"),
        (given(json!({"k_range": 5})), "hyperparameters.k_range"),
        (given(json!({"criterion": "bic"})), "hyperparameters.criterion"),
        (dbscan(json!({"k_range": [2, 4]})), "hyperparameters.k_range"),
        (dbscan(json!({"eps": 0})), "hyperparameters.eps"),
        (dbscan(json!({"eps": -1.5})), "hyperparameters.eps"),
        (clustering(&json!({"algorithm": "auto", "hyperparameters": {"k": 3}})), "hyperparameters"),
        (clustering(&json!({"evaluation": {"slices": ["island"]}})), "evaluation.slices"),
        (clustering(&json!({"evaluation": {"positive_class": "x"}})), "evaluation.positive_class"),
        (json!({"evaluation": {"truth_column": "island"}}), "evaluation.truth_column"),
        (map("pca", json!({"evaluation": {"truth_column": "island"}})), "evaluation.truth_column"),
        (clustering(&json!({"preprocessing_config": {"encoder": "target"}})), "preprocessing_config.encoder"),
        (
            clustering(&json!({"preprocessing_config": {"variance_threshold": -1}})),
            "preprocessing_config.variance_threshold",
        ),
        (json!({"preprocessing_config": {"variance_threshold": 0.1}}), "preprocessing_config.variance_threshold"),
        (clustering(&json!({"gates": {"accuracy": {"min": 0.9}}})), "gates.accuracy"),
        (clustering(&json!({"gates": {"silhouete": {"min": 0.9}}})), "gates.silhouete"),
        (clustering(&json!({"gates": {"silhouette": {"min": 1.5}}})), "gates.silhouette.min"),
        (clustering(&json!({"gates": {"ari": {"min": 0.5}}})), "gates.ari"),
        (map("tsne", json!({"gates": {"explained_variance": {"min": 0.5}}})), "gates.explained_variance"),
        (map("pca", json!({"gates": {"kl_divergence": {"max": 1}}})), "gates.kl_divergence"),
        (map("tsne", json!({"hyperparameters": {"n_components": 4}})), "hyperparameters.n_components"),
        (map("umap", json!({"hyperparameters": {"min_dist": 3}})), "hyperparameters.min_dist"),
        (map("pca", json!({"hyperparameters": {"k_range": [2, 3]}})), "hyperparameters.k_range"),
    ] {
        assert_eq!(error(&request).path, path, "{request}");
    }
    let reinforcement = error(&json!({"task": "reinforcement"}));
    assert!(reinforcement.message.contains("not in this release"), "{reinforcement:?}");
}

#[test]
fn the_data_must_have_rows_that_differ_and_the_known_groups() {
    let request = clustering(&json!({"evaluation": {"truth_column": "species"}}));
    let errors = checked_in(Lang::En, &request, Some(numbers(2))).errors;
    let paths = errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>();
    assert_eq!(paths, ["dataset_s3_uri", "evaluation.truth_column"], "{errors:?}");
    assert!(checked_in(Lang::En, &clustering(&json!({})), Some(numbers(3))).errors.is_empty());
    for (algorithm, given, path) in [
        ("kmeans", json!({"k": 9}), "hyperparameters.n_clusters"),
        ("gaussian_mixture", json!({"k": 9}), "hyperparameters.n_components"),
        ("kmeans", json!({"k_range": [9, 12]}), "hyperparameters.k_range"),
    ] {
        let many = clustering(&json!({"algorithm": algorithm, "hyperparameters": given}));
        assert!(checked_in(Lang::Ja, &many, Some(numbers(9))).errors.is_empty(), "{many}");
        let errors = checked_in(Lang::En, &many, Some(numbers(8))).errors;
        assert_eq!(errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>(), [path]);
        assert!(errors[0].message.contains("9 clusters, and the data has only 8 rows"), "{errors:?}");
    }
}
