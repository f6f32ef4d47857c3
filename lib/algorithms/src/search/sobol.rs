//! Sobol points: they fill the unit cube evenly, and each further point falls where there is the most room.

use crate::seed;

/// The dimensions that have direction numbers.
pub const DIMENSIONS: usize = POLYNOMIALS.len() + 1;
const BITS: usize = 32;

/// A primitive polynomial modulo 2, whose degree is the length of `first`.
struct Polynomial {
    /// The coefficients between the first and the last, which are 1.
    inner: u32,
    /// The first direction numbers, odd, the k-th below 2^k.
    first: &'static [u32],
}

/// A sequence of Sobol points, scrambled by a seed.
///
/// Direction numbers of Joe and Kuo (2008, `new-joe-kuo-6`); each coordinate is scrambled as Owen (1995) does, by a hash in
/// which every bit is flipped by what the bits above it say (Laine and Karras, 2011). Further dimensions than
/// [`DIMENSIONS`] get independent uniform numbers.
#[derive(Debug, Clone)]
pub struct Sobol {
    directions: Vec<[u32; BITS]>,
    dimensions: usize,
    seed: u64,
}

impl Sobol {
    /// The sequence in `dimensions` dimensions that belongs to `seed`.
    pub fn new(dimensions: usize, seed: u64) -> Self {
        Self { directions: (0..dimensions.min(DIMENSIONS)).map(directions).collect(), dimensions, seed }
    }

    /// Point `index` of the sequence, in the open unit cube.
    pub fn point(&self, index: u32) -> Vec<f64> {
        let scrambled = |(dimension, directions): (usize, &[u32; BITS])| {
            unit(scramble(plain(directions, index), seed::derive(self.seed, dimension as u64) as u32))
        };
        let mut point = self.directions.iter().enumerate().map(scrambled).collect::<Vec<_>>();
        for dimension in point.len()..self.dimensions {
            let stream = seed::derive(self.seed, dimension as u64);
            point.push(unit((seed::derive(stream, u64::from(index)) >> 32) as u32));
        }
        point
    }
}

/// The middle of the interval that the bits stand for: neither 0 nor 1.
fn unit(bits: u32) -> f64 {
    (f64::from(bits) + 0.5) / 4_294_967_296.0
}

/// The coordinate of point `index`, not scrambled, in the order of the Gray code.
fn plain(directions: &[u32; BITS], index: u32) -> u32 {
    let gray = index ^ (index >> 1);
    let chosen = directions.iter().enumerate().filter(|(bit, _)| gray >> bit & 1 == 1);
    chosen.fold(0, |sum, (_, direction)| sum ^ direction)
}

/// The direction numbers of a dimension, as binary fractions.
fn directions(dimension: usize) -> [u32; BITS] {
    let mut all = [0_u32; BITS];
    let Some(polynomial) = dimension.checked_sub(1).map(|at| &POLYNOMIALS[at]) else {
        for (bit, direction) in all.iter_mut().enumerate() {
            *direction = 1 << (BITS - 1 - bit);
        }
        return all;
    };
    let degree = polynomial.first.len();
    for bit in 0..BITS {
        all[bit] = match polynomial.first.get(bit) {
            Some(first) => first << (BITS - 1 - bit),
            None => (1..degree).fold(all[bit - degree] ^ (all[bit - degree] >> degree), |sum, back| {
                if polynomial.inner >> (degree - 1 - back) & 1 == 1 { sum ^ all[bit - back] } else { sum }
            }),
        };
    }
    all
}

/// The scramble: a hash that carries only upwards, between two reversals of the bits.
fn scramble(bits: u32, seed: u32) -> u32 {
    let mut x = bits.reverse_bits();
    x = x.wrapping_add(seed);
    x ^= x.wrapping_mul(0x6c50_b47c);
    x ^= x.wrapping_mul(0xb82f_1e52);
    x ^= x.wrapping_mul(0xc7af_e638);
    x ^= x.wrapping_mul(0x8d22_f6e6);
    x.reverse_bits()
}

