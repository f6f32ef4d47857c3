//! `evaluate_regressor`: how far a regressor's predictions are off, and how sure that is.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::Interval;
use mlops_algorithms::metrics::slices::SliceReport;
use mlops_artifacts::{Kind, run_id};
use mlops_core::values::{ArtifactUri, SupervisedTask};
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evaluate_classifier::{links, usual_confidence, usual_seed, yes};
use crate::evaluation::{Evaluation, Guess, PlotFile, WorstRow};
use crate::plots::lettering::significant;
use crate::regressor_run::{self, RegressorRequest};
use crate::storing::{self, Folder};
use crate::{Comparison, MlEvaluation, scoring, slicing};

/// Measure a regressor on test data: root mean squared, absolute, relative and largest error and R², with intervals, by
/// slice, against guessing the mean and, if asked, against another model on the same rows with paired tests. Writes
/// evaluation.json, the predictions and residual plots. Test data may be raw: the model brings its preprocessor.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateRegressor {
    /// Where the model lies, as training gave it.
    pub model_s3_uri: ArtifactUri,
    /// Where the test data lies: raw columns, or columns that the model's own preprocessor made. The target is in it.
    pub test_data_s3_uri: ArtifactUri,
    /// Whether plots are drawn as PNG and SVG.
    #[serde(default = "yes")]
    pub generate_plots: bool,
    /// The quantile whose pinball loss is measured, 0 to 1; 0.5 makes it half of the mean absolute error.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub quantile: f64,
    /// Columns of the test data by whose values the metrics are shown as well, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
    /// The confidence level of intervals and tests, above 0 and below 1.
    #[serde(default = "usual_confidence")]
    pub confidence: f64,
    /// Another model, such as the champion, that is scored on the same rows and compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_model_s3_uri: Option<ArtifactUri>,
    /// The seed of resampling.
    #[serde(default = "usual_seed")]
    pub seed: u64,
    /// The run whose folder the files go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Measures and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

fn half() -> f64 {
    0.5
}

/// The metrics of a regressor; null where one is not defined, and `undefined` says why.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct RegressorScores {
    /// The root of the mean squared error, in the unit of the target.
    pub rmse: Option<f64>,
    /// The mean absolute error, in the unit of the target.
    pub mae: Option<f64>,
    /// The coefficient of determination; 1 is perfect, 0 is as good as the mean.
    pub r2: Option<f64>,
    /// The mean absolute error as a fraction of the true value, over rows whose true value is not 0.
    pub mape: Option<f64>,
    /// The symmetric mean absolute percentage error as a fraction, 0 to 2.
    pub smape: Option<f64>,
    /// The median absolute error, in the unit of the target.
    pub median_ae: Option<f64>,
    /// The largest absolute error, in the unit of the target.
    pub max_error: Option<f64>,
    /// The mean pinball loss of the quantile `quantile`, in the unit of the target.
    pub pinball: Option<f64>,
}

