//! Minimises a smooth function with limited-memory BFGS (Liu and Nocedal, 1989).
//!
//! The step is found by bracketing and bisection or cubic interpolation until it satisfies the Wolfe conditions, or
//! the approximate Wolfe conditions of Hager and Zhang (2005): close to the minimum the function no longer changes in
//! its last digits while the gradient still shows the way.

use std::collections::VecDeque;

use super::vector::{add_scaled, dot, largest, length};

const MEMORY: usize = 10;
/// After so many steps without a change of the function its last digits are reached.
const STALLED: usize = 3;
const LINE_SEARCH_STEPS: usize = 50;
const SUFFICIENT_DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;

/// Where the iteration ended.
#[derive(Debug)]
pub(crate) struct Minimum {
    pub(crate) point: Vec<f64>,
    /// The function there.
    pub(crate) value: f64,
    pub(crate) iterations: usize,
    /// Whether the gradient is within the tolerance, or the function has stopped changing in its last digit.
    pub(crate) converged: bool,
    /// Whether the function and its gradient are finite there.
    pub(crate) finite: bool,
}

/// A point on the line: the step, the value there and the slope along the line.
#[derive(Clone, Copy)]
struct Trial {
    step: f64,
    value: f64,
    slope: f64,
}

/// As [`minimize_preconditioned`], where nothing is known of the curvature.
pub(crate) fn minimize<E>(
    function: impl FnMut(&[f64], &mut [f64]) -> f64,
    start: Vec<f64>,
    tolerance: f64,
    max_iterations: usize,
    before_iteration: impl FnMut(usize, f64) -> Result<(), E>,
) -> Result<Minimum, E> {
    minimize_preconditioned(function, |_| (), start, tolerance, max_iterations, before_iteration)
}

/// Minimises `function`, which returns the value at a point and writes the gradient, from `start`.
///
/// `precondition` multiplies by an approximation of the inverse curvature, up to a factor.
/// `before_iteration` gets the number of iterations done and the function's value there, and can stop everything with its
/// error.
pub(crate) fn minimize_preconditioned<E>(
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
    precondition: impl Fn(&mut [f64]),
    start: Vec<f64>,
    tolerance: f64,
    max_iterations: usize,
    mut before_iteration: impl FnMut(usize, f64) -> Result<(), E>,
) -> Result<Minimum, E> {
    let mut point = start;
    let mut gradient = vec![0.0; point.len()];
    let mut value = function(&point, &mut gradient);
    let mut history: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::with_capacity(MEMORY);
    let mut next = vec![0.0; point.len()];
    let mut next_gradient = vec![0.0; point.len()];
    let mut stalled = 0;
    for iteration in 0..max_iterations {
        before_iteration(iteration, value)?;
        if !value.is_finite() || !dot(&gradient, &gradient).is_finite() {
            return Ok(Minimum { point, value, iterations: iteration, converged: false, finite: false });
        }
        if largest(&gradient) <= tolerance {
            return Ok(Minimum { point, value, iterations: iteration, converged: true, finite: true });
        }
        let mut direction = descent(&gradient, &history, &precondition);
        let mut slope = dot(&direction, &gradient);
        let mut first = 1.0;
        if slope >= 0.0 || !slope.is_finite() {
            // Rounding has spoilt the memory: fall back to the steepest descent.
            history.clear();
            direction = gradient.iter().map(|part| -part).collect();
            slope = -dot(&gradient, &gradient);
        }
        if history.is_empty() && direction.iter().zip(&gradient).all(|(a, b)| *a == -*b) {
            first = (1.0 / length(&gradient)).min(1.0);
        }
        let origin = Trial { step: 0.0, value, slope };
        let found = search(origin, first, |step| {
            next.copy_from_slice(&point);
            add_scaled(&mut next, step, &direction);
            let value = function(&next, &mut next_gradient);
            Trial { step, value, slope: dot(&next_gradient, &direction) }
        });
        let Some(found) = found else {
            // No step improves on this point in the digits that there are.
            return Ok(Minimum { point, value, iterations: iteration, converged: false, finite: true });
        };
        let moved: Vec<f64> = next.iter().zip(&point).map(|(next, point)| next - point).collect();
        let bent: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(next, old)| next - old).collect();
        let curvature = dot(&moved, &bent);
        if curvature > f64::EPSILON * dot(&bent, &bent) {
            if history.len() == MEMORY {
                history.pop_front();
            }
            history.push_back((moved, bent, curvature));
        }
        let decrease = value - found.value;
        std::mem::swap(&mut point, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        let scale = value.abs().max(found.value.abs()).max(1.0);
        value = found.value;
        stalled = if decrease.abs() <= f64::EPSILON * scale { stalled + 1 } else { 0 };
        if stalled == STALLED {
            return Ok(Minimum { point, value, iterations: iteration + 1, converged: true, finite: true });
        }
    }
    let finite = value.is_finite() && dot(&gradient, &gradient).is_finite();
    let converged = finite && largest(&gradient) <= tolerance;
    Ok(Minimum { point, value, iterations: max_iterations, converged, finite })
}

