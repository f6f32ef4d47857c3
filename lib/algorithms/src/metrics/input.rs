//! The checks that metrics share, and the weighted mean.

use ndarray::ArrayView2;

use super::{MetricError, Result};

/// Above this a square or a sum of squares could leave the range of `f64`.
const LARGEST: f64 = 1e150;

/// How far the probabilities of a row may be from a sum of 1: enough for models that compute in single precision.
const SUM_TOLERANCE: f64 = 1e-5;

/// The largest number of classes, so that a confusion matrix stays below 140 MB.
const MOST_CLASSES: usize = 4096;

/// Refuses no rows.
pub(super) fn not_empty(field: &'static str, length: usize) -> Result<()> {
    if length == 0 { Err(MetricError::Empty { field }) } else { Ok(()) }
}

/// Refuses arguments of different length.
pub(super) fn same_length(field: &'static str, found: usize, other: &'static str, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(MetricError::Length { field, found, other, expected }) }
}

/// Refuses fewer than 1 or far too many classes.
pub(super) fn class_count(n_classes: usize) -> Result<()> {
    if (1..=MOST_CLASSES).contains(&n_classes) {
        Ok(())
    } else {
        Err(parameter("n_classes", n_classes, "between 1 and 4096"))
    }
}

/// Refuses class codes that are not below `n_classes`.
pub(super) fn codes(field: &'static str, codes: &[u32], n_classes: usize) -> Result<()> {
    match codes.iter().position(|&code| code as usize >= n_classes) {
        None => Ok(()),
        Some(row) => Err(MetricError::UnknownClass { field, row, code: codes[row], n_classes }),
    }
}

/// Refuses one class that is not below `n_classes`.
pub(super) fn class(field: &'static str, code: u32, n_classes: usize) -> Result<()> {
    codes(field, &[code], n_classes)
}

/// Refuses values that are not finite or too large to square.
pub(super) fn finite(field: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|value| value.is_nan() || value.abs() >= LARGEST) {
        None => Ok(()),
        Some(row) => Err(MetricError::NotFinite { field, row, value: values[row].to_string() }),
    }
}

/// Refuses sample weights that do not fit `rows` rows or that no mean can use.
pub(super) fn weights(weights: Option<&[f64]>, rows: usize) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    same_length("weights", weights.len(), "truth", rows)?;
    if let Some(row) = weights.iter().position(|weight| !(0.0..LARGEST).contains(weight)) {
        return Err(MetricError::Weight { problem: format!("row {row} has {}", weights[row]) });
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(MetricError::Weight { problem: "every weight is 0".to_owned() });
    }
    Ok(())
}

/// Refuses probabilities that do not fit the truth, are outside 0 to 1 or do not sum to 1 in a row.
pub(super) fn probabilities(truth: &[u32], probabilities: ArrayView2<'_, f64>) -> Result<()> {
    not_empty("truth", truth.len())?;
    same_length("probabilities", probabilities.nrows(), "truth", truth.len())?;
    class_count(probabilities.ncols())?;
    codes("truth", truth, probabilities.ncols())?;
    for (row, values) in probabilities.rows().into_iter().enumerate() {
        if let Some(value) = values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(MetricError::NotProbability { row, problem: format!("{value} is not between 0 and 1") });
        }
        let sum: f64 = values.sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(MetricError::NotProbability { row, problem: format!("they sum to {sum}") });
        }
    }
    Ok(())
}

/// Refuses a confidence level outside 0 to 1.
pub(super) fn confidence(confidence: f64) -> Result<()> {
    if confidence > 0.0 && confidence < 1.0 {
        Ok(())
    } else {
        Err(parameter("confidence", confidence, "above 0 and below 1, such as 0.95"))
    }
}

/// The error for a parameter outside its range.
pub(super) fn parameter(field: &'static str, value: impl std::fmt::Display, expected: &'static str) -> MetricError {
    MetricError::Parameter { field, value: format!("{value}"), expected }
}

/// The mean, weighted where there are weights; 0 for no value.
pub(super) fn mean(values: impl Iterator<Item = f64>, weights: Option<&[f64]>) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, value) in values.enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[row]);
        sum += weight * value;
        total += weight;
    }
    if total == 0.0 { 0.0 } else { sum / total }
}

/// The column of the largest value, the first of equal ones.
pub(super) fn largest(values: impl Iterator<Item = f64>) -> u32 {
    let mut best = (0, f64::NEG_INFINITY);
    for (column, value) in values.enumerate() {
        if value > best.1 {
            best = (column as u32, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn bad_probabilities_are_refused_with_their_row() {
        let refused = |values: ndarray::Array2<f64>| {
            probabilities(&[0, 1], values.view()).map_err(|error| error.to_string()).unwrap_err()
        };
        assert!(refused(array![[0.5, 0.5], [0.5, 0.6]]).contains("row 1: they sum to 1.1"));
        assert!(refused(array![[f64::NAN, 0.5], [0.5, 0.5]]).contains("row 0: NaN is not between"));
        assert!(refused(array![[1.5, -0.5], [0.5, 0.5]]).contains("1.5"));
        assert!(refused(array![[0.5, 0.5]]).contains("has 1 rows and truth has 2"));
        assert!(refused(array![[1.0], [1.0]]).contains("truth[1] is class 1"));
    }

    #[test]
    fn bad_weights_are_refused() {
        assert!(weights(None, 2).is_ok());
        assert!(weights(Some(&[0.0, 2.0]), 2).is_ok());
        for bad in [&[1.0][..], &[-1.0, 1.0], &[f64::NAN, 1.0], &[f64::INFINITY, 1.0], &[0.0, 0.0]] {
            assert!(weights(Some(bad), 2).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn values_that_cannot_be_squared_are_refused() {
        assert!(finite("truth", &[1e149, -1e149]).is_ok());
        for bad in [f64::NAN, f64::INFINITY, 1e150, -1e200] {
            assert!(finite("truth", &[0.0, bad]).unwrap_err().to_string().starts_with("truth[1] is "));
        }
        assert!(class_count(0).is_err() && class_count(1_000_000).is_err());
        assert!(confidence(1.0).is_err() && confidence(f64::NAN).is_err());
    }

    #[test]
    fn the_first_of_equal_probabilities_wins() {
        assert_eq!(largest([0.2, 0.4, 0.4].into_iter()), 1);
    }
}
