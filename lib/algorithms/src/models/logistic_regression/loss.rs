//! The smooth part of what a logistic regression minimises, its gradient and its curvature.

use ndarray::{Array2, ArrayView2};

use super::design::{Design, Spread};
use crate::models::cholesky::Cholesky;
use crate::models::vector::{add_scaled, dot, exponential, log_one_plus, vectorised};
use crate::parallel;

/// Up to this width the start is preconditioned by a whole matrix, above it by its diagonal.
pub(super) const MOST_WHOLE: usize = 512;
/// So many rows for each column show the curvature well enough.
const ROWS_PER_COLUMN: usize = 16;
pub(super) const FEWEST_ROWS: usize = 4096;

/// The weighted mean of the log loss plus `penalty / 2 · |coefficients|²`.
///
/// A point holds, for each score, one coefficient a feature and then the intercept.
pub(super) struct Loss {
    pub(super) design: Design,
    /// The number of scores: 1 for two classes.
    pub(super) scores: usize,
    pub(super) classes: Vec<u32>,
    /// They sum to 1.
    pub(super) weights: Vec<f64>,
    pub(super) penalty: f64,
    pub(super) fit_intercept: bool,
}

/// An approximation of the inverse of the curvature.
pub(super) enum Preconditioner {
    /// One for each score.
    Each(Vec<Cholesky>),
    /// The same for every score.
    Whole(Cholesky),
    Diagonal(Vec<f64>),
    None,
}