/// The two-loop recursion: minus the approximate inverse Hessian times the gradient.
fn descent(
    gradient: &[f64],
    history: &VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    precondition: &impl Fn(&mut [f64]),
) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|part| -part).collect();
    let mut factors = Vec::with_capacity(history.len());
    for (moved, bent, curvature) in history.iter().rev() {
        let factor = dot(moved, &direction) / curvature;
        add_scaled(&mut direction, -factor, bent);
        factors.push(factor);
    }
    precondition(&mut direction);
    if let Some((_, bent, curvature)) = history.back() {
        let mut shaped = bent.clone();
        precondition(&mut shaped);
        let scale = curvature / dot(bent, &shaped);
        for part in &mut direction {
            *part *= scale;
        }
    }
    for ((moved, bent, curvature), factor) in history.iter().zip(factors.iter().rev()) {
        let correction = factor - dot(bent, &direction) / curvature;
        add_scaled(&mut direction, correction, moved);
    }
    direction
}

/// A step that satisfies the Wolfe conditions, tried last by `at`; `None` when there is none.
fn search(origin: Trial, first: f64, mut at: impl FnMut(f64) -> Trial) -> Option<Trial> {
    let noise = 1e-13 * origin.value.abs();
    let accepts = |trial: &Trial| {
        let wolfe = trial.value <= origin.value + SUFFICIENT_DECREASE * trial.step * origin.slope
            && trial.slope.abs() <= -CURVATURE * origin.slope;
        let approximate = trial.value <= origin.value + noise
            && trial.slope >= CURVATURE * origin.slope
            && trial.slope <= (2.0 * SUFFICIENT_DECREASE - 1.0) * origin.slope;
        wolfe || approximate
    };
    let (mut low, mut high) = (origin, None::<Trial>);
    let mut step = first;
    for _ in 0..LINE_SEARCH_STEPS {
        let trial = at(step);
        if accepts(&trial) {
            return Some(trial);
        }
        // `low` always slopes down and is low enough; the minimum lies between it and `high`.
        if trial.slope >= 0.0 || !trial.value.is_finite() || trial.value > origin.value + noise {
            high = Some(trial);
        } else {
            low = trial;
        }
        step = match high {
            None => step * 4.0,
            Some(high) => between(low, high),
        };
    }
    None
}

/// The minimum of the cubic through both ends, held off the ends; the middle where there is no such minimum.
fn between(low: Trial, high: Trial) -> f64 {
    let width = high.step - low.step;
    let middle = low.step + 0.5 * width;
    if !high.value.is_finite() || !high.slope.is_finite() {
        return low.step + 0.1 * width;
    }
    let bend = low.slope + high.slope - 3.0 * (high.value - low.value) / width;
    let root = (bend * bend - low.slope * high.slope).sqrt();
    let step = high.step - width * (high.slope + root - bend) / (high.slope - low.slope + 2.0 * root);
    if step.is_finite() { step.clamp(low.step + 0.1 * width, low.step + 0.9 * width) } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rosenbrock(point: &[f64], gradient: &mut [f64]) -> f64 {
        let (x, y) = (point[0], point[1]);
        gradient[0] = -400.0 * x * (y - x * x) - 2.0 * (1.0 - x);
        gradient[1] = 200.0 * (y - x * x);
        100.0 * (y - x * x).powi(2) + (1.0 - x).powi(2)
    }

    #[test]
    fn the_curved_valley_of_rosenbrock() {
        let end = minimize(rosenbrock, vec![-1.2, 1.0], 1e-10, 200, |_, _| Ok::<_, ()>(())).unwrap();
        assert!(end.converged && end.iterations < 60, "{end:?}");
        assert!((end.point[0] - 1.0).abs() < 1e-9 && (end.point[1] - 1.0).abs() < 1e-9, "{end:?}");
    }

    #[test]
    fn too_few_iterations_are_reported() {
        let end = minimize(rosenbrock, vec![-1.2, 1.0], 1e-10, 3, |_, _| Ok::<_, ()>(())).unwrap();
        assert!(!end.converged && end.iterations == 3);
    }

    #[test]
    fn a_wide_quadratic_is_solved_to_the_last_digits() {
        let square = |point: &[f64], gradient: &mut [f64]| {
            let mut value = 5.0;
            for (i, (part, x)) in gradient.iter_mut().zip(point).enumerate() {
                let scale = 10f64.powi(i as i32 % 5);
                *part = scale * (x - 3.0);
                value += 0.5 * scale * (x - 3.0).powi(2);
            }
            value
        };
        let end = minimize(square, vec![0.0; 20], 1e-9, 500, |_, _| Ok::<_, ()>(())).unwrap();
        assert!(end.converged && end.point.iter().all(|x| (x - 3.0).abs() < 1e-8), "{end:?}");
    }

    #[test]
    fn the_caller_can_stop_it() {
        let stop = |iteration, _| if iteration == 2 { Err("stop") } else { Ok(()) };
        assert_eq!(minimize(rosenbrock, vec![-1.2, 1.0], 1e-10, 200, stop).unwrap_err(), "stop");
    }

    #[test]
    fn a_function_that_is_not_finite_does_not_converge() {
        let broken = |_: &[f64], gradient: &mut [f64]| {
            gradient[0] = f64::NAN;
            f64::NAN
        };
        let end = minimize(broken, vec![1.0], 1e-10, 200, |_, _| Ok::<_, ()>(())).unwrap();
        assert!(!end.converged && !end.finite);
    }
}
