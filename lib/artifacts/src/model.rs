//! Models as objects: written with deterministic bytes, read with every claim checked.

use std::path::Path;

use mlops_algorithms::models::Model;
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Error, Result};

use crate::archive::{self, Entries, LARGEST_ARCHIVE};
use crate::artifacts::{naming, to_json};
use crate::{Artifacts, ModelCard, Written, onnx};

/// What weights begin with, followed by the number of their format in four bytes, the lowest first.
const MAGIC: &[u8; 8] = b"MLOPSWTS";
/// The format number of weights that this version writes: the model as `postcard` has it.
const WEIGHTS_FORMAT: u32 = 1;

/// A model that was read and agrees with its card.
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

impl Artifacts {
    /// Reads a model of at most 2 GiB as it is stored: an archive, or the ONNX of one. `NotFound` when there is no object; `InvalidInput`, naming the
    /// URI and what was found, when it is not a model, its hashes do not match, or its parts do not agree.
    pub async fn read_model(&self, uri: &ArtifactUri) -> Result<LoadedModel> {
        let bytes = self.read_bytes(uri, LARGEST_ARCHIVE).await?;
        let ending = Path::new(uri.file_name()).extension();
        let decode = if ending.is_some_and(|ending| ending == "onnx") { onnx::decode } else { decode };
        let (card, model) = decode(&bytes).map_err(|error| naming(uri, error))?;
        Ok(LoadedModel { card, model, sha256: sha256_hex(&bytes), uri: uri.clone() })
    }

    /// Writes a model, replacing what is there; fills in `weights_sha256`. Equal cards and weights give equal bytes.
    /// `InvalidInput` when the card does not describe the model.
    pub async fn write_model(&self, uri: &ArtifactUri, card: ModelCard, model: &Model) -> Result<Written> {
        let (_, bytes) = encode(card, model).map_err(|error| naming(uri, error))?;
        self.write_bytes(uri, bytes, Condition::None).await
    }
}

/// The card with the hash of the weights, and the archive.
pub(crate) fn encode(mut card: ModelCard, model: &Model) -> Result<(ModelCard, Vec<u8>)> {
    card.check(model).map_err(|reason| Error::invalid_input(format!("the model cannot be written: {reason}")))?;
    let mut weights = MAGIC.to_vec();
    weights.extend_from_slice(&WEIGHTS_FORMAT.to_le_bytes());
    let mut weights = postcard::to_extend(model, weights)
        .map_err(|error| Error::internal("the weights could not be written").caused_by(error))?;
    weights.shrink_to_fit();
    card.weights_sha256 = sha256_hex(&weights);
    let bytes = archive::pack(&Entries { card: to_json(&card)?, weights })?;
    Ok((card, bytes))
}

fn decode(bytes: &[u8]) -> Result<(ModelCard, Model)> {
    let refuse = |reason: String| {
        Error::invalid_input(format!("this is not a model: {reason}")).hint("train the model again, or copy it again")
    };
    let Entries { card, weights } = archive::unpack(bytes)?;
    let card: ModelCard =
        serde_json::from_slice(&card).map_err(|error| refuse(format!("its model.json is no card ({error})")))?;
    let hash = sha256_hex(&weights);
    if hash != card.weights_sha256 {
        return Err(refuse(format!("its weights have the SHA-256 {hash}, but the card says {}", card.weights_sha256)));
    }
    let Some((format, weights)) = weights.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<4>()) else {
        return Err(refuse("its weights do not begin as weights do".to_owned()));
    };
    let format = u32::from_le_bytes(*format);
    if format != WEIGHTS_FORMAT {
        return Err(refuse(format!("its weights have format {format}; this version reads format {WEIGHTS_FORMAT}")));
    }
    let (model, rest) = postcard::take_from_bytes::<Model>(weights)
        .map_err(|error| refuse(format!("its weights are damaged ({error})")))?;
    if !rest.is_empty() {
        return Err(refuse(format!("its weights are followed by {} bytes of something else", rest.len())));
    }
    model.validate().map_err(|error| refuse(error.to_string()))?;
    card.check(&model).map_err(refuse)?;
    Ok((card, model))
}
