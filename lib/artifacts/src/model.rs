//! Models as objects: written with deterministic bytes, read with every claim checked.

use std::collections::BTreeMap;
use std::path::Path;

use mlops_algorithms::models::Model;
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, TaskType, sha256_hex};
use mlops_core::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::archive::{self, Entries, LARGEST_ARCHIVE};
use crate::artifacts::{naming, to_json};
use crate::{Artifacts, LoadedUnsupervised, ModelCard, Signature, UnsupervisedCard, UnsupervisedModel, Written, onnx};

/// What weights begin with, followed by the number of their format in four bytes, the lowest first.
const MAGIC: &[u8; 8] = b"MLOPSWTS";
/// The format number of weights that this version writes: the model as `postcard` has it.
const WEIGHTS_FORMAT: u32 = 1;

/// A supervised model that was read and agrees with its card.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedModel {
    /// The card.
    pub card: ModelCard,
    /// The weights.
    pub model: Model,
    /// The SHA-256 of the archive's bytes, 64 hex digits.
    pub sha256: String,
    /// The URI as it was asked for.
    pub uri: ArtifactUri,
}

/// A model of any kind that was read and agrees with its card.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredModel {
    /// One that predicts a target.
    Supervised(Box<LoadedModel>),
    /// One that learnt without a target.
    Unsupervised(Box<LoadedUnsupervised>),
}

/// What every card says, whatever the kind of learning.
#[derive(Debug, Clone, Copy)]
pub struct CardFacts<'a> {
    /// The kind of learning.
    pub task: TaskType,
    /// The algorithm's name.
    pub algorithm: &'a str,
    /// The column that the model predicts, where it predicts one.
    pub target_column: Option<&'a str>,
    /// The raw columns that go in and what comes out.
    pub signature: &'a Signature,
    /// The hyperparameters, defaults included.
    pub hyperparameters: &'a Map<String, Value>,
    /// The metrics of the training.
    pub metrics: &'a BTreeMap<String, f64>,
    /// The SHA-256 of the training table's bytes.
    pub train_sha256: &'a str,
}

impl StoredModel {
    /// What its card says.
    pub fn facts(&self) -> CardFacts<'_> {
        match self {
            Self::Supervised(model) => {
                let card = &model.card;
                CardFacts {
                    task: card.task.task(),
                    algorithm: &card.algorithm,
                    target_column: Some(&card.target_column),
                    signature: &card.signature,
                    hyperparameters: &card.hyperparameters,
                    metrics: &card.metrics,
                    train_sha256: &card.train_sha256,
                }
            }
            Self::Unsupervised(model) => {
                let card = &model.card;
                CardFacts {
                    task: card.task,
                    algorithm: &card.algorithm,
                    target_column: None,
                    signature: &card.signature,
                    hyperparameters: &card.hyperparameters,
                    metrics: &card.metrics,
                    train_sha256: &card.train_sha256,
                }
            }
        }
    }

    /// The SHA-256 of the archive's bytes, 64 hex digits.
    pub fn sha256(&self) -> &str {
        match self {
            Self::Supervised(model) => &model.sha256,
            Self::Unsupervised(model) => &model.sha256,
        }
    }

    /// The URI as it was asked for.
    pub fn uri(&self) -> &ArtifactUri {
        match self {
            Self::Supervised(model) => &model.uri,
            Self::Unsupervised(model) => &model.uri,
        }
    }
}

impl Artifacts {
    /// Reads a supervised model of at most 2 GiB as it is stored: an archive, or the ONNX of one. `NotFound` when there is
    /// no object; `InvalidInput`, naming the URI and what was found, when it is not such a model, its hashes do not match,
    /// or its parts do not agree.
    pub async fn read_model(&self, uri: &ArtifactUri) -> Result<LoadedModel> {
        match self.read_stored_model(uri).await? {
            StoredModel::Supervised(model) => Ok(*model),
            StoredModel::Unsupervised(model) => {
                Err(of_other_kind(uri, model.card.task, "a model that predicts a target"))
            }
        }
    }

    /// Reads a model without a target, with the same checks as [`Artifacts::read_model`].
    pub async fn read_unsupervised(&self, uri: &ArtifactUri) -> Result<LoadedUnsupervised> {
        match self.read_stored_model(uri).await? {
            StoredModel::Unsupervised(model) => Ok(*model),
            StoredModel::Supervised(model) => {
                Err(of_other_kind(uri, model.card.task.task(), "a model of clustering or dimensionality_reduction"))
            }
        }
    }

