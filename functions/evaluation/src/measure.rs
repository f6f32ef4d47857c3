//! Clusters, or coordinates, measured on the rows that they were found in, beside the champion.

use std::collections::BTreeMap;

use mlops_core::values::{ArtifactUri, TaskType, TrainingConfig};
use mlops_core::{Call, Error, Lang, Result, ToolCaller};
use mlops_ml_evaluation::MlEvaluation;
use mlops_ml_evaluation::tools::{EvaluateClustering, EvaluatedClustering};
use mlops_model_registry::{ModelRegistry, VersionView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::champion;
use crate::evaluate::{EvaluateOutputs, is_about_champion};
use crate::evidence::{Champion, Comparison, Evidence, Interval};

/// What measuring needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureInputs {
    /// The trained model.
    pub model_s3_uri: ArtifactUri,
    /// SHA-256 of its bytes.
    pub model_sha256: String,
    /// The rows that it was fitted to.
    pub data_uri: ArtifactUri,
    /// The cluster, or the coordinates, of every row.
    pub result_s3_uri: ArtifactUri,
    /// What training found about a reduction; null for a clustering.
    #[serde(default)]
    pub reduction_uri: Option<ArtifactUri>,
    /// What training measured.
    #[serde(default)]
    pub metrics: BTreeMap<String, Option<f64>>,
    /// How many rows were learnt from.
    #[serde(default)]
    pub rows: usize,
}

/// Measures. A clustering is measured anew, and the champion's clusters of the same rows beside it where it has a place for
/// them; a reduction was measured by its training, because a map is of the rows that it places.
pub(crate) async fn measure(
    tools: &ToolCaller<MlEvaluation>,
    registry: &ToolCaller<ModelRegistry>,
    config: &TrainingConfig,
    run_id: &str,
    inputs: MeasureInputs,
    call: &Call,
) -> Result<EvaluateOutputs> {
    let version = champion::find(registry, config, call).await?;
    let version = version.filter(|version| version.model_sha256 != inputs.model_sha256);
    if config.task == TaskType::Clustering {
        return clusters(tools, config, run_id, inputs, version, call).await;
    }
    let Some(reduction_uri) = inputs.reduction_uri else {
        let message = "what training found about the reduction is missing";
        return Err(Error::invalid_input(message).at("inputs.reduction_uri"));
    };
    let champion = version.map(|version| Champion {
        version: version.version,
        comparison: None,
        reason: Some(match champion::comparable(&version, config) {
            Ok(_) => not_comparable(call.lang).to_owned(),
            Err(reason) => reason,
        }),
    });
    Ok(EvaluateOutputs {
        evaluation_uri: reduction_uri.to_string(),
        predictions_uri: inputs.result_s3_uri.to_string(),
        n: inputs.rows,
        evidence: Evidence { metrics: inputs.metrics, champion, ..Evidence::default() },
    })
}

fn not_comparable(lang: Lang) -> &'static str {
    lang.pick(
        "a map is of the rows that it places, so two of them are not compared row by row",
        "座標はそれぞれの学習で定まるため、行ごとの比較はできません",
    )
}

async fn clusters(
    tools: &ToolCaller<MlEvaluation>,
    config: &TrainingConfig,
    run_id: &str,
    inputs: MeasureInputs,
    version: Option<VersionView>,
    call: &Call,
) -> Result<EvaluateOutputs> {
    let (baseline, mut reason) = match version.as_ref().map(|version| champion::comparable(version, config)) {
        Some(Ok(uri)) => (Some(uri), None),
        Some(Err(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    let request = |baseline: Option<ArtifactUri>| EvaluateClustering {
        model_s3_uri: inputs.model_s3_uri.clone(),
        data_s3_uri: inputs.data_uri.clone(),
        labels_s3_uri: Some(inputs.result_s3_uri.clone()),
        truth_column: config.evaluation.truth_column.clone(),
        baseline_model_s3_uri: baseline,
        generate_plots: true,
        confidence: 0.95,
        seed: config.seed,
        run_id: Some(run_id.to_owned()),
        dry_run: false,
    };
    let is_compared = baseline.is_some();
    let measured = match tools.call(request(baseline), call).await {
        Err(error) if is_compared && is_about_champion(&error) => {
            reason = Some(error.message);
            tools.call(request(None), call).await.map_err(in_request)?
        }
        other => other.map_err(in_request)?,
    };
    let comparison = comparison(&measured);
    let champion = version.map(|version| Champion {
        version: version.version,
        reason: if comparison.is_none() { reason } else { None },
        comparison,
    });
    let intervals = measured.intervals.iter();
    let intervals = intervals.map(|(name, ends)| (name.clone(), Interval { low: ends.lower, high: ends.upper }));
    Ok(EvaluateOutputs {
        evidence: Evidence {
            metrics: metrics(&measured, config.evaluation.truth_column.is_some())?,
            beats_guessing: None,
            intervals: intervals.collect(),
            slices: BTreeMap::new(),
            champion,
        },
        evaluation_uri: measured.evaluation_uri,
        predictions_uri: measured.predictions_uri,
        n: measured.n,
    })
}

/// The metrics by name; those against known groups only where there are some.
fn metrics(measured: &EvaluatedClustering, has_truth: bool) -> Result<BTreeMap<String, Option<f64>>> {
    let metrics = serde_json::to_value(&measured.metrics)
        .map_err(|error| Error::internal("the metrics could not be read back").caused_by(error))?;
    let all = metrics.as_object().into_iter().flatten();
    let kept = all.filter(|(name, _)| has_truth || !matches!(name.as_str(), "ari" | "nmi"));
    Ok(kept.map(|(name, value): (&String, &Value)| (name.clone(), value.as_f64())).collect())
}

fn comparison(measured: &EvaluatedClustering) -> Option<Comparison> {
    let compared = measured.comparison.as_ref()?;
    Some(Comparison {
        baseline_metrics: compared.baseline_metrics.clone(),
        metric: compared.metric.clone(),
        gain: compared.gain,
        test: compared.test.clone(),
        p_value: compared.p_value,
        significant: compared.significant,
    })
}

/// The error with the field of the request that the argument came from.
fn in_request(error: Error) -> Error {
    match error.field.as_deref() {
        Some("truth_column") => error.at("config.evaluation.truth_column"),
        Some("data_s3_uri") => error.at("config.dataset_s3_uri"),
        _ => error,
    }
}
