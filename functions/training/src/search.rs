//! The search for hyperparameters before a model is trained.
//!
//! The trials of an algorithm lie in `models/<run>/<algorithm>-search/`. A task that is run again goes on with them, and the
//! model's folder is named after the best trial (`<algorithm>-trial-7`), so that a repeat that had more time, and found
//! something better, never changes a model that is there.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mlops_core::values::{ArtifactUri, SupervisedTask, TrainingConfig};
use mlops_core::{Call, Error, ErrorKind, Lang, Result, ToolCaller, arguments, schema};
use mlops_ml_training::MlTraining;
use mlops_ml_training::tools::{
    ConvergencePoint, HyperparameterOptimization, OptimizedHyperparameters, SearchConfig, SearchEnd, SearchMetric, Task,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The section of the request.
const SECTION: &str = "hyperparameter_optimization";
/// No trial of any search begins that would not end in this share of the time that the call has left: models are trained in
/// the rest.
const SHARE: f64 = 0.5;
/// A trial that is still running after this share is broken off.
const LAST: f64 = 0.7;
/// The least time limit in seconds, which lets one trial begin.
const LEAST: f64 = 0.001;

/// How an algorithm was searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchRecord {
    /// The algorithm.
    pub algorithm: String,
    /// How trials were chosen.
    pub strategy: String,
    /// What counted.
    pub metric: String,
    /// Into how many folds the training rows were divided.
    pub folds: usize,
    /// How many trials were asked for.
    pub max_trials: usize,
    /// How many there were.
    pub trials: usize,
    /// How many of them were ended early.
    pub pruned: usize,
    /// How many of them failed.
    pub failed: usize,
    /// The number of the best trial; null when none has a value.
    pub best_trial: Option<usize>,
    /// The metric of the best trial.
    pub best_value: Option<f64>,
    /// The parameters of the best trial, with which the model was trained.
    pub best_params: Map<String, Value>,
    /// Why the search has ended: `max_trials`, `time_limit` or `exhausted`; null when there was none.
    pub ended_by: Option<SearchEnd>,
    /// Why there were fewer trials than were asked for, or none; null when there were all.
    pub note: Option<String>,
    /// Where the trials lie.
    pub study_uri: Option<ArtifactUri>,
    /// A plot of the values by trial, as SVG.
    pub convergence_plot_uri: Option<ArtifactUri>,
    /// The way to the best trial, at most 100 points; left out of candidates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub convergence: Vec<ConvergencePoint>,
}

/// The searches of a task.
pub(crate) struct Searches {
    config: SearchConfig,
    metric: SearchMetric,
    /// Whether the algorithms are the fleet's choice, so that one that cannot be searched is trained as it is.
    automatic: bool,
    /// The time that searches have taken.
    spent: Duration,
    /// How many algorithms are still to be searched.
    open: usize,
}

impl Searches {
    /// What the request asks for; `None` when it asks for no search.
    pub(crate) fn of(
        config: &TrainingConfig,
        task: SupervisedTask,
        algorithms: usize,
        automatic: bool,
    ) -> Result<Option<Self>> {
        if config.hyperparameter_optimization.is_empty() {
            return Ok(None);
        }
        let given = Value::Object(config.hyperparameter_optimization.clone());
        let read = arguments::parse::<SearchConfig>(&schema::of_input::<SearchConfig>(), given);
        let search = read.map_err(|error| {
            let field = error.field.clone().unwrap_or_default();
            error.at(format!("config.{SECTION}.{field}").trim_end_matches('.'))
        })?;
        let metric = metric(task, search.metric.as_deref())?;
        Ok(Some(Self { config: search, metric, automatic, spent: Duration::ZERO, open: algorithms }))
    }

    /// Searches the algorithm of a training request, and puts what was found into the request.
    pub(crate) async fn tune(
        &mut self,
        training: &ToolCaller<MlTraining>,
        config: &TrainingConfig,
        request: &mut Value,
        call: &Call,
    ) -> Result<SearchRecord> {
        let began = Instant::now();
        let found = self.search(training, config, request, call).await;
        self.spent += began.elapsed();
        self.open = self.open.saturating_sub(1).max(1);
        let algorithm = request["algorithm"].as_str().unwrap_or_default().to_owned();
        match found {
            Ok(found) => {
                request["hyperparameters"] = Value::Object(found.best_hyperparameters.clone());
                request["training_job_name"] = json!(format!("{algorithm}-trial-{}", found.best_trial));
                Ok(self.record(algorithm, found, call.lang))
            }
            Err(error) if self.can_do_without(&error) => Ok(self.nothing(algorithm, error.message)),
            Err(error) => Err(in_section(error)),
        }
    }

