//! `evaluate_clustering`, and the reports of clusterings and reductions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mlops_algorithms::clustering::{ClusterParameters, Clusterer, SearchCriterion, fit, search_k};
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::reduction::{self, Reducer, ReducerParameters};
use mlops_artifacts::{ReadNotes, ReadOptions, ReductionRecord, Signature, UnsupervisedCard, UnsupervisedModel};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Lang, Report as _, Tool as _};
use serde_json::{Map, Value, json};

use crate::test_world::World;
use crate::tools::{CreateEvaluationReport, EvaluateClustering};

/// Three groups of stones by two numbers, with their names and a gap.
fn stones(rows: usize) -> String {
    let mut text = "mass,size,kind\n".to_owned();
    for row in 0..rows {
        let [mass, size] = [[1.0, 1.0], [9.0, 2.0], [5.0, 9.0]][row % 3];
        let (a, b) = ((row * 37 % 23) as f64 / 20.0, (row * 13 % 17) as f64 / 20.0);
        let kind = if row == 7 { "" } else { ["granite", "<i>slate</i>", "chalk"][row % 3] };
        writeln!(text, "{},{},{kind}", mass + a, size + b).unwrap();
    }
    text
}

/// A clustering of the stones, by `k` clusters where it takes a number, or by the best number for a `k` of 0.
async fn model(world: &World, algorithm: Clusterer, k: usize) -> (ArtifactUri, ArtifactUri) {
    let data = world.write("stones.csv", &stones(90)).await;
    let loaded = world.room.artifacts.read_table(&data, &ReadOptions::default(), &world.call).await.unwrap();
    let raw = loaded.table.without(&["kind"]);
    let (preprocessor, made) = Preprocessor::fit_transform(&raw, None, &PreprocessConfig::default(), 1).unwrap();
    let x = made.features.view();
    let (model, k_search) = if k == 0 {
        let by = SearchCriterion::Silhouette;
        let usual = ClusterParameters::defaults(algorithm).unwrap();
        let (found, _, search) = search_k(x, None, &usual, &[2, 3, 4], by, 500, 1, &Silent).unwrap();
        (found.model, Some(search))
    } else {
        let given = algorithm.count_parameter().map(|name| (name.to_owned(), json!(k)));
        let parameters = ClusterParameters::parse(algorithm, &given.into_iter().collect::<Map<_, _>>()).unwrap();
        (fit(x, None, &parameters, 1, &Silent).unwrap().model, None)
    };
    let model = UnsupervisedModel::Clustering(model);
    let card = UnsupervisedCard {
        format: 1,
        task: model.task(),
        algorithm: algorithm.to_string(),
        feature_names: made.feature_names,
        signature: Signature { inputs: Vec::new(), output: "cluster".to_owned() },
        outputs: model.outputs(),
        fitted_rows: 90,
        hyperparameters: Map::new(),
        metrics: BTreeMap::new(),
        k_search,
        seed: 1,
        train_sha256: loaded.source.sha256,
        preprocessor_sha256: Some(sha256_hex(&serde_json::to_vec(&preprocessor).unwrap())),
        preprocessor: Some(preprocessor),
        weights_sha256: String::new(),
        library_version: "0.1.0".to_owned(),
    };
    let uri = world.uri(&format!("models/{algorithm}-{k}.tar.gz"));
    world.room.artifacts.write_unsupervised(&uri, card, &model).await.unwrap();
    (uri, data)
}

/// A page as it is read: without the tags that hold the full value of a number.
fn shown(page: &str) -> String {
    let mut parts = page.split("<data value=\"");
    let first = parts.next().unwrap().to_owned();
    let rest = parts.map(|part| part.split_once("\">").unwrap().1);
    rest.fold(first, |text, part| text + part).replace("</data>", "")
}

fn tool(model: &ArtifactUri, data: &ArtifactUri, more: Value) -> EvaluateClustering {
    let mut request = json!({"model_s3_uri": model, "data_s3_uri": data, "generate_plots": false});
    request.as_object_mut().unwrap().extend(serde_json::from_value::<Map<String, Value>>(more).unwrap());
    serde_json::from_value(request).unwrap()
}

