//! Sequential minimal optimisation (Platt, 1998) with working sets of second order (Fan, Chen and Lin, 2005), and with
//! shrinking.
//!
//! One form serves classification and regression: minimise `½ βᵀ·K·β − zᵀ·β + tube · |β|₁` over `lower ≤ β ≤ upper` and
//! `Σ β = 0`. For classification z is ±1, the tube is 0 and β is the usual α times the class; for regression z is the
//! target and β is the difference of the usual two multipliers, so that n rows need n unknowns and not 2n.

use super::cache::Cache;
use super::kernel::{Interleaved, Kernel};
use crate::models::vector::{maximum_inlined, vectorised};
use crate::probe::{Cancelled, Probe};

/// What stands in for a curvature that is not positive, as in libsvm.
const LEAST_CURVATURE: f64 = 1e-12;
/// Iterations between two rounds of shrinking.
const ROUND: usize = 1000;

/// What is solved.
pub(super) struct Problem<'a> {
    pub(super) kernel: Kernel,
    pub(super) features: usize,
    pub(super) rows: Vec<&'a [f64]>,
    pub(super) target: Vec<f64>,
    /// At most 0.
    pub(super) lower: Vec<f64>,
    /// At least 0.
    pub(super) upper: Vec<f64>,
    pub(super) tube: f64,
}

/// How it is solved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) tolerance: f64,
    pub(super) max_iter: Option<usize>,
    pub(super) shrinking: bool,
    pub(super) cache_bytes: usize,
}

/// The coefficient of each row, and what is added to their sum.
#[derive(Debug)]
pub(super) struct Solution {
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

/// Everything but the cache is in the order of the solver, the active rows first.
struct Solver {
    cache: Cache,
    order: Vec<u32>,
    beta: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    target: Vec<f64>,
    diagonal: Vec<f64>,
    tube: f64,
    /// `z − K·β`.
    error: Vec<f64>,
    /// Added to the error: what increasing β gains, −∞ where it cannot increase.
    up: Vec<f64>,
    /// Added to the error: what decreasing β costs, ∞ where it cannot decrease.
    down: Vec<f64>,
    gains: Vec<f64>,
    active: usize,
}

/// Solves to `tolerance`: no pair of rows violates optimality by more.
pub(super) fn solve(problem: Problem<'_>, settings: Settings, probe: &dyn Probe) -> Result<Solution, Cancelled> {
    probe.check()?;
    let count = problem.rows.len();
    let data = Interleaved::new(problem.features, problem.rows.into_iter());
    let mut solver = Solver {
        diagonal: problem.kernel.diagonal(&data),
        cache: Cache::new(problem.kernel, data, settings.cache_bytes),
        order: (0..count as u32).collect(),
        beta: vec![0.0; count],
        lower: problem.lower,
        upper: problem.upper,
        error: problem.target.clone(),
        target: problem.target,
        tube: problem.tube,
        up: vec![0.0; count],
        down: vec![0.0; count],
        gains: vec![0.0; count],
        active: count,
    };
    (0..count).for_each(|row| solver.refresh(row));
    let round = ROUND.min(count.max(1));
    let most = settings.max_iter.unwrap_or_else(|| count.saturating_mul(100).max(10_000_000));
    let (mut iterations, mut until_shrinking, mut widened) = (0, round, false);
    let converged = loop {
        let (mut most_up, mut least_down) = solver.ends();
        if most_up - least_down < settings.tolerance {
            if solver.active == count {
                break true;
            }
            solver.widen();
            (most_up, least_down) = solver.ends();
            if most_up - least_down < settings.tolerance {
                break true;
            }
            until_shrinking = 1;
        }
        if iterations == most {
            break false;
        }
        until_shrinking -= 1;
        if until_shrinking == 0 {
            probe.check()?;
            until_shrinking = round;
            if settings.shrinking {
                if !widened && most_up - least_down <= 10.0 * settings.tolerance {
                    widened = true;
                    solver.widen();
                    (most_up, least_down) = solver.ends();
                }
                solver.shrink(most_up, least_down);
            }
        }
        let Some(first) = solver.find(most_up) else { break false };
        if !solver.step(first, most_up) {
            break false;
        }
        iterations += 1;
    };
    solver.widen();
    let intercept = solver.intercept();
    let mut coefficients = vec![0.0; count];
    solver.order.iter().zip(&solver.beta).for_each(|(&row, beta)| coefficients[row as usize] = *beta);
    Ok(Solution { coefficients, intercept, iterations, converged })
}

impl Solver {
    /// Renews what depends on whether a coefficient is at an end of its range.
    fn refresh(&mut self, row: usize) {
        let (beta, tube) = (self.beta[row], self.tube);
        self.up[row] = match beta {
            beta if beta >= self.upper[row] => f64::NEG_INFINITY,
            beta if beta >= 0.0 => -tube,
            _ => tube,
        };
        self.down[row] = match beta {
            beta if beta <= self.lower[row] => f64::INFINITY,
            beta if beta > 0.0 => -tube,
            _ => tube,
        };
    }

    /// The largest gain of an increase and the smallest cost of a decrease among the active rows.
    fn ends(&self) -> (f64, f64) {
        let active = self.active;
        vectorised(
            #[inline(always)]
            || {
                let up = largest_sum(&self.error[..active], &self.up[..active], 1.0);
                let down = largest_sum(&self.error[..active], &self.down[..active], -1.0);
                (up, -down)
            },
        )
    }

    /// The first active row whose increase gains that much.
    fn find(&self, most_up: f64) -> Option<usize> {
        let pairs = self.error[..self.active].iter().zip(&self.up);
        pairs.into_iter().position(|(error, up)| error + up == most_up)
    }

