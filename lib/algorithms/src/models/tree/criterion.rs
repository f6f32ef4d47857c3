//! The impurity of a node and how far a split would lower it.
//!
//! The sums follow the formulas of scikit-learn step by step, so that splits that are equally good in exact arithmetic
//! are mostly told apart, or not, in the same way.

use crate::models::hyperparameters::ImpurityMeasure;

/// What a split does to a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Children {
    pub(super) left_weight: f64,
    pub(super) right_weight: f64,
    pub(super) left_impurity: f64,
    pub(super) right_impurity: f64,
}

/// Scores the splits of one node at a time; rows move from the right child to the left one by one.
pub(crate) trait Criterion {
    /// How many numbers a leaf holds.
    fn width(&self) -> usize;
    /// Takes up a node; from now on a row is known by its position in `rows`.
    fn enter(&mut self, rows: &[u32], weights: &[f64]);
    /// The weight of the node.
    fn weight(&self) -> f64;
    /// The impurity of the node; 0 when all its rows are alike.
    fn impurity(&self) -> f64;
    /// Adds the numbers that a leaf made of this node would hold.
    fn leaf(&self, leaves: &mut Vec<f64>);
    /// Moves all the rows into the right child.
    fn restart(&mut self);
    /// Moves one row into the left child.
    fn move_left(&mut self, position: usize);
    /// The weight of the left child.
    fn left_weight(&self) -> f64;
    /// Grows with the decrease of the impurity by the split at hand.
    fn gain(&self) -> f64;
    /// The split that moves the rows at `left` into the left child.
    fn split(&mut self, left: &[u32]) -> Children;
}

/// Class frequencies, for classification.
pub(crate) struct Classes<'a> {
    codes: &'a [u32],
    entropy: bool,
    rows: Vec<(u32, f64)>,
    total: Vec<f64>,
    left: Vec<f64>,
    weight: f64,
    left_weight: f64,
}

/// Sums and squares, for regression.
pub(crate) struct Numbers<'a> {
    values: &'a [f64],
    /// Weight and weight times value.
    rows: Vec<(f64, f64)>,
    total: f64,
    left: f64,
    squares: f64,
    weight: f64,
    left_weight: f64,
    alike: bool,
}

impl<'a> Classes<'a> {
    pub(crate) fn new(codes: &'a [u32], classes: usize, measure: ImpurityMeasure) -> Self {
        let entropy = measure == ImpurityMeasure::Entropy;
        let (total, left) = (vec![0.0; classes], vec![0.0; classes]);
        Self { codes, entropy, rows: Vec::new(), total, left, weight: 0.0, left_weight: 0.0 }
    }

    fn of(&self, counts: impl Iterator<Item = f64>, weight: f64) -> f64 {
        if self.entropy {
            let shares = counts.filter(|count| *count > 0.0).map(|count| count / weight);
            -shares.map(|share| share * (share.ln() / std::f64::consts::LN_2)).sum::<f64>()
        } else {
            1.0 - counts.map(|count| count * count).sum::<f64>() / (weight * weight)
        }
    }

    fn children(&self) -> Children {
        let right = self.total.iter().zip(&self.left).map(|(total, left)| total - left);
        let right_weight = self.weight - self.left_weight;
        Children {
            left_weight: self.left_weight,
            right_weight,
            left_impurity: self.of(self.left.iter().copied(), self.left_weight),
            right_impurity: self.of(right, right_weight),
        }
    }
}

impl Criterion for Classes<'_> {
    fn width(&self) -> usize {
        self.total.len()
    }

    fn enter(&mut self, rows: &[u32], weights: &[f64]) {
        self.total.fill(0.0);
        self.rows.clear();
        self.weight = 0.0;
        for &row in rows {
            let (code, weight) = (self.codes[row as usize], weights[row as usize]);
            self.rows.push((code, weight));
            self.total[code as usize] += weight;
            self.weight += weight;
        }
    }

    fn weight(&self) -> f64 {
        self.weight
    }

    fn impurity(&self) -> f64 {
        self.of(self.total.iter().copied(), self.weight)
    }

    fn leaf(&self, leaves: &mut Vec<f64>) {
        leaves.extend(self.total.iter().map(|count| count / self.weight));
    }

    fn restart(&mut self) {
        self.left.fill(0.0);
        self.left_weight = 0.0;
    }

    fn move_left(&mut self, position: usize) {
        let (code, weight) = self.rows[position];
        self.left[code as usize] += weight;
        self.left_weight += weight;
    }

    fn left_weight(&self) -> f64 {
        self.left_weight
    }

    fn gain(&self) -> f64 {
        let children = self.children();
        -children.right_weight * children.right_impurity - children.left_weight * children.left_impurity
    }

    fn split(&mut self, left: &[u32]) -> Children {
        self.restart();
        for &position in left {
            self.move_left(position as usize);
        }
        self.children()
    }
}

