//! What a trainer was asked for, whatever the kind of its target.

use std::collections::BTreeMap;

use mlops_algorithms::models::{Algorithm, Hyperparameters, Task};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::calibration::Calibration;
use crate::fault;

/// The longest name of a training job, as `SageMaker` has it.
const LONGEST_NAME: usize = 63;

/// A request for a model.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) task: Task,
    pub(crate) algorithm: Algorithm,
    pub(crate) train: ArtifactUri,
    pub(crate) validation: Option<ArtifactUri>,
    pub(crate) hyperparameters: Map<String, Value>,
    pub(crate) job_name: String,
    pub(crate) target_column: Option<String>,
    pub(crate) preprocessor_uri: Option<ArtifactUri>,
    pub(crate) class_weight: Option<ClassWeights>,
    pub(crate) sample_weight_column: Option<String>,
    pub(crate) cross_validation: Option<CrossValidation>,
    pub(crate) calibration: Calibration,
    pub(crate) seed: u64,
    pub(crate) run_id: Option<String>,
    pub(crate) dry_run: bool,
}

/// How much the rows of each class count.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ClassWeights {
    /// A rule.
    Rule(ClassWeightRule),
    /// The weight of each named class; the others count 1.
    Weights(BTreeMap<String, f64>),
}

/// A rule that gives each class its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeightRule {
    /// All classes weigh the same in total.
    Balanced,
}

/// How a model is scored on rows that it was not fitted to, beside the validation table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrossValidation {
    /// The number of folds: the model is fitted that many times more, each time without one of them.
    #[schemars(range(min = 2, max = 100))]
    pub folds: usize,
}

impl Request {
    /// The checked hyperparameters.
    pub(crate) fn hyperparameters(&self) -> Result<Hyperparameters> {
        let mut given = self.hyperparameters.clone();
        if let Some(weights) = &self.class_weight {
            if given.contains_key("class_weight") {
                return Err(Error::invalid_input("`class_weight` is given twice, once among the hyperparameters")
                    .at("class_weight")
                    .hint("give one of them"));
            }
            let weights = serde_json::to_value(weights)
                .map_err(|error| Error::internal("the class weights could not be written").caused_by(error))?;
            given.insert("class_weight".to_owned(), weights);
        }
        Hyperparameters::parse(self.algorithm, self.task, &given)
            .map_err(|_| fault::of_hyperparameters(&Hyperparameters::problems(self.algorithm, self.task, &given)))
    }

    /// Refuses what no table is needed to refuse.
    pub(crate) fn check(&self) -> Result<()> {
        check_job_name(&self.job_name)?;
        match self.cross_validation {
            Some(CrossValidation { folds }) if !(2..=100).contains(&folds) => {
                Err(Error::invalid_input(format!("`cross_validation.folds` must be 2 to 100, and is {folds}"))
                    .at("cross_validation.folds"))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a name that is no name of a folder.
pub(crate) fn check_job_name(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let sound = name.bytes().all(allowed) && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if sound && name.len() <= LONGEST_NAME {
        return Ok(());
    }
    Err(Error::invalid_input(format!(
        "`training_job_name` must begin with a letter or a digit and hold only letters, digits, `-`, `_` and `.`, at most \
         {LONGEST_NAME}"
    ))
    .at("training_job_name"))
}

#[cfg(test)]
mod tests {
    use mlops_core::ErrorKind;
    use serde_json::json;

    use super::*;

    fn request(hyperparameters: &Value) -> Request {
        Request {
            task: Task::Classification,
            algorithm: Algorithm::RandomForest,
            train: ArtifactUri::new("train.csv").unwrap(),
            validation: None,
            hyperparameters: hyperparameters.as_object().unwrap().clone(),
            job_name: "job".to_owned(),
            target_column: None,
            preprocessor_uri: None,
            class_weight: None,
            sample_weight_column: None,
            cross_validation: None,
            calibration: Calibration::None,
            seed: 42,
            run_id: None,
            dry_run: false,
        }
    }

    #[test]
    fn a_class_weight_is_a_hyperparameter_and_is_given_once() {
        let mut both = request(&json!({"n_estimators": 5}));
        both.class_weight = Some(ClassWeights::Rule(ClassWeightRule::Balanced));
        assert_eq!(both.hyperparameters().unwrap().resolved()["class_weight"], "balanced");
        both.hyperparameters.insert("class_weight".to_owned(), json!("balanced"));
        assert_eq!(both.hyperparameters().unwrap_err().field.as_deref(), Some("class_weight"));
    }

    #[test]
    fn every_wrong_hyperparameter_is_named_at_once() {
        let error = request(&json!({"n_estimator": 5, "max_depth": 0})).hyperparameters().unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert_eq!(error.field.as_deref(), Some("hyperparameters.n_estimator"));
        assert!(error.message.contains("n_estimators") && error.message.contains("max_depth"), "{error}");
    }

    #[test]
    fn names_that_are_no_folder_and_folds_out_of_range_are_refused() {
        let mut wrong = request(&json!({}));
        for name in ["", "../up", "a/b", "-x", &"n".repeat(64)] {
            name.clone_into(&mut wrong.job_name);
            assert_eq!(wrong.check().unwrap_err().field.as_deref(), Some("training_job_name"), "{name}");
        }
        "fine-1.0_x".clone_into(&mut wrong.job_name);
        wrong.check().unwrap();
        wrong.cross_validation = Some(CrossValidation { folds: 1 });
        assert_eq!(wrong.check().unwrap_err().field.as_deref(), Some("cross_validation.folds"));
    }
}
