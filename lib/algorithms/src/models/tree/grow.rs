//! Grows one tree.

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::columns::{Columns, from_key};
use super::criterion::Criterion;
use super::nodes::Nodes;
use super::statistics::Statistics;
use crate::models::hyperparameters::TreeParameters;
use crate::probe::{Cancelled, Probe};

/// Values closer than this are not told apart.
const SAME: f32 = 1e-7;

/// When a node is not split any further, in numbers of rows and features.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limits {
    pub(super) max_depth: usize,
    pub(super) min_samples_split: usize,
    pub(super) min_samples_leaf: usize,
    pub(super) min_weight_leaf: f64,
    pub(super) min_impurity_decrease: f64,
    pub(super) max_features: usize,
}

/// A tree and the share of each feature in the decrease of its impurity.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) nodes: Nodes,
    /// Sums to 1; all 0 when there is no split.
    pub(crate) importance: Vec<f64>,
}

impl Limits {
    /// The limits for `rows` rows and `features` features of the given total weight.
    pub(crate) fn new(parameters: &TreeParameters, rows: usize, features: usize, total_weight: f64) -> Self {
        let min_samples_leaf = parameters.min_samples_leaf.of(rows).max(1);
        let min_samples_split = parameters.min_samples_split.of(rows).max(2).max(2 * min_samples_leaf);
        Self {
            max_depth: parameters.max_depth.unwrap_or(usize::MAX),
            min_samples_split,
            min_samples_leaf,
            min_weight_leaf: parameters.min_weight_fraction_leaf * total_weight,
            min_impurity_decrease: parameters.min_impurity_decrease,
            max_features: parameters.max_features.of(features),
        }
    }

    /// Whether both parts of a node have the weight that a child needs.
    pub(super) fn enough_weight<S: Statistics>(&self, statistics: &S, part: &[f64], all: &[f64]) -> bool {
        if self.min_weight_leaf <= 0.0 {
            return true;
        }
        let weight = statistics.weight(part);
        weight.min(statistics.weight(all) - weight) >= self.min_weight_leaf
    }

