//! Least squares with a penalty on absolute and squared coefficients, by coordinate descent.
//!
//! Sweeps go over the coefficients that are not 0 until they settle, then over all that can be other than 0; the fit ends
//! by the duality gap (Friedman, Hastie and Tibshirani, 2010; Kim and others, 2007), which also tells which can not. With
//! more rows than features the sweeps work on second moments, so that their cost does not depend on the number of rows;
//! else on the residuals.

use ndarray::Array2;

use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::ElasticNetParameters;
use super::linear_regression::{LinearRegression, importance};
use super::moments::{Means, centred_row, second_moments};
use super::vector::{add_scaled, dot, dot_inlined, largest, vectorised};
use crate::probe::{Cancelled, Probe};

/// The most features whose second moments are held.
const MOST_MOMENTS: usize = 4096;
/// Sweeps over the coefficients that are not 0 between two over all of them; the gap may be small enough long before the
/// coefficients settle.
const ACTIVE_SWEEPS: usize = 30;
/// What rounding may do to a duality gap, relative to the squared length of y.
const ROUNDING: f64 = 1e-12;

/// What coordinate descent needs to know of the data: features X and target y, centred and weighted.
trait System {
    /// The squared length of each column of X.
    fn squares(&self) -> &[f64];
    /// The product of a column with the residual.
    fn slope(&self, feature: usize) -> f64;
    /// Adds to a coefficient.
    fn add(&mut self, feature: usize, change: f64);
    /// The squared length of the residual and its product with y.
    fn residual(&self, coefficients: &[f64]) -> (f64, f64);
    /// The squared length of y.
    fn target_square(&self) -> f64;
}

/// `Xᵀ·X`, and `Xᵀ·residual` kept up to date.
struct Moments {
    gram: Array2<f64>,
    cross: Vec<f64>,
    slopes: Vec<f64>,
    squares: Vec<f64>,
    target_square: f64,
}

impl System for Moments {
    fn squares(&self) -> &[f64] {
        &self.squares
    }

    fn slope(&self, feature: usize) -> f64 {
        self.slopes[feature]
    }

    fn add(&mut self, feature: usize, change: f64) {
        if let Some(row) = self.gram.row(feature).as_slice() {
            add_scaled(&mut self.slopes, -change, &row[..self.cross.len()]);
        }
    }

    fn residual(&self, coefficients: &[f64]) -> (f64, f64) {
        // y·residual = y² − w·Xᵀy, and residual² = y·residual − w·Xᵀresidual
        let product = self.target_square - dot(coefficients, &self.cross);
        ((product - dot(coefficients, &self.slopes)).max(0.0), product)
    }

    fn target_square(&self) -> f64 {
        self.target_square
    }
}

/// The columns of X one after the other, and the residual kept up to date.
struct Columns {
    rows: usize,
    values: Vec<f64>,
    target: Vec<f64>,
    residual: Vec<f64>,
    squares: Vec<f64>,
    target_square: f64,
}

impl Columns {
    fn column(&self, feature: usize) -> &[f64] {
        &self.values[feature * self.rows..(feature + 1) * self.rows]
    }
}

impl System for Columns {
    fn squares(&self) -> &[f64] {
        &self.squares
    }

    fn slope(&self, feature: usize) -> f64 {
        vectorised(
            #[inline(always)]
            || dot_inlined(self.column(feature), &self.residual),
        )
    }

    fn add(&mut self, feature: usize, change: f64) {
        let column = &self.values[feature * self.rows..(feature + 1) * self.rows];
        let residual = &mut self.residual;
        vectorised(
            #[inline(always)]
            || residual.iter_mut().zip(column).for_each(|(residual, value)| *residual -= change * value),
        );
    }

    fn residual(&self, _: &[f64]) -> (f64, f64) {
        (dot(&self.residual, &self.residual), dot(&self.residual, &self.target))
    }

    fn target_square(&self) -> f64 {
        self.target_square
    }
}

