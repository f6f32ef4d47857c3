//! Growing one tree: nodes are split level by level, or the best first.

use std::ops::Range;

use super::columns::ColumnSampler;
use super::gradients::{Packed, Sums};
use super::histogram::{Histogram, Rows};
use super::matrix::{Block, Matrix};
use super::nodes::BoostedTree;
use super::parameters::Growth;
use super::partition::{Job, partition};
use super::split::{Bounds, Node, Rule, Split, best_in_block, weight};
use crate::parallel;

/// What growing a tree reads.
pub(super) struct Grower<'a> {
    pub(super) matrix: &'a Matrix,
    pub(super) growth: &'a Growth,
    /// The direction of each feature, or nothing.
    pub(super) monotone: &'a [i8],
    pub(super) packed: &'a Packed,
    pub(super) eta: f64,
}

/// The rows of a tree, and room for sorting them.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    pub(super) rows: Vec<u32>,
    scratch: Vec<u32>,
}

/// A grown tree.
pub(super) struct Grown {
    pub(super) tree: BoostedTree,
    /// The rule of each split, by bins.
    pub(super) rules: Vec<Option<Rule>>,
    /// The leaves with the places of their rows in the workspace.
    pub(super) leaves: Vec<(u32, Range<usize>)>,
}

/// The histograms of a node, one a block.
type Histograms = Vec<Histogram>;

/// A node that may still be split.
struct Open {
    index: u32,
    depth: usize,
    rows: Range<usize>,
    node: Node,
    histograms: Histograms,
    split: Option<Split>,
}

