//! Models without a target are read as they were written, and nothing in a file is trusted.

use std::collections::BTreeMap;

use futures::executor::block_on;
use mlops_algorithms::clustering::{self, ClusterParameters, Clusterer, SearchCriterion, search_k};
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::reduction::{self, Reducer, ReducerParameters};
use mlops_core::ports::Condition;
use mlops_core::values::{TaskType, sha256_hex};
use mlops_core::{Call, ErrorKind};
use serde_json::{Map, Value, json};

use crate::archive::{self, Entries};
use crate::memory_store::{artifacts, uri};
use crate::sample_model::{ROWS, plain, table};
use crate::{
    Artifacts, CARD_FORMAT, EncodedModel, Placed, ReadOptions, Signature, StoredModel, UnsupervisedCard,
    UnsupervisedModel,
};

const PLACE: &str = "s3://store/models/model.tar.gz";

/// A model of the two raw columns `size` and `colour`.
fn made(algorithm: &str) -> (UnsupervisedCard, UnsupervisedModel) {
    let raw = table().without(&["kind", "price"]);
    let (preprocessor, prepared) = Preprocessor::fit_transform(&raw, None, &PreprocessConfig::default(), 1).unwrap();
    let x = prepared.features.view();
    let mut k_search = None;
    let model = if let Ok(clusterer) = algorithm.parse::<Clusterer>() {
        let small = json!({"min_cluster_size": 2});
        let given = if clusterer == Clusterer::Hdbscan { small.as_object().cloned().unwrap() } else { Map::new() };
        let parameters = ClusterParameters::parse(clusterer, &given).unwrap();
        if clusterer == Clusterer::KMeans {
            let by = SearchCriterion::Silhouette;
            let (fitted, _, search) = search_k(x, None, &parameters, &[2, 3], by, 100, 1, &Silent).unwrap();
            k_search = Some(search);
            UnsupervisedModel::Clustering(fitted.model)
        } else {
            UnsupervisedModel::Clustering(clustering::fit(x, None, &parameters, 1, &Silent).unwrap().model)
        }
    } else {
        let reducer = algorithm.parse::<Reducer>().unwrap();
        let given = match reducer {
            Reducer::Pca => json!({"n_components": 2}),
            Reducer::Tsne => json!({"perplexity": 2, "max_iter": 250}),
            Reducer::Umap => json!({"n_neighbors": 3, "n_epochs": 5}),
        };
        let parameters = ReducerParameters::parse(reducer, given.as_object().unwrap()).unwrap();
        UnsupervisedModel::Reduction(reduction::fit(x, &parameters, 1, &Silent).unwrap().model)
    };
    let card = UnsupervisedCard {
        format: CARD_FORMAT,
        task: model.task(),
        algorithm: algorithm.to_owned(),
        feature_names: prepared.feature_names,
        signature: Signature { inputs: Vec::new(), output: "cluster".to_owned() },
        outputs: model.outputs(),
        fitted_rows: raw.num_rows(),
        hyperparameters: Map::new(),
        metrics: BTreeMap::from([("silhouette".to_owned(), 0.5)]),
        k_search,
        seed: 1,
        train_sha256: "a".repeat(64),
        preprocessor: Some(preprocessor),
        preprocessor_sha256: Some("c".repeat(64)),
        weights_sha256: String::new(),
        library_version: "0.1.0".to_owned(),
    };
    (card, model)
}

fn entries(artifacts: &Artifacts) -> Entries {
    archive::unpack(&block_on(artifacts.read_bytes(&uri(PLACE), 1 << 20)).unwrap()).unwrap()
}

