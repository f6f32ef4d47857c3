//! One evaluation of a classifier, from what was read to a document that can be written.

use mlops_algorithms::metrics::bootstrap::BootstrapOptions;
use mlops_algorithms::metrics::classification::Average;
use mlops_algorithms::metrics::slices::{SliceOptions, SliceReport, classifier_slices};
use mlops_algorithms::metrics::threshold::ThresholdObjective;
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_artifacts::{LoadedModel, LoadedTable};
use mlops_core::values::TaskType;
use mlops_core::{Call, Error, Lang, Result};

use crate::classification::{self, Answers, Measuring};
use crate::comparison::{self, ClassAnswers, ComparedModel, Comparison};
use crate::evaluation::{Evaluation, FORMAT};
use crate::{fault, guessing, resampling, rounding, scoring, slicing};

/// How many resamples intervals are made of.
pub(crate) const REPLICATES: usize = 1000;
/// How many resamples the intervals of slices are made of.
pub(crate) const SLICE_REPLICATES: usize = 200;

/// What is asked of an evaluation.
#[derive(Debug, Clone)]
pub(crate) struct ClassifierRequest {
    /// The confidence level of intervals.
    pub confidence: f64,
    /// The seed of resampling.
    pub seed: u64,
    /// How precision, recall and F1 are averaged.
    pub average: Option<Average>,
    /// The positive class by name.
    pub positive_class: Option<String>,
    /// The probability from which the positive class is predicted.
    pub threshold: Option<f64>,
    /// What a threshold is chosen for.
    pub objective: Option<ThresholdObjective>,
    /// Columns to slice by.
    pub slices: Vec<String>,
}

impl ClassifierRequest {
    /// Nothing special.
    pub(crate) fn plain() -> Self {
        Self {
            confidence: 0.95,
            seed: 0,
            average: None,
            positive_class: None,
            threshold: None,
            objective: None,
            slices: Vec::new(),
        }
    }
}

/// The evaluation, with the predictions still to be written.
pub(crate) struct Evaluated {
    /// The document; the places of its files are empty.
    pub evaluation: Evaluation,
    /// The predictions, one row each.
    pub predictions: Table,
}

/// Scores the model, and the other one if there is one, and measures the answers.
pub(crate) fn run(
    model: &LoadedModel,
    data: &LoadedTable,
    other: Option<&LoadedModel>,
    request: &ClassifierRequest,
    call: &Call,
) -> Result<Evaluated> {
    call.progress(0.0, Some(4.0), "predicting");
    let (scored, left) = scoring::classify(model, data)?;
    let labels = scored.labels;
    let mut how = measuring(request, &labels)?;
    let mut answers = Answers::new(scored.truth, scored.probabilities, &how)?;
    let mut notes = left.note().into_iter().collect::<Vec<_>>();
    if let (Some(objective), Some(positive)) = (request.objective, how.positive) {
        how.threshold = Some(answers.best_threshold(positive, objective)?);
        answers = Answers::new(answers.truth, answers.probabilities, &how)?;
        notes.push("the threshold was chosen on these very rows, so the metrics are a little too good".to_owned());
    }
    call.check()?;
    call.progress(1.0, Some(4.0), "measuring");
    let measured = answers.measure(&how, true)?;
    let detail = answers.detail(&labels, &how, &measured, call)?;
    notes.extend(resampling::note(labels.len()));
    notes.extend(
        detail
            .confusion_matrix
            .is_empty()
            .then(|| "so many classes have no confusion matrix here; generate_confusion_matrix writes it".to_owned()),
    );
    notes.extend(classification::notes(&detail.per_class));
    call.check()?;
    call.progress(2.0, Some(4.0), "slicing");
    let slices = slices((&answers, &scored.rows, &labels), data, &how, request, call)?;
    call.check()?;
    call.progress(3.0, Some(4.0), "comparing");
    let comparison = match other {
        Some(other) => Some(compare((&answers, &scored.rows, &labels), other, data, &how)?),
        None => None,
    };
    let predictions = predictions(&answers, &scored.rows, &labels);
    let metrics = classification::metrics_of(&measured);
    let baseline = answers.guess(&labels, &how)?;
    notes.extend(guessing::warning(&metrics, &baseline, Lang::En).map(|sentence| sentence.text));
    let named = |(name, reason): (String, String)| (name, classification::in_names(&reason, &labels));
    let evaluation = Evaluation {
        format: FORMAT,
        run_id: String::new(),
        task: TaskType::Classification,
        model: scoring::model_facts(model),
        data: scoring::test_facts(data, answers.truth.len(), left),
        beats_guessing: guessing::is_beaten(&metrics, &baseline),
        metrics,
        intervals: measured.intervals,
        confidence: request.confidence,
        undefined: measured.undefined.into_iter().map(named).collect(),
        notes,
        baseline: Some(baseline),
        comparison,
        slices,
        classification: Some(detail),
        regression: None,
        clustering: None,
        reduction: None,
        predictions_uri: String::new(),
        plots: Vec::new(),
    };
    Ok(Evaluated { evaluation, predictions })
}

