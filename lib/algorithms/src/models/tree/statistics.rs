//! What a forest sums over rows to score a split: weight and weighted target, or the weight of each class.
//!
//! A gain is the weight of a node times the decrease of its impurity.

use super::binned::{BinCut, Binned};
use crate::models::hyperparameters::ImpurityMeasure;

/// The sums over a set of rows are a few numbers, its cells.
pub(crate) trait Statistics: Sync {
    /// What a row adds: its weight and its target.
    type Row: Copy + Send;
    /// The cells of one set.
    type Sums: AsMut<[f64]> + AsRef<[f64]> + Default;
    /// What rows are summed in before they are added to a set: one or several of them.
    type Slot: Copy + Default;

    /// The cells of no rows.
    fn sums(&self) -> Self::Sums;

    /// The number of cells.
    fn cells(&self) -> usize;

    /// How many numbers a leaf holds.
    fn width(&self) -> usize;

    /// What a row of the table adds, in single precision.
    fn row(&self, row: usize, weight: f64) -> Self::Row;

    /// Adds a row to the cells of a set.
    fn add(&self, cells: &mut [f64], row: Self::Row);

    /// The cells of these rows.
    fn sum(&self, cells: &mut [f64], rows: &[Self::Row]) {
        cells.fill(0.0);
        for &row in rows {
            self.add(cells, row);
        }
    }

    /// The number of slots that hold any rows.
    fn slots(&self) -> usize;

    /// Adds a row to slots.
    fn put(&self, slots: &mut [Self::Slot], row: Self::Row);

    /// Adds the rows in slots to the cells of a set and empties the slots.
    fn take(&self, slots: &mut [Self::Slot], cells: &mut [f64]);

    /// The weight of a set.
    fn weight(&self, cells: &[f64]) -> f64;

    /// Whether all rows have the same target.
    fn alike(&self, cells: &[f64], rows: &[Self::Row]) -> bool;

    /// The gain of parting a set, given the cells of one part; both parts have weight.
    fn gain(&self, part: &[f64], all: &[f64]) -> f64;

    /// Writes the numbers of a leaf; `rows` are its rows in the table, in the order of `weighted`.
    fn leaf(&self, cells: &[f64], rows: &[u32], weighted: &[Self::Row], leaf: &mut Vec<f64>);

    /// The best cut by the bins of a feature (their number, and the bin of every row of the table) of a node's rows, when it
    /// gains more than `least`; `None` where there is no quicker way than by a histogram.
    fn by_bins(
        &self,
        _binned: &mut Binned,
        _bins: (usize, &[u8]),
        _rows: (&[u32], &[Self::Row]),
        _cells: &[f64],
        _least: f64,
    ) -> Option<BinCut> {
        None
    }

    /// Adds rows to the histogram: the cells of one bin after the other.
    fn fill(&self, histogram: &mut [f64], codes: &[u8], rows: &[u32], weighted: &[Self::Row]) {
        let width = self.cells();
        for (&row, &weighted) in rows.iter().zip(weighted) {
            let bin = usize::from(codes[row as usize]) * width;
            self.add(&mut histogram[bin..bin + width], weighted);
        }
    }
}

/// Numbers, or two classes as 0 and 1: the variance, the Gini index or the entropy.
pub(crate) struct Pairs<'a> {
    target: PairTarget<'a>,
    /// Taken off every number: sums of small differences keep their digits.
    centre: f64,
    entropy: bool,
}

