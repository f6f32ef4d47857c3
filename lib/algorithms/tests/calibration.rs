//! Calibration against scikit-learn's, and what must hold for any probabilities.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mlops_algorithms::models::calibration::{CalibrationError, CalibrationMethod, Calibrator};
use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    binary: Vec<Binary>,
    several: Several,
}

#[derive(Deserialize)]
struct Binary {
    name: String,
    weight: Option<Vec<f64>>,
    probability: Vec<f64>,
    rounded: Vec<f64>,
    y: Vec<f64>,
    slope: f64,
    intercept: f64,
    test: Vec<f64>,
    test_rounded: Vec<f64>,
    sigmoid: Vec<f64>,
    isotonic: Vec<f64>,
}

#[derive(Deserialize)]
struct Several {
    classes: usize,
    y: Vec<f64>,
    probability: Vec<f64>,
    test: Vec<f64>,
    inverse_temperature: f64,
    temperature: Vec<f64>,
    isotonic: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/calibration.json")).unwrap()
}

fn codes(y: &[f64]) -> Vec<u32> {
    y.iter().map(|&value| value as u32).collect()
}

/// Two classes from the probability of the second.
fn both(second: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((second.len(), 2), |(row, class)| if class == 1 { second[row] } else { 1.0 - second[row] })
}