/// How the answers are measured, with names turned into codes.
pub(crate) fn measuring(request: &ClassifierRequest, labels: &[String]) -> Result<Measuring> {
    let positive = match &request.positive_class {
        Some(name) => Some(class_code(name, labels)?),
        None => (labels.len() == 2).then_some(1),
    };
    if request.threshold.is_some() && request.objective.is_some() {
        return Err(Error::invalid_input("`threshold` and `optimize_for` exclude each other")
            .at("threshold")
            .hint("leave one of them out"));
    }
    if positive.is_none() && (request.threshold.is_some() || request.objective.is_some()) {
        return Err(positive_needed("a threshold", labels));
    }
    if positive.is_none() && request.average == Some(Average::Binary) {
        return Err(positive_needed("the binary average", labels));
    }
    let resampling = BootstrapOptions { replicates: REPLICATES, confidence: request.confidence, seed: request.seed };
    Ok(Measuring { average: request.average, positive, threshold: request.threshold, resampling })
}

fn positive_needed(what: &str, labels: &[String]) -> Error {
    Error::invalid_input(format!("{what} needs a positive class, and the model knows {} classes", labels.len()))
        .at("positive_class")
        .hint(format!("name one of: {}", shown(labels)))
}

/// The code of a class by its name.
fn class_code(name: &str, labels: &[String]) -> Result<u32> {
    let is_named = |label: &String| {
        label == name || matches!((label.parse::<f64>(), name.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
    };
    labels.iter().position(is_named).map(|code| code as u32).ok_or_else(|| {
        Error::invalid_input(format!("the model does not know the class `{name}`"))
            .at("positive_class")
            .hint(format!("name one of: {}", shown(labels)))
    })
}

fn shown(labels: &[String]) -> String {
    let first: Vec<&str> = labels.iter().take(10).map(String::as_str).collect();
    format!("{}{}", first.join(", "), if labels.len() > first.len() { ", …" } else { "" })
}

fn slices(
    (answers, rows, labels): (&Answers, &[usize], &[String]),
    data: &LoadedTable,
    how: &Measuring,
    request: &ClassifierRequest,
    call: &Call,
) -> Result<Vec<SliceReport>> {
    let bootstrap = BootstrapOptions { replicates: SLICE_REPLICATES, ..how.resampling };
    let many = answers.probabilities.ncols() > resampling::MOST_CLASSES;
    let options = SliceOptions { intervals: (!many).then_some(bootstrap), ..SliceOptions::default() };
    let metrics = classification::options(how, true);
    let mut reports = Vec::new();
    for (name, values) in slicing::columns(data, &request.slices, rows)? {
        call.check()?;
        let report = classifier_slices(&name, &values, &answers.classified(), &metrics, &options);
        let mut report = report.map_err(fault::of_metric)?;
        if many {
            resampling::add_to_slices(&mut report, how.resampling.confidence)?;
        }
        rounding::settle_slices(&mut report);
        for slice in &mut report.slices {
            slice.undefined.values_mut().for_each(|reason| *reason = classification::in_names(reason, labels));
        }
        reports.push(report);
    }
    Ok(reports)
}

/// The other model on the same rows.
fn compare(
    (answers, rows, labels): (&Answers, &[usize], &[String]),
    other: &LoadedModel,
    data: &LoadedTable,
    how: &Measuring,
) -> Result<Comparison> {
    let field = "baseline_model_s3_uri";
    let (theirs, _) = scoring::classify(other, data).map_err(|error| error.at(field))?;
    let (our_rows, their_rows) = comparison::common(rows, &theirs.rows);
    if our_rows.is_empty() {
        return Err(Error::invalid_input("there is no row that both models can score").at(field));
    }
    let probabilities = in_order_of(labels, &theirs.labels, &theirs.probabilities).ok_or_else(|| {
        let (a, b) = (shown(labels), shown(&theirs.labels));
        Error::invalid_input(format!("the two models know different classes: {a} and {b}")).at(field)
    })?;
    let ours = answers.take(&our_rows);
    let probabilities = probabilities.select(ndarray::Axis(0), &their_rows);
    let theirs = Answers::new(ours.truth.clone(), probabilities, how)?;
    let (our_metrics, their_metrics) = (ours.measure(how, false)?, theirs.measure(how, false)?);
    let average = (our_metrics.average, our_metrics.positive_class);
    let (our_metrics, their_metrics) =
        (classification::metrics_of(&our_metrics), classification::metrics_of(&their_metrics));
    let side = |answers, metrics| -> ClassAnswers<'_> { answers_of(answers, metrics) };
    comparison::of_classifiers(
        compared(other),
        &ours.truth,
        &side(&ours, &our_metrics),
        &side(&theirs, &their_metrics),
        average,
        &how.resampling,
    )
}

fn answers_of<'a>(answers: &'a Answers, metrics: &'a crate::Metrics) -> ClassAnswers<'a> {
    ClassAnswers { predicted: &answers.predicted, probabilities: &answers.probabilities, metrics }
}

/// Which model it is.
pub(crate) fn compared(model: &LoadedModel) -> ComparedModel {
    ComparedModel { uri: model.uri.to_string(), sha256: model.sha256.clone(), algorithm: model.card.algorithm.clone() }
}

/// The columns of `probabilities` in the order of `labels`; `None` when the classes are not the same.
fn in_order_of(
    labels: &[String],
    theirs: &[String],
    probabilities: &ndarray::Array2<f64>,
) -> Option<ndarray::Array2<f64>> {
    if labels.len() != theirs.len() {
        return None;
    }
    let order: Option<Vec<usize>> = labels.iter().map(|label| theirs.iter().position(|other| other == label)).collect();
    Some(probabilities.select(ndarray::Axis(1), &order?))
}

fn predictions(answers: &Answers, rows: &[usize], labels: &[String]) -> Table {
    let named =
        |codes: &[u32]| Values::from_text(codes.iter().map(|&code| labels.get(code as usize).map(String::as_str)));
    let number = |values: Vec<f64>, kind| Values::Number { values, kind };
    let mut columns = vec![
        ("row".to_owned(), number(rows.iter().map(|&row| row as f64).collect(), NumberKind::Integer)),
        ("actual".to_owned(), named(&answers.truth)),
        ("predicted".to_owned(), named(&answers.predicted)),
    ];
    for (label, column) in labels.iter().zip(answers.probabilities.columns()) {
        columns.push((format!("probability_{label}"), number(column.to_vec(), NumberKind::Float)));
    }
    Table { columns: columns.into_iter().map(|(name, values)| Column { name, values }).collect() }
}
