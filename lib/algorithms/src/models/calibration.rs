//! Calibration of probabilities: a map, learnt on rows that the model has not seen, after which they come true as often as
//! they say.
//!
//! How well probabilities are calibrated is measured by [`crate::metrics::calibration`].

mod isotonic;
pub(in crate::models) mod onnx;
mod sigmoid;
mod temperature;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

pub use isotonic::Isotonic;
pub use sigmoid::Sigmoid;
pub use temperature::Temperature;

use super::InvalidModel;

/// Probabilities are kept this far from 0 and 1 before their logarithm is taken.
const NEAREST: f64 = 1e-15;

/// How probabilities are calibrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    /// A logistic function of the log-odds (Platt, 1999): two numbers a class; for a few hundred rows.
    Sigmoid,
    /// A rising step function (Zadrozny and Elkan, 2002): for a thousand rows and more.
    Isotonic,
    /// One exponent for all classes (Guo and others, 2017): never changes which class is the most probable.
    Temperature,
}

/// A fitted calibration.
///
/// With two classes, one map is for the second, and the first gets the rest. With more, each class has a map of its own,
/// after which the probabilities of a row are divided by their sum (all alike where that is 0). Reading one with serde does
/// not check it; [`Calibrator::validate`] does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibrator {
    /// One map for the second of two classes, or one a class.
    Sigmoid(Vec<Sigmoid>),
    /// One map for the second of two classes, or one a class.
    Isotonic(Vec<Isotonic>),
    /// One exponent for all classes.
    Temperature(Temperature),
}

/// Why probabilities could not be calibrated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// The parts differ in length, or there is nothing.
    #[error(
        "{rows} rows of probabilities of {classes} classes, {codes} classes of rows and {weights} weights do not belong together"
    )]
    Shape {
        /// The rows of the probabilities.
        rows: usize,
        /// The classes of the probabilities; at least 2 are needed.
        classes: usize,
        /// The number of class codes.
        codes: usize,
        /// The number of weights.
        weights: usize,
    },
    /// A probability is none.
    #[error(
        "the probability of class {class} in row {row} (both counted from 0) is {value}; it must be between 0 and 1"
    )]
    Probability {
        /// The row, counted from 0.
        row: usize,
        /// The class, counted from 0.
        class: usize,
        /// The value.
        value: f64,
    },
    /// A class code has no probability.
    #[error("the class code in row {row} (counted from 0) is {code}, but there are {classes} classes")]
    Code {
        /// The row, counted from 0.
        row: usize,
        /// The code.
        code: u32,
        /// The number of classes.
        classes: usize,
    },
    /// A weight cannot be used.
    #[error("the weight in row {row} (counted from 0) is {value}; it must be a finite number of at least 0")]
    Weight {
        /// The row, counted from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// The rows that count are of one class.
    #[error("every row with weight is of one class; calibration needs rows of at least two classes")]
    OneClass,
}

impl Calibrator {
    /// Learns the map from rows that the model has not learnt from.
    ///
    /// `probabilities` is rows × classes, `codes` holds the class of each row, and `weights`, where given, one weight of at
    /// least 0 a row.
    pub fn fit(
        method: CalibrationMethod,
        probabilities: ArrayView2<'_, f64>,
        codes: &[u32],
        weights: Option<&[f64]>,
    ) -> Result<Self, CalibrationError> {
        check(probabilities, codes, weights)?;
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let rows: Vec<usize> = (0..codes.len()).filter(|&row| weight(row) > 0.0).collect();
        if rows.windows(2).all(|pair| codes[pair[0]] == codes[pair[1]]) {
            return Err(CalibrationError::OneClass);
        }
        let weighty: Vec<f64> = rows.iter().map(|&row| weight(row)).collect();
        let classes = calibrated_classes(probabilities.ncols());
        let column = |class: usize| rows.iter().map(|&row| probabilities[(row, class)]).collect::<Vec<_>>();
        let hits = |class: usize| rows.iter().map(|&row| codes[row] as usize == class).collect::<Vec<_>>();
        Ok(match method {
            CalibrationMethod::Sigmoid => {
                let one = |class| {
                    let scores: Vec<f64> = column(class).into_iter().map(log_odds).collect();
                    Sigmoid::fit(&scores, &hits(class), &weighty)
                };
                Self::Sigmoid(classes.map(one).collect())
            }
            CalibrationMethod::Isotonic => {
                let one = |class| Isotonic::fit(&column(class), &hits(class), &weighty);
                Self::Isotonic(classes.map(one).collect())
            }
            CalibrationMethod::Temperature => {
                let logarithms: Vec<f64> =
                    rows.iter().flat_map(|&row| probabilities.row(row).to_vec()).map(logarithm).collect();
                let codes: Vec<usize> = rows.iter().map(|&row| codes[row] as usize).collect();
                Self::Temperature(Temperature::fit(&logarithms, probabilities.ncols(), &codes, &weighty))
            }
        })
    }

