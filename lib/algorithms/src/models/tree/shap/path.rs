//! Path-dependent Shapley values in time linear in the leaves.
//!
//! On the way to a leaf of value `v`, let feature `i` keep the share `z` of the training weight, and let `o` be 1 when the
//! row follows the path in it, else 0. The value of the feature is the integral (Owen, 1972)
//!
//! `v · (o_i − z_i) · ∫₀¹ ∏_{j≠i} (z_j + t · (o_j − z_j)) dt`.
//!
//! The integrand is a polynomial in `t`; half as many points of Gauss and Legendre as the path has features integrate it
//! exactly, and at each of them the product is carried down the tree and the sums over the leaves are carried up, so that every
//! edge is met once. All points lie inside (0, 1): no factor vanishes and nothing cancels. Points beyond 32, which paths of more
//! than 64 features would need, are left out; the error stays below 1e-8.

use super::Explanation;
use super::ensemble::{Ensemble, Kind, Link, ShapTree};
use super::quadrature::gauss_legendre;
use crate::parallel;
use crate::probe::{Cancelled, Probe};

/// The rows that go through a tree together.
const ROWS: usize = 8;

/// The edge from a parent to a node: what a row multiplies and adds there, at each point.
struct Edge<const POINTS: usize> {
    /// The factor on the way down, by the row's case.
    down: [[f64; POINTS]; 3],
    /// What the sum over the leaves below is multiplied by for the feature's value, by the row's case.
    up: [[f64; POINTS]; 3],
    parent: u32,
    feature: u32,
    left: bool,
    depth: u32,
    /// The depth of the last edge above of the same feature; 0 when there is none.
    above: u32,
}

/// The row leaves the path here, or has left it before in the same feature.
const LEAVES: usize = 0;
/// The row still follows.
const FOLLOWS: usize = 1;
/// The row left the path in this feature further above.
const LEFT: usize = 2;

/// A tree with its edges, one a node, for a number of points.
struct Prepared<'a, const POINTS: usize> {
    tree: &'a ShapTree,
    edges: Vec<Edge<POINTS>>,
    deepest: usize,
    /// The mean of the leaves by training weight.
    mean: Vec<f64>,
}

pub(super) fn explain(ensemble: &Ensemble, rows: &[f32], probe: &dyn Probe) -> Result<Explanation, Cancelled> {
    let (features, outputs) = (ensemble.num_features, ensemble.base.len());
    let mut explanation = Explanation {
        values: vec![0.0; rows.len() * outputs],
        base_values: ensemble.base.clone(),
        num_features: features,
    };
    // The probabilities of all classes sum to 1, so their values sum to 0: the first class follows from the others.
    let skip = usize::from(ensemble.link == Link::Probability && outputs > 1);
    let total = ensemble.trees.len() as f64;
    for (number, tree) in ensemble.trees.iter().enumerate() {
        probe.check()?;
        let needed = most_features(tree).div_ceil(2);
        let pass = Pass { ensemble, rows, skip };
        match needed {
            0..=2 => pass.add::<2>(tree, &mut explanation),
            3..=4 => pass.add::<4>(tree, &mut explanation),
            5..=6 => pass.add::<6>(tree, &mut explanation),
            7..=8 => pass.add::<8>(tree, &mut explanation),
            9..=12 => pass.add::<12>(tree, &mut explanation),
            13..=16 => pass.add::<16>(tree, &mut explanation),
            _ => pass.add::<32>(tree, &mut explanation),
        }
        probe.progress((number + 1) as f64, total, "explaining the trees");
    }
    if skip > 0 {
        for values in explanation.values.chunks_exact_mut(outputs) {
            values[0] = -values[1..].iter().sum::<f64>();
        }
    }
    Ok(explanation)
}

/// One pass of the rows through a tree.
struct Pass<'a> {
    ensemble: &'a Ensemble,
    rows: &'a [f32],
    skip: usize,
}

impl Pass<'_> {
    fn add<const POINTS: usize>(&self, tree: &ShapTree, explanation: &mut Explanation) {
        let prepared = Prepared::<POINTS>::new(tree);
        let (features, outputs) = (self.ensemble.num_features, self.ensemble.base.len());
        for (base, mean) in explanation.base_values[tree.first_output..].iter_mut().zip(&prepared.mean) {
            *base += self.ensemble.scale * mean;
        }
        let (values, rows) = (16 * ROWS * features * outputs, 16 * ROWS * features);
        let parts = explanation.values.chunks_mut(values).zip(self.rows.chunks(rows));
        parallel::for_each(parts, |(values, rows)| {
            let mut walk = Walk::new(&prepared, self.skip);
            for (values, rows) in values.chunks_mut(ROWS * features * outputs).zip(rows.chunks(ROWS * features)) {
                walk.add(&prepared, rows, values, self.ensemble);
            }
        });
    }
}