impl Loss {
    /// The loss at a point; writes its gradient.
    pub(super) fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluate_spread(Spread::ALL, point, gradient)
    }

    /// As [`Loss::evaluate`] over some of the rows.
    pub(super) fn evaluate_spread(&self, spread: Spread, point: &[f64], gradient: &mut [f64]) -> f64 {
        let width = self.design.width;
        let Ok(lines) = ArrayView2::from_shape((self.scores, width), point) else { return f64::NAN };
        let parts = parallel::map(self.design.parts(), |part| {
            let mut sums = Array2::zeros((self.scores, width));
            let mut scores = Array2::zeros((self.scores, 0));
            let (mut loss, mut total) = (0.0, 0.0);
            for (block, rows) in self.design.blocks(part, spread) {
                if scores.ncols() != rows.len() {
                    scores = Array2::zeros((self.scores, rows.len()));
                }
                self.design.scores(block, lines, &mut scores);
                let (classes, weights) = (&self.classes[rows.clone()], &self.weights[rows]);
                if spread.every > 1 {
                    total += weights.iter().sum::<f64>();
                }
                loss += if self.scores == 1 {
                    binary(scores.as_slice_mut().unwrap_or(&mut []), classes, weights)
                } else {
                    multinomial(&mut scores, classes, weights)
                };
                self.design.add_products(block, &scores, &mut sums);
            }
            (loss, sums, total)
        });
        gradient.fill(0.0);
        let (mut loss, mut total) = (0.0, 0.0);
        for (part, sums, weight) in &parts {
            loss += part;
            total += weight;
            add_scaled(gradient, 1.0, sums.as_slice().unwrap_or(&[]));
        }
        if spread.every > 1 {
            // The weights of all rows sum to 1.
            loss /= total;
            for value in gradient.iter_mut() {
                *value /= total;
            }
        }
        for (gradient, point) in gradient.chunks_exact_mut(width).zip(point.chunks_exact(width)) {
            let coefficients = &point[..width - 1];
            loss += 0.5 * self.penalty * dot(coefficients, coefficients);
            add_scaled(&mut gradient[..width - 1], self.penalty, coefficients);
            if !self.fit_intercept {
                gradient[width - 1] = 0.0;
            }
        }
        loss
    }

    /// The point without coefficients whose intercepts give every class its share.
    pub(super) fn start(&self) -> Vec<f64> {
        let width = self.design.width;
        let mut point = vec![0.0; self.scores * width];
        if !self.fit_intercept {
            return point;
        }
        let shares = self.shares();
        if let [first, second] = shares.as_slice() {
            point[width - 1] = (second / first).ln();
        } else {
            let mean = shares.iter().map(|share| share.ln()).sum::<f64>() / shares.len() as f64;
            shares.iter().enumerate().for_each(|(class, share)| point[(class + 1) * width - 1] = share.ln() - mean);
        }
        if point.iter().all(|value| value.is_finite()) { point } else { vec![0.0; self.scores * width] }
    }

    /// The weight of each class.
    fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; if self.scores == 1 { 2 } else { self.scores }];
        self.classes.iter().zip(&self.weights).for_each(|(&class, weight)| shares[class as usize] += weight);
        shares
    }

    /// From the curvature at the start, of enough evenly spread blocks of rows.
    pub(super) fn preconditioner(&self) -> Preconditioner {
        let width = self.design.width;
        let whole = width <= MOST_WHOLE;
        let shares = self.shares();
        let curvature = shares.iter().map(|share| share * (1.0 - share)).sum::<f64>() / shares.len() as f64;
        let every = (self.design.count / FEWEST_ROWS.max(ROWS_PER_COLUMN * width)).max(1);
        let chosen: Vec<usize> = (0..width).collect();
        let places: Vec<Option<u32>> = (0..width as u32).map(Some).collect();
        let parts = parallel::map(self.design.parts(), |part| {
            let mut sums = Array2::zeros(if whole { (width, width) } else { (1, width) });
            let mut total = 0.0;
            for (block, rows) in self.design.blocks(part, Spread { every, first: 0 }) {
                let weights = &self.weights[rows];
                total += weights.iter().sum::<f64>();
                if whole {
                    self.design.add_gram(block, weights, &chosen, &places, &mut sums);
                } else {
                    self.design.add_squares(block, weights, &mut sums);
                }
            }
            (total, sums)
        });
        let total: f64 = parts.iter().map(|(total, _)| total).sum();
        let mut sums = Array2::zeros(if whole { (width, width) } else { (1, width) });
        for (_, part) in parts {
            sums += &part;
        }
        sums *= curvature / total;
        if whole {
            return self.factor(sums).map_or(Preconditioner::None, Preconditioner::Whole);
        }
        let least = self.least(&sums);
        if !sums.iter().all(|value| value.is_finite()) || least <= 0.0 {
            return Preconditioner::None;
        }
        Preconditioner::Diagonal(sums.iter().map(|sum| 1.0 / (sum + least)).collect())
    }

    /// From the curvature at a point, of some of the rows, one matrix for each score.
    pub(super) fn preconditioner_at(&self, point: &[f64], spread: Spread) -> Preconditioner {
        let chosen: Vec<usize> = (0..self.design.width).collect();
        let factors = (0..self.scores).map(|score| {
            let mut sums = self.curvature(point, score, &chosen, spread);
            sums *= spread.every as f64;
            self.factor(sums)
        });
        factors.collect::<Option<_>>().map_or(Preconditioner::None, Preconditioner::Each)
    }

    /// What is added to the diagonal of a curvature.
    fn least(&self, curvature: &Array2<f64>) -> f64 {
        1e-10 * curvature.iter().copied().fold(0.0, f64::max) + self.penalty
    }

    fn factor(&self, mut curvature: Array2<f64>) -> Option<Cholesky> {
        let least = self.least(&curvature);
        if !curvature.iter().all(|value| value.is_finite()) || least <= 0.0 {
            return None;
        }
        let last = self.design.width - 1;
        if !self.fit_intercept {
            // An intercept of 0 stays 0 only where no coefficient moves it.
            curvature.row_mut(last).fill(0.0);
        }
        for column in 0..=last {
            curvature[[column, column]] += least;
        }
        Cholesky::new(&curvature, 0.0)
    }

    /// The curvature of one score at a point for the chosen columns, by the probabilities of its class, without the
    /// penalty; only the lower triangle counts. For more than two classes it is bounded from above by leaving out what
    /// the classes have to do with each other.
    pub(super) fn curvature(&self, point: &[f64], score: usize, chosen: &[usize], spread: Spread) -> Array2<f64> {
        let width = self.design.width;
        let mut places = vec![None; width];
        chosen.iter().enumerate().for_each(|(place, &column)| places[column] = Some(place as u32));
        let size = (chosen.len(), chosen.len());
        let Ok(lines) = ArrayView2::from_shape((self.scores, width), point) else { return Array2::zeros(size) };
        let parts = parallel::map(self.design.parts(), |part| {
            let mut sums = Array2::zeros(size);
            for (block, rows) in self.design.blocks(part, spread) {
                let mut scores = Array2::zeros((self.scores, rows.len()));
                self.design.scores(block, lines, &mut scores);
                let mut weights = self.weights[rows].to_vec();
                if self.scores > 1 {
                    probabilities(&mut scores);
                }
                for (weight, value) in weights.iter_mut().zip(scores.row(score)) {
                    *weight *= if self.scores == 1 {
                        let probability = super::sigmoid(*value);
                        probability * (1.0 - probability)
                    } else {
                        *value
                    };
                }
                self.design.add_gram(block, &weights, chosen, &places, &mut sums);
            }
            sums
        });
        parts.into_iter().fold(Array2::zeros(size), |mut all, part| {
            all += &part;
            all
        })
    }
}

