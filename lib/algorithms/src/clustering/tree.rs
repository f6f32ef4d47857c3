//! A k-d tree over the rows whose leaves are compared block by block.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::points::Points;

/// With more features than this, distances come from a matrix product and are checked where rounding could decide.
const MOST_DIRECT: usize = 8;

/// The children of a leaf.
const NONE: u32 = u32::MAX;

/// The rows, ordered so that near ones lie together.
pub(super) struct Tree<'a> {
    points: &'a Points<'a>,
    pub(super) features: usize,
    /// The row at each position.
    pub(super) order: Vec<u32>,
    /// The values by position, about the mean where distances come from products: rows × features.
    values: Vec<f64>,
    /// Squared lengths about the mean, for the products.
    norms: Vec<f64>,
    pub(super) nodes: Vec<Node>,
    /// The smallest and the largest value of each feature in each node.
    boxes: Vec<f64>,
    /// The nodes that are leaves, by position.
    pub(super) leaves: Vec<u32>,
}

/// A range of positions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    left: u32,
    right: u32,
}

impl Node {
    /// The positions.
    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The children; `None` for a leaf.
    pub(super) fn children(self) -> Option<[usize; 2]> {
        (self.left != NONE).then_some([self.left as usize, self.right as usize])
    }
}

impl<'a> Tree<'a> {
    pub(super) fn new(points: &'a Points<'a>) -> Self {
        let features = points.features;
        let leaf = if features > MOST_DIRECT { 96 } else { 32 };
        let mut tree = Self {
            points,
            features,
            order: (0..points.rows as u32).collect(),
            values: Vec::with_capacity(points.values().len()),
            norms: Vec::with_capacity(points.rows),
            nodes: Vec::new(),
            boxes: Vec::new(),
            leaves: Vec::new(),
        };
        tree.split(points, leaf);
        let means = if features > MOST_DIRECT { points.means(None) } else { vec![0.0; features] };
        for &row in &tree.order {
            let centred = points.row(row as usize).iter().zip(&means).map(|(value, mean)| value - mean);
            tree.values.extend(centred.clone());
            tree.norms.push(centred.map(|value| value * value).sum());
        }
        tree.bound();
        tree
    }

    /// Cuts nodes at the median of their widest feature; children come after their parent.
    fn split(&mut self, points: &Points<'_>, leaf: usize) {
        self.nodes.push(Node { start: 0, end: points.rows as u32, left: NONE, right: NONE });
        let mut next = 0;
        while next < self.nodes.len() {
            let Node { start, end, .. } = self.nodes[next];
            let count = (end - start) as usize;
            if count > leaf {
                let part = &mut self.order[start as usize..end as usize];
                let feature = widest(points, part);
                let middle = count / 2;
                let value = |row: &u32| points.row(*row as usize)[feature];
                part.select_nth_unstable_by(middle, |a, b| value(a).total_cmp(&value(b)).then(a.cmp(b)));
                let cut = start + middle as u32;
                let left = self.nodes.len() as u32;
                self.nodes.push(Node { start, end: cut, left: NONE, right: NONE });
                self.nodes.push(Node { start: cut, end, left: NONE, right: NONE });
                (self.nodes[next].left, self.nodes[next].right) = (left, left + 1);
            }
            next += 1;
        }
        let leaves = (0..self.nodes.len()).filter(|&node| self.nodes[node].children().is_none());
        let mut leaves = leaves.map(|node| node as u32).collect::<Vec<_>>();
        leaves.sort_by_key(|&node| self.nodes[node as usize].start);
        self.leaves = leaves;
    }

    /// The boxes, from the leaves up.
    fn bound(&mut self) {
        let features = self.features;
        self.boxes = vec![0.0; self.nodes.len() * 2 * features];
        for node in (0..self.nodes.len()).rev() {
            let mut low = vec![f64::INFINITY; features];
            let mut high = vec![f64::NEG_INFINITY; features];
            let mut take = |lower: &[f64], upper: &[f64]| {
                low.iter_mut().zip(lower).for_each(|(low, value)| *low = low.min(*value));
                high.iter_mut().zip(upper).for_each(|(high, value)| *high = high.max(*value));
            };
            match self.nodes[node].children() {
                Some(children) => children.iter().for_each(|&child| take(self.box_of(child).0, self.box_of(child).1)),
                None => self.nodes[node].range().for_each(|position| take(self.raw(position), self.raw(position))),
            }
            let own = &mut self.boxes[node * 2 * features..(node + 1) * 2 * features];
            own[..features].copy_from_slice(&low);
            own[features..].copy_from_slice(&high);
        }
    }

    fn row(&self, position: usize) -> &[f64] {
        &self.values[position * self.features..(position + 1) * self.features]
    }

    /// The row at a position as it was given.
    fn raw(&self, position: usize) -> &[f64] {
        self.points.row(self.order[position] as usize)
    }

    fn box_of(&self, node: usize) -> (&[f64], &[f64]) {
        self.boxes[node * 2 * self.features..(node + 1) * 2 * self.features].split_at(self.features)
    }

    /// The squared distances between the nearest and between the farthest points of two boxes.
    pub(super) fn between(&self, a: usize, b: usize) -> (f64, f64) {
        let ((a_low, a_high), (b_low, b_high)) = (self.box_of(a), self.box_of(b));
        apart(a_low, a_high, b_low, b_high)
    }

    /// The squared distances from a position to the nearest and to the farthest point of a node's box.
    pub(super) fn reach(&self, position: usize, node: usize) -> (f64, f64) {
        let (low, high) = self.box_of(node);
        let row = self.raw(position);
        apart(row, row, low, high)
    }