#[rustfmt::skip]
static POLYNOMIALS: [Polynomial; 63] = [
    Polynomial { inner: 0, first: &[1] },
    Polynomial { inner: 1, first: &[1, 3] },
    Polynomial { inner: 1, first: &[1, 3, 1] },
    Polynomial { inner: 2, first: &[1, 1, 1] },
    Polynomial { inner: 1, first: &[1, 1, 3, 3] },
    Polynomial { inner: 4, first: &[1, 3, 5, 13] },
    Polynomial { inner: 2, first: &[1, 1, 5, 5, 17] },
    Polynomial { inner: 4, first: &[1, 1, 5, 5, 5] },
    Polynomial { inner: 7, first: &[1, 1, 7, 11, 19] },
    Polynomial { inner: 11, first: &[1, 1, 5, 1, 1] },
    Polynomial { inner: 13, first: &[1, 1, 1, 3, 11] },
    Polynomial { inner: 14, first: &[1, 3, 5, 5, 31] },
    Polynomial { inner: 1, first: &[1, 3, 3, 9, 7, 49] },
    Polynomial { inner: 13, first: &[1, 1, 1, 15, 21, 21] },
    Polynomial { inner: 16, first: &[1, 3, 1, 13, 27, 49] },
    Polynomial { inner: 19, first: &[1, 1, 1, 15, 7, 5] },
    Polynomial { inner: 22, first: &[1, 3, 1, 15, 13, 25] },
    Polynomial { inner: 25, first: &[1, 1, 5, 5, 19, 61] },
    Polynomial { inner: 1, first: &[1, 3, 7, 11, 23, 15, 103] },
    Polynomial { inner: 4, first: &[1, 3, 7, 13, 13, 15, 69] },
    Polynomial { inner: 7, first: &[1, 1, 3, 13, 7, 35, 63] },
    Polynomial { inner: 8, first: &[1, 3, 5, 9, 1, 25, 53] },
    Polynomial { inner: 14, first: &[1, 3, 1, 13, 9, 35, 107] },
    Polynomial { inner: 19, first: &[1, 3, 1, 5, 27, 61, 31] },
    Polynomial { inner: 21, first: &[1, 1, 5, 11, 19, 41, 61] },
    Polynomial { inner: 28, first: &[1, 3, 5, 3, 3, 13, 69] },
    Polynomial { inner: 31, first: &[1, 1, 7, 13, 1, 19, 1] },
    Polynomial { inner: 32, first: &[1, 3, 7, 5, 13, 19, 59] },
    Polynomial { inner: 37, first: &[1, 1, 3, 9, 25, 29, 41] },
    Polynomial { inner: 41, first: &[1, 3, 5, 13, 23, 1, 55] },
    Polynomial { inner: 42, first: &[1, 3, 7, 3, 13, 59, 17] },
    Polynomial { inner: 50, first: &[1, 3, 1, 3, 5, 53, 69] },
    Polynomial { inner: 55, first: &[1, 1, 5, 5, 23, 33, 13] },
    Polynomial { inner: 56, first: &[1, 1, 7, 7, 1, 61, 123] },
    Polynomial { inner: 59, first: &[1, 1, 7, 9, 13, 61, 49] },
    Polynomial { inner: 62, first: &[1, 3, 3, 5, 3, 55, 33] },
    Polynomial { inner: 14, first: &[1, 3, 1, 15, 31, 13, 49, 245] },
    Polynomial { inner: 21, first: &[1, 3, 5, 15, 31, 59, 63, 97] },
    Polynomial { inner: 22, first: &[1, 3, 1, 11, 11, 11, 77, 249] },
    Polynomial { inner: 38, first: &[1, 3, 1, 11, 27, 43, 71, 9] },
    Polynomial { inner: 47, first: &[1, 1, 7, 15, 21, 11, 81, 45] },
    Polynomial { inner: 49, first: &[1, 3, 7, 3, 25, 31, 65, 79] },
    Polynomial { inner: 50, first: &[1, 3, 1, 1, 19, 11, 3, 205] },
    Polynomial { inner: 52, first: &[1, 1, 5, 9, 19, 21, 29, 157] },
    Polynomial { inner: 56, first: &[1, 3, 7, 11, 1, 33, 89, 185] },
    Polynomial { inner: 67, first: &[1, 3, 3, 3, 15, 9, 79, 71] },
    Polynomial { inner: 70, first: &[1, 3, 7, 11, 15, 39, 119, 27] },
    Polynomial { inner: 84, first: &[1, 1, 3, 1, 11, 31, 97, 225] },
    Polynomial { inner: 97, first: &[1, 1, 1, 3, 23, 43, 57, 177] },
    Polynomial { inner: 103, first: &[1, 3, 7, 7, 17, 17, 37, 71] },
    Polynomial { inner: 115, first: &[1, 3, 1, 5, 27, 63, 123, 213] },
    Polynomial { inner: 122, first: &[1, 1, 3, 5, 11, 43, 53, 133] },
    Polynomial { inner: 8, first: &[1, 3, 5, 5, 29, 17, 47, 173, 479] },
    Polynomial { inner: 13, first: &[1, 3, 3, 11, 3, 1, 109, 9, 69] },
    Polynomial { inner: 16, first: &[1, 1, 1, 5, 17, 39, 23, 5, 343] },
    Polynomial { inner: 22, first: &[1, 3, 1, 5, 25, 15, 31, 103, 499] },
    Polynomial { inner: 25, first: &[1, 1, 1, 11, 11, 17, 63, 105, 183] },
    Polynomial { inner: 44, first: &[1, 1, 5, 11, 9, 29, 97, 231, 363] },
    Polynomial { inner: 47, first: &[1, 1, 5, 15, 19, 45, 41, 7, 383] },
    Polynomial { inner: 52, first: &[1, 3, 7, 7, 31, 19, 83, 137, 221] },
    Polynomial { inner: 55, first: &[1, 1, 1, 3, 23, 15, 111, 223, 83] },
    Polynomial { inner: 59, first: &[1, 1, 5, 13, 31, 15, 55, 25, 161] },
    Polynomial { inner: 62, first: &[1, 1, 3, 13, 25, 47, 39, 87, 257] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_points_are_those_of_joe_and_kuo() {
        let point =
            |index| (0..5).map(|at| f64::from(plain(&directions(at), index)) / 4_294_967_296.0).collect::<Vec<_>>();
        assert_eq!(point(0), [0.0; 5]);
        assert_eq!(point(2), [0.75, 0.25, 0.25, 0.25, 0.75]);
        assert_eq!(point(4), [0.375, 0.375, 0.625, 0.875, 0.375]);
        let last = |at| f64::from(plain(&directions(at), 7)) / 4_294_967_296.0;
        assert_eq!([last(60), last(61), last(62), last(63)], [0.875, 0.125, 0.625, 0.375]);
    }

    #[test]
    fn every_box_of_a_power_of_two_has_its_point() {
        let sobol = Sobol::new(DIMENSIONS + 6, 7);
        let points = (0..256).map(|index| sobol.point(index)).collect::<Vec<_>>();
        for dimension in 0..DIMENSIONS {
            let mut seen = [false; 256];
            for point in &points {
                seen[(point[dimension] * 256.0) as usize] = true;
            }
            assert!(seen.iter().all(|seen| *seen), "{dimension}");
        }
        // The first two dimensions are a (0, 8, 2)-net: 16 × 16 boxes, one point in each.
        let boxes = points.iter().map(|point| ((point[0] * 16.0) as usize, (point[1] * 16.0) as usize));
        assert_eq!(boxes.collect::<std::collections::HashSet<_>>().len(), 256);
        assert!(points.iter().flatten().all(|value| *value > 0.0 && *value < 1.0));
        let mean = points.iter().map(|point| point[DIMENSIONS + 5]).sum::<f64>() / 256.0;
        assert!((mean - 0.5).abs() < 0.1, "{mean}");
    }

    #[test]
    fn another_seed_is_another_sequence() {
        assert_eq!(Sobol::new(3, 1).point(5), Sobol::new(3, 1).point(5));
        assert_ne!(Sobol::new(3, 1).point(5), Sobol::new(3, 2).point(5));
    }
}
