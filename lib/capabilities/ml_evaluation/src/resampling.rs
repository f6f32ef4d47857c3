//! Intervals of a classifier's scores, at a cost that does not grow with the square of the classes.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::bootstrap::{BootstrapOptions, bootstrap};
use mlops_algorithms::metrics::classifier::{Classified, ClassifierMetrics};
use mlops_algorithms::metrics::slices::SliceReport;
use mlops_algorithms::metrics::{intervals, probability};
use mlops_core::{Error, Result};

use crate::fault;

/// With more classes than this, only scores that need no look at each class have intervals.
pub(crate) const MOST_CLASSES: usize = 50;

/// The scores that would need a look at each class in every resample.
const BY_CLASS: [&str; 7] = ["balanced_accuracy", "precision", "recall", "f1_score", "mcc", "auc_roc", "pr_auc"];

/// The intervals of accuracy, log loss and the Brier score, and for the other scores why they have none.
pub(crate) fn add_overall(
    metrics: &mut ClassifierMetrics,
    data: &Classified<'_>,
    options: &BootstrapOptions,
) -> Result<()> {
    let right = data.truth.iter().zip(data.predicted).filter(|(truth, predicted)| truth == predicted).count();
    let accuracy = intervals::wilson(right as u64, data.truth.len() as u64, options.confidence);
    metrics.intervals.insert("accuracy".to_owned(), accuracy.map_err(fault::of_metric)?);
    if let Some(probabilities) = data.probabilities {
        let losses = [
            ("log_loss", probability::log_losses(data.truth, probabilities).map_err(fault::of_metric)?),
            ("brier", probability::brier_scores(data.truth, probabilities).map_err(fault::of_metric)?),
        ];
        for (name, losses) in losses {
            let mean = |rows: &[usize]| Some(rows.iter().map(|&row| losses[row]).sum::<f64>() / rows.len() as f64);
            let found = bootstrap(losses.len(), options, mean).map_err(fault::of_metric)?;
            metrics.intervals.extend(found.interval.map(|interval| (name.to_owned(), interval)));
        }
    }
    for name in BY_CLASS {
        metrics.undefined.insert(format!("{name}_interval"), reason(data.n_classes));
    }
    Ok(())
}

/// The intervals of accuracy in each slice of a column.
pub(crate) fn add_to_slices(report: &mut SliceReport, confidence: f64) -> Result<()> {
    for slice in &mut report.slices {
        let accuracy = slice.metrics.get("accuracy").copied();
        let right = accuracy.ok_or_else(|| Error::internal("a slice has no accuracy"))? * slice.n as f64;
        let interval = intervals::wilson(right.round() as u64, slice.n, confidence).map_err(fault::of_metric)?;
        slice.intervals = BTreeMap::from([("accuracy".to_owned(), interval)]);
    }
    Ok(())
}

/// What a reader must know about scores over so many classes; nothing when there are few.
pub(crate) fn note(n_classes: usize) -> Option<String> {
    (n_classes > MOST_CLASSES).then(|| {
        format!(
            "there are {n_classes} classes: only accuracy, log loss and the Brier score have intervals, and slices \
             only that of accuracy"
        )
    })
}

fn reason(n_classes: usize) -> String {
    format!("with {n_classes} classes (more than {MOST_CLASSES}) this score is not resampled")
}
