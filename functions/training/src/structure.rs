//! Clusters or coordinates: one algorithm, or several when the algorithm is `auto`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mlops_core::values::{ArtifactUri, TaskType, TrainingConfig};
use mlops_core::{Call, Error, ErrorKind, Lang, Result, ToolCaller, arguments, schema};
use mlops_ml_training::MlTraining;
use mlops_ml_training::tools::{TrainUnsupervisedClustering, TrainUnsupervisedDimensionalityReduction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::candidates::{AUTO, Candidate};

/// What looking for structure needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StructureInputs {
    /// The rows: raw columns with a preprocessor, or features.
    pub data_uri: ArtifactUri,
    /// The preprocessor that goes into the model.
    #[serde(default)]
    pub preprocessor_uri: Option<ArtifactUri>,
}

/// The model that was chosen, and those that were not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StructureOutputs {
    /// The kind of learning.
    pub task: TaskType,
    /// Where the model lies.
    pub model_s3_uri: ArtifactUri,
    /// SHA-256 of its bytes.
    pub model_sha256: String,
    /// The algorithm.
    pub algorithm: String,
    /// How well it does on the rows that it was fitted to.
    pub metrics: BTreeMap<String, f64>,
    /// Every algorithm that was tried, the chosen one among them.
    pub candidates: Vec<Candidate>,
    /// Seconds from features in memory to the finished model.
    pub training_time_seconds: f64,
    /// The cluster, or the coordinates, of every row.
    pub result_s3_uri: ArtifactUri,
    /// What was found about a reduction; null for a clustering, which is measured by itself.
    pub reduction_uri: Option<ArtifactUri>,
    /// How many rows were learnt from.
    pub rows: usize,
}

/// One algorithm's model with what belongs to it.
struct Tried {
    candidate: Candidate,
    result_s3_uri: ArtifactUri,
    reduction_uri: Option<ArtifactUri>,
    rows: usize,
}

/// Trains what the request names. With `auto` the candidates are trained one after the other, and the best on the rows is
/// kept: the clustering of the highest silhouette, in which a row of noise counts 0; the reduction of the highest
/// trustworthiness. A candidate that these rows do not suit is left out.
pub(crate) async fn learn_structure(
    training: &ToolCaller<MlTraining>,
    config: &TrainingConfig,
    run_id: &str,
    inputs: StructureInputs,
    call: &Call,
) -> Result<StructureOutputs> {
    let automatic = config.algorithm == AUTO;
    let algorithms = match (automatic, config.task) {
        (false, _) => vec![config.algorithm.as_str()],
        (true, TaskType::Clustering) => vec!["kmeans", "gaussian_mixture", "hdbscan"],
        (true, _) => vec!["pca", "umap"],
    };
    let (mut tried, mut left_out, mut refused) = (Vec::new(), Vec::new(), None);
    for algorithm in algorithms {
        match train_one(training, config, run_id, &inputs, algorithm, call).await {
            Ok(one) => tried.push(one),
            Err(error) if automatic && error.kind == ErrorKind::InvalidInput => {
                left_out.push(Candidate::left_out(algorithm, &error));
                refused = refused.or(Some(error));
            }
            Err(error) => return Err(in_request(error)),
        }
    }
    // Of equally good ones the first is kept.
    tried.sort_by(|a, b| compare(config.task, &a.candidate.metrics, &b.candidate.metrics));
    let Some(best) = tried.first_mut() else {
        return Err(refused.map_or_else(|| Error::internal("no algorithm was tried"), in_request));
    };
    best.candidate.chosen = true;
    let chosen = best.candidate.clone();
    let (result_s3_uri, reduction_uri, rows) = (best.result_s3_uri.clone(), best.reduction_uri.clone(), best.rows);
    Ok(StructureOutputs {
        task: config.task,
        model_s3_uri: chosen.model_s3_uri.ok_or_else(|| Error::internal("the chosen model has no place"))?,
        model_sha256: chosen.model_sha256.ok_or_else(|| Error::internal("the chosen model has no hash"))?,
        algorithm: chosen.algorithm,
        metrics: chosen.metrics,
        candidates: tried.into_iter().map(|one| one.candidate).chain(left_out).collect(),
        training_time_seconds: chosen.training_time_seconds.unwrap_or_default(),
        result_s3_uri,
        reduction_uri,
        rows,
    })
}

