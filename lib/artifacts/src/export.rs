//! What other programs load: ONNX of every model that has it, and XGBoost's own format of boosted trees. The files lie beside
//! the model and name the weights that they were made of.

use mlops_algorithms::models::Model;
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Artifacts, LoadedModel, ModelCard, Written, model, onnx};

/// The most bytes of an export: 64 MiB. A larger one is left out, and the reason is told.
pub const LARGEST_EXPORT: usize = 64 << 20;
/// About so many bytes of JSON stand for a node of a tree; more nodes are not even tried.
const JSON_NODE: usize = 80;
/// The attribute of XGBoost's format that holds the SHA-256 of the weights.
const WEIGHTS: &str = "weights_sha256";

/// A format that other programs load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// ONNX: the preprocessor and the model in one graph, from raw columns to labels and probabilities.
    Onnx,
    /// The JSON that `XGBoost` loads: the boosted trees alone, from features.
    XgboostJson,
}

impl ExportFormat {
    const ALL: [Self; 2] = [Self::Onnx, Self::XgboostJson];

    /// The name of the file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Onnx => "model.onnx",
            Self::XgboostJson => "model.xgboost.json",
        }
    }

    /// The name in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::XgboostJson => "xgboost_json",
        }
    }

    /// The file of a model in this format, or why there is none; `None` for a format that is not for such models.
    fn encode(self, card: &ModelCard, model: &Model) -> Option<std::result::Result<Vec<u8>, String>> {
        match self {
            Self::Onnx => Some(onnx::encode(card, model)),
            Self::XgboostJson => xgboost_json(card, model),
        }
    }

    /// The hash of the weights that a file says it was made of.
    fn weights(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Onnx => onnx::weights(bytes),
            Self::XgboostJson => {
                let value: Value = serde_json::from_slice(bytes).ok()?;
                Some(value.pointer(&format!("/learner/attributes/{WEIGHTS}"))?.as_str()?.to_owned())
            }
        }
    }
}

/// A file of a model in another format, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelExport {
    /// The format.
    pub format: ExportFormat,
    /// Where the file lies, beside the model; null when it was left out.
    pub uri: Option<ArtifactUri>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// Its size in bytes.
    pub bytes: Option<u64>,
    /// Why it was left out: what the format has no place for, or that the file would be too large.
    pub left_out: Option<String>,
}

/// A model as bytes, with its exports: what is left to do is writing.
#[derive(Debug)]
pub struct EncodedModel {
    archive: Vec<u8>,
    exports: Vec<(ExportFormat, std::result::Result<Vec<u8>, String>)>,
}

impl EncodedModel {
    /// Encodes a model; equal cards and weights give equal bytes. This keeps a processor busy.
    ///
    /// `InvalidInput` when the card does not describe the model.
    pub fn new(card: ModelCard, model: &Model) -> Result<Self> {
        let (card, archive) = model::encode(card, model)?;
        let exports = ExportFormat::ALL.into_iter();
        let exports = exports.filter_map(|format| Some((format, format.encode(&card, model)?)));
        Ok(Self { archive, exports: exports.collect() })
    }
}

impl Artifacts {
    /// Writes a model and its exports beside it, replacing what is there. The model comes last: who finds it finds its
    /// exports. Nothing is taken away: an export of an earlier model that this one does not have names other weights.
    pub async fn write_encoded(&self, uri: &ArtifactUri, encoded: EncodedModel) -> Result<(Written, Vec<ModelExport>)> {
        let mut exports = Vec::new();
        for (format, made) in encoded.exports {
            exports.push(match made {
                Ok(bytes) => {
                    let place = uri.with_file_name(format.file_name());
                    ModelExport::written(format, self.write_bytes(&place, bytes, Condition::None).await?)
                }
                Err(reason) => ModelExport { format, uri: None, sha256: None, bytes: None, left_out: Some(reason) },
            });
        }
        let written = self.write_bytes(uri, encoded.archive, Condition::None).await?;
        Ok((written, exports))
    }

    /// The exports that lie beside a model and were made of its weights. One of another model is not listed.
    pub async fn exports(&self, model: &LoadedModel) -> Result<Vec<ModelExport>> {
        let mut found = Vec::new();
        for format in ExportFormat::ALL {
            let place = model.uri.with_file_name(format.file_name());
            // The limit is that of the graph; its card and the frame come on top.
            let bytes = match self.read_bytes(&place, 2 * LARGEST_EXPORT as u64).await {
                Ok(bytes) => bytes,
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::InvalidInput) => continue,
                Err(error) => return Err(error),
            };
            if format.weights(&bytes).as_deref() == Some(model.card.weights_sha256.as_str()) {
                let (sha256, length) = (sha256_hex(&bytes), bytes.len() as u64);
                let uri = Some(place);
                found.push(ModelExport { format, uri, sha256: Some(sha256), bytes: Some(length), left_out: None });
            }
        }
        Ok(found)
    }
}

impl ModelExport {
    fn written(format: ExportFormat, written: Written) -> Self {
        let Written { uri, sha256, bytes, .. } = written;
        Self { format, uri: Some(uri), sha256: Some(sha256), bytes: Some(bytes), left_out: None }
    }
}

fn xgboost_json(card: &ModelCard, model: &Model) -> Option<std::result::Result<Vec<u8>, String>> {
    let trees = match model {
        Model::Xgboost(trees) => trees,
        Model::Calibrated(calibrated) if matches!(calibrated.model(), Model::Xgboost(_)) => {
            return Some(Err("XGBoost's format has no place for calibrated probabilities".to_owned()));
        }
        _ => return None,
    };
    let too_large = || Some(Err(format!("the JSON would have more than {LARGEST_EXPORT} bytes")));
    let nodes: usize = trees.trees().iter().map(mlops_algorithms::models::boosting::BoostedTree::len).sum();
    if nodes > LARGEST_EXPORT / JSON_NODE {
        return too_large();
    }
    let mut value = trees.to_xgboost_json(&card.feature_names);
    if let Some(Value::Object(attributes)) = value.pointer_mut("/learner/attributes") {
        attributes.insert(WEIGHTS.to_owned(), Value::from(card.weights_sha256.as_str()));
    }
    let bytes = value.to_string().into_bytes();
    if bytes.len() > LARGEST_EXPORT { too_large() } else { Some(Ok(bytes)) }
}

/// The error of a model that cannot be read, with what to do about it.
pub(crate) fn refused(reason: impl std::fmt::Display) -> Error {
    Error::invalid_input(reason.to_string()).hint("name the model.tar.gz that lies beside it, or train the model again")
}
