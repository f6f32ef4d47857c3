//! `train_unsupervised_dimensionality_reduction`.

use mlops_artifacts::{Placed, ReadOptions};
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, Lang};
use mlops_ml_training::tools::TOOLS;
use serde_json::{Map, Value, json};

use crate::place::Place;
use crate::train_unsupervised_clustering::clumps;

const TOOL: &str = "train_unsupervised_dimensionality_reduction";

fn request(place: &Place, algorithm: &str, more: Value) -> Value {
    let rows = clumps(60).replace(",1\n", ",0\n").replacen(",0\n", ",3\n", 7);
    let mut request = json!({"algorithm": algorithm, "train_data_s3_uri": place.file("rows.csv", rows)});
    request.as_object_mut().unwrap().extend(serde_json::from_value::<Map<String, Value>>(more).unwrap());
    request
}

#[tokio::test]
async fn every_method_makes_a_map_that_keeps_neighbours() {
    let place = Place::new();
    for (algorithm, more) in [
        ("pca", json!({})),
        ("tsne", json!({"hyperparameters": {"perplexity": 8, "max_iter": 300}})),
        ("umap", json!({"hyperparameters": {"n_neighbors": 8, "n_epochs": 50}})),
    ] {
        let trained = place.call(TOOL, request(&place, algorithm, more)).await.unwrap();
        assert_eq!((&trained["num_components"], &trained["num_features"]), (&json!(2), &json!(3)), "{algorithm}");
        let metrics = &trained["metrics"];
        assert!(metrics["trustworthiness"].as_f64().unwrap() > 0.9, "{algorithm} {metrics}");
        let has = |name: &str| metrics[name].is_number();
        assert_eq!(
            (has("explained_variance"), has("reconstruction_error"), has("kl_divergence")),
            (algorithm == "pca", algorithm == "pca", algorithm == "tsne")
        );
        assert_eq!(trained["has_transform"], json!(algorithm != "tsne"));
        assert_eq!(trained["warnings"].to_string().contains("t-SNE has no transform"), algorithm == "tsne");
        let read = |name: &str| ArtifactUri::new(trained[name].as_str().unwrap()).unwrap();
        let artifacts = &place.room.artifacts;
        let model = artifacts.read_unsupervised(&read("model_s3_uri")).await.unwrap();
        assert_eq!(json!(model.sha256), trained["model_sha256"]);
        let table = artifacts.read_table(&read("transformed_s3_uri"), &ReadOptions::default(), &place.call).await;
        let table = table.unwrap().table;
        assert_eq!(table.names().collect::<Vec<_>>(), ["row", "component_1", "component_2"]);
        assert_eq!(table.num_rows(), 60);
        let plot = trained["scatter_plot_uri"].as_str().unwrap().strip_prefix("file://").unwrap();
        assert_eq!(std::fs::read_to_string(plot).unwrap().matches("<circle").count(), 60);
        let record = artifacts.read_reduction(&read("reduction_uri")).await.unwrap();
        assert_eq!((record.points.len(), record.fitted_rows), (60, 60));
        assert_eq!(json!(record.metrics["trustworthiness"]), metrics["trustworthiness"]);
        if algorithm == "pca" {
            let data = artifacts.read_table(&read("transformed_s3_uri"), &ReadOptions::default(), &place.call).await;
            assert!(model.input(&data.unwrap()).is_err(), "the coordinates are not the features");
            let rows = ArtifactUri::new(request(&place, "pca", json!({}))["train_data_s3_uri"].as_str().unwrap());
            let rows = artifacts.read_table(&rows.unwrap(), &ReadOptions::default(), &place.call).await.unwrap();
            let input = model.input(&rows).unwrap();
            let Placed::Coordinates(places) =
                model.place(&input.features, &mlops_algorithms::probe::Silent, &place.call).unwrap()
            else {
                panic!("coordinates")
            };
            let first = table.column("component_1").unwrap().values.numbers().unwrap().into_owned();
            assert!((places[[0, 0]] - first[0]).abs() < 1e-9);
            let weights = trained["feature_importance"].as_array().unwrap();
            let sum: f64 = weights.iter().map(|weight| weight["importance"].as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{weights:?}");
        }
    }
}

#[tokio::test]
async fn as_few_components_as_the_variance_needs_are_kept() {
    let place = Place::new();
    let most = place.call(TOOL, request(&place, "pca", json!({"variance": 0.999}))).await.unwrap();
    let few = place.call(TOOL, request(&place, "pca", json!({"variance": 0.3}))).await.unwrap();
    assert_eq!((&most["num_components"], &few["num_components"]), (&json!(3), &json!(1)));
    assert!(few["metrics"]["explained_variance"].as_f64().unwrap() > 0.3);
    let all = place.call(TOOL, request(&place, "pca", json!({"n_components": 3}))).await.unwrap();
    let explained = all["metrics"]["explained_variance"].as_f64().unwrap();
    assert!((explained - 1.0).abs() < 1e-9, "{explained}");
    let again = place.call(TOOL, request(&place, "pca", json!({"n_components": 3}))).await.unwrap();
    assert_eq!(all["model_sha256"], again["model_sha256"]);
}

#[tokio::test]
async fn what_cannot_be_reduced_is_refused_with_the_argument_and_leaves_nothing() {
    let place = Place::new();
    let table = |name: &str, text: &str| json!({"train_data_s3_uri": place.file(name, text)});
    let same = "a,b\n".to_owned() + &"1,2\n".repeat(20);
    for (algorithm, more, field, message) in [
        ("pca", json!({"n_components": 4}), "n_components", "3 features"),
        ("pca", json!({"n_components": 0}), "n_components", "at least 1"),
        ("pca", json!({"variance": 1.0}), "variance", "between 0 and 1"),
        ("pca", json!({"variance": -0.5}), "variance", "between 0 and 1"),
        ("pca", json!({"n_components": 2, "variance": 0.5}), "variance", "both say how many"),
        ("pca", json!({"n_components": 2, "hyperparameters": {"n_components": 1}}), "n_components", "given twice"),
        ("tsne", json!({"variance": 0.9}), "variance", "only pca"),
        ("tsne", json!({"n_components": 4}), "n_components", "3"),
        ("tsne", json!({"hyperparameters": {"perplexity": 60}}), "hyperparameters.perplexity", "60 rows"),
        ("umap", json!({"hyperparameters": {"n_neighbours": 3}}), "hyperparameters.n_neighbours", "n_neighbors"),
        ("umap", json!({"hyperparameters": {"min_dist": 3, "spread": 1}}), "hyperparameters.min_dist", ""),
        ("lda", json!({}), "algorithm", ""),
        ("pca", table("same.csv", &same), "train_data_s3_uri", "constant"),
        ("pca", table("one.csv", "a,b\n1,2\n"), "train_data_s3_uri", "1"),
        ("pca", table("gap.csv", "a,b\n1,1\n,2\n3,3\n"), "train_data_s3_uri", "no value in row 1"),
        ("pca", table("text.csv", "a,b\n1,x\n2,y\n"), "train_data_s3_uri", "text such as"),
    ] {
        let error = place.error(TOOL, request(&place, algorithm, more.clone())).await;
        assert_eq!(error.field.as_deref(), Some(field), "{algorithm} {more}: {error}");
        assert!(error.message.contains(message), "{algorithm} {more}: {error}");
    }
    assert!(place.models().is_empty());
    let few = place.call(TOOL, request(&place, "pca", table("few.csv", "a,b\n1,1\n2,2\n3,5\n"))).await.unwrap();
    assert!(few["metrics"]["trustworthiness"].is_null() && few["undefined"]["trustworthiness"].is_string(), "{few}");
}

#[tokio::test]
async fn the_summary_says_that_tsne_has_no_transform_and_a_cancelled_call_leaves_nothing() {
    let place = Place::new();
    let entry = TOOLS.iter().find(|entry| entry.name == TOOL).unwrap();
    let small = json!({"hyperparameters": {"perplexity": 8, "max_iter": 250}, "dry_run": true});
    for (lang, words) in [(Lang::En, "it has no transform"), (Lang::Ja, "変換することはできません")] {
        let call = place.call.clone().in_lang(lang);
        let outcome = (entry.run)(&place.room, &call, request(&place, "tsne", small.clone())).await.unwrap();
        assert!(outcome.summary.contains(words) && outcome.artifacts.is_empty(), "{}", outcome.summary);
    }
    let call = Call::new("r");
    let stop = call.cancellation.clone();
    let call = call.reporting_to(move |_| stop.cancel());
    assert!((entry.run)(&place.room, &call, request(&place, "umap", json!({}))).await.is_err());
    assert!(place.models().is_empty());
}
