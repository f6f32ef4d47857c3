//! Sorting the few keys of a small node by counting for each how many come before it: more comparisons than other ways take,
//! but many at a time and none of them guessed.

use crate::vectorised::vectorised;

/// The most keys.
pub(super) const MOST: usize = 64;
/// Keys that are compared at a time.
const LANES: usize = 8;

/// Sorts at most [`MOST`] different keys; more of them are sorted another way.
pub(super) fn sort(keys: &mut [u32]) {
    let count = keys.len();
    if count < 2 {
        return;
    }
    let mut given = [[u32::MAX; LANES]; MOST / LANES];
    let Some(room) = given.as_flattened_mut().get_mut(..count) else { return keys.sort_unstable() };
    room.copy_from_slice(keys);
    let mut places = [[0_u32; LANES]; MOST / LANES];
    vectorised(
        #[inline(always)]
        || {
            for (places, own) in places.iter_mut().zip(&given).take(count.div_ceil(LANES)) {
                for &other in &*keys {
                    for (place, &own) in places.iter_mut().zip(own) {
                        *place += u32::from(other < own);
                    }
                }
            }
        },
    );
    for (&place, &key) in places.as_flattened().iter().zip(given.as_flattened()).take(count) {
        keys[place as usize] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted() {
        for count in 0..100_u32 {
            let mut keys: Vec<u32> = (0..count).map(|key| key.wrapping_mul(2_654_435_761)).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort(&mut keys);
            assert_eq!(keys, expected);
        }
    }
}
