//! Which rows are core rows, which of them are neighbours, and whose neighbours the others are.

use super::unity::Unity;
use crate::clustering::ClusteringError;
use crate::clustering::components::Components;
use crate::clustering::tree::{Block, Node, Tree};
use crate::parallel;
use crate::probe::Probe;

/// The neighbourhoods of all rows, looked at leaf by leaf and never kept.
pub(super) struct Search<'a> {
    pub(super) tree: &'a Tree<'a>,
    /// The squared radius.
    pub(super) squared: f64,
    /// The weight of each node.
    pub(super) totals: Vec<f64>,
    /// The weights by position.
    pub(super) weights: Option<&'a [f64]>,
    pub(super) probe: &'a dyn Probe,
}

impl Search<'_> {
    /// Whether the neighbourhood of each position weighs at least `least`. A row is looked at until that is sure.
    pub(super) fn core(&self, least: f64) -> Result<Vec<bool>, ClusteringError> {
        let leaves = parallel::try_map(&self.tree.leaves, |&leaf| {
            self.probe.check()?;
            let node = self.tree.nodes[leaf as usize];
            let mut counts = vec![0.0; node.range().len()];
            let mut open = node.range().collect::<Vec<_>>();
            let mut block = Block::default();
            self.count(leaf as usize, node, &mut open, &mut counts, least, &mut block);
            let mut stack = vec![0_usize];
            while let Some(other) = stack.pop() {
                if open.is_empty() {
                    break;
                }
                let (nearest, _) = self.tree.between(leaf as usize, other);
                if other == leaf as usize || nearest > self.squared {
                    continue;
                }
                match self.tree.nodes[other].children() {
                    Some(children) => push_nearest_last(self.tree, leaf as usize, children, &mut stack),
                    None => self.count(other, node, &mut open, &mut counts, least, &mut block),
                }
            }
            Ok::<_, ClusteringError>(counts.into_iter().map(|count| count >= least).collect::<Vec<_>>())
        });
        Ok(leaves?.concat())
    }

    /// Adds a leaf's neighbours to the counts of the open rows of another, and closes the rows that have enough.
    fn count(&self, other: usize, own: Node, open: &mut Vec<usize>, counts: &mut [f64], least: f64, block: &mut Block) {
        let leaf = self.tree.nodes[other];
        let start = own.range().start;
        let mut near = Vec::with_capacity(open.len());
        for &position in open.iter() {
            let (nearest, farthest) = self.tree.reach(position, other);
            if farthest <= self.squared * (1.0 - 1e-12) {
                counts[position - start] += self.totals[other];
            } else if nearest <= self.squared {
                near.push(position);
            }
        }
        self.tree.block(&near, leaf, block);
        for (line, &position) in block.distances.chunks_exact(leaf.range().len()).zip(&near) {
            let pairs = line.iter().zip(leaf.range());
            let inside = pairs.filter(|(distance, other)| self.tree.within(position, *other, **distance, self.squared));
            counts[position - start] += match self.weights {
                None => inside.count() as f64,
                Some(weights) => inside.map(|(_, other)| weights[other]).sum(),
            };
        }
        open.retain(|&position| counts[position - start] < least);
    }

    /// Joins the core positions that are neighbours.
    pub(super) fn join(&self, core: &[bool]) -> Result<Components, ClusteringError> {
        let components = Components::new(core.len());
        let cores = totals(self.tree, |position| f64::from(u8::from(core[position])));
        let united = Unity::new(self.tree, core, &components);
        parallel::try_map(&self.tree.leaves, |&leaf| {
            self.probe.check()?;
            let leaf = leaf as usize;
            let own = self.tree.nodes[leaf];
            let members = own.range().filter(|&position| core[position]).collect::<Vec<_>>();
            let Some(&first) = members.first() else { return Ok(()) };
            let mut block = Block::default();
            let mut stack = vec![0_usize];
            while let Some(other) = stack.pop() {
                let node = self.tree.nodes[other];
                // Each pair of leaves is looked at once, from the one that comes first.
                if node.end <= own.start || cores[other] == 0.0 {
                    continue;
                }
                let (nearest, farthest) = self.tree.between(leaf, other);
                if nearest > self.squared {
                    continue;
                }
                if node.start >= own.end && united.same(leaf, other) {
                    continue;
                }
                if farthest <= self.squared * (1.0 - 1e-12) {
                    node.range().filter(|&other| core[other]).for_each(|other| components.join(first, other));
                    for &member in &members {
                        components.join(united.first(other), member);
                    }
                    united.join(other);
                    united.join(leaf);
                    continue;
                }
                match node.children() {
                    Some(children) => push_nearest_last(self.tree, leaf, children, &mut stack),
                    None => self.join_leaves(&members, other, core, &united, &mut block),
                }
            }
            Ok::<(), ClusteringError>(())
        })?;
        Ok(components)
    }

    fn join_leaves(&self, members: &[usize], other: usize, core: &[bool], united: &Unity<'_>, block: &mut Block) {
        let leaf = self.tree.nodes[other];
        let whole = united.of(other);
        let near = |position: &usize| {
            whole.is_none_or(|root| united.components.find(*position) != root)
                && self.tree.reach(*position, other).0 <= self.squared
        };
        let near = members.iter().copied().filter(near).collect::<Vec<_>>();
        self.tree.block(&near, leaf, block);
        for (line, &position) in block.distances.chunks_exact(leaf.range().len()).zip(&near) {
            for (distance, other) in line.iter().zip(leaf.range()) {
                if core[other] && self.tree.within(position, other, *distance, self.squared) {
                    united.components.join(position, other);
                    if whole.is_some() {
                        break;
                    }
                }
            }
        }
    }

    /// Gives the positions that are not core the first of their core neighbours' clusters.
    pub(super) fn borders(&self, labels: &mut [u32]) -> Result<(), ClusteringError> {
        let mut lowest = vec![u32::MAX; self.tree.nodes.len()];
        for index in (0..self.tree.nodes.len()).rev() {
            lowest[index] = match self.tree.nodes[index].children() {
                Some([left, right]) => lowest[left].min(lowest[right]),
                None => labels[self.tree.nodes[index].range()].iter().copied().min().unwrap_or(u32::MAX),
            };
        }
        let known = &*labels;
        let leaves = parallel::try_map(&self.tree.leaves, |&leaf| {
            self.probe.check()?;
            let own = self.tree.nodes[leaf as usize].range();
            let mut best = known[own.clone()].to_vec();
            let rest = own.clone().filter(|&position| known[position] == u32::MAX).collect::<Vec<_>>();
            let mut block = Block::default();
            let mut stack = vec![0_usize];
            while let Some(other) = stack.pop() {
                let worst = rest.iter().map(|&position| best[position - own.start]).max().unwrap_or(0);
                if lowest[other] >= worst || self.tree.between(leaf as usize, other).0 > self.squared {
                    continue;
                }
                let node = self.tree.nodes[other];
                if let Some(children) = node.children() {
                    push_nearest_last(self.tree, leaf as usize, children, &mut stack);
                    continue;
                }
                self.tree.block(&rest, node, &mut block);
                for (line, &position) in block.distances.chunks_exact(node.range().len()).zip(&rest) {
                    let best = &mut best[position - own.start];
                    for (distance, other) in line.iter().zip(node.range()) {
                        if known[other] < *best && self.tree.within(position, other, *distance, self.squared) {
                            *best = known[other];
                        }
                    }
                }
            }
            Ok::<_, ClusteringError>(best)
        });
        let best = leaves?.concat();
        labels.copy_from_slice(&best);
        Ok(())
    }
}

/// The sum over the positions of each node.
pub(super) fn totals(tree: &Tree<'_>, value: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut totals = vec![0.0; tree.nodes.len()];
    for index in (0..tree.nodes.len()).rev() {
        totals[index] = match tree.nodes[index].children() {
            Some([left, right]) => totals[left] + totals[right],
            None => tree.nodes[index].range().map(&value).sum(),
        };
    }
    totals
}

/// Pushes two nodes so that the one nearer to `from` is taken first.
fn push_nearest_last(tree: &Tree<'_>, from: usize, [left, right]: [usize; 2], stack: &mut Vec<usize>) {
    let nearer = tree.between(from, left).0 <= tree.between(from, right).0;
    stack.extend(if nearer { [right, left] } else { [left, right] });
}