    async fn search(
        &self,
        training: &ToolCaller<MlTraining>,
        config: &TrainingConfig,
        request: &Value,
        call: &Call,
    ) -> Result<OptimizedHyperparameters> {
        let left = call.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let share = |share: f64| left.map(|left| left.mul_f64(share / self.open as f64));
        let asked = |limit: Option<f64>| {
            let asked = self.arguments(config, request, limit);
            arguments::parse::<HyperparameterOptimization>(&schema::of_input::<HyperparameterOptimization>(), asked)
        };
        let last = share(LAST).map_or_else(|| call.clone(), |time| call.clone().within(time));
        let limit = self.limit(share(SHARE));
        match training.call::<HyperparameterOptimization>(asked(limit)?, &last).await {
            // A trial was broken off: what has ended before it counts.
            Err(error) if error.kind == ErrorKind::TimedOut => {
                call.check()?;
                training.call(asked(Some(0.0))?, call).await
            }
            found => found,
        }
    }

    /// The seconds after which no trial begins.
    fn limit(&self, share: Option<Duration>) -> Option<f64> {
        let of_request = self.config.time_limit_seconds.map(|limit| limit - self.spent.as_secs_f64());
        let of_request = of_request.map(|left| left / self.open as f64);
        let least = of_request.into_iter().chain(share.map(|share| share.as_secs_f64())).reduce(f64::min);
        least.map(|limit| limit.max(LEAST))
    }

    fn arguments(&self, config: &TrainingConfig, request: &Value, limit: Option<f64>) -> Value {
        let mut arguments = json!({
            "task": config.task,
            "strategy": self.config.strategy,
            "metric": self.metric,
            "max_trials": self.config.max_trials,
            "cross_validation": {"folds": self.config.folds},
            "search_space": self.config.search_space,
            "time_limit_seconds": limit,
            "pruner": self.config.pruner,
        });
        let same = [
            "algorithm",
            "train_data_s3_uri",
            "preprocessor_uri",
            "hyperparameters",
            "training_job_name",
            "target_column",
            "seed",
            "run_id",
        ];
        for name in same {
            arguments[name] = request[name].clone();
        }
        for (name, given) in [("parallel", self.config.parallel), ("grid_points", self.config.grid_points)] {
            if let Some(given) = given {
                arguments[name] = json!(given);
            }
        }
        arguments
    }

    /// Whether the algorithm is trained without a search after that error: no trial has ended in time, or the fleet chose an
    /// algorithm that has nothing to search.
    fn can_do_without(&self, error: &Error) -> bool {
        let own_space = self.automatic && self.config.search_space.is_empty();
        match (error.kind, error.field.as_deref()) {
            (ErrorKind::InvalidInput, Some("time_limit_seconds")) => true,
            (ErrorKind::InvalidInput, Some("search_space")) => own_space,
            _ => false,
        }
    }

    fn record(&self, algorithm: String, found: OptimizedHyperparameters, lang: Lang) -> SearchRecord {
        let (trials, asked) = (found.trials_total, self.config.max_trials);
        let note = match (found.ended_by, lang) {
            (SearchEnd::MaxTrials, _) => None,
            (SearchEnd::TimeLimit, Lang::En) => Some(format!("its time was over after {trials} of {asked} trials")),
            (SearchEnd::TimeLimit, Lang::Ja) => Some(format!("{asked} 回中 {trials} 回の試行で時間切れになりました")),
            (SearchEnd::Exhausted, Lang::En) => Some(format!("there are no more than {trials} combinations")),
            (SearchEnd::Exhausted, Lang::Ja) => Some(format!("組み合わせは {trials} 通りですべてです")),
        };
        SearchRecord {
            trials,
            pruned: found.pruned,
            failed: found.failed,
            best_trial: Some(found.best_trial),
            best_value: Some(found.best_value),
            best_params: found.best_params,
            ended_by: Some(found.ended_by),
            note,
            study_uri: Some(found.study_uri),
            convergence_plot_uri: Some(found.convergence_plot_uri),
            convergence: found.convergence,
            ..self.nothing(algorithm, String::new())
        }
    }

