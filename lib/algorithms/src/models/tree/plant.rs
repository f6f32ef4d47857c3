//! Grows one tree of a forest.

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::grow::{Grown, Limits};
use super::nodes::Nodes;
use super::split::{Best, Bound, Cut, Drawn, Finder, Look, Node};
use super::statistics::Statistics;
use super::{Columns, Ranks};
use crate::probe::{Cancelled, Probe};

/// The features that a forest's trees are grown on.
pub(crate) enum Table {
    /// Every split is the best one of the features that it looks at.
    Best(Ranks),
    /// Every split is the best of one drawn threshold a feature.
    Drawn(Columns),
}

/// Grows a tree on the rows that have a weight above 0.
pub(crate) fn plant<S: Statistics>(
    table: &Table,
    statistics: &S,
    weights: &[f64],
    limits: &Limits,
    random: &mut Xoshiro256PlusPlus,
    probe: &dyn Probe,
) -> Result<Grown, Cancelled> {
    match table {
        Table::Best(ranks) => {
            Planter::new(Best::new(statistics, ranks, limits), statistics, weights, limits, random).grow(probe)
        }
        Table::Drawn(columns) => {
            Planter::new(Drawn::new(statistics, columns, limits), statistics, weights, limits, random).grow(probe)
        }
    }
}

/// A node that waits to be split.
struct Waiting {
    start: usize,
    end: usize,
    depth: usize,
    /// The node whose right child it is.
    right_of: Option<usize>,
}

struct Planter<'a, S: Statistics, F> {
    finder: F,
    statistics: &'a S,
    limits: &'a Limits,
    random: &'a mut Xoshiro256PlusPlus,
    features: Vec<usize>,
    /// The rows, those of a node side by side, and what each adds.
    rows: Vec<u32>,
    weighted: Vec<S::Row>,
    /// The right part of a node while it is divided.
    right_rows: Vec<u32>,
    right_weighted: Vec<S::Row>,
    cells: Vec<f64>,
    constants: Constants,
    /// The weight of all rows.
    total: f64,
}

/// The features that are known to have one value in all rows of a node, as bits of words; those of the nodes that wait lie in a
/// stack. What is constant in a node is so below it and need not be looked at again.
struct Constants {
    /// Those of the node at hand.
    here: Vec<u64>,
    waiting: Vec<u64>,
}

impl Constants {
    /// None, for the root.
    fn new(features: usize) -> Self {
        let words = features.div_ceil(64);
        Self { here: vec![0; words], waiting: vec![0; words] }
    }

    /// Goes on to the node that was added last.
    fn enter(&mut self) {
        let rest = self.waiting.len().saturating_sub(self.here.len());
        self.waiting.drain(rest..).zip(&mut self.here).for_each(|(waiting, here)| *here = waiting);
    }

    /// Adds the two children of the node at hand.
    fn split(&mut self) {
        self.waiting.extend(&self.here);
        self.waiting.extend(&self.here);
    }

    fn contains(&self, feature: usize) -> bool {
        self.here[feature / 64] >> (feature % 64) & 1 == 1
    }

    fn insert(&mut self, feature: usize) {
        self.here[feature / 64] |= 1 << (feature % 64);
    }
}

impl<'a, S: Statistics, F: Finder<S>> Planter<'a, S, F> {
    fn new(
        finder: F,
        statistics: &'a S,
        weights: &[f64],
        limits: &'a Limits,
        random: &'a mut Xoshiro256PlusPlus,
    ) -> Self {
        let rows: Vec<u32> = (0..finder.num_rows() as u32).filter(|&row| weights[row as usize] > 0.0).collect();
        let weighted: Vec<_> = rows.iter().map(|&row| statistics.row(row as usize, weights[row as usize])).collect();
        let (right_rows, right_weighted) = (rows.clone(), weighted.clone());
        let features: Vec<usize> = (0..finder.num_features()).collect();
        let cells = vec![0.0; statistics.cells()];
        let constants = Constants::new(features.len());
        Self {
            finder,
            statistics,
            limits,
            random,
            features,
            rows,
            weighted,
            right_rows,
            right_weighted,
            cells,
            constants,
            total: 0.0,
        }
    }

