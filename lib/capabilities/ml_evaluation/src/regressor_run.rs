//! One evaluation of a regressor, from what was read to a document that can be written.

use mlops_algorithms::metrics::bootstrap::BootstrapOptions;
use mlops_algorithms::metrics::slices::{SliceOptions, regressor_slices};
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_artifacts::{LoadedModel, LoadedTable};
use mlops_core::values::TaskType;
use mlops_core::{Call, Error, Lang, Result};

use crate::classifier_run::{Evaluated, REPLICATES, SLICE_REPLICATES, compared};
use crate::comparison::{self, Comparison};
use crate::evaluation::{Evaluation, FORMAT};
use crate::regression::{self, Measuring};
use crate::scoring::{self, Numbers};
use crate::{fault, guessing, slicing};

/// What is asked of an evaluation.
#[derive(Debug, Clone)]
pub(crate) struct RegressorRequest {
    /// The confidence level of intervals.
    pub confidence: f64,
    /// The seed of resampling.
    pub seed: u64,
    /// The quantile of the pinball loss.
    pub quantile: f64,
    /// Columns to slice by.
    pub slices: Vec<String>,
}

/// Scores the model, and the other one if there is one, and measures the answers.
pub(crate) fn run(
    model: &LoadedModel,
    data: &LoadedTable,
    other: Option<&LoadedModel>,
    request: &RegressorRequest,
    call: &Call,
) -> Result<Evaluated> {
    let resampling = BootstrapOptions { replicates: REPLICATES, confidence: request.confidence, seed: request.seed };
    let how = Measuring { quantile: request.quantile, resampling };
    call.progress(0.0, Some(4.0), "predicting");
    let (answers, left) = scoring::regress(model, data)?;
    call.check()?;
    call.progress(1.0, Some(4.0), "measuring");
    let measured = regression::measure(&answers.truth, &answers.predicted, &how, true)?;
    let detail = regression::detail(&answers, &measured, request.quantile)?;
    call.check()?;
    call.progress(2.0, Some(4.0), "slicing");
    let resampling = BootstrapOptions { replicates: SLICE_REPLICATES, ..resampling };
    let options = SliceOptions { intervals: Some(resampling), ..SliceOptions::default() };
    let mut slices = Vec::new();
    for (name, values) in slicing::columns(data, &request.slices, &answers.rows)? {
        call.check()?;
        let report = regressor_slices(&name, &values, &answers.truth, &answers.predicted, None, &options);
        slices.push(report.map_err(fault::of_metric)?);
    }
    call.progress(3.0, Some(4.0), "comparing");
    let comparison = match other {
        Some(other) => Some(compare(&answers, other, data, &how)?),
        None => None,
    };
    let metrics = regression::metrics_of(&measured);
    let baseline = regression::guess(&answers.truth, &how)?;
    let mut notes = measured.notes;
    notes.extend(guessing::warning(&metrics, &baseline, Lang::En).map(|sentence| sentence.text));
    let evaluation = Evaluation {
        format: FORMAT,
        run_id: String::new(),
        task: TaskType::Regression,
        model: scoring::model_facts(model),
        data: scoring::test_facts(data, answers.truth.len(), left),
        beats_guessing: guessing::is_beaten(&metrics, &baseline),
        metrics,
        intervals: measured.intervals,
        confidence: request.confidence,
        undefined: measured.undefined,
        notes,
        baseline: Some(baseline),
        comparison,
        slices,
        classification: None,
        regression: Some(detail),
        clustering: None,
        reduction: None,
        predictions_uri: String::new(),
        plots: Vec::new(),
    };
    Ok(Evaluated { evaluation, predictions: predictions(&answers) })
}

/// The other model on the same rows.
fn compare(answers: &Numbers, other: &LoadedModel, data: &LoadedTable, how: &Measuring) -> Result<Comparison> {
    let field = "baseline_model_s3_uri";
    let (theirs, _) = scoring::regress(other, data).map_err(|error| error.at(field))?;
    let (our_rows, their_rows) = comparison::common(&answers.rows, &theirs.rows);
    if our_rows.is_empty() {
        return Err(Error::invalid_input("there is no row that both models can score").at(field));
    }
    let take = |values: &[f64], rows: &[usize]| rows.iter().map(|&row| values[row]).collect::<Vec<_>>();
    let truth = take(&answers.truth, &our_rows);
    let (ours, theirs) = (take(&answers.predicted, &our_rows), take(&theirs.predicted, &their_rows));
    let metrics = |predicted: &[f64]| Ok(regression::metrics_of(&regression::measure(&truth, predicted, how, false)?));
    let (our_metrics, their_metrics) = (metrics(&ours)?, metrics(&theirs)?);
    let sides = ((&ours[..], &our_metrics), (&theirs[..], &their_metrics));
    comparison::of_regressors(compared(other), &truth, sides.0, sides.1, &how.resampling)
}

fn predictions(answers: &Numbers) -> Table {
    let number = |values: Vec<f64>, kind| Values::Number { values, kind };
    let residuals =
        answers.truth.iter().zip(&answers.predicted).map(|(actual, predicted)| actual - predicted).collect();
    let columns = [
        ("row", number(answers.rows.iter().map(|&row| row as f64).collect(), NumberKind::Integer)),
        ("actual", number(answers.truth.clone(), NumberKind::Float)),
        ("predicted", number(answers.predicted.clone(), NumberKind::Float)),
        ("residual", number(residuals, NumberKind::Float)),
    ];
    Table { columns: columns.into_iter().map(|(name, values)| Column { name: name.to_owned(), values }).collect() }
}
