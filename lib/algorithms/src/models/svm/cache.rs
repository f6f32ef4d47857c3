//! Rows of the kernel matrix in bounded memory: what was used longest ago makes room.

use super::kernel::{Interleaved, Kernel};

const NONE: u32 = u32::MAX;
/// Two rows are needed at the same time.
const FEWEST_ROWS: usize = 2;

/// Computed rows of the kernel matrix, in single precision as libsvm keeps them.
pub(super) struct Cache {
    kernel: Kernel,
    /// The rows in the order of the solver.
    pub(super) data: Interleaved,
    most: usize,
    /// The slot of each row.
    slots: Vec<u32>,
    held: Vec<Held>,
    clock: u64,
    buffer: Vec<f64>,
}

struct Held {
    row: u32,
    used: u64,
    /// The first so many values are computed.
    filled: usize,
    values: Vec<f32>,
}

impl Cache {
    /// A cache of at most `bytes`, and at least of two rows.
    pub(super) fn new(kernel: Kernel, data: Interleaved, bytes: usize) -> Self {
        let count = data.len();
        let most = (bytes / (size_of::<f32>() * count.max(1))).clamp(FEWEST_ROWS, count.max(FEWEST_ROWS));
        let buffer = vec![0.0; data.padded_len()];
        Self { kernel, data, most, slots: vec![NONE; count], held: Vec::new(), clock: 0, buffer }
    }

    /// Makes sure that the first `len` values of a row are there, and gives its place.
    pub(super) fn load(&mut self, row: usize, len: usize) -> usize {
        self.clock += 1;
        if self.slots[row] == NONE {
            let slot = self.free_slot();
            self.held[slot].row = row as u32;
            self.held[slot].filled = 0;
            self.slots[row] = slot as u32;
        }
        let slot = self.slots[row] as usize;
        let held = &mut self.held[slot];
        held.used = self.clock;
        if held.filled < len {
            self.kernel.values(&self.data, &self.data.row(row), held.filled, len, &mut self.buffer);
            let fresh = &self.buffer[held.filled..len];
            held.values[held.filled..len].iter_mut().zip(fresh).for_each(|(value, fresh)| *value = *fresh as f32);
            held.filled = len;
        }
        slot
    }

    /// The values at a place that [`Cache::load`] gave; it holds until the load after the next.
    pub(super) fn values(&self, slot: usize) -> &[f32] {
        &self.held[slot].values
    }

    fn free_slot(&mut self) -> usize {
        if self.held.len() < self.most {
            self.held.push(Held { row: NONE, used: 0, filled: 0, values: vec![0.0; self.data.len()] });
            return self.held.len() - 1;
        }
        let oldest = self.held.iter().enumerate().min_by_key(|(_, held)| held.used).map_or(0, |(slot, _)| slot);
        self.slots[self.held[oldest].row as usize] = NONE;
        oldest
    }

    /// Swaps two rows, and the two values of every row that is held.
    pub(super) fn swap(&mut self, a: usize, b: usize) {
        let (a, b) = (a.min(b), a.max(b));
        if a == b {
            return;
        }
        self.data.swap(a, b);
        self.slots.swap(a, b);
        for held in &mut self.held {
            if held.row as usize == a {
                held.row = b as u32;
            } else if held.row as usize == b {
                held.row = a as u32;
            }
            if held.filled > b {
                held.values.swap(a, b);
            } else {
                // The second value is not there: begin anew at the first.
                held.filled = held.filled.min(a);
            }
        }
    }
}