impl<'a> Numbers<'a> {
    pub(crate) fn new(values: &'a [f64]) -> Self {
        Self {
            values,
            rows: Vec::new(),
            total: 0.0,
            left: 0.0,
            squares: 0.0,
            weight: 0.0,
            left_weight: 0.0,
            alike: false,
        }
    }
}

impl Criterion for Numbers<'_> {
    fn width(&self) -> usize {
        1
    }

    fn enter(&mut self, rows: &[u32], weights: &[f64]) {
        (self.total, self.squares, self.weight, self.alike) = (0.0, 0.0, 0.0, true);
        self.rows.clear();
        let first = rows.first().map(|&row| self.values[row as usize]);
        for &row in rows {
            let (value, weight) = (self.values[row as usize], weights[row as usize]);
            self.rows.push((weight, weight * value));
            self.total += weight * value;
            self.squares += weight * value * value;
            self.weight += weight;
            self.alike &= Some(value) == first;
        }
    }

    fn weight(&self) -> f64 {
        self.weight
    }

    fn impurity(&self) -> f64 {
        if self.alike {
            // The difference of two large squares would leave rounding noise, which looks like something to split.
            return 0.0;
        }
        self.squares / self.weight - (self.total / self.weight).powi(2)
    }

    fn leaf(&self, leaves: &mut Vec<f64>) {
        leaves.push(self.total / self.weight);
    }

    fn restart(&mut self) {
        (self.left, self.left_weight) = (0.0, 0.0);
    }

    fn move_left(&mut self, position: usize) {
        let (weight, value) = self.rows[position];
        self.left += value;
        self.left_weight += weight;
    }

    fn left_weight(&self) -> f64 {
        self.left_weight
    }

    fn gain(&self) -> f64 {
        let right = self.total - self.left;
        self.left * self.left / self.left_weight + right * right / (self.weight - self.left_weight)
    }

    fn split(&mut self, left: &[u32]) -> Children {
        self.restart();
        let mut squares = 0.0;
        for &position in left {
            self.move_left(position as usize);
            let (weight, value) = self.rows[position as usize];
            squares += value * value / weight;
        }
        let (left_weight, right_weight) = (self.left_weight, self.weight - self.left_weight);
        Children {
            left_weight,
            right_weight,
            left_impurity: squares / left_weight - (self.left / left_weight).powi(2),
            right_impurity: (self.squares - squares) / right_weight - ((self.total - self.left) / right_weight).powi(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impurities_of_a_known_node() {
        let codes = [0, 0, 1, 1];
        let mut gini = Classes::new(&codes, 2, ImpurityMeasure::Gini);
        gini.enter(&[0, 1, 2, 3], &[1.0; 4]);
        assert_eq!((gini.impurity(), gini.weight(), gini.width()), (0.5, 4.0, 2));
        let children = gini.split(&[0, 1, 2]);
        assert!((children.left_impurity - 4.0 / 9.0).abs() < 1e-15 && children.right_impurity == 0.0);
        let mut entropy = Classes::new(&codes, 2, ImpurityMeasure::Entropy);
        entropy.enter(&[0, 1, 2, 3], &[1.0, 1.0, 1.0, 1.0]);
        assert_eq!(entropy.impurity(), 1.0);
        let mut numbers = Numbers::new(&[1.0, 1.0, 4.0, 6.0]);
        numbers.enter(&[0, 1, 2, 3], &[1.0; 4]);
        assert_eq!(numbers.impurity(), 4.5);
        let children = numbers.split(&[0, 1]);
        assert_eq!((children.left_impurity, children.right_impurity), (0.0, 1.0));
        numbers.enter(&[0, 1], &[0.1; 4]);
        assert_eq!(numbers.impurity(), 0.0);
    }
}