#[tokio::test]
async fn clusters_are_measured_and_held_against_known_groups() {
    let world = World::new();
    let (model, data) = model(&world, Clusterer::KMeans, 0).await;
    let tool = tool(&model, &data, json!({"truth_column": "kind", "generate_plots": true}));
    let found = tool.run(&world.room, &world.call).await.unwrap();
    let metrics = &found.metrics;
    assert!(metrics.silhouette.unwrap() > 0.7 && metrics.davies_bouldin.unwrap() < 0.6, "{metrics:?}");
    assert_eq!((metrics.ari, metrics.num_clusters, found.n), (Some(1.0), Some(3.0), 90));
    assert!((metrics.nmi.unwrap() - 1.0).abs() < 1e-9);
    let interval = &found.intervals["silhouette"];
    assert!(interval.lower <= metrics.silhouette.unwrap() && metrics.silhouette.unwrap() <= interval.upper);
    assert!(found.clusters.iter().all(|one| one.rows == 30 && !one.set_apart.is_empty()), "{:?}", found.clusters);
    let names: Vec<&str> = found.plots.iter().map(|plot| plot.name.as_str()).collect();
    assert_eq!(names, ["clusters", "k_search"]);
    assert!(world.exists(&found.plots[0].png_uri).await && world.exists(&found.predictions_uri).await);
    assert!(found.summary(Lang::En).contains("3 clusters of 90 rows"), "{}", found.summary(Lang::En));
    for (lang, words) in [
        (Lang::En, ["3 clusters were found among 90 rows", "told apart clearly", "What the clusters are"]),
        (Lang::Ja, ["90 行から 3 個のクラスタ", "はっきり分かれています", "クラスタの内容"]),
    ] {
        let report = json!({"evaluation_uri": found.evaluation_uri, "lang": lang});
        let report: CreateEvaluationReport = serde_json::from_value(report).unwrap();
        let made = report.run(&world.room, &world.call).await.unwrap();
        let [html, markdown] = [world.read(&made.html_uri).await, world.read(&made.markdown_uri).await];
        for word in words {
            assert!(shown(&html).contains(word) && markdown.contains(word), "{word}: {markdown}");
        }
        assert!(!html.contains("<i>slate</i>") && html.contains("&lt;i&gt;"), "names are escaped");
        assert_eq!(html.matches("<svg").count(), 3, "intervals, clusters and the numbers that were compared");
        assert!(!markdown.contains("Guessing") && !markdown.contains("当て推量"), "{markdown}");
        assert!(made.comment.contains("0.9") || made.comment.contains("0.8"), "{}", made.comment);
    }
}

#[tokio::test]
async fn a_better_clustering_is_told_from_a_worse_one() {
    let world = World::new();
    let (three, data) = model(&world, Clusterer::KMeans, 3).await;
    let (eight, _) = model(&world, Clusterer::KMeans, 8).await;
    let against =
        |ours: &ArtifactUri, theirs: &ArtifactUri| tool(ours, &data, json!({"baseline_model_s3_uri": theirs}));
    let found = against(&three, &eight).run(&world.room, &world.call).await.unwrap().comparison.unwrap();
    assert!(found.significant && found.gain > 0.0 && found.metric == "silhouette", "{found:?}");
    let found = against(&eight, &three).run(&world.room, &world.call).await.unwrap().comparison.unwrap();
    assert!(found.significant && found.gain < 0.0 && found.baseline_metrics["num_clusters"] == Some(3.0));
    let found = against(&three, &three).run(&world.room, &world.call).await.unwrap();
    assert!(found.comparison.is_none(), "the same model");
    let (one, _) = model(&world, Clusterer::KMeans, 1).await;
    let error = against(&three, &one).run(&world.room, &world.call).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("baseline_model_s3_uri"), "{error}");
}

#[tokio::test]
async fn what_is_not_defined_says_why_and_what_is_wrong_names_the_argument() {
    let world = World::new();
    let (one, data) = model(&world, Clusterer::KMeans, 1).await;
    let found = tool(&one, &data, json!({})).run(&world.room, &world.call).await.unwrap();
    assert_eq!((found.metrics.silhouette, found.metrics.ari), (None, None));
    assert!(found.undefined["silhouette"].contains("at least two"), "{:?}", found.undefined);
    let (hdbscan, _) = model(&world, Clusterer::Hdbscan, 3).await;
    let labels = world.write("labels.csv", "row,cluster\n0,0\n1,1\n2,0\n3,-1\n4,1\n").await;
    let given = json!({"labels_s3_uri": labels, "truth_column": "kind"});
    let found = tool(&hdbscan, &data, given).run(&world.room, &world.call).await.unwrap();
    assert_eq!((found.n, found.dropped_rows, found.noise), (5, 85, 1));
    let wrong = world.write("wrong.csv", "row,cluster\n0,0\n0,1\n").await;
    let other = world.write("other.csv", "mass,kind\n1,a\n2,b\n").await;
    let train = world.write("animals.csv", &crate::test_world::animals(60, &["a", "b"], 1)).await;
    let classifier = world.fit(&train, "kind", mlops_algorithms::models::Algorithm::DecisionTree, 2).await;
    for (model, data, more, field, message) in [
        (&hdbscan, &data, json!({}), "labels_s3_uri", "only to the rows that it was fitted to"),
        (&one, &data, json!({"truth_column": "kinds"}), "truth_column", "no column `kinds`"),
        (&one, &data, json!({"labels_s3_uri": wrong}), "labels_s3_uri", "occurs more than once"),
        (&one, &other, json!({}), "data_s3_uri", "size"),
        (&classifier, &data, json!({}), "model_s3_uri", "is one of classification"),
        (&one, &data, json!({"baseline_model_s3_uri": classifier}), "baseline_model_s3_uri", "is one of"),
        (&one, &world.uri("none.csv"), json!({}), "data_s3_uri", ""),
    ] {
        let error = tool(model, data, more.clone()).run(&world.room, &world.call).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some(field), "{more}: {error}");
        assert!(error.message.contains(message), "{more}: {error}");
    }
}

