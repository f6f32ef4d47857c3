//! One training: tables read, a model fitted and scored, and written with its card.

use std::collections::BTreeMap;
use std::time::Instant;

use mlops_algorithms::models::{BoostingInputs, Examples, Fitted, Hyperparameters, Task, fit_boosted};
use mlops_algorithms::target::Target;
use mlops_artifacts::run_id;
use mlops_artifacts::{CARD_FORMAT, CallProbe, EncodedModel, Kind, LoadedTable, ModelCard, ModelExport, ReadOptions};
use mlops_core::values::{ArtifactUri, SupervisedTask, sha256_hex};
use mlops_core::{Call, Error, Result};
use serde::Serialize;

use crate::calibration::{CalibrationResult, calibrate};
use crate::cross_validation::{CrossValidationResult, cross_validate};
use crate::estimate::{TrainingEstimate, check_table};
use crate::learning_curve::DrawnCurve;
use crate::request::Request;
use crate::rows::{preprocessor_of, refuse_held_out};
use crate::score::{ClassResult, Scores, score};
use crate::signature::signature;
use crate::training_table::{HashedPreprocessor, Roles, TrainingTable};
use crate::{MlTraining, fault};

/// The largest stored preprocessor, in bytes.
const LARGEST_PREPROCESSOR: u64 = 64 * 1024 * 1024;

/// A model with what is known of it.
pub(crate) struct Trained {
    pub(crate) uri: ArtifactUri,
    /// Absent when nothing was written.
    pub(crate) sha256: Option<String>,
    pub(crate) exports: Vec<ModelExport>,
    pub(crate) target_column: String,
    pub(crate) preprocessor_sha256: Option<String>,
    pub(crate) hyperparameters: Hyperparameters,
    pub(crate) seed: u64,
    pub(crate) learnt: Learnt,
}

/// What came out of the computation.
pub(crate) struct Learnt {
    pub(crate) fitted: Fitted,
    pub(crate) feature_names: Vec<String>,
    pub(crate) classes: Option<Vec<String>>,
    pub(crate) rows: [usize; 2],
    pub(crate) estimate: TrainingEstimate,
    /// From columns in memory to the finished model.
    pub(crate) seconds: f64,
    pub(crate) train: Scores,
    pub(crate) validation: Option<Scores>,
    pub(crate) per_class: Vec<ClassResult>,
    pub(crate) cross_validation: Option<CrossValidationResult>,
    pub(crate) calibration: Option<CalibrationResult>,
    /// Where the algorithm keeps losses.
    pub(crate) curve: Option<DrawnCurve>,
    pub(crate) warnings: Vec<String>,
}

/// The tables and what belongs to them.
pub(crate) struct Inputs {
    pub(crate) train: LoadedTable,
    pub(crate) validation: Option<LoadedTable>,
    pub(crate) target: String,
    pub(crate) preprocessor: Option<HashedPreprocessor>,
}

/// Trains, and writes the model unless that is only a rehearsal. Nothing is written when the call is over before that.
pub(crate) async fn train<T: Serialize>(
    room: &MlTraining,
    call: &Call,
    request: Request,
    arguments: &T,
) -> Result<Trained> {
    request.check()?;
    let hyperparameters = request.hyperparameters()?;
    let seed = hyperparameters.random_state().unwrap_or(request.seed);
    let inputs = read(room, call, &request).await?;
    let validation_sha256 = inputs.validation.as_ref().map(|table| table.source.sha256.clone());
    let hashes = [inputs.train.source.sha256.as_str(), validation_sha256.as_deref().unwrap_or_default()];
    let run_id = run_id(request.run_id.as_deref(), call, arguments, &hashes)?;
    let name = format!("{}/model.tar.gz", request.job_name);
    let uri = room.artifacts.place(Kind::Models, &run_id, &name);
    let train_sha256 = inputs.train.source.sha256.clone();
    let (target_column, preprocessor) = (inputs.target.clone(), inputs.preprocessor.clone());
    let (asked, parameters) = (request.clone(), hyperparameters.clone());
    let learnt = call.compute(move |call| learn(&inputs, &asked, &parameters, call)).await?;
    let trained = Trained {
        uri,
        sha256: None,
        exports: Vec::new(),
        target_column,
        preprocessor_sha256: preprocessor.as_ref().map(|hashed| hashed.sha256.clone()),
        hyperparameters,
        seed,
        learnt,
    };
    if request.dry_run {
        return Ok(trained);
    }
    let card = trained.card(request.task, preprocessor, train_sha256, validation_sha256);
    let encode = move |_: &Call| Ok((EncodedModel::new(card, &trained.learnt.fitted.model)?, trained));
    let (encoded, mut trained) = call.compute(encode).await?;
    call.check()?;
    if let Some(curve) = &mut trained.learnt.curve {
        curve.write(room, &trained.uri).await?;
    }
    let (written, exports) = room.artifacts.write_encoded(&trained.uri, encoded).await?;
    (trained.sha256, trained.exports) = (Some(written.sha256), exports);
    trained.uri = written.uri;
    Ok(trained)
}

