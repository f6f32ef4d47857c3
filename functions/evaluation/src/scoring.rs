//! Scoring: the candidate on the test rows, and the champion on the same rows.

use std::collections::{BTreeMap, BTreeSet};

use mlops_algorithms::metrics;
use mlops_algorithms::metrics::slices::SliceReport;
use mlops_core::values::{ArtifactUri, TaskType, TrainingConfig};
use mlops_core::{Call, Error, ErrorKind, Result, ToolCaller};
use mlops_ml_evaluation::tools::{EvaluateClassifier, EvaluateRegressor};
use mlops_ml_evaluation::{Comparison, MlEvaluation};
use serde::{Deserialize, Serialize};

use crate::champion::Champion;
use crate::evidence::{ChampionEvidence, Evidence, Interval};

/// The confidence level of intervals and paired tests.
const CONFIDENCE: f64 = 0.95;
/// The quantile of the pinball loss.
const MEDIAN: f64 = 0.5;

/// What is scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateInputs {
    /// The trained model.
    pub model_s3_uri: ArtifactUri,
    /// SHA-256 of its bytes: a champion with the same hash is the same model.
    pub model_sha256: String,
    /// The test rows, raw columns.
    pub test_uri: ArtifactUri,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The whole evaluation as a document.
    pub evaluation_uri: String,
    /// How many rows were scored.
    pub n: usize,
    /// What the judge needs.
    pub evidence: Evidence,
}

/// What both kinds of evaluation have in common.
struct Scored {
    evaluation_uri: String,
    n: usize,
    metrics: BTreeMap<String, Option<f64>>,
    intervals: BTreeMap<String, Interval>,
    slices: BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>>,
    comparison: Option<Comparison>,
}

/// Scores the candidate. A champion that cannot be scored on these rows is left out, with the reason.
pub(crate) async fn evaluate(
    tools: &ToolCaller<MlEvaluation>,
    config: &TrainingConfig,
    inputs: EvaluateInputs,
    champion: Option<Champion>,
    call: &Call,
) -> Result<Evaluated> {
    let baseline = champion.as_ref().filter(|champion| champion.not_comparable.is_none());
    let baseline = baseline.map(|champion| champion.model_s3_uri.clone());
    let mut reason = champion.as_ref().and_then(|champion| champion.not_comparable.clone());
    let compared = baseline.is_some();
    let scored = match score(tools, config, &inputs, baseline, call).await {
        // The champion may need columns that the data no longer has: then the candidate is scored alone.
        Err(error) if compared && matches!(error.kind, ErrorKind::InvalidInput | ErrorKind::NotFound) => {
            reason = Some(error.message);
            score(tools, config, &inputs, None, call).await?
        }
        scored => scored?,
    };
    let champion = champion.map(|champion| ChampionEvidence {
        version: champion.version,
        comparison: scored.comparison.map(Into::into),
        reason,
    });
    let evidence = Evidence { metrics: scored.metrics, intervals: scored.intervals, slices: scored.slices, champion };
    Ok(Evaluated { evaluation_uri: scored.evaluation_uri, n: scored.n, evidence })
}

async fn score(
    tools: &ToolCaller<MlEvaluation>,
    config: &TrainingConfig,
    inputs: &EvaluateInputs,
    baseline: Option<ArtifactUri>,
    call: &Call,
) -> Result<Scored> {
    let gated: BTreeSet<&String> = config.gates.values().filter_map(|gate| gate.slice.as_ref()).collect();
    let mut slices = config.evaluation.slices.clone();
    slices.extend(
        gated.iter().filter(|column| !config.evaluation.slices.contains(**column)).map(|&column| column.clone()),
    );
    match config.task {
        TaskType::Classification => {
            let evaluate = EvaluateClassifier {
                model_s3_uri: inputs.model_s3_uri.clone(),
                test_data_s3_uri: inputs.test_uri.clone(),
                generate_plots: true,
                threshold: None,
                optimize_for: None,
                average: None,
                positive_class: config.evaluation.positive_class.clone(),
                slices,
                confidence: CONFIDENCE,
                baseline_model_s3_uri: baseline,
                seed: config.seed,
                run_id: None,
                dry_run: false,
            };
            let found = tools.call(evaluate, call).await?;
            Ok(Scored {
                metrics: by_name(&found.metrics)?,
                intervals: bounds(&found.intervals),
                slices: gated_slices(&found.slices, &gated),
                comparison: found.comparison,
                evaluation_uri: found.evaluation_uri,
                n: found.n,
            })
        }
        TaskType::Regression => {
            let evaluate = EvaluateRegressor {
                model_s3_uri: inputs.model_s3_uri.clone(),
                test_data_s3_uri: inputs.test_uri.clone(),
                generate_plots: true,
                quantile: MEDIAN,
                slices,
                confidence: CONFIDENCE,
                baseline_model_s3_uri: baseline,
                seed: config.seed,
                run_id: None,
                dry_run: false,
            };
            let found = tools.call(evaluate, call).await?;
            Ok(Scored {
                metrics: by_name(&found.metrics)?,
                intervals: bounds(&found.intervals),
                slices: gated_slices(&found.slices, &gated),
                comparison: found.comparison,
                evaluation_uri: found.evaluation_uri,
                n: found.n,
            })
        }
    }
}

/// Scores as they are named on the wire.
fn by_name(scores: &impl Serialize) -> Result<BTreeMap<String, Option<f64>>> {
    let value = serde_json::to_value(scores).and_then(serde_json::from_value);
    value.map_err(|error| Error::internal("the metrics could not be read by name").caused_by(error))
}

fn bounds(intervals: &BTreeMap<String, metrics::Interval>) -> BTreeMap<String, Interval> {
    let shown = |of: &metrics::Interval| Interval { low: of.lower, high: of.upper };
    intervals.iter().map(|(name, interval)| (name.clone(), shown(interval))).collect()
}

/// The slices of the columns that a gate asks for; the others are in the evaluation's document.
fn gated_slices(
    reports: &[SliceReport],
    gated: &BTreeSet<&String>,
) -> BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>> {
    let asked = reports.iter().filter(|report| gated.contains(&report.column));
    let of_slice = |slice: &metrics::slices::Slice| {
        let metrics = slice.metrics.iter().map(|(name, value)| (name.clone(), Some(*value))).collect();
        (slice.label.clone(), metrics)
    };
    asked.map(|report| (report.column.clone(), report.slices.iter().map(of_slice).collect())).collect()
}
