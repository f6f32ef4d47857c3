//! The order of a few numbers, by counting for each how many are smaller: more comparisons than sorting takes, but many at a time
//! and none of them guessed.

use std::ops::{Add, AddAssign};

use crate::vectorised::vectorised;

/// The most numbers.
pub(super) const MOST: usize = 64;
/// Numbers that each is compared with at a time.
const TOGETHER: usize = 4;

/// Numbers that are compared; of the short ones, more fit into a vector.
pub(super) trait Number: Copy + PartialOrd + Add<Output = Self> + AddAssign + From<bool> {
    /// Above every number that is compared, or as large.
    const LARGEST: Self;

    /// The number for a rank, in the same order.
    fn of(rank: u32) -> Self;

    /// A count of at most [`MOST`].
    fn byte(self) -> u8;
}

impl Number for i16 {
    const LARGEST: Self = Self::MAX;

    fn of(rank: u32) -> Self {
        (rank as u16 ^ 1 << 15) as Self
    }

    fn byte(self) -> u8 {
        self as u8
    }
}

impl Number for i32 {
    const LARGEST: Self = Self::MAX;

    fn of(rank: u32) -> Self {
        (rank ^ 1 << 31) as Self
    }

    fn byte(self) -> u8 {
        self as u8
    }
}

/// How many of the ranks, at most [`MOST`], are smaller than each; more of them are left out.
pub(super) fn places<T: Number>(ranks: impl ExactSizeIterator<Item = u32>) -> [u8; MOST] {
    let mut numbers = [T::LARGEST; MOST];
    let groups = ranks.len().min(MOST).div_ceil(TOGETHER);
    numbers.iter_mut().zip(ranks).for_each(|(number, rank)| *number = T::of(rank));
    let mut smaller = [T::from(false); MOST];
    vectorised(
        #[inline(always)]
        || {
            for &[first, second, third, fourth] in &numbers.as_chunks::<TOGETHER>().0[..groups] {
                for (smaller, &own) in smaller.iter_mut().zip(&numbers) {
                    let pair = T::from(first < own) + T::from(second < own);
                    *smaller += pair + (T::from(third < own) + T::from(fourth < own));
                }
            }
        },
    );
    smaller.map(T::byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_numbers_are_counted() {
        for count in 0..100_u32 {
            let ranks: Vec<u32> = (0..count).map(|number| number.wrapping_mul(2_654_435_761) % 40_000).collect();
            let found = places::<i16>(ranks.iter().copied());
            assert_eq!(found, places::<i32>(ranks.iter().map(|&rank| rank << 15)));
            let ranks = &ranks[..ranks.len().min(MOST)];
            for (place, own) in found.iter().zip(ranks) {
                assert_eq!(usize::from(*place), ranks.iter().filter(|other| *other < own).count());
            }
        }
    }
}
