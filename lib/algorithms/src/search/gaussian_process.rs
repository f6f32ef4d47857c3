//! A Gaussian process over the points of a search space: what is expected at a point, and how sure that is.
//!
//! The kernel is Matérn 5/2 with a length scale of its own for each column (Rasmussen and Williams, 2006, chapter 4). Choices
//! are equally far from each other. Hyperparameters maximise the posterior: the marginal likelihood times priors that
//! keep length scales from vanishing and grow them with the number of columns (Hvarfner, Hellsten and Nardi, 2024).

use rand::RngExt;

use super::cholesky::{Cholesky, dot};
use super::space::Column;
use crate::models::lbfgs::minimize;
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::seed;

/// The least variance of the noise, where the values have variance 1.
const LEAST_NOISE: f64 = 1e-6;
const ITERATIONS: usize = 60;
const TOLERANCE: f64 = 1e-3;
/// Bounds of the logarithms of inverse squared length scales, of the signal's variance and of the noise's.
const BOUND: f64 = 12.0;

/// Normal priors, mean and deviation: of the logarithm of a length scale in one column, of the logarithm of the signal's
/// variance and of the noise's.
const LENGTH: (f64, f64) = (-1.2, 0.5);
const SIGNAL: (f64, f64) = (0.5, 1.0);
const NOISE: (f64, f64) = (-8.0, 2.5);

/// Points and what was seen there, in columns of one kind each.
#[derive(Debug, Clone)]
pub(super) struct Data {
    pub(super) columns: Vec<Column>,
    /// One point a row.
    pub(super) points: Vec<Vec<f64>>,
    /// One value a point, with mean 0 and variance 1.
    pub(super) values: Vec<f64>,
}

/// Logarithms of the kernel's hyperparameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernel {
    /// Of the inverse squared length scale of each column.
    pub(super) scales: Vec<f64>,
    /// Of the signal's variance.
    pub(super) signal: f64,
    /// Of the noise's variance above [`LEAST_NOISE`].
    pub(super) noise: f64,
}

/// A fitted process.
#[derive(Debug, Clone)]
pub(super) struct GaussianProcess {
    columns: Vec<Column>,
    points: Vec<Vec<f64>>,
    /// Inverse squared length scales.
    weights: Vec<f64>,
    variance: f64,
    cholesky: Cholesky,
    /// The inverse of the covariance times the values.
    alpha: Vec<f64>,
}

/// What is expected at a point, with the gradients by the point's columns (0 for choices).
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) mean: f64,
    pub(super) deviation: f64,
    pub(super) mean_gradient: Vec<f64>,
    pub(super) deviation_gradient: Vec<f64>,
}

/// The hyperparameters of highest posterior density, from several starts.
pub(super) fn fit_kernel(data: &Data, random_seed: u64, starts: usize, probe: &dyn Probe) -> Result<Kernel, Cancelled> {
    let differences = Differences::of(data);
    let mut starting = vec![Kernel::prior(data.columns.len())];
    let mut rng = seed::rng(random_seed, 0);
    for _ in 1..starts.max(1) {
        let mut start = Kernel::prior(data.columns.len());
        for scale in &mut start.scales {
            *scale += 4.0 * rng.random::<f64>() - 1.0;
        }
        start.noise += 4.0 * rng.random::<f64>() - 2.0;
        starting.push(start);
    }
    let ends = parallel::try_map(starting, |start| {
        let cost = |theta: &[f64], gradient: &mut [f64]| differences.cost(&data.values, theta, gradient);
        let end = minimize(cost, start.theta(), TOLERANCE, ITERATIONS, |_, _| probe.check())?;
        let mut gradient = vec![0.0; end.point.len()];
        let reached = differences.cost(&data.values, &end.point, &mut gradient);
        Ok::<_, Cancelled>((reached, Kernel::of(&end.point)))
    });
    let best = ends?.into_iter().filter(|(cost, _)| cost.is_finite()).min_by(|a, b| a.0.total_cmp(&b.0));
    Ok(best.map_or_else(|| Kernel::prior(data.columns.len()), |(_, kernel)| kernel))
}