/// Minimises `Σ weight · (y − x·coefficients − intercept)² / (2 · Σ weight) + alpha · l1_ratio · |coefficients|₁ +
/// alpha · (1 − l1_ratio) / 2 · |coefficients|²`, until the duality gap is at most `tol · Σ weight · (y − mean)²` in
/// units of `Σ weight` times that.
///
/// The importance of a feature is the absolute coefficient times the feature's standard deviation.
pub(super) fn fit(
    data: &TrainingData<'_>,
    parameters: &ElasticNetParameters,
    wrap: fn(LinearRegression) -> super::Model,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let target = data.numbers()?;
    let (count, features) = data.x.dim();
    probe.progress(0.0, 1.0, "preparing the coordinate descent");
    let means = if parameters.fit_intercept { Means::new(data.x, target, data.weights) } else { Means::none(features) };
    probe.check()?;
    let total: f64 = data.weights.map_or(count as f64, |weights| weights.iter().sum());
    let absolute = total * parameters.alpha * parameters.l1_ratio;
    let squared = total * parameters.alpha * (1.0 - parameters.l1_ratio);
    let mut end = if features <= count && features <= MOST_MOMENTS {
        let moments = second_moments(data.x, target, data.weights, &means, probe)?;
        let cross: Vec<f64> = (0..features).map(|feature| moments[[feature, features]]).collect();
        let mut system = Moments {
            squares: (0..features).map(|feature| moments[[feature, feature]]).collect(),
            target_square: moments[[features, features]],
            slopes: cross.clone(),
            cross,
            gram: moments,
        };
        descend(&mut system, (absolute, squared), parameters, probe)?
    } else {
        descend(&mut columns(data, target, &means), (absolute, squared), parameters, probe)?
    };
    // A column of one value is all rounding once it is centred: its coefficient means nothing.
    for (feature, coefficient) in end.coefficients.iter_mut().enumerate() {
        let first = data.x[[0, feature]];
        if *coefficient != 0.0 && parameters.fit_intercept && data.x.column(feature).iter().all(|value| *value == first)
        {
            *coefficient = 0.0;
        }
    }
    let coefficients = end.coefficients;
    let intercept = if parameters.fit_intercept { means.target - dot(&coefficients, &means.features) } else { 0.0 };
    let model = LinearRegression::new(coefficients, intercept)?;
    probe.progress(1.0, 1.0, "the coordinate descent has ended");
    let importance = importance(&model, data);
    Ok(Fitted { iterations: Some(end.sweeps), converged: Some(end.converged), ..Fitted::new(wrap(model), importance) })
}

fn columns(data: &TrainingData<'_>, target: &[f64], means: &Means) -> Columns {
    let (count, features) = data.x.dim();
    let mut values = vec![0.0; count * features];
    let mut centred_target = Vec::with_capacity(count);
    let mut buffer = vec![0.0; features + 1];
    for row in 0..count {
        centred_row(data.x, target, data.weights, means, row, &mut buffer);
        buffer[..features].iter().enumerate().for_each(|(feature, value)| values[feature * count + row] = *value);
        centred_target.push(buffer[features]);
    }
    Columns {
        rows: count,
        squares: values.chunks_exact(count).map(|column| dot(column, column)).collect(),
        target_square: dot(&centred_target, &centred_target),
        residual: centred_target.clone(),
        target: centred_target,
        values,
    }
}

struct End {
    coefficients: Vec<f64>,
    sweeps: usize,
    converged: bool,
}

