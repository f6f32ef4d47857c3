//! The sums of derivatives in every bin, for the rows of a node and a block of features.

use super::gradients::{Packed, Sums};
use super::matrix::{Block, Codes};

/// The rows of a node.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rows<'a> {
    /// All rows up to a count.
    All(usize),
    /// These rows.
    List(&'a [u32]),
}

/// The histogram of a block: the bins of its features one after the other, each with a last one for missing values.
pub(super) fn histogram(block: &Block, rows: Rows<'_>, packed: &Packed) -> Vec<Sums> {
    let mut sums = vec![[0.0; 2]; block.width()];
    match &block.codes {
        Codes::One(codes) => fill(block, codes, rows, packed, &mut sums),
        Codes::Two(codes) => fill(block, codes, rows, packed, &mut sums),
        Codes::Four(codes) => fill(block, codes, rows, packed, &mut sums),
        Codes::Six(codes) => fill(block, codes, rows, packed, &mut sums),
        Codes::Eight(codes) => fill(block, codes, rows, packed, &mut sums),
    }
    sums
}

/// What is left of the parent's histogram without one child's: the other child's.
pub(super) fn subtract(parent: &mut [Sums], child: &[Sums]) {
    for (parent, child) in parent.iter_mut().zip(child) {
        parent[0] -= child[0];
        parent[1] -= child[1];
    }
}

/// Adds the rows to tables of words that lie in the fastest cache, which are emptied into `sums` before they overflow.
fn fill<const W: usize>(block: &Block, codes: &[[u8; W]], rows: Rows<'_>, packed: &Packed, sums: &mut [Sums]) {
    let mut tables = [[0_u64; 256]; W];
    match rows {
        Rows::All(count) => {
            let parts = codes[..count].chunks(packed.most).zip(packed.words[..count].chunks(packed.most));
            for (codes, words) in parts {
                for (codes, word) in codes.iter().zip(words) {
                    add(&mut tables, codes, *word);
                }
                empty(block, &mut tables, packed, sums);
            }
        }
        Rows::List(rows) => {
            for rows in rows.chunks(packed.most) {
                for &row in rows {
                    add(&mut tables, &codes[row as usize], packed.words[row as usize]);
                }
                empty(block, &mut tables, packed, sums);
            }
        }
    }
}

#[inline]
fn add<const W: usize>(tables: &mut [[u64; 256]; W], codes: &[u8; W], word: u64) {
    for lane in 0..W {
        let slot = &mut tables[lane][usize::from(codes[lane])];
        *slot = slot.wrapping_add(word);
    }
}

fn empty<const W: usize>(block: &Block, tables: &mut [[u64; 256]; W], packed: &Packed, sums: &mut [Sums]) {
    for (table, range) in tables.iter_mut().zip(&block.ranges) {
        for (word, sums) in table.iter_mut().zip(&mut sums[range.clone()]) {
            let [h, g] = packed.unpack(*word);
            sums[0] += h;
            sums[1] += g;
            *word = 0;
        }
    }
}