    /// Whether a split looks at every feature.
    pub(crate) fn all_features(&self, features: usize) -> bool {
        self.max_features >= features
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

/// The best split found so far.
struct Best {
    feature: usize,
    /// The keys on both sides of the threshold.
    keys: (u32, u32),
    gain: f64,
}

struct Grower<'a, C> {
    columns: &'a Columns,
    limits: &'a Limits,
    criterion: C,
    random: Option<&'a mut Xoshiro256PlusPlus>,
    features: Vec<usize>,
    sorted: Vec<u64>,
    left: Vec<u32>,
    right: Vec<u32>,
}

/// Grows a tree on the rows that have a weight above 0.
///
/// With `random`, the features are looked at in an order drawn for each node.
pub(crate) fn grow<C: Criterion>(
    columns: &Columns,
    criterion: C,
    weights: &[f64],
    limits: &Limits,
    random: Option<&mut Xoshiro256PlusPlus>,
    probe: &dyn Probe,
) -> Result<Grown, Cancelled> {
    let mut rows: Vec<u32> = (0..columns.num_rows() as u32).filter(|&row| weights[row as usize] > 0.0).collect();
    let total: f64 = rows.iter().map(|&row| weights[row as usize]).sum();
    let count = columns.num_features();
    let mut importance = vec![0.0; count];
    let mut nodes = Nodes::new(criterion.width());
    let features = (0..count).collect();
    let (sorted, left, right) = (Vec::new(), Vec::new(), Vec::new());
    let mut grower = Grower { columns, limits, criterion, random, features, sorted, left, right };
    let mut waiting = vec![Waiting { start: 0, end: rows.len(), depth: 0, right_of: None }];
    while let Some(Waiting { start, end, depth, right_of }) = waiting.pop() {
        probe.check()?;
        if let Some(parent) = right_of {
            nodes.join(parent);
        }
        let rows = &mut rows[start..end];
        grower.criterion.enter(rows, weights);
        let weight = grower.criterion.weight();
        let Some(split) = grower.split(rows, depth, total) else {
            nodes.push_leaf(weight, |leaves| grower.criterion.leaf(leaves));
            continue;
        };
        importance[split.feature] += split.decrease;
        let node = nodes.len();
        nodes.push_split(split.feature, split.threshold, weight);
        let middle = start + split.left;
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

/// A split that was made.
struct Split {
    feature: usize,
    threshold: f64,
    /// How many of the rows, now in front, go to the left.
    left: usize,
    /// The decrease of the impurity times the weight of the node.
    decrease: f64,
}

impl<C: Criterion> Grower<'_, C> {
    /// Splits the node that the criterion has taken up, and orders its rows; `None` makes it a leaf.
    fn split(&mut self, rows: &mut [u32], depth: usize, total: f64) -> Option<Split> {
        let limits = self.limits;
        let (weight, impurity) = (self.criterion.weight(), self.criterion.impurity());
        let small = rows.len() < limits.min_samples_split || weight < 2.0 * limits.min_weight_leaf;
        if depth >= limits.max_depth || small || impurity <= f64::EPSILON {
            return None;
        }
        let best = self.best(rows)?;
        self.divide(rows, &best);
        let children = self.criterion.split(&self.left);
        let (left, right) = (children.left_weight / weight, children.right_weight / weight);
        let decrease = impurity - right * children.right_impurity - left * children.left_impurity;
        if weight / total * decrease + f64::EPSILON < limits.min_impurity_decrease {
            return None;
        }
        let left = self.left.len();
        for (place, &position) in self.sorted.iter_mut().zip(self.left.iter().chain(&self.right)) {
            *place = u64::from(rows[position as usize]);
        }
        rows.iter_mut().zip(&self.sorted).for_each(|(row, &place)| *row = place as u32);
        let (low, high) = (f64::from(from_key(best.keys.0)), f64::from(from_key(best.keys.1)));
        Some(Split { feature: best.feature, threshold: low / 2.0 + high / 2.0, left, decrease: weight * decrease })
    }

    /// The best split over the features that this node looks at.
    fn best(&mut self, rows: &[u32]) -> Option<Best> {
        let count = self.features.len();
        let mut best: Option<Best> = None;
        let mut any = false;
        for visited in 0..count {
            // Constant features count as looked at, but one that can be split must be among them.
            if visited >= self.limits.max_features && any {
                break;
            }
            if let Some(random) = self.random.as_deref_mut() {
                let drawn = random.random_range(visited as u32..count as u32);
                self.features.swap(visited, drawn as usize);
            }
            let feature = self.features[visited];
            if !self.sort(rows, feature) {
                continue;
            }
            any = true;
            let gain = best.as_ref().map_or(f64::NEG_INFINITY, |best| best.gain);
            if let Some((keys, gain)) = self.cut(gain) {
                best = Some(Best { feature, keys, gain });
            }
        }
        best
    }

    /// Sorts the rows by the feature: the key above, the row's position below. `false` when the feature is constant.
    fn sort(&mut self, rows: &[u32], feature: usize) -> bool {
        let column = self.columns.column(feature);
        let (mut low, mut high) = (u32::MAX, 0);
        self.sorted.clear();
        self.sorted.extend(rows.iter().enumerate().map(|(position, &row)| {
            let key = column[row as usize];
            (low, high) = (low.min(key), high.max(key));
            u64::from(key) << 32 | position as u64
        }));
        if same(low, high) {
            return false;
        }
        self.sorted.sort_unstable();
        true
    }

    /// The keys around the best cut of the sorted feature and its gain, when the gain is above `least`.
    fn cut(&mut self, mut least: f64) -> Option<((u32, u32), f64)> {
        let Self { sorted, criterion, limits, .. } = self;
        let fewest = limits.min_samples_leaf;
        let weight = criterion.weight();
        let mut best = None;
        criterion.restart();
        for (index, pair) in sorted.windows(2).enumerate() {
            criterion.move_left(pair[0] as u32 as usize);
            let keys = ((pair[0] >> 32) as u32, (pair[1] >> 32) as u32);
            let left = index + 1;
            if keys.0 == keys.1 || left < fewest || same(keys.0, keys.1) {
                continue;
            }
            if sorted.len() - left < fewest {
                break;
            }
            let left_weight = criterion.left_weight();
            if left_weight < limits.min_weight_leaf || weight - left_weight < limits.min_weight_leaf {
                continue;
            }
            let gain = criterion.gain();
            if gain > least {
                least = gain;
                best = Some((keys, gain));
            }
        }
        best
    }

    /// Lists the positions of the rows on either side of the split, in their order.
    fn divide(&mut self, rows: &[u32], best: &Best) {
        let column = self.columns.column(best.feature);
        self.left.clear();
        self.right.clear();
        for (position, &row) in rows.iter().enumerate() {
            let side = if column[row as usize] <= best.keys.0 { &mut self.left } else { &mut self.right };
            side.push(position as u32);
        }
    }
}

/// Whether the number of the higher key is not told apart from that of the lower one.
fn same(low: u32, high: u32) -> bool {
    from_key(high) <= from_key(low) + SAME
}
