//! Decimal digits and a power of ten as the nearest `f64`, by one multiplication of 128 bits.

/// A number of so many digits has its own `f64`, being at most 2^53.
const EXACT_DIGITS: usize = 15;
/// The powers of ten that are exact as `f64`.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// The smallest power of ten whose inverse is kept is 10 to the minus this.
const SMALLEST: usize = 40;
/// For each power of five from the first on, the first 128 bits of its inverse, rounded down.
const INVERSES: [u128; SMALLEST] = inverses();

/// `digits` × 10^`scale` as the nearest `f64`, ties to even; `None` where this way of computing cannot tell. The digits are
/// `count` at most.
#[inline]
pub(super) fn nearest(digits: u64, count: usize, scale: i32) -> Option<f64> {
    let power = scale.unsigned_abs() as usize;
    // By their count and not by their value: numbers with all their digits would go either way.
    if count <= EXACT_DIGITS
        && let Some(exact) = POWERS.get(power)
    {
        // Both are exact, so that the one operation rounds once.
        return Some(if scale < 0 { digits as f64 / exact } else { digits as f64 * exact });
    }
    if scale >= 0 || digits == 0 {
        return None;
    }
    // With `wide` = digits × 2^lead and the inverse I of 5^power, cut to 128 bits, the true quotient lies in
    // [wide × I, wide × I + wide). `product` is that without its last 64 bits, so the truth is less than 2 above it, and
    // less than 4 once the first bit is 1.
    let inverse = INVERSES.get(power - 1)?;
    let lead = digits.leading_zeros();
    let wide = u128::from(digits << lead);
    let product = wide * (inverse >> 64) + ((wide * (inverse & u128::from(u64::MAX))) >> 64);
    let shift = u32::from(product >> 127 == 0);
    let (high, low) = ((product << shift >> 64) as u64, (product << shift) as u64);
    // 53 bits are kept, the next one rounds, and the other 74 tell whether that may be wrong.
    let rest = high & 0x7ff;
    if (rest == 0x3ff && low > u64::MAX - 4) || (rest == 0x400 && low == 0) {
        return None;
    }
    let rounded = (high >> 11) + ((high >> 10) & 1);
    // The product stands for digits × 2^(lead + power + 63 + bits) / 10^power, where 5^power has so many bits.
    let exponent = 12 - (shift + bits(power) + power as u32 + lead) as i32;
    Some(rounded as f64 * power_of_two(exponent))
}

/// 2^`exponent` for an exponent of a normal number.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// How many bits 5^`power` has: the logarithm of 5 to base 2 is just below 152,170 / 2^16.
const fn bits(power: usize) -> u32 {
    ((power as u32 * 152_170) >> 16) + 1
}

/// Long division, bit by bit: 2^(127 + bits) / 5^power lies between 2^127 and 2^128.
const fn inverses() -> [u128; SMALLEST] {
    let mut inverses = [0; SMALLEST];
    let mut power = 1;
    while power <= SMALLEST {
        let divisor = 5_u128.pow(power as u32);
        let (mut quotient, mut remainder, mut step) = (0_u128, 1_u128, 0);
        while step < 127 + bits(power) {
            remainder <<= 1;
            quotient <<= 1;
            if remainder >= divisor {
                remainder -= divisor;
                quotient |= 1;
            }
            step += 1;
        }
        inverses[power - 1] = quotient;
        power += 1;
    }
    inverses
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inverses_have_all_their_bits() {
        for (power, inverse) in (1..).zip(INVERSES) {
            assert_eq!(bits(power as usize), u128::BITS - 5_u128.pow(power).leading_zeros());
            assert_eq!(inverse.leading_zeros(), 0);
        }
    }

    #[test]
    fn only_what_lies_near_a_tie_is_left_to_others() {
        let mut left = 0;
        for step in 1..100_000_u64 {
            let digits = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1;
            let scale = -((step % 40) as i32) - 1;
            match nearest(digits, 19, scale) {
                Some(found) => assert_eq!(found, format!("{digits}e{scale}").parse::<f64>().unwrap()),
                None => left += 1,
            }
        }
        // An exact tie is most likely where the power is small and few bits are cut off.
        assert!(left < 100, "{left}");
    }

    proptest! {
        #[test]
        fn it_is_the_nearest(digits in prop_oneof![any::<u64>(), 0..1_000_000_u64], scale in -45..45_i32) {
            let count = digits.to_string().len();
            if let Some(found) = nearest(digits, count, scale) {
                let expected = format!("{digits}e{scale}").parse::<f64>().unwrap();
                prop_assert_eq!(found.to_bits(), expected.to_bits());
            }
        }

        /// Decimals that lie near the middle between two neighbours, where rounding is hardest.
        #[test]
        fn near_the_middle_it_is_the_nearest(mantissa in (1_u64 << 52)..(1 << 53), exponent in -60..0_i32, move_by in -2..3_i64) {
            let middle = format!("{:.25e}", (mantissa as f64 + 0.5) * 2_f64.powi(exponent));
            let (shown, power) = middle.split_once('e').unwrap();
            let digits = shown.replace('.', "")[..19].parse::<u64>().unwrap().wrapping_add_signed(move_by);
            let scale = power.parse::<i32>().unwrap() - 18;
            if let Some(found) = nearest(digits, 19, scale) {
                prop_assert_eq!(found, format!("{digits}e{scale}").parse::<f64>().unwrap());
            }
        }
    }
}