fn descend(
    system: &mut dyn System,
    (absolute, squared): (f64, f64),
    parameters: &ElasticNetParameters,
    probe: &dyn Probe,
) -> Result<End, Cancelled> {
    let features = system.squares().len();
    let mut coefficients = vec![0.0; features];
    let enough = parameters.tolerance * system.target_square();
    let (mut sweeps, most) = (0, parameters.max_iter);
    let mut kept: Vec<usize> = (0..features).collect();
    while sweeps < most {
        probe.check()?;
        probe.progress(sweeps as f64, most as f64, "coordinate descent");
        sweep(system, &mut coefficients, &kept, absolute, squared);
        sweeps += 1;
        let gap = Gap::new(system, &coefficients, &kept, absolute, squared);
        if gap.size <= enough {
            return Ok(End { coefficients, sweeps, converged: true });
        }
        gap.screen(system, &mut coefficients, &mut kept, absolute, squared);
        let active: Vec<usize> = kept.iter().copied().filter(|&feature| coefficients[feature] != 0.0).collect();
        for _ in 0..ACTIVE_SWEEPS.min(most - sweeps) {
            let (change, size) = sweep(system, &mut coefficients, &active, absolute, squared);
            sweeps += 1;
            if change <= parameters.tolerance * size {
                break;
            }
        }
    }
    let converged = Gap::new(system, &coefficients, &kept, absolute, squared).size <= enough;
    Ok(End { coefficients, sweeps, converged })
}

/// One pass over some coefficients: the largest change, and the largest coefficient.
fn sweep(
    system: &mut dyn System,
    coefficients: &mut [f64],
    chosen: &[usize],
    absolute: f64,
    squared: f64,
) -> (f64, f64) {
    let (mut change, mut size) = (0.0_f64, 0.0_f64);
    for &feature in chosen {
        let square = system.squares()[feature];
        if square == 0.0 {
            continue;
        }
        let old = coefficients[feature];
        let free = system.slope(feature) + square * old;
        let new = soft_threshold(free, absolute) / (square + squared);
        if new != old {
            system.add(feature, new - old);
            coefficients[feature] = new;
        }
        change = change.max((new - old).abs());
        size = size.max(new.abs());
    }
    (change, size)
}

/// Moves a value towards 0 by `by`, and no further than 0.
pub(super) fn soft_threshold(value: f64, by: f64) -> f64 {
    value.signum() * (value.abs() - by).max(0.0)
}

/// By how much the objective exceeds the dual objective at the scaled residual, in units of the summed squares.
struct Gap {
    size: f64,
    /// The products of the kept columns with the residual, the squared penalty counted in, scaled as the residual is.
    slopes: Vec<f64>,
}

impl Gap {
    fn new(system: &dyn System, coefficients: &[f64], kept: &[usize], absolute: f64, squared: f64) -> Self {
        let (square, product) = system.residual(coefficients);
        let slope = |&feature: &usize| system.slope(feature) - squared * coefficients[feature];
        let mut slopes: Vec<f64> = kept.iter().map(slope).collect();
        let steepest = largest(&slopes);
        let scale = if steepest > absolute { absolute / steepest } else { 1.0 };
        for slope in &mut slopes {
            *slope *= scale;
        }
        let sizes: f64 = coefficients.iter().map(|coefficient| coefficient.abs()).sum();
        let penalty = 0.5 * squared * (1.0 + scale * scale) * dot(coefficients, coefficients);
        let size = 0.5 * square * (1.0 + scale * scale) + absolute * sizes - scale * product + penalty;
        Self { size, slopes }
    }

    /// Drops the features whose coefficients are 0 at the minimum: the dual solution lies within `√(2 · gap)` of the scaled
    /// residual, and nowhere there does such a column reach the penalty (Fercoq, Gramfort and Salmon, 2015).
    fn screen(
        &self,
        system: &mut dyn System,
        coefficients: &mut [f64],
        kept: &mut Vec<usize>,
        absolute: f64,
        squared: f64,
    ) {
        // A gap that is all rounding would make the ball too small.
        let radius = (2.0 * (self.size.max(0.0) + ROUNDING * system.target_square())).sqrt();
        let mut slopes = self.slopes.iter();
        kept.retain(|&feature| {
            let reach = slopes.next().map_or(f64::INFINITY, |slope| slope.abs());
            let needed = reach + (system.squares()[feature] + squared).sqrt() * radius >= absolute;
            if !needed && coefficients[feature] != 0.0 {
                system.add(feature, -coefficients[feature]);
                coefficients[feature] = 0.0;
            }
            needed
        });
    }
}