/// The largest number of different features on one path.
fn most_features(tree: &ShapTree) -> usize {
    let mut path: Vec<(usize, Option<u32>)> = Vec::new();
    let mut counts = std::collections::HashMap::new();
    let mut most = 0;
    // In depth-first order a node's parent is the last open split that still lacks a child.
    for node in &tree.nodes {
        if let Kind::Split { feature, .. } = node.kind {
            *counts.entry(feature).or_insert(0) += 1;
            path.push((0, Some(feature)));
            most = most.max(counts.len());
        } else {
            path.push((2, None));
        }
        while let Some((2, feature)) = path.last().copied() {
            path.pop();
            if let Some(feature) = feature
                && let Some(count) = counts.get_mut(&feature)
            {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&feature);
                }
            }
            if let Some((children, _)) = path.last_mut() {
                *children += 1;
            }
        }
    }
    most
}

impl<'a, const POINTS: usize> Prepared<'a, POINTS> {
    fn new(tree: &'a ShapTree) -> Self {
        let points = gauss_legendre(POINTS);
        let count = tree.nodes.len();
        let mut edges: Vec<Edge<POINTS>> = Vec::with_capacity(count);
        // The parent of each node, and the share of the training weight that its feature keeps on the path so far.
        let mut parents = vec![(0_u32, false); count];
        let mut shares = vec![1.0; count];
        let mut reach = vec![1.0; count];
        let mut mean = vec![0.0; tree.width];
        let mut deepest = 0;
        let mut path: Vec<usize> = Vec::new();
        for (index, node) in tree.nodes.iter().enumerate() {
            let (parent, left) = parents[index];
            let (feature, depth) = match &tree.nodes[parent as usize].kind {
                Kind::Split { feature, .. } if index > 0 => (*feature, edges[parent as usize].depth as usize + 1),
                _ => (0, 0),
            };
            path.truncate(depth);
            deepest = deepest.max(depth);
            let mut edge = Edge {
                down: [[1.0; POINTS]; 3],
                up: [[0.0; POINTS]; 3],
                parent,
                feature,
                left,
                depth: depth as u32,
                above: 0,
            };
            if depth > 0 {
                let total = tree.nodes[parent as usize].cover;
                let ratio = if total > 0.0 { node.cover / total } else { 0.5 };
                reach[index] = reach[parent as usize] * ratio;
                let above = path[1..].iter().rev().find(|&&other| edges[other].feature == feature).copied();
                edge.above = above.map_or(0, |other| edges[other].depth);
                let before = above.map(|other| shares[other]);
                shares[index] = ratio * before.unwrap_or(1.0);
                for (point, &(t, weight)) in points.iter().enumerate() {
                    edge.set(point, t, weight, ratio, shares[index], before);
                }
            }
            edges.push(edge);
            path.push(index);
            match &node.kind {
                Kind::Split { left, right, .. } => {
                    parents[*left as usize] = (index as u32, true);
                    parents[*right as usize] = (index as u32, false);
                }
                Kind::Leaf(leaf) => {
                    mean.iter_mut().zip(tree.values(*leaf)).for_each(|(mean, value)| *mean += reach[index] * value);
                }
            }
        }
        Self { tree, edges, deepest, mean }
    }
}

impl<const POINTS: usize> Edge<POINTS> {
    /// The factors at point `t`; `share` and `before` are what the feature keeps of the training weight below this edge
    /// and below the last edge above of the same feature.
    fn set(&mut self, point: usize, t: f64, weight: f64, ratio: f64, share: f64, before: Option<f64>) {
        let following = |share: f64| share + t * (1.0 - share);
        let gone = -1.0 / (1.0 - t);
        let stays = |share: f64| (1.0 - share) / following(share);
        let (old, old_up) = before.map_or((1.0, 0.0), |before| (following(before), stays(before)));
        self.down[LEAVES][point] = share * (1.0 - t) / old;
        self.down[FOLLOWS][point] = following(share) / old;
        self.down[LEFT][point] = ratio;
        self.up[LEAVES][point] = weight * (gone - old_up);
        self.up[FOLLOWS][point] = weight * (stays(share) - old_up);
        self.up[LEFT][point] = 0.0;
    }
}