    /// The calibrated probabilities, rows × classes; every row sums to 1.
    pub fn apply(&self, probabilities: ArrayView2<'_, f64>) -> Result<Array2<f64>, CalibrationError> {
        let (rows, classes) = probabilities.dim();
        if !self.serves(classes) {
            return Err(CalibrationError::Shape { rows, classes, codes: rows, weights: rows });
        }
        check_probabilities(probabilities)?;
        let mut calibrated = probabilities.to_owned();
        for mut row in calibrated.rows_mut() {
            let Some(row) = row.as_slice_mut() else { continue };
            match self {
                Self::Temperature(temperature) => temperature.apply(row),
                Self::Sigmoid(maps) => apply_each(row, |map, value| maps[map].apply(log_odds(value))),
                Self::Isotonic(maps) => apply_each(row, |map, value| maps[map].apply(value)),
            }
        }
        Ok(calibrated)
    }

    /// Whether it is for models of that many classes.
    pub fn serves(&self, classes: usize) -> bool {
        let maps = match self {
            Self::Temperature(_) => return classes >= 2,
            Self::Sigmoid(maps) => maps.len(),
            Self::Isotonic(maps) => maps.len(),
        };
        classes >= 2 && calibrated_classes(classes).len() == maps
    }

    /// Checks that numbers are finite and in order.
    pub fn validate(&self) -> Result<(), InvalidModel> {
        let valid = match self {
            Self::Temperature(temperature) => temperature.is_valid(),
            Self::Sigmoid(maps) => !maps.is_empty() && maps.iter().all(Sigmoid::is_valid),
            Self::Isotonic(maps) => !maps.is_empty() && maps.iter().all(Isotonic::is_valid),
        };
        if valid { Ok(()) } else { Err(InvalidModel::new("the calibration is not valid")) }
    }
}

/// The classes that have a map: the second of two, or all.
fn calibrated_classes(classes: usize) -> std::ops::Range<usize> {
    if classes == 2 { 1..2 } else { 0..classes }
}

fn apply_each(row: &mut [f64], map: impl Fn(usize, f64) -> f64) {
    if let [first, second] = row {
        *second = map(0, *second);
        *first = 1.0 - *second;
        return;
    }
    row.iter_mut().enumerate().for_each(|(class, value)| *value = map(class, *value));
    let (sum, even) = (row.iter().sum::<f64>(), 1.0 / row.len() as f64);
    for value in row {
        *value = if sum > 0.0 { *value / sum } else { even };
    }
}

fn log_odds(probability: f64) -> f64 {
    let probability = probability.clamp(NEAREST, 1.0 - NEAREST);
    (probability / (1.0 - probability)).ln()
}

fn logarithm(probability: f64) -> f64 {
    probability.max(NEAREST).ln()
}

fn check(probabilities: ArrayView2<'_, f64>, codes: &[u32], weights: Option<&[f64]>) -> Result<(), CalibrationError> {
    let (rows, classes) = probabilities.dim();
    let given = weights.map_or(rows, <[f64]>::len);
    if rows == 0 || classes < 2 || codes.len() != rows || given != rows {
        return Err(CalibrationError::Shape { rows, classes, codes: codes.len(), weights: given });
    }
    check_probabilities(probabilities)?;
    if let Some((row, &code)) = codes.iter().enumerate().find(|(_, code)| **code as usize >= classes) {
        return Err(CalibrationError::Code { row, code, classes });
    }
    let bad = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
    match weights.unwrap_or(&[]).iter().enumerate().find(|(_, weight)| bad(weight)) {
        Some((row, &value)) => Err(CalibrationError::Weight { row, value }),
        None => Ok(()),
    }
}

fn check_probabilities(probabilities: ArrayView2<'_, f64>) -> Result<(), CalibrationError> {
    match probabilities.indexed_iter().find(|(_, value)| !(0.0..=1.0).contains(*value)) {
        Some(((row, class), &value)) => Err(CalibrationError::Probability { row, class, value }),
        None => Ok(()),
    }
}