/// Reads the tables of a request.
pub(crate) async fn read(room: &MlTraining, call: &Call, request: &Request) -> Result<Inputs> {
    let options = ReadOptions::default();
    let train = room.artifacts.read_table(&request.train, &options, call).await;
    let train = train.map_err(|error| error.at_or("train_data_s3_uri"))?;
    refuse_held_out(&train)?;
    let validation = match &request.validation {
        Some(uri) => {
            let read = room.artifacts.read_table(uri, &options, call).await;
            Some(read.map_err(|error| error.at_or("validation_data_s3_uri"))?)
        }
        None => None,
    };
    let noted = |read: fn(&mlops_artifacts::Manifest) -> Option<&String>| train.manifest.as_ref().and_then(read);
    let target = request.target_column.as_ref().or_else(|| noted(|manifest| manifest.target_column.as_ref()));
    let target = target.cloned().ok_or_else(|| {
        Error::invalid_input(format!("`target_column` is missing, and {} has no manifest that names it", request.train))
            .at("target_column")
            .hint("name the column to predict")
    })?;
    let preprocessor = preprocessor_of(room, request.preprocessor_uri.as_ref(), train.manifest.as_ref()).await?;
    Ok(Inputs { train, validation, target, preprocessor })
}

/// Reads a preprocessor, which must have the expected hash where one is expected.
pub(crate) async fn read_preprocessor(
    room: &MlTraining,
    uri: &ArtifactUri,
    expected: Option<&String>,
) -> Result<HashedPreprocessor> {
    let field = "preprocessor_uri";
    let read = room.artifacts.read_bytes(uri, LARGEST_PREPROCESSOR).await;
    let bytes = read.map_err(|error| error.at_or(field))?;
    let preprocessor = serde_json::from_slice(&bytes).map_err(|error| {
        Error::invalid_input(format!("{uri} is not a preprocessor: {error}"))
            .at(field)
            .hint("give the preprocessor_uri of a result of preprocess_supervised or preprocess_unsupervised")
    })?;
    let sha256 = sha256_hex(&bytes);
    match expected {
        Some(expected) if *expected != sha256 => {
            Err(Error::invalid_input(format!("{uri} is not the preprocessor that the training rows were made with"))
                .at(field)
                .hint("leave `preprocessor_uri` out, or preprocess the rows again"))
        }
        _ => Ok(HashedPreprocessor { preprocessor, sha256 }),
    }
}

