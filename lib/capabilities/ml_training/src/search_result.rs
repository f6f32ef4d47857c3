//! What a search has found, as callers see it.

use std::time::Duration;

use mlops_algorithms::models::Algorithm;
use mlops_algorithms::search::{
    ConvergencePoint, Direction, SearchMetric, Trial, TrialStatus, convergence, importance,
};
use mlops_core::values::ArtifactUri;
use mlops_core::{ArtifactLink, Error, Lang, Report, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::search::{SearchEnd, Searched, count};
use crate::tools::HyperparameterOptimization;

/// The most trials in a result; the store has all.
const SHOWN: usize = 200;
/// The most points of the way to the best trial.
const POINTS: usize = 100;

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct OptimizedHyperparameters {
    /// The parameters of the best trial.
    pub best_params: Map<String, Value>,
    /// Those and the fixed ones: what to train with.
    pub best_hyperparameters: Map<String, Value>,
    /// The metric of the best trial.
    pub best_value: f64,
    /// The number of the best trial.
    pub best_trial: usize,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// What was searched.
    pub search_space: Map<String, Value>,
    /// What counted.
    pub metric: SearchMetric,
    /// Whether a lower or a higher metric is better.
    pub direction: Direction,
    /// How trials were scored: `cross_validation` or `validation`.
    pub scored_on: String,
    /// The trials in their order, the last 200 of them.
    pub trials: Vec<Trial>,
    /// How many trials the search has made over all calls.
    pub trials_total: usize,
    /// How many ended in this call.
    pub trials_in_this_call: usize,
    /// How many were ended early.
    pub pruned: usize,
    /// How many failed.
    pub failed: usize,
    /// The complete trials with the best value so far, at most 100 of them: with more, all improvements and some others.
    pub convergence: Vec<ConvergencePoint>,
    /// The share of each parameter in the variance that single parameters explain, the highest first; empty with fewer than
    /// four complete trials.
    pub importance: Vec<ParameterImportance>,
    /// Why the search has ended.
    pub ended_by: SearchEnd,
    /// Where the search lies; give it back, with the same arguments, to go on.
    pub study_uri: ArtifactUri,
    /// A plot of the values by trial, as SVG.
    pub convergence_plot_uri: ArtifactUri,
    /// What the reader should know, in plain sentences.
    pub warnings: Vec<String>,
    /// Seconds of this call.
    pub seconds: f64,
}

/// How much a parameter matters.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ParameterImportance {
    /// The parameter.
    pub parameter: String,
    /// From 0 to 1; all sum to 1.
    pub importance: f64,
}

impl OptimizedHyperparameters {
    /// The result of that request, whose search and plot lie in those places.
    pub(crate) fn of(
        request: &HyperparameterOptimization,
        searched: Searched,
        metric: SearchMetric,
        (study_uri, convergence_plot_uri): (ArtifactUri, ArtifactUri),
        warnings: Vec<String>,
        time: Duration,
    ) -> Result<Self> {
        let study = searched.study;
        let Some(best) = study.best() else {
            let message = "no trial has ended with a value yet";
            return Err(Error::invalid_input(message)
                .at("time_limit_seconds")
                .hint("call again with the same arguments and more time: what has ended is kept"));
        };
        let with = |status| study.trials().iter().filter(|trial| trial.status == status).count();
        let mut shares = importance(&study).unwrap_or_default();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        let named = |(parameter, importance)| ParameterImportance { parameter, importance };
        let mut best_hyperparameters = request.hyperparameters.clone();
        best_hyperparameters.extend(best.params.clone());
        let by_folds = request.cross_validation.is_some() || request.validation_data_s3_uri.is_none();
        Ok(Self {
            best_params: best.params.clone(),
            best_hyperparameters,
            best_value: best.value.unwrap_or_default(),
            best_trial: best.number,
            algorithm: request.algorithm,
            search_space: request.search_space.clone(),
            metric,
            direction: metric.direction(),
            scored_on: if by_folds { "cross_validation" } else { "validation" }.to_owned(),
            trials: study.trials()[study.trials().len().saturating_sub(SHOWN)..].to_vec(),
            trials_total: count(&study),
            trials_in_this_call: searched.new_trials,
            pruned: with(TrialStatus::Pruned),
            failed: with(TrialStatus::Failed),
            convergence: convergence(&study, POINTS),
            importance: shares.into_iter().map(named).collect(),
            ended_by: searched.end,
            study_uri,
            convergence_plot_uri,
            warnings,
            seconds: time.as_secs_f64(),
        })
    }
}

impl Report for OptimizedHyperparameters {
    fn summary(&self, lang: Lang) -> String {
        let (metric, value, total) = (self.metric.as_str(), self.best_value, self.trials_total);
        let params = Value::Object(self.best_params.clone());
        match lang {
            Lang::En => format!("best {metric} {value:.6} of {total} trials with {params}"),
            Lang::Ja => format!("{total} 回の試行で最良の {metric} は {value:.6} です（{params}）"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        vec![ArtifactLink::new(self.convergence_plot_uri.as_str(), "convergence plot")]
    }
}