#[test]
fn every_kind_is_read_as_it_was_written_and_places_raw_rows() {
    let artifacts = artifacts();
    let data = uri("s3://store/rows.csv");
    block_on(artifacts.write_bytes(&data, ROWS, Condition::None)).unwrap();
    let call = Call::new("r");
    let rows = block_on(artifacts.read_table(&data, &ReadOptions::default(), &call)).unwrap();
    for algorithm in ["kmeans", "dbscan", "hdbscan", "gaussian_mixture", "pca", "tsne", "umap"] {
        let (card, model) = made(algorithm);
        let written = block_on(artifacts.write_unsupervised(&uri(PLACE), card.clone(), &model)).unwrap();
        let again = block_on(artifacts.write_unsupervised(&uri(PLACE), card.clone(), &model)).unwrap();
        assert_eq!(written, again, "equal models have equal bytes");
        let loaded = block_on(artifacts.read_unsupervised(&uri(PLACE))).unwrap();
        assert_eq!((&loaded.model, &loaded.sha256), (&model, &written.sha256), "{algorithm}");
        assert_eq!(loaded.card.weights_sha256, sha256_hex(&entries(&artifacts).weights));
        assert_eq!(UnsupervisedCard { weights_sha256: String::new(), ..loaded.card.clone() }, card);
        let input = loaded.input(&rows).unwrap();
        assert_eq!((input.kept_rows.len(), input.dropped_rows), (6, 0));
        match (loaded.no_place(), loaded.place(&input.features, &Silent, &call)) {
            (None, Ok(Placed::Clusters(clusters))) => assert_eq!(clusters.len(), 6),
            (None, Ok(Placed::Coordinates(places))) => assert_eq!(places.dim(), (6, 2)),
            (Some(reason), Err(error)) => {
                assert!(["hdbscan", "tsne"].contains(&algorithm), "{reason}");
                assert_eq!((error.kind, error.message), (ErrorKind::InvalidInput, reason));
            }
            (reason, placed) => panic!("{algorithm}: {reason:?} {placed:?}"),
        }
        let stored = block_on(artifacts.read_stored_model(&uri(PLACE))).unwrap();
        assert_eq!((stored.facts().target_column, stored.facts().task), (None, model.task()));
    }
}

#[test]
fn one_kind_is_not_taken_for_another() {
    let artifacts = artifacts();
    let (card, model) = made("kmeans");
    block_on(artifacts.write_unsupervised(&uri(PLACE), card, &model)).unwrap();
    let error = block_on(artifacts.read_model(&uri(PLACE))).unwrap_err();
    assert!(error.message.contains("is one of clustering; a model that predicts a target is needed"), "{error}");
    let (card, model) = plain();
    block_on(artifacts.write_model(&uri(PLACE), card, &model)).unwrap();
    let error = block_on(artifacts.read_unsupervised(&uri(PLACE))).unwrap_err();
    assert!(error.message.contains("is one of regression"), "{error}");
    assert!(matches!(block_on(artifacts.read_stored_model(&uri(PLACE))).unwrap(), StoredModel::Supervised(_)));
}

#[test]
fn onnx_is_of_a_supervised_model_whatever_is_named_so() {
    let (artifacts, onnx) = (artifacts(), uri("s3://store/models/model.onnx"));
    let (card, model) = plain();
    block_on(artifacts.write_encoded(&uri(PLACE), EncodedModel::new(card, &model).unwrap())).unwrap();
    let stored = block_on(artifacts.read_stored_model(&onnx)).unwrap();
    let facts = stored.facts();
    assert_eq!((facts.task, facts.target_column, stored.uri()), (TaskType::Regression, Some("price"), &onnx));
    let error = block_on(artifacts.read_unsupervised(&onnx)).unwrap_err();
    assert!(error.message.contains("is one of regression"), "{error}");
    let (card, model) = made("kmeans");
    block_on(artifacts.write_unsupervised(&onnx, card, &model)).unwrap();
    for error in [
        block_on(artifacts.read_stored_model(&onnx)).unwrap_err(),
        block_on(artifacts.read_unsupervised(&onnx)).unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.contains("model.onnx") && error.hint.is_some(), "{error}");
    }
}