/// What a block of rows carries through a tree.
struct Walk<const POINTS: usize> {
    /// The products on the way down, a block of rows at each depth.
    products: Vec<[f64; POINTS]>,
    /// The sums over the leaves on the way up: at each depth a block of rows for each output.
    sums: Vec<[f64; POINTS]>,
    /// The case of each row at each depth.
    cases: Vec<[u8; ROWS]>,
    path: Vec<usize>,
    skip: usize,
}

impl<const POINTS: usize> Walk<POINTS> {
    fn new(prepared: &Prepared<'_, POINTS>, skip: usize) -> Self {
        let depths = prepared.deepest + 1;
        let outputs = prepared.tree.width - skip;
        Self {
            products: vec![[1.0; POINTS]; depths * ROWS],
            sums: vec![[0.0; POINTS]; depths * ROWS * outputs],
            cases: vec![[FOLLOWS as u8; ROWS]; depths],
            path: Vec::new(),
            skip,
        }
    }

    fn add(&mut self, prepared: &Prepared<'_, POINTS>, rows: &[f32], values: &mut [f64], ensemble: &Ensemble) {
        let features = ensemble.num_features;
        let count = rows.len() / features;
        self.path.clear();
        let outputs = prepared.tree.width - self.skip;
        for (index, edge) in prepared.edges.iter().enumerate() {
            let depth = edge.depth as usize;
            while self.path.len() > depth {
                self.close(prepared, values, ensemble);
            }
            if depth > 0 {
                self.descend(prepared, edge, rows, features, count);
            }
            self.path.push(index);
            let sums = &mut self.sums[depth * ROWS * outputs..(depth + 1) * ROWS * outputs];
            if let Kind::Leaf(leaf) = prepared.tree.nodes[index].kind {
                let products = &self.products[depth * ROWS..depth * ROWS + ROWS];
                let leaf = &prepared.tree.values(leaf)[self.skip..];
                for (sums, value) in sums.chunks_exact_mut(ROWS).zip(leaf) {
                    let value = value * ensemble.scale;
                    for (sum, product) in sums.iter_mut().zip(products) {
                        *sum = product.map(|product| product * value);
                    }
                }
            } else {
                sums.fill([0.0; POINTS]);
            }
        }
        while !self.path.is_empty() {
            self.close(prepared, values, ensemble);
        }
    }

    /// Carries the products over an edge.
    fn descend(
        &mut self,
        prepared: &Prepared<'_, POINTS>,
        edge: &Edge<POINTS>,
        rows: &[f32],
        features: usize,
        count: usize,
    ) {
        let Kind::Split { feature, test, missing_left, .. } = &prepared.tree.nodes[edge.parent as usize].kind else {
            return;
        };
        let depth = edge.depth as usize;
        let before = if edge.above == 0 { [FOLLOWS as u8; ROWS] } else { self.cases[edge.above as usize] };
        let (parents, products) = self.products.split_at_mut(depth * ROWS);
        let parents = &parents[(depth - 1) * ROWS..];
        for row in 0..count {
            let follows = test.left(rows[row * features + *feature as usize], *missing_left) == edge.left;
            let case = if usize::from(before[row]) != FOLLOWS {
                LEFT
            } else if follows {
                FOLLOWS
            } else {
                LEAVES
            };
            self.cases[depth][row] = case as u8;
            let factors = &edge.down[case];
            for ((product, parent), factor) in products[row].iter_mut().zip(&parents[row]).zip(factors) {
                *product = parent * factor;
            }
        }
    }

    /// Leaves the last node of the path: its sums give the value of its feature and go up to its parent.
    fn close(&mut self, prepared: &Prepared<'_, POINTS>, values: &mut [f64], ensemble: &Ensemble) {
        let Some(index) = self.path.pop() else { return };
        let edge = &prepared.edges[index];
        let depth = edge.depth as usize;
        if depth == 0 {
            return;
        }
        let (features, all) = (ensemble.num_features, ensemble.base.len());
        let count = values.len() / (features * all);
        let outputs = prepared.tree.width - self.skip;
        let (above, sums) = self.sums.split_at_mut(depth * ROWS * outputs);
        let above = &mut above[(depth - 1) * ROWS * outputs..];
        let first = prepared.tree.first_output + self.skip;
        for output in 0..outputs {
            for row in 0..count {
                let (sum, above) = (&sums[output * ROWS + row], &mut above[output * ROWS + row]);
                let factors = &edge.up[usize::from(self.cases[depth][row])];
                let mut value = 0.0;
                for ((above, sum), factor) in above.iter_mut().zip(sum).zip(factors) {
                    *above += sum;
                    value += sum * factor;
                }
                values[(row * features + edge.feature as usize) * all + first + output] += value;
            }
        }
    }
}
