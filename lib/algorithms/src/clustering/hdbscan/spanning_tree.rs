//! The minimum spanning tree of the rows by mutual reachability distance.

use super::super::points::{CHUNK, Points};
use super::super::tree::{Block, Tree};
use crate::parallel;
use crate::probe::{Cancelled, Probe};

/// Below this many rows left, one thread is faster than several.
const PARALLEL: usize = 32 * CHUNK;

/// An edge of the spanning tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) distance: f64,
}

/// The squared distance of each row to its `neighbours`-th nearest row, itself counted as the first.
pub(super) fn core_distances(points: &Points<'_>, neighbours: usize, probe: &dyn Probe) -> Result<Vec<f64>, Cancelled> {
    let tree = Tree::new(points);
    let leaves = parallel::try_map(&tree.leaves, |&leaf| {
        probe.check()?;
        let own = tree.nodes[leaf as usize].range();
        let positions = own.clone().collect::<Vec<_>>();
        // The nearest so far, ascending; the last is the bound.
        let mut nearest = vec![vec![f64::INFINITY; neighbours]; positions.len()];
        let mut block = Block::default();
        let mut stack = vec![0_usize];
        while let Some(other) = stack.pop() {
            let node = tree.nodes[other];
            let bound = |position: usize| nearest[position - own.start][neighbours - 1];
            let widest = positions.iter().map(|&position| bound(position)).fold(0.0, f64::max);
            if tree.between(leaf as usize, other).0 > widest {
                continue;
            }
            if let Some([left, right]) = node.children() {
                let closer = tree.between(leaf as usize, left).0 <= tree.between(leaf as usize, right).0;
                stack.extend(if closer { [right, left] } else { [left, right] });
                continue;
            }
            let near = positions.iter().copied().filter(|&position| tree.reach(position, other).0 <= bound(position));
            let near = near.collect::<Vec<_>>();
            tree.block(&near, node, &mut block);
            for (line, &position) in block.distances.chunks_exact(node.range().len()).zip(&near) {
                let nearest = &mut nearest[position - own.start];
                for (&rounded, other) in line.iter().zip(node.range()) {
                    if rounded <= nearest[neighbours - 1] + tree.slack(position, other) {
                        insert(nearest, tree.exact(position, other));
                    }
                }
            }
        }
        let nearest = nearest.into_iter().map(|nearest| nearest[neighbours - 1]);
        Ok::<_, Cancelled>(nearest.collect::<Vec<_>>())
    });
    let by_position = leaves?.concat();
    let mut by_row = vec![0.0; points.rows];
    tree.order.iter().zip(by_position).for_each(|(&row, distance)| by_row[row as usize] = distance);
    Ok(by_row)
}

fn insert(nearest: &mut [f64], distance: f64) {
    let last = nearest.len() - 1;
    if distance < nearest[last] {
        let place = nearest.partition_point(|other| *other <= distance);
        nearest[place..].rotate_right(1);
        nearest[place] = distance;
    }
}

/// The rows that are not yet in the tree, ascending, feature by feature.
struct Outside {
    rows: Vec<u32>,
    /// Features × the number of rows there were at the last compaction.
    columns: Vec<f64>,
    width: usize,
    /// The squared core distances; infinite for rows that are in the tree by now, so that nothing reaches them.
    core: Vec<f64>,
    /// The squared distances to the tree; infinite for rows that are in it.
    reach: Vec<f64>,
    source: Vec<u32>,
    left: usize,
}

/// Prim's algorithm (1957) from row 0, with quadratic time and linear memory. Of equally near rows the first is taken,
/// so that the tree is scikit-learn's.
///
/// The distance between two rows is the largest of their core distances (given squared) and their Euclidean distance
/// over `alpha`.
pub(super) fn prim(points: &Points<'_>, core: &[f64], alpha: f64, probe: &dyn Probe) -> Result<Vec<Edge>, Cancelled> {
    let mut outside = Outside::new(points, core);
    let mut edges = Vec::with_capacity(points.rows.saturating_sub(1));
    let mut current = 0_usize;
    while edges.len() + 1 < points.rows {
        if edges.len() % 1024 == 0 {
            probe.check()?;
            let (done, all) = (edges.len() as f64, points.rows as f64);
            probe.progress(done * (2.0 * all - done), all * all, "spanning tree");
        }
        outside.remove(current);
        let Some((slot, distance)) =
            outside.nearest(points.row(current), core[current], current as u32, 1.0 / (alpha * alpha))
        else {
            break;
        };
        current = outside.rows[slot] as usize;
        edges.push(Edge { from: outside.source[slot], to: current as u32, distance: distance.sqrt() });
    }
    Ok(edges)
}

