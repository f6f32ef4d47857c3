//! Prediction: blocks of rows go through trees that are padded to full ones.
//!
//! In a shallow tree every comparison is made for many rows at once and the leaves are chosen from the bottom up, which
//! takes more comparisons than walking down, but none of them waits for another or for memory.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the vector instructions of the processor"
)]

use ndarray::{ArrayView2, Axis, Slice};

use super::matrix::single;
use super::nodes::{BoostedNode, BoostedTree};
use crate::parallel;
use crate::vectorised::vectorised;

/// Rows that go through the trees together.
const BLOCK: usize = 64;
/// Rows that one task takes.
const TASK: usize = 1024;
/// Deeper trees are walked down, as a full tree doubles with every level.
const DEEPEST: usize = 8;
/// The triples of the last level of the deepest tree.
const TRIPLES: usize = 1 << (DEEPEST - 2);
/// With fewer rows than this, padding the trees takes longer than it saves.
const FEW: usize = 16;
/// Rows that are compared at once.
const LANES: usize = 16;
/// Fewer steps down trees than these start no threads.
const ALONE: usize = 1 << 17;

type Lanes = [f32; LANES];

/// A tree as prediction reads it.
enum Fast {
    /// A full tree of numbers of two levels or more, an even number of them: see [`Full`].
    Full(Full),
    /// Any other.
    Walk,
}

/// A full tree as triples: a split, its two children, and the four places below them. The last triples come first, and those
/// of one level from left to right, so that what a triple chooses from lies where the next level looks for it.
struct Full {
    triples: Vec<Triple>,
    /// What the last level of triples chooses from, four numbers a triple.
    leaves: Vec<[f32; 4]>,
}

/// The split at the top, and those on its left and right.
#[derive(Clone, Copy)]
struct Triple([Comparison; 3]);

/// A comparison: rows that are not below the threshold go to the right.
#[derive(Clone, Copy)]
struct Comparison {
    feature: u32,
    threshold: f32,
    /// Whether missing values go to the right.
    missing_right: bool,
}

/// Rows × groups margins of `x` (rows × features, NaN for missing values).
pub(super) fn margins(trees: &[BoostedTree], starts: &[f32], x: ArrayView2<'_, f64>) -> Vec<f32> {
    let groups = starts.len();
    let mut margins: Vec<f32> = starts.iter().copied().cycle().take(groups * x.nrows()).collect();
    if x.nrows() < FEW {
        for (row, margins) in x.axis_iter(Axis(0)).zip(margins.chunks_exact_mut(groups)) {
            for (index, tree) in trees.iter().enumerate() {
                margins[index % groups] += tree.values[tree.leaf_of(|feature| single(row[feature]))];
            }
        }
        return margins;
    }
    let fast: Vec<Fast> = trees.iter().map(Fast::new).collect();
    let task = |(task, margins): (usize, &mut [f32])| {
        let x = x.slice_axis(Axis(0), Slice::from(task * TASK..task * TASK + margins.len() / groups));
        let mut values = Vec::with_capacity(BLOCK * x.ncols());
        let mut columns = vec![[0.0; BLOCK]; x.ncols()];
        for (x, margins) in x.axis_chunks_iter(Axis(0), BLOCK).zip(margins.chunks_mut(BLOCK * groups)) {
            values.clear();
            values.extend(x.iter().map(|&value| single(value)));
            for (place, row) in values.chunks_exact(x.ncols()).enumerate() {
                columns.iter_mut().zip(row).for_each(|(column, value)| column[place] = *value);
            }
            block(&fast, trees, &values, &columns, margins, groups);
        }
    };
    if x.nrows().saturating_mul(trees.len()) < ALONE {
        margins.chunks_mut(TASK * groups).enumerate().for_each(task);
    } else {
        parallel::for_each(margins.chunks_mut(TASK * groups).enumerate(), task);
    }
    margins
}

/// Adds the trees to the margins of a block, whose values are given row by row and column by column.
fn block(
    fast: &[Fast],
    trees: &[BoostedTree],
    values: &[f32],
    columns: &[[f32; BLOCK]],
    margins: &mut [f32],
    groups: usize,
) {
    let missing = values.iter().any(|value| value.is_nan());
    let mut found = [0.0; BLOCK];
    for (index, (fast, tree)) in fast.iter().zip(trees).enumerate() {
        match fast {
            Fast::Full(full) if missing => full.values::<true>(columns, &mut found),
            Fast::Full(full) => full.values::<false>(columns, &mut found),
            Fast::Walk => {
                for (row, found) in values.chunks_exact(columns.len()).zip(&mut found) {
                    *found = tree.values[tree.leaf_of(|feature| row[feature])];
                }
            }
        }
        let group = index % groups;
        margins.iter_mut().skip(group).step_by(groups).zip(&found).for_each(|(margin, value)| *margin += value);
    }
}

