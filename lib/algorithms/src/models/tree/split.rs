//! The search for the best split of one feature at one node of a forest's tree.

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::binned::{BinCut, Binned};
use super::bins::{MOST_BINS, round_down};
use super::columns::{Columns, from_key, to_key};
use super::few::{self, Few};
use super::grow::Limits;
use super::ranks::Ranks;
use super::statistics::Statistics;

/// The rows of a node and their sums.
pub(super) struct Node<'a, S: Statistics> {
    /// Where the rows lie among those of the tree.
    pub(super) start: usize,
    pub(super) rows: &'a [u32],
    pub(super) weighted: &'a [S::Row],
    pub(super) cells: &'a [f64],
}

/// Where to split: rows up to `bound` go to the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub(super) bound: Bound,
    pub(super) threshold: f64,
    pub(super) gain: f64,
}

/// The last number on the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    /// A number of [`Finder::column`].
    Number(u32),
    /// A bin of [`Finder::bins`], which takes less memory to look at.
    Bin(u8),
}

/// What looking at a feature has shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Look {
    /// All rows of the node have the same value.
    Constant,
    /// All rows of the node are in one bin, which may have several values.
    OneBin,
    /// No split keeps the limits.
    Nothing,
    /// The best split, or the one that was drawn.
    Found(Cut),
}

/// Finds the split of a feature.
pub(super) trait Finder<S: Statistics> {
    fn num_rows(&self) -> usize;
    fn num_features(&self) -> usize;
    /// Numbers that ascend with the values of a feature, one a row.
    fn column(&self, feature: usize) -> &[u32];
    /// The bins of a feature, one a row, where bounds are bins.
    fn bins(&self, _feature: usize) -> &[u8] {
        &[]
    }
    /// Takes up a node; nodes come depth first.
    fn enter(&mut self, _node: &Node<'_, S>) {}
    /// Looks for a split of the node taken up, with a gain above `least`.
    fn look(&mut self, feature: usize, node: &Node<'_, S>, least: f64, random: &mut Xoshiro256PlusPlus) -> Look;
}

/// Takes the best of all cuts, by histograms in large nodes and exactly in small ones.
pub(super) struct Best<'a, S: Statistics> {
    statistics: &'a S,
    ranks: &'a Ranks,
    limits: &'a Limits,
    binned: Box<Binned>,
    histogram: Vec<f64>,
    /// The number of rows in each bin; kept only where a limit asks for it.
    counts: Vec<usize>,
    left: Vec<f64>,
    few: Few<S>,
}

impl<'a, S: Statistics> Best<'a, S> {
    pub(super) fn new(statistics: &'a S, ranks: &'a Ranks, limits: &'a Limits) -> Self {
        let cells = statistics.cells();
        let (binned, histogram, left) = (Box::new(Binned::new()), vec![0.0; cells * 256], vec![0.0; cells]);
        Self {
            statistics,
            ranks,
            limits,
            binned,
            histogram,
            counts: vec![0; 256],
            left,
            few: Few::new(statistics, ranks),
        }
    }

    fn by_histogram(&mut self, feature: usize, node: &Node<'_, S>, mut least: f64) -> Look {
        let (codes, bins) = (self.ranks.codes(feature), self.ranks.num_bins(feature));
        if self.limits.min_samples_leaf <= 1 && self.limits.min_weight_leaf <= 0.0 {
            let node_rows = (node.rows, node.weighted);
            let found = self.statistics.by_bins(&mut self.binned, (bins, codes), node_rows, node.cells, least);
            match found {
                Some(BinCut::Constant) => return self.one_bin(feature),
                Some(BinCut::Nothing) => return Look::Nothing,
                Some(BinCut::Found { below, above, gain }) => return self.between_bins(feature, below, above, gain),
                None => {}
            }
        }
        let width = self.statistics.cells();
        let histogram = &mut self.histogram[..bins * width];
        histogram.fill(0.0);
        self.statistics.fill(histogram, codes, node.rows, node.weighted);
        let counted = self.limits.min_samples_leaf > 1;
        if counted {
            self.counts.fill(0);
            node.rows.iter().for_each(|&row| self.counts[usize::from(codes[row as usize])] += 1);
        }
        self.left.fill(0.0);
        let (mut last, mut found, mut count) = (None, None, 0);
        for (bin, cells) in histogram.chunks_exact(width).enumerate() {
            let weight = self.statistics.weight(cells);
            if weight <= 0.0 {
                continue;
            }
            // The cut lies between this bin and the one before it that is not empty.
            if let Some(below) = last {
                let enough = !counted || count.min(node.rows.len() - count) >= self.limits.min_samples_leaf;
                if enough && self.limits.enough_weight(self.statistics, &self.left, node.cells) {
                    let gain = self.statistics.gain(&self.left, node.cells);
                    if gain > least {
                        least = gain;
                        found = Some((below, bin, gain));
                    }
                }
            }
            self.left.iter_mut().zip(cells).for_each(|(left, cell)| *left += cell);
            count += self.counts[bin];
            last = Some(bin);
            if weight >= self.statistics.weight(node.cells) {
                return self.one_bin(feature);
            }
        }
        found.map_or(Look::Nothing, |(below, above, gain)| self.between_bins(feature, below, above, gain))
    }