impl Kernel {
    /// The mode of the priors, near enough: where a fit begins, and what holds when nothing can be fitted.
    fn prior(columns: usize) -> Self {
        Self { scales: vec![-2.0 * scale_prior(columns).0; columns], signal: 0.0, noise: -8.0 }
    }

    fn theta(&self) -> Vec<f64> {
        let mut theta = self.scales.clone();
        theta.extend([self.signal, self.noise]);
        theta
    }

    fn of(theta: &[f64]) -> Self {
        let (scales, rest) = theta.split_at(theta.len() - 2);
        let bounded = |value: &f64| value.clamp(-BOUND, BOUND);
        Self {
            scales: scales.iter().map(bounded).collect(),
            signal: bounded(&rest[0]),
            noise: rest[1].clamp(-16.0, 3.0),
        }
    }
}

/// Mean and deviation of the logarithm of a length scale, before anything is seen: with more columns points lie further
/// apart.
fn scale_prior(columns: usize) -> (f64, f64) {
    (LENGTH.0 + 0.5 * (columns.max(1) as f64).ln(), LENGTH.1)
}

/// Squared differences of all pairs, once for a whole fit.
struct Differences {
    columns: usize,
    size: usize,
    /// For each pair below the diagonal, by rows, the squared difference in each column.
    pairs: Vec<f64>,
}

impl Differences {
    fn of(data: &Data) -> Self {
        let size = data.points.len();
        let mut pairs = Vec::with_capacity(size * size / 2 * data.columns.len());
        for row in 0..size {
            for column in 0..row {
                let pair = data.points[row].iter().zip(&data.points[column]).zip(&data.columns);
                pairs.extend(pair.map(|((a, b), kind)| squared_difference(*a, *b, *kind)));
            }
        }
        Self { columns: data.columns.len(), size, pairs }
    }

    /// Minus the logarithm of the posterior density, but for a constant, and its gradient.
    fn cost(&self, values: &[f64], theta: &[f64], gradient: &mut [f64]) -> f64 {
        let (columns, size) = (self.columns, self.size);
        let weights = theta[..columns].iter().map(|log| log.clamp(-BOUND, BOUND).exp()).collect::<Vec<_>>();
        let variance = theta[columns].clamp(-BOUND, BOUND).exp();
        let above = theta[columns + 1].clamp(-16.0, 3.0).exp();
        let mut matrix = vec![0.0; size * size];
        // The slope of the kernel by the squared distance, a pair.
        let mut slopes = Vec::with_capacity(size * size / 2);
        let mut pairs = self.pairs.chunks_exact(columns);
        for row in 0..size {
            for column in 0..row {
                let squared = pairs.next().map_or(0.0, |pair| dot(pair, &weights));
                let (value, slope) = matern(squared);
                matrix[row * size + column] = variance * value;
                slopes.push(variance * slope);
            }
            matrix[row * size + row] = variance + above + LEAST_NOISE;
        }
        gradient.fill(0.0);
        let Some(cholesky) = Cholesky::new(matrix.clone(), size) else { return f64::INFINITY };
        let inverse = cholesky.inverse();
        let alpha = (0..size).map(|row| dot(&inverse[row * size..(row + 1) * size], values)).collect::<Vec<_>>();
        let likelihood = -0.5 * dot(values, &alpha) - 0.5 * cholesky.log_determinant();
        // By each hyperparameter: half the trace of (α αᵀ − K⁻¹) ∂K.
        let mut at = 0;
        let mut trace = 0.0;
        for row in 0..size {
            for column in 0..row {
                let weight = alpha[row] * alpha[column] - inverse[row * size + column];
                let factor = weight * slopes[at];
                let pair = &self.pairs[at * columns..(at + 1) * columns];
                for ((sum, difference), scale) in gradient.iter_mut().zip(pair).zip(&weights) {
                    *sum += factor * difference * scale;
                }
                gradient[columns] += weight * matrix[row * size + column];
                at += 1;
            }
            trace += alpha[row] * alpha[row] - inverse[row * size + row];
        }
        gradient[columns] += 0.5 * variance * trace;
        gradient[columns + 1] += 0.5 * above * trace;
        let mut prior = 0.0;
        let (mean, deviation) = scale_prior(columns);
        // The logarithm of a length scale is −½ of that of its inverse square.
        let mut normal = |at: usize, mean: f64, deviation: f64| {
            let standard = (theta[at] - mean) / deviation;
            prior -= 0.5 * standard * standard;
            gradient[at] -= standard / deviation;
        };
        for column in 0..columns {
            normal(column, -2.0 * mean, 2.0 * deviation);
        }
        normal(columns, SIGNAL.0, SIGNAL.1);
        normal(columns + 1, NOISE.0, NOISE.1);
        for part in gradient.iter_mut() {
            *part = -*part;
        }
        -(likelihood + prior)
    }
}