impl Full {
    /// The leaf that each row of a block reaches.
    fn values<const MISSING: bool>(&self, columns: &[[f32; BLOCK]], found: &mut [f32; BLOCK]) {
        vectorised(
            #[inline(always)]
            || {
                let mut below = [[0.0; LANES]; TRIPLES];
                for (lanes, found) in found.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                    *found = self.choose::<MISSING>(columns, lanes * LANES, &mut below);
                }
            },
        );
    }

    #[inline(always)]
    fn choose<const MISSING: bool>(
        &self,
        columns: &[[f32; BLOCK]],
        start: usize,
        below: &mut [Lanes; TRIPLES],
    ) -> Lanes {
        let (last, mut rest) = self.triples.split_at(self.leaves.len());
        for ((triple, leaves), place) in last.iter().zip(&self.leaves).zip(below.iter_mut()) {
            *place = triple.choose::<MISSING>(columns, start, leaves.map(|leaf| [leaf; LANES]));
        }
        let mut count = last.len() / 4;
        while count > 0 && !rest.is_empty() {
            let (level, above) = rest.split_at(count.min(rest.len()));
            for (place, triple) in level.iter().enumerate() {
                let four = std::array::from_fn(|offset| below[4 * place + offset]);
                below[place] = triple.choose::<MISSING>(columns, start, four);
            }
            rest = above;
            count /= 4;
        }
        below[0]
    }
}

impl Triple {
    #[inline(always)]
    fn choose<const MISSING: bool>(&self, columns: &[[f32; BLOCK]], start: usize, four: [Lanes; 4]) -> Lanes {
        let [top, left, right] = self.0;
        let left = left.choose::<MISSING>(columns, start, &four[0], &four[1]);
        let right = right.choose::<MISSING>(columns, start, &four[2], &four[3]);
        top.choose::<MISSING>(columns, start, &left, &right)
    }
}

impl Comparison {
    #[inline(always)]
    fn choose<const MISSING: bool>(self, columns: &[[f32; BLOCK]], start: usize, left: &Lanes, right: &Lanes) -> Lanes {
        let values = &columns[self.feature as usize][start..start + LANES];
        let mut chosen = *left;
        for (((chosen, value), right), left) in chosen.iter_mut().zip(values).zip(right).zip(left) {
            let goes_right = if MISSING {
                (*value >= self.threshold) | (value.is_nan() & self.missing_right)
            } else {
                *value >= self.threshold
            };
            *chosen = if goes_right { *right } else { *left };
        }
        chosen
    }
}

impl Fast {
    fn new(tree: &BoostedTree) -> Self {
        // An even number of levels, so that triples fill it.
        let depth = tree.depth().next_multiple_of(2).max(2);
        if depth > DEEPEST || !tree.categories.is_empty() {
            return Self::Walk;
        }
        let padding = Comparison { feature: 0, threshold: f32::INFINITY, missing_right: false };
        // Level by level from the root, and the numbers below the last.
        let mut splits = vec![padding; (1 << depth) - 1];
        let mut leaves = vec![0.0; 1 << depth];
        let mut open = vec![(0_usize, 0_usize, 0_usize)];
        while let Some((node, level, place)) = open.pop() {
            match tree.node(node) {
                BoostedNode::Leaf(value) => {
                    // Whichever way the padding takes, it ends at this value.
                    let below = depth - level;
                    leaves[place << below..(place + 1) << below].fill(value);
                }
                BoostedNode::Split { feature, threshold, left, default_left, .. } => {
                    splits[(1 << level) - 1 + place] =
                        Comparison { feature: feature as u32, threshold, missing_right: !default_left };
                    open.push((left, level + 1, 2 * place));
                    open.push((left + 1, level + 1, 2 * place + 1));
                }
                BoostedNode::Categories { .. } => return Self::Walk,
            }
        }
        let mut triples = Vec::with_capacity(splits.len() / 3);
        for level in (0..depth).step_by(2).rev() {
            let (above, below) = (&splits[(1 << level) - 1..], &splits[(2 << level) - 1..]);
            triples.extend((0..1 << level).map(|place| Triple([above[place], below[2 * place], below[2 * place + 1]])));
        }
        Self::Full(Full { triples, leaves: leaves.as_chunks::<4>().0.to_vec() })
    }
}
