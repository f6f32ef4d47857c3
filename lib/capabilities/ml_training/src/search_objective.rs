//! What a search minimises or maximises: a score on the validation rows, or its mean over folds.

use mlops_algorithms::models::{Hyperparameters, fit};
use mlops_algorithms::search::{Outcome, SearchMetric, Study, Trial};
use mlops_artifacts::CallProbe;
use mlops_core::{Call, Error, ErrorKind, Result};

use crate::cross_validation::{check_rows, folds, score_fold};
use crate::estimate::{TrainingEstimate, check_table};
use crate::fault;
use crate::job::{Inputs, note_dropped};
use crate::request::Request;
use crate::score::{Scores, score};
use crate::training_table::{Roles, TrainingTable};

/// The rows, and what is asked of them.
pub(crate) struct Objective {
    request: Request,
    metric: SearchMetric,
    table: TrainingTable,
    held_out: Option<TrainingTable>,
    /// The number of folds and the fold of each training row.
    folds: Option<(usize, Vec<usize>)>,
    pub(crate) warnings: Vec<String>,
}

impl Objective {
    /// Reads the rows; so many trials at once must have room.
    pub(crate) fn new(
        inputs: &Inputs,
        request: Request,
        metric: SearchMetric,
        parallel: usize,
        call: &Call,
    ) -> Result<Self> {
        let mut roles = Roles {
            task: request.task,
            target: &inputs.target,
            weight: request.sample_weight_column.as_deref(),
            preprocessor: inputs.preprocessor.as_ref(),
            field: "train_data_s3_uri",
        };
        check_table(&inputs.train, roles.preprocessor, roles.field, call)?;
        let table = TrainingTable::to_learn(&inputs.train, &roles)?;
        // What is not searched may have no sense alone; each trial is looked at before it begins.
        if let Ok(parameters) = request.hyperparameters() {
            let together = TrainingEstimate::of(&table, &parameters).at_once(parallel);
            together.announce_fit(&table, request.algorithm, call)?;
        }
        let mut warnings = Vec::new();
        note_dropped(&mut warnings, &table, "training");
        let mut held_out = None;
        let mut divided = None;
        if let Some(asked) = request.cross_validation {
            check_rows(&table, asked.folds)?;
            divided = Some((asked.folds, folds(&table.target, asked.folds, request.seed)));
        } else if let Some(data) = &inputs.validation {
            roles.field = "validation_data_s3_uri";
            roles.weight = None;
            let rows = TrainingTable::to_score(data, &roles, &table)?;
            note_dropped(&mut warnings, &rows, "validation");
            held_out = Some(rows);
        }
        Ok(Self { request, metric, table, held_out, folds: divided, warnings })
    }

    /// Runs a trial that the study has given out, to its end; the study is not changed. An error ends the search.
    pub(crate) fn run(&self, study: &Study, trial: &Trial, call: &Call) -> Result<Trial> {
        let mut study = study.clone();
        let outcome = match self.value(&mut study, trial, call) {
            Ok(outcome) => outcome,
            // Another trial may well do better; when none does, the search says so after the first few.
            Err(error) if error.kind == ErrorKind::InvalidInput => Outcome::Failed(error.message),
            Err(error) => return Err(error),
        };
        study.tell(trial.number, outcome).map_err(fault::of_search)?;
        let ended = study.trials().get(trial.number).cloned();
        ended.ok_or_else(|| Error::internal("the study has lost a trial"))
    }

    fn value(&self, study: &mut Study, trial: &Trial, call: &Call) -> Result<Outcome> {
        let mut request = self.request.clone();
        request.hyperparameters.extend(trial.params.clone());
        let parameters = request.hyperparameters()?;
        let quiet = call.clone().reporting_to(|_| {});
        let estimate = TrainingEstimate::of(&self.table, &parameters);
        estimate.announce_fit(&self.table, self.request.algorithm, &quiet)?;
        let Some((count, folds)) = &self.folds else {
            let value = self.named(&self.score_held_out(&parameters, &quiet)?)?;
            return Ok(Outcome::Complete(value));
        };
        let mut sum = 0.0;
        for fold in 0..*count {
            call.check()?;
            sum += self.named(&score_fold(&self.table, &parameters, (folds, fold), self.request.seed, &quiet)?)?;
            let done = fold + 1;
            let mean = sum / done as f64;
            let stops = study.report(trial.number, done as u64, mean).map_err(fault::of_search)?;
            if done == *count {
                return Ok(Outcome::Complete(mean));
            }
            if stops {
                return Ok(Outcome::Pruned);
            }
        }
        Err(Error::internal("a search has no folds"))
    }

    fn score_held_out(&self, parameters: &Hyperparameters, call: &Call) -> Result<Scores> {
        let (table, seed) = (&self.table, self.request.seed);
        let weights = table.weights.as_deref();
        let algorithm = self.request.algorithm;
        let fitted = fit(algorithm, table.features.view(), &table.target, weights, parameters, seed, &CallProbe(call));
        let fitted = fitted.map_err(|error| fault::of_fit(&error, &table.feature_names, call))?;
        let rows = self.held_out.as_ref().ok_or_else(|| Error::internal("a search has no rows to score on"))?;
        Ok(score(&fitted.model, rows.features.view(), &rows.target)?.0)
    }

    fn named(&self, scores: &Scores) -> Result<f64> {
        let name = self.metric.as_str();
        let value = scores.get(name).copied().filter(|value| value.is_finite());
        value.ok_or_else(|| Error::invalid_input(format!("`{name}` is not defined for the predictions")).at("metric"))
    }
}
