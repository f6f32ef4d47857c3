//! Prediction: blocks of rows go down trees that are padded to full ones, without a branch that could be guessed wrong.

use ndarray::{ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::matrix::single;
use super::nodes::{BoostedNode, BoostedTree, LEAF};

/// Rows that go through the trees together.
const BLOCK: usize = 64;
/// Rows that one task takes.
const TASK: usize = 1024;
/// Deeper trees are not padded, as a full tree doubles with every level.
const DEEPEST: usize = 9;

/// A tree as prediction reads it.
enum Fast {
    /// A full tree of numbers: the splits level by level, then the leaves.
    Full { depth: usize, splits: Vec<Comparison>, leaves: Vec<f32> },
    /// Any other.
    Walk,
}

/// One comparison of a full tree.
#[derive(Clone, Copy)]
struct Comparison {
    feature: u32,
    threshold: f32,
}

/// Rows × groups margins of `x` (rows × features, NaN for missing values).
pub(super) fn margins(trees: &[BoostedTree], starts: &[f32], x: ArrayView2<'_, f64>) -> Vec<f32> {
    let groups = starts.len();
    let mut margins: Vec<f32> = starts.iter().copied().cycle().take(groups * x.nrows()).collect();
    if x.nrows() < 8 {
        let rows = x.axis_iter(Axis(0)).zip(margins.chunks_exact_mut(groups));
        rows.for_each(|(row, margins)| {
            for (index, tree) in trees.iter().enumerate() {
                margins[index % groups] += tree.values[tree.leaf_of(|feature| single(row[feature]))];
            }
        });
        return margins;
    }
    let fast: Vec<Fast> = trees.iter().map(Fast::new).collect();
    margins.par_chunks_mut(TASK * groups).enumerate().for_each(|(task, margins)| {
        let x = x.slice_axis(Axis(0), Slice::from(task * TASK..task * TASK + margins.len() / groups));
        let mut values = Vec::with_capacity(BLOCK * x.ncols());
        for (x, margins) in x.axis_chunks_iter(Axis(0), BLOCK).zip(margins.chunks_mut(BLOCK * groups)) {
            values.clear();
            values.extend(x.iter().map(|&value| single(value)));
            let missing = values.iter().any(|value| value.is_nan());
            block(&fast, trees, &values, x.ncols(), missing, margins, groups);
        }
    });
    margins
}

fn block(
    fast: &[Fast],
    trees: &[BoostedTree],
    values: &[f32],
    width: usize,
    missing: bool,
    margins: &mut [f32],
    groups: usize,
) {
    for (index, (fast, tree)) in fast.iter().zip(trees).enumerate() {
        let group = index % groups;
        match fast {
            Fast::Full { depth, splits, leaves } if !missing => {
                let rows = values.chunks(width * LANES).zip(margins.chunks_mut(groups * LANES));
                rows.for_each(|(values, margins)| {
                    descend(*depth, splits, leaves, values, width, margins, groups, group);
                });
            }
            Fast::Full { .. } | Fast::Walk => {
                for (row, margins) in values.chunks_exact(width).zip(margins.chunks_exact_mut(groups)) {
                    margins[group] += tree.values[tree.leaf_of(|feature| row[feature])];
                }
            }
        }
    }
}

/// Rows whose ways down are taken step by step together, so that the processor need not wait for any of them.
const LANES: usize = 8;

#[expect(clippy::too_many_arguments, reason = "the inner loop of prediction")]
fn descend(
    depth: usize,
    splits: &[Comparison],
    leaves: &[f32],
    values: &[f32],
    width: usize,
    margins: &mut [f32],
    groups: usize,
    group: usize,
) {
    let mut places = [0_usize; LANES];
    let count = values.len() / width;
    if count == LANES {
        for level in 0..depth {
            let splits = &splits[(1 << level) - 1..(2 << level) - 1];
            for (lane, place) in places.iter_mut().enumerate() {
                let Comparison { feature, threshold } = splits[*place];
                let right = values[lane * width + feature as usize] >= threshold;
                *place = 2 * *place + usize::from(right);
            }
        }
    } else {
        for level in 0..depth {
            let splits = &splits[(1 << level) - 1..(2 << level) - 1];
            for (lane, place) in places.iter_mut().enumerate().take(count) {
                let Comparison { feature, threshold } = splits[*place];
                let right = values[lane * width + feature as usize] >= threshold;
                *place = 2 * *place + usize::from(right);
            }
        }
    }
    for (place, margins) in places.into_iter().zip(margins.chunks_exact_mut(groups)) {
        margins[group] += leaves[place];
    }
}

impl Fast {
    fn new(tree: &BoostedTree) -> Self {
        let depth = tree.depth();
        if depth > DEEPEST || !tree.categories.is_empty() {
            return Self::Walk;
        }
        let mut splits = vec![Comparison { feature: 0, threshold: f32::INFINITY }; (1 << depth) - 1];
        let mut leaves = vec![0.0; 1 << depth];
        let mut open = vec![(0_usize, 0_usize, 0_usize)];
        while let Some((node, level, place)) = open.pop() {
            match tree.node(node) {
                BoostedNode::Leaf(value) => {
                    // Whichever way the padding takes, it ends at this value.
                    let below = depth - level;
                    leaves[place << below..(place + 1) << below].fill(value);
                }
                BoostedNode::Split { feature, threshold, left, .. } => {
                    splits[(1 << level) - 1 + place] = Comparison { feature: feature as u32, threshold };
                    open.push((left, level + 1, 2 * place));
                    open.push((left + 1, level + 1, 2 * place + 1));
                }
                BoostedNode::Categories { .. } => return Self::Walk,
            }
        }
        debug_assert!(tree.features.contains(&LEAF));
        Self::Full { depth, splits, leaves }
    }
}