enum PairTarget<'a> {
    Numbers(&'a [f64]),
    Classes(&'a [u32]),
}

impl<'a> Pairs<'a> {
    /// Numbers to predict; `weights`, where given, are those of the rows.
    pub(crate) fn numbers(values: &'a [f64], weights: Option<&[f64]>) -> Self {
        let counts = |row: usize| weights.is_none_or(|weights| weights[row] > 0.0);
        let rows: Vec<usize> = (0..values.len()).filter(|&row| counts(row)).collect();
        let centre = rows.iter().map(|&row| values[row] / rows.len() as f64).sum();
        Self { target: PairTarget::Numbers(values), centre, entropy: false }
    }

    /// Codes of two classes.
    pub(crate) fn classes(codes: &'a [u32], measure: ImpurityMeasure) -> Self {
        Self { target: PairTarget::Classes(codes), centre: 0.0, entropy: measure == ImpurityMeasure::Entropy }
    }

    /// The Gini index of two classes is twice the variance.
    fn factor(&self) -> f64 {
        if matches!(self.target, PairTarget::Classes(_)) { 2.0 } else { 1.0 }
    }
}

impl Statistics for Pairs<'_> {
    /// The weight and the target.
    type Row = [f32; 2];
    type Sums = [f64; 2];
    type Slot = [f64; 2];

    fn sums(&self) -> [f64; 2] {
        [0.0; 2]
    }

    #[inline]
    fn cells(&self) -> usize {
        2
    }

    fn width(&self) -> usize {
        if matches!(self.target, PairTarget::Classes(_)) { 2 } else { 1 }
    }

    fn row(&self, row: usize, weight: f64) -> [f32; 2] {
        let target = match self.target {
            PairTarget::Numbers(values) => (values[row] - self.centre) as f32,
            PairTarget::Classes(codes) => codes[row] as f32,
        };
        [weight as f32, target]
    }

    #[inline]
    fn add(&self, cells: &mut [f64], row: [f32; 2]) {
        let weight = f64::from(row[0]);
        cells[0] += weight;
        cells[1] += weight * f64::from(row[1]);
    }

    fn sum(&self, cells: &mut [f64], rows: &[[f32; 2]]) {
        let mut sums = self.sums();
        for &row in rows {
            self.add(&mut sums, row);
        }
        cells.copy_from_slice(&sums);
    }

    #[inline]
    fn slots(&self) -> usize {
        1
    }

    #[inline]
    fn put(&self, slots: &mut [[f64; 2]], row: [f32; 2]) {
        self.add(&mut slots[0], row);
    }

    #[inline]
    fn take(&self, slots: &mut [[f64; 2]], cells: &mut [f64]) {
        let [weight, sum] = std::mem::take(&mut slots[0]);
        cells[0] += weight;
        cells[1] += sum;
    }

    #[inline]
    fn weight(&self, cells: &[f64]) -> f64 {
        cells[0]
    }

    fn alike(&self, cells: &[f64], rows: &[[f32; 2]]) -> bool {
        match self.target {
            PairTarget::Classes(_) => cells[1] == 0.0 || cells[1] == cells[0],
            PairTarget::Numbers(_) => rows.windows(2).all(|pair| pair[0][1] == pair[1][1]),
        }
    }

    #[inline]
    fn gain(&self, part: &[f64], all: &[f64]) -> f64 {
        let (weight, sum, rest) = (part[0], part[1], all[0] - part[0]);
        if self.entropy {
            return by_entropy([weight, sum], [all[0], all[1]]);
        }
        let apart = sum * all[0] - weight * all[1];
        self.factor() * apart * apart / (weight * rest * all[0])
    }

    fn leaf(&self, cells: &[f64], rows: &[u32], weighted: &[[f32; 2]], leaf: &mut Vec<f64>) {
        match self.target {
            PairTarget::Classes(_) => {
                let share = (cells[1] / cells[0]).clamp(0.0, 1.0);
                leaf.extend([1.0 - share, share]);
            }
            PairTarget::Numbers(values) => {
                let each = rows.iter().zip(weighted);
                let sum: f64 = each.map(|(&row, weighted)| f64::from(weighted[0]) * values[row as usize]).sum();
                leaf.push(sum / cells[0]);
            }
        }
    }

    fn by_bins(
        &self,
        binned: &mut Binned,
        (bins, codes): (usize, &[u8]),
        (rows, weighted): (&[u32], &[[f32; 2]]),
        cells: &[f64],
        least: f64,
    ) -> Option<BinCut> {
        if self.entropy {
            return None;
        }
        binned.add_pairs(bins, codes, rows, weighted);
        Some(binned.best(bins, [cells[0], cells[1]], self.factor(), least))
    }

    fn fill(&self, histogram: &mut [f64], codes: &[u8], rows: &[u32], weighted: &[[f32; 2]]) {
        let (cells, _) = histogram.as_chunks_mut::<2>();
        for (&row, weighted) in rows.iter().zip(weighted) {
            let weight = f64::from(weighted[0]);
            let cell = &mut cells[usize::from(codes[row as usize])];
            cell[0] += weight;
            cell[1] += weight * f64::from(weighted[1]);
        }
    }
}

/// Any number of classes: the Gini index or the entropy.
pub(crate) struct ManyClasses<'a> {
    codes: &'a [u32],
    classes: usize,
    entropy: bool,
}