    /// What it means that all rows of a node are in one bin.
    fn one_bin(&self, feature: usize) -> Look {
        if self.ranks.num_values(feature) <= MOST_BINS { Look::Constant } else { Look::OneBin }
    }

    /// The cut between two bins with rows.
    fn between_bins(&self, feature: usize, below: usize, above: usize, gain: f64) -> Look {
        let last = self.ranks.start(feature, below + 1) - 1;
        let threshold = self.ranks.between(feature, last, self.ranks.start(feature, above));
        Look::Found(Cut { bound: Bound::Bin(below as u8), threshold, gain })
    }
}

impl<S: Statistics> Finder<S> for Best<'_, S> {
    fn num_rows(&self) -> usize {
        self.ranks.num_rows()
    }

    fn num_features(&self) -> usize {
        self.ranks.num_features()
    }

    fn column(&self, feature: usize) -> &[u32] {
        self.ranks.ranks(feature)
    }

    fn bins(&self, feature: usize) -> &[u8] {
        self.ranks.codes(feature)
    }

    fn enter(&mut self, node: &Node<'_, S>) {
        if node.rows.len() <= few::MOST {
            self.few.enter(node.start..node.start + node.rows.len(), node.rows);
        }
    }

    fn look(&mut self, feature: usize, node: &Node<'_, S>, least: f64, _: &mut Xoshiro256PlusPlus) -> Look {
        if node.rows.len() > few::MOST {
            self.by_histogram(feature, node, least)
        } else {
            self.few.look((self.statistics, self.ranks, self.limits), feature, node, least)
        }
    }
}

/// Draws one threshold between the smallest and the largest value of the node (Geurts and others, 2006).
pub(super) struct Drawn<'a, S> {
    statistics: &'a S,
    columns: &'a Columns,
    limits: &'a Limits,
    left: Vec<f64>,
    keys: Vec<u32>,
}

impl<'a, S: Statistics> Drawn<'a, S> {
    pub(super) fn new(statistics: &'a S, columns: &'a Columns, limits: &'a Limits) -> Self {
        Self { statistics, columns, limits, left: vec![0.0; statistics.cells()], keys: Vec::new() }
    }
}

impl<S: Statistics> Finder<S> for Drawn<'_, S> {
    fn num_rows(&self) -> usize {
        self.columns.num_rows()
    }

    fn num_features(&self) -> usize {
        self.columns.num_features()
    }

    fn column(&self, feature: usize) -> &[u32] {
        self.columns.column(feature)
    }

    fn look(&mut self, feature: usize, node: &Node<'_, S>, least: f64, random: &mut Xoshiro256PlusPlus) -> Look {
        let column = self.columns.column(feature);
        self.keys.clear();
        self.keys.extend(node.rows.iter().map(|&row| column[row as usize]));
        let low = self.keys.iter().copied().fold(u32::MAX, u32::min);
        let high = self.keys.iter().copied().fold(0, u32::max);
        if low >= high {
            return Look::Constant;
        }
        let (least_value, most_value) = (f64::from(from_key(low)), f64::from(from_key(high)));
        let drawn = least_value + random.random::<f64>() * (most_value - least_value);
        // The largest value itself must go to the right.
        let bound = to_key(round_down(drawn)).clamp(low, high - 1);
        let threshold = drawn.clamp(least_value, f64::from(from_key(high - 1)));
        self.left.fill(0.0);
        let mut count = 0;
        for (&key, &weighted) in self.keys.iter().zip(node.weighted) {
            if key <= bound {
                self.statistics.add(&mut self.left, weighted);
                count += 1;
            }
        }
        let enough = count.min(self.keys.len() - count) >= self.limits.min_samples_leaf;
        if !enough || !self.limits.enough_weight(self.statistics, &self.left, node.cells) {
            return Look::Nothing;
        }
        let gain = self.statistics.gain(&self.left, node.cells);
        if gain > least { Look::Found(Cut { bound: Bound::Number(bound), threshold, gain }) } else { Look::Nothing }
    }
}