fn farthest<'a>(ours: impl IntoIterator<Item = &'a f64>, theirs: &[f64]) -> f64 {
    ours.into_iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// scikit-learn's L-BFGS ends where no part of the gradient of a sum over 180 rows is above 1e-6; its coefficients are good
/// to about 1e-6. Ours run Newton's method to the last digit.
#[test]
fn sigmoid_as_scikit_learn() {
    for case in golden().binary {
        let (probability, codes) = (both(&case.probability), codes(&case.y));
        let weight = case.weight.as_deref();
        let fitted = Calibrator::fit(CalibrationMethod::Sigmoid, probability.view(), &codes, weight).unwrap();
        let Calibrator::Sigmoid(maps) = &fitted else { panic!("a sigmoid") };
        assert_eq!(maps.len(), 1);
        assert!((maps[0].slope / case.slope - 1.0).abs() < 1e-5, "{}: {maps:?} {}", case.name, case.slope);
        assert!((maps[0].intercept - case.intercept).abs() < 1e-5, "{}: {maps:?} {}", case.name, case.intercept);
        let calibrated = fitted.apply(both(&case.test).view()).unwrap();
        let apart = farthest(calibrated.column(1), &case.sigmoid);
        assert!(apart < 1e-6, "{}: {apart:e}", case.name);
    }
}

/// Both are exact; only the order of sums differs.
#[test]
fn isotonic_as_scikit_learn() {
    for case in golden().binary {
        let (probability, codes) = (both(&case.rounded), codes(&case.y));
        let weight = case.weight.as_deref();
        let fitted = Calibrator::fit(CalibrationMethod::Isotonic, probability.view(), &codes, weight).unwrap();
        fitted.validate().unwrap();
        let calibrated = fitted.apply(both(&case.test_rounded).view()).unwrap();
        let apart = farthest(calibrated.column(1), &case.isotonic);
        assert!(apart < 1e-9, "{}: {apart:e}", case.name);
    }
}

/// scikit-learn's search stops at 64 units in the last place of the logarithm of the power, but the loss is level within the
/// root of that: 1e-7.
#[test]
fn several_classes_as_scikit_learn() {
    let case = golden().several;
    let matrix = |values: &[f64]| {
        ArrayView2::from_shape((values.len() / case.classes, case.classes), values).unwrap().to_owned()
    };
    let (probability, test, codes) = (matrix(&case.probability), matrix(&case.test), codes(&case.y));
    let fitted = Calibrator::fit(CalibrationMethod::Temperature, probability.view(), &codes, None).unwrap();
    let Calibrator::Temperature(temperature) = fitted else { panic!("a temperature") };
    assert!((temperature.inverse / case.inverse_temperature - 1.0).abs() < 1e-6, "{temperature:?}");
    assert!(farthest(&fitted.apply(test.view()).unwrap(), &case.temperature) < 1e-6);
    let fitted = Calibrator::fit(CalibrationMethod::Isotonic, probability.view(), &codes, None).unwrap();
    let apart = farthest(&fitted.apply(test.view()).unwrap(), &case.isotonic);
    assert!(apart < 1e-9, "{apart:e}");
}

#[test]
fn bad_input_is_named() {
    let fit = |probabilities: &Array2<f64>, codes: &[u32], weights: Option<&[f64]>| {
        Calibrator::fit(CalibrationMethod::Isotonic, probabilities.view(), codes, weights).unwrap_err()
    };
    let fine = both(&[0.2, 0.7]);
    assert!(matches!(fit(&fine, &[0], None), CalibrationError::Shape { codes: 1, .. }));
    assert!(matches!(fit(&fine, &[0, 1], Some(&[1.0])), CalibrationError::Shape { weights: 1, .. }));
    assert!(matches!(fit(&Array2::zeros((0, 2)), &[], None), CalibrationError::Shape { rows: 0, .. }));
    assert!(matches!(fit(&fine, &[0, 2], None), CalibrationError::Code { row: 1, code: 2, .. }));
    assert_eq!(fit(&fine, &[1, 1], None), CalibrationError::OneClass);
    assert_eq!(fit(&fine, &[0, 1], Some(&[0.0, 1.0])), CalibrationError::OneClass);
    assert!(matches!(fit(&fine, &[0, 1], Some(&[1.0, f64::NAN])), CalibrationError::Weight { row: 1, .. }));
    assert!(matches!(fit(&both(&[f64::NAN, 0.5]), &[0, 1], None), CalibrationError::Probability { row: 0, .. }));
    let fitted = Calibrator::fit(CalibrationMethod::Isotonic, fine.view(), &[0, 1], None).unwrap();
    assert!(fitted.apply(Array2::from_elem((1, 3), 1.0 / 3.0).view()).is_err());
}

#[test]
fn damaged_calibrations_are_refused() {
    let read = |text: &str| serde_json::from_str::<Calibrator>(text).unwrap().validate();
    assert!(read(r#"{"temperature":{"inverse":2.0}}"#).is_ok());
    assert!(read(r#"{"temperature":{"inverse":0.0}}"#).is_err());
    assert!(read(r#"{"sigmoid":[]}"#).is_err());
    assert!(read(r#"{"isotonic":[{"scores":[0.1,0.2],"values":[0.3,0.4]}]}"#).is_ok());
    assert!(read(r#"{"isotonic":[{"scores":[0.2,0.1],"values":[0.3,0.4]}]}"#).is_err());
    assert!(read(r#"{"isotonic":[{"scores":[0.1,0.2],"values":[0.4,0.3]}]}"#).is_err());
    assert!(read(r#"{"isotonic":[{"scores":[],"values":[]}]}"#).is_err());
}

const METHODS: [CalibrationMethod; 3] =
    [CalibrationMethod::Sigmoid, CalibrationMethod::Isotonic, CalibrationMethod::Temperature];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the probabilities are, the calibrated ones are probabilities, and a higher one of the second class never
    /// becomes the lower one by isotonic calibration.
    #[test]
    fn probabilities_stay_probabilities(rows in prop::collection::vec((0.0..=1.0_f64, 0..2_u32), 2..60)) {
        let second: Vec<f64> = rows.iter().map(|(value, _)| *value).collect();
        let mut codes: Vec<u32> = rows.iter().map(|(_, code)| *code).collect();
        (codes[0], codes[1]) = (0, 1);
        for method in METHODS {
            let fitted = Calibrator::fit(method, both(&second).view(), &codes, None).unwrap();
            fitted.validate().unwrap();
            let calibrated = fitted.apply(both(&second).view()).unwrap();
            for row in calibrated.rows() {
                prop_assert!((row.sum() - 1.0).abs() < 1e-12 && row.iter().all(|value| (0.0..=1.0).contains(value)));
            }
            if method == CalibrationMethod::Isotonic {
                let mut pairs: Vec<_> = second.iter().zip(calibrated.column(1)).collect();
                pairs.sort_by(|a, b| a.0.total_cmp(b.0));
                prop_assert!(pairs.windows(2).all(|pair| pair[0].1 <= pair[1].1));
            }
        }
    }

    /// A weight of 2 is the row twice.
    #[test]
    fn weights_count_as_repetitions(rows in prop::collection::vec((0.01..0.99_f64, 0..2_u32, 1..4_usize), 2..40)) {
        let second: Vec<f64> = rows.iter().map(|(value, ..)| *value).collect();
        let mut codes: Vec<u32> = rows.iter().map(|(_, code, _)| *code).collect();
        (codes[0], codes[1]) = (0, 1);
        let weights: Vec<f64> = rows.iter().map(|(.., count)| *count as f64).collect();
        let repeat = |row: usize| std::iter::repeat_n(row, rows[row].2);
        let repeated: Vec<usize> = (0..rows.len()).flat_map(repeat).collect();
        let long: Vec<f64> = repeated.iter().map(|&row| second[row]).collect();
        let long_codes: Vec<u32> = repeated.iter().map(|&row| codes[row]).collect();
        for method in METHODS {
            let weighted = Calibrator::fit(method, both(&second).view(), &codes, Some(&weights)).unwrap();
            let repeated = Calibrator::fit(method, both(&long).view(), &long_codes, None).unwrap();
            let (a, b) = (weighted.apply(both(&second).view()).unwrap(), repeated.apply(both(&second).view()).unwrap());
            let apart = farthest(&a, &b.iter().copied().collect::<Vec<_>>());
            prop_assert!(apart < 1e-6, "{method:?}: {apart:e}");
        }
    }
}