#[test]
fn what_was_tampered_with_is_refused() {
    let artifacts = artifacts();
    let (card, model) = made("kmeans");
    block_on(artifacts.write_unsupervised(&uri(PLACE), card, &model)).unwrap();
    let good = entries(&artifacts);
    let with = |change: fn(&mut Value)| {
        let mut card: Value = serde_json::from_slice(&good.card).unwrap();
        change(&mut card);
        Entries { card: serde_json::to_vec(&card).unwrap(), weights: good.weights.clone() }
    };
    let weights = |change: fn(&mut Vec<u8>)| {
        let mut weights = good.weights.clone();
        change(&mut weights);
        let mut card: Value = serde_json::from_slice(&good.card).unwrap();
        card["weights_sha256"] = Value::from(sha256_hex(&weights));
        Entries { card: serde_json::to_vec(&card).unwrap(), weights }
    };
    for (bad, expected) in [
        (Entries { card: good.card.clone(), weights: vec![0; 9] }, "but the card says"),
        (weights(|weights| weights.truncate(20)), "weights are damaged"),
        (weights(|weights| weights.push(0)), "followed by 1 bytes"),
        (with(|card| card["format"] = json!(2)), "the format is 2"),
        (with(|card| card["task"] = json!("dimensionality_reduction")), "the card says kmeans for dimensionality_red"),
        (with(|card| card["task"] = json!("classification")), "model.json is no card"),
        (with(|card| card["task"] = json!("magic")), "model.json is no card"),
        (with(|card| card["algorithm"] = json!("dbscan")), "the card says dbscan"),
        (with(|card| card["outputs"] = json!(9)), "names 9 outputs"),
        (with(|card| card["fitted_rows"] = json!(0)), "fitted to no row"),
        (with(|card| card["feature_names"] = json!(["x"])), "names 1 features"),
        (with(|card| card["feature_names"][0] = json!("other")), "the preprocessor gives other features"),
        (with(|card| card["k_search"]["chosen"] = json!(7)), "7 clusters were chosen"),
        (with(|card| card["preprocessor_sha256"] = Value::Null), "a preprocessor without its SHA-256"),
    ] {
        block_on(artifacts.write_bytes(&uri(PLACE), archive::pack(&bad).unwrap(), Condition::None)).unwrap();
        let error = block_on(artifacts.read_stored_model(&uri(PLACE))).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.contains(expected) && error.message.contains(PLACE), "{expected}: {error}");
    }
}

#[test]
fn no_damage_to_the_weights_panics() {
    let artifacts = artifacts();
    for algorithm in ["gaussian_mixture", "dbscan", "umap", "pca"] {
        let (card, model) = made(algorithm);
        block_on(artifacts.write_unsupervised(&uri(PLACE), card, &model)).unwrap();
        let good = entries(&artifacts);
        for at in (12..good.weights.len().min(300)).step_by(3) {
            let mut weights = good.weights.clone();
            weights[at] = 0xff;
            let mut card: Value = serde_json::from_slice(&good.card).unwrap();
            card["weights_sha256"] = Value::from(sha256_hex(&weights));
            let bad = Entries { card: serde_json::to_vec(&card).unwrap(), weights };
            block_on(artifacts.write_bytes(&uri(PLACE), archive::pack(&bad).unwrap(), Condition::None)).unwrap();
            if let Ok(loaded) = block_on(artifacts.read_unsupervised(&uri(PLACE))) {
                loaded.model.validate().unwrap();
            }
        }
    }
}

#[test]
fn a_card_that_does_not_describe_its_model_is_not_written() {
    let artifacts = artifacts();
    let (card, model) = made("pca");
    let wrong = UnsupervisedCard { task: TaskType::Clustering, ..card };
    let error = block_on(artifacts.write_unsupervised(&uri(PLACE), wrong, &model)).unwrap_err();
    assert!(error.message.contains("the card says pca for clustering"), "{error}");
    assert_eq!(block_on(artifacts.read_stored_model(&uri(PLACE))).unwrap_err().kind, ErrorKind::NotFound);
}
