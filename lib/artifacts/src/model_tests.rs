//! Models are read as they were written, and nothing in a file is trusted.

use futures::executor::block_on;
use mlops_algorithms::models::{Algorithm, Hyperparameters, Task};
use mlops_core::ErrorKind;
use mlops_core::ports::Condition;
use mlops_core::values::{SupervisedTask, sha256_hex};
use serde_json::Value;

use crate::archive::{self, Entries};
use crate::memory_store::{artifacts, uri};
use crate::sample_model::{plain, raw};
use crate::{Artifacts, ModelCard};

const PLACE: &str = "s3://store/models/model.tar.gz";

/// The bytes of a model in the store, as its two entries.
fn entries(artifacts: &Artifacts) -> Entries {
    archive::unpack(&block_on(artifacts.read_bytes(&uri(PLACE), 1 << 20)).unwrap()).unwrap()
}

/// The message with which a model of those entries is refused.
fn refused(artifacts: &Artifacts, entries: &Entries) -> String {
    block_on(artifacts.write_bytes(&uri(PLACE), archive::pack(entries).unwrap(), Condition::None)).unwrap();
    let error = block_on(artifacts.read_model(&uri(PLACE))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert!(error.message.contains(PLACE) && error.hint.is_some(), "{error}");
    error.message
}

/// Changes the card.
fn with_card(entries: &Entries, change: impl Fn(&mut Value)) -> Entries {
    let mut card: Value = serde_json::from_slice(&entries.card).unwrap();
    change(&mut card);
    Entries { card: serde_json::to_vec(&card).unwrap(), weights: entries.weights.clone() }
}

/// Changes the weights and their hash in the card.
fn with_weights(entries: &Entries, change: impl Fn(&mut Vec<u8>)) -> Entries {
    let mut weights = entries.weights.clone();
    change(&mut weights);
    let hash = sha256_hex(&weights);
    let Entries { card, .. } = with_card(entries, |card| card["weights_sha256"] = Value::from(hash.as_str()));
    Entries { card, weights }
}

#[test]
fn every_algorithm_is_read_as_it_was_written() {
    let (place, artifacts) = (uri(PLACE), artifacts());
    let of = |task: Task| {
        let kind =
            if task == Task::Classification { SupervisedTask::Classification } else { SupervisedTask::Regression };
        let can = move |algorithm: &Algorithm| Hyperparameters::defaults(*algorithm, task).is_ok();
        Algorithm::ALL.into_iter().filter(can).map(move |algorithm| raw(algorithm, kind))
    };
    for (card, model) in of(Task::Classification).chain(of(Task::Regression)).chain([plain()]) {
        let written = block_on(artifacts.write_model(&place, card.clone(), &model)).unwrap();
        let again = block_on(artifacts.write_model(&place, card.clone(), &model)).unwrap();
        assert_eq!(written, again, "equal models have equal bytes");
        let loaded = block_on(artifacts.read_model(&place)).unwrap();
        assert_eq!(loaded.model, model);
        assert_eq!(loaded.sha256, written.sha256);
        assert_eq!(loaded.card.weights_sha256, sha256_hex(&entries(&artifacts).weights));
        assert_eq!(ModelCard { weights_sha256: String::new(), ..loaded.card }, card);
    }
}

#[test]
fn a_model_that_was_tampered_with_is_refused() {
    let (place, artifacts) = (uri(PLACE), artifacts());
    let (card, model) = raw(Algorithm::DecisionTree, SupervisedTask::Classification);
    block_on(artifacts.write_model(&place, card, &model)).unwrap();
    let good = entries(&artifacts);
    let with = |change: fn(&mut Value)| with_card(&good, change);
    let cases = [
        (Entries { card: b"{}".to_vec(), weights: good.weights.clone() }, "model.json is no card"),
        (Entries { card: good.card.clone(), weights: vec![0; 9] }, "but the card says"),
        (with_weights(&good, |weights| weights[0] ^= 1), "do not begin as weights do"),
        (with_weights(&good, |weights| weights.truncate(10)), "do not begin as weights do"),
        (with_weights(&good, |weights| weights[8] = 9), "weights have format 9"),
        (with_weights(&good, |weights| weights.truncate(20)), "weights are damaged"),
        (with_weights(&good, |weights| weights.push(0)), "followed by 1 bytes"),
        (with(|card| card["format"] = Value::from(2)), "the format is 2"),
        (with(|card| card["task"] = Value::from("regression")), "the card says decision_tree for regression"),
        (with(|card| card["algorithm"] = Value::from("xgboost")), "the card says xgboost"),
        (with(|card| card["classes"] = Value::from(vec!["b", "a"])), "classes of the card"),
        (with(|card| card["feature_names"] = Value::from(vec!["x"])), "names 1 features"),
        (with(|card| card["feature_names"][0] = Value::from("other")), "the preprocessor gives other features"),
        (with(|card| card["feature_names"][1] = card["feature_names"][0].clone()), "occurs more than once"),
        (with(|card| card["preprocessor"]["fitted_rows"] = Value::from(0)), "model.json is no card"),
        (with(|card| card["preprocessor_sha256"] = Value::Null), "a preprocessor without its SHA-256"),
    ];
    for (entries, expected) in &cases {
        let message = refused(&artifacts, entries);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn no_damage_to_the_weights_goes_unnoticed_or_panics() {
    let artifacts = artifacts();
    let (card, model) = raw(Algorithm::RandomForest, SupervisedTask::Regression);
    block_on(artifacts.write_model(&uri(PLACE), card, &model)).unwrap();
    let good = entries(&artifacts);
    for at in (12..good.weights.len().min(400)).step_by(3) {
        let bad = with_weights(&good, |weights| weights[at] = 0xff);
        block_on(artifacts.write_bytes(&uri(PLACE), archive::pack(&bad).unwrap(), Condition::None)).unwrap();
        // Some changes only make another valid model; all that matters is that a bad one is an error.
        if let Ok(loaded) = block_on(artifacts.read_model(&uri(PLACE))) {
            loaded.model.validate().unwrap();
        }
    }
}

#[test]
fn a_card_that_does_not_describe_its_model_is_not_written() {
    let artifacts = artifacts();
    let (card, model) = plain();
    let mut wrong = card.clone();
    wrong.metrics.insert("train_loss".to_owned(), f64::INFINITY);
    let error = block_on(artifacts.write_model(&uri(PLACE), wrong, &model)).unwrap_err();
    assert!(error.message.contains("`train_loss` is inf"), "{error}");
    let error = block_on(artifacts.read_model(&uri(PLACE))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "nothing was written");
    block_on(artifacts.write_bytes(&uri(PLACE), "a,b\n", Condition::None)).unwrap();
    let error = block_on(artifacts.read_model(&uri(PLACE))).unwrap_err();
    assert!(error.message.contains("not a model: it is no compressed tar file"), "{error}");
}
