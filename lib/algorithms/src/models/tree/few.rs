//! The best cut of a node of few rows: exact, without sorting the node.
//!
//! Where a tree gets down to few rows, its rows are ordered once by each feature that is looked at; every node below reads its
//! rows' places in that order. The places that a node has are the bits of one word, which lie in order by themselves.

use std::ops::Range;

use super::grow::Limits;
use super::order;
use super::ranks::Ranks;
use super::split::{Bound, Cut, Look, Node};
use super::statistics::Statistics;

/// A node with more rows than this is split by histograms.
pub(super) const MOST: usize = order::MOST;

/// A feature with at most so many values has several tables of sums: the rows of one value, of which there are many then, do not
/// wait for each other.
const NARROW: usize = MOST / TABLES;
const TABLES: usize = 4;
/// With so many rows or fewer there is one table all the same.
const SHORT: usize = 8;

/// A part of the tree that begins with few rows.
pub(super) struct Few<S: Statistics> {
    /// Where its rows lie among those of the tree.
    span: Range<usize>,
    /// Its rows in the table.
    rows: Vec<u32>,
    /// The position among them of each row of the table that they are.
    positions: Vec<u8>,
    /// For each feature, a number below [`MOST`] for each row: the numbers ascend with the values.
    places: Vec<[u8; MOST]>,
    /// Whether the places of a feature are those of this part of the tree.
    known: Vec<bool>,
    /// The positions of the rows of the node at hand.
    node: Vec<u8>,
    /// The rows at each place; empty between two looks, as are the counts.
    slots: Vec<S::Slot>,
    counts: [u8; MOST],
    left: S::Sums,
}

impl<S: Statistics> Few<S> {
    /// Room for a tree.
    pub(super) fn new(statistics: &S, ranks: &Ranks) -> Self {
        let (rows, features) = (ranks.num_rows(), ranks.num_features());
        Self {
            span: 0..0,
            rows: Vec::new(),
            positions: vec![0; rows],
            places: vec![[0; MOST]; features],
            known: vec![false; features],
            node: Vec::new(),
            slots: vec![S::Slot::default(); MOST * statistics.slots()],
            counts: [0; MOST],
            left: statistics.sums(),
        }
    }

    /// Takes up a node whose rows, at most [`MOST`], lie at `span` among those of the tree. Trees are grown depth first.
    pub(super) fn enter(&mut self, span: Range<usize>, rows: &[u32]) {
        if span.start < self.span.start || span.end > self.span.end {
            self.span = span;
            self.rows.clear();
            self.rows.extend(rows);
            rows.iter().zip(0..).for_each(|(&row, position)| self.positions[row as usize] = position);
            self.known.fill(false);
        }
        self.node.clear();
        self.node.extend(rows.iter().map(|&row| self.positions[row as usize]));
    }

    /// Looks for the best split of the node taken up.
    pub(super) fn look(
        &mut self,
        (statistics, ranks, limits): (&S, &Ranks, &Limits),
        feature: usize,
        node: &Node<'_, S>,
        mut least: f64,
    ) -> Look {
        self.order(ranks, feature);
        let (width, counted) = (statistics.slots(), limits.min_samples_leaf > 1);
        let places = &self.places[feature];
        if let [first, second] = self.node[..] {
            let pair = [first, second].map(|position| usize::from(places[usize::from(position) % MOST]));
            return self.pair((statistics, ranks, limits), feature, node, pair, least);
        }
        let narrow = ranks.num_values(feature) <= NARROW && node.rows.len() > SHORT;
        let tables = if narrow { TABLES } else { 1 };
        let mut seen = 0_u64;
        for (index, (&position, &weighted)) in self.node.iter().zip(node.weighted).enumerate() {
            let place = usize::from(places[usize::from(position) % MOST]) % MOST;
            seen |= 1 << place;
            let slot = (place + (index & (tables - 1)) * NARROW) % MOST;
            statistics.put(&mut self.slots[slot * width..(slot + 1) * width], weighted);
            if counted {
                self.counts[place] += 1;
            }
        }
        let constant = seen.is_power_of_two();
        // Taken out, the sums can stay in registers.
        let mut left = std::mem::take(&mut self.left);
        left.as_mut().fill(0.0);
        let (mut count, mut found) = (0, None);
        while seen > 0 {
            let place = seen.trailing_zeros() as usize;
            seen &= seen - 1;
            for table in 0..tables {
                let slot = place + table * NARROW;
                statistics.take(&mut self.slots[slot * width..(slot + 1) * width], left.as_mut());
            }
            count += usize::from(std::mem::take(&mut self.counts[place]));
            let enough = !counted || count.min(node.rows.len() - count) >= limits.min_samples_leaf;
            if seen > 0 && enough && limits.enough_weight(statistics, left.as_ref(), node.cells) {
                let gain = statistics.gain(left.as_ref(), node.cells);
                if gain > least {
                    (least, found) = (gain, Some((place, seen.trailing_zeros() as usize)));
                }
            }
        }
        self.left = left;
        if constant {
            return Look::Constant;
        }
        // Any row at the place will do.
        let places = &self.places[feature];
        let row = |place: usize| {
            let mut rows = self.node.iter().zip(node.rows);
            rows.find_map(|(&position, &row)| (usize::from(places[usize::from(position)]) == place).then_some(row))
        };
        let rows = found.and_then(|(below, above)| Some((row(below)?, row(above)?)));
        rows.map_or(Look::Nothing, |rows| cut(ranks, feature, rows, least))
    }

    /// Looks at the only cut of a node of two rows, given their places.
    #[inline]
    fn pair(
        &mut self,
        (statistics, ranks, limits): (&S, &Ranks, &Limits),
        feature: usize,
        node: &Node<'_, S>,
        [first, second]: [usize; 2],
        least: f64,
    ) -> Look {
        if first == second {
            return Look::Constant;
        }
        let mut left = std::mem::take(&mut self.left);
        let below = usize::from(second < first);
        statistics.sum(left.as_mut(), &node.weighted[below..=below]);
        let enough = limits.enough_weight(statistics, left.as_ref(), node.cells);
        let gain = statistics.gain(left.as_ref(), node.cells);
        self.left = left;
        if enough && limits.min_samples_leaf <= 1 && gain > least {
            return cut(ranks, feature, (node.rows[below], node.rows[1 - below]), gain);
        }
        Look::Nothing
    }

    /// Orders the rows by a feature, where that was not done yet.
    fn order(&mut self, ranks: &Ranks, feature: usize) {
        if std::mem::replace(&mut self.known[feature], true) {
            return;
        }
        let places = &mut self.places[feature];
        if ranks.num_values(feature) <= MOST {
            // The bins are the values.
            let codes = ranks.codes(feature);
            places.iter_mut().zip(&self.rows).for_each(|(place, &row)| *place = codes[row as usize]);
        } else {
            let values = ranks.ranks(feature);
            let own = self.rows.iter().map(|&row| values[row as usize]);
            let short = ranks.num_values(feature) < usize::from(u16::MAX);
            *places = if short { order::places::<i16>(own) } else { order::places::<i32>(own) };
        }
    }
}

/// The cut between the values of two rows.
fn cut(ranks: &Ranks, feature: usize, (below, above): (u32, u32), gain: f64) -> Look {
    let own = ranks.ranks(feature);
    let (below, above) = (own[below as usize], own[above as usize]);
    Look::Found(Cut { bound: Bound::Number(below), threshold: ranks.between(feature, below, above), gain })
}
