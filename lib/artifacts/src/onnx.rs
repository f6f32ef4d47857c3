//! A model as ONNX with its card: written with deterministic bytes, read with every claim checked.

use mlops_algorithms::models::{Algorithm, Model};
use mlops_algorithms::onnx::{Opened, file, graph, open, read};
use mlops_core::Result;
use mlops_core::values::sha256_hex;

use crate::ModelCard;
use crate::export::{LARGEST_EXPORT, refused};

/// The number of the form in which graphs and texts are written.
const FORMAT: &str = "1";
/// The names of the texts in the file.
const TEXTS: [&str; 4] = ["mlops.format", "mlops.graph_sha256", "mlops.description", "mlops.card"];

/// The file of a model, or why there is none.
pub(crate) fn encode(card: &ModelCard, model: &Model) -> std::result::Result<Vec<u8>, String> {
    let (graph, description) =
        graph(model, card.preprocessor.as_ref(), LARGEST_EXPORT).map_err(|error| error.to_string())?;
    let card = serde_json::to_string(card).map_err(|error| error.to_string())?;
    let texts = [FORMAT, &sha256_hex(&graph), &description, &card];
    let texts = TEXTS.into_iter().zip(texts).collect::<Vec<_>>();
    Ok(file(&graph, &texts))
}

/// The card and the model of a file. `InvalidInput` says what was found instead: another program's file, a hash that does
/// not fit, parts that contradict each other, or a graph that is not the one of its model.
pub(crate) fn decode(bytes: &[u8]) -> Result<(ModelCard, Model)> {
    let (opened, [format, _, description, card]) = checked(bytes)?;
    if format != FORMAT {
        return Err(refused(format!("the ONNX model has form {format}, and this version reads form {FORMAT}")));
    }
    let card: ModelCard = serde_json::from_str(&card)
        .map_err(|error| refused(format!("the card of the ONNX model is none ({error})")))?;
    let algorithm: Algorithm = card.algorithm.parse().map_err(|error| refused(format!("{error}")))?;
    let model = read(algorithm, opened.graph, &description).map_err(refused)?;
    card.check(&model).map_err(refused)?;
    // Whatever in the graph the reader did not look at is seen by this.
    if encode(&card, &model).as_deref() != Ok(bytes) {
        return Err(refused(format!(
            "the graph of the ONNX model is not the one that this version writes for its parameters; version {} wrote it",
            card.library_version
        )));
    }
    Ok((card, model))
}

/// The hash of the weights in the artifact that a sound file was made with.
pub(crate) fn weights(bytes: &[u8]) -> Option<String> {
    let (_, [.., card]) = checked(bytes).ok()?;
    let card: ModelCard = serde_json::from_str(&card).ok()?;
    Some(card.weights_sha256)
}

/// The parts of a file whose graph has the hash that the file says.
fn checked(bytes: &[u8]) -> Result<(Opened<'_>, [String; 4])> {
    let opened = open(bytes).map_err(refused)?;
    let mut texts = [const { String::new() }; 4];
    for (text, name) in texts.iter_mut().zip(TEXTS) {
        let found = opened.metadata.get(name);
        *text = found.cloned().ok_or_else(|| refused(format!("the ONNX model has no `{name}`")))?;
    }
    let hash = sha256_hex(opened.graph);
    if hash != texts[1] {
        let said = &texts[1];
        return Err(refused(format!("the graph of the ONNX model has the SHA-256 {hash}, but the file says {said}")));
    }
    Ok((opened, texts))
}
