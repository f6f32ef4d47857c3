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

impl Rows<'_> {
    const fn len(&self) -> usize {
        match self {
            Self::All(count) => *count,
            Self::List(rows) => rows.len(),
        }
    }
}

/// The bins of one feature, that of missing values among them.
pub(super) const BINS: usize = 256;

/// The bins of a block's features, one feature after the other.
#[derive(Debug)]
pub(super) enum Histogram {
    /// Of a node with few enough rows that no half of a word overflows: half the memory of sums, and nothing to unpack
    /// before splits are compared.
    Words(Vec<[u64; BINS]>),
    /// Of any node.
    Sums(Vec<[Sums; BINS]>),
}

impl Histogram {
    /// The histogram of some rows.
    pub(super) fn new(block: &Block, rows: Rows<'_>, packed: &Packed) -> Self {
        match &block.codes {
            Codes::One(codes) => fill(codes, rows, packed),
            Codes::Two(codes) => fill(codes, rows, packed),
            Codes::Four(codes) => fill(codes, rows, packed),
            Codes::Six(codes) => fill(codes, rows, packed),
            Codes::Eight(codes) => fill(codes, rows, packed),
        }
    }

    /// The sums of all rows, by the first feature.
    pub(super) fn total(&self, packed: &Packed) -> Sums {
        match self {
            Self::Words(words) => {
                packed.unpack(words.first().map_or(0, |bins| bins.iter().fold(0, |sum, word| sum.wrapping_add(*word))))
            }
            Self::Sums(sums) => {
                let first = sums.first().map_or(&[][..], |bins| bins);
                first.iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]])
            }
        }
    }

    /// The sums of one bin of a feature.
    pub(super) fn bin(&self, lane: usize, bin: usize, packed: &Packed) -> Sums {
        match self {
            Self::Words(words) => packed.unpack(words[lane][bin]),
            Self::Sums(sums) => sums[lane][bin],
        }
    }

    /// What is left of the histogram without one child's: that of the other child, which has `rows` rows.
    pub(super) fn less(self, child: &Self, rows: usize, packed: &Packed) -> Self {
        let mut sums = match (self, child) {
            (Self::Words(mut words), Self::Words(child)) => {
                let bins = words.as_flattened_mut().iter_mut().zip(child.as_flattened());
                bins.for_each(|(word, child)| *word = word.wrapping_sub(*child));
                return Self::Words(words);
            }
            // A child has no more rows than its parent.
            (Self::Words(words), Self::Sums(_)) => {
                words.iter().map(|bins| bins.map(|word| packed.unpack(word))).collect()
            }
            (Self::Sums(sums), _) => sums,
        };
        let less = |sums: &mut Sums, child: Sums| *sums = [sums[0] - child[0], sums[1] - child[1]];
        let bins = sums.as_flattened_mut().iter_mut();
        match child {
            Self::Words(child) => {
                bins.zip(child.as_flattened()).for_each(|(sums, &word)| less(sums, packed.unpack(word)));
            }
            Self::Sums(child) => bins.zip(child.as_flattened()).for_each(|(sums, &child)| less(sums, child)),
        }
        if rows > packed.most {
            return Self::Sums(sums);
        }
        Self::Words(sums.iter().map(|bins| bins.map(|sums| packed.pack(sums))).collect())
    }
}

/// Adds the rows to tables of words that lie in the fastest cache, which are emptied before they overflow.
fn fill<const W: usize>(codes: &[[u8; W]], rows: Rows<'_>, packed: &Packed) -> Histogram {
    let mut tables = vec![[0_u64; BINS]; W];
    let add = |tables: &mut [[u64; BINS]], rows: Rows<'_>, start: usize| {
        let Some(tables) = tables.first_chunk_mut::<W>() else { return };
        match rows {
            Rows::All(count) => {
                let codes = &codes[start..start + count];
                codes.iter().zip(&packed.words[start..]).for_each(|(codes, word)| add(tables, codes, *word));
            }
            Rows::List(rows) => {
                for &row in rows {
                    add(tables, &codes[row as usize], packed.words[row as usize]);
                }
            }
        }
    };
    if rows.len() <= packed.most {
        add(&mut tables, rows, 0);
        return Histogram::Words(tables);
    }
    let mut sums = vec![[[0.0; 2]; BINS]; W];
    for start in (0..rows.len()).step_by(packed.most) {
        let end = rows.len().min(start + packed.most);
        let part = match rows {
            Rows::All(_) => Rows::All(end - start),
            Rows::List(rows) => Rows::List(&rows[start..end]),
        };
        add(&mut tables, part, start);
        for (sums, word) in sums.as_flattened_mut().iter_mut().zip(tables.as_flattened_mut()) {
            let [h, g] = packed.unpack(std::mem::take(word));
            *sums = [sums[0] + h, sums[1] + g];
        }
    }
    Histogram::Sums(sums)
}

#[inline]
fn add<const W: usize>(tables: &mut [[u64; BINS]; W], codes: &[u8; W], word: u64) {
    for (table, &code) in tables.iter_mut().zip(codes) {
        let slot = &mut table[usize::from(code)];
        *slot = slot.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(rows: usize) -> Block {
        let codes = (0..rows).map(|row| [(row % 5) as u8, (row % 250) as u8]).collect();
        Block { first: 0, bins: vec![5, 250], codes: Codes::Two(codes) }
    }

    fn sums(histogram: &Histogram, packed: &Packed) -> Vec<Sums> {
        match histogram {
            Histogram::Words(words) => words.as_flattened().iter().map(|&word| packed.unpack(word)).collect(),
            Histogram::Sums(sums) => sums.as_flattened().to_vec(),
        }
    }

    #[test]
    fn both_forms_hold_the_same_sums() {
        let rows = 5000;
        let gradients: Vec<_> = (0..rows).map(|row| [(row % 9) as f32 - 4.0, (row % 4) as f32]).collect();
        let mut packed = Packed::default();
        packed.set(&gradients);
        let block = block(rows);
        let whole = Histogram::new(&block, Rows::All(rows), &packed);
        assert!(matches!(whole, Histogram::Words(_)));
        let expected = sums(&whole, &packed);
        assert_eq!(
            expected[3],
            (0..rows).filter(|row| row % 5 == 3).fold([0.0; 2], |sums, row| {
                [sums[0] + f64::from(gradients[row][1]), sums[1] + f64::from(gradients[row][0])]
            })
        );
        let list: Vec<u32> = (0..rows as u32).filter(|row| row % 3 == 0).collect();
        let rest: Vec<u32> = (0..rows as u32).filter(|row| row % 3 != 0).collect();
        let child = Histogram::new(&block, Rows::List(&list), &packed);
        let other = sums(&Histogram::new(&block, Rows::List(&rest), &packed), &packed);
        let total = whole.total(&packed);
        assert_eq!(sums(&whole.less(&child, rest.len(), &packed), &packed), other);
        // As if the words overflowed sooner.
        for most in [100, 2000, 4000] {
            packed.most = most;
            let whole = Histogram::new(&block, Rows::All(rows), &packed);
            assert!(matches!(whole, Histogram::Sums(_)));
            assert_eq!((sums(&whole, &packed), whole.total(&packed)), (expected.clone(), total));
            let child = Histogram::new(&block, Rows::List(&list), &packed);
            let left = whole.less(&child, rest.len(), &packed);
            assert_eq!(matches!(left, Histogram::Words(_)), rest.len() <= most);
            assert_eq!(sums(&left, &packed), other);
        }
    }
}
