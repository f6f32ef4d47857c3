//! Checks a request and writes out its defaults: every error is found in one pass.

mod algorithm;
mod data;
mod facts;
mod gates;
mod inert;
mod names;
mod search;
mod section;
mod split;
mod structure;
mod words;

pub(crate) use algorithm::{AUTO, task_of};
pub(crate) use data::check_data;
pub(crate) use facts::{Facts, Look, look};
pub(crate) use names::slug;

use mlops_algorithms::preprocess::PreprocessConfig;
use mlops_core::arguments::nearest;
use mlops_core::values::{ArtifactUri, DEFAULT_SEED, EvaluationConfig, Gate, TaskType, TrainingConfig};
use mlops_core::{Lang, schema};
use serde_json::{Map, Value, json};

use crate::findings::Findings;
use crate::keys;

/// What could be read of a request. It becomes a [`TrainingConfig`] when there was no error.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) task: Option<TaskType>,
    pub(crate) dataset: Option<ArtifactUri>,
    pub(crate) target: Option<String>,
    pub(crate) algorithm: Option<String>,
    pub(crate) hyperparameters: Map<String, Value>,
    pub(crate) search: Map<String, Value>,
    pub(crate) split: Map<String, Value>,
    pub(crate) preprocessing: Map<String, Value>,
    pub(crate) evaluation: EvaluationConfig,
    model_name: Option<String>,
    gates: std::collections::BTreeMap<String, Gate>,
    notify: Vec<String>,
    seed: u64,
    lang: Lang,
}

/// Checks everything that can be told from the request alone.
pub(crate) fn check(config: &Map<String, Value>, findings: &mut Findings<'_>) -> Draft {
    unknown_keys(config, findings);
    // A name without a value is one that was not given.
    let given = config.iter().filter(|(_, value)| !value.is_null());
    let config: Map<String, Value> = given.map(|(key, value)| (key.clone(), value.clone())).collect();
    let config = &config;
    let task = names::task(config, findings);
    let dataset = names::dataset(config, findings);
    let target = names::target(config, task, findings);
    let algorithm = algorithm::name(config, task, findings);
    let hyperparameters = algorithm::hyperparameters(config, task, algorithm.as_deref(), findings);
    let search = search::check(config, task, algorithm.as_deref(), &hyperparameters, findings);
    let seed = seed(config, findings);
    let split = split::check(config, task, seed, findings);
    // The seed of the split stands for that of the run when the run has none of its own.
    let seed = seed.or_else(|| split.get("seed").and_then(Value::as_u64)).unwrap_or(DEFAULT_SEED);
    let evaluation = inert::evaluation(config, task, findings);
    let preprocessing = preprocessing(config, (task, target.as_deref(), evaluation.truth_column.as_deref()), findings);
    let gates = gates::check(config, (task, algorithm.as_deref()), &evaluation, findings);
    inert::check(config, findings);
    let unsupervised = task.filter(|task| task.supervised().is_none());
    let subject = target.as_deref().or(unsupervised.map(TaskType::as_str));
    Draft {
        model_name: names::model_name(config, dataset.as_ref(), subject, findings),
        notify: names::notify(config, findings),
        lang: names::lang(config, findings),
        task,
        dataset,
        target,
        algorithm,
        hyperparameters,
        search,
        split,
        preprocessing,
        evaluation,
        gates,
        seed,
    }
}

impl Draft {
    /// The complete request; `None` while something that it needs is missing.
    pub(crate) fn into_config(self) -> Option<TrainingConfig> {
        let task = self.task?;
        if task.supervised().is_some() && self.target.is_none() {
            return None;
        }
        Some(TrainingConfig {
            task,
            dataset_s3_uri: self.dataset?,
            target_column: self.target,
            algorithm: self.algorithm?,
            model_name: self.model_name?,
            hyperparameters: self.hyperparameters,
            hyperparameter_optimization: self.search,
            split: self.split,
            preprocessing_config: self.preprocessing,
            evaluation: self.evaluation,
            gates: self.gates,
            notify: self.notify,
            seed: self.seed,
            lang: self.lang,
        })
    }
}

fn unknown_keys(config: &Map<String, Value>, findings: &mut Findings<'_>) {
    for key in config.keys().filter(|key| !keys::names().any(|name| name == key.as_str())) {
        let shown: String = key.chars().take(60).collect();
        let message = say!(findings.lang, "there is no setting `{shown}`", "`{shown}` という設定はありません");
        findings.error(key, message).allowing(keys::names()).suggesting(nearest(key, keys::names()));
    }
}

fn seed(config: &Map<String, Value>, findings: &mut Findings<'_>) -> Option<u64> {
    match config.get("seed") {
        None => {
            if config.get("split").is_none_or(|split| split["seed"].is_null()) {
                findings.default("seed", DEFAULT_SEED);
            }
            None
        }
        Some(value) => {
            if value.as_u64().is_none() {
                let shown = words::value(value);
                let message = say!(
                    findings.lang,
                    "`seed` must be a whole number of at least 0, and is {shown}",
                    "`seed` は 0 以上の整数で指定してください（現在の値: {shown}）"
                );
                findings.error("seed", message);
            }
            value.as_u64()
        }
    }
}

fn preprocessing(
    config: &Map<String, Value>,
    (task, target, truth): (Option<TaskType>, Option<&str>, Option<&str>),
    findings: &mut Findings<'_>,
) -> Map<String, Value> {
    let mut schema = schema::of_input::<PreprocessConfig>();
    let unsupervised = task.is_some_and(|task| task.supervised().is_none());
    if unsupervised {
        schema["properties"]["variance_threshold"] = json!({"type": "number", "minimum": 0.0});
    }
    let mut section = section::read("preprocessing_config", &schema, config.get("preprocessing_config"), findings);
    for (key, value) in
        [("normalize", json!(true)), ("handle_missing", json!("median")), ("encode_categorical", json!(true))]
    {
        if !section.contains_key(key) {
            let value = findings.default(format!("preprocessing_config.{key}"), value);
            section.insert(key.to_owned(), value);
        }
    }
    let dropped = section.get("drop_columns").and_then(Value::as_array).into_iter().flatten();
    if let Some(at) = dropped.clone().position(|name| target.is_some_and(|target| name == target)) {
        let message = findings.lang.pick(
            "the target column cannot be dropped; take it out of `drop_columns`",
            "目的変数の列は `drop_columns` に指定できません",
        );
        findings.error(format!("preprocessing_config.drop_columns[{at}]"), message);
    }
    if unsupervised && section.get("encoder").is_some_and(|encoder| encoder == "target") {
        let message = findings.lang.pick(
            "the encoder `target` needs a column to predict; use onehot or ordinal",
            "`encoder: target` には目的変数が必要です。onehot か ordinal を指定してください",
        );
        findings.error("preprocessing_config.encoder", message).allowing(["onehot", "ordinal"]);
    }
    if let Some(truth) = truth {
        // Known groups are what clusters are held against, so nothing may be learnt from them.
        let dropped = section.entry("drop_columns").or_insert_with(|| json!([]));
        if let Some(names) = dropped.as_array_mut().filter(|names| !names.contains(&json!(truth))) {
            names.push(json!(truth));
        }
    }
    section
}

#[cfg(test)]
mod structure_tests;
#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
