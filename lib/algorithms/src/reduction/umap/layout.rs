//! The stochastic gradient descent that lays out the map (`McInnes`, Healy and Melville, 2018, section 3.2).
//!
//! A tie is drawn the more often the stronger it is, pulls its two points together, and pushes some random points away.
//! Every point has random numbers of its own and moves by where the others were when the epoch began, so the result
//! does not depend on the number of threads.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the vector instructions of the processor"
)]

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::graph::Ties;
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::seed;
use crate::vectorised::vectorised;

/// Points that one task moves.
const POINTS: usize = 64;
/// Interactions that are computed at once: one tie and its random points.
const LANES: usize = 8;
/// No interaction moves a point further than this times the learning rate, along each axis.
const FARTHEST: f32 = 4.0;
/// The stream of the first point; every point has one of its own.
const STREAM: u64 = 0x756D_6170_0000_0000;

/// What the layout needs to know beside the ties.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Forces {
    pub(super) a: f32,
    pub(super) b: f32,
    pub(super) repulsion: f32,
    pub(super) negative_samples: usize,
    pub(super) learning_rate: f32,
    pub(super) epochs: usize,
    /// How often a tie pulls when it is drawn: twice where the other end has the same tie but each moves itself alone.
    pub(super) pull: f32,
}

/// A tie and when it is drawn next.
struct Tie {
    other: u32,
    period: f32,
    next: f32,
    next_negative: f32,
}

struct Point {
    random: Xoshiro256PlusPlus,
    ties: Vec<Tie>,
}

impl Point {
    fn new(ties: &[(u32, f32)], strongest: f32, epochs: usize, random: Xoshiro256PlusPlus, negative: usize) -> Self {
        let drawn = |(_, strength): &&(u32, f32)| *strength * epochs as f32 >= strongest;
        let tie = |&(other, strength): &(u32, f32)| {
            let period = strongest / strength;
            Tie { other, period, next: period, next_negative: period / negative.max(1) as f32 }
        };
        Self { random, ties: ties.iter().filter(drawn).map(tie).collect() }
    }
}

/// Moves the points of a map along their ties.
pub(super) fn run(
    map: &mut Vec<f32>,
    width: usize,
    ties: &Ties,
    forces: Forces,
    seed: u64,
    probe: &dyn Probe,
) -> Result<(), Cancelled> {
    match width {
        1 => run_in::<1>(map, ties, forces, seed, probe),
        2 => run_in::<2>(map, ties, forces, seed, probe),
        3 => run_in::<3>(map, ties, forces, seed, probe),
        4..=8 => run_padded::<8>(map, width, ties, forces, seed, probe),
        9..=16 => run_padded::<16>(map, width, ties, forces, seed, probe),
        _ => run_padded::<64>(map, width, ties, forces, seed, probe),
    }
}

/// Axes that the map does not have are 0 and stay so.
fn run_padded<const D: usize>(
    map: &mut Vec<f32>,
    width: usize,
    ties: &Ties,
    forces: Forces,
    seed: u64,
    probe: &dyn Probe,
) -> Result<(), Cancelled> {
    let pad = |row: &[f32]| row.iter().copied().chain(std::iter::repeat(0.0)).take(D).collect::<Vec<_>>();
    let mut padded: Vec<f32> = map.chunks_exact(width).flat_map(pad).collect();
    run_in::<D>(&mut padded, ties, forces, seed, probe)?;
    *map = padded.chunks_exact(D).flat_map(|row| row[..width].iter().copied()).collect();
    Ok(())
}