    /// Moves the pair that promises the largest gain; false when there is none.
    fn step(&mut self, first: usize, most_up: f64) -> bool {
        let active = self.active;
        let first_slot = self.cache.load(first, active);
        let own = self.diagonal[first];
        let gains = &mut self.gains[..active];
        let (error, down) = (&self.error[..active], &self.down[..active]);
        let kernels = &self.cache.values(first_slot)[..active];
        let diagonal = &self.diagonal[..active];
        let best = vectorised(
            #[inline(always)]
            || {
                for ((((gain, error), down), kernel), diagonal) in
                    gains.iter_mut().zip(error).zip(down).zip(kernels).zip(diagonal)
                {
                    let apart = most_up - (error + down);
                    let curvature = own + diagonal - 2.0 * f64::from(*kernel);
                    let curvature = if curvature > LEAST_CURVATURE { curvature } else { LEAST_CURVATURE };
                    let promised = apart * apart / curvature;
                    *gain = if apart > 0.0 { promised } else { -1.0 };
                }
                maximum_inlined(gains)
            },
        );
        if best <= 0.0 || !best.is_finite() {
            return false;
        }
        let Some(second) = self.gains[..active].iter().position(|gain| *gain == best) else { return false };
        let second_slot = self.cache.load(second, active);
        let kernel = f64::from(self.cache.values(first_slot)[second]);
        let curvature = (own + self.diagonal[second] - 2.0 * kernel).max(LEAST_CURVATURE);
        let wanted = (most_up - (self.error[second] + self.down[second])) / curvature;
        // The tube has a bend at 0, where the gain changes.
        let end = if self.tube > 0.0 && self.beta[first] < 0.0 { 0.0 } else { self.upper[first] };
        let start = if self.tube > 0.0 && self.beta[second] > 0.0 { 0.0 } else { self.lower[second] };
        let (room, other_room) = (end - self.beta[first], self.beta[second] - start);
        let change = wanted.min(room).min(other_room);
        self.beta[first] = if change >= room { end } else { self.beta[first] + change };
        self.beta[second] = if change >= other_room { start } else { self.beta[second] - change };
        self.refresh(first);
        self.refresh(second);
        let error = &mut self.error[..active];
        let (a, b) = (&self.cache.values(first_slot)[..active], &self.cache.values(second_slot)[..active]);
        vectorised(
            #[inline(always)]
            || {
                for ((error, a), b) in error.iter_mut().zip(a).zip(b) {
                    *error -= change * (f64::from(*a) - f64::from(*b));
                }
            },
        );
        true
    }

    /// Whether a row can neither gain by moving now nor, most likely, later.
    fn is_idle(&self, row: usize, most_up: f64, least_down: f64) -> bool {
        self.error[row] + self.up[row] < least_down && self.error[row] + self.down[row] > most_up
    }

    /// Moves idle rows behind the active ones.
    fn shrink(&mut self, most_up: f64, least_down: f64) {
        let mut row = 0;
        while row < self.active {
            if self.is_idle(row, most_up, least_down) {
                self.active -= 1;
                while self.active > row && self.is_idle(self.active, most_up, least_down) {
                    self.active -= 1;
                }
                self.swap(row, self.active);
            }
            row += 1;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        if a == b {
            return;
        }
        self.cache.swap(a, b);
        self.order.swap(a, b);
        for values in [
            &mut self.beta,
            &mut self.lower,
            &mut self.upper,
            &mut self.target,
            &mut self.diagonal,
            &mut self.error,
            &mut self.up,
            &mut self.down,
        ] {
            values.swap(a, b);
        }
    }

    /// Makes all rows active again, with their errors computed anew.
    fn widen(&mut self) {
        let (active, count) = (self.active, self.beta.len());
        if active == count {
            return;
        }
        self.error[active..].copy_from_slice(&self.target[active..]);
        for row in 0..count {
            let beta = self.beta[row];
            if beta != 0.0 {
                let slot = self.cache.load(row, count);
                let kernels = &self.cache.values(slot)[active..];
                let error = &mut self.error[active..];
                vectorised(
                    #[inline(always)]
                    || error.iter_mut().zip(kernels).for_each(|(error, kernel)| *error -= beta * f64::from(*kernel)),
                );
            }
        }
        self.active = count;
    }

    /// The mean over the rows inside their range, or the middle of what the rows at the ends allow.
    fn intercept(&self) -> f64 {
        let free = self.up.iter().zip(&self.down).zip(&self.error).filter(|((up, down), _)| up == down);
        let (sum, count) = free.fold((0.0, 0.0), |(sum, count), ((up, _), error)| (sum + error + up, count + 1.0));
        if count > 0.0 {
            return sum / count;
        }
        let (most_up, least_down) = self.ends();
        match (most_up.is_finite(), least_down.is_finite()) {
            (true, true) => 0.5 * (most_up + least_down),
            (true, false) => most_up,
            (false, true) => least_down,
            (false, false) => 0.0,
        }
    }
}

/// The largest of `sign · (a + b)`, for loops inside [`vectorised`].
#[inline(always)]
fn largest_sum(a: &[f64], b: &[f64], sign: f64) -> f64 {
    const LANES: usize = 16;
    let mut lanes = [f64::NEG_INFINITY; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a.remainder().iter().zip(b.remainder()).map(|(a, b)| sign * (a + b));
    let rest = rest.fold(f64::NEG_INFINITY, f64::max);
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            let sum = sign * (a[lane] + b[lane]);
            lanes[lane] = if sum > lanes[lane] { sum } else { lanes[lane] };
        }
    }
    lanes.iter().copied().fold(rest, f64::max)
}
