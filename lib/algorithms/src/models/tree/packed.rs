//! A tree laid out for prediction: children side by side, thresholds in single precision.

use super::bins::round_down;
use super::nodes::{Node, Nodes};

/// How many rows walk down a tree at the same time, so that one waits for memory while another compares.
const LANES: usize = 8;

/// A tree whose every step is one comparison and no branch.
pub(super) struct Packed {
    steps: Vec<Step>,
    /// The leaf of every step that is one.
    leaves: Vec<u32>,
}

/// A node; a leaf leads to itself.
#[derive(Clone, Copy)]
struct Step {
    threshold: f32,
    feature: u32,
    /// Where a row goes that is at most the threshold; the others go one further.
    child: u32,
}

impl Packed {
    /// Lays out a valid tree.
    pub(super) fn new(nodes: &Nodes) -> Self {
        let mut steps = vec![Step { threshold: f32::INFINITY, feature: 0, child: 0 }; nodes.len()];
        let mut leaves = vec![0; nodes.len()];
        let mut places = vec![0_u32; nodes.len()];
        let (mut free, mut leaf) = (1, 0);
        for index in 0..nodes.len() {
            let place = places[index];
            let step = &mut steps[place as usize];
            match nodes.node(index) {
                Node::Split { feature, threshold, left, right } => {
                    // A value in single precision is at most the threshold when it is at most the threshold rounded down.
                    *step = Step { threshold: round_down(threshold), feature: feature as u32, child: free };
                    (places[left], places[right]) = (free, free + 1);
                    free += 2;
                }
                Node::Leaf(_) => {
                    step.child = place;
                    leaves[place as usize] = leaf;
                    leaf += 1;
                }
            }
        }
        Self { steps, leaves }
    }

    /// Calls `reached` with every row's number and the number of its leaf; `rows` holds one row of `features` values after
    /// the other, all finite.
    pub(super) fn walk(&self, rows: &[f32], features: usize, mut reached: impl FnMut(usize, usize)) {
        let together = rows.chunks(features * LANES);
        for (group, rows) in together.enumerate() {
            let count = rows.len() / features;
            let mut at = [0_u32; LANES];
            // The lanes beyond the last row follow it.
            let lanes: [&[f32]; LANES] = std::array::from_fn(|lane| {
                let row = lane.min(count - 1);
                &rows[row * features..(row + 1) * features]
            });
            loop {
                let mut moved = 0;
                for (at, row) in at.iter_mut().zip(lanes) {
                    let step = self.steps[*at as usize];
                    let next = step.child + u32::from(row[step.feature as usize] > step.threshold);
                    moved |= next ^ *at;
                    *at = next;
                }
                if moved == 0 {
                    break;
                }
            }
            for (lane, &at) in at[..count].iter().enumerate() {
                reached(group * LANES + lane, self.leaves[at as usize] as usize);
            }
        }
    }
}
