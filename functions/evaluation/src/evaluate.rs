//! The candidate on the test rows, beside the champion.

use std::collections::{BTreeMap, BTreeSet};

use mlops_core::values::{ArtifactUri, SupervisedTask, TrainingConfig};
use mlops_core::{Call, Error, ErrorKind, Result, ToolCaller, arguments, schema};
use mlops_ml_evaluation::MlEvaluation;
use mlops_ml_evaluation::tools::{EvaluateClassifier, EvaluateRegressor};
use mlops_model_registry::ModelRegistry;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::champion;
use crate::evidence::{Champion, Comparison, Evidence, Interval};

/// The argument that names the champion's model.
const BASELINE: &str = "baseline_model_s3_uri";
/// The most slices of a column that go on to the judge.
const SLICES: usize = 50;

/// What the evaluation needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateInputs {
    /// The trained model.
    pub model_s3_uri: ArtifactUri,
    /// The test rows, raw columns.
    pub test_uri: ArtifactUri,
    /// The model to compare with, when it is not the registry's champion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champion_model_uri: Option<ArtifactUri>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateOutputs {
    /// Everything that was found out, as a document.
    pub evaluation_uri: String,
    /// The predictions.
    pub predictions_uri: String,
    /// How many rows were evaluated.
    pub n: usize,
    /// What the judge looks at.
    pub evidence: Evidence,
}

/// What both evaluators report, as far as a decision needs it.
#[derive(Deserialize)]
struct Evaluated {
    metrics: BTreeMap<String, Option<f64>>,
    beats_guessing: Option<bool>,
    intervals: BTreeMap<String, Bounds>,
    slices: Vec<Sliced>,
    comparison: Option<Compared>,
    evaluation_uri: String,
    predictions_uri: String,
    n: usize,
    model_sha256: String,
}

#[derive(Deserialize)]
struct Bounds {
    lower: f64,
    upper: f64,
}

#[derive(Deserialize)]
struct Sliced {
    column: String,
    slices: Vec<OneSlice>,
}