/// The Matérn 5/2 kernel of variance 1 at a squared distance, and its slope by that.
fn matern(squared: f64) -> (f64, f64) {
    let distance = (5.0 * squared).sqrt();
    let decay = (-distance).exp();
    ((1.0 + distance + 5.0 / 3.0 * squared) * decay, -5.0 / 6.0 * (1.0 + distance) * decay)
}

fn squared_difference(a: f64, b: f64, kind: Column) -> f64 {
    match kind {
        Column::Ordered => (a - b) * (a - b),
        Column::Categorical => f64::from(u8::from(a != b)),
    }
}

impl GaussianProcess {
    /// The process with those hyperparameters given the data; `None` when rounding leaves no factor of the covariance.
    pub(super) fn new(data: &Data, kernel: &Kernel) -> Option<Self> {
        let size = data.points.len();
        let weights = kernel.scales.iter().map(|log| log.exp()).collect::<Vec<_>>();
        let variance = kernel.signal.exp();
        let mut noise = kernel.noise.exp() + LEAST_NOISE;
        let mut matrix = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..row {
                let squared = distance(&data.points[row], &data.points[column], &weights, &data.columns);
                matrix[row * size + column] = variance * matern(squared).0;
            }
        }
        for _ in 0..6 {
            for row in 0..size {
                matrix[row * size + row] = variance + noise;
            }
            if let Some(cholesky) = Cholesky::new(matrix.clone(), size) {
                let mut alpha = data.values.clone();
                cholesky.solve(&mut alpha);
                let (columns, points) = (data.columns.clone(), data.points.clone());
                return Some(Self { columns, points, weights, variance, cholesky, alpha });
            }
            noise *= 10.0;
        }
        None
    }

    /// The inverse squared length scale of each column.
    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Mean and deviation at a point, without noise.
    pub(super) fn predict(&self, point: &[f64]) -> (f64, f64) {
        let mut covariance = self.points.iter().map(|other| self.covariance(point, other)).collect::<Vec<_>>();
        let mean = dot(&covariance, &self.alpha);
        self.cholesky.solve_lower(&mut covariance);
        (mean, (self.variance - dot(&covariance, &covariance)).max(1e-12 * self.variance).sqrt())
    }

    /// The same with gradients.
    pub(super) fn predict_with_gradient(&self, point: &[f64]) -> Expected {
        let covariance = self.points.iter().map(|other| self.covariance(point, other)).collect::<Vec<_>>();
        let mean = dot(&covariance, &self.alpha);
        let mut solved = covariance.clone();
        self.cholesky.solve(&mut solved);
        let deviation = (self.variance - dot(&covariance, &solved)).max(1e-12 * self.variance).sqrt();
        let mut mean_gradient = vec![0.0; point.len()];
        let mut deviation_gradient = vec![0.0; point.len()];
        for (row, other) in self.points.iter().enumerate() {
            let squared = distance(point, other, &self.weights, &self.columns);
            let slope = self.variance * matern(squared).1;
            for column in (0..point.len()).filter(|column| self.columns[*column] == Column::Ordered) {
                let by_point = slope * 2.0 * self.weights[column] * (point[column] - other[column]);
                mean_gradient[column] += by_point * self.alpha[row];
                deviation_gradient[column] -= by_point * solved[row] / deviation;
            }
        }
        Expected { mean, deviation, mean_gradient, deviation_gradient }
    }

    fn covariance(&self, a: &[f64], b: &[f64]) -> f64 {
        self.variance * matern(distance(a, b, &self.weights, &self.columns)).0
    }
}

