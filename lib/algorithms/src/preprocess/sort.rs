//! Numbers in ascending order, digit by digit where there are many: several times faster than by comparing them.

/// From here on digits are faster.
const MANY: usize = 4096;
/// How many bits a digit has, and so how many there are.
const BITS: u32 = 11;
const DIGITS: usize = 6;

/// Sorts as [`f64::total_cmp`] orders.
pub(super) fn sort(values: &mut [f64]) {
    if values.len() < MANY {
        return values.sort_unstable_by(f64::total_cmp);
    }
    let mut keys = values.iter().map(|&value| key(value)).collect::<Vec<_>>();
    let mut counts = vec![[0_usize; 1 << BITS]; DIGITS];
    for &key in &keys {
        counts.iter_mut().enumerate().for_each(|(digit, counts)| counts[digit_of(key, digit)] += 1);
    }
    let mut other = vec![0; keys.len()];
    for (digit, counts) in counts.iter_mut().enumerate() {
        // A digit that all share changes no order.
        if counts.contains(&keys.len()) {
            continue;
        }
        let mut place = 0;
        for count in counts.iter_mut() {
            (*count, place) = (place, place + *count);
        }
        for &key in &keys {
            let place = &mut counts[digit_of(key, digit)];
            other[*place] = key;
            *place += 1;
        }
        std::mem::swap(&mut keys, &mut other);
    }
    values.iter_mut().zip(keys).for_each(|(value, key)| *value = number(key));
}

/// Whole numbers in the order of the numbers: the sign bit is turned for those from 0 on, and all bits for the others.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    bits ^ if bits >> 63 == 0 { 1 << 63 } else { u64::MAX }
}

fn number(key: u64) -> f64 {
    f64::from_bits(key ^ if key >> 63 == 1 { 1 << 63 } else { u64::MAX })
}

fn digit_of(key: u64, digit: usize) -> usize {
    (key >> (digit as u32 * BITS)) as usize & ((1 << BITS) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn the_order_is_that_of_comparing(some in prop::collection::vec(any::<f64>(), 1..50), copies in 1..2_000_usize) {
            let mut values = some.iter().cycle().take(some.len() * copies).copied().collect::<Vec<_>>();
            let mut expected = values.clone();
            expected.sort_by(f64::total_cmp);
            sort(&mut values);
            prop_assert!(values.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }

    #[test]
    fn many_different_numbers_are_sorted() {
        let mut values = (0..20_000_u64).map(|i| f64::from_bits(crate::seed::derive(7, i))).collect::<Vec<_>>();
        values.extend([0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE]);
        sort(&mut values);
        assert!(values.is_sorted_by(|a, b| a.total_cmp(b).is_le()));
        let mut same = vec![1.5; 5000];
        sort(&mut same);
        assert!(same.iter().all(|&value| value == 1.5));
    }
}
