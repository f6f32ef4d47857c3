//! A tree laid out for prediction: children side by side, thresholds in single precision, eight bytes a node.

use ndarray::ArrayView2;

use super::bins::round_down;
use super::columns::single;
use super::nodes::{Node, Nodes};

/// How many rows walk down a tree at the same time, so that one waits for memory while another compares.
const LANES: usize = 16;

/// A tree whose every step is one comparison and no branch.
pub(super) struct Packed {
    steps: Vec<Step>,
    /// The leaf of every step that is one.
    leaves: Vec<u32>,
    /// The low bits of [`Step::place`] that hold the child.
    bits: u32,
}

/// A node; a leaf leads to itself.
#[derive(Clone, Copy)]
struct Step {
    threshold: f32,
    /// Where a row goes that is at most the threshold, the others go one further; and above it the feature.
    place: u32,
}

/// Rows in single precision: as many as walk together, the values of a feature side by side.
pub(super) struct Rows {
    values: Vec<[f32; LANES]>,
    features: usize,
    count: usize,
}

impl Rows {
    /// `count` rows of `x` (rows × features) from `first` on, all finite.
    pub(super) fn new(x: ArrayView2<'_, f64>, first: usize, count: usize) -> Self {
        let features = x.ncols();
        let mut values = vec![[0.0; LANES]; count.div_ceil(LANES) * features];
        for row in 0..count {
            let group = &mut values[row / LANES * features..][..features];
            for (place, &value) in group.iter_mut().zip(x.row(first + row)) {
                place[row % LANES] = single(value);
            }
        }
        Self { values, features, count }
    }
}

impl Packed {
    /// Lays out a valid tree; `None` for one with too many nodes and features.
    pub(super) fn new(nodes: &Nodes, features: usize) -> Option<Self> {
        let bits = (features as u32).leading_zeros();
        if bits == 0 || nodes.len() >> bits > 0 {
            return None;
        }
        let mut steps = vec![Step { threshold: f32::INFINITY, place: 0 }; nodes.len()];
        let mut leaves = vec![0; nodes.len()];
        let mut places = vec![0_u32; nodes.len()];
        let (mut free, mut leaf) = (1, 0);
        for index in 0..nodes.len() {
            let place = places[index];
            let step = &mut steps[place as usize];
            match nodes.node(index) {
                Node::Split { feature, threshold, left, right } => {
                    // A value in single precision is at most the threshold when it is at most the threshold rounded down.
                    *step = Step { threshold: round_down(threshold), place: (feature as u32) << bits | free };
                    (places[left], places[right]) = (free, free + 1);
                    free += 2;
                }
                Node::Leaf(_) => {
                    step.place = place;
                    leaves[place as usize] = leaf;
                    leaf += 1;
                }
            }
        }
        Some(Self { steps, leaves, bits })
    }

    /// Calls `reached` with every row's number and the number of its leaf.
    pub(super) fn walk(&self, rows: &Rows, mut reached: impl FnMut(usize, usize)) {
        let low = (1 << self.bits) - 1;
        for (group, columns) in rows.values.chunks_exact(rows.features).enumerate() {
            let mut at = [0_u32; LANES];
            loop {
                let mut moved = 0;
                for (lane, at) in at.iter_mut().enumerate() {
                    let Step { threshold, place } = self.steps[*at as usize];
                    let value = columns[(place >> self.bits) as usize][lane];
                    let next = (place & low) + u32::from(value > threshold);
                    moved |= next ^ *at;
                    *at = next;
                }
                if moved == 0 {
                    break;
                }
            }
            let first = group * LANES;
            for (row, &at) in (first..rows.count).zip(&at) {
                reached(row, self.leaves[at as usize] as usize);
            }
        }
    }
}