fn run_in<const D: usize>(
    map: &mut Vec<f32>,
    ties: &Ties,
    forces: Forces,
    seed: u64,
    probe: &dyn Probe,
) -> Result<(), Cancelled> {
    let strongest = ties.iter().flatten().fold(0.0, |most: f32, (_, strength)| most.max(*strength));
    let point = |index: usize| {
        let random = seed::rng(seed, STREAM + index as u64);
        Point::new(&ties[index], strongest, forces.epochs, random, forces.negative_samples)
    };
    let mut points = parallel::map_rows(ties.len(), point);
    let mut before: Vec<[f32; D]> = rows(map);
    let mut after = before.clone();
    for epoch in 0..forces.epochs {
        probe.check()?;
        let rate = forces.learning_rate * (1.0 - epoch as f32 / forces.epochs as f32);
        let chunks = after.chunks_mut(POINTS).zip(points.chunks_mut(POINTS));
        parallel::for_each(chunks, |(places, points)| {
            vectorised(
                #[inline(always)]
                || {
                    for (place, point) in places.iter_mut().zip(points.iter_mut()) {
                        advance(place, point, &before, &forces, epoch as f32, rate);
                    }
                },
            );
        });
        before.copy_from_slice(&after);
        if epoch % 10 == 9 {
            probe.progress((epoch + 1) as f64, forces.epochs as f64, "laying out the map");
        }
    }
    *map = before.into_iter().flatten().collect();
    Ok(())
}

/// Places a new point among those of a finished map, which stay where they are; `ties` are its own.
pub(super) fn place(start: &[f32], ties: &[(u32, f32)], map: &[f32], forces: Forces, seed: u64) -> Vec<f32> {
    match start.len() {
        1 => place_in::<1>(start, ties, map, forces, seed),
        2 => place_in::<2>(start, ties, map, forces, seed),
        3 => place_in::<3>(start, ties, map, forces, seed),
        // Beyond three axes no map is looked at, and the mean of the neighbours is a good place.
        _ => start.to_vec(),
    }
}

fn place_in<const D: usize>(start: &[f32], ties: &[(u32, f32)], map: &[f32], forces: Forces, seed: u64) -> Vec<f32> {
    let strongest = ties.iter().fold(0.0, |most: f32, (_, strength)| most.max(*strength));
    // All new points draw the same numbers, so where one comes to lie does not depend on which others come with it.
    let mut point = Point::new(ties, strongest, forces.epochs, seed::rng(seed, STREAM), forces.negative_samples);
    let map = map.as_chunks::<D>().0;
    let mut place: [f32; D] = std::array::from_fn(|axis| start[axis]);
    vectorised(
        #[inline(always)]
        || {
            for epoch in 0..forces.epochs {
                let rate = forces.learning_rate * (1.0 - epoch as f32 / forces.epochs as f32);
                advance(&mut place, &mut point, map, &forces, epoch as f32, rate);
            }
        },
    );
    place.to_vec()
}

fn rows<const D: usize>(map: &[f32]) -> Vec<[f32; D]> {
    map.as_chunks::<D>().0.to_vec()
}

/// One epoch of one point.
#[inline(always)]
fn advance<const D: usize>(
    place: &mut [f32; D],
    point: &mut Point,
    others: &[[f32; D]],
    forces: &Forces,
    epoch: f32,
    rate: f32,
) {
    for tie in &mut point.ties {
        if tie.next > epoch {
            continue;
        }
        tie.next += tie.period;
        let spacing = tie.period / forces.negative_samples.max(1) as f32;
        let mut negative = 0;
        if forces.negative_samples > 0 && epoch > tie.next_negative {
            negative = ((epoch - tie.next_negative) / spacing) as usize;
            tie.next_negative += negative as f32 * spacing;
        }
        let mut first = true;
        loop {
            let random = (LANES - usize::from(first)).min(negative);
            negative -= random;
            let mut away = [[0.0_f32; LANES]; D];
            let mut lane = 0;
            if first {
                let other = &others[tie.other as usize];
                (0..D).for_each(|axis| away[axis][0] = place[axis] - other[axis]);
                lane = 1;
            }
            let mut bits = 0_u64;
            for draw in 0..random {
                bits = if draw % 2 == 0 { point.random.random() } else { bits >> 32 };
                // A number below the count of points from 32 random bits.
                let other = &others[(((bits & 0xFFFF_FFFF) * others.len() as u64) >> 32) as usize];
                (0..D).for_each(|axis| away[axis][lane] = place[axis] - other[axis]);
                lane += 1;
            }
            let moves = interact(&away, forces, first);
            for (axis, moves) in moves.iter().enumerate() {
                place[axis] += rate * moves.iter().sum::<f32>();
            }
            first = false;
            if negative == 0 {
                break;
            }
        }
    }
}