/// How good a regressor is.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct EvaluatedRegressor {
    /// The metrics on the test data.
    pub metrics: RegressorScores,
    /// The quantile of the pinball loss.
    pub quantile: f64,
    /// How many rows were left out of MAPE because their true value is 0.
    pub mape_excluded_zero_targets: u64,
    /// How much too high predictions are on average: the mean of predicted minus actual, which is the mean residual with
    /// its sign turned.
    pub mean_bias: f64,
    /// Whether R² is above 0, that of guessing the mean; null when R² is not defined.
    pub beats_guessing: Option<bool>,
    /// How many rows were evaluated.
    pub n: usize,
    /// How many rows were left out.
    pub dropped_rows: usize,
    /// By column, how many values were categories that training had not seen.
    pub unseen: BTreeMap<String, usize>,
    /// The intervals of the metrics.
    pub intervals: BTreeMap<String, Interval>,
    /// Why a metric or an interval is not defined, by name.
    pub undefined: BTreeMap<String, String>,
    /// What a reader must know about the numbers.
    pub notes: Vec<String>,
    /// The rows with the largest errors.
    pub worst: Vec<WorstRow>,
    /// The metrics by the values of the columns in `slices`: at most 120 slices, with intervals when there are few; the
    /// document has all.
    pub slices: Vec<SliceReport>,
    /// What always predicting the mean reaches on the same rows. This guess knows the test rows' own mean.
    pub baseline: Guess,
    /// How the model compares with the other one; null when none was given or it is the same model.
    pub comparison: Option<Comparison>,
    /// Everything as one document, from which `create_evaluation_report` makes the report.
    pub evaluation_uri: String,
    /// The predictions as Parquet: row, actual, predicted and residual.
    pub predictions_uri: String,
    /// The plots.
    pub plots: Vec<PlotFile>,
    /// SHA-256 of the model's bytes.
    pub model_sha256: String,
    /// SHA-256 of the test data's bytes.
    pub test_data_sha256: String,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl Tool for EvaluateRegressor {
    const NAME: &'static str = "evaluate_regressor";
    const TITLE: &'static str = "Evaluate a regressor";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlEvaluation;
    type Output = EvaluatedRegressor;

    async fn run(self, room: &MlEvaluation, call: &Call) -> Result<EvaluatedRegressor> {
        let artifacts = &room.artifacts;
        if !(0.0..=1.0).contains(&self.quantile) {
            return Err(Error::invalid_input(format!("`quantile` is {}, outside 0 to 1", self.quantile)).at("quantile"));
        }
        let task = SupervisedTask::Regression;
        let model = scoring::read_model(artifacts, &self.model_s3_uri, task, "model_s3_uri").await?;
        let other = scoring::read_other(artifacts, self.baseline_model_s3_uri.as_ref(), &model).await?;
        let data = scoring::read_test_data(artifacts, &self.test_data_s3_uri, call).await?;
        let hashes = [model.sha256.as_str(), data.source.sha256.as_str()];
        let run_id = run_id(self.run_id.as_deref(), call, &self, &hashes)?;
        let request = RegressorRequest {
            confidence: self.confidence,
            seed: self.seed,
            quantile: self.quantile,
            slices: self.slices.clone(),
        };
        let draw = self.generate_plots;
        let (mut evaluated, plots) = call
            .compute(move |call| {
                let evaluated = regressor_run::run(&model, &data, other.as_ref(), &request, call)?;
                let plots = if draw { storing::draw_all(&evaluated.evaluation)? } else { Vec::new() };
                Ok((evaluated, plots))
            })
            .await?;
        let folder = Folder { artifacts, kind: Kind::Evaluations, run_id: &run_id, dry_run: self.dry_run };
        let evaluation_uri = storing::write(&folder, &mut evaluated, plots, call).await?;
        result(evaluated.evaluation, evaluation_uri, self.dry_run)
    }
}

fn result(evaluation: Evaluation, evaluation_uri: String, dry_run: bool) -> Result<EvaluatedRegressor> {
    let detail = evaluation.regression.ok_or_else(|| Error::internal("a regressor's details are missing"))?;
    let value = |name: &str| evaluation.metrics.get(name).copied().flatten();
    Ok(EvaluatedRegressor {
        metrics: RegressorScores {
            rmse: value("rmse"),
            mae: value("mae"),
            r2: value("r2"),
            mape: value("mape"),
            smape: value("smape"),
            median_ae: value("median_ae"),
            max_error: value("max_error"),
            pinball: value("pinball"),
        },
        quantile: detail.pinball_alpha,
        mape_excluded_zero_targets: detail.mape_excluded_zero_targets,
        mean_bias: detail.mean_bias,
        beats_guessing: evaluation.beats_guessing,
        n: evaluation.data.evaluated,
        dropped_rows: evaluation.data.dropped_rows,
        unseen: evaluation.data.unseen,
        intervals: evaluation.intervals,
        undefined: evaluation.undefined,
        notes: evaluation.notes,
        worst: detail.worst,
        slices: slicing::for_result(evaluation.slices),
        baseline: evaluation.baseline.ok_or_else(|| Error::internal("what guessing reaches is missing"))?,
        comparison: evaluation.comparison,
        evaluation_uri,
        predictions_uri: evaluation.predictions_uri,
        plots: evaluation.plots,
        model_sha256: evaluation.model.sha256,
        test_data_sha256: evaluation.data.sha256,
        dry_run,
    })
}

impl Report for EvaluatedRegressor {
    fn summary(&self, lang: Lang) -> String {
        let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| significant(value, 4));
        let (rmse, r2, n) = (show(self.metrics.rmse), show(self.metrics.r2), self.n);
        let guess = show(self.baseline.metrics.get("rmse").copied().flatten());
        match lang {
            Lang::En => format!("RMSE {rmse} and R² {r2} on {n} test rows; guessing the mean has RMSE {guess}"),
            Lang::Ja => format!("テスト {n} 行で RMSE {rmse}、R² {r2}（平均値の予測では RMSE {guess}）"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        links(self.dry_run, &self.evaluation_uri, &self.predictions_uri, &self.plots)
    }
}