async fn train_one(
    training: &ToolCaller<MlTraining>,
    config: &TrainingConfig,
    run_id: &str,
    inputs: &StructureInputs,
    algorithm: &str,
    call: &Call,
) -> Result<Tried> {
    let mut hyperparameters = config.hyperparameters.clone();
    let search = ["k_range", "criterion"].map(|name| hyperparameters.remove(name).unwrap_or(Value::Null));
    let mut request = json!({
        "algorithm": algorithm,
        "train_data_s3_uri": inputs.data_uri,
        "preprocessor_uri": inputs.preprocessor_uri,
        "hyperparameters": hyperparameters,
        "training_job_name": algorithm,
        "seed": config.seed,
        "run_id": run_id,
    });
    if config.task == TaskType::Clustering {
        [request["k_range"], request["criterion"]] = search;
        let tool = arguments::parse(&schema::of_input::<TrainUnsupervisedClustering>(), request)?;
        let trained = training.call::<TrainUnsupervisedClustering>(tool, call).await?;
        let made = (trained.model_s3_uri, trained.model_sha256);
        return Ok(Tried {
            candidate: Candidate::of(algorithm, made.0, made.1, (&trained.metrics, None))?,
            result_s3_uri: trained.labels_s3_uri,
            reduction_uri: None,
            rows: trained.train_rows,
        });
    }
    let tool = arguments::parse(&schema::of_input::<TrainUnsupervisedDimensionalityReduction>(), request)?;
    let trained = training.call::<TrainUnsupervisedDimensionalityReduction>(tool, call).await?;
    let made = (trained.model_s3_uri, trained.model_sha256);
    Ok(Tried {
        candidate: Candidate::of(algorithm, made.0, made.1, (&trained.metrics, None))?,
        result_s3_uri: trained.transformed_s3_uri,
        reduction_uri: Some(trained.reduction_uri),
        rows: trained.train_rows,
    })
}

/// The error with the field of the request that the argument came from.
fn in_request(mut error: Error) -> Error {
    error.field = error.field.map(|field| match field.split('.').next().unwrap_or_default() {
        "hyperparameters" | "algorithm" => format!("config.{field}"),
        "k" | "k_range" | "criterion" | "eps" | "n_components" | "variance" => {
            format!("config.hyperparameters.{field}")
        }
        "train_data_s3_uri" => "config.dataset_s3_uri".to_owned(),
        _ => field,
    });
    error
}

/// Which of two candidates comes first. One without the score comes last.
fn compare(task: TaskType, a: &BTreeMap<String, f64>, b: &BTreeMap<String, f64>) -> Ordering {
    let score = |metrics: &BTreeMap<String, f64>, name: &str| metrics.get(name).copied().unwrap_or(f64::NEG_INFINITY);
    if task != TaskType::Clustering {
        return score(b, "trustworthiness").total_cmp(&score(a, "trustworthiness"));
    }
    let silhouette = |metrics: &BTreeMap<String, f64>| {
        let noise = metrics.get("noise_ratio").copied().unwrap_or_default();
        metrics.get("silhouette").map_or(f64::NEG_INFINITY, |silhouette| silhouette * (1.0 - noise))
    };
    silhouette(b).total_cmp(&silhouette(a))
}

impl StructureOutputs {
    pub(crate) fn next_hint(&self, lang: Lang) -> String {
        let algorithm = &self.algorithm;
        match lang {
            Lang::En => format!("measure what {algorithm} found"),
            Lang::Ja => format!("{algorithm} の結果を測定します"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn the_higher_silhouette_comes_first_and_noise_counts_nothing() {
        let order = |a: &[(&str, f64)], b: &[(&str, f64)]| compare(TaskType::Clustering, &metrics(a), &metrics(b));
        let (good, poor) = ([("silhouette", 0.6)], [("silhouette", 0.2)]);
        assert_eq!(order(&good, &poor), Ordering::Less);
        assert_eq!(order(&[("silhouette", 0.9), ("noise_ratio", 0.8)], &poor), Ordering::Greater);
        assert_eq!(order(&[], &poor), Ordering::Greater);
        let maps = compare(
            TaskType::DimensionalityReduction,
            &metrics(&[("trustworthiness", 0.9)]),
            &metrics(&[("trustworthiness", 0.95)]),
        );
        assert_eq!(maps, Ordering::Greater);
    }
}