/// What training found about a map of the stones.
async fn record(world: &World, algorithm: Reducer) -> ArtifactUri {
    let data = world.write("stones.csv", &stones(60)).await;
    let loaded = world.room.artifacts.read_table(&data, &ReadOptions::default(), &world.call).await.unwrap();
    let raw = loaded.table.without(&["kind"]);
    let (_, made) = Preprocessor::fit_transform(&raw, None, &PreprocessConfig::default(), 1).unwrap();
    let given = if algorithm == Reducer::Tsne { json!({"perplexity": 9, "max_iter": 250}) } else { json!({}) };
    let parameters = ReducerParameters::parse(algorithm, given.as_object().unwrap()).unwrap();
    let found = reduction::fit(made.features.view(), &parameters, 1, &Silent).unwrap();
    let is_pca = algorithm == Reducer::Pca;
    let metrics = [("trustworthiness", Some(0.99)), ("preservation", Some(0.9)), ("continuity", None)];
    let own = if is_pca { ("explained_variance", Some(1.0)) } else { ("kl_divergence", Some(0.4)) };
    let record = ReductionRecord {
        format: 1,
        run_id: "run".to_owned(),
        model_uri: "file:///model.tar.gz".to_owned(),
        model_sha256: "a".repeat(64),
        algorithm: algorithm.to_string(),
        feature_names: made.feature_names.clone(),
        num_components: found.coordinates.ncols(),
        hyperparameters: parameters.resolved().clone(),
        seed: 1,
        preprocessor_sha256: None,
        library_version: "0.1.0".to_owned(),
        data_uri: data.to_string(),
        data_sha256: loaded.source.sha256,
        source_sha256: None,
        read: ReadNotes::default(),
        rows: 60,
        fitted_rows: 60,
        unseen: BTreeMap::new(),
        metrics: metrics.into_iter().chain([own]).map(|(name, value)| (name.to_owned(), value)).collect(),
        undefined: BTreeMap::from([("continuity".to_owned(), "nobody asked".to_owned())]),
        explained_variance_ratio: found.model.explained_variance_ratio().map(<[f64]>::to_vec),
        feature_importance: made.feature_names.iter().map(|name| (name.clone(), 0.5)).collect(),
        n_neighbors: 5,
        measured_rows: 60,
        has_transform: is_pca,
        points: found.coordinates.rows().into_iter().map(|row| [row[0], row[1]]).collect(),
        transformed_uri: "file:///transformed.parquet".to_owned(),
        plot_uri: "file:///scatter.svg".to_owned(),
    };
    let uri = world.uri("models/reduction.json");
    world.room.artifacts.write_json(&uri, &record).await.unwrap();
    uri
}

#[tokio::test]
async fn a_reduction_has_a_report_and_tsne_says_that_it_has_no_transform() {
    let world = World::new();
    for (algorithm, plots, words) in [
        (Reducer::Pca, 4, ["They keep 100.0 %", "nobody asked", "weighs in the components"]),
        (Reducer::Tsne, 3, ["nats", "t-SNE has no transform", "trustworthiness of 0.990"]),
    ] {
        let uri = record(&world, algorithm).await;
        let report: CreateEvaluationReport = serde_json::from_value(json!({"evaluation_uri": uri})).unwrap();
        let made = report.run(&world.room, &world.call).await.unwrap();
        let html = world.read(&made.html_uri).await;
        for word in words {
            assert!(shown(&html).contains(word), "{algorithm}: {word}");
        }
        assert_eq!(html.matches("<svg").count(), plots, "{algorithm}");
        assert!(made.comment.contains("0.990"), "{}", made.comment);
    }
    let text = world.read(world.uri("models/reduction.json").as_str()).await;
    for (from, to) in [("\"format\": 1", "\"format\": 2"), ("\"fitted_rows\": 60", "\"fitted_rows\": 61")] {
        let uri = world.write("bad/reduction.json", &text.replace(from, to)).await;
        let report: CreateEvaluationReport = serde_json::from_value(json!({"evaluation_uri": uri})).unwrap();
        let error = report.run(&world.room, &world.call).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some("evaluation_uri"), "{error}");
    }
}
