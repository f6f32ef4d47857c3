//! Training: one model, or the best of several when the algorithm is `auto`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mlops_core::arguments;
use mlops_core::schema;
use mlops_core::values::{ArtifactUri, SupervisedTask, TrainingConfig};
use mlops_core::{Call, Error, ErrorKind, Lang, Result, ToolCaller};
use mlops_ml_training::MlTraining;
use mlops_ml_training::tools::{
    CrossValidationResult, LearningCurve, TrainSupervisedClassifier, TrainSupervisedRegressor,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::search::{SearchRecord, Searches};

/// The word for "whatever predicts best".
pub(crate) const AUTO: &str = "auto";
/// How often the rows are divided when there are no validation rows to choose by.
const FOLDS: usize = 5;

/// What training needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainInputs {
    /// The training rows: features, or raw columns with a preprocessor.
    pub train_uri: ArtifactUri,
    /// The validation rows.
    #[serde(default)]
    pub validation_uri: Option<ArtifactUri>,
    /// The preprocessor that goes into the model.
    #[serde(default)]
    pub preprocessor_uri: Option<ArtifactUri>,
}

/// The model that was chosen, and those that were not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainOutputs {
    /// Where the model lies.
    pub model_s3_uri: ArtifactUri,
    /// SHA-256 of its bytes.
    pub model_sha256: String,
    /// The algorithm.
    pub algorithm: String,
    /// How well it predicts the training and validation rows.
    pub metrics: BTreeMap<String, f64>,
    /// Every algorithm that was tried, the chosen one among them.
    pub candidates: Vec<Candidate>,
    /// Seconds from columns in memory to the finished model.
    pub training_time_seconds: f64,
    /// How the hyperparameters of the chosen model were searched; absent when no search was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Box<SearchRecord>>,
    /// The learning curve of the chosen model; absent for an algorithm that keeps no losses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_curve: Option<LearningCurve>,
}

/// An algorithm that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The algorithm.
    pub algorithm: String,
    /// Whether it was chosen.
    pub chosen: bool,
    /// Where its model lies; null when it was left out.
    pub model_s3_uri: Option<ArtifactUri>,
    /// SHA-256 of its bytes.
    pub model_sha256: Option<String>,
    /// How well it predicts.
    pub metrics: BTreeMap<String, f64>,
    /// Seconds from columns in memory to the finished model.
    pub training_time_seconds: Option<f64>,
    /// Why it was left out: the hyperparameters of the request are not its own.
    pub left_out: Option<String>,
    /// How its hyperparameters were searched; absent when no search was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchRecord>,
    /// Its learning curve, which only the chosen one shows, in the task's outputs.
    #[serde(skip)]
    pub(crate) learning_curve: Option<LearningCurve>,
}

/// Trains what the request names. With `auto` the candidates are trained one after the other, and the best on the
/// validation rows is kept: by macro F1, then by log loss; for regression by the root mean squared error. Where a search of
/// hyperparameters is asked for, each is searched first on folds of the training rows, and the search's metric decides.
pub(crate) async fn train(
    training: &ToolCaller<MlTraining>,
    config: &TrainingConfig,
    run_id: &str,
    inputs: TrainInputs,
    call: &Call,
) -> Result<TrainOutputs> {
    let automatic = config.algorithm == AUTO;
    let task = config.task.supervised().ok_or_else(|| {
        Error::invalid_input(format!("{} has no column to predict", config.task.as_str())).at("config.task")
    })?;
    let algorithms = match (automatic, task) {
        (false, _) => vec![config.algorithm.as_str()],
        (true, SupervisedTask::Classification) => vec!["random_forest", "logistic_regression"],
        (true, SupervisedTask::Regression) => vec!["random_forest", "linear_regression"],
    };
    let mut candidates = Vec::with_capacity(algorithms.len());
    let mut refused = None;
    let mut searches = Searches::of(config, task, algorithms.len(), automatic)?;
    for algorithm in algorithms {
        let request = arguments_of(config, run_id, &inputs, algorithm, automatic);
        match train_tuned(training, config, task, searches.as_mut(), request, call).await {
            Ok(candidate) => candidates.push(candidate),
            Err(error) if automatic && is_about_hyperparameters(&error) => {
                candidates.push(Candidate::left_out(algorithm, &error));
                refused = Some(error);
            }
            Err(error) => return Err(in_request(error)),
        }
    }
    let best = (0..candidates.len()).filter(|&index| candidates[index].model_s3_uri.is_some()).min_by(|&a, &b| {
        let [a, b] = [a, b].map(|index| &candidates[index].metrics);
        let by_search = searches.as_ref().map_or(Ordering::Equal, |searches| searches.compare(a, b));
        by_search.then_with(|| compare(task, a, b))
    });
    let Some(best) = best else {
        return Err(refused.map_or_else(|| Error::internal("no algorithm was tried"), in_request));
    };
    candidates[best].chosen = true;
    let chosen = candidates[best].clone();
    for candidate in &mut candidates {
        candidate.search = candidate.search.as_ref().map(SearchRecord::in_short);
    }
    Ok(TrainOutputs {
        model_s3_uri: chosen.model_s3_uri.ok_or_else(|| Error::internal("the chosen model has no place"))?,
        model_sha256: chosen.model_sha256.ok_or_else(|| Error::internal("the chosen model has no hash"))?,
        algorithm: chosen.algorithm,
        metrics: chosen.metrics,
        candidates,
        training_time_seconds: chosen.training_time_seconds.unwrap_or_default(),
        search: chosen.search.map(Box::new),
        learning_curve: chosen.learning_curve,
    })
}

