//! Least squares with a penalty on the squared coefficients.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis};

use super::cholesky::Cholesky;
use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::RidgeParameters;
use super::least_squares;
use super::linear_regression::{LinearRegression, importance};
use super::moments::{Means, centred_row, second_moments};
use super::vector::dot;
use crate::probe::Probe;

/// The largest system that is solved by a factor; more needs tens of gigabytes.
pub(super) const LARGEST_SYSTEM: usize = 20_000;
/// A pivot that is smaller, relative to its diagonal element, is rounding.
const SINGULAR: f64 = 1e-13;

/// Minimises `Σ weight · (y − x·coefficients − intercept)² + alpha · |coefficients|²` by the normal equations: of the
/// features, or of the rows where there are fewer rows than features (Hoerl and Kennard, 1970). A system that is
/// singular to working precision gets the solution of the smallest norm.
///
/// The importance of a feature is the absolute coefficient times the feature's standard deviation.
pub(super) fn fit(
    data: &TrainingData<'_>,
    parameters: &RidgeParameters,
    wrap: fn(LinearRegression) -> super::Model,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let target = data.numbers()?;
    let (count, features) = data.x.dim();
    if count.min(features) > LARGEST_SYSTEM {
        return Err(FitError::TooMany { what: "features", count: features, most: LARGEST_SYSTEM });
    }
    probe.progress(0.0, 1.0, "solving the ridge regression");
    let means = if parameters.fit_intercept { Means::new(data.x, target, data.weights) } else { Means::none(features) };
    probe.check()?;
    let solved = if features <= count {
        primal(data, target, &means, parameters.alpha, probe)?
    } else {
        dual(data, target, &means, parameters.alpha)
    };
    probe.check()?;
    let coefficients = match solved {
        Some(coefficients) => coefficients,
        None => smallest_norm(data, target, &means, parameters.alpha, probe)?,
    };
    let intercept = if parameters.fit_intercept { means.target - dot(&coefficients, &means.features) } else { 0.0 };
    let model = LinearRegression::new(coefficients, intercept)?;
    probe.progress(1.0, 1.0, "solved the ridge regression");
    let importance = importance(&model, data);
    Ok(Fitted::new(wrap(model), importance))
}

fn primal(
    data: &TrainingData<'_>,
    target: &[f64],
    means: &Means,
    alpha: f64,
    probe: &dyn Probe,
) -> Result<Option<Vec<f64>>, FitError> {
    let features = data.x.ncols();
    let mut moments = second_moments(data.x, target, data.weights, means, probe)?;
    let mut right: Vec<f64> = (0..features).map(|feature| moments[[feature, features]]).collect();
    for feature in 0..features {
        moments[[feature, feature]] += alpha;
    }
    let system = Array2::from_shape_fn((features, features), |place| moments[place]);
    probe.check()?;
    Ok(Cholesky::new(&system, SINGULAR).map(|factor| {
        factor.solve(&mut right);
        right
    }))
}

/// The coefficients are a combination of the rows, and the system has one unknown a row.
fn dual(data: &TrainingData<'_>, target: &[f64], means: &Means, alpha: f64) -> Option<Vec<f64>> {
    let (count, features) = data.x.dim();
    let rows = centred(data, target, means);
    let x = rows.view().split_at(Axis(1), features).0;
    let mut system = Array2::zeros((count, count));
    general_mat_mul(1.0, &x, &x.t(), 0.0, &mut system);
    for row in 0..count {
        system[[row, row]] += alpha;
    }
    let mut shares = rows.column(features).to_vec();
    Cholesky::new(&system, SINGULAR)?.solve(&mut shares);
    Some(x.t().dot(&ndarray::ArrayView1::from(&shares)).to_vec())
}

/// The penalty as rows of its own beneath the data, solved by orthogonal transformations.
fn smallest_norm(
    data: &TrainingData<'_>,
    target: &[f64],
    means: &Means,
    alpha: f64,
    probe: &dyn Probe,
) -> Result<Vec<f64>, FitError> {
    let features = data.x.ncols();
    let mut rows = centred(data, target, means).into_raw_vec_and_offset().0;
    if alpha > 0.0 {
        for feature in 0..features {
            rows.extend((0..=features).map(|column| if column == feature { alpha.sqrt() } else { 0.0 }));
        }
    }
    Ok(least_squares::solve(rows, features, 0.0, probe)?)
}

/// Centred features with the target behind them, scaled by the roots of the weights: rows × (features + 1).
fn centred(data: &TrainingData<'_>, target: &[f64], means: &Means) -> Array2<f64> {
    let x: ArrayView2<'_, f64> = data.x;
    let mut rows = Array2::zeros((x.nrows(), x.ncols() + 1));
    for (row, mut out) in rows.rows_mut().into_iter().enumerate() {
        if let Some(out) = out.as_slice_mut() {
            centred_row(x, target, data.weights, means, row, out);
        }
    }
    rows
}
