//! `hyperparameter_optimization`: the hyperparameters that predict best.

use std::time::Duration;

use mlops_algorithms::models::{Algorithm, Task};
use mlops_algorithms::search::{
    Direction, ParameterForm, Pruner, SearchMetric, SearchSpace, Strategy, Study, StudySettings, check_space,
    convergence, default_space,
};
use mlops_artifacts::{Kind, drawing, run_id};
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Call, Effect, Error, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::calibration::Calibration;
use crate::job::{Inputs, read};
use crate::request::{ClassWeights, CrossValidation, Request};
use crate::search::{Budget, search};
use crate::search_objective::Objective;
use crate::search_records::SearchRecords;
use crate::search_result::OptimizedHyperparameters;
use crate::{MlTraining, fault};

/// The number of folds when there are no validation rows and none are asked for.
const FOLDS: usize = 5;

/// Search for the hyperparameters with which an algorithm predicts best: on a grid, at random, or with a model of the trials
/// so far. Each trial is fitted to the training rows and scored on folds of them or on the validation rows. The same
/// arguments called again go on where the last call ended, and no trial is run twice. Train on `best_hyperparameters`
/// afterwards: no model is kept here.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HyperparameterOptimization {
    /// What is predicted: one of a few classes, or a number.
    pub task: Task,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The training rows: an `s3://` or `file://` URI, or a path.
    pub train_data_s3_uri: ArtifactUri,
    /// The rows that trials are scored on when there is no `cross_validation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_data_s3_uri: Option<ArtifactUri>,
    /// What is searched, by the names of the hyperparameters: `{"max_depth": {"int": [3, 12]}, "min_samples_leaf":
    /// {"log_int": [1, 64]}, "criterion": ["gini", "entropy"]}`. `when` makes one depend on another. The algorithm's own
    /// space when not given: the parameters that change predictions most, without those of `hyperparameters`; a point close
    /// to the defaults is then tried first, except on a grid.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, ParameterForm>")]
    pub search_space: Map<String, Value>,
    /// Hyperparameters that stay as they are in every trial.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub hyperparameters: Map<String, Value>,
    /// How the next trial is chosen.
    #[serde(default)]
    pub strategy: Strategy,
    /// What counts; the log loss for classification and the root mean squared error for regression when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<SearchMetric>,
    /// Whether a lower or a higher metric is better; it follows from the metric, and another one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The number of trials of the whole search, over all calls.
    #[serde(default = "max_trials")]
    #[schemars(range(min = 1, max = 2000))]
    pub max_trials: usize,
    /// No trial begins in this call that would end after so many seconds, if it took as long as the longest one so far. The
    /// deadline of the call counts as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub time_limit_seconds: Option<f64>,
    /// How many trials run at once; they are also chosen together, so that the result depends on this number.
    #[serde(default = "parallel")]
    #[schemars(range(min = 1, max = 64))]
    pub parallel: usize,
    /// Scores every trial on folds of the training rows; five folds when there are no validation rows either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// Ends a trial early whose mean over the first folds is worse than that of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruner: Option<Pruner>,
    /// Trials from elsewhere: those with a value teach the search, and those without one are run first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warm_start: Vec<WarmStartTrial>,
    /// How many values of a range a grid has.
    #[serde(default = "grid_points")]
    #[schemars(range(min = 1, max = 1000))]
    pub grid_points: usize,
    /// The name of the search: letters, digits, `-`, `_` and `.`, at most 63. It names the search's folder.
    #[schemars(length(min = 1, max = 63))]
    #[serde(default = "training_job_name")]
    pub training_job_name: String,
    /// The column to predict. The manifest of the training rows names it when this does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_column: Option<String>,
    /// The preprocessor that makes raw columns into features: the one of the manifest when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_uri: Option<ArtifactUri>,
    /// How much the rows of each class count: `balanced`, or a weight for each class. All count 1 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeights>,
    /// A column of weights of at least 0, one a row, that is no feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_weight_column: Option<String>,
    /// The seed of every random choice.
    #[serde(default = "mlops_core::values::default_seed")]
    pub seed: u64,
    /// The run whose folder the search lies in; the caller's run, or one made of the arguments, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The `study_uri` of an earlier call of this search, to go on with it from another run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study_uri: Option<ArtifactUri>,
}

