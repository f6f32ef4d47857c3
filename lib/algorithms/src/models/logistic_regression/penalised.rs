//! Logistic regression with a penalty on absolute coefficients: proximal Newton steps, whose quadratic models are
//! minimised by coordinate descent over the coefficients that can move (Yuan, Ho and Lin, 2012).

use ndarray::Array2;

use super::design::Spread;
use super::loss::Loss;
use crate::models::elastic_net::soft_threshold;
use crate::models::lbfgs::Minimum;
use crate::models::vector::add_scaled;
use crate::probe::{Cancelled, Probe};

const SWEEPS: usize = 100;
const HALVINGS: usize = 40;
/// The share of the promised decrease that a step must give.
const SUFFICIENT_DECREASE: f64 = 1e-4;

/// Minimises the loss plus `absolute · |coefficients|₁`, until no part of the subgradient is larger than `tolerance`. The value
/// after each iteration but the last goes to `losses`.
pub(super) fn minimize(
    loss: &Loss,
    absolute: f64,
    tolerance: f64,
    max_iterations: usize,
    losses: &mut Vec<f64>,
    probe: &dyn Probe,
) -> Result<Minimum, Cancelled> {
    let width = loss.design.width;
    let mut point = loss.start();
    let mut gradient = vec![0.0; point.len()];
    let mut value = loss.evaluate(&point, &mut gradient) + absolute * sizes(&point, width);
    let mut next_gradient = gradient.clone();
    for iteration in 0..max_iterations {
        probe.check()?;
        losses.extend((iteration > 0).then_some(value));
        probe.progress(iteration as f64, max_iterations as f64, "fitting the logistic regression");
        let violation = violation(&point, &gradient, absolute, width);
        if !value.is_finite() || !violation.is_finite() {
            return Ok(Minimum { point, value, iterations: iteration, converged: false, finite: false });
        }
        if violation <= tolerance {
            return Ok(Minimum { point, value, iterations: iteration, converged: true, finite: true });
        }
        let mut direction = vec![0.0; point.len()];
        let mut promised = 0.0;
        for score in 0..loss.scores {
            probe.check()?;
            let line = score * width..(score + 1) * width;
            let model = Model::new(loss, &point, &gradient, score, absolute);
            let moves = model.minimize(0.02 * violation.min(1.0).max(tolerance));
            for (place, &column) in model.chosen.iter().enumerate() {
                let index = line.start + column;
                direction[index] = moves[place];
                promised += gradient[index] * moves[place];
                if column + 1 < width {
                    promised += absolute * ((point[index] + moves[place]).abs() - point[index].abs());
                }
            }
        }
        if promised >= 0.0 {
            return Ok(Minimum { point, value, iterations: iteration, converged: false, finite: true });
        }
        let mut step = 1.0;
        let mut found = false;
        for _ in 0..HALVINGS {
            let mut next = point.clone();
            add_scaled(&mut next, step, &direction);
            let next_value = loss.evaluate(&next, &mut next_gradient) + absolute * sizes(&next, width);
            // Close to the end the decrease drowns in rounding.
            if next_value <= value + SUFFICIENT_DECREASE * step * promised + 1e-15 * value.abs() {
                (point, value, found) = (next, next_value, true);
                std::mem::swap(&mut gradient, &mut next_gradient);
                break;
            }
            step *= 0.5;
        }
        if !found {
            return Ok(Minimum { point, value, iterations: iteration, converged: false, finite: true });
        }
    }
    let converged = violation(&point, &gradient, absolute, width) <= tolerance;
    Ok(Minimum { point, value, iterations: max_iterations, converged, finite: value.is_finite() })
}

fn sizes(point: &[f64], width: usize) -> f64 {
    point.chunks_exact(width).flat_map(|line| &line[..width - 1]).map(|value| value.abs()).sum()
}

/// The part of a subgradient that no choice at a kink can take away.
fn excess(coefficient: f64, slope: f64, absolute: f64) -> f64 {
    if coefficient == 0.0 { (slope.abs() - absolute).max(0.0) } else { (slope + absolute * coefficient.signum()).abs() }
}

fn violation(point: &[f64], gradient: &[f64], absolute: f64, width: usize) -> f64 {
    let parts = point.iter().zip(gradient).enumerate().map(|(index, (&coefficient, &slope))| {
        excess(coefficient, slope, if (index + 1) % width == 0 { 0.0 } else { absolute })
    });
    parts.fold(0.0, |largest: f64, part| if part.is_nan() { part } else { largest.max(part) })
}

/// The quadratic model of the loss around a point, for the coefficients of one score that can move.
struct Model<'a> {
    chosen: Vec<usize>,
    curvature: Array2<f64>,
    point: &'a [f64],
    gradient: &'a [f64],
    absolute: f64,
    width: usize,
}

impl<'a> Model<'a> {
    fn new(loss: &Loss, point: &'a [f64], gradient: &'a [f64], score: usize, absolute: f64) -> Self {
        let width = loss.design.width;
        let line = score * width..(score + 1) * width;
        let own = &point[line.clone()];
        let own_gradient = &gradient[line];
        let can_move = |&column: &usize| {
            if column + 1 == width {
                return loss.fit_intercept;
            }
            // A little below the threshold too: a neighbour's move may push it over.
            own[column] != 0.0 || own_gradient[column].abs() > 0.9 * absolute
        };
        let chosen: Vec<usize> = (0..width).filter(can_move).collect();
        let mut curvature = loss.curvature(point, score, &chosen, Spread::ALL);
        for (place, &column) in chosen.iter().enumerate() {
            curvature[[place, place]] += 1e-12 + if column + 1 == width { 0.0 } else { loss.penalty };
            for other in 0..place {
                curvature[[other, place]] = curvature[[place, other]];
            }
        }
        Self { chosen, curvature, point: own, gradient: own_gradient, absolute, width }
    }

    /// The moves of the chosen coefficients, to a violation of at most `enough`.
    fn minimize(&self, enough: f64) -> Vec<f64> {
        let mut moves = vec![0.0; self.chosen.len()];
        let mut slopes: Vec<f64> = self.chosen.iter().map(|&column| self.gradient[column]).collect();
        for _ in 0..SWEEPS {
            let mut worst = 0.0_f64;
            for (place, &column) in self.chosen.iter().enumerate() {
                let absolute = if column + 1 == self.width { 0.0 } else { self.absolute };
                let bend = self.curvature[[place, place]];
                let here = self.point[column] + moves[place];
                worst = worst.max(excess(here, slopes[place], absolute));
                let change = soft_threshold(bend * here - slopes[place], absolute) / bend - here;
                if change != 0.0 {
                    moves[place] += change;
                    if let Some(row) = self.curvature.row(place).as_slice() {
                        add_scaled(&mut slopes, change, row);
                    }
                }
            }
            if worst <= enough {
                break;
            }
        }
        moves
    }
}
