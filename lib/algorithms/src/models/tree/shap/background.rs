//! Interventional Shapley values: features that are left out come from background rows (Lundberg and others, 2020).
//!
//! For one row and one background row, a leaf is reached by those mixtures that take the features of a set A from the row
//! and those of a set B from the background row. With `a` and `b` features in them, a feature of A gets the leaf times
//! `(a−1)! · b! / (a+b)!` and one of B minus the leaf times `a! · (b−1)! / (a+b)!`.

use super::Explanation;
use super::ensemble::{Ensemble, Kind, Link, ShapTree};
use crate::parallel;
use crate::probe::{Cancelled, Probe};

/// Which of the two rows a feature is taken from on the path at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Either,
    Row,
    Background,
}

/// A node that waits, and the feature that was decided on the way to it.
struct Waiting {
    node: u32,
    decided: usize,
    next: Option<(u32, Side)>,
}

/// The work space of one thread.
struct Mixture {
    sides: Vec<Side>,
    decided: Vec<(u32, Side)>,
    waiting: Vec<Waiting>,
    /// The values for one background row.
    values: Vec<f64>,
    row_sums: Vec<f64>,
    background_sums: Vec<f64>,
}

pub(super) fn explain(
    ensemble: &Ensemble,
    rows: &[f32],
    background: &[f32],
    link: Link,
    probe: &dyn Probe,
) -> Result<Explanation, Cancelled> {
    let (features, outputs) = (ensemble.num_features, ensemble.base.len());
    let count = (background.len() / features) as f64;
    let explained = parallel::try_map(rows.chunks(features), |row| {
        probe.check()?;
        let mut mixture = Mixture::new(features, outputs);
        let (mut values, mut base) = (vec![0.0; features * outputs], vec![0.0; outputs]);
        for other in background.chunks_exact(features) {
            mixture.take(ensemble, row, other);
            for (output, base) in base.iter_mut().enumerate() {
                let (here, there) = (mixture.row_sums[output], mixture.background_sums[output]);
                let (factor, at) = if link == Link::Logistic { chord(here, there) } else { (1.0, there) };
                *base += at / count;
                let each = values.iter_mut().zip(&mixture.values).skip(output).step_by(outputs);
                each.for_each(|(value, part)| *value += factor * part / count);
            }
        }
        Ok::<_, Cancelled>((values, base))
    });
    let explained = explained?;
    probe.progress(1.0, 1.0, "explained the trees");
    let base_values = explained.first().map_or_else(|| vec![0.0; outputs], |(_, base)| base.clone());
    let values = explained.into_iter().flat_map(|(values, _)| values).collect();
    Ok(Explanation { values, base_values, num_features: features })
}

/// The slope of the logistic function between two margins, and its value at the second.
fn chord(here: f64, there: f64) -> (f64, f64) {
    let logistic = |margin: f64| 1.0 / (1.0 + (-margin).exp());
    let (high, low) = (logistic(here), logistic(there));
    let slope = if (here - there).abs() < 1e-12 { low * (1.0 - low) } else { (high - low) / (here - there) };
    (slope, low)
}

impl Mixture {
    fn new(features: usize, outputs: usize) -> Self {
        Self {
            sides: vec![Side::Either; features],
            decided: Vec::new(),
            waiting: Vec::new(),
            values: vec![0.0; features * outputs],
            row_sums: vec![0.0; outputs],
            background_sums: vec![0.0; outputs],
        }
    }

    /// The values and both predictions for one pair of rows.
    fn take(&mut self, ensemble: &Ensemble, row: &[f32], other: &[f32]) {
        self.values.fill(0.0);
        self.row_sums.copy_from_slice(&ensemble.base);
        self.background_sums.copy_from_slice(&ensemble.base);
        for tree in &ensemble.trees {
            self.walk(tree, ensemble, row, other);
        }
    }

    fn walk(&mut self, tree: &ShapTree, ensemble: &Ensemble, row: &[f32], other: &[f32]) {
        self.waiting.push(Waiting { node: 0, decided: 0, next: None });
        while let Some(Waiting { mut node, decided, next }) = self.waiting.pop() {
            for (feature, _) in self.decided.drain(decided..) {
                self.sides[feature as usize] = Side::Either;
            }
            if let Some((feature, side)) = next {
                self.sides[feature as usize] = side;
                self.decided.push((feature, side));
            }
            loop {
                match &tree.nodes[node as usize].kind {
                    Kind::Leaf(leaf) => {
                        self.leaf(tree, *leaf, ensemble);
                        break;
                    }
                    Kind::Split { feature, test, missing_left, left, right } => {
                        let child = |value: f32| if test.left(value, *missing_left) { *left } else { *right };
                        let at = *feature as usize;
                        let (here, there) = (child(row[at]), child(other[at]));
                        node = match self.sides[at] {
                            Side::Row => here,
                            Side::Background => there,
                            Side::Either if here == there => here,
                            Side::Either => {
                                let decided = self.decided.len();
                                let next = Some((*feature, Side::Background));
                                self.waiting.push(Waiting { node: there, decided, next });
                                self.sides[at] = Side::Row;
                                self.decided.push((*feature, Side::Row));
                                here
                            }
                        };
                    }
                }
            }
        }
        for (feature, _) in self.decided.drain(..) {
            self.sides[feature as usize] = Side::Either;
        }
    }

    fn leaf(&mut self, tree: &ShapTree, leaf: u32, ensemble: &Ensemble) {
        let from_row = self.decided.iter().filter(|(_, side)| *side == Side::Row).count();
        let from_background = self.decided.len() - from_row;
        let outputs = ensemble.base.len();
        for (output, value) in (tree.first_output..).zip(tree.values(leaf)) {
            let value = value * ensemble.scale;
            if from_background == 0 {
                self.row_sums[output] += value;
            }
            if from_row == 0 {
                self.background_sums[output] += value;
            }
            let gain = value * orders(from_row, from_background);
            let loss = value * orders(from_background, from_row);
            for &(feature, side) in &self.decided {
                self.values[feature as usize * outputs + output] += if side == Side::Row { gain } else { -loss };
            }
        }
    }
}

/// `(own − 1)! · others! / (own + others)!`: the share of the orders in which one of `own` comes last of them and before
/// all of the others; 0 when `own` is 0.
fn orders(own: usize, others: usize) -> f64 {
    if own == 0 {
        return 0.0;
    }
    // 1 / ((own + others) · binomial(own + others − 1, others))
    let choices: f64 = (1..=others).map(|k| (own - 1 + k) as f64 / k as f64).product();
    1.0 / ((own + others) as f64 * choices)
}