fn learn(inputs: &Inputs, request: &Request, hyperparameters: &Hyperparameters, call: &Call) -> Result<Learnt> {
    let mut roles = Roles {
        task: request.task,
        target: &inputs.target,
        weight: request.sample_weight_column.as_deref(),
        preprocessor: inputs.preprocessor.as_ref(),
        field: "train_data_s3_uri",
    };
    check_table(&inputs.train, roles.preprocessor, roles.field, call)?;
    let started = Instant::now();
    let table = TrainingTable::to_learn(&inputs.train, &roles)?;
    let estimate = TrainingEstimate::of(&table, hyperparameters);
    estimate.announce_fit(&table, hyperparameters.algorithm(), call)?;
    let (x, weights) = (table.features.view(), table.weights.as_deref());
    let probe = CallProbe(call);
    let mut warnings = Vec::new();
    note_dropped(&mut warnings, &table, "training");
    let held_out = match &inputs.validation {
        Some(data) => {
            (roles.field, roles.weight) = ("validation_data_s3_uri", None);
            let held_out = TrainingTable::to_score(data, &roles, &table)?;
            note_dropped(&mut warnings, &held_out, "validation");
            Some(held_out)
        }
        None => None,
    };
    let training = Examples { x, target: &table.target, sample_weight: weights };
    let watched = held_out.as_ref().map(|table| Examples {
        x: table.features.view(),
        target: &table.target,
        sample_weight: None,
    });
    let known = BoostingInputs { feature_names: &table.feature_names, ..BoostingInputs::default() };
    let mut fitted = fit_boosted(training, watched, &known, hyperparameters, request.seed, &probe)
        .map_err(|error| fault::of_fit(&error, &table.feature_names, call))?;
    let seconds = started.elapsed().as_secs_f64();
    let curve = DrawnCurve::of(&fitted, hyperparameters, call.lang);
    if fitted.converged == Some(false) {
        warnings.push("the iterations ended before they reached the tolerance; raise max_iter".to_owned());
    }
    let asked = request.calibration.method().map(|method| (request.calibration, method));
    let calibration = match asked {
        Some(asked) => {
            let (calibrator, result) = calibrate(asked, &table, watched, hyperparameters, request.seed, call)?;
            let wrong = |error| Error::internal("the model could not be calibrated").caused_by(error);
            fitted.model = fitted.model.calibrated(calibrator).map_err(wrong)?;
            Some(result)
        }
        None => None,
    };
    call.check()?;
    let (train, _) = score(&fitted.model, x, &table.target)?;
    let (mut validation, mut per_class, mut validation_rows) = (None, Vec::new(), 0);
    if let Some(held_out) = &held_out {
        let (scores, classes) = score(&fitted.model, held_out.features.view(), &held_out.target)?;
        (validation, per_class, validation_rows) = (Some(scores), classes, held_out.target.len());
    }
    let folds = request.cross_validation.map(|asked| asked.folds);
    let cross_validation =
        folds.map(|folds| cross_validate(&table, hyperparameters, folds, request.seed, call)).transpose()?;
    let rows = [table.target.len(), validation_rows];
    let classes = match table.target {
        Target::Classes { labels, .. } => Some(labels),
        Target::Numbers(_) => None,
    };
    let feature_names = table.feature_names;
    Ok(Learnt {
        fitted,
        feature_names,
        classes,
        rows,
        estimate,
        seconds,
        train,
        validation,
        per_class,
        cross_validation,
        calibration,
        curve,
        warnings,
    })
}

/// Says which rows of a table were left out.
pub(crate) fn note_dropped(warnings: &mut Vec<String>, table: &TrainingTable, part: &str) {
    if table.dropped_rows > 0 {
        let dropped = table.dropped_rows;
        warnings.push(format!("{dropped} {part} rows were left out because the target or another value is missing"));
    }
    for (class, rows) in table.unseen_classes.iter().take(20) {
        warnings.push(format!("{rows} {part} rows of the class `{class}`, which training has not seen, were left out"));
    }
}

impl Trained {
    /// The card: everything that is known of the model and does not depend on where or when it was made.
    fn card(
        &self,
        task: Task,
        preprocessor: Option<HashedPreprocessor>,
        train_sha256: String,
        validation_sha256: Option<String>,
    ) -> ModelCard {
        let learnt = &self.learnt;
        let named = |scores: &Scores, part: &str| -> Vec<(String, f64)> {
            scores.iter().map(|(name, value)| (format!("{part}_{name}"), *value)).collect()
        };
        let mut metrics: BTreeMap<String, f64> = named(&learnt.train, "train").into_iter().collect();
        metrics.extend(learnt.validation.iter().flat_map(|scores| named(scores, "validation")));
        let importance = learnt.feature_names.iter().cloned().zip(learnt.fitted.feature_importance.iter().copied());
        let (hashed, preprocessor) = (self.preprocessor_sha256.clone(), preprocessor.map(|hashed| hashed.preprocessor));
        ModelCard {
            format: CARD_FORMAT,
            task: task_type(task),
            algorithm: self.hyperparameters.algorithm().as_str().to_owned(),
            target_column: self.target_column.clone(),
            classes: learnt.classes.clone(),
            feature_names: learnt.feature_names.clone(),
            signature: signature(&learnt.feature_names, preprocessor.as_ref(), task),
            hyperparameters: self.hyperparameters.resolved().clone(),
            metrics,
            feature_importance: importance.collect(),
            seed: self.seed,
            train_sha256,
            validation_sha256,
            preprocessor,
            preprocessor_sha256: hashed,
            weights_sha256: String::new(),
            library_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

const fn task_type(task: Task) -> SupervisedTask {
    match task {
        Task::Classification => SupervisedTask::Classification,
        Task::Regression => SupervisedTask::Regression,
    }
}