impl Outside {
    fn new(points: &Points<'_>, core: &[f64]) -> Self {
        let mut columns = vec![0.0; points.values().len()];
        for row in 0..points.rows {
            for (feature, value) in points.row(row).iter().enumerate() {
                columns[feature * points.rows + row] = *value;
            }
        }
        Self {
            rows: (0..points.rows as u32).collect(),
            columns,
            width: points.rows,
            core: core.to_vec(),
            reach: vec![f64::INFINITY; points.rows],
            source: vec![0; points.rows],
            left: points.rows,
        }
    }

    /// Takes a row away; when a quarter is gone, the rest moves together.
    fn remove(&mut self, row: usize) {
        let Ok(slot) = self.rows.binary_search(&(row as u32)) else { return };
        (self.core[slot], self.reach[slot]) = (f64::INFINITY, f64::INFINITY);
        self.left -= 1;
        if self.left * 4 < self.width * 3 {
            let kept = (0..self.width).filter(|&slot| self.core[slot] < f64::INFINITY).collect::<Vec<_>>();
            let columns = self.columns.chunks_exact(self.width);
            self.columns = parallel::flat_map(columns, |column| kept.iter().map(|&slot| column[slot]).collect());
            self.rows = kept.iter().map(|&slot| self.rows[slot]).collect();
            self.core = kept.iter().map(|&slot| self.core[slot]).collect();
            self.reach = kept.iter().map(|&slot| self.reach[slot]).collect();
            self.source = kept.iter().map(|&slot| self.source[slot]).collect();
            self.width = kept.len();
        }
    }

    /// Brings the distances up to date with a new row of the tree; gives the nearest slot and its squared distance.
    fn nearest(&mut self, row: &[f64], core: f64, current: u32, factor: f64) -> Option<(usize, f64)> {
        let (columns, width, cores) = (&self.columns, self.width, &self.core);
        let scan = |start: usize, reach: &mut [f64], source: &mut [u32]| {
            let mut distances = [0.0; CHUNK];
            let distances = &mut distances[..reach.len()];
            for (feature, value) in row.iter().enumerate() {
                let column = &columns[feature * width + start..feature * width + start + reach.len()];
                for (distance, other) in distances.iter_mut().zip(column) {
                    *distance += (value - other) * (value - other);
                }
            }
            let mut least = f64::INFINITY;
            let own = cores[start..].iter().zip(distances.iter());
            for (((own, squared), reach), source) in own.zip(reach.iter_mut()).zip(source) {
                let bound = if core > *own { core } else { *own };
                let squared = squared * factor;
                let mutual = if squared > bound { squared } else { bound };
                *source = if mutual < *reach { current } else { *source };
                *reach = if mutual < *reach { mutual } else { *reach };
                least = if *reach < least { *reach } else { least };
            }
            reach.iter().position(|reach| *reach == least).map(|slot| (start + slot, least))
        };
        let nearer = |a: Option<(usize, f64)>, b: Option<(usize, f64)>| match (a, b) {
            (Some(a), Some(b)) => Some(if b.1 < a.1 { b } else { a }),
            (a, b) => a.or(b),
        };
        let found = if self.width < PARALLEL {
            let chunks = self.reach.chunks_mut(CHUNK).zip(self.source.chunks_mut(CHUNK)).enumerate();
            chunks.map(|(chunk, (reach, source))| scan(chunk * CHUNK, reach, source)).fold(None, nearer)
        } else {
            const TOGETHER: usize = 16 * CHUNK;
            let parts = self.reach.chunks_mut(TOGETHER).zip(self.source.chunks_mut(TOGETHER)).enumerate();
            let parts = parallel::map(parts, |(part, (reach, source))| {
                let chunks = reach.chunks_mut(CHUNK).zip(source.chunks_mut(CHUNK)).enumerate();
                let found = chunks.map(|(chunk, (reach, source))| scan(part * TOGETHER + chunk * CHUNK, reach, source));
                found.fold(None, nearer)
            });
            parts.into_iter().fold(None, nearer)
        };
        found.filter(|(_, distance)| distance.is_finite())
    }
}
