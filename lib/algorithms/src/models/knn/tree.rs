//! A k-d tree (Bentley, 1975): halves the rows along the feature that spreads most, again and again.

use super::nearest::{Metric, Nearest, Neighbour};

/// Rows in a leaf.
const LEAF: usize = 24;

/// The rows in the order of the leaves, and the halvings as a heap: the children of node i are 2i + 1 and 2i + 2.
#[derive(Debug)]
pub(super) struct Tree {
    features: usize,
    order: Vec<u32>,
    rows: Vec<f64>,
    /// The feature and the value at which each inner node is halved.
    splits: Vec<(u32, f64)>,
}

impl Tree {
    pub(super) fn new(rows: &[f64], features: usize) -> Self {
        let count = rows.len() / features;
        let mut order: Vec<u32> = (0..count as u32).collect();
        let mut inner = 0;
        let mut size = count;
        while size > LEAF {
            size = size.div_ceil(2);
            inner = 2 * inner + 1;
        }
        let mut splits = vec![(0, 0.0); inner];
        halve(rows, features, &mut order, 0, &mut splits);
        let mut sorted = Vec::with_capacity(rows.len());
        for &row in &order {
            sorted.extend(&rows[row as usize * features..(row as usize + 1) * features]);
        }
        Self { features, order, rows: sorted, splits }
    }

    /// The nearest rows of a query.
    pub(super) fn nearest(&self, query: &[f64], most: usize, metric: Metric) -> Vec<Neighbour> {
        let mut nearest = Nearest::new(most);
        let mut apart = vec![0.0; self.features];
        self.visit(&mut Visit { query, metric, nearest: &mut nearest, apart: &mut apart }, 0, 0..self.order.len(), 0.0);
        nearest.into_found()
    }

    /// Looks into a node whose box is at least `distance` away (Arya and Mount, 1993).
    fn visit(&self, visit: &mut Visit<'_>, node: usize, rows: std::ops::Range<usize>, distance: f64) {
        if node >= self.splits.len() {
            for row in rows {
                let values = &self.rows[row * self.features..(row + 1) * self.features];
                let distance = visit.metric.between(visit.query, values);
                if distance <= visit.nearest.limit() {
                    visit.nearest.offer(Neighbour { distance, row: self.order[row] });
                }
            }
            return;
        }
        let (feature, value) = self.splits[node];
        let middle = rows.start + rows.len() / 2;
        let apart = visit.query[feature as usize] - value;
        let (left, right) = ((2 * node + 1, rows.start..middle), (2 * node + 2, middle..rows.end));
        let (near, far) = if apart < 0.0 { (left, right) } else { (right, left) };
        self.visit(visit, near.0, near.1, distance);
        let before = visit.apart[feature as usize];
        let part = visit.metric.part(apart);
        let beyond = distance - before + part;
        // Rounding must not lose a row that is as near as the last one.
        if beyond.is_nan() || beyond * (1.0 - 1e-9) <= visit.nearest.limit() {
            visit.apart[feature as usize] = part;
            self.visit(visit, far.0, far.1, beyond);
            visit.apart[feature as usize] = before;
        }
    }
}

struct Visit<'a> {
    query: &'a [f64],
    metric: Metric,
    nearest: &'a mut Nearest,
    /// What each feature adds to the distance of the box.
    apart: &'a mut [f64],
}

fn halve(rows: &[f64], features: usize, order: &mut [u32], node: usize, splits: &mut [(u32, f64)]) {
    if node >= splits.len() {
        return;
    }
    let value = |row: u32, feature: usize| rows[row as usize * features + feature];
    let spread = |feature: usize| {
        let ends = order.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &row| {
            (low.min(value(row, feature)), high.max(value(row, feature)))
        });
        ends.1 - ends.0
    };
    let mut widest = (0, f64::NEG_INFINITY);
    for feature in 0..features {
        let spread = spread(feature);
        if spread > widest.1 {
            widest = (feature, spread);
        }
    }
    let feature = widest.0;
    let middle = order.len() / 2;
    order.select_nth_unstable_by(middle, |&a, &b| value(a, feature).total_cmp(&value(b, feature)).then(a.cmp(&b)));
    splits[node] = (feature as u32, value(order[middle], feature));
    let (left, right) = order.split_at_mut(middle);
    halve(rows, features, left, 2 * node + 1, splits);
    halve(rows, features, right, 2 * node + 2, splits);
}