    fn grow(mut self, probe: &dyn Probe) -> Result<Grown, Cancelled> {
        let mut importance = vec![0.0; self.features.len()];
        let mut nodes = Nodes::new(self.statistics.width());
        let mut waiting = vec![Waiting { start: 0, end: self.rows.len(), depth: 0, right_of: None }];
        while let Some(Waiting { start, end, depth, right_of }) = waiting.pop() {
            if let Some(parent) = right_of {
                nodes.join(parent);
            }
            self.constants.enter();
            self.statistics.sum(&mut self.cells, &self.weighted[start..end]);
            let weight = self.statistics.weight(&self.cells);
            if depth == 0 {
                self.total = weight;
            }
            let Some((feature, cut)) = self.best(start, end, depth) else {
                let (rows, weighted) = (&self.rows[start..end], &self.weighted[start..end]);
                nodes.push_leaf(weight, |leaves| self.statistics.leaf(&self.cells, rows, weighted, leaves));
                continue;
            };
            if end - start > 4096 {
                probe.check()?;
            }
            importance[feature] += cut.gain;
            let node = nodes.len();
            nodes.push_split(feature, cut.threshold, weight);
            self.constants.split();
            let middle = start + self.divide(start, end, feature, cut.bound);
            waiting.push(Waiting { start: middle, end, depth: depth + 1, right_of: Some(node) });
            waiting.push(Waiting { start, end: middle, depth: depth + 1, right_of: None });
        }
        let sum: f64 = importance.iter().sum();
        if sum > 0.0 {
            for share in &mut importance {
                *share /= sum;
            }
        }
        Ok(Grown { nodes, importance })
    }

    /// The best split over the features that this node looks at; `None` makes it a leaf.
    fn best(&mut self, start: usize, end: usize, depth: usize) -> Option<(usize, Cut)> {
        let limits = self.limits;
        let (rows, weighted) = (&self.rows[start..end], &self.weighted[start..end]);
        let node = Node { start, rows, weighted, cells: &self.cells };
        let small = end - start < limits.min_samples_split
            || self.statistics.weight(&self.cells) < 2.0 * limits.min_weight_leaf;
        if depth >= limits.max_depth || small || self.statistics.alike(&self.cells, node.weighted) {
            return None;
        }
        self.finder.enter(&node);
        let count = self.features.len();
        let mut best: Option<(usize, Cut)> = None;
        let mut any = false;
        for visited in 0..count {
            // Constant features count as looked at, but one that can be split must be among them.
            if visited >= limits.max_features && any {
                break;
            }
            let drawn = self.random.random_range(visited as u32..count as u32);
            self.features.swap(visited, drawn as usize);
            let feature = self.features[visited];
            if self.constants.contains(feature) {
                continue;
            }
            let least = best.map_or(f64::NEG_INFINITY, |(_, cut)| cut.gain);
            match self.finder.look(feature, &node, least, self.random) {
                Look::Constant => self.constants.insert(feature),
                Look::OneBin => {}
                Look::Nothing => any = true,
                Look::Found(cut) => (any, best) = (true, Some((feature, cut))),
            }
        }
        best.filter(|(_, cut)| cut.gain / self.total + f64::EPSILON >= limits.min_impurity_decrease)
    }

    /// Brings the rows of the left child to the front and returns how many they are; both sides keep their order.
    fn divide(&mut self, start: usize, end: usize, feature: usize, bound: Bound) -> usize {
        let Self { finder, rows, weighted, right_rows, right_weighted, .. } = self;
        let sides = (&mut rows[start..end], &mut weighted[start..end], right_rows, right_weighted);
        match bound {
            Bound::Number(bound) => part(sides, finder.column(feature), bound),
            Bound::Bin(bound) => part(sides, finder.bins(feature), bound),
        }
    }
}

/// The rows of a node and what each adds, and room for those of its right child.
type Sides<'a, R> = (&'a mut [u32], &'a mut [R], &'a mut Vec<u32>, &'a mut Vec<R>);

/// Brings the rows whose number is at most `bound` to the front and returns how many they are.
fn part<R: Copy, T: Copy + PartialOrd>(
    (rows, weighted, right_rows, right_weighted): Sides<'_, R>,
    column: &[T],
    bound: T,
) -> usize {
    let (mut left, mut right) = (0, 0);
    // Without a branch: each row is written to both sides, and only one of them moves on.
    for index in 0..rows.len() {
        let (row, what) = (rows[index], weighted[index]);
        let goes_left = usize::from(column[row as usize] <= bound);
        (rows[left], weighted[left]) = (row, what);
        (right_rows[right], right_weighted[right]) = (row, what);
        left += goes_left;
        right += 1 - goes_left;
    }
    rows[left..].copy_from_slice(&right_rows[..right]);
    weighted[left..].copy_from_slice(&right_weighted[..right]);
    left
}