impl Grower<'_> {
    /// Grows a tree on the rows of the workspace, or on all rows of the matrix when `all`, in their order.
    pub(super) fn grow(&self, workspace: &mut Workspace, all: bool, columns: &ColumnSampler) -> Grown {
        let count = workspace.rows.len();
        workspace.scratch.resize(count, 0);
        let rows = if all { Rows::All(count) } else { Rows::List(&workspace.rows) };
        let blocks = &self.matrix.blocks;
        let many = self.is_worth_sharing(count);
        let histograms: Histograms =
            share(blocks.len(), many, |block| Histogram::new(&blocks[block], rows, self.packed));
        let total = histograms.first().map_or([0.0; 2], |histogram| histogram.total(self.packed));
        let node = Node { total, bounds: Bounds::NONE };
        let root_weight = weight(total, self.growth, Bounds::NONE);
        let mut tree = BoostedTree::root(total[0] as f32, root_weight as f32);
        let mut rules = vec![None];
        let found = share(blocks.len(), many, |block| self.best(block, &histograms[block], node, columns, 0, 0));
        let root = Open { index: 0, depth: 0, rows: 0..count, node, histograms, split: first_best(found) };
        let mut open = vec![root];
        let mut leaves = Vec::new();
        let mut num_leaves = 1;
        while !open.is_empty() {
            // A node without a split is a leaf for good.
            let mut batch = Vec::new();
            if self.growth.lossguide {
                batch.extend(take_best(&mut open));
            } else {
                batch.append(&mut open);
            }
            let mut parents = Vec::new();
            for node in batch {
                let full = self.growth.max_leaves > 0 && num_leaves >= self.growth.max_leaves;
                if let (false, Some(split)) = (full, &node.split) {
                    num_leaves += 1;
                    self.apply(split, &node, &mut tree, &mut rules);
                    parents.push(node);
                } else {
                    leaves.push((node.index, node.rows));
                }
            }
            let lefts = self.sort_rows(&parents, workspace);
            let children = self.children(parents, &lefts, &mut tree, workspace, columns);
            for child in children {
                if child.split.is_some() {
                    open.push(child);
                } else {
                    leaves.push((child.index, child.rows));
                }
            }
        }
        leaves.sort_unstable_by_key(|(index, _)| *index);
        for (index, _) in &leaves {
            let index = *index as usize;
            tree.values[index] = (f64::from(tree.weights[index]) * self.eta) as f32;
        }
        Grown { tree, rules, leaves }
    }

    /// Whether this many rows are worth the trouble of several threads.
    fn is_worth_sharing(&self, rows: usize) -> bool {
        rows.saturating_mul(self.matrix.features.len()) >= 1 << 14
    }

    /// Writes a split into the tree.
    fn apply(&self, split: &Split, node: &Open, tree: &mut BoostedTree, rules: &mut Vec<Option<Rule>>) {
        let index = node.index as usize;
        let feature = &self.matrix.features[split.feature];
        tree.features[index] = split.feature as u32;
        tree.default_left[index] = split.default_left;
        tree.gains[index] = split.gain;
        match &split.rule {
            Rule::Above(bin) => tree.values[index] = feature.cuts[*bin],
            Rule::Among(bins) => {
                let right = bins.iter().map(|&bin| feature.cuts[bin] as u32).collect();
                let place = tree.categories.partition_point(|(other, _)| *other < node.index);
                tree.categories.insert(place, (node.index, right));
            }
        }
        let children = [split.left, split.right].map(|sums| {
            rules.push(None);
            tree.push(sums[0] as f32, 0.0)
        });
        tree.left[index] = children[0];
        rules[index] = Some(split.rule.clone());
    }

    /// Sorts the rows of each node, those of the left child to the front, and says how many these are.
    fn sort_rows(&self, parents: &[Open], workspace: &mut Workspace) -> Vec<usize> {
        let (mut rows, mut scratch) = (&mut workspace.rows[..], &mut workspace.scratch[..]);
        let mut order: Vec<usize> = (0..parents.len()).collect();
        order.sort_unstable_by_key(|&place| parents[place].rows.start);
        let mut start = 0;
        let mut jobs = Vec::with_capacity(parents.len());
        for place in order {
            let Open { rows: range, split: Some(split), .. } = &parents[place] else { continue };
            let (_, rest) = std::mem::take(&mut rows).split_at_mut(range.start - start);
            let (own, rest) = rest.split_at_mut(range.len());
            rows = rest;
            let (_, rest) = std::mem::take(&mut scratch).split_at_mut(range.start - start);
            let (room, rest) = rest.split_at_mut(range.len());
            scratch = rest;
            start = range.end;
            jobs.push((place, Job { rows: own, scratch: room, column: self.matrix.column(split.feature), split }));
        }
        let many = self.is_worth_sharing(jobs.iter().map(|(_, job)| job.rows.len()).sum());
        let counts: Vec<(usize, usize)> = if many {
            parallel::map(jobs, |(place, job)| (place, partition(job)))
        } else {
            jobs.into_iter().map(|(place, job)| (place, partition(job))).collect()
        };
        let mut lefts = vec![0; parents.len()];
        for (place, count) in counts {
            lefts[place] = count;
        }
        lefts
    }

    /// The children of nodes whose rows are sorted, each with its best split.
    fn children(
        &self,
        parents: Vec<Open>,
        lefts: &[usize],
        tree: &mut BoostedTree,
        workspace: &Workspace,
        columns: &ColumnSampler,
    ) -> Vec<Open> {
        let blocks = self.matrix.blocks.len();
        let mut pairs: Vec<[Open; 2]> = Vec::with_capacity(parents.len());
        let mut work = Vec::with_capacity(parents.len() * blocks);
        for (parent, &left) in parents.into_iter().zip(lefts) {
            let Open { index, depth, rows, node, histograms, split: Some(split) } = parent else { continue };
            let pair = self.pair(index, depth, rows, node, &split, left, tree);
            if pair.iter().any(|child| self.may_split(child)) {
                let place = pairs.len();
                work.extend(histograms.into_iter().enumerate().map(|(block, parent)| (place, block, parent)));
            }
            pairs.push(pair);
        }
        // Block by block, so that the bins of a block stay in the cache for all pairs.
        work.sort_by_key(|(_, block, _)| *block);
        let done = {
            let (pairs, rows) = (&pairs, &workspace.rows);
            let task = |(place, block, parent): (usize, usize, Histogram)| {
                (place, self.block_of_pair(&pairs[place], block, parent, rows, columns))
            };
            let many = self.is_worth_sharing(rows.len().min(count_rows(pairs)));
            if many { parallel::map(work, task) } else { work.into_iter().map(task).collect() }
        };
        for (place, [left, right]) in done {
            for (child, (sums, split)) in pairs[place].iter_mut().zip([left, right]) {
                child.histograms.push(sums);
                child.split = better(child.split.take(), split);
            }
        }
        pairs.into_iter().flatten().collect()
    }

    /// The two children of a node, without their histograms.
    #[expect(clippy::too_many_arguments, reason = "the parts of a node that is taken apart")]
    fn pair(
        &self,
        index: u32,
        depth: usize,
        rows: Range<usize>,
        node: Node,
        split: &Split,
        left: usize,
        tree: &mut BoostedTree,
    ) -> [Open; 2] {
        let middle = rows.start + left;
        let child = tree.left[index as usize];
        let values = [split.left, split.right].map(|sums| weight(sums, self.growth, node.bounds));
        let direction = self.monotone.get(split.feature).copied().unwrap_or(0);
        let bounds = node.bounds.of_children(direction, values[0], values[1]);
        for (offset, value) in values.into_iter().enumerate() {
            tree.weights[child as usize + offset] = value as f32;
        }
        let open = |offset: usize, rows: Range<usize>, total: Sums| Open {
            index: child + offset as u32,
            depth: depth + 1,
            rows,
            node: Node { total, bounds: bounds[offset] },
            histograms: Vec::new(),
            split: None,
        };
        [open(0, rows.start..middle, split.left), open(1, middle..rows.end, split.right)]
    }

    /// Whether a node is not too deep and heavy enough for two children.
    fn may_split(&self, node: &Open) -> bool {
        let deep = self.growth.max_depth > 0 && node.depth >= self.growth.max_depth;
        !deep && node.rows.len() > 1 && node.node.total[0] >= 2.0 * self.growth.min_child_weight
    }

    /// The histograms of two children in one block, and their best splits there.
    fn block_of_pair(
        &self,
        pair: &[Open; 2],
        block: usize,
        parent: Histogram,
        rows: &[u32],
        columns: &ColumnSampler,
    ) -> [(Histogram, Option<Split>); 2] {
        let small = usize::from(pair[1].rows.len() < pair[0].rows.len());
        let list = Rows::List(&rows[pair[small].rows.clone()]);
        let mut own = Histogram::new(&self.matrix.blocks[block], list, self.packed);
        let mut other = parent.less(&own, pair[1 - small].rows.len(), self.packed);
        if small == 1 {
            std::mem::swap(&mut own, &mut other);
        }
        [(&pair[0], own), (&pair[1], other)].map(|(child, sums)| {
            let split = self.may_split(child);
            let split = split.then(|| self.best(block, &sums, child.node, columns, child.depth, child.index));
            (sums, split.flatten())
        })
    }

    fn best(
        &self,
        block: usize,
        histogram: &Histogram,
        node: Node,
        columns: &ColumnSampler,
        depth: usize,
        index: u32,
    ) -> Option<Split> {
        let block: &Block = &self.matrix.blocks[block];
        let allowed = columns.of_node(depth, index);
        best_in_block(self.matrix, block, histogram, self.packed, node, self.growth, self.monotone, |feature| {
            allowed.has(feature)
        })
    }
}

fn count_rows(pairs: &[[Open; 2]]) -> usize {
    pairs.iter().flatten().map(|child| child.rows.len()).sum()
}

/// The results for every number below `count`, on several threads when it is worth it.
fn share<T: Send>(count: usize, many: bool, task: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    if many { parallel::map(0..count, task) } else { (0..count).map(task).collect() }
}

/// The split of the larger gain; of equal ones the first.
fn better(a: Option<Split>, b: Option<Split>) -> Option<Split> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.gain > a.gain { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn first_best(found: Vec<Option<Split>>) -> Option<Split> {
    found.into_iter().fold(None, better)
}

/// Takes out the node of the largest gain; of equal ones the oldest.
fn take_best(open: &mut Vec<Open>) -> Option<Open> {
    let gain = |node: &Open| node.split.as_ref().map_or(f32::NEG_INFINITY, |split| split.gain);
    let best = (0..open.len()).reduce(|best, place| if gain(&open[place]) > gain(&open[best]) { place } else { best });
    best.map(|place| open.remove(place))
}
