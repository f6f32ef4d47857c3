//! Sorting the rows of a node into those of its children.

use super::split::{Rule, Split};
use crate::models::tree::bins::MISSING;

/// The rows of one node, as many places to sort them, and how they part.
pub(super) struct Job<'a> {
    pub(super) rows: &'a mut [u32],
    pub(super) scratch: &'a mut [u32],
    pub(super) column: &'a [u8],
    pub(super) split: &'a Split,
}

/// 1 for each bin that goes to the right.
pub(super) fn table(rule: &Rule, default_left: bool) -> [u8; 256] {
    let mut table = [0; 256];
    match rule {
        Rule::Above(bin) => table[bin + 1..].fill(1),
        Rule::Among(bins) => bins.iter().for_each(|&bin| table[bin] = 1),
    }
    table[usize::from(MISSING)] = u8::from(!default_left);
    table
}

/// Moves the rows of the left child to the front and those of the right behind them, both in their order, and says how
/// many go to the left.
pub(super) fn partition(job: Job<'_>) -> usize {
    let Job { rows, scratch, column, split } = job;
    let table = table(&split.rule, split.default_left);
    let (mut left, mut right) = (0, 0);
    for place in 0..rows.len() {
        // Both are written and one of them counts, as a branch would be guessed wrong half of the time.
        let row = rows[place];
        let goes_right = usize::from(table[usize::from(column[row as usize])]);
        rows[left] = row;
        scratch[right] = row;
        left += 1 - goes_right;
        right += goes_right;
    }
    rows[left..].copy_from_slice(&scratch[..right]);
    left
}