    /// The record of an algorithm that was trained without a search.
    fn nothing(&self, algorithm: String, why: String) -> SearchRecord {
        let strategy = serde_json::to_value(self.config.strategy).unwrap_or_default();
        SearchRecord {
            algorithm,
            strategy: strategy.as_str().unwrap_or_default().to_owned(),
            metric: self.metric.as_str().to_owned(),
            folds: self.config.folds,
            max_trials: self.config.max_trials,
            trials: 0,
            pruned: 0,
            failed: 0,
            best_trial: None,
            best_value: None,
            best_params: Map::new(),
            ended_by: None,
            note: Some(why),
            study_uri: None,
            convergence_plot_uri: None,
            convergence: Vec::new(),
        }
    }

    /// Which of two candidates is better by the metric of the search, on rows that they were not fitted to.
    pub(crate) fn compare(&self, a: &BTreeMap<String, f64>, b: &BTreeMap<String, f64>) -> Ordering {
        let name = self.metric.as_str();
        let score = |metrics: &BTreeMap<String, f64>| {
            let held_out = metrics.get(&format!("validation_{name}"));
            let score = held_out.or_else(|| metrics.get(&format!("cross_validation_{name}"))).copied();
            score.map_or(f64::INFINITY, |score| self.metric.direction().minimized(score))
        };
        score(a).total_cmp(&score(b))
    }
}

impl SearchRecord {
    /// The record without the way to the best trial.
    pub(crate) fn in_short(&self) -> Self {
        Self { convergence: Vec::new(), ..self.clone() }
    }
}

/// The metric of that name, which must be one of the task.
fn metric(task: SupervisedTask, name: Option<&str>) -> Result<SearchMetric> {
    let task = match task {
        SupervisedTask::Classification => Task::Classification,
        SupervisedTask::Regression => Task::Regression,
    };
    let Some(name) = name else { return Ok(SearchMetric::of(task)) };
    SearchMetric::named(name).filter(|metric| metric.task() == task).ok_or_else(|| {
        let allowed = SearchMetric::names_for(task).collect::<Vec<_>>().join(", ");
        Error::invalid_input(format!("a search of {task} cannot go by `{name}`; it goes by one of {allowed}"))
            .at(format!("config.{SECTION}.metric"))
    })
}

/// The error with the field of the request that the argument came from.
fn in_section(mut error: Error) -> Error {
    error.field = error.field.map(|field| match field.split('.').next().unwrap_or_default() {
        "cross_validation" => format!("config.{SECTION}.folds"),
        "strategy" | "metric" | "max_trials" | "search_space" | "time_limit_seconds" | "parallel" | "pruner"
        | "grid_points" => format!("config.{SECTION}.{field}"),
        _ => field,
    });
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searches(limit: Option<f64>, spent: u64, open: usize) -> Searches {
        let config = SearchConfig { time_limit_seconds: limit, ..SearchConfig::default() };
        let spent = Duration::from_secs(spent);
        Searches { config, metric: SearchMetric::Rmse, automatic: true, spent, open }
    }

    #[test]
    fn the_time_of_the_request_and_of_the_call_is_shared_by_what_is_still_to_be_searched() {
        let share = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(searches(None, 0, 2).limit(None), None);
        assert_eq!(searches(None, 0, 2).limit(share(100)), Some(100.0));
        assert_eq!(searches(Some(60.0), 0, 2).limit(share(100)), Some(30.0));
        assert_eq!(searches(Some(60.0), 10, 1).limit(None), Some(50.0));
        assert_eq!(searches(Some(60.0), 80, 1).limit(None), Some(LEAST), "one trial begins always");
    }

    #[test]
    fn the_better_score_on_held_out_rows_comes_first_and_none_comes_last() {
        let of = |pairs: &[(&str, f64)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let (good, bad, none) =
            (of(&[("validation_rmse", 1.0)]), of(&[("cross_validation_rmse", 2.0)]), of(&[("train_rmse", 0.1)]));
        let searches = searches(None, 0, 1);
        assert_eq!(searches.compare(&good, &bad), Ordering::Less);
        assert_eq!(searches.compare(&none, &bad), Ordering::Greater);
    }
}
