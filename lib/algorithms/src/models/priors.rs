//! The probabilities of the classes before the features are seen.

use std::collections::BTreeMap;

use super::fit::FitError;

/// The priors of the present classes: those given by label, or each class's share of the weight; they sum to 1.
pub(super) fn priors(
    given: Option<&BTreeMap<String, f64>>,
    labels: &[String],
    present: &[u32],
    totals: &[f64],
) -> Result<Vec<f64>, FitError> {
    if let Some(given) = given {
        return given_priors(given, labels, present);
    }
    let all: f64 = totals.iter().sum();
    Ok(totals.iter().map(|total| total / all).collect())
}

/// The priors by label in the order of the present classes; they name each of these and sum to 1.
fn given_priors(given: &BTreeMap<String, f64>, labels: &[String], present: &[u32]) -> Result<Vec<f64>, FitError> {
    if let Some(label) = given.keys().find(|label| !labels.contains(label)) {
        return Err(FitError::Priors {
            problem: format!("the class '{label}', which the target does not have, is named"),
        });
    }
    let prior = |&code: &u32| {
        let label = &labels[code as usize];
        given
            .get(label)
            .copied()
            .ok_or_else(|| FitError::Priors { problem: format!("the class '{label}' is left out") })
    };
    let priors = present.iter().map(prior).collect::<Result<Vec<f64>, _>>()?;
    let total: f64 = priors.iter().sum();
    if (total - 1.0).abs() > 1e-8 {
        return Err(FitError::Priors { problem: format!("the sum is {total}, not 1") });
    }
    Ok(priors)
}