    /// The squared distances from some positions to all positions of a leaf: `distances[i × leaf + j]`.
    ///
    /// With many features they are rounded by at most [`Tree::slack`].
    pub(super) fn block(&self, positions: &[usize], leaf: Node, block: &mut Block) {
        let width = leaf.range().len();
        block.distances.clear();
        if self.features <= MOST_DIRECT {
            for &position in positions {
                let row = self.row(position);
                let others = self.values[leaf.range().start * self.features..leaf.range().end * self.features]
                    .chunks_exact(self.features);
                match *row {
                    [a, b] => block
                        .distances
                        .extend(others.map(|other| (a - other[0]) * (a - other[0]) + (b - other[1]) * (b - other[1]))),
                    _ => block.distances.extend(others.map(|other| in_order(row, other))),
                }
            }
            return;
        }
        block.gathered.clear();
        for &position in positions {
            block.gathered.extend_from_slice(self.row(position));
        }
        block.distances.resize(positions.len() * width, 0.0);
        let rows = ArrayView2::from_shape((positions.len(), self.features), &block.gathered);
        let others = &self.values[leaf.range().start * self.features..leaf.range().end * self.features];
        let others = ArrayView2::from_shape((width, self.features), others);
        let products = ArrayViewMut2::from_shape((positions.len(), width), &mut block.distances);
        if let (Ok(rows), Ok(others), Ok(mut products)) = (rows, others, products) {
            general_mat_mul(-2.0, &rows, &others.t(), 0.0, &mut products);
        }
        for (line, &position) in block.distances.chunks_exact_mut(width).zip(positions) {
            for (distance, norm) in line.iter_mut().zip(&self.norms[leaf.range()]) {
                *distance = (*distance + norm + self.norms[position]).max(0.0);
            }
        }
    }

    /// By how much a squared distance of [`Tree::block`] between two positions may be off.
    pub(super) fn slack(&self, a: usize, b: usize) -> f64 {
        if self.features <= MOST_DIRECT {
            return 0.0;
        }
        (self.features as f64 + 8.0) * f64::EPSILON * (self.norms[a] + self.norms[b])
    }

    /// The squared distance between two positions as the sum of squared differences.
    pub(super) fn exact(&self, a: usize, b: usize) -> f64 {
        in_order(self.raw(a), self.raw(b))
    }

    /// Whether two positions whose block distance is `distance` are at most `squared` apart.
    #[inline]
    pub(super) fn within(&self, a: usize, b: usize, distance: f64, squared: f64) -> bool {
        if self.features > MOST_DIRECT && (distance - squared).abs() <= self.slack(a, b) {
            return self.exact(a, b) <= squared;
        }
        distance <= squared
    }
}

/// The buffers of [`Tree::block`].
#[derive(Debug, Default)]
pub(super) struct Block {
    gathered: Vec<f64>,
    pub(super) distances: Vec<f64>,
}

/// The squared distance, summed in the order of the features as scikit-learn's trees do: where rows lie on a grid, the
/// last digit decides.
fn in_order(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + (a - b) * (a - b))
}

fn widest(points: &Points<'_>, rows: &[u32]) -> usize {
    let mut low = vec![f64::INFINITY; points.features];
    let mut high = vec![f64::NEG_INFINITY; points.features];
    for &row in rows {
        for ((value, low), high) in points.row(row as usize).iter().zip(&mut low).zip(&mut high) {
            *low = low.min(*value);
            *high = high.max(*value);
        }
    }
    let width = |feature: &usize| high[*feature] - low[*feature];
    (0..points.features).max_by(|a, b| width(a).total_cmp(&width(b)).then(b.cmp(a))).unwrap_or(0)
}

/// The squared distances between the nearest and between the farthest points of two boxes; with many features the nearer
/// one may be too small by 1e-12 of itself, so that it is never larger than the distance of two points as it is computed.
fn apart(a_low: &[f64], a_high: &[f64], b_low: &[f64], b_high: &[f64]) -> (f64, f64) {
    const LANES: usize = 4;
    if a_low.len() <= MOST_DIRECT {
        return apart_in_order(a_low, a_high, b_low, b_high);
    }
    let larger = |a: f64, b: f64| if a > b { a } else { b };
    let (mut nearest, mut farthest) = ([0.0; LANES], [0.0; LANES]);
    let (a_lows, a_low) = a_low.as_chunks::<LANES>();
    let (a_highs, a_high) = a_high.as_chunks::<LANES>();
    let (b_lows, b_low) = b_low.as_chunks::<LANES>();
    let (b_highs, b_high) = b_high.as_chunks::<LANES>();
    for (((a_low, a_high), b_low), b_high) in a_lows.iter().zip(a_highs).zip(b_lows).zip(b_highs) {
        for lane in 0..LANES {
            let gap = larger(larger(b_low[lane] - a_high[lane], a_low[lane] - b_high[lane]), 0.0);
            let span = larger(b_high[lane] - a_low[lane], a_high[lane] - b_low[lane]);
            nearest[lane] += gap * gap;
            farthest[lane] += span * span;
        }
    }
    let rest = apart_in_order(a_low, a_high, b_low, b_high);
    let nearest = nearest.iter().sum::<f64>() + rest.0;
    (nearest * (1.0 - 1e-12), farthest.iter().sum::<f64>() + rest.1)
}

fn apart_in_order(a_low: &[f64], a_high: &[f64], b_low: &[f64], b_high: &[f64]) -> (f64, f64) {
    let (mut nearest, mut farthest) = (0.0, 0.0);
    for (((a_low, a_high), b_low), b_high) in a_low.iter().zip(a_high).zip(b_low).zip(b_high) {
        let gap = (b_low - a_high).max(a_low - b_high).max(0.0);
        let span = (b_high - a_low).max(a_high - b_low);
        nearest += gap * gap;
        farthest += span * span;
    }
    (nearest, farthest)
}