impl<'a> ManyClasses<'a> {
    pub(crate) fn new(codes: &'a [u32], classes: usize, measure: ImpurityMeasure) -> Self {
        Self { codes, classes, entropy: measure == ImpurityMeasure::Entropy }
    }
}

impl Statistics for ManyClasses<'_> {
    /// The class and the weight.
    type Row = (u32, f32);
    type Sums = Vec<f64>;
    type Slot = f64;

    fn sums(&self) -> Vec<f64> {
        vec![0.0; self.classes]
    }

    fn cells(&self) -> usize {
        self.classes
    }

    fn width(&self) -> usize {
        self.classes
    }

    fn row(&self, row: usize, weight: f64) -> (u32, f32) {
        (self.codes[row], weight as f32)
    }

    #[inline]
    fn add(&self, cells: &mut [f64], row: (u32, f32)) {
        cells[row.0 as usize] += f64::from(row.1);
    }

    fn slots(&self) -> usize {
        self.classes
    }

    #[inline]
    fn put(&self, slots: &mut [f64], row: (u32, f32)) {
        self.add(slots, row);
    }

    #[inline]
    fn take(&self, slots: &mut [f64], cells: &mut [f64]) {
        cells.iter_mut().zip(slots).for_each(|(cell, slot)| *cell += std::mem::take(slot));
    }

    fn weight(&self, cells: &[f64]) -> f64 {
        cells.iter().sum()
    }

    fn alike(&self, cells: &[f64], _: &[(u32, f32)]) -> bool {
        cells.iter().filter(|cell| **cell > 0.0).count() < 2
    }

    #[inline]
    fn gain(&self, part: &[f64], all: &[f64]) -> f64 {
        let (mut weights, mut sums) = ([0.0; 3], [0.0; 3]);
        for (&part, &all) in part.iter().zip(all) {
            let cells = [part, all - part, all];
            for ((weight, sum), cell) in weights.iter_mut().zip(&mut sums).zip(cells) {
                *weight += cell;
                *sum += if self.entropy { of_logarithm(cell) } else { cell * cell };
            }
        }
        let [part, rest, all] = [0, 1, 2]
            .map(|set| if self.entropy { sums[set] - of_logarithm(weights[set]) } else { sums[set] / weights[set] });
        part + rest - all
    }

    fn leaf(&self, cells: &[f64], _: &[u32], _: &[(u32, f32)], leaf: &mut Vec<f64>) {
        let weight = self.weight(cells);
        leaf.extend(cells.iter().map(|cell| cell / weight));
    }
}

/// The gain of parting two classes by the entropy.
#[inline(never)]
fn by_entropy(part: [f64; 2], all: [f64; 2]) -> f64 {
    let bits = |weight: f64, ones: f64| of_logarithm(weight) - of_logarithm(ones) - of_logarithm(weight - ones);
    bits(all[0], all[1]) - bits(part[0], part[1]) - bits(all[0] - part[0], all[1] - part[1])
}

/// `x · log2(x)`, 0 at 0.
fn of_logarithm(value: f64) -> f64 {
    if value > 0.0 { value * value.log2() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums<S: Statistics>(statistics: &S, rows: &[usize]) -> Vec<f64> {
        let mut cells = vec![0.0; statistics.cells()];
        for &row in rows {
            statistics.add(&mut cells, statistics.row(row, 1.0));
        }
        cells
    }

    #[test]
    fn two_classes_gain_the_same_either_way() {
        let codes = [0, 0, 1, 1, 1];
        for measure in [ImpurityMeasure::Gini, ImpurityMeasure::Entropy] {
            let (pairs, many) = (Pairs::classes(&codes, measure), ManyClasses::new(&codes, 2, measure));
            let gain = pairs.gain(&sums(&pairs, &[0, 1, 2]), &sums(&pairs, &[0, 1, 2, 3, 4]));
            let other = many.gain(&sums(&many, &[0, 1, 2]), &sums(&many, &[0, 1, 2, 3, 4]));
            assert!((gain - other).abs() < 1e-12 && gain > 1.0, "{gain} {other}");
        }
    }

    #[test]
    fn numbers_gain_the_decrease_of_the_squares() {
        let pairs = Pairs::numbers(&[1.0, 2.0, 6.0], None);
        let gain = pairs.gain(&sums(&pairs, &[0, 1]), &sums(&pairs, &[0, 1, 2]));
        assert!((gain - (14.0 - 0.5)).abs() < 1e-5, "{gain}");
    }
}