fn distance(a: &[f64], b: &[f64], weights: &[f64], columns: &[Column]) -> f64 {
    let parts = a.iter().zip(b).zip(weights.iter().zip(columns));
    parts.map(|((a, b), (weight, kind))| weight * squared_difference(*a, *b, *kind)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Silent;

    fn wave() -> Data {
        let points = (0..14).map(|at| vec![f64::from(at % 7) / 6.0, f64::from(at / 7)]).collect::<Vec<_>>();
        let values = points.iter().map(|point| (5.0 * point[0]).sin() + 0.5 * point[1] - 0.4).collect();
        Data { columns: vec![Column::Ordered, Column::Categorical], points, values }
    }

    #[test]
    fn a_smooth_function_is_foretold_between_its_points() {
        let data = wave();
        let kernel = fit_kernel(&data, 1, 3, &Silent).unwrap();
        let process = GaussianProcess::new(&data, &kernel).unwrap();
        let (mean, deviation) = process.predict(&[0.25, 1.0]);
        assert!((mean - (1.25_f64.sin() + 0.1)).abs() < 0.02, "{mean} ± {deviation}");
        let (at_point, sure) = process.predict(&data.points[3]);
        assert!((at_point - data.values[3]).abs() < 0.01 && sure < deviation);
        assert!(process.predict(&[0.25, 2.0]).1 > deviation, "a choice that was not seen is less sure");
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let data = wave();
        let differences = Differences::of(&data);
        let theta = [0.7, -0.3, 0.2, -5.0];
        let mut gradient = [0.0; 4];
        differences.cost(&data.values, &theta, &mut gradient);
        for at in 0..4 {
            let moved = |by: f64| {
                let mut theta = theta;
                theta[at] += by;
                differences.cost(&data.values, &theta, &mut [0.0; 4])
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (gradient[at] - expected).abs() < 1e-5 * expected.abs().max(1.0),
                "{at}: {} {expected}",
                gradient[at]
            );
        }
        let process = GaussianProcess::new(&data, &Kernel::of(&theta)).unwrap();
        let at = process.predict_with_gradient(&[0.33, 0.0]);
        let (above, below) = (process.predict(&[0.330_01, 0.0]), process.predict(&[0.329_99, 0.0]));
        assert!((at.mean_gradient[0] - (above.0 - below.0) / 2e-5).abs() < 1e-6);
        assert!((at.deviation_gradient[0] - (above.1 - below.1) / 2e-5).abs() < 1e-6);
        assert_eq!((at.mean_gradient[1], at.deviation_gradient[1]), (0.0, 0.0));
    }

    #[test]
    fn points_that_repeat_leave_a_process() {
        let mut data = wave();
        data.points = vec![vec![0.5, 1.0]; 14];
        let kernel = fit_kernel(&data, 1, 2, &Silent).unwrap();
        let (mean, deviation) = GaussianProcess::new(&data, &kernel).unwrap().predict(&[0.1, 0.0]);
        assert!(mean.is_finite() && deviation.is_finite());
    }
}