/// How each of some points moves this one, by the vectors from them to it. The first pulls where `tied`, all others
/// push; those that lie at the same place do nothing.
#[inline(always)]
fn interact<const D: usize>(away: &[[f32; LANES]; D], forces: &Forces, tied: bool) -> [[f32; LANES]; D] {
    let mut squared = [0.0_f32; LANES];
    for axis in away {
        (0..LANES).for_each(|lane| squared[lane] += axis[lane] * axis[lane]);
    }
    let power = powers(&squared, forces.b);
    let mut coefficient = [0.0_f32; LANES];
    for lane in 0..LANES {
        coefficient[lane] =
            2.0 * forces.repulsion * forces.b / ((0.001 + squared[lane]) * (forces.a * power[lane] + 1.0));
    }
    let mut times = [1.0; LANES];
    if tied {
        coefficient[0] = -2.0 * forces.a * forces.b * power[0] / (squared[0].max(1e-30) * (forces.a * power[0] + 1.0));
        times[0] = forces.pull;
    }
    let mut moves = [[0.0_f32; LANES]; D];
    for (moves, away) in moves.iter_mut().zip(away) {
        for lane in 0..LANES {
            moves[lane] = times[lane] * (coefficient[lane] * away[lane]).clamp(-FARTHEST, FARTHEST);
        }
    }
    moves
}

/// `x^exponent` to six digits, for x of at least 0; made so that the compiler computes all at once.
#[inline(always)]
fn powers(x: &[f32; LANES], exponent: f32) -> [f32; LANES] {
    let mut result = [0.0; LANES];
    for lane in 0..LANES {
        let bits = x[lane].max(1e-30).to_bits();
        // x = 2^e·m with m between the root of 1/2 and the root of 2.
        let shifted = bits.wrapping_sub(0x3F35_04F3) as i32 >> 23;
        let mantissa = f32::from_bits(bits.wrapping_sub((shifted << 23) as u32));
        // log2(m) by the series of the inverse hyperbolic tangent.
        let t = (mantissa - 1.0) / (mantissa + 1.0);
        let s = t * t;
        let logarithm =
            shifted as f32 + t * (2.885_39 + s * (0.961_796_7 + s * (0.577_078 + s * (0.412_198_6 + s * 0.320_598_9))));
        let wanted = (logarithm * exponent).clamp(-126.0, 126.0);
        // 2^wanted by its nearest integer (adding and taking away 1.5·2^23 rounds) and a polynomial in the rest.
        let rounded = (wanted + 12_582_912.0) - 12_582_912.0;
        let r = (wanted - rounded) * std::f32::consts::LN_2;
        let power = 1.0 + r * (1.0 + r * (0.5 + r * (0.166_666_67 + r * (0.041_666_67 + r * 0.008_333_334))));
        result[lane] = power * f32::from_bits((((rounded as i32) + 127) << 23) as u32);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_near_enough() {
        for exponent in [0.3_f32, 0.895, 1.0, 1.9] {
            for base in [1e-12_f32, 1e-6, 0.3, 0.707, 0.708, 1.0, 1.5, 40.0, 1e7] {
                let found = powers(&[base; LANES], exponent)[3];
                let expected = base.powf(exponent);
                assert!((found / expected - 1.0).abs() < 2e-5, "{base}^{exponent}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_tie_pulls_and_the_others_push() {
        let forces =
            Forces { a: 1.5, b: 0.9, repulsion: 1.0, negative_samples: 5, learning_rate: 1.0, epochs: 9, pull: 1.0 };
        let mut away = [[0.0_f32; LANES]; 2];
        away[0][0] = 2.0;
        away[1][1] = 2.0;
        let moves = interact(&away, &forces, true);
        assert!(moves[0][0] < 0.0 && moves[1][1] > 0.0);
        assert!(moves[0][2..].iter().chain(&moves[1][2..]).all(|value| *value == 0.0));
    }
}