impl Preconditioner {
    /// Multiplies by the inverse; nothing is changed where the curvature is not known.
    pub(super) fn apply(&self, values: &mut [f64], width: usize) {
        for (score, line) in values.chunks_exact_mut(width).enumerate() {
            match self {
                Self::Each(factors) => factors[score].solve(line),
                Self::Whole(factor) => factor.solve(line),
                Self::Diagonal(inverse) => line.iter_mut().zip(inverse).for_each(|(value, inverse)| *value *= inverse),
                Self::None => {}
            }
        }
        if let Self::Each(factors) = self
            && factors.len() > 1
        {
            // What is the same for all classes changes no probability; it only makes coefficients larger.
            for column in 0..width {
                let mean = values[column..].iter().step_by(width).sum::<f64>() / factors.len() as f64;
                values[column..].iter_mut().step_by(width).for_each(|value| *value -= mean);
            }
        }
    }
}

/// Replaces the scores of the second class by the weighted residuals and returns the weighted loss.
fn binary(scores: &mut [f64], classes: &[u32], weights: &[f64]) -> f64 {
    vectorised(
        #[inline(always)]
        || {
            const LANES: usize = 8;
            let mut losses = [0.0; LANES];
            let mut chunks = scores.chunks_exact_mut(LANES);
            let (classes, weights) = (classes.chunks_exact(LANES), weights.chunks_exact(LANES));
            let rest = classes.remainder().iter().zip(weights.remainder());
            for ((scores, classes), weights) in (&mut chunks).zip(classes).zip(weights) {
                for lane in 0..LANES {
                    losses[lane] += binary_row(&mut scores[lane], classes[lane], weights[lane]);
                }
            }
            let rest = chunks.into_remainder().iter_mut().zip(rest);
            losses.iter().sum::<f64>()
                + rest.map(|(score, (&class, &weight))| binary_row(score, class, weight)).sum::<f64>()
        },
    )
}

/// As [`binary`] for one row, without branches.
#[expect(clippy::inline_always, reason = "only inlined code gets the caller's instructions")]
#[inline(always)]
fn binary_row(score: &mut f64, class: u32, weight: f64) -> f64 {
    let class = f64::from(class);
    let given = *score;
    let power = exponential(-given.abs());
    // log(1 + exp(s)) without overflow, with s the score against the class
    let against = if class > 0.5 { -given } else { given };
    let loss = if against > 0.0 { against } else { 0.0 } + log_one_plus(power);
    let share = 1.0 / (1.0 + power);
    let probability = if given >= 0.0 { share } else { power * share };
    *score = weight * (probability - class);
    // Scores out of range must show: the cut-off exponential hides them.
    weight * (loss + 0.0 * given)
}

/// Replaces the scores of all classes (classes × rows) by the weighted residuals and returns the weighted loss.
fn multinomial(scores: &mut Array2<f64>, classes: &[u32], weights: &[f64]) -> f64 {
    let own: Vec<f64> = classes.iter().enumerate().map(|(row, &class)| scores[[class as usize, row]]).collect();
    let logarithms = probabilities(scores);
    // Row by row, so that large scores do not drown a small loss.
    let losses = logarithms.iter().zip(own).zip(weights).map(|((logarithm, own), weight)| weight * (logarithm - own));
    let loss = losses.sum();
    for mut line in scores.rows_mut() {
        line.iter_mut().zip(weights).for_each(|(value, weight)| *value *= weight);
    }
    for (row, (&class, weight)) in classes.iter().zip(weights).enumerate() {
        scores[[class as usize, row]] -= weight;
    }
    loss
}

/// Replaces scores (classes × rows) by probabilities and returns the logarithm of the sum of the exponentials of each row.
fn probabilities(scores: &mut Array2<f64>) -> Vec<f64> {
    let rows = scores.ncols();
    let mut largest = vec![f64::NEG_INFINITY; rows];
    let mut sums = vec![0.0; rows];
    let values = scores.as_slice_mut().unwrap_or(&mut []);
    vectorised(
        #[inline(always)]
        || {
            for line in values.chunks_exact(rows) {
                largest
                    .iter_mut()
                    .zip(line)
                    .for_each(|(most, value)| *most = if *value > *most { *value } else { *most });
            }
            for line in values.chunks_exact_mut(rows) {
                for ((value, most), sum) in line.iter_mut().zip(&largest).zip(&mut sums) {
                    let given = *value;
                    *value = exponential(given - most);
                    // Scores out of range must show: the cut-off exponential hides them.
                    *sum += *value + 0.0 * given;
                }
            }
            for line in values.chunks_exact_mut(rows) {
                line.iter_mut().zip(&sums).for_each(|(value, sum)| *value /= sum);
            }
        },
    );
    largest.iter().zip(&sums).map(|(most, sum)| most + sum.ln()).collect()
}