fn arguments_of(
    config: &TrainingConfig,
    run_id: &str,
    inputs: &TrainInputs,
    algorithm: &str,
    automatic: bool,
) -> Value {
    let mut arguments = json!({
        "algorithm": algorithm,
        "train_data_s3_uri": inputs.train_uri,
        "validation_data_s3_uri": inputs.validation_uri,
        "preprocessor_uri": inputs.preprocessor_uri,
        "hyperparameters": config.hyperparameters,
        "training_job_name": algorithm,
        "target_column": config.target_column,
        "seed": config.seed,
        "run_id": run_id,
    });
    if automatic && inputs.validation_uri.is_none() {
        arguments["cross_validation"] = json!({"folds": FOLDS});
    }
    arguments
}

/// Searches the hyperparameters of a request where that is asked for, and trains with them.
async fn train_tuned(
    training: &ToolCaller<MlTraining>,
    config: &TrainingConfig,
    task: SupervisedTask,
    searches: Option<&mut Searches>,
    mut request: Value,
    call: &Call,
) -> Result<Candidate> {
    let search = match searches {
        Some(searches) => Some(searches.tune(training, config, &mut request, call).await?),
        None => None,
    };
    let algorithm = request["algorithm"].as_str().unwrap_or_default().to_owned();
    Ok(Candidate { algorithm, search, ..train_one(training, task, request, call).await? })
}

async fn train_one(
    training: &ToolCaller<MlTraining>,
    task: SupervisedTask,
    request: Value,
    call: &Call,
) -> Result<Candidate> {
    match task {
        SupervisedTask::Classification => {
            let request: TrainSupervisedClassifier =
                arguments::parse(&schema::of_input::<TrainSupervisedClassifier>(), request)?;
            let algorithm = request.training_job_name.clone();
            let trained = training.call(request, call).await?;
            let scores = (&trained.metrics, trained.cross_validation.as_ref());
            let candidate = Candidate::of(&algorithm, trained.model_s3_uri, trained.model_sha256, scores)?;
            Ok(Candidate { learning_curve: trained.learning_curve, ..candidate })
        }
        SupervisedTask::Regression => {
            let request: TrainSupervisedRegressor =
                arguments::parse(&schema::of_input::<TrainSupervisedRegressor>(), request)?;
            let algorithm = request.training_job_name.clone();
            let trained = training.call(request, call).await?;
            let scores = (&trained.metrics, trained.cross_validation.as_ref());
            let candidate = Candidate::of(&algorithm, trained.model_s3_uri, trained.model_sha256, scores)?;
            Ok(Candidate { learning_curve: trained.learning_curve, ..candidate })
        }
    }
}