fn max_trials() -> usize {
    30
}

fn parallel() -> usize {
    1
}

fn grid_points() -> usize {
    5
}

fn training_job_name() -> String {
    "search".to_owned()
}

/// A trial from elsewhere.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmStartTrial {
    /// A value for every parameter of the search space.
    pub params: Map<String, Value>,
    /// The metric, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

impl Tool for HyperparameterOptimization {
    const NAME: &'static str = "hyperparameter_optimization";
    const TITLE: &'static str = "Search for hyperparameters";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlTraining;
    type Output = OptimizedHyperparameters;

    async fn run(mut self, room: &MlTraining, call: &Call) -> Result<OptimizedHyperparameters> {
        let started = std::time::Instant::now();
        self.complete()?;
        let metric = self.metric()?;
        let budget = self.budget()?;
        let request = self.request();
        request.check()?;
        let begin = self.study(&request, metric)?;
        let inputs = read(room, call, &request).await?;
        let fingerprint = self.fingerprint(&inputs)?;
        let folder = if let Some(folder) = &self.study_uri {
            folder.clone()
        } else {
            let run = run_id(self.run_id.as_deref(), call, &fingerprint, &[])?;
            room.artifacts.place(Kind::Models, &run, &format!("{}-search", self.training_job_name))
        };
        let (asked, folds) = (request.clone(), request.cross_validation.is_some());
        let objective = call.compute(move |call| Objective::new(&inputs, asked, metric, budget.parallel, call)).await?;
        let mut warnings = objective.warnings.clone();
        if self.pruner.is_some() && !folds {
            warnings.push("the pruner has nothing to go by: a trial has one score without cross_validation".to_owned());
        }
        let records = SearchRecords::new(&room.artifacts, folder);
        let (study, _) = records.open(&fingerprint, begin).await?;
        let searched = search(study, objective, &records, budget, call).await?;
        let place = records.folder().join("convergence.svg");
        let points = convergence(&searched.study, usize::MAX);
        let picture = drawing::convergence::draw(&points, metric.as_str(), call.lang);
        let plot = room.artifacts.write_bytes(&place, picture, Condition::None).await?;
        let places = (records.folder().clone(), plot.uri);
        OptimizedHyperparameters::of(&self, searched, metric, places, warnings, started.elapsed())
    }
}

impl HyperparameterOptimization {
    /// Puts the algorithm's own space in the place of one that is not given.
    fn complete(&mut self) -> Result<()> {
        if !self.search_space.is_empty() {
            return Ok(());
        }
        self.request().hyperparameters()?;
        let Some(own) = default_space(self.algorithm, self.task, &self.hyperparameters) else {
            let message = format!("{} has nothing left that a search changes by itself", self.algorithm);
            return Err(Error::invalid_input(message)
                .at("search_space")
                .hint("give a search_space, take hyperparameters out, or choose another algorithm"));
        };
        if self.warm_start.is_empty() && self.strategy != Strategy::Grid {
            self.warm_start.push(WarmStartTrial { params: own.start, value: None });
        }
        self.search_space = own.search_space;
        Ok(())
    }

    fn metric(&self) -> Result<SearchMetric> {
        let metric = self.metric.unwrap_or_else(|| SearchMetric::of(self.task));
        if metric.task() != self.task {
            let message = format!("`{}` is a metric of {}, not of {}", metric.as_str(), metric.task(), self.task);
            return Err(Error::invalid_input(message).at("metric"));
        }
        match self.direction {
            Some(direction) if direction != metric.direction() => {
                let message = format!("the direction of `{}` is the other one", metric.as_str());
                Err(Error::invalid_input(message).at("direction").hint("leave `direction` out"))
            }
            _ => Ok(metric),
        }
    }