    /// Reads a model of any kind, with the same checks as [`Artifacts::read_model`].
    pub async fn read_stored_model(&self, uri: &ArtifactUri) -> Result<StoredModel> {
        let bytes = self.read_bytes(uri, LARGEST_ARCHIVE).await?;
        let sha256 = sha256_hex(&bytes);
        let onnx = Path::new(uri.file_name()).extension().is_some_and(|ending| ending == "onnx");
        let parts = if onnx {
            onnx::decode(&bytes).map(|(card, model)| Decoded::Supervised(card, model))
        } else {
            decode(&bytes)
        };
        let parts = parts.map_err(|error| naming(uri, error))?;
        let uri = uri.clone();
        Ok(match parts {
            Decoded::Supervised(card, model) => {
                StoredModel::Supervised(Box::new(LoadedModel { card, model, sha256, uri }))
            }
            Decoded::Unsupervised(card, model) => {
                StoredModel::Unsupervised(Box::new(LoadedUnsupervised { card, model, sha256, uri }))
            }
        })
    }

    /// Writes a model, replacing what is there; fills in `weights_sha256`. Equal cards and weights give equal bytes.
    /// `InvalidInput` when the card does not describe the model.
    pub async fn write_model(&self, uri: &ArtifactUri, card: ModelCard, model: &Model) -> Result<Written> {
        let (_, bytes) = encode(card, model).map_err(|error| naming(uri, error))?;
        self.write_bytes(uri, bytes, Condition::None).await
    }
}

fn of_other_kind(uri: &ArtifactUri, task: TaskType, needed: &str) -> Error {
    let task = task.as_str();
    Error::invalid_input(format!("the model at `{uri}` is one of {task}; {needed} is needed"))
        .hint("name another model")
}

/// The card of a supervised model with the hash of the weights, and the archive.
pub(crate) fn encode(mut card: ModelCard, model: &Model) -> Result<(ModelCard, Vec<u8>)> {
    card.check(model).map_err(|reason| Error::invalid_input(format!("the model cannot be written: {reason}")))?;
    let bytes = pack(model, |sha256| {
        card.weights_sha256 = sha256;
        to_json(&card)
    })?;
    Ok((card, bytes))
}

/// The archive of weights with the card that `card` makes of their hash.
pub(crate) fn pack<M: Serialize>(model: &M, card: impl FnOnce(String) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let mut weights = MAGIC.to_vec();
    weights.extend_from_slice(&WEIGHTS_FORMAT.to_le_bytes());
    let mut weights = postcard::to_extend(model, weights)
        .map_err(|error| Error::internal("the weights could not be written").caused_by(error))?;
    weights.shrink_to_fit();
    archive::pack(&Entries { card: card(sha256_hex(&weights))?, weights })
}

/// A card with its weights.
enum Decoded {
    Supervised(ModelCard, Model),
    Unsupervised(UnsupervisedCard, UnsupervisedModel),
}

/// What tells the kinds of cards apart.
#[derive(Deserialize)]
struct AnyCard {
    task: TaskType,
}

fn decode(bytes: &[u8]) -> Result<Decoded> {
    let Entries { card, weights } = archive::unpack(bytes)?;
    let any: AnyCard = read_card(&card)?;
    if any.task.supervised().is_some() {
        let card: ModelCard = read_card(&card)?;
        let model: Model = read_weights(&weights, &card.weights_sha256)?;
        model.validate().map_err(|error| refuse(&error.to_string()))?;
        card.check(&model).map_err(|reason| refuse(&reason))?;
        return Ok(Decoded::Supervised(card, model));
    }
    let card: UnsupervisedCard = read_card(&card)?;
    let model: UnsupervisedModel = read_weights(&weights, &card.weights_sha256)?;
    model.validate().map_err(|reason| refuse(&reason))?;
    card.check(&model).map_err(|reason| refuse(&reason))?;
    Ok(Decoded::Unsupervised(card, model))
}

fn refuse(reason: &str) -> Error {
    Error::invalid_input(format!("this is not a model: {reason}")).hint("train the model again, or copy it again")
}

fn read_card<C: DeserializeOwned>(bytes: &[u8]) -> Result<C> {
    serde_json::from_slice(bytes).map_err(|error| refuse(&format!("its model.json is no card ({error})")))
}

fn read_weights<M: DeserializeOwned>(weights: &[u8], expected: &str) -> Result<M> {
    let hash = sha256_hex(weights);
    if hash != expected {
        return Err(refuse(&format!("its weights have the SHA-256 {hash}, but the card says {expected}")));
    }
    let Some((format, weights)) = weights.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<4>()) else {
        return Err(refuse("its weights do not begin as weights do"));
    };
    let format = u32::from_le_bytes(*format);
    if format != WEIGHTS_FORMAT {
        return Err(refuse(&format!("its weights have format {format}; this version reads format {WEIGHTS_FORMAT}")));
    }
    let (model, rest) = postcard::take_from_bytes::<M>(weights)
        .map_err(|error| refuse(&format!("its weights are damaged ({error})")))?;
    if !rest.is_empty() {
        return Err(refuse(&format!("its weights are followed by {} bytes of something else", rest.len())));
    }
    Ok(model)
}
