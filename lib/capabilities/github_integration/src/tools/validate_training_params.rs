//! Checks a training request and writes out its defaults.

use mlops_algorithms::models::Task;
use mlops_core::values::{TaskType, TrainingConfig};
use mlops_core::{Call, Effect, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::check::{self, AUTO, Draft, Facts, Look, task_of};
use crate::estimate::Workload;
use crate::findings::Findings;
use crate::structure_estimate;
use crate::{ConfigError, DefaultApplied, Estimate, GithubIntegration, Lines, Notice, SeenData};

/// Check a training request and write out its defaults. Every error is reported at once, with its path, its line when
/// `lines` is given, what is allowed and what was probably meant. Names, types, ranges, the match of task, algorithm and
/// metrics, the shares of the split, and, where the data can be read, its columns and classes are checked. A request
/// that is wrong is no error of this tool: look at `valid`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateTrainingParams {
    /// The request, as `parse_issue_config` gives it.
    pub config: Map<String, Value>,
    /// The line of each value by its path, as `parse_issue_config` gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Lines>,
    /// Whether to look at the data: that the target and other named columns are there.
    #[serde(default = "yes")]
    pub check_data: bool,
}

fn yes() -> bool {
    true
}

/// What was found in a request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ValidatedTrainingParams {
    /// Whether the request can be run as it is.
    pub valid: bool,
    /// Everything that must be corrected, in the order of the checks.
    pub errors: Vec<ConfigError>,
    /// The request with every default written out, for `start_workflow`; null while there are errors.
    pub normalized_config: Option<TrainingConfig>,
    /// The values that the request left to their defaults.
    pub defaults_applied: Vec<DefaultApplied>,
    /// What a reader of the request should know, such as sections that this release does not act on.
    pub warnings: Vec<Notice>,
    /// A rough estimate of time and cost; null when the data could not be read or the request is wrong.
    pub estimate: Option<Estimate>,
    /// What was seen of the data; null when it was not looked at, could not be read or the request is wrong.
    #[serde(default)]
    pub data: Option<SeenData>,
}

impl Tool for ValidateTrainingParams {
    const NAME: &'static str = "validate_training_params";
    const TITLE: &'static str = "Check a training request";
    const EFFECT: Effect = Effect::Read;
    type Capability = GithubIntegration;
    type Output = ValidatedTrainingParams;

    async fn run(self, room: &GithubIntegration, call: &Call) -> Result<ValidatedTrainingParams> {
        let tables = self.check_data.then(|| room.tables()).transpose()?;
        let lines = self.lines.unwrap_or_default();
        let mut findings = Findings::new(call.lang, &lines);
        let draft = check::check(&self.config, &mut findings);
        let look = match (&draft.dataset, tables) {
            (Some(uri), Some(tables)) => Some(check::look(tables, &*room.store, uri, call).await),
            _ => None,
        };
        // Reading may have ended because the caller stopped waiting; that is not an error of the request.
        call.check()?;
        if let (Some(uri), Some(look)) = (&draft.dataset, &look) {
            check::check_data(&draft, uri, look, &mut findings);
        }
        let Findings { errors, warnings, defaults, .. } = findings;
        let valid = errors.is_empty();
        let estimate = match &look {
            Some(Look::Seen(facts)) if valid => estimate(&draft, facts),
            _ => None,
        };
        let data = match &look {
            Some(Look::Seen(facts)) if valid => SeenData::of(facts, draft.target.as_deref()),
            _ => None,
        };
        let normalized_config = if valid { draft.into_config() } else { None };
        Ok(ValidatedTrainingParams {
            valid,
            errors,
            normalized_config,
            defaults_applied: defaults,
            warnings,
            estimate,
            data,
        })
    }
}

fn estimate(draft: &Draft, facts: &Facts) -> Option<Estimate> {
    let algorithm = draft.algorithm.as_deref().filter(|name| *name != AUTO);
    let task = draft.task?;
    let features = facts.features(draft.target.as_deref());
    let Some(supervised) = task.supervised() else {
        let tried = match (algorithm, task) {
            (Some(name), _) => vec![name],
            (None, TaskType::Clustering) => vec!["kmeans", "gaussian_mixture", "hdbscan"],
            (None, _) => vec!["pca", "umap"],
        };
        let fitting = structure_estimate::seconds((facts.rows, features), &tried, &draft.hyperparameters);
        return Some(Estimate::of([facts.rows, facts.table.num_columns() as u64, features], fitting));
    };
    let workload = Workload {
        rows: facts.rows,
        columns: facts.table.num_columns() as u64,
        features,
        task: task_of(supervised),
        classes: match task_of(supervised) {
            Task::Classification => facts.classes(draft.target.as_deref()),
            Task::Regression => 1,
        },
        algorithm: algorithm.and_then(|name| name.parse().ok()),
        hyperparameters: &draft.hyperparameters,
        search: &draft.search,
    };
    Some(workload.estimate())
}

impl Report for ValidatedTrainingParams {
    fn summary(&self, lang: Lang) -> String {
        let (errors, warnings) = (self.errors.len(), self.warnings.len());
        if let Some(first) = self.errors.first() {
            let first = &first.message;
            return say!(
                lang,
                "the request has {errors} errors; the first: {first}",
                "依頼に {errors} 個の誤りがあります。最初の誤り: {first}"
            );
        }
        let defaults = self.defaults_applied.len();
        say!(
            lang,
            "the request is valid; {defaults} defaults, {warnings} warnings",
            "依頼に誤りはありません（既定値 {defaults} 個、注意 {warnings} 個）"
        )
    }
}