    fn budget(&self) -> Result<Budget> {
        let outside = |field: &str, value: String, allowed: &str| {
            Err(Error::invalid_input(format!("`{field}` must be {allowed}, and is {value}")).at(field))
        };
        if !(1..=2000).contains(&self.max_trials) {
            return outside("max_trials", self.max_trials.to_string(), "1 to 2000");
        }
        if !(1..=64).contains(&self.parallel) {
            return outside("parallel", self.parallel.to_string(), "1 to 64");
        }
        let time_limit = match self.time_limit_seconds {
            None => None,
            Some(seconds) => match Duration::try_from_secs_f64(seconds) {
                Ok(limit) => Some(limit),
                Err(_) => return outside("time_limit_seconds", seconds.to_string(), "a number of at least 0"),
            },
        };
        Ok(Budget { max_trials: self.max_trials, time_limit, parallel: self.parallel })
    }

    fn request(&self) -> Request {
        let needs_folds = self.cross_validation.is_none() && self.validation_data_s3_uri.is_none();
        Request {
            task: self.task,
            algorithm: self.algorithm,
            train: self.train_data_s3_uri.clone(),
            validation: self.validation_data_s3_uri.clone(),
            hyperparameters: self.hyperparameters.clone(),
            job_name: self.training_job_name.clone(),
            target_column: self.target_column.clone(),
            preprocessor_uri: self.preprocessor_uri.clone(),
            class_weight: self.class_weight.clone(),
            sample_weight_column: self.sample_weight_column.clone(),
            cross_validation: if needs_folds { Some(CrossValidation { folds: FOLDS }) } else { self.cross_validation },
            calibration: Calibration::None,
            seed: self.seed,
            run_id: self.run_id.clone(),
            dry_run: false,
        }
    }

    /// The study before its first trial.
    fn study(&self, request: &Request, metric: SearchMetric) -> Result<Study> {
        request.hyperparameters()?;
        let search_space =
            SearchSpace::parse(&self.search_space).map_err(|problems| fault::of_search(problems.into()))?;
        check_space(&search_space, request.algorithm, request.task, &request.hyperparameters)
            .map_err(|problems| fault::of_search(problems.into()))?;
        let mut settings = StudySettings::new(search_space);
        settings.strategy = self.strategy;
        settings.direction = metric.direction();
        settings.seed = self.seed;
        settings.grid_points = self.grid_points;
        settings.pruner = self.pruner;
        let mut study = Study::new(settings).map_err(fault::of_search)?;
        for (at, trial) in self.warm_start.iter().enumerate() {
            let added = match trial.value {
                Some(value) => study.add(trial.params.clone(), value),
                None => study.enqueue(trial.params.clone()),
            };
            added.map_err(|error| {
                let told = fault::of_search(error);
                let field = told.field.clone().unwrap_or_default();
                told.at(format!("warm_start[{at}].params.{field}"))
            })?;
        }
        Ok(study)
    }

    /// A hash of everything that decides the trials: the arguments without the budget and the place, and the data.
    fn fingerprint(&self, inputs: &Inputs) -> Result<String> {
        let mut arguments = serde_json::to_value(self)
            .map_err(|error| Error::internal("the arguments could not be written as JSON").caused_by(error))?;
        if let Some(map) = arguments.as_object_mut() {
            let decides = |name: &String, _: &mut Value| {
                !["max_trials", "time_limit_seconds", "study_uri", "run_id"].contains(&name.as_str())
                    && !name.ends_with("_s3_uri")
            };
            map.retain(decides);
        }
        let validation = inputs.validation.as_ref().map_or("", |table| table.source.sha256.as_str());
        Ok(sha256_hex(format!("{arguments}\n{}\n{validation}", inputs.train.source.sha256).as_bytes()))
    }
}
