//! Random numbers that depend on a seed alone, with as many independent streams as a computation has parts.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// The increment of `SplitMix64`: 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The seed of part `stream` of a computation that was given `seed`.
///
/// Two rounds of the `SplitMix64` finalizer (Steele, Lea and Flood, 2014), so that neighbouring seeds and neighbouring
/// streams share nothing. Parts that run on several threads each take their own stream; the result then does not
/// depend on the number of threads.
pub fn derive(seed: u64, stream: u64) -> u64 {
    mix(mix(seed.wrapping_add(GOLDEN)).wrapping_add(stream.wrapping_mul(GOLDEN)))
}

/// The generator of part `stream` of a computation that was given `seed`.
pub fn rng(seed: u64, stream: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(derive(seed, stream))
}

/// The finalizer of `SplitMix64`.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand_xoshiro::rand_core::Rng;

    use super::*;

    #[test]
    fn the_same_seed_and_stream_give_the_same_numbers() {
        let draw = |seed, stream| (0..4).map(|_| 0).scan(rng(seed, stream), |rng, _: i32| Some(rng.next_u64()));
        assert!(draw(7, 3).eq(draw(7, 3)));
        assert!(draw(7, 3).ne(draw(7, 4)));
        assert!(draw(7, 3).ne(draw(8, 3)));
    }

    #[test]
    fn neighbouring_seeds_and_streams_do_not_collide() {
        let all: HashSet<u64> = (0..100).flat_map(|seed| (0..100).map(move |stream| derive(seed, stream))).collect();
        assert_eq!(all.len(), 10_000);
    }
}