impl Candidate {
    pub(crate) fn of<M: Serialize>(
        algorithm: &str,
        model_s3_uri: ArtifactUri,
        model_sha256: Option<String>,
        (metrics, folds): (&M, Option<&CrossValidationResult>),
    ) -> Result<Self> {
        let metrics = serde_json::to_value(metrics)
            .map_err(|error| Error::internal("the metrics could not be read back").caused_by(error))?;
        let pairs = metrics.as_object().into_iter().flatten();
        let mut metrics: BTreeMap<String, f64> =
            pairs.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect();
        let training_time_seconds = metrics.remove("training_time_seconds");
        for (name, score) in folds.into_iter().flat_map(|folds| &folds.scores) {
            metrics.insert(format!("cross_validation_{name}"), score.mean);
        }
        Ok(Self {
            algorithm: algorithm.to_owned(),
            chosen: false,
            model_s3_uri: Some(model_s3_uri),
            model_sha256,
            metrics,
            training_time_seconds,
            left_out: None,
            search: None,
            learning_curve: None,
        })
    }

    pub(crate) fn left_out(algorithm: &str, error: &Error) -> Self {
        Self {
            algorithm: algorithm.to_owned(),
            chosen: false,
            model_s3_uri: None,
            model_sha256: None,
            metrics: BTreeMap::new(),
            training_time_seconds: None,
            left_out: Some(error.message.clone()),
            search: None,
            learning_curve: None,
        }
    }
}

fn is_about_hyperparameters(error: &Error) -> bool {
    let field = error.field.as_deref().unwrap_or_default();
    error.kind == ErrorKind::InvalidInput && field.starts_with("hyperparameters")
}

/// The error with the field of the request that the argument came from.
fn in_request(mut error: Error) -> Error {
    error.field = error.field.map(|field| match field.split('.').next().unwrap_or_default() {
        "hyperparameters" | "algorithm" | "target_column" => format!("config.{field}"),
        _ => field,
    });
    error
}

/// Which of two candidates comes first. One without the score comes last.
fn compare(task: SupervisedTask, a: &BTreeMap<String, f64>, b: &BTreeMap<String, f64>) -> Ordering {
    let score = |metrics: &BTreeMap<String, f64>, name: &str| {
        let held_out = metrics.get(&format!("validation_{name}"));
        held_out.or_else(|| metrics.get(&format!("cross_validation_{name}"))).copied()
    };
    let least = |name: &str| {
        let value = |metrics| score(metrics, name).unwrap_or(f64::INFINITY);
        value(a).total_cmp(&value(b))
    };
    match task {
        SupervisedTask::Classification => {
            let f1 = |metrics| score(metrics, "f1_macro").unwrap_or(f64::NEG_INFINITY);
            f1(b).total_cmp(&f1(a)).then_with(|| least("loss"))
        }
        SupervisedTask::Regression => least("rmse"),
    }
}

impl TrainOutputs {
    pub(crate) fn next_hint(&self, lang: Lang) -> String {
        let algorithm = &self.algorithm;
        match lang {
            Lang::En => format!("evaluate the {algorithm} model on the test rows"),
            Lang::Ja => format!("{algorithm} モデルをテストデータで評価します"),
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
    fn the_higher_f1_comes_first_and_then_the_lower_loss() {
        let order =
            |a: &[(&str, f64)], b: &[(&str, f64)]| compare(SupervisedTask::Classification, &metrics(a), &metrics(b));
        let (better, worse) = ([("validation_f1_macro", 0.9)], [("validation_f1_macro", 0.8)]);
        assert_eq!(order(&better, &worse), Ordering::Less);
        let sure = [("validation_f1_macro", 0.9), ("validation_loss", 0.1)];
        let unsure = [("validation_f1_macro", 0.9), ("validation_loss", 0.2)];
        assert_eq!(order(&unsure, &sure), Ordering::Greater);
        let folds = [("cross_validation_f1_macro", 0.95)];
        assert_eq!(order(&folds, &better), Ordering::Less);
        assert_eq!(order(&[], &worse), Ordering::Greater);
    }

    #[test]
    fn the_lower_error_comes_first() {
        let order = |a, b| compare(SupervisedTask::Regression, &metrics(a), &metrics(b));
        assert_eq!(order(&[("validation_rmse", 1.0)], &[("validation_rmse", 2.0)]), Ordering::Less);
    }
}
