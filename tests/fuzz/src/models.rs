//! Models from anywhere: our archive, XGBoost's JSON and ONNX are read as sound models, or refused with a reason.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::LazyLock;
use std::time::Duration;

use mlops_algorithms::models::{Algorithm, BoostedTrees, Hyperparameters, Model, Task, fit};
use mlops_algorithms::onnx;
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use mlops_artifacts::{EncodedModel, ModelCard, Signature};
use mlops_core::ErrorKind;
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, SupervisedTask, sha256_hex};
use ndarray::Array2;
use serde_json::{Map, Value, json};

use crate::edits::Input;
use crate::room::{Renewed, Room};

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    static ROOM: RefCell<Renewed<Room>> = const { RefCell::new(Renewed::new(Room::new)) };
}

const KINDS: [(Algorithm, &str); 9] = [
    (Algorithm::RandomForest, r#"{"n_estimators": 2, "max_depth": 2}"#),
    (Algorithm::DecisionTree, r#"{"max_depth": 2}"#),
    (Algorithm::LogisticRegression, "{}"),
    (Algorithm::NeuralNetwork, r#"{"hidden_layer_sizes": 2, "max_iter": 1}"#),
    (Algorithm::Svm, "{}"),
    (Algorithm::NaiveBayes, "{}"),
    (Algorithm::Knn, r#"{"n_neighbors": 2}"#),
    (Algorithm::Xgboost, r#"{"n_estimators": 2, "max_depth": 2}"#),
    (Algorithm::LinearDiscriminantAnalysis, "{}"),
];

static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let x = Array2::from_shape_fn((12, 2), |(row, column)| ((row * 7 + column * 5) % 11) as f64);
    let codes = x.rows().into_iter().map(|row| u32::from(row[0] > row[1])).collect();
    let target = Target::Classes { labels: vec!["a".to_owned(), "b".to_owned()], codes };
    let model = |(algorithm, given): (Algorithm, &str)| {
        let given: Map<String, Value> = serde_json::from_str(given).unwrap();
        let parameters = Hyperparameters::parse(algorithm, Task::Classification, &given).unwrap();
        fit(algorithm, x.view(), &target, None, &parameters, 1, &Silent).unwrap().model
    };
    KINDS.into_iter().map(model).collect()
});

fn card(model: &Model) -> ModelCard {
    ModelCard {
        format: mlops_artifacts::CARD_FORMAT,
        task: SupervisedTask::Classification,
        algorithm: model.algorithm().to_string(),
        target_column: "kind".to_owned(),
        classes: Some(model.labels().to_vec()),
        feature_names: vec!["x".to_owned(), "y".to_owned()],
        signature: Signature { inputs: Vec::new(), output: "class".to_owned() },
        hyperparameters: Map::new(),
        metrics: BTreeMap::new(),
        feature_importance: BTreeMap::new(),
        seed: 1,
        train_sha256: "a".repeat(64),
        validation_sha256: None,
        preprocessor: None,
        preprocessor_sha256: None,
        weights_sha256: String::new(),
        library_version: "0".to_owned(),
    }
}

fn place(name: &str) -> ArtifactUri {
    ROOM.with_borrow_mut(|room| room.get().artifacts.root().join("models/run").join(name))
}

/// Writes bytes under a name, and reads them as a model, which is then sound. Says whether they are one.
fn read(name: &str, bytes: Vec<u8>) -> bool {
    let place = place(name);
    ROOM.with_borrow_mut(|room| {
        let artifacts = &room.get().artifacts;
        let work = async {
            artifacts.write_bytes(&place, bytes, Condition::None).await.unwrap();
            artifacts.read_model(&place).await
        };
        match RUNTIME.with(|runtime| runtime.block_on(work)) {
            Ok(loaded) => {
                is_sound(&loaded.model);
                true
            }
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::InvalidInput, "{error}");
                assert!(error.message.contains("model") && error.hint.is_some(), "{error}");
                false
            }
        }
    })
}

fn is_sound(model: &Model) {
    model.validate().unwrap();
    if model.num_features() > 1000 {
        return;
    }
    let x = Array2::from_shape_fn((3, model.num_features()), |(row, column)| row as f64 - column as f64);
    if model.task() == Task::Regression {
        drop(model.predict_values(x.view()).unwrap());
        return;
    }
    for row in model.predict_proba(x.view()).unwrap().rows() {
        // Parameters at the very end of the range of numbers may cancel to none at all.
        let is_number = row.iter().all(|share| !share.is_nan());
        let is_one = (row.sum() - 1.0).abs() < 1e-6 && row.iter().all(|share| *share >= 0.0);
        assert!(is_one || !is_number, "{model:?}: {row}");
    }
}

/// The archive of a card and weights, whose hash is made to fit.
fn archive_of(card: &Value, weights: &[u8]) -> Vec<u8> {
    let mut card = card.clone();
    card["weights_sha256"] = json!(sha256_hex(weights));
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, bytes) in [("model.json", card.to_string().into_bytes()), ("weights.bin", weights.to_vec())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// The archives as they are written, their cards, and their weights.
type Archives = (Vec<Vec<u8>>, Vec<Value>, Vec<Vec<u8>>);

static ARCHIVES: LazyLock<Archives> = LazyLock::new(|| {
    let (mut archives, mut cards, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for model in MODELS.iter() {
        let place = place("sample.tar.gz");
        let bytes = ROOM.with_borrow_mut(|room| {
            let artifacts = &room.get().artifacts;
            let encoded = EncodedModel::new(card(model), model).unwrap();
            let work = async {
                artifacts.write_encoded(&place, encoded).await.unwrap();
                artifacts.read_bytes(&place, 1 << 20).await.unwrap()
            };
            RUNTIME.with(|runtime| runtime.block_on(work))
        });
        let mut entries = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
        for entry in entries.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            match entry.path().unwrap().to_string_lossy().as_ref() {
                "model.json" => cards.push(serde_json::from_slice(&bytes).unwrap()),
                _ => weights.push(bytes),
            }
        }
        archives.push(bytes.to_vec());
    }
    (archives, cards, weights)
});

#[test]
fn archive() {
    let (archives, cards, weights) = &*ARCHIVES;
    for ((whole, card), weights) in archives.iter().zip(cards).zip(weights) {
        assert!(read("whole.tar.gz", whole.clone()), "{card}");
        assert!(read("packed.tar.gz", archive_of(card, weights)), "{card}");
    }
    bolero::check!().with_type::<(bool, Input)>().with_test_time(Duration::from_secs(2)).for_each(|(inside, input)| {
        if *inside {
            let kind = match input {
                Input::Edited(sample, _) => usize::from(*sample) % cards.len(),
                Input::Bytes(_) => 0,
            };
            read("edited.tar.gz", archive_of(&cards[kind], &input.bytes(weights)));
        } else {
            read("edited.tar.gz", input.bytes(archives));
        }
    });
}

#[test]
fn xgboost_json() {
    let boosted = MODELS.iter().filter_map(|model| match model {
        Model::Xgboost(trees) => Some(trees.to_xgboost_json(&[]).to_string()),
        _ => None,
    });
    let samples = boosted.collect::<Vec<_>>();
    let holds = |text: &str| match BoostedTrees::from_xgboost_json(text) {
        Ok(trees) => is_sound(&Model::Xgboost(trees)),
        Err(error) => assert!(!error.to_string().is_empty()),
    };
    for sample in &samples {
        holds(sample);
    }
    bolero::check!().with_type::<Input>().with_test_time(Duration::from_secs(2)).for_each(|input| {
        holds(&String::from_utf8_lossy(&input.bytes(&samples)));
    });
}

#[test]
fn onnx_graph() {
    let made = MODELS.iter().map(|model| onnx::graph(model, None, 1 << 20).unwrap()).collect::<Vec<_>>();
    let graphs = made.iter().map(|(graph, _)| graph.clone()).collect::<Vec<_>>();
    let descriptions = made.iter().map(|(_, description)| description.clone()).collect::<Vec<_>>();
    let files = MODELS.iter().map(|model| onnx::file(&onnx::graph(model, None, 1 << 20).unwrap().0, &[("a", "b")]));
    let files = files.collect::<Vec<_>>();
    let holds = |kind: usize, graph: &[u8], description: &str| match onnx::read(
        KINDS[kind % KINDS.len()].0,
        graph,
        description,
    ) {
        Ok(model) => is_sound(&model),
        Err(error) => assert!(error.to_string().contains("damaged"), "{error}"),
    };
    for (kind, (graph, description)) in made.iter().enumerate() {
        is_sound(&onnx::read(KINDS[kind].0, graph, description).unwrap());
        assert_eq!(onnx::open(&files[kind]).unwrap().graph, graph);
    }
    bolero::check!().with_type::<(u8, Input)>().with_test_time(Duration::from_secs(2)).for_each(|(what, input)| {
        let kind = match input {
            Input::Edited(sample, _) => usize::from(*sample) % KINDS.len(),
            Input::Bytes(_) => 0,
        };
        match what % 4 {
            0 => holds(kind, &graphs[kind], &String::from_utf8_lossy(&input.bytes(&descriptions))),
            1 => {
                let bytes = input.bytes(&files);
                read("edited.onnx", bytes.clone());
                if let Ok(opened) = onnx::open(&bytes) {
                    holds(kind, opened.graph, &descriptions[kind]);
                }
            }
            _ => holds(kind, &input.bytes(&graphs), &descriptions[kind]),
        }
    });
}