#[derive(Deserialize)]
struct OneSlice {
    label: String,
    metrics: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Compared {
    baseline: ComparedModel,
    baseline_metrics: BTreeMap<String, Option<f64>>,
    metric: String,
    gain: f64,
    test: String,
    p_value: Option<f64>,
    significant: bool,
}

#[derive(Deserialize)]
struct ComparedModel {
    sha256: String,
}

/// Evaluates. A champion of the same bytes is the same model, so it is left out; one that cannot be scored on these rows
/// stays in the evidence with the reason.
pub(crate) async fn evaluate(
    tools: &ToolCaller<MlEvaluation>,
    registry: &ToolCaller<ModelRegistry>,
    config: &TrainingConfig,
    run_id: &str,
    inputs: EvaluateInputs,
    call: &Call,
) -> Result<EvaluateOutputs> {
    let task = config.task.supervised().ok_or_else(|| {
        Error::invalid_input(format!("{} has no column to predict", config.task.as_str())).at("config.task")
    })?;
    let version = champion::find(registry, config, call).await?;
    let (baseline, mut reason) = match (&inputs.champion_model_uri, &version) {
        (Some(uri), _) => (Some(uri.clone()), None),
        (None, Some(version)) => match champion::comparable(version, config) {
            Ok(uri) => (Some(uri), None),
            Err(reason) => (None, Some(reason)),
        },
        (None, None) => (None, None),
    };
    let mut request = request(config, run_id, &inputs);
    if let Some(baseline) = &baseline {
        request[BASELINE] = json!(baseline);
    }
    let evaluated = match score(tools, task, request.clone(), call).await {
        Err(error) if baseline.is_some() && is_about_champion(&error) => {
            reason = Some(error.message);
            request.as_object_mut().map(|fields| fields.remove(BASELINE));
            score(tools, task, request, call).await?
        }
        other => other?,
    };
    let is_same = |sha256: &str| sha256 == evaluated.model_sha256;
    let champion = match (version, evaluated.comparison) {
        (Some(version), _) if is_same(&version.model_sha256) => None,
        (_, Some(compared)) if is_same(&compared.baseline.sha256) => None,
        (Some(version), compared) => Some((version.version, compared)),
        // A model that was named and is no version of the registry has no number.
        (None, Some(compared)) => Some((0, Some(compared))),
        (None, None) => None,
    };
    let champion = champion.map(|(version, compared)| Champion {
        version,
        reason: if compared.is_none() { reason } else { None },
        comparison: compared.map(comparison),
    });
    Ok(EvaluateOutputs {
        evidence: Evidence {
            intervals: intervals(evaluated.intervals),
            slices: gated_slices(config, &evaluated.slices),
            metrics: evaluated.metrics,
            beats_guessing: evaluated.beats_guessing,
            champion,
        },
        evaluation_uri: evaluated.evaluation_uri,
        predictions_uri: evaluated.predictions_uri,
        n: evaluated.n,
    })
}

fn request(config: &TrainingConfig, run_id: &str, inputs: &EvaluateInputs) -> Value {
    let mut request = json!({
        "model_s3_uri": inputs.model_s3_uri,
        "test_data_s3_uri": inputs.test_uri,
        "slices": slices(config),
        "seed": config.seed,
        "run_id": run_id,
    });
    if config.task.supervised() == Some(SupervisedTask::Classification)
        && let Some(class) = &config.evaluation.positive_class
    {
        request["positive_class"] = json!(class);
    }
    request
}

/// The columns to slice by: those of the evaluation, and those that gates name.
fn slices(config: &TrainingConfig) -> Vec<String> {
    let gated = config.gates.values().filter_map(|gate| gate.slice.clone());
    let mut seen = BTreeSet::new();
    config.evaluation.slices.iter().cloned().chain(gated).filter(|column| seen.insert(column.clone())).collect()
}

async fn score(
    tools: &ToolCaller<MlEvaluation>,
    task: SupervisedTask,
    request: Value,
    call: &Call,
) -> Result<Evaluated> {
    match task {
        SupervisedTask::Classification => {
            let tool = arguments::parse(&schema::of_input::<EvaluateClassifier>(), request)?;
            read(&tools.call::<EvaluateClassifier>(tool, call).await.map_err(in_request)?)
        }
        SupervisedTask::Regression => {
            let tool = arguments::parse(&schema::of_input::<EvaluateRegressor>(), request)?;
            read(&tools.call::<EvaluateRegressor>(tool, call).await.map_err(in_request)?)
        }
    }
}

fn read<T: DeserializeOwned>(report: &impl Serialize) -> Result<T> {
    let value = serde_json::to_value(report);
    value.and_then(serde_json::from_value).map_err(|error| {
        Error::internal("the evaluation's result does not have the shape that the judge needs").caused_by(error)
    })
}

/// The error with the field of the request that the argument came from.
fn in_request(error: Error) -> Error {
    match error.field.as_deref() {
        Some(field @ ("positive_class" | "slices")) => {
            let field = format!("config.evaluation.{field}");
            error.at(field)
        }
        _ => error,
    }
}

pub(crate) fn is_about_champion(error: &Error) -> bool {
    error.field.as_deref() == Some(BASELINE) && matches!(error.kind, ErrorKind::InvalidInput | ErrorKind::NotFound)
}

fn comparison(compared: Compared) -> Comparison {
    Comparison {
        baseline_metrics: compared.baseline_metrics,
        metric: compared.metric,
        gain: compared.gain,
        test: compared.test,
        p_value: compared.p_value,
        significant: compared.significant,
    }
}

fn intervals(found: BTreeMap<String, Bounds>) -> BTreeMap<String, Interval> {
    found.into_iter().map(|(name, ends)| (name, Interval { low: ends.lower, high: ends.upper })).collect()
}

/// The metrics that gates ask for by slice; the whole of the slices lies in the document.
fn gated_slices(
    config: &TrainingConfig,
    found: &[Sliced],
) -> BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>> {
    let mut gated: BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>> = BTreeMap::new();
    for (metric, gate) in &config.gates {
        let report = found.iter().find(|report| gate.slice.as_ref() == Some(&report.column));
        for slice in report.into_iter().flat_map(|report| report.slices.iter().take(SLICES)) {
            let column = gated.entry(gate.slice.clone().unwrap_or_default()).or_default();
            let metrics = column.entry(slice.label.clone()).or_default();
            metrics.insert(metric.clone(), slice.metrics.get(metric).copied());
        }
    }
    gated
}
